//! The Git repository around a folder, found without `git`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::Folder;
use tree::limits;

/// A work tree, and where Git has what belongs to it.
#[derive(Clone, Debug)]
pub(crate) struct Checkout {
    /// The work tree.
    pub(crate) top: PathBuf,
    /// Its own Git folder.
    pub(crate) dir: PathBuf,
    /// The one that it shares with other work trees.
    pub(crate) common: PathBuf,
}

impl Checkout {
    /// The one that `root`, a path without links, lies in. What stands in the folder as if it were a repository itself is none: that
    /// a branch can commit, but no `.git`.
    pub(crate) fn around(root: &Path) -> Option<Self> {
        let top = root.ancestors().find(|folder| folder.join(".git").symlink_metadata().is_ok())?;
        let entry = top.join(".git");
        let dir = if entry.is_dir() { entry } else { named(top, ".git", b"gitdir:").unwrap_or(entry) };
        let common = named(&dir, "commondir", b"").unwrap_or_else(|| dir.clone());
        Some(Self { top: top.to_owned(), dir, common })
    }

    /// The folders from the work tree down to `folder` in it.
    pub(crate) fn way<'p>(&self, folder: &'p Path) -> impl Iterator<Item = &'p Path> + use<'p> {
        let top = self.top.clone();
        folder.ancestors().take_while(move |folder| folder.starts_with(&top))
    }
}

/// The folder that a file names.
fn named(folder: &Path, file: &str, before: &[u8]) -> Option<PathBuf> {
    let text = text(&Folder::passage(folder).ok()?, file.as_bytes()).ok()??;
    folder.join(OsStr::from_bytes(text.strip_prefix(before)?.trim_ascii())).canonicalize().ok()
}

/// A small file of Git's, or of those that steer it; none when there is none. A link is none for Git either.
///
/// # Errors
/// When it cannot be read, or is larger than what is read.
pub(crate) fn text(folder: &Folder, path: &[u8]) -> Result<Option<Vec<u8>>, Errno> {
    let cap = limits::FILE_BYTES as usize;
    match folder.read(path, cap) {
        Ok(bytes) if bytes.len() > cap => Err(Errno::FBIG),
        Ok(bytes) => Ok(Some(bytes)),
        Err(failure) if matches!(failure.error, Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::ISDIR) => Ok(None),
        Err(failure) => Err(failure.error),
    }
}
