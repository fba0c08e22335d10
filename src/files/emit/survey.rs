//! What stands in a unit's folder, held against what shall stand there.

use super::files::{Entry, Files, Listing};
use super::record::{self, Record};
use super::report;
use crate::paths::{Failure, Foreign, Held, Result};
use findings::{Diagnostic, rules};
use model::unit::{Artifact, Unit};
use tree::{Span, limits};

/// A rendered file, as it is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Not there.
    Missing,
    /// There, byte for byte.
    Same,
    /// There, byte for byte, but it may be executed.
    Executable,
    /// As netloom wrote it earlier; the first line that differs.
    Stale(usize),
    /// Written by netloom and changed by hand since; the first line that differs.
    Edited(usize),
    /// Something that netloom did not write.
    Foreign,
}

/// A unit and its folder.
#[derive(Debug)]
pub(super) struct Survey<'a> {
    pub(super) unit: &'a Unit,
    /// Whether the folder is there.
    pub(super) exists: bool,
    /// Of each artifact, in order.
    pub(super) states: Vec<State>,
    /// Files that netloom wrote earlier and renders no more, as they were written.
    pub(super) orphans: Vec<String>,
    /// Such files that were changed by hand.
    pub(super) edited: Vec<String>,
    /// Files that are none of netloom's, with the edited orphans.
    pub(super) foreign: Vec<(Vec<u8>, Entry)>,
    /// Folders that hold nothing, where nothing is rendered either.
    pub(super) hollow: Vec<Vec<u8>>,
    /// What the record shall say; none for a unit that no declaration makes.
    pub(super) record: Option<String>,
    /// Whether it says so.
    pub(super) recorded: bool,
}

/// A record, where there is one, or what is wrong with it.
pub(super) type Parsed = std::result::Result<Option<Record>, Diagnostic>;

/// The record in a unit's folder, as far as there is one.
pub(super) fn read_record(folder: &impl Files) -> Result<Parsed> {
    if !folder.has(record::FILE.as_bytes()) {
        return Ok(Ok(None));
    }
    let bytes = folder.read(record::FILE.as_bytes(), record::BYTES)?;
    Ok(match Record::parse(&bytes) {
        Ok(record) => Ok(Some(record)),
        Err(reason) => {
            let message = format!("`{}` is no ownership record: {reason}", folder.path_of(record::FILE.as_bytes()));
            Err(Diagnostic::new(&rules::OUTPUT_RECORD, Span::NONE, message))
        }
    })
}

/// Looks at a unit's folder. `declared` tells whether a declaration makes the unit; otherwise all of it is orphaned.
pub(super) fn survey<'a>(
    group: Option<&impl Files>,
    name: &str,
    unit: &'a Unit,
    declared: bool,
    foreign: &Foreign,
) -> std::result::Result<Survey<'a>, Diagnostic> {
    let record = declared.then(|| Record::of(&unit.artifacts));
    let mut survey = Survey {
        unit,
        exists: false,
        states: vec![State::Missing; unit.artifacts.len()],
        orphans: Vec::new(),
        edited: Vec::new(),
        foreign: Vec::new(),
        hollow: Vec::new(),
        record: record.as_ref().map(Record::text),
        recorded: false,
    };
    let report = |failure: Failure| report(&failure);
    let folder = match group.map(|group| group.open(name.as_bytes())) {
        None => None,
        Some(opened) => opened.map_err(report)?,
    };
    if let Some(folder) = folder {
        survey.exists = true;
        let wanted = survey.record.as_deref().unwrap_or_default();
        survey.recorded = survey.record.is_some()
            && folder.has(record::FILE.as_bytes())
            && folder.holds(record::FILE.as_bytes(), wanted).map_err(report)? == Held::Same;
        let old = match record.filter(|_| survey.recorded) {
            Some(record) => record,
            None => read_record(&folder).map_err(report)??.unwrap_or_default(),
        };
        survey.look(&folder, &old, foreign).map_err(report)?;
    }
    Ok(survey)
}

