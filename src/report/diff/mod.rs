//! What changes between two compilations, object by object, and what that does to what runs.
//!
//! Units are paired by name (and recognised when they were renamed), their files by path; what has the same text is not looked at.
//! Files that differ are compared as what they are: Kubernetes objects field by field, templates resource by resource. A change
//! that many units share is held once, with the units.

pub mod class;
mod fields;
mod group;
mod known;
mod list;
mod node;
mod objects;
mod replacing;
pub mod report;
mod stacks;
pub mod subject;
#[cfg(test)]
mod tests;
mod unit;

pub use class::{Class, Effect};
pub use group::{Group, SharedEffect};
pub use node::{Field, Path};
pub use subject::{Declared, Side, Subject};

/// What changes.
#[derive(Debug, Default)]
pub struct Diff {
    /// What changes in units that both sides have, what many units share once.
    pub groups: Vec<Group>,
    /// Units that only one side has, or that have another name.
    pub units: Vec<UnitChange>,
    /// What the changes do, the worst first.
    pub effects: Vec<SharedEffect>,
    /// Units of the newer side.
    pub total: usize,
    /// Those of them whose files differ.
    pub changed: usize,
}

/// A unit that is there on one side only, or has another name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnitChange {
    /// New, with its number of files.
    Added(String, usize),
    /// Gone, with its number of files.
    Removed(String, usize),
    /// Renamed: before, after.
    Renamed(String, String),
}

/// What happens to an object, a resource or a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// New.
    Added,
    /// Gone.
    Removed,
    /// It has other fields.
    Changed,
    /// It has another name; this was the old one.
    Renamed(String),
}

impl State {
    /// What happens to what stands on one side or both.
    pub(crate) fn of<T>(before: Option<T>, after: Option<T>) -> Self {
        match (before, after) {
            (None, _) => Self::Added,
            (_, None) => Self::Removed,
            _ => Self::Changed,
        }
    }
}

/// A change of one object, resource or file.
#[derive(Clone, Debug)]
pub struct Change {
    /// What it is: `DaemonSet kube-system/node-local-dns`.
    pub title: String,
    /// What happens to it.
    pub state: State,
    /// The fields that differ.
    pub fields: Vec<Field>,
    /// Lines added and removed, for what has no fields.
    pub lines: Option<(usize, usize)>,
    /// Whether it follows from other changes: a list of files, a runbook.
    pub derived: bool,
    /// The component that an object belongs to; empty for everything else.
    pub component: String,
    /// What it does to what runs.
    pub effects: Vec<Effect>,
}

impl Change {
    /// A change as its fields tell it: whoever knows more fills in the rest.
    pub(crate) fn new(title: String, state: State, fields: Vec<Field>) -> Self {
        Self { title, state, fields, lines: None, derived: false, component: String::new(), effects: Vec::new() }
    }
}

/// A file with its texts, for plain text.
#[derive(Clone, Debug)]
pub struct File {
    /// Path below the output folder.
    pub path: String,
    /// Before.
    pub before: Option<std::sync::Arc<str>>,
    /// After.
    pub after: Option<std::sync::Arc<str>>,
}

/// Compares two sides. `wanted` are the units to look at; all when empty.
#[must_use]
pub fn compare(base: &Side, head: &Side, wanted: &dyn Fn(&str) -> bool) -> Diff {
    let pairs = unit::pairs(base, head, wanted);
    let compared = unit::compare(&pairs, base, head);
    let mut diff = group::collect(compared, &pairs);
    let has_unit = |pair: &&unit::Pair<'_>| head.declared.get(&pair.new).is_some_and(|one| one.has_unit);
    diff.total = pairs.iter().filter(has_unit).count();
    for shared in &mut diff.effects {
        let networks: Vec<&str> = shared.units.iter().filter_map(|unit| unit.strip_prefix("networks/")).collect();
        let inside = |one: &Declared| one.network.as_deref().is_some_and(|network| networks.contains(&network));
        let clusters = head.declared.iter().filter(|(_, one)| !networks.is_empty() && inside(one));
        shared.clusters = clusters.map(|(folder, _)| folder.clone()).collect();
    }
    diff
}

/// The files that differ, in order.
#[must_use]
pub fn files(base: &Side, head: &Side, wanted: &dyn Fn(&str) -> bool) -> Vec<File> {
    unit::files(base, head, wanted)
}

/// The folders of the clusters that were asked for, and of their networks.
#[must_use]
pub fn selected(clusters: &[String], before: &Side, after: &Side) -> Vec<String> {
    let mut folders = Vec::new();
    for name in clusters {
        let folder = format!("clusters/{name}");
        let networks = [before, after].into_iter().filter_map(|side| side.declared.get(&folder)?.network.as_ref());
        folders.extend(networks.map(|network| format!("networks/{network}")));
        folders.push(folder);
    }
    folders
}
