//! Whether the files are what the declarations make, without writing anything.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::files::{Files, Stored};
use super::strays::Strays;
use super::survey::{State, Survey};
use super::{Groups, Output, Scope, lock, names, open_groups, open_output, orphans, report, surveys, swap};
use crate::git::Tree;
use crate::paths::{Folder, Foreign, Lock};
use findings::{Diagnostic, Rule, rules};
use model::unit::Unit;
use tree::{Span, limits};

/// Compares the units with the files of the output folder.
#[must_use]
pub fn compare(output: &Output<'_>, units: &[Unit], scope: Scope) -> Vec<Diagnostic> {
    let folders: BTreeSet<&str> = units.iter().map(|unit| unit.folder.as_str()).collect();
    let declared = |folder: &str| folders.contains(folder);
    let all = (scope == Scope::All).then_some(&declared as &dyn Fn(&str) -> bool);
    checked(output.folder, units, |findings| {
        let folder = Folder::root(output.root).and_then(|root| open_output(root, output.folder));
        let folder = folder.map_err(|failure| report(&failure))?;
        if let Some(folder) = &folder {
            let wait = Duration::from_secs(limits::LOCK_SECONDS);
            lock(folder, Lock::NonBlockingLockShared, wait, output)?;
        }
        compare_files((output.folder, output.foreign), folder.as_ref(), units, all, findings)
    })
}

/// Compares units with the files of the output folder that Git has stored. `declared` tells which units the declarations make, so
/// that what else is there is left over.
#[must_use]
pub fn compare_stored(
    tree: &Arc<Tree>,
    (output, foreign): (&str, &Foreign),
    units: &[Unit],
    declared: &dyn Fn(&str) -> bool,
) -> Vec<Diagnostic> {
    checked(output, units, |findings| {
        let folder = open_output(Stored::root(tree), output).map_err(|failure| report(&failure))?;
        compare_files((output, foreign), folder.as_ref(), units, Some(declared), findings)
    })
}

/// Compares units whose names may be written.
fn checked(
    output: &str,
    units: &[Unit],
    compare: impl FnOnce(&mut Vec<Diagnostic>) -> Result<(), Diagnostic>,
) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    names::check(output, units, &mut findings);
    if findings.is_empty() {
        compare(&mut findings).unwrap_or_else(|finding| findings.push(finding));
    }
    findings
}

/// Compares units with what is in the output folder. Where it is known which units are declared, the rest of the folder is looked at, too.
fn compare_files<F: Files>(
    (output, foreign): (&str, &Foreign),
    folder: Option<&F>,
    units: &[Unit],
    declared: Option<&dyn Fn(&str) -> bool>,
    findings: &mut Vec<Diagnostic>,
) -> Result<(), Diagnostic> {
    let report = |failure| report(&failure);
    let groups = folder.map_or(Ok([None, None]), open_groups).map_err(report)?;
    interrupted(output, &groups, findings)?;
    let left = declared.map_or(Ok(Vec::new()), |declared| orphans(&groups, foreign, declared)).map_err(report)?;
    let (surveys, mut wrong) = surveys(&groups, units, &left, foreign);
    findings.append(&mut wrong);
    surveys.iter().for_each(|survey| judge(output, survey, findings));
    let known = |unit: &str| left.iter().any(|one| one.folder == unit) || declared.is_some_and(|declared| declared(unit));
    let known = declared.map(|_| &known as &dyn Fn(&str) -> bool);
    let (strays, wrong) = strays(folder, &groups, &surveys, known);
    findings.extend(strays.report(output, foreign).into_iter().chain(wrong));
    Ok(())
}

