//! Units and their files: which of them differ, and how.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use similar::{ChangeTag, TextDiff};

use super::{Change, Class, Effect, File, Side, State, UnitChange, fields, node, objects, stacks};
use model::unit::{Artifact, Unit};
use schema::{Identity, kubernetes};
use tree::{Node, Sources};

/// A unit on both sides, or on one.
pub(super) struct Pair<'a> {
    pub(super) before: Option<&'a Unit>,
    pub(super) after: Option<&'a Unit>,
    /// The units' folders; the same unless it was renamed.
    pub(super) old: String,
    pub(super) new: String,
}

impl Pair<'_> {
    /// The unit's folder, the new one where it has two.
    pub(super) fn folder(&self) -> &str {
        if self.new.is_empty() { &self.old } else { &self.new }
    }

    /// What happens to the unit as a whole.
    pub(super) fn change(&self) -> Option<UnitChange> {
        let files = |unit: Option<&Unit>| unit.map_or(0, |unit| unit.artifacts.len());
        match (self.old.as_str(), self.new.as_str()) {
            ("", new) => Some(UnitChange::Added(new.to_owned(), files(self.after))),
            (old, "") => Some(UnitChange::Removed(old.to_owned(), files(self.before))),
            (old, new) if old != new => Some(UnitChange::Renamed(old.to_owned(), new.to_owned())),
            _ => None,
        }
    }
}

/// What differs in one unit.
#[derive(Default)]
pub(super) struct Compared {
    pub(super) changes: Vec<Arc<Change>>,
    pub(super) effects: Vec<Effect>,
}

/// Pairs the units of two sides by name, and what is left by what it is made from.
pub(super) fn pairs<'a>(base: &'a Side, head: &'a Side, wanted: &dyn Fn(&str) -> bool) -> Vec<Pair<'a>> {
    let by_folder =
        |side: &'a Side| -> BTreeMap<&str, &Unit> { side.units.iter().map(|unit| (unit.folder.as_str(), unit)).collect() };
    let (old, new) = (by_folder(base), by_folder(head));
    let folders =
        |side: &'a Side| side.declared.keys().map(String::as_str).chain(side.units.iter().map(|unit| unit.folder.as_str()));
    let had: std::collections::BTreeSet<&str> = folders(base).collect();
    let has: std::collections::BTreeSet<&str> = folders(head).collect();
    let mut pairs = Vec::new();
    let pair = |before: &str, after: &str| Pair {
        before: old.get(before).copied(),
        after: new.get(after).copied(),
        old: before.to_owned(),
        new: after.to_owned(),
    };
    let mut gone: Vec<&str> = had.difference(&has).copied().collect();
    for folder in &has {
        if had.contains(folder) {
            pairs.push(pair(folder, folder));
            continue;
        }
        let at = gone.iter().position(|old| renamed(base, head, old, folder));
        pairs.push(pair(at.map_or("", |at| gone.remove(at)), folder));
    }
    pairs.extend(gone.iter().map(|folder| pair(folder, "")));
    pairs.retain(|pair| wanted(pair.folder()) || (!pair.old.is_empty() && wanted(&pair.old)));
    pairs.sort_by(|a, b| a.folder().cmp(b.folder()));
    pairs
}

/// Whether a unit that is gone and one that is new are made from the same declaration.
fn renamed(base: &Side, head: &Side, old: &str, new: &str) -> bool {
    let group = |folder: &str| folder.split('/').next().map(ToOwned::to_owned);
    let same = |a: &super::Subject, b: &super::Subject| a.spec == b.spec && a.contributions == b.contributions;
    group(old) == group(new) && base.subjects.get(old).zip(head.subjects.get(new)).is_some_and(|(a, b)| same(a, b))
}

