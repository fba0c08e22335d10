//! The texts that nodes come from, and places in them.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;

/// One text that netloom read, by index into [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A range of bytes in one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The source.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The place of values that no file set.
    pub const NONE: Span = Span { file: FileId(u32::MAX), start: 0, end: 0 };

    /// The bytes from `start` to `end` of `file`; offsets beyond 4 GiB (no input is that large) are clamped.
    #[must_use]
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        let clamp = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { file, start: clamp(start), end: clamp(end.max(start)) }
    }

    /// The beginning of `file`.
    #[must_use]
    pub fn file(file: FileId) -> Self {
        Self { file, start: 0, end: 0 }
    }

    /// Whether a file set this value.
    #[must_use]
    pub fn is_known(self) -> bool {
        self.file != Self::NONE.file
    }
}

impl Default for Span {
    fn default() -> Self {
        Self::NONE
    }
}

/// A line and column, both counted from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column in characters.
    pub column: usize,
}

/// One text and the name under which people know it.
#[derive(Clone, Debug)]
pub struct Source {
    /// Path relative to the project root with `/` between parts; `netloom:…` for what is embedded in the binary.
    pub path: Arc<str>,
    /// The whole text; what is embedded is not copied.
    pub text: Cow<'static, str>,
    /// Where lines begin, found out when first asked for: findings are many and texts long.
    lines: OnceLock<Arc<[u32]>>,
}

impl Source {
    /// Whether the text came with the binary, so that no file of the project holds it.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        self.path.starts_with("netloom:")
    }

    /// The line that holds a byte: its number, counted from 1, and its range of bytes without the line feed.
    #[must_use]
    pub fn line_at(&self, byte: usize) -> (usize, Range<usize>) {
        let lines = self.lines();
        let number = lines.partition_point(|start| *start as usize <= byte).max(1);
        (number, self.line(number))
    }

    /// The bytes of a line by its number, without the line feed; empty when there is no such line.
    #[must_use]
    pub fn line(&self, number: usize) -> Range<usize> {
        let start = |number: usize| self.lines().get(number).map(|start| *start as usize);
        let end = self.text.len();
        let begin = number.checked_sub(1).and_then(start).unwrap_or(end);
        begin..start(number).map_or(end, |next| next.saturating_sub(1)).max(begin)
    }

    fn lines(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            let feeds = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            let starts = feeds.map(|(at, _)| u32::try_from(at + 1).unwrap_or(u32::MAX));
            std::iter::once(0).chain(starts).collect()
        })
    }
}

/// Every text of one run. Immutable once loading is done, so spans stay valid.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
    /// The first source of each path.
    paths: IndexMap<Arc<str>, FileId>,
    beside: Option<Beside>,
}

/// The texts of another run, and what people know it as.
#[derive(Clone, Debug)]
struct Beside {
    label: Arc<str>,
    sources: Arc<Sources>,
}

impl Sources {
    /// The texts of a run whose findings may point into another run's texts as well, which are shown as `LABEL:PATH`. Nothing finds
    /// those by their paths: what a run reads does not depend on them.
    #[must_use]
    pub fn beside(label: &str, sources: Arc<Sources>) -> Self {
        Self { beside: Some(Beside { label: label.into(), sources }), ..Self::default() }
    }

    /// How many ids are taken by the texts of the other run.
    fn taken(&self) -> usize {
        self.beside.as_ref().map_or(0, |beside| beside.sources.taken() + beside.sources.files.len())
    }

    /// Adds a text and returns its id.
    pub fn add(&mut self, path: impl Into<Arc<str>>, text: impl Into<Cow<'static, str>>) -> FileId {
        let id = FileId(u32::try_from(self.taken() + self.files.len()).unwrap_or(u32::MAX - 1));
        let path = path.into();
        self.paths.entry(Arc::clone(&path)).or_insert(id);
        self.files.push(Source { path, text: text.into(), lines: OnceLock::new() });
        id
    }

