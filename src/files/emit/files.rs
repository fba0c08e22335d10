//! Reading below the output folder, on the disk or as Git has it stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustix::io::Errno;

use crate::git::{self, Tree};
use crate::paths::{Failure, Folder, Held, Kind, Result, joined};
use tree::limits;

/// What stands at a path of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Entry {
    File,
    /// A folder with something in it.
    Folder,
    /// A folder with nothing in it but such folders. Git carries none, unless it is a submodule.
    Hollow,
    /// A folder that lies too deep, or, outside of units, could not be listed.
    Closed,
    Link,
    /// A pipe, socket, device or submodule.
    Other,
}

impl Entry {
    pub(super) fn is_folder(self) -> bool {
        matches!(self, Entry::Folder | Entry::Hollow | Entry::Closed)
    }
}

/// Everything below a folder, by path; parents come before what is in them. What is in hollow and closed folders is not there.
pub(super) type Listing = BTreeMap<Vec<u8>, Entry>;

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
    fn holds(&self, path: &[u8], text: &str) -> Result<Held>;

    /// Whether the folder is a staging folder of netloom's own; what Git has never is.
    fn is_staging(&self) -> bool;

    /// Everything below the folder. What lies too deep, which Git can carry, keeps nothing else from being listed.
    fn list(&self) -> Result<Listing> {
        let mut listing = Listing::new();
        list_into(self, &mut listing, &[], 0)?;
        Ok(listing)
    }
}

/// Lists a folder, and tells whether it holds anything but folders.
fn list_into<F: Files>(folder: &F, listing: &mut Listing, prefix: &[u8], depth: usize) -> Result<bool> {
    let mut holds = false;
    for (name, kind) in folder.entries()? {
        holds |= entry_into(folder, (&name, kind), listing, &[prefix, &name].concat(), depth)? != Entry::Hollow;
    }
    Ok(holds)
}

/// Lists what has a name in a folder, under `path`.
fn entry_into<F: Files>(
    folder: &F,
    (name, kind): (&[u8], Kind),
    listing: &mut Listing,
    path: &[u8],
    depth: usize,
) -> Result<Entry> {
    let entry = match kind {
        Kind::File => Entry::File,
        Kind::Link => Entry::Link,
        Kind::Other => Entry::Other,
        Kind::Folder if depth == limits::PATH_DEPTH => Entry::Closed,
        Kind::Folder => inner_into(folder, name, listing, path, depth)?,
    };
    listing.insert(path.to_vec(), entry);
    Ok(entry)
}

/// What has a name in a folder, under `path`, and everything below it as far as it can be listed.
pub(super) fn listed<F: Files>(folder: &F, name: &[u8], kind: Kind, path: &[u8]) -> Listing {
    let mut listing = Listing::new();
    if entry_into(folder, (name, kind), &mut listing, path, 0).is_err() {
        listing.insert(path.to_vec(), Entry::Closed);
    }
    listing
}

/// Lists the folder `name` in a folder, under `path`.
fn inner_into<F: Files>(folder: &F, name: &[u8], listing: &mut Listing, path: &[u8], depth: usize) -> Result<Entry> {
    let inner = [path, b"/"].concat();
    if let Some(folder) = folder.open(name)?
        && list_into(&folder, listing, &inner, depth + 1)?
    {
        return Ok(Entry::Folder);
    }
    let below = listing.range(inner.clone()..).map(|(path, _)| path).take_while(|path| path.starts_with(&inner));
    let below: Vec<_> = below.cloned().collect();
    below.iter().for_each(|path| _ = listing.remove(path));
    Ok(Entry::Hollow)
}

impl Files for Folder {
    fn path_of(&self, name: &[u8]) -> String {
        Folder::path_of(self, name)
    }

    fn open(&self, name: &[u8]) -> Result<Option<Self>> {
        Folder::open(self, name)
    }

    fn entries(&self) -> Result<Vec<(Vec<u8>, Kind)>> {
        Folder::entries(self)
    }

    fn has(&self, path: &[u8]) -> bool {
        Folder::has(self, path)
    }

    fn read(&self, path: &[u8], cap: usize) -> Result<Vec<u8>> {
        Folder::read(self, path, cap)
    }

    fn holds(&self, path: &[u8], text: &str) -> Result<Held> {
        Folder::holds(self, path, text)
    }

    fn is_staging(&self) -> bool {
        self.own_mode().is_ok_and(|mode| mode.contains(super::swap::MARK))
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

    /// A file's mode, and its first bytes.
    fn file(&self, path: &[u8], cap: usize) -> Result<(git::Kind, Vec<u8>)> {
        let (kind, object) = self.find(path)?;
        let file = matches!(kind, git::Kind::File | git::Kind::Program);
        let found = if file { self.tree.file(&object, cap as u64 + 1) } else { Err(Errno::LOOP) };
        Ok((kind, found.map_err(self.fail("read", path))?))
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
            git::Kind::File | git::Kind::Program => Kind::File,
            git::Kind::Folder => Kind::Folder,
            git::Kind::Link => Kind::Link,
            git::Kind::Other => Kind::Other,
        };
        Ok(names.into_iter().map(|(name, found)| (name, kind(found))).collect())
    }

    fn has(&self, path: &[u8]) -> bool {
        self.find(path).is_ok()
    }

    fn read(&self, path: &[u8], cap: usize) -> Result<Vec<u8>> {
        self.file(path, cap).map(|(_, bytes)| bytes)
    }

    fn holds(&self, path: &[u8], text: &str) -> Result<Held> {
        let (kind, bytes) = self.file(path, text.len())?;
        Ok(match (bytes == text.as_bytes(), kind) {
            (false, _) => Held::Other,
            (true, git::Kind::Program) => Held::Executable,
            (true, _) => Held::Same,
        })
    }

    fn is_staging(&self) -> bool {
        false
    }
}
