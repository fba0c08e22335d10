//! What stands in the output and nothing renders.
//!
//! Whoever reviews rendered output reads what declarations make; a manifest that stands beside it is applied all the same. So every
//! such file, and a folder that holds none, is named: as an error where a tool that syncs folders would pick it up, and as a
//! warning elsewhere.

use std::collections::BTreeSet;

use super::files::{self, Entry, Files};
use super::survey::Survey;
use super::{Groups, names, swap};
use crate::paths::{Foreign, Result, joined};
use findings::{Diagnostic, Rule, rules};
use tree::Span;

/// Names that change what is synced, beside manifests: kustomize's third name for its file, and what Flux and Git read anywhere in a tree.
const STEERING: [&str; 5] = ["kustomization", ".sourceignore", ".gitignore", ".gitattributes", ".gitmodules"];
/// What files end in that Flux, kustomize, Argo CD (which takes Jsonnet, too) or CloudFormation read as manifests and templates.
const MANIFESTS: [&str; 5] = [".yaml", ".yml", ".json", ".jsonnet", ".template"];
/// What makes a folder a repository of its own, of which Git carries nothing but a commit's name.
const REPOSITORY: &str = ".git";

/// Whether a tool that syncs folders would do something else for what stands at a path.
fn is_picked_up(path: &[u8], entry: Entry) -> bool {
    let path = String::from_utf8_lossy(path).to_lowercase();
    let name = path.rsplit('/').next().unwrap_or_default();
    entry != Entry::File
        || STEERING.contains(&name)
        || MANIFESTS.iter().any(|end| name.ends_with(end))
        || path.split('/').any(|part| part == REPOSITORY)
}

/// Collects what nothing renders, by its path below the output folder.
#[derive(Default)]
pub(super) struct Strays {
    /// Whether it is harmless, its path, and what it is.
    found: BTreeSet<(bool, Vec<u8>, Entry)>,
}

impl Strays {
    pub(super) fn add(&mut self, path: &[u8], entry: Entry) {
        self.found.insert((!is_picked_up(path, entry), path.to_vec(), entry));
    }

    /// What stands in a unit and is none of its own; what was rendered once and changed by hand is told elsewhere.
    pub(super) fn in_unit(&mut self, survey: &Survey<'_>) {
        let own = |path: &[u8]| [survey.unit.folder.as_bytes(), b"/", path].concat();
        for (path, entry) in &survey.foreign {
            if !survey.edited.iter().any(|edited| edited.as_bytes() == path) {
                self.add(&own(path), *entry);
            }
        }
        survey.hollow.iter().for_each(|path| self.add(&own(path), Entry::Hollow));
    }

    /// What stands outside of units: those that are `known`, be they on the disk or not.
    pub(super) fn outside<F: Files>(&mut self, folder: &F, groups: &Groups<F>, known: &dyn Fn(&str) -> bool) -> Result<()> {
        self.entries(folder, "", &|name| names::GROUPS.contains(&name))?;
        for (group, name) in groups.iter().zip(names::GROUPS) {
            let Some(group) = group else { continue };
            let told = |entry: &str| swap::is_staging_name(entry.as_bytes()) || known(&format!("{name}/{entry}"));
            if self.entries(group, &format!("{name}/"), &told)? == 0 {
                self.add(name.as_bytes(), Entry::Hollow);
            }
        }
        Ok(())
    }

    /// Everything in a folder, but what is told elsewhere; tells how many entries it has.
    fn entries<F: Files>(&mut self, folder: &F, prefix: &str, told: &dyn Fn(&str) -> bool) -> Result<usize> {
        let entries = folder.entries()?;
        for (name, kind) in &entries {
            // The output, or a group of it, can be a repository of its own on purpose: what is in it is named all the same.
            if name == REPOSITORY.as_bytes() || std::str::from_utf8(name).is_ok_and(told) {
                continue;
            }
            let path = [prefix.as_bytes(), name].concat();
            for (path, entry) in
                files::listed(folder, name, *kind, &path).into_iter().filter(|(_, entry)| *entry != Entry::Folder)
            {
                self.add(&path, entry);
            }
        }
        Ok(entries.len())
    }

    /// Keeps what still stands in the output folder.
    pub(super) fn standing(mut self, folder: &impl Files) -> Self {
        self.found.retain(|(_, path, _)| folder.has(path));
        self
    }

    /// Names them, those that matter first; advice stands at the last of each kind.
    pub(super) fn report(self, output: &str, foreign: &Foreign) -> Vec<Diagnostic> {
        let strays: Vec<_> = self.found.into_iter().filter(|(_, path, entry)| !foreign.covers(path, entry.is_folder())).collect();
        let finding = |(at, (harmless, path, entry)): (usize, &(bool, Vec<u8>, Entry))| {
            let rule: &'static Rule = if *harmless { &rules::OUTPUT_UNRELATED } else { &rules::OUTPUT_UNRENDERED };
            let what = match entry {
                Entry::Hollow => "is an empty folder, as a clone has it where Git has a submodule",
                Entry::Closed => "is not rendered, and cannot be looked into",
                _ if *harmless => "is not rendered",
                _ => "is not rendered, but whatever syncs its folder may pick it up",
            };
            let finding = Diagnostic::new(rule, Span::NONE, format!("`{}` {what}", joined(output, path)));
            let last = strays.get(at + 1).is_none_or(|(next, ..)| next != harmless);
            if last { finding.help("delete it; or, if it belongs there, list it in `spec.paths.foreign`") } else { finding }
        };
        strays.iter().enumerate().map(finding).collect()
    }
}