/// What nothing renders: in units, and, where the `known` units are all that there are, outside of them; and why not all of it is
/// known.
pub(super) fn strays<F: Files>(
    folder: Option<&F>,
    groups: &Groups<F>,
    surveys: &[Survey<'_>],
    known: Option<&dyn Fn(&str) -> bool>,
) -> (Strays, Option<Diagnostic>) {
    let mut strays = Strays::default();
    surveys.iter().for_each(|survey| strays.in_unit(survey));
    let outside = folder.zip(known).map(|(folder, known)| strays.outside(folder, groups, known));
    (strays, outside.and_then(Result::err).map(|failure| report(&failure)))
}

/// Reports renders that were stopped in the middle, and what only looks like that.
fn interrupted<F: Files>(output: &str, groups: &Groups<F>, findings: &mut Vec<Diagnostic>) -> Result<(), Diagnostic> {
    for (group, folder) in groups.iter().zip(names::GROUPS) {
        let Some(group) = group else { continue };
        let traces = swap::traces(group).map_err(|failure| report(&failure))?;
        findings.extend(traces.planted.iter().map(|entry| planted(output, folder, entry)));
        let stopped = |what: String| {
            let message = format!("a render of `{output}/{folder}{what}` was stopped in the middle");
            Diagnostic::new(&rules::OUTPUT_INTERRUPTED, Span::NONE, message)
        };
        findings.extend(traces.units.iter().map(|name| stopped(format!("/{name}"))));
        if traces.staging.is_some() && traces.units.is_empty() {
            findings.push(stopped(String::new()));
        }
    }
    Ok(())
}

/// Reports what pretends to be a staging folder.
pub(super) fn planted(output: &str, group: &str, entry: &[u8]) -> Diagnostic {
    let path = crate::paths::joined(&format!("{output}/{group}"), entry);
    Diagnostic::new(&rules::OUTPUT_PLANTED, Span::NONE, format!("`{path}` looks like netloom's own, but netloom did not make it"))
}

/// Adds findings about one unit.
struct Judge<'a> {
    folder: String,
    declared: Span,
    findings: &'a mut Vec<Diagnostic>,
}

impl<'a> Judge<'a> {
    fn new(output: &str, survey: &Survey<'_>, findings: &'a mut Vec<Diagnostic>) -> Self {
        let folder = format!("{output}/{}", survey.unit.folder);
        Self { folder, declared: survey.unit.declared, findings }
    }

    fn file(&mut self, rule: &'static Rule, path: &str, what: &str) {
        let message = format!("`{}/{path}` {what}", self.folder);
        self.push(rule, message);
    }

    fn push(&mut self, rule: &'static Rule, message: String) {
        let finding = Diagnostic::new(rule, Span::NONE, message);
        self.findings.push(Diagnostic { declared: self.declared, ..finding });
    }
}

fn judge(output: &str, survey: &Survey<'_>, findings: &mut Vec<Diagnostic>) {
    let before = findings.len();
    let mut judge = Judge::new(output, survey, findings);
    for path in &survey.edited {
        judge.file(&rules::OUTPUT_EDITED, path, "was changed by hand, and is not rendered any more");
    }
    if survey.record.is_none() {
        let message = format!("`{}` belongs to no declaration", judge.folder);
        return judge.push(&rules::OUTPUT_ORPHANED, message);
    }
    if !survey.exists {
        let message = format!("`{}` is not there", judge.folder);
        return judge.push(&rules::OUTPUT_MISSING, message);
    }
    for path in &survey.orphans {
        judge.file(&rules::OUTPUT_ORPHANED, path, "is not rendered any more");
    }
    for (artifact, state) in survey.unit.artifacts.iter().zip(&survey.states) {
        let path = artifact.path.as_str();
        match state {
            State::Same => {}
            State::Missing => judge.file(&rules::OUTPUT_MISSING, path, "is not there"),
            State::Executable => judge.file(&rules::OUTPUT_DIFFERENT, path, "may be executed, which no rendered file needs"),
            State::Stale(line) => {
                judge.file(&rules::OUTPUT_DIFFERENT, path, &format!("is not what the declarations make, first in line {line}"));
            }
            State::Edited(line) => {
                judge.file(&rules::OUTPUT_EDITED, path, &format!("was changed by hand; it differs first in line {line}"));
            }
            State::Foreign => judge.file(&rules::OUTPUT_FOREIGN, path, FOREIGN),
        }
    }
    if judge.findings.len() == before && !survey.recorded {
        judge.file(&rules::OUTPUT_DIFFERENT, super::record::FILE, "does not say what is in the folder");
    }
}

const FOREIGN: &str = "cannot be written: something that netloom did not write stands there";

/// Reports what keeps a unit from being written.
pub(super) fn in_the_way(output: &str, survey: &Survey<'_>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let mut judge = Judge::new(output, survey, &mut findings);
    for (artifact, _) in survey.unit.artifacts.iter().zip(&survey.states).filter(|(_, state)| **state == State::Foreign) {
        judge.file(&rules::OUTPUT_FOREIGN, &artifact.path, FOREIGN);
    }
    findings
}
