//! Replacing a unit's folder as one.
//!
//! The new folder is staged in a folder beside the old one, on the same device, and the two exchange their places in one step
//! (`renameat2` with `RENAME_EXCHANGE`). Unchanged files and files that are not netloom's are hard links, so they keep their times
//! and are never copied. The staging folder is there while a render is under way only. When a render was killed, what it holds under a
//! unit's name is one of two things:
//!
//! - A new folder that is not complete, or the old one after the exchange. The unit is whole either way; what netloom wrote here
//!   is deleted, and anything else that is not in the unit is put back.
//! - A complete new folder, marked by a file [`READY`] in it, on a file system that cannot exchange or rename folders (overlayfs
//!   for folders of an image's layer, some network file systems). Its files are moved over one by one, the record last; until
//!   then the unit is half old, half new, `check` says so, and the next render goes on with the moving.
//!
//! A branch could commit a folder of that name, so netloom's own carries a mark that Git cannot carry ([`MARK`]). One without it
//! was planted: it is reported, and nothing in it is touched.
//!
//! The record is the first file in a new folder and the last one out of an old one, so it is always known what is netloom's.
//!
//! Nothing is synced to the device. The promise is about a process that is killed at any moment, not about a machine that loses
//! power: rendered output can be rendered again, and is committed to Git, and syncing 25,000 files takes minutes.

use std::collections::BTreeMap;

use rustix::io::Errno;

use super::files::{Entry, Files};
use super::names;
use super::record::{self, Record};
use super::survey::{State, Survey};
use crate::paths::{Disk, Failure, Folder, Foreign, Kind, Mode, Result};
use model::unit::Artifact;
use tree::limits;

/// The folder in which units are staged, beside them.
pub(super) const STAGING: &str = ".render.netloom-staging";
/// What tells netloom's own staging folder from one in a commit: Git sets no sticky bit, and no umask or parent does.
pub(super) const MARK: Mode = Mode::SVTX;
/// The file that marks a staged folder as complete.
const READY: &str = ".netloom-ready";

/// Whether an entry of a group is, or pretends to be, a staging folder, also of an earlier version.
pub(super) fn is_staging_name(entry: &[u8]) -> bool {
    entry.starts_with(b".") && entry.ends_with(b".netloom-staging")
}

/// What of staging folders stands in a group.
pub(super) struct Traces<F> {
    /// Entries that only look like netloom's.
    pub(super) planted: Vec<Vec<u8>>,
    /// Netloom's own, which an interrupted render has left.
    pub(super) staging: Option<F>,
    /// The units in it.
    pub(super) units: Vec<String>,
}

/// Looks for what interrupted renders have left in a group.
pub(super) fn traces<F: Files>(group: &F) -> Result<Traces<F>> {
    let mut traces = Traces { planted: Vec::new(), staging: None, units: Vec::new() };
    for (entry, kind) in group.entries()?.into_iter().filter(|(entry, _)| is_staging_name(entry)) {
        let opened = if kind == Kind::Folder && entry == STAGING.as_bytes() { group.open(&entry)? } else { None };
        match opened.filter(Files::is_staging) {
            None => traces.planted.push(entry),
            Some(staging) => {
                let names = staging.entries()?.into_iter().filter_map(|(name, _)| String::from_utf8(name).ok());
                traces.units = names.filter(|name| schema::json::dns_label(name).is_ok()).collect();
                traces.staging = Some(staging);
            }
        }
    }
    Ok(traces)
}

/// Whether a folder could not be exchanged or renamed because this file system does not do that, or not with this folder.
fn cannot_rename(error: Errno) -> bool {
    matches!(error, Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::BUSY)
}

/// Whether a hard link failed because there is none on this file system, or not for this file.
fn cannot_link(error: Errno) -> bool {
    matches!(error, Errno::XDEV | Errno::PERM | Errno::NOSYS | Errno::OPNOTSUPP | Errno::MLINK)
}

/// How far a unit has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Committed {
    /// The new folder is in the unit's place, and the old one, if there was one, where it was staged.
    Whole,
    /// The file system cannot do that; its files are to be moved one by one.
    ByFile,
}

