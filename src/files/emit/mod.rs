//! All writing: rendered units to files, and the comparison of files with what they should be.
//!
//! A unit (one network or one cluster) is written as one: it is its old self or its new self whenever netloom is stopped
//! (`swap`). Its record (`record`) lists what netloom wrote; nothing else is ever replaced or deleted. What is on the disk
//! already is not written again, so a render that changes nothing changes no file's time.

mod attributes;
mod compare;
mod files;
mod names;
mod record;
mod standing;
mod strays;
mod survey;
mod swap;
mod write;

#[cfg(test)]
mod attributes_tests;
#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod stray_tests;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use rayon::prelude::*;
use rustix::io::Errno;

use crate::paths::{Disk, Failure, Folder, Foreign, Kind, Lock, Result, cause};
pub use attributes::{ATTRIBUTES, attributes, attributes_stored};
pub use compare::{compare, compare_stored};
use files::Files;
use findings::{Diagnostic, rules};
use model::unit::{Artifact, Unit};
pub use standing::{Listed, Standing, Stored, unchanged};
use survey::{State, Survey, survey};
use tree::Span;

/// Where output goes.
#[derive(Clone, Copy, Debug)]
pub struct Output<'a> {
    /// The project's root.
    pub root: &'a Path,
    /// The output folder, relative to the root; loading has checked that it is safe.
    pub folder: &'a str,
    /// What in it is others' on purpose.
    pub foreign: &'a Foreign,
}

/// The text of the record of a unit that consists of these files.
#[must_use]
pub fn record(artifacts: &[Artifact]) -> String {
    record::Record::of(artifacts).text()
}

/// Which units were rendered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// All that the declarations make; units that are on the disk and not among them belong to no declaration.
    All,
    /// Some of them; the others are left alone.
    #[default]
    Some,
}

/// What a render did.
#[derive(Debug, Default)]
pub struct Summary {
    /// The units that were rendered or removed, in order.
    pub units: Vec<UnitSummary>,
    /// What the user should know: files restored or kept.
    pub findings: Vec<Diagnostic>,
}

/// What a render did to one unit, in numbers of files; the record is not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitSummary {
    /// The unit's folder.
    pub folder: String,
    /// Files written: new, or changed.
    pub written: usize,
    /// Files that were there already, byte for byte.
    pub unchanged: usize,
    /// Files removed because nothing renders them any more.
    pub removed: usize,
}

/// Why a render failed.
#[derive(Debug)]
pub struct Unwritten {
    /// What went wrong, and what it left.
    pub findings: Vec<Diagnostic>,
    /// What was written all the same.
    pub extent: Extent,
}

/// What a render that failed has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Every unit is as before.
    Nothing,
    /// Some units are as rendered; a finding says which.
    Part,
    /// Every unit is as rendered, but something of what was replaced is left.
    Everything,
}

impl Extent {
    /// The consequence, for people.
    #[must_use]
    pub fn consequence(self) -> &'static str {
        match self {
            Extent::Nothing => "nothing was written",
            Extent::Part => "the output was written in part",
            Extent::Everything => "everything was written, but not everything old was deleted",
        }
    }
}

impl From<Vec<Diagnostic>> for Unwritten {
    fn from(findings: Vec<Diagnostic>) -> Self {
        Self { findings, extent: Extent::Nothing }
    }
}

impl Unwritten {
    fn nothing(failure: &Failure) -> Self {
        vec![report(failure)].into()
    }

    /// An earlier render, which was interrupted, could not be finished.
    fn interrupted(failure: &Failure) -> Self {
        let help = "an interrupted render could not be finished; this one did not begin";
        vec![report(failure).help(help)].into()
    }

    /// Everything is written, but these could not be deleted.
    fn left_over(failures: &[&Failure]) -> Self {
        let help = "the next `netloom render` deletes it; do not commit it";
        Self { findings: failures.iter().map(|failure| report(failure).help(help)).collect(), extent: Extent::Everything }
    }

    /// The same, with what could not be deleted.
    fn and(mut self, left: &[Failure]) -> Self {
        self.findings.extend(Self::left_over(&left.iter().collect::<Vec<_>>()).findings);
        self
    }
}

/// A failure as a finding.
fn report(failure: &Failure) -> Diagnostic {
    let Failure { doing, path, error } = failure;
    if matches!(*error, Errno::LOOP | Errno::NOTDIR) {
        let message = format!("`{path}` is a link or a file where a folder must be; netloom does not write through links");
        return Diagnostic::new(&rules::OUTPUT_UNSAFE, Span::NONE, message);
    }
    let message = format!("cannot {doing} `{path}`: {}", cause(&(*error).into()));
    Diagnostic::new(&rules::OUTPUT_WRITE, Span::NONE, message)
}

/// Writes the units. Every check comes first, then everything is staged, then replaced, then what is old is deleted.
///
/// # Errors
/// When a name is not fit for a file, when something that is not netloom's stands in the way, or when the file system refuses.
pub fn write(output: &Output<'_>, units: &[Unit], scope: Scope) -> std::result::Result<Summary, Unwritten> {
    write_with(&Disk::default(), output, units, scope)
}

