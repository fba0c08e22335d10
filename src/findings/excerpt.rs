//! The few lines of a source that a finding is about, ready to be quoted.

use std::ops::Range;

use super::inert::{self, boundary};
use tree::{Source, limits};

/// Lines between two places that are still quoted together.
const REACH: usize = 100;
/// Characters of a line in front of what is pointed at; a place further right is named without being quoted.
const MARGIN: usize = 10_000;

/// Lines of a source with places in them.
#[derive(Debug, PartialEq)]
pub(super) struct Excerpt {
    /// Number of the first line.
    pub(super) first: usize,
    /// The lines; those that no place is near are empty, and the renderer leaves them out.
    pub(super) text: String,
    /// The places in `text`, in the order given.
    pub(super) places: Vec<Range<usize>>,
}

/// A place in a source, by line and bytes of that line.
#[derive(Clone, Debug)]
pub(super) struct Place<'a> {
    number: usize,
    line: &'a str,
    range: Range<usize>,
}

impl<'a> Place<'a> {
    /// The first line of a range of bytes: quoting whole blocks hides what matters.
    pub(super) fn of(source: &'a Source, start: u32, end: u32) -> Self {
        let start = boundary(&source.text, start as usize);
        let (number, line) = source.line_at(start);
        let end = boundary(&source.text, end as usize).clamp(start, line.end);
        Self { number, range: start - line.start..end - line.start, line: text(source, line) }
    }

    /// Whether the two can stand in one excerpt.
    pub(super) fn near(&self, other: &Self) -> bool {
        self.number.abs_diff(other.number) <= REACH
    }

    /// Line and column, counted from one.
    pub(super) fn position(&self) -> (usize, usize) {
        (self.number, self.before().count() + 1)
    }

    /// The column after the place's last one.
    pub(super) fn end_column(&self) -> usize {
        self.line[..self.range.end.min(self.line.len())].chars().count() + 1
    }

    /// The whole line.
    pub(super) fn line(&self) -> &'a str {
        self.line
    }

    /// Whether the place is too far right to be quoted.
    pub(super) fn far(&self) -> bool {
        self.before().nth(MARGIN).is_some()
    }

    fn before(&self) -> std::str::Chars<'a> {
        self.line[..self.range.start.min(self.line.len())].chars()
    }
}

fn text(source: &Source, line: Range<usize>) -> &str {
    let line = &source.text[line];
    line.strip_suffix('\r').unwrap_or(line)
}

/// The lines of a source that the places are on, and their neighbours.
pub(super) fn excerpt(source: &Source, places: &[Place<'_>]) -> Excerpt {
    let numbers = || places.iter().map(|place| place.number);
    let (first, last) = (numbers().min().unwrap_or(1), numbers().max().unwrap_or(1));
    let mut out = Excerpt { first, text: String::new(), places: vec![0..0; places.len()] };
    for number in first..=last {
        if numbers().any(|wanted| wanted.abs_diff(number) <= 1) {
            let here = places.iter().zip(&mut out.places).filter(|(place, _)| place.number == number);
            quote(text(source, source.line(number)), here.collect(), &mut out.text);
        }
        out.text.push('\n');
    }
    out
}

/// Appends a line up to [`limits::SOURCE_COLUMNS`] characters after the last place in it begins.
fn quote(line: &str, mut places: Vec<(&Place<'_>, &mut Range<usize>)>, out: &mut String) {
    let last = places.iter().map(|(place, _)| place.range.start).max().unwrap_or_default();
    let (mut at, mut room) = (0, limits::SOURCE_COLUMNS);
    let original = line.chars().map(char::len_utf8);
    for (width, shown) in original.zip(inert::quoted(line)) {
        mark(&mut places, at, out.len());
        room -= usize::from(at >= last);
        if room == 0 {
            out.push('…');
            return;
        }
        out.push(shown);
        at += width;
    }
    mark(&mut places, at, out.len());
}

/// Byte `at` of the line stands `here` in the text: places that have not begun or ended before it do so here, or later.
fn mark(places: &mut [(&Place<'_>, &mut Range<usize>)], at: usize, here: usize) {
    for (place, range) in places {
        if at <= place.range.start {
            range.start = here;
        }
        if at <= place.range.end {
            range.end = here;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tree::Sources;

    fn source(text: &str) -> Source {
        let mut sources = Sources::default();
        let file = sources.add("a", text.to_owned());
        sources.get(file).unwrap().clone()
    }

    fn shown(text: &str, spans: &[(u32, u32)]) -> (usize, String, Vec<String>) {
        let source = source(text);
        let places: Vec<_> = spans.iter().map(|(start, end)| Place::of(&source, *start, *end)).collect();
        let out = excerpt(&source, &places);
        let marked = out.places.iter().map(|range| out.text[range.clone()].to_owned()).collect();
        (out.first, out.text, marked)
    }

    #[test]
    fn only_the_lines_near_places_are_quoted() {
        let text = "a: 1\nb: 2\nc: 3\nd: 4\ne: 5\nf: 6\n";
        assert_eq!(shown(text, &[(8, 9), (28, 29)]), (2, "b: 2\nc: 3\n\ne: 5\nf: 6\n".into(), vec!["2".into(), "6".into()]));
    }

    #[test]
    fn a_block_is_marked_on_its_first_line() {
        assert_eq!(shown("a:\r\n  b: 1\r\n", &[(0, 12)]).2, ["a:"]);
    }

    #[test]
    fn marks_move_with_replaced_characters() {
        assert_eq!(shown("\u{1b}x\u{202e}y: z", &[(5, 6), (8, 9)]), (1, "␛x�y: z\n".into(), vec!["y".into(), "z".into()]));
    }

    #[test]
    fn long_lines_end_in_an_ellipsis() {
        let text = "x".repeat(1_000);
        let (_, quoted, marked) = shown(&text, &[(3, 900)]);
        assert_eq!(quoted.trim_end().chars().count(), 3 + limits::SOURCE_COLUMNS);
        assert!(quoted.trim_end().ends_with("x…") && marked[0].chars().all(|c| c == 'x'));
    }

    #[test]
    fn places_beyond_the_text_are_at_its_end() {
        assert_eq!(shown("", &[(0, 0), (7, 9)]), (1, "\n".into(), vec![String::new(), String::new()]));
        assert_eq!(Place::of(&source("ab\ncä"), 99, 99).position(), (2, 3));
    }

    #[test]
    fn a_place_far_to_the_right_is_not_quoted() {
        let text = source(&"x".repeat(MARGIN + 2));
        assert!(!Place::of(&text, 9_000, 9_001).far());
        assert!(Place::of(&text, 10_001, 10_002).far());
    }
}
