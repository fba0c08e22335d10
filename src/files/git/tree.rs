//! The files of a commit or of the index, asked for one by one from `git cat-file --batch`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;

use super::child::{Batch, TOGETHER};
use super::message::Stopped;
use crate::paths::{self, Found, Reached, follow};
use findings::Diagnostic;
use tree::limits;

/// Bytes of one listing of a folder, which has more entries than there may be if it is as long.
const LISTING_BYTES: u64 = 8 << 20;
/// Bytes of the path that a symbolic link holds (`PATH_MAX` of Linux).
const LINK_BYTES: u64 = 4096;

/// What kind of thing a listing names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A file that may be executed.
    Program,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A submodule.
    Other,
}

impl Kind {
    /// Of a mode as Git writes it.
    fn of(mode: &[u8]) -> Self {
        match mode {
            b"40000" => Kind::Folder,
            b"120000" => Kind::Link,
            b"100755" => Kind::Program,
            mode if mode.starts_with(b"100") => Kind::File,
            _ => Kind::Other,
        }
    }
}

type Listing = BTreeMap<Vec<u8>, (Kind, String)>;

/// The files of a commit, or of the index, below one folder.
#[derive(Debug)]
pub struct Tree {
    root: String,
    store: Mutex<Store>,
    /// Whether Git did not have an object that the commit needs.
    incomplete: AtomicBool,
}

impl Tree {
    /// The folder `folder` (the whole commit when empty) of a commit; none when the commit has no such folder.
    pub(super) fn new(batch: Batch, commit: &str, folder: &str) -> Result<Option<Self>, Diagnostic> {
        let mut store = Store::new(batch, BTreeMap::new());
        let root = store.read(&format!("{commit}^{{tree}}"), "tree", LISTING_BYTES).map(|(root, _)| root);
        let incomplete = AtomicBool::new(root.is_err());
        let tree = Self { root: root.unwrap_or_default(), store: Mutex::new(store), incomplete };
        match follow(&tree, folder.as_bytes()) {
            _ if tree.is_incomplete() => tree.stopped().map_or(Ok(Some(tree)), Err),
            Ok(Reached { thing: None, folder, .. }) => {
                Ok(Some(Self { root: folder.unwrap_or_else(|| tree.root.clone()), ..tree }))
            }
            _ => Ok(None),
        }
    }

    /// The files that `git ls-files --stage -z` lists; none when a file has several versions that are not merged.
    pub(super) fn staged(batch: Batch, listed: &[u8]) -> Option<Self> {
        let store = Store::new(batch, staged(listed)?);
        Some(Self { root: STAGED.to_owned(), store: Mutex::new(store), incomplete: AtomicBool::new(false) })
    }

