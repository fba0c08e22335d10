//! Replacing a unit's folder as one.
//!
//! The new folder is staged beside the old one, on the same device, and the two exchange their names in one step
//! (`renameat2` with `RENAME_EXCHANGE`). Unchanged files and files that are not netloom's are hard links, so they keep their times
//! and are never copied. Two names next to a unit `NAME` tell what was going on when a render was killed:
//!
//! - `.NAME.netloom-staging`: a new folder that is not complete yet, or the old one after the exchange. The unit is whole either
//!   way; what netloom wrote here is deleted, and anything else that is not in the unit is put back.
//! - `.NAME.netloom-ready`: a complete new folder on a file system that cannot exchange (overlayfs below an image's layer, some
//!   network file systems). Its files are moved over one by one, the record last; until then the unit is half old, half new,
//!   `check` says so, and the next render goes on with the moving.
//!
//! The record is the first file in a new folder and the last one out of an old one, so it is always known what is netloom's.
//!
//! Nothing is synced to the device. The promise is about a process that is killed at any moment, not about a machine that loses
//! power: rendered output can be rendered again, and is committed to Git, and syncing 25,000 files takes minutes.

use std::collections::BTreeSet;

use rustix::io::Errno;

use super::disk::{Disk, Folder, Kind, Result};
use super::record::{self, Record};
use super::survey::{State, Survey};
use crate::limits;
use crate::unit::Artifact;

const STAGING: &str = ".netloom-staging";
const READY: &str = ".netloom-ready";

/// The unit whose interrupted render an entry of a group is the trace of.
pub(super) fn trace_of(entry: &[u8]) -> Option<&str> {
    let entry = std::str::from_utf8(entry).ok()?.strip_prefix('.')?;
    let name = entry.strip_suffix(STAGING).or_else(|| entry.strip_suffix(READY))?;
    crate::tree::schema::dns_label(name).is_ok().then_some(name)
}

/// Whether an exchange failed because there is none on this file system, or not for this folder.
fn cannot_exchange(error: Errno) -> bool {
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

    fn ready(&self) -> Vec<u8> {
        format!(".{}{READY}", self.name).into_bytes()
    }

    fn unit(&self) -> &[u8] {
        self.name.as_bytes()
    }

    /// Makes the unit's folder what the survey says it shall be.
    pub(super) fn write(&self, survey: &Survey<'_>) -> Result<()> {
        if survey.record.is_none() && survey.foreign.is_empty() {
            self.disk.rename((self.group, self.unit()), (self.group, &self.staging()))?;
            return self.discard(&self.staging());
        }
        match self.stage(survey) {
            Ok(complete) => self.commit(survey, complete),
            Err(failure) => {
                // Best effort: the next render cleans up as well.
                _ = self.discard(&self.staging());
                Err(failure)
            }
        }
    }

    fn commit(&self, survey: &Survey<'_>, complete: bool) -> Result<()> {
        let staging = self.staging();
        if !survey.exists {
            let renamed = self.disk.rename((self.group, &staging), (self.group, self.unit()));
            return renamed.inspect_err(|_| _ = self.discard(&staging));
        }
        if complete {
            match self.disk.exchange(self.group, &staging, self.unit()) {
                Ok(()) => return self.discard(&staging),
                Err(failure) if cannot_exchange(failure.error) => {}
                Err(failure) => {
                    _ = self.discard(&staging);
                    return Err(failure);
                }
            }
        }
        if survey.record.is_none() {
            self.discard(&staging)?;
            return self.remove_files(survey);
        }
        let renamed = self.disk.rename((self.group, &staging), (self.group, &self.ready()));
        renamed.inspect_err(|_| _ = self.discard(&staging))?;
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

    /// Deletes a folder that is not, or no longer, the unit. What is neither netloom's nor in the unit goes back there.
    pub(super) fn discard(&self, name: &[u8]) -> Result<()> {
        let Some(folder) = self.group.open(name)? else { return Ok(()) };
        let own = own_record(&folder)?;
        let unit = self.group.open(self.unit())?;
        let listing = folder.list()?;
        for (path, _) in listing.iter().filter(|(path, kind)| **kind != Kind::Folder && *path != record::FILE.as_bytes()) {
            if own.lists(path) || unit.as_ref().is_some_and(|unit| unit.has(path)) {
                self.disk.remove(&folder, path)?;
            } else {
                self.move_over(&folder, path)?;
            }
        }
        for (path, _) in listing.iter().rev().filter(|(_, kind)| **kind == Kind::Folder) {
            self.disk.remove_folder(&folder, path)?;
        }
        if listing.contains_key(record::FILE.as_bytes()) {
            self.disk.remove(&folder, record::FILE.as_bytes())?;
        }
        self.disk.remove_folder(self.group, name)
    }

    /// Moves a file into the unit.
    fn move_over(&self, from: &Folder, path: &[u8]) -> Result<()> {
        let unit = self.disk.ensure_folder(self.group, self.unit())?;
        for above in parents(path) {
            if !unit.has(above) {
                self.disk.make(&unit, above)?;
            }
        }
        self.disk.rename((from, path), (&unit, path))
    }

    /// Moves a complete new folder into the unit, file by file; can be interrupted and begun again at any point.
    ///
    /// Tells whether every file found its place: somebody else's, that came after the render had looked, stays.
    pub(super) fn roll_forward(&self) -> Result<bool> {
        let ready = self.ready();
        let mut whole = true;
        let Some(folder) = self.group.open(&ready)? else { return Ok(whole) };
        if folder.has(record::FILE.as_bytes()) {
            let new = own_record(&folder)?;
            let unit = self.disk.ensure_folder(self.group, self.unit())?;
            let old = own_record(&unit)?;
            self.remove_orphans(&unit, &old, &new)?;
            let staged = folder.list()?;
            for path in new.files.keys().map(String::as_bytes).filter(|path| staged.get(*path) == Some(&Kind::File)) {
                if old.lists(path) || !unit.has(path) {
                    self.move_over(&folder, path)?;
                } else {
                    whole &= unit.same_file(&folder, path);
                }
            }
            self.move_over(&folder, record::FILE.as_bytes())?;
        }
        self.discard(&ready)?;
        Ok(whole)
    }

    /// Removes what netloom wrote earlier and does not render any more, with folders that are empty then.
    fn remove_orphans(&self, unit: &Folder, old: &Record, new: &Record) -> Result<()> {
        for path in old.files.keys().filter(|path| !new.files.contains_key(*path)) {
            let bytes = unit.has(path.as_bytes()).then(|| unit.read(path.as_bytes(), limits::OUTPUT_FILE_BYTES));
            if bytes.is_some_and(|bytes| bytes.is_ok_and(|bytes| old.matches(path, &bytes))) {
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
        if unit.has(record::FILE.as_bytes()) { self.disk.remove(&unit, record::FILE.as_bytes()) } else { Ok(()) }
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
    Ok(record.ok().flatten().map(|(record, _)| record).unwrap_or_default())
}

/// The folders above `path`, outermost first.
fn parents(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    (0..path.len()).filter(|at| path.get(*at) == Some(&b'/')).filter_map(|end| path.get(..end))
}
