//! Two lists: which item of one is which of the other.
//!
//! Items are paired by what Kubernetes knows them by, or by the key that AWS or everybody gives them. Where no key tells them
//! apart, they are paired by the longest sequence that both have, and what stands in the same gap of it is the same item changed.

use std::collections::BTreeMap;

use super::node::{Field, Path, Step, walk};
use schema::kubernetes::{Field as Known, Shape};
use tree::Node;

/// Keys that tell items of a list apart where no schema says which one does: tags of AWS, and the rest of the world.
const USUAL: [&str; 3] = ["Key", "name", "Sid"];

/// The keys of items, and the items' places in the list.
type Keyed = BTreeMap<String, usize>;

/// Compares two lists under a field that Kubernetes may know.
pub(super) fn compare(
    path: &Path,
    old: &[Node],
    new: &[Node],
    known: Option<&Known<'_>>,
    items: Option<Shape<'_>>,
    found: &mut Vec<Field>,
) {
    let candidates = keys(known);
    match candidates.iter().find_map(|fields| Some((fields, keyed(old, fields)?, keyed(new, fields)?))) {
        Some((fields, before, after)) if !old.is_empty() || !new.is_empty() => {
            by_key(path, (old, &before), (new, &after), fields, items, found);
        }
        _ => by_sequence(path, old, new, items, found),
    }
}

/// The fields that may tell items apart, best first.
fn keys(known: Option<&Known<'_>>) -> Vec<Vec<String>> {
    let mut keys: Vec<Vec<String>> = Vec::new();
    if let Some(known) = known {
        if !known.list_map_keys.is_empty() {
            keys.push(known.list_map_keys.iter().map(ToString::to_string).collect());
        }
        keys.extend(known.merge_key.map(|key| vec![key.to_owned()]));
    }
    keys.extend(USUAL.iter().map(|key| vec![(*key).to_owned()]));
    keys
}

/// The items by these fields; none unless each has the first of them and no two are the same.
fn keyed(items: &[Node], fields: &[String]) -> Option<Keyed> {
    let mut keyed = Keyed::new();
    for (at, item) in items.iter().enumerate() {
        let mut parts = Vec::new();
        for (position, field) in fields.iter().enumerate() {
            match item.get(field).and_then(scalar) {
                Some(text) => parts.push(text),
                None if position == 0 => return None,
                None => {}
            }
        }
        if keyed.insert(parts.join("/"), at).is_some() {
            return None;
        }
    }
    Some(keyed)
}

fn scalar(node: &Node) -> Option<String> {
    node.as_str().map(ToOwned::to_owned).or_else(|| node.as_int().map(|number| number.to_string()))
}

fn by_key(
    path: &Path,
    (old, before): (&[Node], &Keyed),
    (new, after): (&[Node], &Keyed),
    fields: &[String],
    items: Option<Shape<'_>>,
    found: &mut Vec<Field>,
) {
    let mut removed: Vec<(&String, &Node)> = Vec::new();
    for (key, at) in in_order(before) {
        let Some(item) = old.get(at) else { continue };
        match after.get(key).and_then(|at| new.get(*at)) {
            Some(now) => walk(&path.with(Step::Item(key.clone())), item, now, items, found),
            None => removed.push((key, item)),
        }
    }
    for (key, at) in in_order(after).filter(|(key, _)| !before.contains_key(*key)) {
        let Some(item) = new.get(at) else { continue };
        // The same but for its key: it was renamed.
        let renamed = removed.iter().position(|(_, gone)| same_but_for(gone, item, fields));
        match renamed.map(|at| removed.remove(at)) {
            Some((old, gone)) => walk(&path.with(Step::Item(old.clone())), gone, item, items, found),
            None => found.push(Field::new(path.with(Step::Item(key.clone())), None, Some(item))),
        }
    }
    for (key, item) in removed {
        found.push(Field::new(path.with(Step::Item(key.clone())), Some(item), None));
    }
    let common = |own: &Keyed, other: &Keyed| -> Vec<String> {
        in_order(own).filter(|(key, _)| other.contains_key(*key)).map(|(key, _)| key.clone()).collect()
    };
    let (was, is) = (common(before, after), common(after, before));
    if was != is {
        let names = |keys: &[String]| Node::from(keys.iter().map(|key| Node::from(key.as_str())).collect::<Vec<_>>());
        found.push(Field { path: path.clone(), before: Some(names(&was)), after: Some(names(&is)), moved: true });
    }
}

/// Keys in the order of their items.
fn in_order(keyed: &Keyed) -> impl Iterator<Item = (&String, usize)> {
    let mut keys: Vec<_> = keyed.iter().map(|(key, at)| (key, *at)).collect();
    keys.sort_by_key(|(_, at)| *at);
    keys.into_iter()
}

fn same_but_for(a: &Node, b: &Node, fields: &[String]) -> bool {
    let strip = |node: &Node| {
        let mut node = node.clone();
        if let Some(map) = node.as_map_mut() {
            map.retain(|key, _| !fields.iter().any(|field| **field == *key.text));
        }
        node
    };
    let (a, b) = (strip(a), strip(b));
    a == b && a.as_map().is_some_and(|map| !map.is_empty())
}

/// Pairs the items of two lists by the longest sequence that both have.
fn by_sequence(path: &Path, old: &[Node], new: &[Node], items: Option<Shape<'_>>, found: &mut Vec<Field>) {
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut number = |node: &Node| {
        let next = numbers.len();
        *numbers.entry(node.to_json().to_string()).or_insert(next)
    };
    let was: Vec<usize> = old.iter().map(&mut number).collect();
    let is: Vec<usize> = new.iter().map(&mut number).collect();
    let (mut sorted_was, mut sorted_is) = (was.clone(), is.clone());
    sorted_was.sort_unstable();
    sorted_is.sort_unstable();
    if sorted_was == sorted_is && was != is {
        let list = |nodes: &[Node]| Node::from(nodes.to_vec());
        found.push(Field { path: path.clone(), before: Some(list(old)), after: Some(list(new)), moved: true });
        return;
    }
    for operation in similar::capture_diff_slices(similar::Algorithm::Myers, &was, &is) {
        if operation.tag() == similar::DiffTag::Equal {
            continue;
        }
        let (mut gone, mut come) = (operation.old_range(), operation.new_range());
        loop {
            match (gone.next(), come.next()) {
                (None, None) => break,
                (was_at, is_at) => {
                    let (before, after) = (was_at.and_then(|at| old.get(at)), is_at.and_then(|at| new.get(at)));
                    let path = path.with(Step::Index(is_at.or(was_at).unwrap_or_default()));
                    match (before, after) {
                        (Some(before), Some(after)) => walk(&path, before, after, items, found),
                        (before, after) => found.push(Field::new(path, before, after)),
                    }
                }
            }
        }
    }
}
