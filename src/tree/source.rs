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
}

impl Sources {
    /// Adds a text and returns its id.
    pub fn add(&mut self, path: impl Into<Arc<str>>, text: impl Into<Cow<'static, str>>) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX - 1));
        let path = path.into();
        self.paths.entry(Arc::clone(&path)).or_insert(id);
        self.files.push(Source { path, text: text.into(), lines: OnceLock::new() });
        id
    }

    /// The source with `id`; none for [`Span::NONE`].
    #[must_use]
    pub fn get(&self, id: FileId) -> Option<&Source> {
        self.files.get(id.0 as usize)
    }

    /// The source at `path`.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<(FileId, &Source)> {
        let id = *self.paths.get(path)?;
        Some((id, self.get(id)?))
    }

    /// All sources with their ids, in the order added.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &Source)> {
        (0u32..).map(FileId).zip(&self.files)
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
        match (self.get(span.file), self.position(span)) {
            (Some(source), Some(at)) => format!("{}:{}:{}", source.path, at.line, at.column),
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
}
