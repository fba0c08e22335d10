//! Folders held open, and reading below them.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::fs::{AtFlags, CWD, Dir, FileType, FlockOperation, Mode, OFlags};
use rustix::io::{Errno, fcntl_dupfd_cloexec};

use super::{Failure, Result, joined};

/// What an entry of a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    Link,
    /// A pipe, socket, device or submodule.
    Other,
}

impl Kind {
    fn of(told: FileType) -> Self {
        match told {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Folder,
            FileType::Symlink => Kind::Link,
            _ => Kind::Other,
        }
    }
}

/// What a file holds, compared with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Same,
    /// The same, but it may be executed.
    Executable,
    Other,
}

/// A folder, held open. Paths below it have their parts separated by `/`; none of them may be a link.
#[derive(Debug)]
pub(crate) struct Folder {
    handle: OwnedFd,
    /// For messages: its path from the project root.
    path: String,
    /// Whoever lists the folder: where a listing is at belongs to the handle.
    listed: Mutex<()>,
}

impl Folder {
    fn held(handle: OwnedFd, path: String) -> Self {
        Self { handle, path, listed: Mutex::new(()) }
    }

    /// The folder that the user named; links on the way to it are followed.
    pub(crate) fn root(path: &Path) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(CWD, path, flags, Mode::empty());
        let handle = opened.map_err(|error| Failure { doing: "open", path: path.display().to_string(), error })?;
        Ok(Self::held(handle, String::new()))
    }

    /// The same, to go through alone: it cannot be listed, which may not be allowed.
    pub(crate) fn passage(path: &Path) -> Result<Self> {
        let opened = rustix::fs::openat(CWD, path, FOLDER | OFlags::CLOEXEC, Mode::empty());
        let handle = opened.map_err(|error| Failure { doing: "open", path: path.display().to_string(), error })?;
        Ok(Self::held(handle, String::new()))
    }

    /// The path of `name` in this folder, for messages.
    pub(crate) fn path_of(&self, name: &[u8]) -> String {
        joined(&self.path, name)
    }

    pub(crate) fn fail<'a>(&'a self, doing: &'static str, name: &'a [u8]) -> impl Fn(Errno) -> Failure + 'a {
        move |error| Failure { doing, path: self.path_of(name), error }
    }

    pub(super) fn handle(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }

    /// The folder `path` in this one; none when there is nothing of that name.
    pub(crate) fn open(&self, path: &[u8]) -> Result<Option<Self>> {
        match beneath(self.handle(), path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()) {
            Ok(handle) => Ok(Some(Self::held(handle, self.path_of(path)))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.fail("open", path)(error)),
        }
    }

    /// What stands directly in the folder, ordered by name.
    pub(crate) fn entries(&self) -> Result<Vec<(Vec<u8>, Kind)>> {
        let fail = self.fail("list", b"");
        let mut entries = Vec::new();
        // Through the handle itself: opening the folder anew for each listing costs more than listing it.
        let _alone = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut listing = fcntl_dupfd_cloexec(&self.handle, 0).and_then(Dir::new).map_err(&fail)?;
        listing.rewind();
        for entry in listing {
            let entry = entry.map_err(&fail)?;
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            let kind = match entry.file_type() {
                // Some file systems do not tell with the name.
                FileType::Unknown => self.kind(name)?.unwrap_or(Kind::Other),
                told => Kind::of(told),
            };
            entries.push((name.to_vec(), kind));
        }
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(entries)
    }

    /// What stands at `path`; none when nothing does.
    pub(crate) fn kind(&self, path: &[u8]) -> Result<Option<Kind>> {
        Ok(self.stat(path)?.map(|stat| Kind::of(FileType::from_raw_mode(stat.st_mode))))
    }

    /// The permissions of what stands at `path`; none when nothing does.
    pub(crate) fn mode(&self, path: &[u8]) -> Result<Option<Mode>> {
        Ok(self.stat(path)?.map(|stat| Mode::from_raw_mode(stat.st_mode)))
    }

    /// The permissions of the folder itself.
    pub(crate) fn own_mode(&self) -> Result<Mode> {
        let stat = rustix::fs::fstat(&self.handle).map_err(self.fail("read", b""))?;
        Ok(Mode::from_raw_mode(stat.st_mode))
    }

    fn stat(&self, path: &[u8]) -> Result<Option<rustix::fs::Stat>> {
        match self.within(path, |above, name| rustix::fs::statat(above, name, AtFlags::SYMLINK_NOFOLLOW)) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(error) => Err(self.fail("read", path)(error)),
        }
    }

    /// Whether anything stands at `path`.
    pub(crate) fn has(&self, path: &[u8]) -> bool {
        self.stat(path).is_ok_and(|stat| stat.is_some())
    }

    /// What a link holds.
    pub(super) fn link(&self, name: &[u8]) -> rustix::io::Result<Vec<u8>> {
        let held = self.within(name, |above, name| rustix::fs::readlinkat(above, name, Vec::new()))?;
        Ok(held.into_bytes())
    }

    /// Opens what stands at `path` for reading, without waiting for anybody; whoever reads it looks first what it is.
    pub(crate) fn reader(&self, path: &[u8]) -> rustix::io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        beneath(self.handle(), path, flags, Mode::empty()).map(File::from)
    }

    /// The first bytes of a file, at most `cap` of them and one more, which tells that there are more.
    pub(crate) fn read(&self, path: &[u8], cap: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = self.reader(path).map_err(self.fail("read", path))?;
        let read = file.take(cap as u64 + 1).read_to_end(&mut bytes);
        read.map_err(|error| self.fail("read", path)(Errno::from_io_error(&error).unwrap_or(Errno::IO)))?;
        Ok(bytes)
    }

    /// Whether a file holds exactly this text.
    ///
    /// A render that changes nothing spends its time here, so a file is read with one call: what is as long as the text when one
    /// byte more was asked for is at its end.
    pub(crate) fn holds(&self, path: &[u8], text: &str) -> Result<Held> {
        let file = self.reader(path).map_err(self.fail("read", path))?;
        let mut bytes = Vec::with_capacity(text.len() + 1);
        loop {
            let count = rustix::io::read(&file, spare_capacity(&mut bytes)).map_err(self.fail("read", path))?;
            if count == 0 || bytes.len() >= text.len() {
                break;
            }
        }
        if bytes != text.as_bytes() {
            return Ok(Held::Other);
        }
        let mode = Mode::from_raw_mode(rustix::fs::fstat(&file).map_err(self.fail("read", path))?.st_mode);
        Ok(if mode.intersects(Mode::XUSR | Mode::XGRP | Mode::XOTH) { Held::Executable } else { Held::Same })
    }

    /// Takes the folder's lock, waiting for a while when somebody else has it. Where locks are not supported there is none.
    pub(crate) fn lock(&self, operation: FlockOperation, wait: Duration) -> Result<()> {
        let started = Instant::now();
        loop {
            match rustix::fs::flock(&self.handle, operation) {
                Err(Errno::WOULDBLOCK) if started.elapsed() < wait => std::thread::sleep(Duration::from_millis(20)),
                Err(Errno::WOULDBLOCK) => return Err(self.fail("lock", b"")(Errno::WOULDBLOCK)),
                _ => return Ok(()),
            }
        }
    }

    /// Does something with the last part of `path` in the folder that it lies in.
    pub(super) fn within<T>(
        &self,
        path: &[u8],
        act: impl FnOnce(BorrowedFd<'_>, &[u8]) -> rustix::io::Result<T>,
    ) -> rustix::io::Result<T> {
        let (above, name) = split(path);
        if !is_part(name) {
            return Err(Errno::INVAL);
        }
        match above {
            None => act(self.handle(), name),
            Some(above) => act(beneath(self.handle(), above, FOLDER, Mode::empty())?.as_fd(), name),
        }
    }
}

