//! What stands in the output, for comparisons that render only what a change reaches.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::files::{self, Entry, Files, Listing};
use super::record::{self, Record};
use super::strays::Strays;
use super::{compare, names, open_groups, open_output, place, report, survey, swap};
use crate::git::Tree;
use crate::paths::{Folder, Foreign, Kind, Result as Done};
use findings::Diagnostic;
use model::unit::Unit;
use tree::limits;

/// The names of the files in the output folder.
#[derive(Default)]
pub struct Listed {
    /// What only looks like netloom's, and what cannot be read.
    wrong: Vec<Diagnostic>,
    /// What stands outside of units.
    outside: Strays,
    /// The files of each unit's folder, and its record.
    units: Vec<(String, Listing, Record)>,
}

/// What stands at paths below the output folder.
type Found = Vec<(Vec<u8>, Entry)>;

/// What stands in the output folder beside what a base has rendered there.
#[derive(Default)]
pub struct Standing {
    wrong: Vec<Diagnostic>,
    outside: Strays,
    /// What is beside it in each unit's folder: of most of them nothing.
    units: Vec<(String, Found)>,
}

/// What the base of a change has in its output.
pub struct Stored<'a> {
    /// The paths of its files.
    pub names: &'a BTreeSet<Vec<u8>>,
    /// Whether one of them is as it was.
    pub unchanged: &'a (dyn Fn(&[u8]) -> bool + Sync),
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

impl Listed {
    /// Goes through the output folder of the project in `root`. Whoever compiles meanwhile waits for nobody's share of the work: this
    /// takes no other thread than the caller's.
    ///
    /// # Errors
    /// When it cannot be read. What cannot be read in it is told with the rest.
    pub fn read(root: &Path, output: &str) -> Result<Self, Diagnostic> {
        let mut listed = Self::default();
        listed.look(root, output).map_err(|failure| report(&failure))?;
        Ok(listed)
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
        for (group, entry, unit) in units {
            let Some((listing, record)) = one(group, &entry) else { continue };
            let record = record.map_err(|wrong| self.wrong.push(wrong)).ok().flatten();
            self.units.push((unit, listing, record.unwrap_or_default()));
        }
        let known: BTreeSet<&str> = self.units.iter().map(|(unit, ..)| unit.as_str()).collect();
        self.outside.outside(&folder, &groups, &|unit| known.contains(unit))
    }

    /// What stands there beside what a base has rendered, which has the files in its output that `names` tells.
    #[must_use]
    pub fn beside(self, names: &BTreeSet<Vec<u8>>) -> Standing {
        let beside = |(unit, listing, record): (String, Listing, Record)| {
            let strange = strange(&unit, listing, &record, names);
            (unit, strange)
        };
        Standing { wrong: self.wrong, outside: self.outside, units: self.units.into_iter().map(beside).collect() }
    }
}

/// What stands in the folder of a unit that is made from the same in the base, by its path below the output folder, and is nothing
/// that the base has rendered. The unit's record tells what that is; but a change can write a record, so it counts for what the base
/// has as well, unless the record is new, as the first render leaves it.
fn strange(unit: &str, listing: Listing, record: &Record, names: &BTreeSet<Vec<u8>>) -> Found {
    if listing.values().all(|entry| *entry == Entry::Hollow) {
        return vec![(unit.as_bytes().to_vec(), Entry::Hollow)];
    }
    let prefix = format!("{unit}/").into_bytes();
    let stored = names.range(prefix.clone()..).map_while(|path| path.strip_prefix(prefix.as_slice()));
    let stored: BTreeSet<&[u8]> = stored.collect();
    let new = !stored.contains(record::FILE.as_bytes());
    let rendered = |path: &[u8]| path == record::FILE.as_bytes() || (record.lists(path) && (new || stored.contains(path)));
    let strange = listing.into_iter().filter(|(path, entry)| *entry != Entry::File || !rendered(path));
    strange.map(|(path, entry)| ([&prefix, path.as_slice()].concat(), entry)).collect()
}

impl Standing {
    /// Names what nothing renders, where only those `units` were rendered that a change reaches. `declared` are all units.
    ///
    /// # Errors
    /// When the output cannot be read any more.
    pub fn unrendered(
        self,
        (root, output): (&Path, &str),
        (units, declared): (&[Unit], &BTreeSet<&str>),
        base: &Stored<'_>,
        foreign: &Foreign,
    ) -> Result<Vec<Diagnostic>, Diagnostic> {
        let compiled: BTreeMap<&str, &Unit> = units.iter().map(|unit| (unit.folder.as_str(), unit)).collect();
        let mut strays = self.outside;
        let (alike, others): (Vec<_>, Vec<_>) = self
            .units
            .into_iter()
            .partition(|(unit, _)| declared.contains(unit.as_str()) && !compiled.contains_key(unit.as_str()));
        alike.iter().flat_map(|(_, strange)| strange).for_each(|(path, entry)| strays.add(path, *entry));
        if !others.is_empty() {
            let folder = Folder::root(root).and_then(|root| open_output(root, output)).map_err(|failure| report(&failure))?;
            let groups = folder.as_ref().map_or(Ok([None, None]), open_groups).map_err(|failure| report(&failure))?;
            let look = |(name, _): &(String, _)| {
                let (group, entry) = place(&groups, name);
                // It could be looked into before.
                let Some((listing, record)) = group.and_then(|group| one(group, entry.as_bytes())) else {
                    return vec![(name.as_bytes().to_vec(), Entry::Closed)];
                };
                let unit = Other { name, unit: compiled.get(name.as_str()).copied(), declared: declared.contains(name.as_str()) };
                unit.strays(listing, &record.ok().flatten().unwrap_or_default(), base, foreign)
            };
            let found: Vec<_> = others.par_iter().map(look).collect();
            found.iter().flatten().for_each(|(path, entry)| strays.add(path, *entry));
        }
        let mut findings = self.wrong;
        findings.extend(strays.report(output, foreign));
        Ok(findings)
    }
}

/// A unit that the change reaches, or that is declared no more.
struct Other<'a> {
    name: &'a str,
    unit: Option<&'a Unit>,
    declared: bool,
}

impl Other<'_> {
    fn strays(&self, mut listing: Listing, record: &Record, base: &Stored<'_>, foreign: &Foreign) -> Found {
        let own = |path: &[u8]| [self.name.as_bytes(), b"/", path].concat();
        if listing.values().all(|entry| *entry == Entry::Hollow) {
            return vec![(self.name.as_bytes().to_vec(), Entry::Hollow)];
        }
        let mut take = |path: &[u8]| {
            if listing.get(path) == Some(&Entry::File) {
                listing.remove(path);
            }
        };
        self.unit.iter().flat_map(|unit| &unit.artifacts).for_each(|artifact| take(artifact.path.as_bytes()));
        if self.declared || base.names.contains(&own(record::FILE.as_bytes())) {
            take(record::FILE.as_bytes());
        }
        // A folder whose record is others' is no unit.
        let theirs = !self.declared && foreign.covers_in(self.name, record::FILE.as_bytes());
        // What the base had rendered of what is rendered no more, goes with the next render.
        let left = |path: &[u8]| base.names.contains(path) && (base.unchanged)(path);
        listing.retain(|path, entry| *entry != Entry::File || theirs || !record.lists(path) || !left(&own(path)));
        listing.into_iter().map(|(path, entry)| (own(&path), entry)).collect()
    }
}
