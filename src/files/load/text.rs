//! Bytes of files to text.

use std::io::Read;

use super::opened::Opened;
use crate::paths::cause;
use findings::{Diagnostic, Rule, rules};
use tree::{Span, limits};

/// The byte order mark.
const MARK: char = '\u{feff}';

/// Why something was not read.
pub(super) struct Refusal {
    pub(super) rule: &'static Rule,
    pub(super) reason: String,
    pub(super) help: Option<&'static str>,
}

impl Refusal {
    pub(super) fn new(rule: &'static Rule, reason: impl Into<String>) -> Self {
        Self { rule, reason: reason.into(), help: None }
    }

    pub(super) fn unreadable(error: impl Into<std::io::Error>) -> Self {
        Self::new(&rules::FILE_UNREADABLE, format!("cannot be read: {}", cause(&error.into())))
    }

    /// A link leaves the project; `target` is what the last one on the way holds.
    pub(super) fn outside(target: Option<&[u8]>) -> Self {
        let help = "copy the file into the project; a link must be relative and stay inside";
        let target = target.map(|target| format!(": it leads to `{}`", String::from_utf8_lossy(target).escape_debug()));
        let reason = format!("is a symbolic link that leaves the project{}", target.unwrap_or_default());
        Self { help: Some(help), ..Self::new(&rules::FILE_OUTSIDE, reason) }
    }

    pub(super) fn link(reason: String) -> Self {
        let help = "copy the file; a link leads to what could be named itself: below the project, not hidden, not ignored by Git, not rendered";
        Self { help: Some(help), ..Self::new(&rules::FILE_LINK, reason) }
    }

    pub(super) fn report(self, path: &str, span: Span) -> Diagnostic {
        let finding = Diagnostic::new(self.rule, span, format!("`{path}` {}", self.reason));
        self.help.into_iter().fold(finding, Diagnostic::help)
    }
}

/// A file's text, and where the first byte stands that is no UTF-8.
pub(super) struct Text {
    pub(super) text: String,
    pub(super) invalid: Option<usize>,
}

impl Text {
    /// Reads a regular file of at most [`limits::FILE_BYTES`].
    pub(super) fn read(opened: Opened) -> Result<Self, Refusal> {
        match opened {
            Opened::File(file) => Self::from(file, limits::FILE_BYTES),
            _ => Err(Refusal::new(&rules::FILE_UNREADABLE, "is no regular file")),
        }
    }

    /// Reads everything that `input` gives; the cap is kept while reading, because a size can lie.
    pub(super) fn from(input: impl Read, cap: u64) -> Result<Self, Refusal> {
        let mut bytes = Vec::new();
        input.take(cap + 1).read_to_end(&mut bytes).map_err(Refusal::unreadable)?;
        if bytes.len() as u64 > cap {
            return Err(Refusal::new(&rules::LIMIT, format!("is larger than {} KiB", cap >> 10)));
        }
        Ok(Self::decode(bytes))
    }

    /// Decodes UTF-8, with or without byte order mark, with the line ends of any system.
    fn decode(bytes: Vec<u8>) -> Self {
        let (mut text, mut invalid) = match String::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                (String::from_utf8_lossy(error.as_bytes()).into_owned(), Some(valid))
            }
        };
        if text.starts_with(MARK) {
            text.drain(..MARK.len_utf8());
            invalid = invalid.map(|at| at - MARK.len_utf8());
        }
        if text.contains("\r\n") {
            invalid = invalid.map(|at| at - text.get(..at).map_or(0, |before| before.matches("\r\n").count()));
            text = text.replace("\r\n", "\n");
        }
        Self { text, invalid }
    }
}
