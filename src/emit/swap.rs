//! Replacing a unit's folder as one.
//!
//! The new folder is staged beside the old one, on the same device, and the two exchange their names in one step
//! (`renameat2` with `RENAME_EXCHANGE`). Unchanged files and files that are not netloom's are hard links, so they keep their times
//! and are never copied. While that is under way the new folder is called `.NAME.netloom-staging`. When a render was killed, the
//! folder of that name is one of two things:
//!
//! - A new folder that is not complete, or the old one after the exchange. The unit is whole either way; what netloom wrote here
//!   is deleted, and anything else that is not in the unit is put back.
//! - A complete new folder, marked by a file [`READY`] in it, on a file system that cannot exchange or rename folders (overlayfs
//!   for folders of an image's layer, some network file systems). Its files are moved over one by one, the record last; until
//!   then the unit is half old, half new, `check` says so, and the next render goes on with the moving.
//!
//! The record is the first file in a new folder and the last one out of an old one, so it is always known what is netloom's.
//!
//! Nothing is synced to the device. The promise is about a process that is killed at any moment, not about a machine that loses
//! power: rendered output can be rendered again, and is committed to Git, and syncing 25,000 files takes minutes.

use std::collections::BTreeSet;

use rustix::io::Errno;

use super::disk::{Disk, Folder, Result};
use super::files::{Files, Kind};
use super::record::{self, Record};
use super::survey::{State, Survey};
use crate::limits;
use crate::unit::Artifact;

const STAGING: &str = ".netloom-staging";
/// The file that marks a staged folder as complete.
const READY: &str = ".netloom-ready";

/// The unit whose interrupted render an entry of a group is the trace of.
pub(super) fn trace_of(entry: &[u8]) -> Option<&str> {
    let name = std::str::from_utf8(entry).ok()?.strip_prefix('.')?.strip_suffix(STAGING)?;
    crate::tree::schema::dns_label(name).is_ok().then_some(name)
}

/// Whether a folder could not be exchanged or renamed because this file system does not do that, or not with this folder.
fn cannot_rename(error: Errno) -> bool {
    matches!(error, Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::BUSY)
}

/// Whether a hard link failed because there is none on this file system, or not for this file.
fn cannot_link(error: Errno) -> bool {
    matches!(error, Errno::XDEV | Errno::PERM | Errno::NOSYS | Errno::OPNOTSUPP | Errno::MLINK)
}

/// One unit that is being written.
pub(super) struct Swap<'a> {
    pub(super) disk: &'a Disk,
    pub(super) group: &'a Folder,
    pub(super) name: &'a str,
}

