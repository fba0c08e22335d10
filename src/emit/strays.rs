//! What stands in the output and nothing renders.
//!
//! Whoever reviews rendered output reads what declarations make; a manifest that stands beside it is applied all the same. So every
//! such file is named: as an error where a tool that syncs folders would pick it up, and as a warning elsewhere.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::files::Files;
use super::survey::{self, Survey};
use super::{Groups, Output, compare, names, open_groups, open_output, place, record, report, swap};
use crate::diagnostic::{Diagnostic, Rule, rules};
use crate::files::{Folder, Foreign, Kind, Result};
use crate::tree::Span;
use crate::unit::Unit;

/// Names that change what is synced, beside manifests: kustomize's third name for its file, and what Flux and Git read anywhere in a tree.
const STEERING: [&str; 5] = ["kustomization", ".sourceignore", ".gitignore", ".gitattributes", ".gitmodules"];
/// What files end in that Flux, kustomize, Argo CD (which takes Jsonnet, too) or CloudFormation read as manifests and templates.
const MANIFESTS: [&str; 5] = [".yaml", ".yml", ".json", ".jsonnet", ".template"];

/// Whether a tool that syncs folders would do something else for a file.
fn is_picked_up(path: &str, kind: Kind) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default().to_lowercase();
    kind != Kind::File || STEERING.contains(&name.as_str()) || MANIFESTS.iter().any(|end| name.ends_with(end))
}

/// Names what nothing renders where only those `units` were rendered that a change reaches. Of others a record tells what was
/// rendered; but a change can write a record, so it counts for what the base has `stored` as well. `declared` are all units.
///
/// What cannot be read is a finding, too.
#[must_use]
pub fn unrendered(output: &Output<'_>, units: &[Unit], declared: &BTreeSet<&str>, stored: &BTreeSet<Vec<u8>>) -> Vec<Diagnostic> {
    let rendered = |folder: &str| Rendered {
        unit: units.iter().find(|unit| unit.folder == folder),
        declared: declared.contains(folder),
        stored,
    };
    standing(output, &|groups, folder| rendered(folder).others(groups, folder)).unwrap_or_else(|finding| vec![finding])
}

/// The files of a unit's folder that nothing renders.
type Others = std::result::Result<Vec<(Vec<u8>, Kind)>, Diagnostic>;

/// Goes through the output folder; `others` does through the folder of one unit.
fn standing(
    output: &Output<'_>,
    others: &(dyn Fn(&Groups, &str) -> Others + Sync),
) -> std::result::Result<Vec<Diagnostic>, Diagnostic> {
    let report = |failure| report(&failure);
    let folder = Folder::root(output.root).and_then(|root| open_output(root, output.folder)).map_err(report)?;
    let Some(folder) = folder else { return Ok(Vec::new()) };
    let groups = open_groups(&folder).map_err(report)?;
    let (mut findings, mut strays, mut units) = (Vec::new(), Strays::default(), BTreeSet::new());
    for (group, name) in groups.iter().zip(names::GROUPS) {
        let Some(group) = group else { continue };
        let planted = swap::traces(group).map_err(report)?.planted;
        findings.extend(planted.iter().map(|entry| compare::planted(output.folder, name, entry)));
        let entries = group.entries().map_err(report)?.into_iter().filter(|(_, kind)| *kind == Kind::Folder);
        let folders = entries.map(|(entry, _)| format!("{name}/{}", String::from_utf8_lossy(&entry)));
        units.extend(folders.filter(|folder| names::unit(folder).is_some()));
    }
    let found: Vec<_> = units.par_iter().map(|unit| others(&groups, unit)).collect();
    for (unit, found) in units.iter().zip(found) {
        found?.iter().for_each(|(path, kind)| strays.add(&[unit.as_bytes(), b"/", path].concat(), *kind));
    }
    strays.outside(&folder, &groups, &|folder| units.contains(folder)).map_err(report)?;
    findings.extend(strays.report(output.folder, output.foreign));
    Ok(findings)
}

/// What is known of one unit's files without rendering it.
struct Rendered<'a> {
    /// The unit, if it was rendered.
    unit: Option<&'a Unit>,
    /// Whether a declaration makes it.
    declared: bool,
    /// What the base has in its output.
    stored: &'a BTreeSet<Vec<u8>>,
}