/// Compares the units side by side; the result is in the order of `pairs`.
pub(super) fn compare(pairs: &[Pair<'_>], base: &Side, head: &Side) -> Vec<Compared> {
    let memo = Memo::default();
    pairs.par_iter().map(|pair| one(pair, base, head, &memo)).collect()
}

fn one(pair: &Pair<'_>, base: &Side, head: &Side, memo: &Memo) -> Compared {
    let (was, is) = (base.subjects.get(&pair.old), head.subjects.get(&pair.new));
    let mut compared = Compared::default();
    if let (Some(before), Some(after)) = (pair.before, pair.after) {
        let minor = is.map_or(kubernetes::NEWEST, |subject| subject.minor);
        compared.changes = changes(before, after, minor, memo);
    }
    compared.effects = fields::effects(pair, was, is);
    let explained = fields::explained(&compared.effects, (was, base), (is, head));
    // A renamed unit is a new stack and new objects; what each of them does is no more than that.
    if pair.old == pair.new {
        let changes = compared.changes.clone();
        let of_objects = changes.iter().flat_map(|change| change.effects.iter().map(|effect| (&change.component, effect)));
        let follows =
            |component: &String, effect: &Effect| effect.class == Class::Unknown && explained.contains(component.as_str());
        let told = of_objects.filter(|(component, effect)| !follows(component, effect)).map(|(_, effect)| effect.clone());
        told.for_each(|effect| fields::merge(&mut compared.effects, effect));
    }
    fields::acknowledge(&mut compared.effects, was, is);
    compared
}

/// Files of both sides by path: before, after.
fn paired<'a>(before: &'a Unit, after: &'a Unit) -> BTreeMap<&'a str, (Option<&'a Artifact>, Option<&'a Artifact>)> {
    let mut files: BTreeMap<&str, (Option<&Artifact>, Option<&Artifact>)> = BTreeMap::new();
    before.artifacts.iter().for_each(|file| files.entry(&file.path).or_default().0 = Some(file));
    after.artifacts.iter().for_each(|file| files.entry(&file.path).or_default().1 = Some(file));
    files.retain(|_, (before, after)| before.map(|file| &file.text) != after.map(|file| &file.text));
    files
}

/// The files that differ.
pub(super) fn files(base: &Side, head: &Side, wanted: &dyn Fn(&str) -> bool) -> Vec<File> {
    let mut found = Vec::new();
    for pair in pairs(base, head, wanted) {
        let empty = |folder: &str| Unit { folder: folder.to_owned(), artifacts: Vec::new(), declared: tree::Span::NONE };
        match (pair.before, pair.after) {
            (Some(before), Some(after)) if pair.old == pair.new => found.extend(unified(before, after)),
            (before, after) => {
                found.extend(before.into_iter().flat_map(|unit| unified(unit, &empty(&pair.old))));
                found.extend(after.into_iter().flat_map(|unit| unified(&empty(&pair.new), unit)));
            }
        }
    }
    found
}

fn unified(before: &Unit, after: &Unit) -> Vec<File> {
    let text = |file: Option<&Artifact>| file.map(|file| Arc::clone(&file.text));
    let files = paired(before, after).into_iter();
    files
        .map(|(path, (old, new))| File { path: format!("{}/{path}", after.folder), before: text(old), after: text(new) })
        .collect()
}

/// The results for pairs of texts that many units share; texts are told apart by where they are, which never changes meanwhile.
#[derive(Default)]
struct Memo(Mutex<BTreeMap<Key, Vec<Arc<Change>>>>);

type Key = (usize, usize, u32);

impl Memo {
    fn get(&self, key: Key, make: impl FnOnce() -> Vec<Change>) -> Vec<Arc<Change>> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&key) {
            return known.clone();
        }
        let made: Vec<_> = make().into_iter().map(Arc::new).collect();
        lock().insert(key, made.clone());
        made
    }
}

