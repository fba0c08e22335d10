//! Reading below the output folder, on the disk or as Git has it stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustix::io::Errno;

use super::disk::{Failure, Result};
use crate::git::{self, Tree};
use crate::limits;

/// What an entry of a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    /// A link, pipe, socket or device.
    Other,
}

/// Everything below a folder, by path; parents come before what is in them.
pub(super) type Listing = BTreeMap<Vec<u8>, Kind>;

/// A folder that can be read.
pub(super) trait Files: Sized + Sync {
    /// The path of `name` in this folder, for messages.
    fn path_of(&self, name: &[u8]) -> String;

    /// The folder `name` in this one; none when there is nothing of that name. Links are not followed.
    fn open(&self, name: &[u8]) -> Result<Option<Self>>;

    /// What stands directly in the folder, ordered by name.
    fn entries(&self) -> Result<Vec<(Vec<u8>, Kind)>>;

    /// Whether anything stands at `path`.
    fn has(&self, path: &[u8]) -> bool;

    /// The first bytes of a file, at most `cap` of them and one more, which tells that there are more.
    fn read(&self, path: &[u8], cap: usize) -> Result<Vec<u8>>;

    /// Whether a file holds exactly this text.
    fn holds(&self, path: &[u8], text: &str) -> Result<bool>;

    /// Everything below the folder.
    fn list(&self) -> Result<Listing> {
        let mut listing = Listing::new();
        list_into(self, &mut listing, &[], 0)?;
        Ok(listing)
    }
}

fn list_into<F: Files>(folder: &F, listing: &mut Listing, prefix: &[u8], depth: usize) -> Result<()> {
    if depth > limits::PATH_DEPTH {
        return Err(Failure { doing: "list", path: folder.path_of(b""), error: Errno::NAMETOOLONG });
    }
    for (name, kind) in folder.entries()? {
        let path = [prefix, &name].concat();
        if kind == Kind::Folder
            && let Some(folder) = folder.open(&name)?
        {
            list_into(&folder, listing, &[path.as_slice(), b"/"].concat(), depth + 1)?;
        }
        listing.insert(path, kind);
    }
    Ok(())
}

/// A name behind the path of its folder, as people see it.
pub(super) fn joined(folder: &str, name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    let name = name.escape_debug();
    match (folder, name.clone().next()) {
        ("", _) => name.to_string(),
        (path, None) => path.to_owned(),
        (path, Some(_)) => format!("{path}/{name}"),
    }
}

/// A folder that Git has stored.
#[derive(Debug)]
pub(super) struct Stored {
    tree: Arc<Tree>,
    /// The name of its object.
    object: String,
    path: String,
}

impl Stored {
    /// The project's folder.
    pub(super) fn root(tree: &Arc<Tree>) -> Self {
        Self { tree: Arc::clone(tree), object: tree.root().to_owned(), path: String::new() }
    }

    fn fail<'a>(&'a self, doing: &'static str, name: &'a [u8]) -> impl Fn(Errno) -> Failure + 'a {
        move |error| Failure { doing, path: self.path_of(name), error }
    }

    /// What stands at a path: its kind, and the name of its object.
    fn find(&self, path: &[u8]) -> Result<(git::Kind, String)> {
        let mut at = (git::Kind::Folder, self.object.clone());
        for name in path.split(|byte| *byte == b'/') {
            let (git::Kind::Folder, folder) = at else { return Err(self.fail("read", path)(Errno::NOTDIR)) };
            let found = self.tree.entry(&folder, name).map_err(self.fail("read", path))?;
            at = found.ok_or(Errno::NOENT).map_err(self.fail("read", path))?;
        }
        Ok(at)
    }
}

impl Files for Stored {
    fn path_of(&self, name: &[u8]) -> String {
        joined(&self.path, name)
    }

    fn open(&self, name: &[u8]) -> Result<Option<Self>> {
        match self.tree.entry(&self.object, name).map_err(self.fail("open", name))? {
            None => Ok(None),
            Some((git::Kind::Folder, object)) => {
                Ok(Some(Self { tree: Arc::clone(&self.tree), object, path: self.path_of(name) }))
            }
            Some(_) => Err(self.fail("open", name)(Errno::NOTDIR)),
        }
    }

    fn entries(&self) -> Result<Vec<(Vec<u8>, Kind)>> {
        let names = self.tree.names(&self.object).map_err(self.fail("list", b""))?;
        let kind = |kind| match kind {
            git::Kind::File => Kind::File,
            git::Kind::Folder => Kind::Folder,
            git::Kind::Link | git::Kind::Other => Kind::Other,
        };
        Ok(names.into_iter().map(|(name, found)| (name, kind(found))).collect())
    }

    fn has(&self, path: &[u8]) -> bool {
        self.find(path).is_ok()
    }

    fn read(&self, path: &[u8], cap: usize) -> Result<Vec<u8>> {
        let (kind, object) = self.find(path)?;
        let found = if kind == git::Kind::File { self.tree.file(&object, cap as u64 + 1) } else { Err(Errno::LOOP) };
        found.map_err(self.fail("read", path))
    }

    fn holds(&self, path: &[u8], text: &str) -> Result<bool> {
        Ok(self.read(path, text.len())? == text.as_bytes())
    }
}
