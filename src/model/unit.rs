//! Units: the folders of the output that are rendered, recorded and swapped as one.

use std::sync::Arc;

use tree::Span;

/// One rendered file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Path below the unit's folder, with `/` between parts.
    pub path: String,
    /// The whole text.
    pub text: Arc<str>,
}

impl Artifact {
    /// A file with its text.
    #[must_use]
    pub fn new(path: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        Self { path: path.into(), text: text.into() }
    }
}

/// A network or a cluster, rendered.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Folder below the output folder: `clusters/NAME` or `networks/NAME`.
    pub folder: String,
    /// Where it is declared.
    pub declared: Span,
    /// Its files, ordered by path, no two with the same path.
    pub artifacts: Vec<Artifact>,
}