/// One unit that is being written.
#[derive(Clone, Copy)]
pub(super) struct Swap<'a> {
    pub(super) disk: &'a Disk,
    pub(super) group: &'a Folder,
    /// The folder [`STAGING`] in the group.
    pub(super) staging: &'a Folder,
    /// The unit's folder in the output.
    pub(super) folder: &'a str,
    /// What in the output is not netloom's.
    pub(super) foreign: &'a Foreign,
}

impl Swap<'_> {
    /// Its name in the group.
    fn unit(&self) -> &[u8] {
        names::unit(self.folder).unwrap_or_default().1.as_bytes()
    }

    /// Builds the new folder beside the old one; tells whether files that are not netloom's could be linked into it. Nothing in
    /// the unit changes.
    pub(super) fn stage(&self, survey: &Survey<'_>) -> Result<bool> {
        if survey.is_to_go() {
            return Ok(true);
        }
        let folder = self.disk.make(self.staging, self.unit())?;
        if let Some(record) = &survey.record {
            self.disk.create(&folder, record::FILE.as_bytes(), record.as_bytes())?;
        }
        let old = if survey.exists { self.group.open(self.unit())? } else { None };
        let mut staged = Staged { disk: self.disk, inner: BTreeMap::from([(Vec::new(), Pair { new: folder, old })]) };
        for (artifact, state) in survey.unit.artifacts.iter().zip(&survey.states) {
            staged.artifact(artifact, *state)?;
        }
        survey.foreign.iter().try_fold(true, |complete, (path, _)| Ok(staged.link(path)? && complete))
    }

    /// Puts the staged folder in the unit's place at once; tells whether that could be done.
    pub(super) fn commit(&self, survey: &Survey<'_>, complete: bool) -> Result<Committed> {
        let (staged, unit) = ((self.staging, self.unit()), (self.group, self.unit()));
        let renamed = match (survey.exists, complete) {
            (true, false) => return Ok(Committed::ByFile),
            (true, true) if survey.is_to_go() => self.disk.rename_folder(unit, staged),
            (true, true) => self.disk.exchange(staged, unit),
            (false, _) => self.disk.rename_folder(staged, unit),
        };
        match renamed {
            Ok(()) => Ok(Committed::Whole),
            Err(failure) if cannot_rename(failure.error) => Ok(Committed::ByFile),
            Err(failure) => Err(failure),
        }
    }

    /// Takes [`Self::commit`] back, as long as the old folder is not discarded.
    pub(super) fn undo(&self, survey: &Survey<'_>) -> Result<()> {
        let (staged, unit) = ((self.staging, self.unit()), (self.group, self.unit()));
        match survey.exists {
            true if survey.is_to_go() => self.disk.rename_folder(staged, unit),
            true => self.disk.exchange(staged, unit),
            false => self.disk.rename_folder(unit, staged),
        }
    }

    /// Puts the staged folder in the unit's place file by file. What fails is tried once more, as when something is discarded.
    pub(super) fn move_files(&self, survey: &Survey<'_>) -> Result<()> {
        self.move_files_once(survey).or_else(|_| self.move_files_once(survey))
    }

    fn move_files_once(&self, survey: &Survey<'_>) -> Result<()> {
        if survey.record.is_none() {
            return self.discard().and_then(|()| self.remove_files(survey));
        }
        if let Some(folder) = self.staging.open(self.unit())?
            && !folder.has(READY.as_bytes())
        {
            self.disk.create(&folder, READY.as_bytes(), b"")?;
        }
        if self.roll_forward()? { Ok(()) } else { Err(self.group.fail("write all of", self.unit())(Errno::EXIST)) }
    }

    /// Deletes what is staged. What is neither netloom's nor in the unit goes back there. What could not be deleted is tried once
    /// more: most often nobody but a passing fault stands in the way.
    pub(super) fn discard(&self) -> Result<()> {
        self.discard_once().or_else(|_| self.discard_once())
    }

    fn discard_once(&self) -> Result<()> {
        let Some(folder) = self.staging.open(self.unit())? else { return Ok(()) };
        // From here on it is not complete.
        if folder.has(READY.as_bytes()) {
            self.disk.remove(&folder, READY.as_bytes())?;
        }
        let own = own_record(&folder)?;
        let unit = self.group.open(self.unit())?;
        self.empty(&folder, unit.as_ref(), &own, &[])?;
        if folder.has(record::FILE.as_bytes()) {
            self.disk.remove(&folder, record::FILE.as_bytes())?;
        }
        self.disk.remove_folder(self.staging, self.unit())
    }

    /// Deletes what is in a folder of a staged one, `above` it; goes on where something cannot be deleted.
    fn empty(&self, folder: &Folder, unit: Option<&Folder>, own: &Record, above: &[u8]) -> Result<()> {
        let mut result = Ok(());
        for (name, kind) in folder.entries()? {
            let path = [above, &name].concat();
            let done = match kind {
                Kind::Folder => {
                    let inner = folder.open(&name)?;
                    let inner = inner.map_or(Ok(()), |inner| self.empty(&inner, unit, own, &[path.as_slice(), b"/"].concat()));
                    inner.and_then(|()| self.disk.remove_folder(folder, &name))
                }
                _ if path == record::FILE.as_bytes() => Ok(()),
                _ if own.lists(&path) || unit.is_some_and(|unit| unit.has(&path)) => self.disk.remove(folder, &name),
                _ => self.put_back((folder, &name), &path),
            };
            result = result.and(done);
        }
        result
    }

    /// Moves a file into the unit.
    fn put_back(&self, from: (&Folder, &[u8]), path: &[u8]) -> Result<()> {
        let unit = self.ensure(self.group, self.unit())?;
        for above in parents(path) {
            if !unit.has(above) {
                self.disk.make(&unit, above)?;
            }
        }
        self.disk.rename(from, (&unit, path))
    }

    fn ensure(&self, at: &Folder, path: &[u8]) -> Result<Folder> {
        at.open(path)?.map_or_else(|| self.disk.make(at, path), Ok)
    }

    /// Moves a complete new folder into the unit, file by file; can be interrupted and begun again at any point. A folder that is
    /// not complete is deleted. What is not rendered any more goes last, or where it stands in the way.
    ///
    /// Tells whether every file found its place: somebody else's, that came after the render had looked, stays.
    pub(super) fn roll_forward(&self) -> Result<bool> {
        let mut whole = true;
        let Some(folder) = self.staging.open(self.unit())? else { return Ok(whole) };
        if folder.has(READY.as_bytes()) && folder.has(record::FILE.as_bytes()) {
            let new = own_record(&folder)?;
            let unit = self.ensure(self.group, self.unit())?;
            let old = own_record(&unit)?;
            self.remove_orphans(&unit, &old, &new, |path| new.files.keys().any(|new| crosses(path, new)))?;
            let staged = folder.list()?;
            for path in new.files.keys().filter(|path| staged.get(path.as_bytes()) == Some(&Entry::File)) {
                // Unchanged files stay: overlayfs does not let a link replace the file that it was made from.
                if as_recorded(&unit, &new, path) {
                    continue;
                }
                if old.lists(path.as_bytes()) || !unit.has(path.as_bytes()) {
                    self.put_back((&folder, path.as_bytes()), path.as_bytes())?;
                } else {
                    whole = false;
                }
            }
            self.remove_orphans(&unit, &old, &new, |_| true)?;
            self.put_back((&folder, record::FILE.as_bytes()), record::FILE.as_bytes())?;
        }
        self.discard()?;
        Ok(whole)
    }

    /// Removes what netloom wrote earlier and does not render any more, with folders that are empty then.
    fn remove_orphans(&self, unit: &Folder, old: &Record, new: &Record, wanted: impl Fn(&str) -> bool) -> Result<()> {
        let theirs = |path: &str| self.foreign.covers_in(self.folder, path.as_bytes());
        for path in old.files.keys().filter(|path| !new.files.contains_key(*path) && wanted(path) && !theirs(path)) {
            if as_recorded(unit, old, path) {
                self.disk.remove(unit, path.as_bytes())?;
            }
            self.remove_empty(unit, path.as_bytes())?;
        }
        Ok(())
    }

    /// Removes the folders above `path` that hold nothing.
    fn remove_empty(&self, unit: &Folder, path: &[u8]) -> Result<()> {
        for above in parents(path).rev().filter(|above| unit.has(above)) {
            match self.disk.remove_folder(unit, above) {
                Err(failure) if matches!(failure.error, Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => return Ok(()),
                done => done?,
            }
        }
        Ok(())
    }

    /// Takes netloom's files out of a unit that is no more, where others' files stay in it; the record goes last.
    fn remove_files(&self, survey: &Survey<'_>) -> Result<()> {
        let Some(unit) = self.group.open(self.unit())? else { return Ok(()) };
        for path in survey.orphans.iter().map(String::as_bytes) {
            if unit.has(path) {
                self.disk.remove(&unit, path)?;
            }
            self.remove_empty(&unit, path)?;
        }
        if unit.has(record::FILE.as_bytes()) {
            self.disk.remove(&unit, record::FILE.as_bytes())?;
        }
        if unit.entries()?.is_empty() { self.disk.remove_folder(self.group, self.unit()) } else { Ok(()) }
    }
}

