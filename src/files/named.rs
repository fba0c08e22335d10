//! Paths that the user named, on the command line or by standing in a folder: links on the way to them are followed.

use std::fs::File;
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
pub(crate) fn real(path: &Path) -> std::io::Result<PathBuf> {
    path.canonicalize()
}

/// Whether anything stands in a folder under a name; a link counts itself.
pub(crate) fn has(folder: &Path, name: &str) -> bool {
    folder.join(name).symlink_metadata().is_ok()
}

/// Whether a path is that of a file that may be executed.
pub(crate) fn is_program(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, Access::EXEC_OK).is_ok()
}

/// The nearest of a folder and those above it that has a file of that name.
pub(crate) fn nearest<'a>(folder: &'a Path, name: &str) -> Option<&'a Path> {
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
        std::fs::create_dir_all(path)?;
        let folder = Folder::passage(path).map_err(|failure| failure.error)?;
        Ok(Self { folder: Arc::new(folder), made })
    }

    /// Removes what was made, as far as it holds nothing.
    pub(crate) fn undo(&self) {
        self.made.iter().for_each(|made| _ = std::fs::remove_dir(made));
    }
}