impl Swap<'_> {
    fn staging(&self) -> Vec<u8> {
        format!(".{}{STAGING}", self.name).into_bytes()
    }

    fn unit(&self) -> &[u8] {
        self.name.as_bytes()
    }

    /// Makes the unit's folder what the survey says it shall be.
    pub(super) fn write(&self, survey: &Survey<'_>) -> Result<()> {
        if survey.record.is_none() && survey.foreign.is_empty() {
            return match self.disk.rename_folder(self.group, self.unit(), &self.staging()) {
                Ok(()) => self.discard(),
                Err(failure) if cannot_rename(failure.error) => self.remove_files(survey),
                Err(failure) => Err(failure),
            };
        }
        let committed = self.stage(survey).and_then(|complete| self.commit(survey, complete));
        match committed {
            Ok(true) => self.discard(),
            Ok(false) if survey.record.is_none() => self.discard().and_then(|()| self.remove_files(survey)),
            Ok(false) => self.move_files(),
            Err(failure) => {
                // Best effort: the next render cleans up as well.
                _ = self.discard();
                Err(failure)
            }
        }
    }

    /// Puts the staged folder in the unit's place at once; tells whether that could be done.
    fn commit(&self, survey: &Survey<'_>, complete: bool) -> Result<bool> {
        let staging = self.staging();
        let renamed = match (survey.exists, complete) {
            (true, false) => return Ok(false),
            (true, true) => self.disk.exchange(self.group, &staging, self.unit()),
            (false, _) => self.disk.rename_folder(self.group, &staging, self.unit()),
        };
        match renamed {
            Ok(()) => Ok(true),
            Err(failure) if cannot_rename(failure.error) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// Puts the staged folder in the unit's place file by file.
    fn move_files(&self) -> Result<()> {
        if let Some(folder) = self.group.open(&self.staging())? {
            self.disk.create(&folder, READY.as_bytes(), b"").inspect_err(|_| _ = self.discard())?;
        }
        if self.roll_forward()? { Ok(()) } else { Err(self.group.fail("write all of", self.unit())(Errno::EXIST)) }
    }

    /// Builds the new folder beside the old one; tells whether files that are not netloom's could be linked into it.
    fn stage(&self, survey: &Survey<'_>) -> Result<bool> {
        let folder = self.disk.make_folder(self.group, &self.staging())?;
        if let Some(record) = &survey.record {
            self.disk.create(&folder, record::FILE.as_bytes(), record.as_bytes())?;
        }
        let old = if survey.exists { self.group.open(self.unit())? } else { None };
        let mut staged = Staged { disk: self.disk, folder: &folder, old: old.as_ref(), made: BTreeSet::new() };
        for (artifact, state) in survey.unit.artifacts.iter().zip(&survey.states) {
            staged.artifact(artifact, *state)?;
        }
        let mut complete = true;
        for path in &survey.foreign {
            complete &= staged.link(path)?;
        }
        Ok(complete)
    }

    /// Deletes the staged folder. What is neither netloom's nor in the unit goes back there.
    pub(super) fn discard(&self) -> Result<()> {
        let staging = self.staging();
        let Some(folder) = self.group.open(&staging)? else { return Ok(()) };
        let own = own_record(&folder)?;
        let unit = self.group.open(self.unit())?;
        let mut listing = folder.list()?;
        // From here on it is not complete.
        if listing.remove(READY.as_bytes()).is_some() {
            self.disk.remove(&folder, READY.as_bytes())?;
        }
        let recorded = listing.remove(record::FILE.as_bytes()).is_some();
        for (path, _) in listing.iter().filter(|(_, kind)| **kind != Kind::Folder) {
            if own.lists(path) || unit.as_ref().is_some_and(|unit| unit.has(path)) {
                self.disk.remove(&folder, path)?;
            } else {
                self.move_over(&folder, path)?;
            }
        }
        for (path, _) in listing.iter().rev().filter(|(_, kind)| **kind == Kind::Folder) {
            self.disk.remove_folder(&folder, path)?;
        }
        if recorded {
            self.disk.remove(&folder, record::FILE.as_bytes())?;
        }
        self.disk.remove_folder(self.group, &staging)
    }

    /// Moves a file into the unit.
    fn move_over(&self, from: &Folder, path: &[u8]) -> Result<()> {
        let unit = self.disk.ensure_folder(self.group, self.unit())?;
        for above in parents(path) {
            if !unit.has(above) {
                self.disk.make(&unit, above)?;
            }
        }
        self.disk.rename(from, &unit, path)
    }

    /// Moves a complete new folder into the unit, file by file; can be interrupted and begun again at any point. A folder that is
    /// not complete is deleted.
    ///
    /// Tells whether every file found its place: somebody else's, that came after the render had looked, stays.
    pub(super) fn roll_forward(&self) -> Result<bool> {
        let mut whole = true;
        let Some(folder) = self.group.open(&self.staging())? else { return Ok(whole) };
        if folder.has(READY.as_bytes()) && folder.has(record::FILE.as_bytes()) {
            let new = own_record(&folder)?;
            let unit = self.disk.ensure_folder(self.group, self.unit())?;
            let old = own_record(&unit)?;
            self.remove_orphans(&unit, &old, &new)?;
            let staged = folder.list()?;
            for path in new.files.keys().filter(|path| staged.get(path.as_bytes()) == Some(&Kind::File)) {
                // Unchanged files stay: overlayfs does not let a link replace the file that it was made from.
                if as_recorded(&unit, &new, path) {
                    continue;
                }
                if old.lists(path.as_bytes()) || !unit.has(path.as_bytes()) {
                    self.move_over(&folder, path.as_bytes())?;
                } else {
                    whole = false;
                }
            }
            self.move_over(&folder, record::FILE.as_bytes())?;
        }
        self.discard()?;
        Ok(whole)
    }

    /// Removes what netloom wrote earlier and does not render any more, with folders that are empty then.
    fn remove_orphans(&self, unit: &Folder, old: &Record, new: &Record) -> Result<()> {
        for path in old.files.keys().filter(|path| !new.files.contains_key(*path)) {
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
            self.disk.remove(&unit, path)?;
            self.remove_empty(&unit, path)?;
        }
        if unit.has(record::FILE.as_bytes()) {
            self.disk.remove(&unit, record::FILE.as_bytes())?;
        }
        if unit.entries()?.is_empty() { self.disk.remove_folder(self.group, self.unit()) } else { Ok(()) }
    }
}

/// A new folder in the making.
struct Staged<'a> {
    disk: &'a Disk,
    folder: &'a Folder,
    old: Option<&'a Folder>,
    made: BTreeSet<Vec<u8>>,
}

impl Staged<'_> {
    fn artifact(&mut self, artifact: &Artifact, state: State) -> Result<()> {
        let path = artifact.path.as_bytes();
        if state == State::Same && self.link(path)? {
            return Ok(());
        }
        self.make_parents(path)?;
        self.disk.create(self.folder, path, artifact.text.as_bytes())
    }

    /// Links a file of the old folder into the new one; tells whether the file system lets one.
    fn link(&mut self, path: &[u8]) -> Result<bool> {
        let Some(old) = self.old else { return Ok(false) };
        self.make_parents(path)?;
        match self.disk.link(old, self.folder, path) {
            Ok(()) => Ok(true),
            Err(failure) if cannot_link(failure.error) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    fn make_parents(&mut self, path: &[u8]) -> Result<()> {
        for above in parents(path) {
            if !self.made.contains(above) {
                self.disk.make(self.folder, above)?;
                self.made.insert(above.to_vec());
            }
        }
        Ok(())
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

/// The folders above `path`, outermost first.
fn parents(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    (0..path.len()).filter(|at| path.get(*at) == Some(&b'/')).filter_map(|end| path.get(..end))
}