fn write_with(disk: &Disk, output: &Output<'_>, units: &[Unit], scope: Scope) -> std::result::Result<Summary, Unwritten> {
    let mut findings = Vec::new();
    names::check(output.folder, units, &mut findings);
    if !findings.is_empty() {
        return Err(findings.into());
    }
    write::Grounds::open(disk, output).map_err(|finding| vec![finding])?.write(units, scope)
}

/// The folders of [`names::GROUPS`], as far as they are there.
type Groups<F = Folder> = [Option<F>; 2];

fn open_groups<F: Files>(folder: &F) -> Result<Groups<F>> {
    let [clusters, networks] = names::GROUPS.map(|name| folder.open(name.as_bytes()));
    Ok([clusters?, networks?])
}

/// The output folder below the project's, when it is there.
fn open_output<F: Files>(root: F, folder: &str) -> Result<Option<F>> {
    let root = Some(root);
    folder.split('/').try_fold(root, |folder, part| folder.map_or(Ok(None), |folder| folder.open(part.as_bytes())))
}

/// Locks the output folder until it is closed. The lock is on the folder itself, so that no lock file gets into a repository.
fn lock(folder: &Folder, operation: Lock, wait: Duration, output: &Output<'_>) -> std::result::Result<(), Diagnostic> {
    folder.lock(operation, wait).map_err(|_| {
        let message = format!("another netloom is at work in `{}`", output.folder);
        Diagnostic::new(&rules::OUTPUT_WRITE, Span::NONE, message).help("wait until it is done, and try again")
    })
}

/// A unit's group, when it is there, and its name.
fn place<'a, 'b, F>(groups: &'a Groups<F>, folder: &'b str) -> (Option<&'a F>, &'b str) {
    let (group, name) = names::unit(folder).unwrap_or_default();
    let index = names::GROUPS.iter().position(|known| *known == group);
    (index.and_then(|index| groups.get(index)?.as_ref()), name)
}

/// The units that are there, told by their records, and that no declaration makes.
fn orphans<F: Files>(groups: &Groups<F>, foreign: &Foreign, declared: &dyn Fn(&str) -> bool) -> Result<Vec<Unit>> {
    let mut orphans = Vec::new();
    for (group, name) in groups.iter().zip(names::GROUPS) {
        let Some(group) = group else { continue };
        for (entry, kind) in group.entries()? {
            let folder = format!("{name}/{}", String::from_utf8_lossy(&entry));
            let ours = kind == Kind::Folder && names::unit(&folder).is_some() && !declared(&folder);
            let ours = ours && !foreign.covers_in(&folder, record::FILE.as_bytes());
            if ours && group.open(&entry)?.is_some_and(|unit| unit.has(record::FILE.as_bytes())) {
                orphans.push(Unit { folder, declared: Span::NONE, artifacts: Vec::new() });
            }
        }
    }
    Ok(orphans)
}

/// Looks at every unit's folder, side by side; and what is wrong with those that cannot be looked at.
fn surveys<'a, F: Files>(
    groups: &Groups<F>,
    units: &'a [Unit],
    orphans: &'a [Unit],
    foreign: &Foreign,
) -> (Vec<Survey<'a>>, Vec<Diagnostic>) {
    let all: Vec<_> = units.iter().map(|unit| (unit, true)).chain(orphans.iter().map(|unit| (unit, false))).collect();
    let look = |(unit, declared): &(&'a Unit, bool)| {
        let (group, name) = place(groups, &unit.folder);
        survey(group, name, unit, *declared, foreign)
    };
    let looked: Vec<_> = all.par_iter().map(look).collect();
    let (mut surveys, mut findings) = (Vec::with_capacity(looked.len()), Vec::new());
    for one in looked {
        match one {
            Ok(survey) => surveys.push(survey),
            Err(finding) => findings.push(finding),
        }
    }
    (surveys, findings)
}

fn summary(output: &Output<'_>, surveys: &[Survey<'_>]) -> Summary {
    let mut summary = Summary::default();
    for survey in surveys {
        let unchanged = survey.states.iter().filter(|state| **state == State::Same).count();
        let folder = survey.unit.folder.clone();
        let written = survey.states.len() - unchanged;
        summary.units.push(UnitSummary { folder, written, unchanged, removed: survey.orphans.len() });
        let mut tell = |rule, path: &str, what: &str| {
            let message = format!("`{}/{}/{path}` {what}", output.folder, survey.unit.folder);
            summary.findings.push(Diagnostic::new(rule, Span::NONE, message));
        };
        for (artifact, state) in survey.unit.artifacts.iter().zip(&survey.states) {
            if let State::Edited(line) = state {
                let what = format!("had been changed by hand, first in line {line}, and is restored");
                tell(&rules::OUTPUT_RESTORED, &artifact.path, &what);
            }
        }
        for path in &survey.edited {
            tell(&rules::OUTPUT_KEPT, path, "is rendered no more, but was changed by hand, and is kept");
        }
    }
    summary
}
