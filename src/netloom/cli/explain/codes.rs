//! What the code of a finding means.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::cli::{Context, Outcome};
use checks::policy;
use engine::overlay::library::{self, Library, Overlay};
use findings::sarif::Rule;
use findings::{Diagnostic, Severity, inert, nearest, rules};
use model::declare::Paths;
use tree::{Node, Path, Sources, Span};

/// Columns of the text.
const COLUMNS: usize = 100;

/// What declares codes.
const OVERLAY: &str = "overlay";
const POLICY: &str = "policy";

/// Bytes of a line of the list.
const LISTED: usize = 140;

/// What a code means.
#[derive(Debug)]
struct Meaning {
    code: String,
    severity: Severity,
    explanation: String,
    help: String,
    /// What declares it; none for a rule of netloom's own.
    declared: Option<Declared>,
}

/// What declares a code.
#[derive(Debug)]
struct Declared {
    /// `overlay` or `policy`.
    kind: &'static str,
    name: String,
    place: String,
}

/// The list of all codes.
pub(super) fn list(context: &Context<'_>) -> Outcome {
    let meanings = meanings(context);
    outcome(meanings.iter().map(Meaning::line).collect(), &meanings)
}

/// What one code means.
pub(super) fn meaning(code: &str, context: &Context<'_>) -> Outcome {
    let meanings = meanings(context);
    let found: Vec<_> = meanings.iter().filter(|meaning| meaning.code == code).collect();
    if found.is_empty() {
        let finding = Diagnostic::new(&rules::CODE_UNKNOWN, Span::NONE, format!("there is no code `{code}`"));
        let suggestion = nearest(code, meanings.iter().map(|meaning| &*meaning.code));
        return Outcome::error(
            suggestion.into_iter().fold(finding, |finding, name| finding.help(format!("did you mean `{name}`?"))),
        );
    }
    let texts: Vec<_> = found.iter().map(|meaning| meaning.text()).collect();
    outcome(texts.join("\n"), found)
}

fn outcome<'a>(product: String, meanings: impl IntoIterator<Item = &'a Meaning>) -> Outcome {
    let codes: Value = meanings.into_iter().map(Meaning::data).collect();
    Outcome { product, data: [("codes".to_owned(), codes)].into_iter().collect(), ..Outcome::default() }
}

/// What every code means.
pub(in crate::cli) fn rules(context: &Context<'_>) -> Vec<Rule> {
    let rule = |one: Meaning| Rule { code: one.code, severity: one.severity, explanation: one.explanation, help: one.help };
    meanings(context).into_iter().map(rule).collect()
}

/// Every code: the core's in the order of the pipeline, then those of overlays by name, then policies.
fn meanings(context: &Context<'_>) -> Vec<Meaning> {
    let core = rules::ALL.iter().map(|rule| Meaning {
        code: rule.code.to_owned(),
        severity: rule.severity,
        explanation: rule.explanation.to_owned(),
        help: rule.help.to_owned(),
        declared: None,
    });
    let mut meanings: Vec<_> = core.collect();
    let (sources, paths) = sources(context);
    // What is wrong with overlays and policies is for `check` to say.
    let library = Library::read(&sources, &paths.overlays, &mut Vec::new());
    for overlay in library.iter() {
        assertions(overlay, &sources, &mut meanings);
        blocked_flows(overlay, &sources, &mut meanings);
    }
    meanings.extend(policy::described(&sources, &paths.policies).into_iter().map(|one| Meaning {
        code: one.name.clone(),
        severity: one.severity,
        explanation: one.explanation,
        help: String::new(),
        declared: Some(Declared { kind: POLICY, place: sources.locate(one.place), name: one.name }),
    }));
    meanings
}

fn by_overlay(overlay: &Overlay, place: Span, sources: &Sources) -> Declared {
    Declared { kind: OVERLAY, name: overlay.name().to_owned(), place: sources.locate(place) }
}

