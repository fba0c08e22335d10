//! The file system as emit uses it: folders held open, and the ways to change them.
//!
//! Every path is resolved from a folder that is held open, and the folders themselves are opened one by one without following
//! links, so that no link in the output leads a write astray. Each change is one step of the crash tests, which let every one of
//! them fail in turn.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::files::{self, Files, Kind};
use crate::diagnostic::{Diagnostic, rules};
use crate::load::cause;
use crate::tree::Span;

pub(super) type Result<T> = std::result::Result<T, Failure>;

/// What could not be done, and why.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) doing: &'static str,
    pub(super) path: String,
    pub(super) error: Errno,
}

impl Failure {
    pub(super) fn report(&self) -> Diagnostic {
        let Self { doing, path, error } = self;
        if matches!(*error, Errno::LOOP | Errno::NOTDIR) {
            let message = format!("`{path}` is a link or a file where a folder must be; netloom does not write through links");
            return Diagnostic::new(&rules::OUTPUT_UNSAFE, Span::NONE, message);
        }
        let message = format!("cannot {doing} `{path}`: {}", cause(&(*error).into()));
        Diagnostic::new(&rules::OUTPUT_WRITE, Span::NONE, message)
    }
}

/// A folder, held open.
#[derive(Debug)]
pub(super) struct Folder {
    handle: OwnedFd,
    /// For messages: its path from the project root.
    path: String,
}

impl Folder {
    /// The folder that the user named; links on the way to it are followed.
    pub(super) fn root(path: &Path) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = rustix::fs::openat(CWD, path, flags, Mode::empty());
        let path = path.display().to_string();
        match handle {
            Ok(handle) => Ok(Self { handle, path: String::new() }),
            Err(error) => Err(Failure { doing: "open", path, error }),
        }
    }

    pub(super) fn fail<'a>(&'a self, doing: &'static str, name: &'a [u8]) -> impl Fn(Errno) -> Failure + 'a {
        move |error| Failure { doing, path: self.path_of(name), error }
    }

    fn kind(&self, name: &[u8], told: FileType) -> Result<Kind> {
        let told = match told {
            // Some file systems do not tell with the name.
            FileType::Unknown => {
                let stat = rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW);
                FileType::from_raw_mode(stat.map_err(self.fail("read", name))?.st_mode)
            }
            told => told,
        };
        Ok(match told {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Folder,
            _ => Kind::Other,
        })
    }

    fn open_file(&self, path: &[u8]) -> Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        rustix::fs::openat(&self.handle, path, flags, Mode::empty()).map_err(self.fail("read", path))
    }

    /// Takes the folder's lock, waiting for a while when somebody else has it. Where locks are not supported there is none.
    pub(super) fn lock(&self, operation: FlockOperation, wait: std::time::Duration) -> Result<()> {
        let started = std::time::Instant::now();
        loop {
            match rustix::fs::flock(&self.handle, operation) {
                Err(Errno::WOULDBLOCK) if started.elapsed() < wait => std::thread::sleep(std::time::Duration::from_millis(20)),
                Err(Errno::WOULDBLOCK) => return Err(self.fail("lock", b"")(Errno::WOULDBLOCK)),
                _ => return Ok(()),
            }
        }
    }
}

impl Files for Folder {
    fn path_of(&self, name: &[u8]) -> String {
        files::joined(&self.path, name)
    }

    fn open(&self, name: &[u8]) -> Result<Option<Self>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(&self.handle, name, flags, Mode::empty()) {
            Ok(handle) => Ok(Some(Self { handle, path: self.path_of(name) })),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.fail("open", name)(error)),
        }
    }

    fn entries(&self) -> Result<Vec<(Vec<u8>, Kind)>> {
        let fail = self.fail("list", b"");
        let mut entries = Vec::new();
        for entry in Dir::read_from(&self.handle).map_err(&fail)? {
            let entry = entry.map_err(&fail)?;
            let name = entry.file_name().to_bytes();
            if !matches!(name, b"." | b"..") {
                entries.push((name.to_vec(), self.kind(name, entry.file_type())?));
            }
        }
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(entries)
    }

    fn has(&self, path: &[u8]) -> bool {
        rustix::fs::statat(&self.handle, path, AtFlags::SYMLINK_NOFOLLOW).is_ok()
    }

    fn read(&self, path: &[u8], cap: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = std::fs::File::from(self.open_file(path)?).take(cap as u64 + 1).read_to_end(&mut bytes);
        read.map_err(|error| self.fail("read", path)(Errno::from_io_error(&error).unwrap_or(Errno::IO)))?;
        Ok(bytes)
    }

    /// A render that changes nothing spends its time here, so a file is read with one call: what is as long as the text when one
    /// byte more was asked for is at its end.
    fn holds(&self, path: &[u8], text: &str) -> Result<bool> {
        let file = self.open_file(path)?;
        let mut bytes = vec![0; text.len() + 1];
        let mut filled = 0;
        while filled < text.len() {
            match rustix::io::read(&file, bytes.get_mut(filled..).unwrap_or_default()).map_err(self.fail("read", path))? {
                0 => break,
                count => filled += count,
            }
        }
        Ok(bytes.get(..filled) == Some(text.as_bytes()))
    }
}

