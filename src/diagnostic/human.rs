//! Findings for people, in the form that rustc made familiar.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Diagnostic, Severity};
use crate::limits;
use crate::tree::{Sources, Span};

/// How to print findings for people.
#[derive(Clone, Copy, Debug)]
pub struct Human {
    /// Whether to use terminal colours.
    pub color: bool,
}

impl Human {
    /// The text for `findings`, each followed by an empty line.
    #[must_use]
    pub fn render(self, findings: &[Diagnostic], sources: &Sources) -> String {
        let renderer = if self.color { Renderer::styled() } else { Renderer::plain() };
        let mut text = String::new();
        for finding in findings.iter().take(limits::DIAGNOSTICS) {
            text.push_str(&renderer.render(&[group(finding, sources)]));
            text.push_str("\n\n");
        }
        if let Some(more) = findings.len().checked_sub(limits::DIAGNOSTICS).filter(|more| *more > 0) {
            text.push_str(&format!("… and {more} more\n\n"));
        }
        text
    }
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    }
}

fn group<'a>(finding: &'a Diagnostic, sources: &'a Sources) -> Group<'a> {
    let title = level(finding.severity).primary_title(clip(&finding.message)).id(finding.code.as_ref());
    let mut group = Group::with_title(title);
    let mut labels: Vec<(Span, Option<&str>)> = vec![(finding.span, None)];
    labels.extend(finding.labels.iter().map(|label| (label.span, Some(label.text.as_str()))));
    while let Some((first, _)) = labels.first() {
        let file = first.file;
        let (here, elsewhere) = labels.into_iter().partition::<Vec<_>, _>(|(span, _)| span.file == file);
        labels = elsewhere;
        let Some(source) = sources.get(file) else { continue };
        let mut snippet = Snippet::source(&*source.text).path(&*source.path).fold(true);
        for (span, text) in here {
            let kind = if text.is_none() { AnnotationKind::Primary } else { AnnotationKind::Context };
            let annotation = kind.span(clamp(span, &source.text));
            snippet = snippet.annotation(match text {
                Some(text) => annotation.label(text),
                None => annotation,
            });
        }
        group = group.element(snippet);
    }
    finding.help.iter().fold(group, |group, help| group.element(Level::HELP.message(help.as_str())))
}

/// The first line of a span: quoting whole blocks hides what matters.
fn clamp(span: Span, text: &str) -> std::ops::Range<usize> {
    let on_boundary = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (start, end) = (on_boundary(span.start as usize), on_boundary(span.end as usize));
    let line_end = text[start..end.max(start)].find('\n').map_or(end, |at| start + at);
    start..line_end.min(start + limits::SOURCE_COLUMNS).max(start)
}

/// A message of bounded length; names in hostile input can be a megabyte long.
fn clip(message: &str) -> &str {
    let mut end = message.len().min(limits::MESSAGE_BYTES);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    &message[..end]
}