/// The stock overlays and policies, with the project's own where there is a project, and the folders of those.
fn sources(context: &Context<'_>) -> (Arc<Sources>, Paths) {
    let (mut sources, mut findings) = (Sources::default(), Vec::new());
    let project = files::load::project(&context.root(), &mut sources, &mut findings);
    let own = project.map(|(root, project)| {
        root.inputs(&project, &mut sources, &mut findings);
        project.value.spec.paths
    });
    library::embed(&mut sources);
    policy::library::embed(&mut sources);
    (Arc::new(sources), own.unwrap_or_default())
}

fn assertions(overlay: &Overlay, sources: &Sources, meanings: &mut Vec<Meaning>) {
    for (index, assertion) in overlay.spec().assertions.iter().enumerate() {
        let place = Path::dotted("spec.assertions").item(index).child("code");
        meanings.push(Meaning {
            code: assertion.code.clone(),
            severity: assertion.severity,
            explanation: assertion.explanation.clone(),
            help: String::new(),
            declared: Some(by_overlay(overlay, overlay.declared.node.nearest(&place).span, sources)),
        });
    }
}

/// Codes of flows that the security groups may not admit, unless an assertion explains them.
fn blocked_flows(overlay: &Overlay, sources: &Sources, meanings: &mut Vec<Meaning>) {
    let ports = overlay.declared.node.at(&Path::dotted("spec.facts.ports")).and_then(Node::as_list);
    for blocked in ports.into_iter().flatten().filter_map(|port| port.get("blocked")) {
        let Some(code) = blocked.get("code").filter(|code| code.as_str().is_some()) else { continue };
        let text = code.as_str().unwrap_or_default();
        let severity = blocked.get("severity").and_then(|severity| serde_json::from_value(severity.to_json()).ok());
        if meanings.iter().any(|meaning| meaning.code == text) {
            continue;
        }
        let consequence = blocked.str_at("consequence").unwrap_or_default();
        meanings.push(Meaning {
            code: text.to_owned(),
            severity: severity.unwrap_or(Severity::Error),
            explanation: format!("The final security groups do not admit a flow that the overlay needs: {consequence}."),
            help: String::new(),
            declared: Some(by_overlay(overlay, code.span, sources)),
        });
    }
}

impl Meaning {
    /// The whole text.
    fn text(&self) -> String {
        let mut paragraphs = vec![format!("{} ({})", self.code, self.severity.name()), self.explanation.trim().to_owned()];
        if !self.help.is_empty() {
            paragraphs.push(format!("What to do: {}.", self.help));
        }
        match &self.declared {
            Some(Declared { kind: POLICY, place, .. }) => paragraphs.push(format!("A policy, at {place}.")),
            Some(Declared { kind, name, place }) => paragraphs.push(format!("Declared by the {kind} {name} at {place}.")),
            None => {}
        }
        inert::wrapped(&paragraphs.join("\n\n"), COLUMNS)
    }

    /// A line of the list: the code, and what it is about in a few words.
    fn line(&self) -> String {
        let explanation = self.explanation.trim();
        let sentence = explanation.split_inclusive(". ").next().unwrap_or_default().trim_end();
        let by = self.declared.as_ref().map(|by| if by.kind == POLICY { POLICY } else { &by.name });
        let by = by.map(|by| format!("({by}) ")).unwrap_or_default();
        let line = format!("{:28} {:8} {by}{sentence}", self.code, self.severity.name());
        format!("{}\n", inert::clipped(&line, LISTED))
    }

    fn data(&self) -> Value {
        json!({
            "code": self.code,
            "severity": self.severity,
            "explanation": self.explanation.trim(),
            "help": self.help,
            "overlay": self.declared.as_ref().filter(|by| by.kind == OVERLAY).map(|by| &by.name),
            "policy": self.declared.as_ref().filter(|by| by.kind == POLICY).map(|by| &by.name),
            "place": self.declared.as_ref().map(|by| &by.place),
        })
    }
}