/// The ways to change the file system.
#[derive(Debug, Default)]
pub(super) struct Disk {
    #[cfg(test)]
    pub(super) faults: super::faults::Faults,
}

impl Disk {
    /// A step; in tests the place where things go wrong.
    #[cfg(not(test))]
    #[allow(clippy::unused_self, clippy::unnecessary_wraps)]
    fn step(&self) -> std::result::Result<(), Errno> {
        Ok(())
    }

    #[cfg(test)]
    fn step(&self) -> std::result::Result<(), Errno> {
        self.faults.step()
    }

    /// Makes a folder and opens it.
    pub(super) fn make_folder(&self, at: &Folder, path: &[u8]) -> Result<Folder> {
        self.make(at, path)?;
        at.open(path)?.ok_or_else(|| at.fail("open", path)(Errno::NOENT))
    }

    /// Makes a folder that may be there already, and opens it.
    pub(super) fn ensure_folder(&self, at: &Folder, path: &[u8]) -> Result<Folder> {
        match at.open(path)? {
            Some(folder) => Ok(folder),
            // Another netloom may have made it meanwhile.
            None => self.make_folder(at, path).or_else(|failure| at.open(path)?.ok_or(failure)),
        }
    }

    pub(super) fn make(&self, at: &Folder, path: &[u8]) -> Result<()> {
        let made = self.step().and_then(|()| rustix::fs::mkdirat(&at.handle, path, Mode::from_raw_mode(0o777)));
        made.map_err(at.fail("make the folder", path))
    }

    /// Writes a file that is not there yet.
    pub(super) fn create(&self, at: &Folder, path: &[u8], text: &[u8]) -> Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = self.step().and_then(|()| rustix::fs::openat(&at.handle, path, flags, Mode::from_raw_mode(0o666)));
        let mut file = std::fs::File::from(file.map_err(at.fail("write", path))?);
        let half = text.get(..text.len() / 2).unwrap_or_default();
        let written = match self.step() {
            Ok(()) => file.write_all(text),
            Err(error) => file.write_all(half).and(Err(error.into())),
        };
        written.map_err(|error| at.fail("write", path)(Errno::from_io_error(&error).unwrap_or(Errno::IO)))
    }

    /// Gives the file `path` of one folder the same path in another, too.
    pub(super) fn link(&self, from: &Folder, to: &Folder, path: &[u8]) -> Result<()> {
        let linked = self.step().and_then(|()| rustix::fs::linkat(&from.handle, path, &to.handle, path, AtFlags::empty()));
        linked.map_err(to.fail("link", path))
    }

    /// Moves a file.
    pub(super) fn rename(&self, from: &Folder, to: &Folder, path: &[u8]) -> Result<()> {
        let renamed = self.step().and_then(|()| rustix::fs::renameat(&from.handle, path, &to.handle, path));
        renamed.map_err(to.fail("write", path))
    }

    /// Gives a folder another name, which is free.
    pub(super) fn rename_folder(&self, at: &Folder, from: &[u8], to: &[u8]) -> Result<()> {
        #[cfg(test)]
        self.faults.folder_rename().map_err(at.fail("write", to))?;
        let renamed = self.step().and_then(|()| rustix::fs::renameat(&at.handle, from, &at.handle, to));
        renamed.map_err(at.fail("write", to))
    }

    /// Lets two folders take each other's name at once.
    pub(super) fn exchange(&self, at: &Folder, one: &[u8], other: &[u8]) -> Result<()> {
        #[cfg(test)]
        self.faults.folder_rename().map_err(at.fail("exchange", other))?;
        let flags = RenameFlags::EXCHANGE;
        let swapped = self.step().and_then(|()| rustix::fs::renameat_with(&at.handle, one, &at.handle, other, flags));
        swapped.map_err(at.fail("exchange", other))
    }

    pub(super) fn remove(&self, at: &Folder, path: &[u8]) -> Result<()> {
        let removed = self.step().and_then(|()| rustix::fs::unlinkat(&at.handle, path, AtFlags::empty()));
        removed.map_err(at.fail("remove", path))
    }

    pub(super) fn remove_folder(&self, at: &Folder, path: &[u8]) -> Result<()> {
        let removed = self.step().and_then(|()| rustix::fs::unlinkat(&at.handle, path, AtFlags::REMOVEDIR));
        removed.map_err(at.fail("remove", path))
    }
}