impl Rendered<'_> {
    /// What stands in the unit's folder beside its files.
    fn others(&self, groups: &Groups, unit: &str) -> Others {
        let report = |failure| report(&failure);
        let (group, name) = place(groups, unit);
        let folder = group.map_or(Ok(None), |group| group.open(name.as_bytes())).map_err(report)?;
        let Some(folder) = folder else { return Ok(Vec::new()) };
        let mut listing = folder.list().map_err(report)?;
        listing.retain(|_, kind| *kind != Kind::Folder);
        let mut take = |path: &[u8]| _ = listing.get(path).is_some_and(|kind| *kind == Kind::File).then(|| listing.remove(path));
        let own = |path: &str| [unit.as_bytes(), b"/", path.as_bytes()].concat();
        // What the base had rendered goes with the next render.
        let record = survey::read_record(&folder).map_err(report)??.unwrap_or_default();
        let believed = self.unit.is_none() && self.declared && !self.stored.contains(&own(record::FILE));
        let files = record.files.keys().filter(|path| believed || self.stored.contains(&own(path)));
        files.for_each(|path| take(path.as_bytes()));
        self.unit.iter().flat_map(|unit| &unit.artifacts).for_each(|artifact| take(artifact.path.as_bytes()));
        take(record::FILE.as_bytes());
        Ok(listing.into_iter().collect())
    }
}

/// Collects what nothing renders, by its path below the output folder.
#[derive(Default)]
pub(super) struct Strays {
    paths: BTreeSet<(bool, String)>,
}

impl Strays {
    fn add(&mut self, path: &[u8], kind: Kind) {
        let path = String::from_utf8_lossy(path).into_owned();
        self.paths.insert((!is_picked_up(&path, kind), path));
    }

    /// What stands in a unit and is none of its own; what was rendered once and changed by hand is told elsewhere.
    pub(super) fn in_unit(&mut self, survey: &Survey<'_>) {
        for (path, kind) in &survey.foreign {
            if !survey.edited.iter().any(|edited| edited.as_bytes() == path) {
                self.add(&[survey.unit.folder.as_bytes(), b"/", path].concat(), *kind);
            }
        }
    }

    /// What stands outside of units: those that are `known`, be they on the disk or not.
    pub(super) fn outside<F: Files>(&mut self, folder: &F, groups: &Groups<F>, known: &dyn Fn(&str) -> bool) -> Result<()> {
        self.entries(folder, "", &|name| names::GROUPS.contains(&name))?;
        for (group, name) in groups.iter().zip(names::GROUPS) {
            let Some(group) = group else { continue };
            let told = |entry: &str| swap::is_staging_name(entry.as_bytes()) || known(&format!("{name}/{entry}"));
            self.entries(group, &format!("{name}/"), &told)?;
        }
        Ok(())
    }

    /// Everything in a folder, but what is told elsewhere.
    fn entries<F: Files>(&mut self, folder: &F, prefix: &str, told: &dyn Fn(&str) -> bool) -> Result<()> {
        for (name, kind) in folder.entries()? {
            let text = String::from_utf8_lossy(&name);
            // A repository of its own: Git carries nothing of it, so nobody syncs it.
            if told(&text) || name == b".git" {
                continue;
            }
            let path = format!("{prefix}{text}");
            match kind {
                Kind::Folder => {
                    let Some(inner) = folder.open(&name)? else { continue };
                    let below = inner.list()?.into_iter().filter(|(_, kind)| *kind != Kind::Folder);
                    below.for_each(|(below, kind)| self.add(&[path.as_bytes(), b"/", &below].concat(), kind));
                }
                kind => self.add(path.as_bytes(), kind),
            }
        }
        Ok(())
    }

    /// Names them, those that matter first; advice stands at the last of each kind.
    pub(super) fn report(self, output: &str, foreign: &Foreign) -> Vec<Diagnostic> {
        let strays: Vec<_> = self.paths.into_iter().filter(|(_, path)| !foreign.covers(path)).collect();
        let finding = |(at, (harmless, path)): (usize, &(bool, String))| {
            let (rule, what): (&'static Rule, _) = match harmless {
                false => (&rules::OUTPUT_UNRENDERED, "is not rendered, but whatever syncs its folder may pick it up"),
                true => (&rules::OUTPUT_UNRELATED, "is not rendered"),
            };
            let finding = Diagnostic::new(rule, Span::NONE, format!("`{output}/{}` {what}", path.escape_debug()));
            let last = strays.get(at + 1).is_none_or(|(next, _)| next != harmless);
            if last { finding.help("delete it; or, if it belongs there, list it in `spec.paths.foreign`") } else { finding }
        };
        strays.iter().enumerate().map(finding).collect()
    }
}
