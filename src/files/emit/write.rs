//! Writing units: all of them are staged before anything is replaced, and replaced before anything is deleted.

use std::collections::BTreeSet;
use std::time::Duration;

use rayon::prelude::*;
use rustix::io::Errno;

use super::survey::Survey;
use super::swap::{self, Committed, Swap};
use super::{
    Extent, Groups, Output, Scope, Summary, Unwritten, compare, lock, names, open_groups, orphans, place, report, summary,
    surveys,
};
use crate::paths::{Disk, Failure, Folder, Kind, Lock, Mode, Result};
use findings::{Diagnostic, Severity, rules};
use model::unit::Unit;
use tree::{Span, limits};

/// The output folder, held and locked, and what was made on the way to it.
pub(super) struct Grounds<'a> {
    disk: &'a Disk,
    output: &'a Output<'a>,
    root: Folder,
    /// It is locked as long as it is open.
    folder: Folder,
    /// Folders that were made, from the root on, in this order.
    made: Vec<Vec<u8>>,
}

impl<'a> Grounds<'a> {
    /// Opens the output folder and locks it; it is made where it is missing. Opened part by part, so that no part is a link.
    pub(super) fn open(disk: &'a Disk, output: &'a Output<'a>) -> std::result::Result<Self, Diagnostic> {
        let root = Folder::root(output.root).map_err(|failure| report(&failure))?;
        let mut made = Vec::new();
        let ends = output.folder.match_indices('/').map(|(end, _)| end).chain([output.folder.len()]);
        let mut opened = Ok(None);
        for part in ends.filter_map(|end| output.folder.get(..end)) {
            opened = ensure(disk, &root, part.as_bytes(), &mut made).map(Some);
            if opened.is_err() {
                break;
            }
        }
        let folder = match opened {
            Ok(Some(folder)) => folder,
            Ok(None) => Folder::root(output.root).map_err(|failure| report(&failure))?,
            Err(failure) => {
                clear(disk, &root, &made);
                return Err(report(&failure));
            }
        };
        let wait = Duration::from_secs(limits::LOCK_SECONDS);
        lock(&folder, Lock::NonBlockingLockExclusive, wait, output)?;
        Ok(Self { disk, output, root, folder, made })
    }

    /// Writes units. When it fails, no folder that was made is left empty.
    pub(super) fn write(mut self, units: &[Unit], scope: Scope) -> std::result::Result<Summary, Unwritten> {
        let written = self.write_all(units, scope);
        let staging = self.made.iter().filter(|path| path.ends_with(swap::STAGING.as_bytes()));
        let remove = |path: &Vec<u8>| self.disk.remove_folder(&self.root, path);
        let left: Vec<_> = staging.filter_map(|path| remove(path).or_else(|_| remove(path)).err()).collect();
        match &written {
            Err(_) => clear(self.disk, &self.root, &self.made),
            Ok(_) => self.clear_groups(),
        }
        match left.first() {
            Some(failure) if written.is_ok() => Err(Unwritten::left_over(&[failure])),
            _ => written,
        }
    }

    fn write_all(&mut self, units: &[Unit], scope: Scope) -> std::result::Result<Summary, Unwritten> {
        let groups = open_groups(&self.folder).map_err(|failure| Unwritten::nothing(&failure))?;
        self.heal(&groups)?;
        let declared: BTreeSet<&str> = units.iter().map(|unit| unit.folder.as_str()).collect();
        let orphans = match scope {
            Scope::All => orphans(&groups, self.output.foreign, &|folder| declared.contains(folder)),
            Scope::Some => Ok(Vec::new()),
        };
        let orphans = orphans.map_err(|failure| Unwritten::nothing(&failure))?;
        let (surveys, wrong) = surveys(&groups, units, &orphans, self.output.foreign);
        if !wrong.is_empty() {
            return Err(wrong.into());
        }
        let refused: Vec<_> = surveys.iter().flat_map(|survey| compare::in_the_way(self.output.folder, survey)).collect();
        if !refused.is_empty() {
            return Err(refused.into());
        }
        let changes: Vec<_> = surveys.iter().filter(|survey| !survey.is_current()).collect();
        if !changes.is_empty() {
            self.replace(&changes)?;
        }
        let mut summary = summary(self.output, &surveys);
        let known = |folder: &str| declared.contains(folder) || orphans.iter().any(|unit| unit.folder == folder);
        let known = (scope == Scope::All).then_some(&known as &dyn Fn(&str) -> bool);
        let (strays, wrong) = compare::strays(Some(&self.folder), &groups, &surveys, known);
        let left = strays.standing(&self.folder).report(self.output.folder, self.output.foreign).into_iter().chain(wrong);
        summary.findings.extend(left.map(|finding| Diagnostic { severity: Severity::Warning, ..finding }));
        Ok(summary)
    }

