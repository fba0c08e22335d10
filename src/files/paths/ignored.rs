//! What Git ignores: files that no other checkout has, and that nobody meant to show.
//!
//! Git ignores what it does not track and a pattern matches, of a `.gitignore` on the way to the file or of `.git/info/exclude`.
//! Everything is read here, without a `git` process; a user's own patterns (`core.excludesFile`) take no part, because nothing
//! of the user's configuration does.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ignore::gitignore::Gitignore;

use super::checkout::{Checkout, text};
use super::pattern::lenient;
use super::{Folder, attributes};
use tree::limits;

const PATTERNS: &str = ".gitignore";
const EXCLUDE: &str = "info/exclude";
const INDEX: &[u8] = b"index";

/// The patterns of one file; none where they cannot be read, which may be any.
type Patterns = Option<Gitignore>;

fn read(folder: &Folder, path: &[u8]) -> Patterns {
    text(folder, path).ok().map(|text| lenient(&text.unwrap_or_default()))
}

/// Whether patterns speak of a path below their folder: `Some(true)` when they match it, `Some(false)` when they except it.
fn says(patterns: &Patterns, path: &[u8], folder: bool) -> Option<bool> {
    let Some(patterns) = patterns else { return Some(true) };
    let matched = patterns.matched(Path::new(std::ffi::OsStr::from_bytes(path)), folder);
    if matched.is_none() { None } else { Some(matched.is_ignore()) }
}

/// The hidden files that are read to tell what Git ignores, and what it makes of texts, in the project in `root`, a path without
/// links: for whoever confines netloom.
pub(crate) fn sources(root: &Path) -> Vec<PathBuf> {
    let Some(checkout) = Checkout::around(root) else { return Vec::new() };
    let above = checkout.way(root).flat_map(|folder| [PATTERNS, attributes::FILE].map(|name| folder.join(name)));
    let entry = Some(checkout.top.join(".git")).filter(|entry| !entry.is_dir());
    let own = ["index", "commondir"].map(|name| checkout.dir.join(name));
    above.chain(entry).chain(own).chain([checkout.common.join(EXCLUDE)]).collect()
}

/// The repository that a project lies in, as far as it says what is Git's.
#[derive(Debug)]
pub(crate) struct Ignored {
    /// The work tree; none where it cannot be gone through.
    top: Option<Folder>,
    /// The project's folder in it: empty, or with a `/` at its end.
    prefix: Vec<u8>,
    dir: PathBuf,
    exclude: Patterns,
    /// Patterns by the folder that they stand in, as far as somebody asked.
    patterns: Mutex<BTreeMap<Vec<u8>, Arc<Patterns>>>,
    tracked: OnceLock<Option<BTreeSet<Vec<u8>>>>,
}

impl Ignored {
    /// The repository around the project in `root`, a path without links. None where there is none, or where Git ignores the
    /// whole project and tracks nothing of it, which then is not Git's. What cannot be told counts as ignored, and as not tracked.
    pub(crate) fn around(root: &Path) -> Option<Self> {
        let Checkout { top, dir, common } = Checkout::around(root)?;
        let prefix = root.strip_prefix(&top).ok()?.as_os_str().as_bytes();
        let mut found = Self {
            top: Folder::passage(&top).ok(),
            prefix: Vec::new(),
            dir,
            exclude: Folder::passage(&common).ok().and_then(|common| read(&common, EXCLUDE.as_bytes())),
            patterns: Mutex::default(),
            tracked: OnceLock::new(),
        };
        if !prefix.is_empty() {
            if found.matches(prefix, true) && found.has(prefix, true) == Some(false) {
                return None;
            }
            found.prefix = [prefix, b"/"].concat();
        }
        Some(found)
    }

    fn in_tree(&self, path: &[u8]) -> Vec<u8> {
        [&self.prefix, path].concat()
    }

    /// Whether Git ignores what stands at `path` in the project: a pattern matches it, and it is not tracked all the same.
    pub(crate) fn ignores(&self, path: &[u8], folder: bool) -> bool {
        let path = self.in_tree(path);
        self.matches(&path, folder) && !self.has(&path, folder).unwrap_or(false)
    }

    /// Whether Git tracks the file at `path` in the project, or anything in the folder; none when its index cannot be read.
    pub(crate) fn tracks(&self, path: &[u8], folder: bool) -> Option<bool> {
        self.has(&self.in_tree(path), folder)
    }

