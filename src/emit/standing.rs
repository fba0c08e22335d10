//! What stands in the output, for comparisons that render only what a change reaches.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::files::{self, Entry, Files, Listing};
use super::record::{self, Record};
use super::strays::Strays;
use super::{compare, names, open_groups, open_output, report, survey, swap};
use crate::diagnostic::Diagnostic;
use crate::files::{Folder, Foreign, Kind, Result as Done};
use crate::git::Tree;
use crate::limits;
use crate::unit::Unit;

/// The names of the files in the output folder.
#[derive(Default)]
pub struct Standing {
    /// What only looks like netloom's, and what cannot be read.
    wrong: Vec<Diagnostic>,
    /// What stands outside of units.
    outside: Strays,
    /// The files of each unit's folder, and its record.
    units: BTreeMap<String, (Listing, Record)>,
}

/// What the base of a change has in its output.
pub struct Stored<'a> {
    /// The paths of its files.
    pub names: &'a BTreeSet<Vec<u8>>,
    /// Whether one of them is as it was.
    pub unchanged: &'a dyn Fn(&[u8]) -> bool,
}

/// Whether a file of the output stands there as a commit has it.
#[must_use]
pub fn unchanged(root: &Path, output: &str, commit: &Arc<Tree>, path: &[u8]) -> bool {
    let here = Folder::root(root).and_then(|root| open_output(root, output)).ok().flatten();
    let there = open_output(files::Stored::root(commit), output).ok().flatten();
    let [here, there] = [
        here.and_then(|folder| folder.read(path, limits::OUTPUT_FILE_BYTES).ok()),
        there.and_then(|folder| folder.read(path, limits::OUTPUT_FILE_BYTES).ok()),
    ];
    here.is_some() && here == there
}

/// The files in a unit's folder, and its record; none when the folder cannot be looked into, which then stands there like anything else.
fn one(group: &Folder, name: &[u8]) -> Option<(Listing, survey::Parsed)> {
    let folder = group.open(name).ok().flatten()?;
    let mut listing = folder.list().ok()?;
    listing.retain(|_, entry| *entry != Entry::Folder);
    let record = survey::read_record(&folder).map_err(|failure| report(&failure)).and_then(|parsed| parsed);
    Some((listing, record))
}

impl Standing {
    /// Goes through the output folder of the project in `root`.
    ///
    /// # Errors
    /// When it cannot be read. What cannot be read in it is told with the rest.
    pub fn read(root: &Path, output: &str) -> Result<Self, Diagnostic> {
        let mut standing = Self::default();
        standing.look(root, output).map_err(|failure| report(&failure))?;
        Ok(standing)
    }

    fn look(&mut self, root: &Path, output: &str) -> Done<()> {
        let Some(folder) = open_output(Folder::root(root)?, output)? else { return Ok(()) };
        let groups = open_groups(&folder)?;
        let mut units = Vec::new();
        for (group, name) in groups.iter().zip(names::GROUPS) {
            let Some(group) = group else { continue };
            let planted = swap::traces(group)?.planted;
            self.wrong.extend(planted.iter().map(|entry| compare::planted(output, name, entry)));
            for (entry, _) in group.entries()?.into_iter().filter(|(_, kind)| *kind == Kind::Folder) {
                let unit = format!("{name}/{}", String::from_utf8_lossy(&entry));
                units.extend(names::unit(&unit).is_some().then_some((group, entry, unit)));
            }
        }
        let looked: Vec<_> = units.into_par_iter().filter_map(|(group, entry, unit)| Some((unit, one(group, &entry)?))).collect();
        for (unit, (listing, record)) in looked {
            let record = record.map_err(|wrong| self.wrong.push(wrong)).ok().flatten();
            self.units.insert(unit, (listing, record.unwrap_or_default()));
        }
        let known = |unit: &str| self.units.contains_key(unit);
        self.outside.outside(&folder, &groups, &known)
    }

    /// Names what nothing renders, where only those `units` were rendered that a change reaches. Of others a record tells what was
    /// rendered; but a change can write a record, so it counts for what the base has as well. `declared` are all units.
    #[must_use]
    pub fn unrendered(
        self,
        units: &[Unit],
        declared: &BTreeSet<&str>,
        base: &Stored<'_>,
        (output, foreign): (&str, &Foreign),
    ) -> Vec<Diagnostic> {
        let mut strays = self.outside;
        for (name, (mut listing, record)) in self.units {
            let own = |path: &[u8]| [name.as_bytes(), b"/", path].concat();
            if listing.values().all(|entry| *entry == Entry::Hollow) {
                strays.add(name.as_bytes(), Entry::Hollow);
                continue;
            }
            let mut take = |path: &[u8]| {
                if listing.get(path) == Some(&Entry::File) {
                    listing.remove(path);
                }
            };
            let unit = units.iter().find(|unit| unit.folder == name);
            let new = !base.names.contains(&own(record::FILE.as_bytes()));
            let declared = declared.contains(name.as_str());
            unit.iter().flat_map(|unit| &unit.artifacts).for_each(|artifact| take(artifact.path.as_bytes()));
            if declared || !new {
                take(record::FILE.as_bytes());
            }
            // A folder whose record is others' is no unit.
            let theirs = !declared && foreign.covers_in(&name, record::FILE.as_bytes());
            let (believed, others) = (unit.is_none() && declared && new, unit.is_none() && declared);
            // What the base had rendered of what is rendered no more, goes with the next render.
            let left = |path: &[u8]| base.names.contains(path) && (others || (base.unchanged)(path));
            let recorded = |path: &[u8]| !theirs && record.lists(path) && (believed || left(&own(path)));
            listing.retain(|path, entry| *entry != Entry::File || !recorded(path));
            listing.iter().for_each(|(path, entry)| strays.add(&own(path), *entry));
        }
        let mut findings = self.wrong;
        findings.extend(strays.report(output, foreign));
        findings
    }
}
