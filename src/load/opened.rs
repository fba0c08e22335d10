//! What is opened at a path: in a folder of the file system, or in Git.

use std::io::{self, Cursor, Read};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::git::{Entry, Kind, Tree};
use crate::limits;

/// What stands at a path.
pub(super) enum Opened {
    /// A regular file, to be read.
    File(Box<dyn Read>),
    /// A folder.
    Folder(Folder),
    /// Neither.
    Other,
}

/// A name in a folder, and whether it is a regular file.
type Name = (Vec<u8>, bool);

/// A folder, opened.
pub(super) struct Folder {
    /// What tells it from others, whatever way led to it.
    pub(super) identity: String,
    /// What is in it.
    pub(super) names: Box<dyn Iterator<Item = io::Result<Name>>>,
}

/// Where a project's files are.
#[derive(Debug)]
pub(super) enum Place {
    /// In a folder.
    Folder {
        /// Its path, without links.
        path: PathBuf,
        folder: OwnedFd,
    },
    /// In Git: in a commit, or in the index.
    Stored(Arc<Tree>),
}

impl Place {
    /// Opens what stands at `path` below the root, following links that stay inside.
    pub(super) fn open(&self, path: &str) -> Result<Opened, Errno> {
        match self {
            Place::Stored(tree) => from_git(tree, path),
            Place::Folder { .. } => {
                let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
                from_disk(self.resolve(path, flags)?)
            }
        }
    }

    /// What the path of a folder itself is; a link is not followed.
    pub(super) fn kind(&self, path: &str) -> Option<FileType> {
        match self {
            Place::Folder { folder, .. } => {
                let stat = rustix::fs::statat(folder, path, AtFlags::SYMLINK_NOFOLLOW);
                stat.ok().map(|stat| FileType::from_raw_mode(stat.st_mode))
            }
            // Nothing is written there, so what stands there does not matter.
            Place::Stored(tree) => tree.has(path).then_some(FileType::Directory),
        }
    }

    /// The root's path in the file system.
    pub(super) fn path(&self) -> Option<&PathBuf> {
        match self {
            Place::Folder { path, .. } => Some(path),
            Place::Stored(_) => None,
        }
    }

    #[cfg(target_os = "linux")]
    fn resolve(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        use rustix::fs::ResolveFlags;
        let Place::Folder { folder, .. } = self else { return Err(Errno::NOENT) };
        let confined = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        match rustix::fs::openat2(folder, path, flags, Mode::empty(), confined) {
            // Kernels before 5.6, and sandboxes that do not know the call.
            Err(Errno::NOSYS | Errno::PERM) => self.resolve_by_path(path, flags),
            result => result,
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn resolve(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        self.resolve_by_path(path, flags)
    }

    pub(super) fn resolve_by_path(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        let root = self.path().ok_or(Errno::NOENT)?;
        let real = root.join(path).canonicalize();
        let real = real.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
        if !real.starts_with(root) {
            return Err(Errno::XDEV);
        }
        rustix::fs::openat(CWD, &real, flags | OFlags::NOFOLLOW, Mode::empty())
    }
}

fn from_disk(opened: OwnedFd) -> Result<Opened, Errno> {
    let stat = rustix::fs::fstat(&opened)?;
    Ok(match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Opened::File(Box::new(std::fs::File::from(opened))),
        FileType::Directory => {
            let name = |entry: Result<rustix::fs::DirEntry, Errno>| {
                entry.map(|entry| (entry.file_name().to_bytes().to_vec(), entry.file_type() == FileType::RegularFile))
            };
            let names = Dir::new(opened).into_iter().flatten().map(move |entry| name(entry).map_err(io::Error::from));
            Opened::Folder(Folder { identity: format!("{}:{}", stat.st_dev, stat.st_ino), names: Box::new(names) })
        }
        _ => Opened::Other,
    })
}

fn from_git(tree: &Arc<Tree>, path: &str) -> Result<Opened, Errno> {
    Ok(match tree.open(path)? {
        // One byte more than a file may have tells that there are more.
        Entry::File(object) => Opened::File(Box::new(Cursor::new(tree.file(&object, limits::FILE_BYTES + 1)?))),
        Entry::Folder(object, identity) => {
            let names = Box::new(tree.names(&object)?.into_iter().map(|(name, kind)| Ok((name, kind == Kind::File))));
            Opened::Folder(Folder { identity, names })
        }
        Entry::Other => Opened::Other,
    })
}