/// What was opened.
pub(crate) fn kind(opened: &File) -> rustix::io::Result<Kind> {
    Ok(Kind::of(FileType::from_raw_mode(rustix::fs::fstat(opened)?.st_mode)))
}

/// A name in a folder and, if the file system tells it with the name, what it is.
pub(crate) type Name = (Vec<u8>, Option<Kind>);

/// What tells an opened folder from others, whatever way led to it; and the names in it, as they come.
pub(crate) fn names(folder: File) -> rustix::io::Result<(String, impl Iterator<Item = rustix::io::Result<Name>>)> {
    let stat = rustix::fs::fstat(&folder)?;
    let told = |told| if told == FileType::Unknown { None } else { Some(Kind::of(told)) };
    let name = move |entry: rustix::fs::DirEntry| (entry.file_name().to_bytes().to_vec(), told(entry.file_type()));
    let names = Dir::new(folder)?.map(move |entry| entry.map(name));
    Ok((format!("{}:{}", stat.st_dev, stat.st_ino), names))
}

/// How a folder is opened that is only gone through.
#[cfg(target_os = "linux")]
pub(super) const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY);
#[cfg(not(target_os = "linux"))]
pub(super) const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY);

/// A path's last part, and what stands before it.
fn split(path: &[u8]) -> (Option<&[u8]>, &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        None => (None, path),
        Some(at) => (path.get(..at), path.get(at + 1..).unwrap_or_default()),
    }
}