    /// Removes folders of units in which no unit is left: Git would not carry them.
    fn clear_groups(&self) {
        let hollow = |name: &&str| {
            let group = self.folder.open(name.as_bytes()).ok().flatten();
            group.is_some_and(|group| group.entries().is_ok_and(|entries| entries.is_empty()))
        };
        // Where that fails, it is told like any other folder that holds nothing.
        names::GROUPS
            .iter()
            .filter(|name| hollow(name))
            .for_each(|name| _ = self.disk.remove_folder(&self.folder, name.as_bytes()));
    }

    /// Finishes or undoes what an interrupted render left behind.
    fn heal(&mut self, groups: &Groups) -> std::result::Result<(), Unwritten> {
        self.clear_groups();
        let mut planted = Vec::new();
        for (group, group_name) in groups.iter().zip(names::GROUPS) {
            let Some(group) = group else { continue };
            let traces = swap::traces(group).map_err(|failure| Unwritten::nothing(&failure))?;
            planted.extend(traces.planted.iter().map(|entry| compare::planted(self.output.folder, group_name, entry)));
            let Some(staging) = traces.staging else { continue };
            // It is removed in the end, like one that this render has made.
            self.made.push(format!("{}/{group_name}/{}", self.output.folder, swap::STAGING).into_bytes());
            for name in &traces.units {
                let folder = format!("{group_name}/{name}");
                let swap = Swap { disk: self.disk, group, staging: &staging, folder: &folder, foreign: self.output.foreign };
                swap.roll_forward().map_err(|failure| Unwritten::interrupted(&failure))?;
            }
            for (entry, kind) in group.entries().map_err(|failure| Unwritten::nothing(&failure))? {
                if kind == Kind::Folder && !swap::is_staging_name(&entry) {
                    self.sweep(group, &entry).map_err(|failure| Unwritten::interrupted(&failure))?;
                }
            }
        }
        if planted.is_empty() { Ok(()) } else { Err(planted.into()) }
    }

    /// Removes folders of a unit that hold nothing, and the unit's own if it does not either.
    fn sweep(&self, group: &Folder, unit: &[u8]) -> Result<()> {
        match group.open(unit)? {
            Some(folder) if swap::sweep(self.disk, &folder)? => self.disk.remove_folder(group, unit),
            _ => Ok(()),
        }
    }