    /// The source with `id`; none for [`Span::NONE`].
    #[must_use]
    pub fn get(&self, id: FileId) -> Option<&Source> {
        match (id.0 as usize).checked_sub(self.taken()) {
            Some(at) => self.files.get(at),
            None => self.beside.as_ref()?.sources.get(id),
        }
    }

    /// Whether a text is one of this run's own.
    #[must_use]
    pub fn owns(&self, id: FileId) -> bool {
        (id.0 as usize).checked_sub(self.taken()).is_some_and(|at| at < self.files.len())
    }

    /// The name under which people know a text: its path, after the label of the other run where it is one of that.
    #[must_use]
    pub fn name(&self, id: FileId) -> Option<Cow<'_, str>> {
        let source = self.get(id)?;
        let other = self.beside.as_ref().filter(|_| !self.owns(id) && !source.is_embedded());
        Some(other.map_or(Cow::Borrowed(&*source.path), |other| Cow::Owned(format!("{}:{}", other.label, source.path))))
    }

    /// The source at `path`.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<(FileId, &Source)> {
        let id = *self.paths.get(path)?;
        Some((id, self.get(id)?))
    }

    /// All sources of this run with their ids, in the order added.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &Source)> {
        (u32::try_from(self.taken()).unwrap_or(u32::MAX)..).map(FileId).zip(&self.files)
    }

    /// Where a span begins.
    #[must_use]
    pub fn position(&self, span: Span) -> Option<Position> {
        let source = self.get(span.file)?;
        let mut start = (span.start as usize).min(source.text.len());
        while !source.text.is_char_boundary(start) {
            start -= 1;
        }
        let (line, bytes) = source.line_at(start);
        Some(Position { line, column: source.text[bytes.start..start].chars().count() + 1 })
    }

    /// `file:line:column` of a span, as compilers print it.
    #[must_use]
    pub fn locate(&self, span: Span) -> String {
        match (self.name(span.file), self.position(span)) {
            (Some(name), Some(at)) => format!("{name}:{}:{}", at.line, at.column),
            _ => "(computed)".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let mut sources = Sources::default();
        let file = sources.add("a", "ab\n\ncä€d");
        let at = |byte| sources.locate(Span::new(file, byte, byte));
        let expected =
            [(0, "a:1:1"), (2, "a:1:3"), (3, "a:2:1"), (4, "a:3:1"), (5, "a:3:2"), (6, "a:3:2"), (10, "a:3:4"), (99, "a:3:5")];
        expected.iter().for_each(|(byte, place)| assert_eq!(at(*byte), *place));
        assert_eq!(sources.locate(Span::NONE), "(computed)");
        let source = sources.get(file).unwrap();
        assert_eq!(
            [source.line(0), source.line(1), source.line(2), source.line(3), source.line(4)],
            [11..11, 0..2, 3..3, 4..11, 11..11]
        );
    }

    #[test]
    fn texts_of_another_run_are_shown_and_not_found() {
        let mut base = Sources::default();
        let stock = base.add("netloom:policies/a.yaml", "a");
        let old = base.add("policies/a.yaml", "one");
        let mut sources = Sources::beside("main", Arc::new(base));
        let new = sources.add("policies/a.yaml", "two");
        let place = |file| sources.locate(Span::file(file));
        assert_eq!(
            [place(stock), place(old), place(new)],
            ["netloom:policies/a.yaml:1:1", "main:policies/a.yaml:1:1", "policies/a.yaml:1:1"]
        );
        assert_eq!(sources.find("policies/a.yaml").map(|(id, source)| (id, &*source.text)), Some((new, "two")));
        assert_eq!(sources.iter().map(|(id, _)| id).collect::<Vec<_>>(), [new]);
        assert!(
            sources.owns(new) && !sources.owns(old) && sources.get(Span::NONE.file).is_none() && !sources.owns(Span::NONE.file)
        );
    }
}
