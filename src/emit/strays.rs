//! What stands in the output and nothing renders.
//!
//! Whoever reviews rendered output reads what declarations make; a manifest that stands beside it is applied all the same. So every
//! such file is named: as an error where a tool that syncs folders would pick it up, and as a warning elsewhere.

use std::collections::BTreeSet;

use super::files::Files;
use super::survey::Survey;
use super::{Groups, names, swap};
use crate::diagnostic::{Diagnostic, Rule, rules};
use crate::files::{Foreign, Kind, Result};
use crate::tree::Span;

/// Names that change what is synced, beside manifests: kustomize's third name for its file, and what Flux and Git read anywhere in a tree.
const STEERING: [&str; 5] = ["kustomization", ".sourceignore", ".gitignore", ".gitattributes", ".gitmodules"];
/// What files end in that Flux, kustomize, Argo CD (which takes Jsonnet, too) or CloudFormation read as manifests and templates.
const MANIFESTS: [&str; 5] = [".yaml", ".yml", ".json", ".jsonnet", ".template"];

/// Whether a tool that syncs folders would do something else for a file.
fn is_picked_up(path: &str, kind: Kind) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default().to_lowercase();
    kind != Kind::File || STEERING.contains(&name.as_str()) || MANIFESTS.iter().any(|end| name.ends_with(end))
}

/// Collects what nothing renders, by its path below the output folder.
#[derive(Default)]
pub(super) struct Strays {
    paths: BTreeSet<(bool, String)>,
}

impl Strays {
    pub(super) fn add(&mut self, path: &[u8], kind: Kind) {
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
