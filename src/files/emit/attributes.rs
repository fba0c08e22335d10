//! Whether a checkout has the texts that are committed.
//!
//! `check` reads a checkout, and Flux and Argo CD read what is committed. Attributes of a branch can make one of the other, so that
//! they differ: a line of a `.gitattributes` that does this to a rendered file is an error.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::files::{Entry, Files, Stored};
use super::{Output, open_output, record};
use crate::git::{Repository, Tree};
use crate::paths::attributes::{Attributes, FILE, LINES, Place, Rules};
use crate::paths::{Folder, cause, named};
use findings::{Diagnostic, rules};
use model::unit::Unit;
use tree::{Sources, Span};

/// The name of files that can make another text of others.
pub const ATTRIBUTES: &str = FILE;

/// Names the lines of `.gitattributes` files, from the repository's root down to the output, that make another text of a rendered
/// file; the texts that the findings point into are added to `sources`.
#[must_use]
pub fn attributes(output: &Output<'_>, units: &[Unit], sources: &mut Arc<Sources>) -> Vec<Diagnostic> {
    let Some((prefix, files)) = named::real(output.root).ok().and_then(|root| Attributes::around(&root, output.folder)) else {
        return Vec::new();
    };
    let folder = || open_output(Folder::root(output.root)?, output.folder);
    told(&files, (&prefix, output), sources, |known| {
        units_in(units, known);
        listed(folder().ok().flatten(), known);
    })
}

/// The same of what is staged.
#[must_use]
pub fn attributes_stored(
    (tree, repository): (&Arc<Tree>, &Repository),
    output: &Output<'_>,
    units: &[Unit],
    sources: &mut Arc<Sources>,
) -> Vec<Diagnostic> {
    let prefix = repository.prefix().as_bytes();
    let files = Attributes::of(&[prefix, output.folder.as_bytes(), b"/"].concat(), |path| tree.staged_file(path));
    told(&files, (prefix, output), sources, |known| {
        units_in(units, known);
        listed(open_output(Stored::root(tree), output.folder).ok().flatten(), known);
    })
}

/// Files of the output, by their paths in it.
type Known = BTreeSet<Vec<u8>>;

/// The files that units consist of.
fn units_in(units: &[Unit], known: &mut Known) {
    for unit in units {
        let names = unit.artifacts.iter().map(|artifact| artifact.path.as_str()).chain([record::FILE]);
        known.extend(names.map(|name| format!("{}/{name}", unit.folder).into_bytes()));
    }
}

/// The files that stand in the output folder: those of units that were not rendered now, too.
fn listed(folder: Option<impl Files>, known: &mut Known) {
    let listing = folder.and_then(|folder| folder.list().ok()).unwrap_or_default();
    known.extend(listing.into_iter().filter(|(_, entry)| *entry == Entry::File).map(|(path, _)| path));
}

/// What the lines do; `look` finds the files of the output, where that matters.
fn told(
    files: &Attributes,
    (prefix, output): (&[u8], &Output<'_>),
    sources: &mut Arc<Sources>,
    look: impl FnOnce(&mut Known),
) -> Vec<Diagnostic> {
    let name = |file: usize| {
        let folder = files.files.get(file).map_or(&b""[..], |(folder, _)| folder);
        match folder.strip_prefix(prefix) {
            Some(below) => format!("{}{FILE}", String::from_utf8_lossy(below)),
            None => {
                let levels = prefix.get(folder.len()..).unwrap_or_default().iter().filter(|byte| **byte == b'/').count();
                format!("{}{FILE}", "../".repeat(levels))
            }
        }
    };
    let mut findings: Vec<_> = files
        .files
        .iter()
        .enumerate()
        .filter_map(|(at, (_, read))| {
            let error = read.as_ref().err()?;
            let message = format!(
                "`{}` cannot be read, so what it makes of rendered files is not known: {}",
                name(at),
                cause(&(*error).into())
            );
            Some(Diagnostic::new(&rules::OUTPUT_ATTRIBUTES, Span::NONE, message))
        })
        .collect();
    let Some(rules) = Rules::read(files) else { return findings };
    if rules.too_many() {
        let message =
            format!("the `{FILE}` files have more than {LINES} lines about `filter`, `ident` and `working-tree-encoding`");
        findings.push(Diagnostic::new(&rules::LIMIT, Span::NONE, message));
        return findings;
    }
    let mut known = Known::new();
    look(&mut known);
    let mut lines: BTreeMap<(usize, usize), (Place, &str, Vec<u8>)> = BTreeMap::new();
    for path in known.into_iter().filter(|path| !output.foreign.covers(path, false)) {
        let path = [output.folder.as_bytes(), b"/", &path].concat();
        for (place, attribute) in rules.changing(files, &[prefix, &path].concat()) {
            lines.entry((place.0, place.1.start)).or_insert_with(|| (place, attribute, path.clone()));
        }
    }
    let mut added = BTreeMap::new();
    for ((file, line), attribute, path) in lines.into_values() {
        let text = files.files.get(file).and_then(|(_, read)| read.as_ref().ok()?.as_deref()).unwrap_or_default();
        let sources = Arc::make_mut(sources);
        let id = *added.entry(file).or_insert_with(|| sources.add(name(file), String::from_utf8_lossy(text).into_owned()));
        let place = |end: usize| String::from_utf8_lossy(text.get(..end).unwrap_or_default()).len();
        let path = crate::paths::joined("", &path);
        let message = format!("`{attribute}` makes another text of `{path}` than the one that is committed");
        let finding = Diagnostic::new(&rules::OUTPUT_ATTRIBUTES, Span::new(id, place(line.start), place(line.end)), message);
        findings.push(finding);
    }
    if let Some(finding) = findings.pop() {
        let back = format!("`{}/** -filter -ident !working-tree-encoding`", output.folder);
        findings.push(finding.help(format!("take it away, or take it back in the `{FILE}` beside `netloom.yaml`: {back}")));
    }
    findings
}