    /// Whether the index has a file, or anything in a folder.
    fn has(&self, path: &[u8], folder: bool) -> Option<bool> {
        let tracked = self.tracked.get_or_init(|| self.index()).as_ref()?;
        if !folder {
            return Some(tracked.contains(path));
        }
        let below = [path, b"/"].concat();
        Some(tracked.range(below.clone()..).next().is_some_and(|name| name.starts_with(&below)))
    }

    fn index(&self) -> Option<BTreeSet<Vec<u8>>> {
        let dir = Folder::passage(&self.dir).ok()?;
        // Nothing was added yet.
        if dir.kind(INDEX).ok()?.is_none() {
            return Some(BTreeSet::new());
        }
        let index = dir.read(INDEX, limits::GIT_INDEX_BYTES).ok()?;
        // Objects are named by SHA-1 or SHA-256; `.git/config`, which says by which, may hold a token and is left closed.
        if index.len() > limits::GIT_INDEX_BYTES { None } else { [20, 32].iter().find_map(|hash| names(&index, *hash)) }
    }

    /// Whether a pattern matches a path of the work tree, or a folder above it.
    fn matches(&self, path: &[u8], folder: bool) -> bool {
        let above = slashes(path).filter_map(|end| path.get(..end)).map(|above| (above, true));
        above.chain([(path, folder)]).any(|(part, folder)| self.matches_itself(part, folder))
    }

    fn matches_itself(&self, path: &[u8], folder: bool) -> bool {
        // The nearest file of patterns has the last word.
        let above = slashes(path).rev().map(|at| at + 1).chain([0]);
        let nearest = above.filter_map(|at| says(&self.patterns_in(path.get(..at)?), path.get(at..)?, folder)).next();
        nearest.or_else(|| says(&self.exclude, path, folder)).unwrap_or(false)
    }

    /// The patterns in a folder: the work tree when empty, otherwise with a `/` at its end.
    fn patterns_in(&self, folder: &[u8]) -> Arc<Patterns> {
        let mut known = self.patterns.lock().unwrap_or_else(PoisonError::into_inner);
        let path = || [folder, PATTERNS.as_bytes()].concat();
        let read = || Arc::new(self.top.as_ref().and_then(|top| read(top, &path())));
        Arc::clone(known.entry(folder.to_owned()).or_insert_with(read))
    }
}

/// Where the parts of a path end.
fn slashes(path: &[u8]) -> impl DoubleEndedIterator<Item = usize> {
    path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at)
}

/// The paths in an index (gitformat-index, versions 2 to 4) whose objects have names of `hash` bytes; none when it is none of that
/// kind, or only a part of one (a split index).
fn names(index: &[u8], hash: usize) -> Option<BTreeSet<Vec<u8>>> {
    let number = |at: usize| Some(u32::from_be_bytes(index.get(at..at + 4)?.try_into().ok()?) as usize);
    if index.get(..4)? != b"DIRC" {
        return None;
    }
    let version = number(4).filter(|version| (2..=4).contains(version))?;
    let (mut names, mut at, mut last) = (BTreeSet::new(), 12, Vec::new());
    for _ in 0..number(8)? {
        let began = at;
        // Times, device, inode, mode, owner and size; then the object's name and the flags.
        at += 40 + hash;
        let extended = index.get(at)? & 0x40 != 0;
        at += if extended { 4 } else { 2 };
        let mut name = Vec::new();
        if version == 4 {
            let (cut, bytes) = variable(index.get(at..)?)?;
            at += bytes;
            name.extend_from_slice(last.get(..Vec::len(&last).checked_sub(cut)?)?);
        }
        let end = index.get(at..)?.iter().position(|byte| *byte == 0)?;
        name.extend_from_slice(index.get(at..at + end)?);
        at += end + 1;
        if version != 4 {
            at = began + (at - began).next_multiple_of(8);
        }
        last.clone_from(&name);
        names.insert(name);
    }
    // Extensions follow, each with its name and length, then the file's hash.
    while at + 8 + hash <= index.len() {
        if index.get(at..at + 4)? == b"link" {
            return None;
        }
        at += 8 + number(at + 4)?;
    }
    (at + hash == index.len()).then_some(names)
}

/// A number of variable width as pack files have offsets: seven bits a byte, the first one highest; and the bytes that it takes.
fn variable(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value: usize = 0;
    for (at, byte) in bytes.iter().take(8).enumerate() {
        value = (value << 7) | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, at + 1));
        }
        value += 1;
    }
    None
}
