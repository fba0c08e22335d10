//! The ways to change the file system.

use std::fs::File;
use std::io::Write;
use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::folder::beneath;
use super::{Folder, Result};

/// What a new file may be used for, whatever the process is told: nobody else may write it.
const FILE: Mode = Mode::from_raw_mode(0o644);
/// The same of a new folder.
const FOLDER: Mode = Mode::from_raw_mode(0o755);

/// A path in a folder.
pub(crate) type At<'a> = (&'a Folder, &'a [u8]);

/// Does something with the last parts of two paths in the folders that they lie in.
fn both(
    from: At<'_>,
    to: At<'_>,
    act: impl FnOnce(BorrowedFd<'_>, &[u8], BorrowedFd<'_>, &[u8]) -> rustix::io::Result<()>,
) -> rustix::io::Result<()> {
    from.0.within(from.1, |old, name| to.0.within(to.1, |new, other| act(old, name, new, other)))
}

/// The ways to change the file system. Each change is one step of the crash tests, which let every one of them fail in turn.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    #[cfg(test)]
    pub(crate) faults: super::faults::Faults,
}

impl Disk {
    /// A step; in tests the place where things go wrong.
    #[cfg(not(test))]
    #[allow(clippy::unused_self, clippy::unnecessary_wraps)]
    fn step(&self) -> rustix::io::Result<()> {
        Ok(())
    }

    #[cfg(test)]
    fn step(&self) -> rustix::io::Result<()> {
        self.faults.step()
    }

    /// Makes a folder and opens it.
    pub(crate) fn make(&self, at: &Folder, path: &[u8]) -> Result<Folder> {
        self.make_marked(at, path, Mode::empty())
    }

    /// Makes a folder with a further bit in its mode, and opens it.
    pub(crate) fn make_marked(&self, at: &Folder, path: &[u8], mark: Mode) -> Result<Folder> {
        self.make_closed(at, path, mark)?;
        at.open(path)?.ok_or_else(|| at.fail("open", path)(Errno::NOENT))
    }

    /// Makes a folder, which may not be one that can be opened.
    pub(crate) fn make_closed(&self, at: &Folder, path: &[u8], mark: Mode) -> Result<()> {
        let make = |above: BorrowedFd<'_>, name: &[u8]| rustix::fs::mkdirat(above, name, FOLDER | mark);
        self.step().and_then(|()| at.within(path, make)).map_err(at.fail("make the folder", path))
    }

    /// Writes a file that is not there yet.
    pub(crate) fn create(&self, at: &Folder, path: &[u8], text: &[u8]) -> Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        let file = self.step().and_then(|()| beneath(at.handle(), path, flags, FILE));
        let mut file = File::from(file.map_err(at.fail("write", path))?);
        let half = text.get(..text.len() / 2).unwrap_or_default();
        let written = match self.step() {
            Ok(()) => file.write_all(text),
            Err(error) => file.write_all(half).and(Err(error.into())),
        };
        written.map_err(|error| at.fail("write", path)(Errno::from_io_error(&error).unwrap_or(Errno::IO)))?;
        Ok(file)
    }

    /// Gives a file another path, too.
    pub(crate) fn link(&self, from: At<'_>, to: At<'_>) -> Result<()> {
        let linked = self
            .step()
            .and_then(|()| both(from, to, |old, name, new, other| rustix::fs::linkat(old, name, new, other, AtFlags::empty())));
        linked.map_err(to.0.fail("link", to.1))
    }

    /// Moves something; a file that stands in its new place is replaced.
    pub(crate) fn rename(&self, from: At<'_>, to: At<'_>) -> Result<()> {
        let renamed =
            self.step().and_then(|()| both(from, to, |old, name, new, other| rustix::fs::renameat(old, name, new, other)));
        renamed.map_err(to.0.fail("write", to.1))
    }

    /// Moves a folder to a place that is free.
    pub(crate) fn rename_folder(&self, from: At<'_>, to: At<'_>) -> Result<()> {
        #[cfg(test)]
        self.faults.folder_rename().map_err(to.0.fail("write", to.1))?;
        self.rename(from, to)
    }

    /// Lets two folders take each other's place at once.
    pub(crate) fn exchange(&self, one: At<'_>, other: At<'_>) -> Result<()> {
        #[cfg(test)]
        self.faults.folder_rename().map_err(other.0.fail("exchange", other.1))?;
        let flags = RenameFlags::EXCHANGE;
        let swapped = self
            .step()
            .and_then(|()| both(one, other, |old, name, new, other| rustix::fs::renameat_with(old, name, new, other, flags)));
        swapped.map_err(other.0.fail("exchange", other.1))
    }

    /// Removes a file or a link.
    pub(crate) fn remove(&self, at: &Folder, path: &[u8]) -> Result<()> {
        self.unlink(at, path, AtFlags::empty())
    }

    /// Removes an empty folder.
    pub(crate) fn remove_folder(&self, at: &Folder, path: &[u8]) -> Result<()> {
        self.unlink(at, path, AtFlags::REMOVEDIR)
    }

    fn unlink(&self, at: &Folder, path: &[u8], flags: AtFlags) -> Result<()> {
        let unlink = |above: BorrowedFd<'_>, name: &[u8]| rustix::fs::unlinkat(above, name, flags);
        let removed = self.step().and_then(|()| at.within(path, unlink));
        removed.map_err(at.fail("remove", path))
    }
}