/// Whether a part of a path names something in its folder.
fn is_part(part: &[u8]) -> bool {
    !matches!(part, b"" | b"." | b"..")
}

/// Opens what stands at `path` below a folder, when no part of it is a link.
#[cfg(target_os = "linux")]
pub(super) fn beneath(folder: BorrowedFd<'_>, path: &[u8], flags: OFlags, mode: Mode) -> rustix::io::Result<OwnedFd> {
    use rustix::fs::ResolveFlags;
    if !path.split(|byte| *byte == b'/').all(is_part) {
        return Err(Errno::INVAL);
    }
    // Nothing but a link could lead out of the folder: no part is `..`. `BENEATH` would say the same once more, and has all threads
    // take turns at the folder's count of users.
    let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match rustix::fs::openat2(folder, path, flags | OFlags::CLOEXEC, mode, resolve) {
        // Kernels before 5.6, and sandboxes that do not know the call.
        Err(Errno::NOSYS | Errno::PERM) => part_by_part(folder, path, flags, mode),
        opened => opened,
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn beneath(folder: BorrowedFd<'_>, path: &[u8], flags: OFlags, mode: Mode) -> rustix::io::Result<OwnedFd> {
    part_by_part(folder, path, flags, mode)
}

/// The same where the kernel has no call for it.
pub(super) fn part_by_part(folder: BorrowedFd<'_>, path: &[u8], flags: OFlags, mode: Mode) -> rustix::io::Result<OwnedFd> {
    let one_by_one = OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let (above, name) = split(path);
    if !is_part(name) {
        return Err(Errno::INVAL);
    }
    let above = above.map(|above| part_by_part(folder, above, FOLDER, Mode::empty())).transpose()?;
    let above = above.as_ref().map_or(folder, AsFd::as_fd);
    let opened = rustix::fs::openat(above, name, flags | one_by_one, mode);
    // A link where a folder must be is no folder for this call, and a link for the other one.
    let link = || rustix::fs::statat(above, name, AtFlags::SYMLINK_NOFOLLOW).map(|stat| FileType::from_raw_mode(stat.st_mode));
    match opened {
        Err(Errno::NOTDIR) if link() == Ok(FileType::Symlink) => Err(Errno::LOOP),
        opened => opened,
    }
}
