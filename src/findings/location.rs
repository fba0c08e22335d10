//! Places as the readers of a repository know them: by the path from its root, and never inside the binary.

use super::excerpt::Place;
use super::{Diagnostic, inert};
use tree::{Sources, Span, limits};

/// The texts that findings point into, and where in the repository they are.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// The texts.
    pub sources: &'a Sources,
    /// The folder that their paths start from, as seen from the repository's root: empty, or with a `/` at its end.
    pub prefix: &'a str,
}

/// A place in a file of the repository. Of several lines it is the first one, as in the text for people.
#[derive(Debug)]
pub(super) struct Location<'a> {
    /// The file's path from the repository's root; an absolute one for a file outside.
    pub(super) path: String,
    /// Line, counted from one.
    pub(super) line: usize,
    /// First column in characters, counted from one.
    pub(super) column: usize,
    /// The column after the last one.
    pub(super) end_column: usize,
    /// The text of the line.
    pub(super) text: &'a str,
}

impl<'a> Places<'a> {
    /// The place in the repository; none for what is computed, embedded in the binary, or read from standard input.
    pub(super) fn of(&self, span: Span) -> Option<Location<'a>> {
        let source = self.sources.get(span.file)?;
        if source.is_embedded() || source.path.starts_with('<') || !self.sources.owns(span.file) {
            return None;
        }
        let path = if source.path.starts_with('/') { source.path.to_string() } else { self.prefix.to_owned() + &source.path };
        let place = Place::of(source, span.start, span.end);
        let (line, column) = place.position();
        Some(Location { path, line, column, end_column: place.end_column(), text: place.line() })
    }

    /// Where a finding is shown: its own place, else the first further one that is in the repository, else the declaration.
    pub(super) fn anchor(&self, finding: &Diagnostic) -> Option<Location<'a>> {
        let labels = finding.labels.iter().map(|label| label.span);
        std::iter::once(finding.span).chain(labels).chain([finding.declared]).find_map(|span| self.of(span))
    }

    /// The further places of a finding with what they have to do with it, as text; those in the repository with their location.
    pub(super) fn related(&self, finding: &Diagnostic) -> Vec<(String, Option<Location<'a>>)> {
        let own = self.of(finding.span).is_none() && finding.span.is_known();
        let own = own.then_some((finding.span, "what it is about"));
        let labels = finding.labels.iter().map(|label| (label.span, label.text.as_str()));
        let all = own.into_iter().chain(labels).take(limits::DIAGNOSTIC_PLACES);
        all.map(|(span, text)| {
            let text = format!("{}: {text}", self.sources.locate(span));
            (inert::clipped(&text, limits::MESSAGE_BYTES).into_owned(), self.of(span))
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Severity;

    #[test]
    fn a_finding_is_shown_where_the_repository_has_a_part_in_it() {
        let mut sources = Sources::default();
        let stock = sources.add("netloom:overlays/a.yaml", "a: 1\n");
        let typed = sources.add("<stdin>", "a: 1\n");
        let own = sources.add("declarations/a.yaml", "a: 1\r\n  bä: |\r\n    text\r\n");
        let places = Places { sources: &sources, prefix: "fleet/" };
        let finding = Diagnostic::declared("code", Severity::Error, Span::new(stock, 0, 1), "message");
        assert!(places.anchor(&finding).is_none());
        let mut declared = finding.clone();
        declared.declared = Span::new(own, 0, 1);
        assert_eq!(places.anchor(&declared).map(|place| place.line), Some(1));
        let finding = declared.also(Span::new(typed, 0, 1), "typed").also(Span::new(own, 8, 26), "the block");
        let shown = places.anchor(&finding).unwrap();
        assert_eq!((shown.path.as_str(), shown.line, shown.column, shown.end_column), ("fleet/declarations/a.yaml", 2, 3, 8));
        assert_eq!(shown.text, "  bä: |");
        let related: Vec<_> = places.related(&finding).into_iter().map(|(text, place)| (text, place.is_some())).collect();
        let expected = [
            ("netloom:overlays/a.yaml:1:1: what it is about".to_owned(), false),
            ("<stdin>:1:1: typed".to_owned(), false),
            ("declarations/a.yaml:2:3: the block".to_owned(), true),
        ];
        assert_eq!(related, expected);
    }
}
