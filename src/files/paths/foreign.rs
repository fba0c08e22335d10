//! Which files of the output are not netloom's, on purpose.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use ignore::gitignore::Gitignore;

use super::pattern;

/// Files of the output that are others' on purpose (`spec.paths.foreign`).
#[derive(Clone, Debug, Default)]
pub struct Foreign(Option<Arc<Gitignore>>);

impl Foreign {
    /// Nothing.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// Reads patterns, as a `.gitignore` in the output folder would have them.
    ///
    /// # Errors
    /// The index of each that is none, and what is wrong with it.
    pub fn new(patterns: &[String]) -> std::result::Result<Self, Vec<(usize, String)>> {
        let patterns = pattern::patterns(patterns.iter().map(String::as_str))?;
        Ok(Self((!patterns.is_empty()).then(|| Arc::new(patterns))))
    }

    /// Whether a file in a unit's folder is others'.
    pub(crate) fn covers_in(&self, unit: &str, path: &[u8]) -> bool {
        self.0.is_some() && self.covers(&[unit.as_bytes(), b"/", path].concat(), false)
    }

    /// Whether what stands at a path below the output folder is others'.
    pub(crate) fn covers(&self, path: &[u8], folder: bool) -> bool {
        let path = Path::new(OsStr::from_bytes(path));
        self.0.as_ref().is_some_and(|patterns| patterns.matched_path_or_any_parents(path, folder).is_ignore())
    }
}
