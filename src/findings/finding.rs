//! One finding, and the order of several.

use std::borrow::Cow;

use super::{Rule, Severity};
use tree::{Sources, Span, nearest};

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