impl Survey<'_> {
    fn look(&mut self, folder: &impl Files, old: &Record, foreign: &Foreign) -> Result<()> {
        let mut listing = folder.list()?;
        listing.remove(record::FILE.as_bytes());
        for (state, artifact) in self.states.iter_mut().zip(&self.unit.artifacts) {
            match listing.remove(artifact.path.as_bytes()) {
                None => {}
                Some(Entry::File) => *state = compare(folder, artifact, old)?,
                Some(Entry::Folder) => _ = listing.insert(artifact.path.clone().into_bytes(), Entry::Folder),
                Some(Entry::Hollow) => {}
                Some(Entry::Link | Entry::Closed | Entry::Other) => *state = State::Foreign,
            }
        }
        for (path, entry) in &listing {
            match entry {
                Entry::Folder => {}
                Entry::Hollow => self.hollow(path),
                entry if foreign.covers_in(&self.unit.folder, path) => self.foreign.push((path.clone(), *entry)),
                entry => self.leftover(folder, path, *entry, old)?,
            }
        }
        self.find_blocked(&listing);
        Ok(())
    }

    /// Takes a folder with nothing in it, unless it only waits for what is rendered.
    fn hollow(&mut self, path: &[u8]) {
        let below = |artifact: &Artifact| artifact.path.as_bytes().strip_prefix(path).is_some_and(|rest| rest.starts_with(b"/"));
        if !self.unit.artifacts.iter().any(below) {
            self.hollow.push(path.to_vec());
        }
    }

    /// Takes a file that is not rendered.
    fn leftover(&mut self, folder: &impl Files, path: &[u8], entry: Entry, old: &Record) -> Result<()> {
        match std::str::from_utf8(path) {
            Ok(name) if old.lists(path) => {
                let own = entry == Entry::File && old.matches(name, &folder.read(path, limits::OUTPUT_FILE_BYTES)?);
                if own {
                    self.orphans.push(name.to_owned());
                    return Ok(());
                }
                self.edited.push(name.to_owned());
            }
            _ => {}
        }
        self.foreign.push((path.to_vec(), entry));
        Ok(())
    }

    /// Finds artifacts that cannot be written because something that is not netloom's lies across their path.
    fn find_blocked(&mut self, listing: &Listing) {
        for (state, artifact) in self.states.iter_mut().zip(&self.unit.artifacts) {
            let path = artifact.path.as_bytes();
            let below = |foreign: &[u8]| foreign.strip_prefix(path).is_some_and(|rest| rest.starts_with(b"/"));
            let above = |foreign: &[u8]| path.strip_prefix(foreign).is_some_and(|rest| rest.starts_with(b"/"));
            let folder = listing.get(path) == Some(&Entry::Folder);
            if *state == State::Missing && self.foreign.iter().any(|(foreign, _)| above(foreign) || (folder && below(foreign))) {
                *state = State::Foreign;
            }
        }
    }

    /// Whether nothing is to be left of the unit.
    pub(super) fn is_to_go(&self) -> bool {
        self.record.is_none() && self.foreign.is_empty()
    }

    /// Whether nothing has to be done.
    pub(super) fn is_current(&self) -> bool {
        let same = self.states.iter().all(|state| *state == State::Same);
        same && self.exists && self.recorded && self.orphans.is_empty() && self.edited.is_empty()
    }
}

fn compare(folder: &impl Files, artifact: &Artifact, old: &Record) -> Result<State> {
    let path = artifact.path.as_bytes();
    match folder.holds(path, &artifact.text)? {
        Held::Same => return Ok(State::Same),
        Held::Executable => return Ok(State::Executable),
        Held::Other => {}
    }
    if !old.lists(path) {
        return Ok(State::Foreign);
    }
    let bytes = folder.read(path, limits::OUTPUT_FILE_BYTES)?;
    let line = first_difference(&bytes, artifact.text.as_bytes());
    Ok(if old.matches(&artifact.path, &bytes) { State::Stale(line) } else { State::Edited(line) })
}

/// The first line in which two texts differ, counted from 1.
fn first_difference(a: &[u8], b: &[u8]) -> usize {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b);
    same.filter(|(byte, _)| **byte == b'\n').count() + 1
}
