//! Paths that the user named, on the command line or by standing in a folder: links on the way to them are followed.

use std::fs::File;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Access, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::Folder;

/// Opens a file for reading. Nobody is waited for, but for whoever writes to a descriptor that the shell has opened (`<(…)`).
///
/// # Errors
/// When it is no regular file (`INVAL`), or cannot be opened.
pub(crate) fn file(path: &Path) -> rustix::io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOCTTY | OFlags::CLOEXEC;
    if path.parent().is_some_and(|folder| folder == Path::new("/dev/fd") || folder == Path::new("/proc/self/fd")) {
        return rustix::fs::openat(CWD, path, flags, Mode::empty()).map(File::from);
    }
    let opened = rustix::fs::openat(CWD, path, flags | OFlags::NONBLOCK, Mode::empty())?;
    match FileType::from_raw_mode(rustix::fs::fstat(&opened)?.st_mode) {
        FileType::RegularFile => Ok(File::from(opened)),
        _ => Err(Errno::INVAL),
    }
}

/// A path without links.
///
/// # Errors
/// When there is nothing of that name.
pub fn real(path: &Path) -> std::io::Result<PathBuf> {
    path.canonicalize()
}

/// The first link on the way to a path, and in its place, that lies in a Git repository: what Git carries decides where the path
/// leads then, and not whoever named it.
pub(crate) fn carried_link(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    let in_repository = |link: &Path| link.ancestors().skip(1).any(|folder| folder.join(".git").symlink_metadata().is_ok());
    let is_link = |path: &Path| path.symlink_metadata().is_ok_and(|found| found.is_symlink());
    let mut way: Vec<&Path> = path.ancestors().collect();
    way.reverse();
    way.into_iter().find(|path| is_link(path) && in_repository(path)).map(Path::to_owned)
}

/// Whether anything stands at a path below a folder, without a link on the way; a link counts itself.
pub fn has(folder: &Path, path: &str) -> bool {
    Folder::passage(folder).is_ok_and(|folder| folder.has(path.as_bytes()))
}

/// Whether a path is that of a file that may be executed.
pub(crate) fn is_program(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, Access::EXEC_OK).is_ok()
}

/// The nearest of a folder and those above it that has a file of that name.
pub fn nearest<'a>(folder: &'a Path, name: &str) -> Option<&'a Path> {
    folder.ancestors().find(|folder| folder.join(name).is_file())
}

/// A folder that was made, or was there.
pub(crate) struct Made {
    pub(crate) folder: Arc<Folder>,
    /// What was made: the folder, and those above it.
    made: Vec<PathBuf>,
}

impl Made {
    /// Opens a folder, made with those above it where it is missing.
    ///
    /// # Errors
    /// When a folder cannot be made or opened.
    pub(crate) fn ensure(path: &Path) -> std::io::Result<Self> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let missing = path.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.is_dir());
        let made = missing.map(Path::to_owned).collect();
        // Nobody else may write there, whatever the process is told.
        std::fs::DirBuilder::new().recursive(true).mode(0o755).create(path)?;
        let folder = Folder::passage(path).map_err(|failure| failure.error)?;
        Ok(Self { folder: Arc::new(folder), made })
    }

    /// Removes what was made, as far as it holds nothing.
    pub(crate) fn undo(&self) {
        self.made.iter().for_each(|made| _ = std::fs::remove_dir(made));
    }
}
