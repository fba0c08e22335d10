//! The texts that nodes come from, and places in them.

use std::sync::Arc;

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
    /// The whole text.
    pub text: Arc<str>,
}

/// Every text of one run. Immutable once loading is done, so spans stay valid.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// Adds a text and returns its id.
    pub fn add(&mut self, path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX - 1));
        self.files.push(Source { path: path.into(), text: text.into() });
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
        self.iter().find(|(_, source)| &*source.path == path)
    }

    /// All sources with their ids, in the order added.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &Source)> {
        (0u32..).map(FileId).zip(&self.files)
    }

    /// Where a span begins.
    #[must_use]
    pub fn position(&self, span: Span) -> Option<Position> {
        let text = &self.get(span.file)?.text;
        let mut start = (span.start as usize).min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Some(Position { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 })
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