fn changes(before: &Unit, after: &Unit, minor: u32, memo: &Memo) -> Vec<Arc<Change>> {
    let place = |file: Option<&Artifact>| file.map_or(0, |file| file.text.as_ptr() as usize);
    let files = paired(before, after);
    let (mut gone, mut come, mut found) = (Vec::new(), Vec::new(), Vec::new());
    for (path, (old, new)) in files {
        let is_object = path.starts_with("kubernetes/") && !path.ends_with("/kustomization.yaml");
        match (old, new) {
            (Some(old), None) if is_object => gone.push(old),
            (None, Some(new)) if is_object => come.push(new),
            _ => found.extend(memo.get((place(old), place(new), minor), || file(path, old, new, minor))),
        }
    }
    for old in gone {
        let at = come.iter().position(|new| objects::is_renamed(&old.text, &new.text));
        let new = at.map(|at| come.remove(at));
        found.extend(memo.get((place(Some(old)), place(new), minor), || file(&old.path, Some(old), new, minor)));
    }
    for new in come {
        found.extend(memo.get((0, place(Some(new)), minor), || file(&new.path, None, Some(new), minor)));
    }
    found
}

/// What differs in one file.
fn file(path: &str, old: Option<&Artifact>, new: Option<&Artifact>, minor: u32) -> Vec<Change> {
    let is_list = path.ends_with("/kustomization.yaml");
    if path.starts_with("cloudformation/") && path.ends_with(".template.yaml") {
        return stacks::changes(path, old.and_then(parse).as_ref(), new.and_then(parse).as_ref());
    }
    if path.ends_with(".yaml") {
        let (before, after) = (old.map(parse), new.map(parse));
        if !matches!(before, Some(None)) && !matches!(after, Some(None)) {
            let change = object(path, before.flatten().as_ref(), after.flatten().as_ref(), minor);
            return vec![Change { derived: is_list, ..change }];
        }
    }
    vec![text(path, old, new)]
}

/// Reads what netloom has written.
pub(super) fn parse(file: &Artifact) -> Option<Node> {
    let (mut findings, mut sources) = (Vec::new(), Sources::default());
    let id = sources.add("", "");
    let documents = yaml::read(&file.text, id, &mut findings);
    if findings.is_empty() && documents.len() == 1 { documents.into_iter().next() } else { None }
}

fn object(path: &str, before: Option<&Node>, after: Option<&Node>, minor: u32) -> Change {
    let schemas = kubernetes::for_minor(minor).ok();
    let either = after.or(before);
    let identity = either.and_then(Identity::of);
    let title =
        |node: Option<&Node>| node.and_then(Identity::of).map_or_else(|| path.to_owned(), |identity| objects::title(&identity));
    let shape = identity
        .as_ref()
        .zip(schemas.as_ref())
        .and_then(|(identity, schemas)| schemas.merge(schemas.kind(&identity.api_version, &identity.kind)?));
    let fields = before.zip(after).map(|(before, after)| node::compare(before, after, shape)).unwrap_or_default();
    let state = match State::of(before, after) {
        State::Changed if title(before) != title(after) => State::Renamed(title(before)),
        state => state,
    };
    let mut change = Change::new(title(either), state, fields);
    if path.starts_with("kubernetes/") && !path.ends_with("/kustomization.yaml") {
        change.component = path.split('/').nth(1).unwrap_or_default().to_owned();
        change.effects = objects::effects(&change, before, after);
    } else if path.starts_with("gitops/") {
        change.effects = objects::sync_effects(&change, before);
    }
    change
}

/// What differs in a file that is text only: a runbook.
fn text(path: &str, old: Option<&Artifact>, new: Option<&Artifact>) -> Change {
    let texts = [old, new].map(|file| file.map_or("", |file| &*file.text));
    let [mut added, mut removed] = [0, 0];
    for change in TextDiff::from_lines(texts[0], texts[1]).iter_all_changes() {
        match change.tag() {
            ChangeTag::Insert => added += 1,
            ChangeTag::Delete => removed += 1,
            ChangeTag::Equal => {}
        }
    }
    let change = Change::new(path.to_owned(), State::of(old, new), Vec::new());
    Change { lines: Some((added, removed)), derived: true, ..change }
}