    /// Makes the folders that units are staged in and put in.
    fn prepare(&mut self, changes: &[&Survey<'_>]) -> Result<[Option<(Folder, Folder)>; 2]> {
        let mut prepare = |group: &str| {
            if !changes.iter().any(|survey| names::unit(&survey.unit.folder).is_some_and(|(of, _)| of == group)) {
                return Ok(None);
            }
            let path = format!("{}/{group}", self.output.folder);
            let folder = ensure(self.disk, &self.root, path.as_bytes(), &mut self.made)?;
            let path = format!("{path}/{}", swap::STAGING).into_bytes();
            let staging = match folder.open(swap::STAGING.as_bytes())? {
                Some(staging) => staging,
                None => {
                    self.disk.make_closed(&folder, swap::STAGING.as_bytes(), swap::MARK)?;
                    self.made.push(path);
                    let gone = || folder.fail("open", swap::STAGING.as_bytes())(Errno::NOENT);
                    folder.open(swap::STAGING.as_bytes())?.ok_or_else(gone)?
                }
            };
            Ok(Some((folder, staging)))
        };
        let [clusters, networks] = names::GROUPS;
        Ok([prepare(clusters)?, prepare(networks)?])
    }

    fn replace(&mut self, changes: &[&Survey<'_>]) -> std::result::Result<(), Unwritten> {
        let groups = self.prepare(changes).map_err(|failure| Unwritten::nothing(&failure))?;
        let (disk, foreign) = (self.disk, self.output.foreign);
        let mut swaps: Vec<Change<'_>> = Vec::with_capacity(changes.len());
        for survey in changes {
            let (folder, (group, _)) = (&survey.unit.folder, place(&groups, &survey.unit.folder));
            swaps.extend(group.map(|(group, staging)| (Swap { disk, group, staging, folder, foreign }, *survey)));
        }
        let changes = swaps;
        let staged: Vec<_> = changes.par_iter().map(|(swap, survey)| swap.stage(survey)).collect();
        let complete = match staged.into_iter().collect::<Result<Vec<_>>>() {
            Ok(complete) => complete,
            Err(failure) => {
                let left = discard(&changes);
                return Err(Unwritten::nothing(&failure).and(&left));
            }
        };
        let mut round =
            Round { folder: self.output.folder, changes: changes.into_iter().zip(complete).collect(), states: Vec::new() };
        round.commit()?;
        round.finish()
    }
}

/// Makes a folder below the root that may be there already, and opens it.
fn ensure(disk: &Disk, root: &Folder, path: &[u8], made: &mut Vec<Vec<u8>>) -> Result<Folder> {
    if let Some(folder) = root.open(path)? {
        return Ok(folder);
    }
    match disk.make_closed(root, path, Mode::empty()) {
        Ok(()) => made.push(path.to_vec()),
        // Another netloom may have made it meanwhile.
        Err(failure) => return root.open(path)?.ok_or(failure),
    }
    root.open(path)?.ok_or_else(|| root.fail("open", path)(Errno::NOENT))
}

/// Removes folders that were made, as far as they are empty.
fn clear(disk: &Disk, root: &Folder, made: &[Vec<u8>]) {
    made.iter()
        .rev()
        .filter(|path| root.kind(path).is_ok_and(|kind| kind == Some(Kind::Folder)))
        .for_each(|path| _ = disk.remove_folder(root, path));
}

type Change<'a> = (Swap<'a>, &'a Survey<'a>);

/// Deletes what is staged; tells what could not be deleted.
fn discard(changes: &[Change<'_>]) -> Vec<Failure> {
    changes.par_iter().filter_map(|(swap, _)| swap.discard().err()).collect()
}

/// Units that are staged, and put in their places.
struct Round<'a> {
    folder: &'a str,
    /// With whether everything of a unit is staged.
    changes: Vec<(Change<'a>, bool)>,
    /// How far each has come, in their order.
    states: Vec<Result<Committed>>,
}

impl Round<'_> {
    /// Puts the staged folders in their places. When one cannot be, all go back.
    fn commit(&mut self) -> std::result::Result<(), Unwritten> {
        // What is rendered no more goes when everything else is in place.
        self.changes.sort_by_key(|((_, survey), _)| survey.record.is_none());
        let declared = self.changes.iter().filter(|((_, survey), _)| survey.record.is_some()).count();
        let (declared, gone) = self.changes.split_at(declared);
        for part in [declared, gone] {
            let committed: Vec<_> = part.par_iter().map(|((swap, survey), complete)| swap.commit(survey, *complete)).collect();
            self.states.extend(committed);
            if self.states.iter().any(Result::is_err) {
                break;
            }
        }
        if self.states.iter().any(Result::is_err) { Err(self.undo()) } else { Ok(()) }
    }

    /// Takes everything back after a failure.
    fn undo(&mut self) -> Unwritten {
        let mut failures: Vec<_> = self.states.iter().filter_map(|state| state.as_ref().err().cloned()).collect();
        for (((swap, survey), _), state) in self.changes.iter().zip(&mut self.states) {
            if matches!(state, Ok(Committed::Whole)) {
                match swap.undo(survey) {
                    Ok(()) => *state = Ok(Committed::ByFile),
                    Err(failure) => failures.push(failure),
                }
            }
        }
        let changes: Vec<_> = self.changes.iter().map(|(change, _)| *change).collect();
        let left = discard(&changes);
        let whole = |state: &Result<Committed>| matches!(state, Ok(Committed::Whole));
        let standing: Vec<_> = (0..self.changes.len())
            .map(|at| if self.states.get(at).is_some_and(whole) { Standing::New } else { Standing::Old })
            .collect();
        self.told(&failures, &standing).and(&left)
    }

    /// Moves the files of units that could not be exchanged, those that are no more last, and deletes what was replaced.
    fn finish(&mut self) -> std::result::Result<(), Unwritten> {
        let whole = |at: usize| matches!(self.states.get(at), Some(Ok(Committed::Whole)));
        let mut standing: Vec<_> =
            (0..self.changes.len()).map(|at| if whole(at) { Standing::New } else { Standing::Old }).collect();
        let mut failures = Vec::new();
        for declared in [true, false] {
            let wanted =
                |(at, ((_, survey), _)): &(usize, &(Change<'_>, bool))| !whole(*at) && survey.record.is_some() == declared;
            let by_file: Vec<_> = self.changes.iter().enumerate().filter(wanted).collect();
            let moved = by_file.par_iter().map(|(at, ((swap, survey), _))| (*at, swap.move_files(survey).err()));
            for (at, failure) in moved.collect::<Vec<_>>() {
                let now = if failure.is_some() { Standing::Part } else { Standing::New };
                standing.get_mut(at).into_iter().for_each(|one| *one = now);
                failures.extend(failure);
            }
            if !failures.is_empty() {
                break;
            }
        }
        let replaced: Vec<_> =
            self.changes.iter().enumerate().filter(|(at, _)| whole(*at)).map(|(_, (change, _))| *change).collect();
        let left = discard(&replaced);
        match (failures.is_empty(), left.is_empty()) {
            (true, true) => Ok(()),
            (true, false) => Err(Unwritten::left_over(&left.iter().collect::<Vec<_>>())),
            (false, _) => Err(self.told(&failures, &standing).and(&left)),
        }
    }

    /// Failures, and what they mean for each unit.
    fn told(&self, failures: &[Failure], standing: &[Standing]) -> Unwritten {
        let mut findings: Vec<_> = failures.iter().map(report).collect();
        if standing.iter().all(|one| *one == Standing::Old) {
            return findings.into();
        }
        let units = |wanted: Standing| {
            let names = self.changes.iter().zip(standing).filter(move |(_, one)| **one == wanted);
            names.map(|(((_, survey), _), _)| format!("`{}/{}`", self.folder, survey.unit.folder)).collect::<Vec<_>>().join(", ")
        };
        let parts = [(Standing::New, "as rendered"), (Standing::Part, "between old and new"), (Standing::Old, "as before")];
        let parts = parts.map(|(standing, what)| (units(standing), what));
        let parts: Vec<_> =
            parts.iter().filter(|(units, _)| !units.is_empty()).map(|(units, what)| format!("{what}: {units}")).collect();
        findings.push(Diagnostic::new(
            &rules::OUTPUT_PARTIAL,
            Span::NONE,
            format!("the output is written in part; {}", parts.join("; ")),
        ));
        Unwritten { findings, extent: Extent::Part }
    }
}

/// What a unit is after a failure.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Old,
    Part,
    New,
}
