//! A policy's own cases: what it says of an object, and what it should say.

use indexmap::IndexMap;

use super::cel::Meter;
use super::document::{Case, Expected};
use super::library::{Entry, Library};
use super::matching;
use super::run::{Verdict, evaluate};
use super::subject::{CLOUDFORMATION, DECLARATIONS, Namespace, Subject, namespace};
use crate::declare::Paths;
use crate::diagnostic::{Diagnostic, rules};
use crate::kubernetes::Identity;
use crate::tree::{Node, Path, Sources, Span};

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The policy.
    pub policy: String,
    /// The case.
    pub case: String,
    /// Whether it is what was expected.
    pub passed: bool,
}

/// Runs the cases of the project's policies and of those that are named; of all stock policies when `all`.
pub fn test(sources: &Sources, folder: Option<&str>, names: &[String], findings: &mut Vec<Diagnostic>) -> Vec<Outcome> {
    let stock = folder.is_none() && names.is_empty();
    let defaults = Paths::default().policies;
    let wanted = |name: &str| stock || names.iter().any(|one| one == name);
    let library = Library::read(sources, folder.unwrap_or(&defaults), wanted, findings);
    for name in names.iter().filter(|name| !library.policies.contains_key(*name)) {
        let finding = Diagnostic::new(&rules::POLICY_UNKNOWN, Span::NONE, format!("there is no policy `{name}`"));
        let known = super::library::stock_names(sources).chain(library.policies.keys().map(String::as_str));
        findings.push(finding.suggest(name, known));
    }
    let mut outcomes = Vec::new();
    for (tests, of_stock) in &library.tests {
        let name = &tests.value.metadata.name;
        let Some(entry) = library.policies.get(name).filter(|entry| entry.stock == *of_stock) else { continue };
        if !names.is_empty() && !names.contains(name) {
            continue;
        }
        for (at, case) in tests.value.spec.cases.iter().enumerate() {
            let path = Path::dotted("spec.cases").item(at);
            let fault = tests.node.at(&path).and_then(|node| run(entry, case, node));
            outcomes.push(Outcome { policy: name.clone(), case: case.name.clone(), passed: fault.is_none() });
            findings.extend(fault);
        }
    }
    outcomes
}

/// Runs one case; what is wrong with its outcome. The case's own tree has the places that the typed case lacks.
fn run(entry: &Entry, case: &Case, node: &Node) -> Option<Diagnostic> {
    let expected = node.get("expected").map_or(node.span, |node| node.span);
    let compiled = entry.compiled.as_ref()?;
    let object = node.get("object")?;
    let Some(identity) = Identity::of(object) else {
        let message = format!("the object of `{}` lacks `apiVersion`, `kind` or a name", case.name);
        return Some(Diagnostic::new(&rules::POLICY_TEST, object.span, message));
    };
    let labels: Vec<_> = case.namespace_labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let namespaces: IndexMap<&str, Namespace> = Some(identity.namespace.as_str())
        .filter(|name| !name.is_empty())
        .map(|name| (name, namespace(name, &labels, true)))
        .into_iter()
        .collect();
    let mut subject = match identity.group() {
        DECLARATIONS => Subject::declaration(&identity.kind, object, || object.clone()),
        CLOUDFORMATION => Subject::object(&identity, object, &namespaces),
        _ => Subject::object(&identity, object, &namespaces),
    };
    if identity.group() == CLOUDFORMATION {
        subject.resource.clone_from(&identity.kind);
    }
    subject.old = node.get("oldObject").filter(|node| !node.is_null());
    let constraints = entry.declared.value.spec.match_constraints.as_ref()?;
    let verdict = if matching::constraints(constraints, &subject) {
        evaluate(compiled, &subject, node.get("params"), &Meter::default())
    } else {
        Verdict::default()
    };
    wrong(case, &verdict).map(|message| {
        let finding = Diagnostic::new(&rules::POLICY_TEST, expected, format!("`{}`: {message}", case.name));
        verdict.faults.iter().fold(finding, |finding, fault| finding.also(fault.span, fault.message.clone()))
    })
}

fn wrong(case: &Case, verdict: &Verdict) -> Option<String> {
    let found = match (verdict.applies, verdict.faults.is_empty(), verdict.violations.is_empty()) {
        (false, ..) => Expected::Excluded,
        (true, false, _) => Expected::Error,
        (true, true, false) => Expected::Fail,
        (true, true, true) => Expected::Pass,
    };
    let messages: Vec<&str> = match found {
        Expected::Error => verdict.faults.iter().map(|fault| fault.message.as_str()).collect(),
        _ => verdict.violations.iter().map(|(message, _)| message.as_str()).collect(),
    };
    let said = if messages.is_empty() { String::new() } else { format!(": {}", messages.join("; ")) };
    if found != case.expected {
        return Some(format!("expected {}, but {}{said}", title(case.expected), title(found)));
    }
    let wanted = case.message.as_ref()?;
    (!messages.iter().any(|message| message.contains(wanted.as_str()))).then(|| format!("no message has `{wanted}` in it{said}"))
}

fn title(expected: Expected) -> &'static str {
    match expected {
        Expected::Pass => "it passes",
        Expected::Fail => "it fails",
        Expected::Excluded => "the policy is not about it",
        Expected::Error => "it cannot be evaluated",
    }
}
