//! What many units share, once.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::unit::{Compared, Pair};
use super::{Change, Diff, Effect, State};

/// Changes that the same units share.
#[derive(Clone, Debug)]
pub struct Group {
    /// The units' folders.
    pub units: Vec<String>,
    /// What changes in each of them.
    pub changes: Vec<Arc<Change>>,
}

/// What a change does, with the units that it does it to.
#[derive(Clone, Debug)]
pub struct SharedEffect {
    /// What it does.
    pub effect: Effect,
    /// The units' folders.
    pub units: Vec<String>,
    /// The clusters concerned: the units themselves, or the clusters of a network.
    pub clusters: Vec<String>,
}

impl Diff {
    /// The worst class of any change that nobody has acknowledged.
    #[must_use]
    pub fn worst(&self) -> Option<super::Class> {
        self.effects.iter().filter(|one| one.effect.acknowledged.is_none()).map(|one| one.effect.class).max()
    }

    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.units.is_empty() && self.effects.is_empty()
    }
}

/// What makes changes of two units the same change.
fn key(change: &Change) -> String {
    let Change { title, state, fields, lines, derived, .. } = change;
    let state = match state {
        State::Renamed(old) => format!("renamed {old}"),
        state => format!("{state:?}"),
    };
    let mut key = format!("{derived} {title}\n{state} {lines:?}\n");
    for field in fields {
        let json = |node: &Option<tree::Node>| node.as_ref().map_or_else(|| "-".to_owned(), |node| node.to_json().to_string());
        key += &format!("{} {} {} {}\n", field.path, field.moved, json(&field.before), json(&field.after));
    }
    key
}

/// Puts together what the units have in common.
pub(super) fn collect(compared: Vec<Compared>, pairs: &[Pair<'_>]) -> Diff {
    let mut diff = Diff::default();
    let mut keys: BTreeMap<usize, String> = BTreeMap::new();
    let mut changes: BTreeMap<String, (Arc<Change>, Vec<String>)> = BTreeMap::new();
    let mut effects: BTreeMap<Effect, Vec<String>> = BTreeMap::new();
    for (one, pair) in compared.into_iter().zip(pairs) {
        let folder = pair.folder().to_owned();
        diff.changed += usize::from(!one.changes.is_empty());
        diff.units.extend(pair.change());
        for change in one.changes {
            // Changes that units share are one value; its key is made once.
            let place = Arc::as_ptr(&change) as usize;
            let key = keys.entry(place).or_insert_with(|| key(&change)).clone();
            changes.entry(key).or_insert_with(|| (change, Vec::new())).1.push(folder.clone());
        }
        for effect in one.effects {
            let units = effects.entry(effect).or_default();
            if units.last() != Some(&folder) {
                units.push(folder.clone());
            }
        }
    }
    let mut groups: BTreeMap<Vec<String>, Vec<Arc<Change>>> = BTreeMap::new();
    for (change, units) in changes.into_values() {
        groups.entry(units).or_default().push(change);
    }
    diff.groups = groups.into_iter().map(|(units, changes)| Group { units, changes }).collect();
    for group in &mut diff.groups {
        group.changes.sort_by(|a, b| (a.derived, &a.title).cmp(&(b.derived, &b.title)));
    }
    // What most units share comes first.
    diff.groups.sort_by(|a, b| b.units.len().cmp(&a.units.len()).then_with(|| a.units.cmp(&b.units)));
    diff.effects = effects.into_iter().map(|(effect, units)| SharedEffect { effect, units, clusters: Vec::new() }).collect();
    diff.effects.sort_by(|a, b| b.effect.class.cmp(&a.effect.class).then_with(|| a.effect.cmp(&b.effect)));
    diff
}