    /// The name of the folder's object.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Whether a part of the commit is not in this clone.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        self.incomplete.load(Ordering::Relaxed)
    }

    /// Why Git does not answer any more: what was not read then is not known to be missing.
    #[must_use]
    pub fn stopped(&self) -> Option<Diagnostic> {
        self.store().batch.stopped()
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn noted<T>(&self, result: Result<T, Errno>) -> Result<T, Errno> {
        if result.as_ref().is_err_and(|error| *error == Errno::IO) {
            self.incomplete.store(true, Ordering::Relaxed);
        }
        result
    }

    /// The first `cap` bytes of a file.
    ///
    /// # Errors
    /// When Git does not have them.
    pub fn file(&self, object: &str, cap: u64) -> Result<Vec<u8>, Errno> {
        let mut store = self.store();
        if let Some(bytes) = store.ahead.remove(&(cap, object.to_owned())) {
            return Ok(bytes);
        }
        self.noted(store.read(object, "blob", cap)).map(|(_, bytes)| bytes)
    }

    /// Reads the first `cap` bytes of files that are asked for next, which is quicker than one after the other; none where they are
    /// more than a project may have.
    pub fn expect<'p>(&self, paths: impl Iterator<Item = &'p str>, cap: u64) {
        let file = |path: &str| match follow(self, path.as_bytes()).ok()?.thing? {
            (Kind::File | Kind::Program, object) => Some(object),
            _ => None,
        };
        let objects: BTreeSet<String> = paths.filter_map(file).collect();
        self.store().expect(&objects.into_iter().collect::<Vec<_>>(), cap);
    }

    /// The names in a folder, and what each is.
    ///
    /// # Errors
    /// When Git does not have the folder.
    pub fn names(&self, folder: &str) -> Result<Vec<(Vec<u8>, Kind)>, Errno> {
        let listing = self.noted(self.store().listing(folder))?;
        Ok(listing.iter().map(|(name, (kind, _))| (name.clone(), *kind)).collect())
    }

    /// What stands under a name in a folder, and the name of its object.
    ///
    /// # Errors
    /// When Git does not have the folder.
    pub fn entry(&self, folder: &str, name: &[u8]) -> Result<Option<(Kind, String)>, Errno> {
        Ok(self.noted(self.store().listing(folder))?.get(name).cloned())
    }

    /// A file of the index by its path in the repository, in which it may lie outside of the project.
    pub(crate) fn staged_file(&self, path: &[u8]) -> Result<Option<Vec<u8>>, Errno> {
        // A request is a line.
        let path = std::str::from_utf8(path).ok().filter(|path| !path.contains('\n')).ok_or(Errno::INVAL)?;
        let mut store = self.store();
        let cap = limits::FILE_BYTES;
        let found = store.batch.object(&format!(":0:{path}"), cap + 1);
        match found {
            Some(object) if object.bytes.len() as u64 > cap => Err(Errno::FBIG),
            Some(object) => Ok((object.kind == "blob").then_some(object.bytes)),
            None if store.batch.stopped().is_some() => Err(Errno::IO),
            None => Ok(None),
        }
    }

    /// Whether something stands at `path`, be it a link that leads nowhere.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let Ok(Reached { folder, thing: None, .. }) = follow(self, parent.as_bytes()) else { return false };
        self.store().listing(folder.as_ref().unwrap_or(&self.root)).is_ok_and(|listing| listing.contains_key(name.as_bytes()))
    }
}

/// Links are followed in what is stored as they are on a disk.
impl paths::Lookup for Tree {
    /// The name of a folder's object.
    type Folder = String;
    /// What anything else is, and the name of its object.
    type Thing = (Kind, String);

    fn look(&self, folder: Option<&String>, name: &[u8]) -> Result<Found<String, (Kind, String)>, Errno> {
        let (kind, object) = self.entry(folder.unwrap_or(&self.root), name)?.ok_or(Errno::NOENT)?;
        Ok(match kind {
            Kind::Folder => Found::Folder(object),
            Kind::Link => Found::Link(self.noted(self.store().read(&object, "blob", LINK_BYTES))?.1),
            kind => Found::Thing((kind, object)),
        })
    }
}

/// What Git gives, and the listings that it has given.
#[derive(Debug)]
struct Store {
    batch: Batch,
    listings: BTreeMap<String, Arc<Listing>>,
    /// How many entries these have.
    entries: usize,
    /// The first bytes of files that were read before anybody asked: so many, and of which object.
    ahead: BTreeMap<(u64, String), Vec<u8>>,
}

impl Store {
    fn new(batch: Batch, listings: BTreeMap<String, Arc<Listing>>) -> Self {
        Self { batch, listings, entries: 0, ahead: BTreeMap::new() }
    }

    fn expect(&mut self, objects: &[String], cap: u64) {
        let mut total = 0;
        for objects in objects.chunks(TOGETHER) {
            for object in self.batch.objects(objects, cap).into_iter().flatten().filter(|object| object.kind == "blob") {
                total += object.bytes.len() as u64;
                self.ahead.insert((cap, object.name), object.bytes);
            }
            if total > limits::PROJECT_BYTES {
                return self.ahead.clear();
            }
        }
    }

    /// An object's full name and its first `cap` bytes.
    fn read(&mut self, name: &str, wanted: &str, cap: u64) -> Result<(String, Vec<u8>), Errno> {
        let object = self.batch.object(name, cap).filter(|object| object.kind == wanted);
        object.map(|object| (object.name, object.bytes)).ok_or(Errno::IO)
    }

