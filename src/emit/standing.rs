//! What stands in the output, for comparisons that render only what a change reaches.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::files::{Files, Listing};
use super::record::{self, Record};
use super::strays::Strays;
use super::{compare, names, open_groups, open_output, report, survey, swap};
use crate::diagnostic::Diagnostic;
use crate::files::{Folder, Foreign, Kind};
use crate::unit::Unit;

/// The names of the files in the output folder.
#[derive(Default)]
pub struct Standing {
    planted: Vec<Diagnostic>,
    /// What stands outside of units.
    outside: Strays,
    /// The files of each unit's folder, and its record.
    units: BTreeMap<String, (Listing, Record)>,
}

impl Standing {
    /// Goes through the output folder of the project in `root`.
    ///
    /// # Errors
    /// When something in it cannot be read.
    pub fn read(root: &Path, output: &str) -> Result<Self, Diagnostic> {
        let report = |failure| report(&failure);
        let mut standing = Self::default();
        let folder = Folder::root(root).and_then(|root| open_output(root, output)).map_err(report)?;
        let Some(folder) = folder else { return Ok(standing) };
        let groups = open_groups(&folder).map_err(report)?;
        for (group, name) in groups.iter().zip(names::GROUPS) {
            let Some(group) = group else { continue };
            let planted = swap::traces(group).map_err(report)?.planted;
            standing.planted.extend(planted.iter().map(|entry| compare::planted(output, name, entry)));
            for (entry, kind) in group.entries().map_err(report)? {
                let unit = format!("{name}/{}", String::from_utf8_lossy(&entry));
                let named = kind == Kind::Folder && names::unit(&unit).is_some();
                let Some(folder) = named.then(|| group.open(&entry)).transpose().map_err(report)?.flatten() else { continue };
                let mut listing = folder.list().map_err(report)?;
                listing.retain(|_, kind| *kind != Kind::Folder);
                let record = survey::read_record(&folder).map_err(report)??.unwrap_or_default();
                standing.units.insert(unit, (listing, record));
            }
        }
        let known = |unit: &str| standing.units.contains_key(unit);
        standing.outside.outside(&folder, &groups, &known).map_err(report)?;
        Ok(standing)
    }

    /// Names what nothing renders, where only those `units` were rendered that a change reaches. Of others a record tells what was
    /// rendered; but a change can write a record, so it counts for what the base has `stored` as well. `declared` are all units.
    #[must_use]
    pub fn unrendered(
        self,
        units: &[Unit],
        declared: &BTreeSet<&str>,
        stored: &BTreeSet<Vec<u8>>,
        (output, foreign): (&str, &Foreign),
    ) -> Vec<Diagnostic> {
        let mut strays = self.outside;
        for (name, (mut listing, record)) in self.units {
            let own = |path: &[u8]| [name.as_bytes(), b"/", path].concat();
            let mut take = |path: &[u8]| {
                if listing.get(path) == Some(&Kind::File) {
                    listing.remove(path);
                }
            };
            let unit = units.iter().find(|unit| unit.folder == name);
            // What the base had rendered goes with the next render.
            let new = !stored.contains(&own(record::FILE.as_bytes()));
            let believed = unit.is_none() && declared.contains(name.as_str()) && new;
            let files = record.files.keys().map(String::as_bytes).filter(|path| believed || stored.contains(&own(path)));
            files.for_each(&mut take);
            unit.iter().flat_map(|unit| &unit.artifacts).for_each(|artifact| take(artifact.path.as_bytes()));
            take(record::FILE.as_bytes());
            listing.iter().for_each(|(path, kind)| strays.add(&own(path), *kind));
        }
        let mut findings = self.planted;
        findings.extend(strays.report(output, foreign));
        findings
    }
}
