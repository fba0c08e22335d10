//! What is opened at a path: in a folder of the file system, or in Git.

use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::io::Errno;

use crate::git::{self, Tree};
use crate::paths::ignored::Ignored;
use crate::paths::{self, Folder as Held, Kind, Lost, follow};
use tree::limits;

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
        folder: Held,
        /// What Git ignores there.
        ignored: Option<Box<Ignored>>,
    },
    /// In Git: in a commit, or in the index.
    Stored(Arc<Tree>),
}

impl Place {
    /// The folder that the user named.
    pub(super) fn folder(path: &Path) -> io::Result<Self> {
        let folder = Held::root(path).map_err(|failure| failure.error)?;
        let path = paths::named::real(path)?;
        Ok(Self::Folder { ignored: Ignored::around(&path).map(Box::new), path, folder })
    }

    /// Opens what stands at `path` below the root, following links that stay inside; and the path that it really has, where a
    /// link was on the way.
    pub(super) fn open(&self, path: &str) -> Result<(Opened, Option<Vec<u8>>), Lost> {
        let path = path.as_bytes();
        match self {
            Place::Stored(tree) => {
                let reached = follow(&**tree, path)?;
                let object = reached.folder.clone().unwrap_or_else(|| tree.root().to_owned());
                let real = reached.path.join(b"/".as_slice());
                let opened = match reached.thing {
                    Some(thing) => from_git(tree, thing)?,
                    None => Opened::Folder(folder_in_git(tree, &object, &real)?),
                };
                Ok((opened, reached.linked.then_some(real)))
            }
            Place::Folder { folder, .. } => match folder.reader(path) {
                Err(Errno::LOOP) => {
                    let reached = follow(folder, path)?;
                    let real = reached.path.join(b"/".as_slice());
                    let opened = match reached.thing {
                        Some(thing) => from_disk(thing)?,
                        // It leads to the root, or to a folder.
                        None if real.is_empty() => return Ok((Opened::Other, Some(real))),
                        None => from_disk(folder.reader(&real)?)?,
                    };
                    Ok((opened, reached.linked.then_some(real)))
                }
                opened => Ok((from_disk(opened?)?, None)),
            },
        }
    }

    /// Tells which files are opened next.
    pub(super) fn expect(&self, files: &[String]) {
        if let Place::Stored(tree) = self {
            tree.expect(files.iter().map(String::as_str), READ);
        }
    }

    /// What the path of a folder itself is; a link is not followed.
    pub(super) fn kind(&self, path: &str) -> Option<Kind> {
        match self {
            Place::Folder { folder, .. } => folder.kind(path.as_bytes()).ok().flatten(),
            // Nothing is written there, so what stands there does not matter.
            Place::Stored(tree) => tree.has(path).then_some(Kind::Folder),
        }
    }

    /// The root's path in the file system.
    pub(super) fn path(&self) -> Option<&PathBuf> {
        match self {
            Place::Folder { path, .. } => Some(path),
            Place::Stored(_) => None,
        }
    }

    /// What Git ignores; what it has stored it does not ignore.
    pub(super) fn ignored(&self) -> Option<&Ignored> {
        match self {
            Place::Folder { ignored, .. } => ignored.as_deref(),
            Place::Stored(_) => None,
        }
    }
}

fn from_disk(opened: std::fs::File) -> Result<Opened, Errno> {
    Ok(match paths::kind(&opened)? {
        Kind::File => Opened::File(Box::new(opened)),
        Kind::Folder => {
            let (identity, names) = paths::names(opened)?;
            let names = names.map(|entry| Ok(entry.map(|(name, kind)| (name, kind == Some(Kind::File)))?));
            Opened::Folder(Folder { identity, names: Box::new(names) })
        }
        _ => Opened::Other,
    })
}

/// Bytes of a file that are read from Git: one more than it may have tells that there are more.
const READ: u64 = limits::FILE_BYTES + 1;

fn from_git(tree: &Arc<Tree>, (kind, object): (git::Kind, String)) -> Result<Opened, Errno> {
    Ok(match kind {
        git::Kind::File | git::Kind::Program => Opened::File(Box::new(Cursor::new(tree.file(&object, READ)?))),
        _ => Opened::Other,
    })
}

fn folder_in_git(tree: &Arc<Tree>, object: &str, path: &[u8]) -> Result<Folder, Errno> {
    let regular = |kind| matches!(kind, git::Kind::File | git::Kind::Program);
    let names = Box::new(tree.names(object)?.into_iter().map(move |(name, kind)| Ok((name, regular(kind)))));
    Ok(Folder { identity: String::from_utf8_lossy(path).into_owned(), names })
}
