//! Findings: what is wrong, where, and what to do.
//!
//! One model feeds every output format. Stages collect findings instead of stopping at the first one.

mod excerpt;
pub mod github;
mod human;
pub mod inert;
pub mod json;
pub mod junit;
mod location;
pub mod rules;
pub mod sarif;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::tree::{Sources, Span};

pub use human::{Human, tally};
pub use location::Places;
pub use rules::Rule;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// Worth knowing; changes nothing.
    Note,
    /// Works, but not as one would want.
    Warning,
    /// Nothing is rendered.
    Error,
}

impl Severity {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

impl std::str::FromStr for Severity {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "note" => Ok(Severity::Note),
            "warning" => Ok(Severity::Warning),
            "error" => Ok(Severity::Error),
            _ => Err(()),
        }
    }
}

/// A further place that takes part in a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What it has to do with the finding.
    pub text: String,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code, such as `cidr-host-bits`; `netloom explain CODE` tells what it means.
    pub code: Cow<'static, str>,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Where; [`Span::NONE`] when no file is to blame.
    pub span: Span,
    /// The declaration that it came up for, where that is known: the place for formats that show findings beside a repository's
    /// files, when no other place is in one.
    pub declared: Span,
    /// Other places involved.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// A finding under `rule` at `span`.
    #[must_use]
    pub fn new(rule: &'static Rule, span: Span, message: impl Into<String>) -> Self {
        let help = if rule.help.is_empty() { Vec::new() } else { vec![rule.help.to_owned()] };
        Self {
            code: rule.code.into(),
            severity: rule.severity,
            message: message.into(),
            span,
            declared: Span::NONE,
            labels: Vec::new(),
            help,
        }
    }

    /// A finding under a code that an overlay declares.
    #[must_use]
    pub fn declared(code: &str, severity: Severity, span: Span, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned().into(),
            severity,
            message: message.into(),
            span,
            declared: Span::NONE,
            labels: Vec::new(),
            help: Vec::new(),
        }
    }

    /// Adds what to do; a help text of the call comes before the rule's general one.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.insert(0, text.into());
        self
    }

    /// Adds another place that takes part.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Adds "did you mean" when one of `candidates` is close to `given`.
    #[must_use]
    pub fn suggest<'a>(self, given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(given, candidates) {
            Some(name) => self.help(format!("did you mean `{name}`?")),
            None => self,
        }
    }
}

/// The candidate most like `given`, if any is like it at all: alike from the beginning, or one slip of the keyboard away.
pub fn nearest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_ascii_lowercase();
    let slip = |name: &str| name.len() > 2 && name.len() <= given.len() + 1 && strsim::osa_distance(&given, name) <= 1;
    let score = |name: &str| strsim::jaro_winkler(&given, name).max(if slip(name) { 0.9 } else { 0.0 });
    let scored = candidates.into_iter().map(|name| (score(&name.to_ascii_lowercase()), name));
    scored.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

/// Whether any finding keeps output from being written.
#[must_use]
pub fn has_errors(findings: &[Diagnostic]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Error)
}

/// Orders findings for people: by place, then code; what is the same is said once, with every place that takes part.
pub fn sort(findings: &mut Vec<Diagnostic>, sources: &Sources) {
    let place = |span: Span| sources.name(span.file).map(std::borrow::Cow::into_owned);
    findings.sort_by_cached_key(|f| {
        (std::cmp::Reverse(f.severity), place(f.span).is_none(), place(f.span), f.span.start, f.code.clone(), f.message.clone())
    });
    findings.dedup_by(|next, first| {
        let same = (&next.code, next.severity, next.span, &next.message, &next.help)
            == (&first.code, first.severity, first.span, &first.message, &first.help);
        if same {
            let new = next.labels.drain(..).filter(|label| !first.labels.contains(label)).collect::<Vec<_>>();
            first.labels.extend(new);
        }
        same
    });
}

/// An output format for findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For a terminal: the line quoted, with colour where wanted.
    #[default]
    Human,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit XML, for reports of test results.
    Junit,
    /// Workflow commands of GitHub Actions, which annotate a pull request.
    Github,
    /// A comment on a pull request; `diff` has one.
    Markdown,
    /// One file for a browser; `diff` has one.
    Html,
}