/// Removes the folders below one that hold nothing, and tells whether it holds nothing itself: what an interrupted render leaves
/// of a unit whose files it had to remove one by one.
pub(super) fn sweep(disk: &Disk, folder: &Folder) -> Result<bool> {
    let mut empty = true;
    for (name, kind) in folder.entries()? {
        let inner = if kind == Kind::Folder { folder.open(&name)? } else { None };
        match inner {
            Some(inner) if sweep(disk, &inner)? => disk.remove_folder(folder, &name)?,
            _ => empty = false,
        }
    }
    Ok(empty)
}

/// A folder of a unit in the making, and the one that it replaces.
struct Pair {
    new: Folder,
    old: Option<Folder>,
}

/// A new folder in the making: its folders by their paths.
struct Staged<'a> {
    disk: &'a Disk,
    inner: BTreeMap<Vec<u8>, Pair>,
}

impl Staged<'_> {
    fn artifact(&mut self, artifact: &Artifact, state: State) -> Result<()> {
        let path = artifact.path.as_bytes();
        if state == State::Same && self.link(path)? {
            return Ok(());
        }
        let disk = self.disk;
        let (folder, name) = self.place(path)?;
        disk.create(&folder.new, name, artifact.text.as_bytes()).map(drop)
    }

    /// Links a file of the old folder into the new one; tells whether the file system lets one.
    fn link(&mut self, path: &[u8]) -> Result<bool> {
        let disk = self.disk;
        let (folder, name) = self.place(path)?;
        let Some(old) = &folder.old else { return Ok(false) };
        match disk.link((old, name), (&folder.new, name)) {
            Ok(()) => Ok(true),
            Err(failure) if cannot_link(failure.error) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// The folder that `path` lies in, made where it is missing, and the last part of `path`.
    fn place<'p>(&mut self, path: &'p [u8]) -> Result<(&Pair, &'p [u8])> {
        let (above, name) = match path.iter().rposition(|byte| *byte == b'/') {
            None => (&[] as &[u8], path),
            Some(at) => (path.get(..at).unwrap_or_default(), path.get(at + 1..).unwrap_or_default()),
        };
        if !self.inner.contains_key(above) {
            let disk = self.disk;
            let (outer, inner) = self.place(above)?;
            let new = disk.make(&outer.new, inner)?;
            let old = match &outer.old {
                Some(old) if old.kind(inner)? == Some(Kind::Folder) => old.open(inner)?,
                _ => None,
            };
            self.inner.insert(above.to_vec(), Pair { new, old });
        }
        let gone = || Failure { doing: "write", path: String::from_utf8_lossy(path).into_owned(), error: Errno::NOENT };
        Ok((self.inner.get(above).ok_or_else(gone)?, name))
    }
}

/// The record of a folder as far as it can be believed.
fn own_record(folder: &Folder) -> Result<Record> {
    let record = super::survey::read_record(folder)?;
    Ok(record.ok().flatten().unwrap_or_default())
}

/// Whether a file is as a record says.
fn as_recorded(folder: &Folder, record: &Record, path: &str) -> bool {
    folder.has(path.as_bytes())
        && folder.read(path.as_bytes(), limits::OUTPUT_FILE_BYTES).is_ok_and(|bytes| record.matches(path, &bytes))
}

/// Whether a file at one of two paths stands in the way of one at the other.
fn crosses(one: &str, other: &str) -> bool {
    let below = |a: &str, b: &str| a.strip_prefix(b).is_some_and(|rest| rest.starts_with('/'));
    below(one, other) || below(other, one)
}

/// The folders above `path`, outermost first.
fn parents(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    (0..path.len()).filter(|at| path.get(*at) == Some(&b'/')).filter_map(|end| path.get(..end))
}