    fn listing(&mut self, folder: &str) -> Result<Arc<Listing>, Errno> {
        if let Some(known) = self.listings.get(folder) {
            return Ok(Arc::clone(known));
        }
        let (_, bytes) = self.read(folder, "tree", LISTING_BYTES)?;
        let listing = parse(&bytes, folder.len() / 2).map(Arc::new);
        self.entries += listing.as_ref().map_or(0, |listing| listing.len());
        if self.entries > self.batch.bounds().entries || bytes.len() as u64 == LISTING_BYTES {
            self.batch.stop(Stopped::Entries);
        }
        let listing = listing.filter(|_| self.batch.stopped().is_none()).ok_or(Errno::IO)?;
        self.listings.insert(folder.to_owned(), Arc::clone(&listing));
        Ok(listing)
    }
}

/// Reads a tree object: `MODE NAME\0` and the bytes of an object's name, again and again.
fn parse(mut bytes: &[u8], width: usize) -> Option<Listing> {
    let mut listing = Listing::new();
    while !bytes.is_empty() {
        let space = bytes.iter().position(|byte| *byte == b' ')?;
        let end = bytes.iter().position(|byte| *byte == 0)?;
        let object = bytes.get(end + 1..end + 1 + width)?;
        let kind = Kind::of(bytes.get(..space)?);
        let object = object.iter().map(|byte| format!("{byte:02x}")).collect();
        listing.insert(bytes.get(space + 1..end)?.to_vec(), (kind, object));
        bytes = bytes.get(end + 1 + width..)?;
    }
    Some(listing)
}

/// What the folders of the index are called, which has none of its own: this, and their paths.
const STAGED: &str = "staged:";

/// The listings of the folders of the index; none when a file has several versions.
fn staged(listed: &[u8]) -> Option<BTreeMap<String, Arc<Listing>>> {
    let mut folders: BTreeMap<String, Listing> = BTreeMap::from([(STAGED.to_owned(), Listing::new())]);
    for line in listed.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
        let tab = line.iter().position(|byte| *byte == b'\t')?;
        let (head, path) = (std::str::from_utf8(line.get(..tab)?).ok()?, line.get(tab + 1..)?);
        let mut words = head.split(' ');
        let (mode, object, "0") = (words.next()?, words.next()?, words.next()?) else { return None };
        let mut parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
        let name = parts.pop()?;
        let mut folder = STAGED.to_owned();
        for part in parts {
            let inner = format!("{folder}/{}", part.escape_ascii());
            if !folders.contains_key(&inner) {
                folders.entry(folder).or_default().insert(part.to_vec(), (Kind::Folder, inner.clone()));
                folders.insert(inner.clone(), Listing::new());
            }
            folder = inner;
        }
        folders.entry(folder).or_default().insert(name.to_vec(), (Kind::of(mode.as_bytes()), object.to_owned()));
    }
    Some(folders.into_iter().map(|(name, listing)| (name, Arc::new(listing))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_object_is_names_with_modes() {
        let object = |byte: u8| vec![byte; 20];
        let entries = [("100644 a.yaml", 1), ("40000 b", 2), ("120000 c", 3), ("160000 d", 4)];
        let bytes: Vec<u8> = entries.iter().flat_map(|(head, byte)| [head.as_bytes(), &[0], &object(*byte)].concat()).collect();
        let listing = parse(&bytes, 20).unwrap();
        let kinds: Vec<_> = listing.values().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, [Kind::File, Kind::Folder, Kind::Link, Kind::Other]);
        assert_eq!(listing[b"b".as_slice()].1, "02".repeat(20));
        assert!(parse(&bytes[..bytes.len() - 1], 20).is_none());
    }

    #[test]
    fn the_index_is_a_list_of_files() {
        let line = |mode: &str, stage: &str, path: &str| format!("{mode} {} {stage}\t{path}\0", "a".repeat(40));
        let text = [line("100644", "0", "a/b/c.yaml"), line("120000", "0", "a/l"), line("100755", "0", "z")].concat();
        let folders = staged(text.as_bytes()).unwrap();
        let names = |folder: &str| -> Vec<_> { folders[folder].keys().map(|name| String::from_utf8_lossy(name)).collect() };
        assert_eq!((names("staged:"), names("staged:/a")), (vec!["a".into(), "z".into()], vec!["b".into(), "l".into()]));
        assert_eq!(folders["staged:/a/b"][b"c.yaml".as_slice()], (Kind::File, "a".repeat(40)));
        assert_eq!(folders["staged:"][b"a".as_slice()], (Kind::Folder, "staged:/a".to_owned()));
        assert!(staged(line("100644", "2", "a").as_bytes()).is_none());
    }
}
