//! The files of a commit or of the index, asked for one by one from `git cat-file --batch`.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;

use crate::files::{self, Found, Reached, follow};

/// Bytes of one listing of a folder.
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
    batch: Mutex<Batch>,
    /// Whether Git did not have an object that the commit needs.
    incomplete: AtomicBool,
}

impl Tree {
    /// The folder `folder` (the whole commit when empty) of a commit; none when the commit has no such folder.
    pub(super) fn new(process: Child, commit: &str, folder: &str) -> Option<Self> {
        let mut batch = Batch::new(process, BTreeMap::new())?;
        let (root, _) = batch.read(&format!("{commit}^{{tree}}"), "tree", LISTING_BYTES).ok()?;
        let tree = Self { root, batch: Mutex::new(batch), incomplete: AtomicBool::new(false) };
        let reached = follow(&tree, folder.as_bytes()).ok()?;
        match reached.thing {
            None => Some(Self { root: reached.folder.unwrap_or_else(|| tree.root.clone()), ..tree }),
            Some(_) => None,
        }
    }

    /// The files that `git ls-files --stage -z` lists; none when a file has several versions that are not merged.
    pub(super) fn staged(process: Child, listed: &[u8]) -> Option<Self> {
        let listings = staged(listed)?;
        let batch = Mutex::new(Batch::new(process, listings)?);
        Some(Self { root: STAGED.to_owned(), batch, incomplete: AtomicBool::new(false) })
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

    fn batch(&self) -> MutexGuard<'_, Batch> {
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.noted(self.batch().read(object, "blob", cap)).map(|(_, bytes)| bytes)
    }

    /// The names in a folder, and what each is.
    ///
    /// # Errors
    /// When Git does not have the folder.
    pub fn names(&self, folder: &str) -> Result<Vec<(Vec<u8>, Kind)>, Errno> {
        let listing = self.noted(self.batch().listing(folder))?;
        Ok(listing.iter().map(|(name, (kind, _))| (name.clone(), *kind)).collect())
    }

    /// What stands under a name in a folder, and the name of its object.
    ///
    /// # Errors
    /// When Git does not have the folder.
    pub fn entry(&self, folder: &str, name: &[u8]) -> Result<Option<(Kind, String)>, Errno> {
        Ok(self.noted(self.batch().listing(folder))?.get(name).cloned())
    }

    /// Whether something stands at `path`, be it a link that leads nowhere.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let Ok(Reached { folder, thing: None, .. }) = follow(self, parent.as_bytes()) else { return false };
        self.batch().listing(folder.as_ref().unwrap_or(&self.root)).is_ok_and(|listing| listing.contains_key(name.as_bytes()))
    }
}

/// Links are followed in what is stored as they are on a disk.
impl files::Lookup for Tree {
    /// The name of a folder's object.
    type Folder = String;
    /// What anything else is, and the name of its object.
    type Thing = (Kind, String);

    fn look(&self, folder: Option<&String>, name: &[u8]) -> Result<Found<String, (Kind, String)>, Errno> {
        let (kind, object) = self.entry(folder.unwrap_or(&self.root), name)?.ok_or(Errno::NOENT)?;
        Ok(match kind {
            Kind::Folder => Found::Folder(object),
            Kind::Link => Found::Link(self.noted(self.batch().read(&object, "blob", LINK_BYTES))?.1),
            kind => Found::Thing((kind, object)),
        })
    }
}

/// The running `git cat-file --batch`.
#[derive(Debug)]
struct Batch {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    listings: BTreeMap<String, Arc<Listing>>,
}

impl Batch {
    fn new(mut process: Child, listings: BTreeMap<String, Arc<Listing>>) -> Option<Self> {
        let (input, output) = (process.stdin.take()?, process.stdout.take().map(BufReader::new)?);
        Some(Self { process, input, output, listings })
    }

    /// An object's full name and its first `cap` bytes.
    fn read(&mut self, name: &str, wanted: &str, cap: u64) -> Result<(String, Vec<u8>), Errno> {
        let answer = self.answer(name, cap).map_err(|_| Errno::IO)?;
        answer.filter(|(_, kind, _)| kind == wanted).map(|(name, _, bytes)| (name, bytes)).ok_or(Errno::IO)
    }

    fn answer(&mut self, name: &str, cap: u64) -> io::Result<Option<(String, String, Vec<u8>)>> {
        self.input.write_all(format!("{name}\n").as_bytes())?;
        self.input.flush()?;
        let mut head = String::new();
        self.output.by_ref().take(1 << 10).read_line(&mut head)?;
        let mut words = head.split_whitespace();
        let (Some(name), Some(kind), Some(size)) = (words.next(), words.next(), words.next()) else { return Ok(None) };
        let size: u64 = size.parse().map_err(|_| io::ErrorKind::InvalidData)?;
        let mut bytes = Vec::new();
        self.output.by_ref().take(size.min(cap)).read_to_end(&mut bytes)?;
        // What is over the cap, and the line feed.
        io::copy(&mut self.output.by_ref().take(size.saturating_sub(cap) + 1), &mut io::sink())?;
        Ok(Some((name.to_owned(), kind.to_owned(), bytes)))
    }

    fn listing(&mut self, folder: &str) -> Result<Arc<Listing>, Errno> {
        if let Some(known) = self.listings.get(folder) {
            return Ok(Arc::clone(known));
        }
        let (_, bytes) = self.read(folder, "tree", LISTING_BYTES)?;
        let listing = Arc::new(parse(&bytes, folder.len() / 2).ok_or(Errno::IO)?);
        self.listings.insert(folder.to_owned(), Arc::clone(&listing));
        Ok(listing)
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
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
