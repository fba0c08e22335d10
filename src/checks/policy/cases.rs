//! A policy's own cases: what it says of an object, and what it should say.

use indexmap::IndexMap;

use super::document::{Case, Expected};
use super::library::{Entry, Library};
use super::matching;
use super::run::{Verdict, evaluate};
use super::subject::{Namespace, Old, Subject, namespace};
use cel::Meter;
use findings::{Diagnostic, rules};
use model::declare::Paths;
use schema::Identity;
use tree::{Node, Path, Sources, Span};

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The policy.
    pub policy: String,
    /// The case.
    pub case: String,
    /// Whether it is what was expected.
    pub passed: bool,
    /// What came of it: `pass`, `fail`, `excluded` or `error`; none where the policy could not be run.
    pub outcome: Option<Expected>,
    /// What the policy says, or what could not be evaluated.
    pub messages: Vec<String>,
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
            let Some(node) = tests.node.at(&Path::dotted("spec.cases").item(at)) else { continue };
            outcomes.extend(run(entry, case, node, findings));
        }
    }
    outcomes
}

/// Runs one case; none when its policy is wrong, which has been reported. The case's own tree has the places that the typed case lacks.
fn run(entry: &Entry, case: &Case, node: &Node, findings: &mut Vec<Diagnostic>) -> Option<Outcome> {
    let (compiled, constraints) = (entry.compiled.as_ref()?, entry.declared.value.spec.match_constraints.as_ref()?);
    let mut outcome = Outcome {
        policy: entry.declared.value.metadata.name.clone(),
        case: case.name.clone(),
        passed: false,
        outcome: None,
        messages: Vec::new(),
    };
    let given = |key: &str| node.get(key).filter(|node| !node.is_null());
    let (object, old) = (given("object"), given("oldObject"));
    let Some((about, identity)) = object.or(old).and_then(|about| Some((about, Identity::of(about)?))) else {
        let message = format!("`{}` has no object with `apiVersion`, `kind` and a name", case.name);
        findings.push(Diagnostic::new(&rules::POLICY_TEST, node.span, message));
        return Some(outcome);
    };
    let labels: Vec<_> = case.namespace_labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let namespaces: IndexMap<&str, Namespace> = Some(identity.namespace.as_str())
        .filter(|name| !name.is_empty())
        .map(|name| (name, namespace(name, &labels, true)))
        .into_iter()
        .collect();
    let subject = Subject::of_case(&identity, about, &namespaces).changed(object.is_some(), old.map(Old::object));
    let verdict = if matching::constraints(constraints, &subject) {
        evaluate(compiled, &subject, given("params"), &Meter::default())
    } else {
        Verdict::default()
    };
    let wrong = judge(case, &verdict, &mut outcome);
    outcome.passed = wrong.is_none();
    findings.extend(wrong.map(|message| {
        let expected = node.get("expected").map_or(node.span, |node| node.span);
        let finding = Diagnostic::new(&rules::POLICY_TEST, expected, format!("`{}`: {message}", case.name));
        verdict.faults.iter().fold(finding, |finding, fault| finding.also(fault.span, fault.message.clone()))
    }));
    Some(outcome)
}

/// Notes what came of a case; what is wrong with that.
fn judge(case: &Case, verdict: &Verdict, outcome: &mut Outcome) -> Option<String> {
    let found = match (verdict.applies, verdict.faults.is_empty(), verdict.violations.is_empty()) {
        (false, ..) => Expected::Excluded,
        (true, false, _) => Expected::Error,
        (true, true, false) => Expected::Fail,
        (true, true, true) => Expected::Pass,
    };
    let messages: Vec<String> = match found {
        Expected::Error => verdict.faults.iter().map(|fault| fault.message.clone()).collect(),
        _ => verdict.violations.iter().map(|(message, _)| message.clone()).collect(),
    };
    let said = if messages.is_empty() { String::new() } else { format!(": {}", messages.join("; ")) };
    let wrong = if found == case.expected {
        let wanted = case.message.as_ref().filter(|wanted| messages.iter().all(|message| !message.contains(wanted.as_str())));
        wanted.map(|wanted| format!("no message has `{wanted}` in it{said}"))
    } else {
        Some(format!("expected {}, but {}{said}", title(case.expected), title(found)))
    };
    (outcome.outcome, outcome.messages) = (Some(found), messages);
    wrong
}

fn title(expected: Expected) -> &'static str {
    match expected {
        Expected::Pass => "it passes",
        Expected::Fail => "it fails",
        Expected::Excluded => "the policy is not about it",
        Expected::Error => "it cannot be evaluated",
    }
}
