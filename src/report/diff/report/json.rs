//! For programs.

use serde_json::{Map, Value, json};

use super::Header;
use crate::diff::{Change, Diff, Field, SharedEffect, State, UnitChange};
use tree::Node;

/// What programs get, by key.
#[must_use]
pub fn data(diff: &Diff, header: Header<'_>) -> Map<String, Value> {
    let base = json!({"name": header.base.name, "commit": header.base.commit, "mergeBase": header.base.tip.is_some()});
    let groups = diff.groups.iter().map(|group| {
        let changes: Value = group.changes.iter().map(|one| change(one)).collect();
        json!({"units": group.units, "changes": changes})
    });
    let [objections, unrendered] = super::objections::data(header);
    let members = [
        ("base", base),
        ("objections", objections),
        ("unrendered", unrendered),
        ("class", diff.worst().map_or(Value::Null, |class| class.name().into())),
        ("effects", diff.effects.iter().map(effect).collect()),
        ("units", diff.units.iter().map(unit).collect()),
        ("groups", groups.collect()),
    ];
    members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Counts.
#[must_use]
pub fn summary(diff: &Diff) -> Map<String, Value> {
    let [added, removed, renamed] = super::whole(diff).map(|(number, _)| number);
    let counts = [("units", diff.total), ("changed", diff.changed), ("added", added), ("removed", removed), ("renamed", renamed)];
    counts.into_iter().map(|(key, count)| (key.to_owned(), count.into())).collect()
}

fn effect(shared: &SharedEffect) -> Value {
    let effect = &shared.effect;
    json!({
        "class": effect.class,
        "transition": effect.transition,
        "changes": effect.changes,
        "because": effect.because,
        "steps": effect.steps,
        "source": effect.source,
        "acknowledged": effect.acknowledged,
        "units": shared.units,
        "clusters": shared.clusters,
    })
}

fn unit(unit: &UnitChange) -> Value {
    match unit {
        UnitChange::Added(folder, files) => json!({"state": "added", "folder": folder, "files": files}),
        UnitChange::Removed(folder, files) => json!({"state": "removed", "folder": folder, "files": files}),
        UnitChange::Renamed(old, new) => json!({"state": "renamed", "folder": new, "from": old}),
    }
}

fn change(change: &Change) -> Value {
    let (state, from) = match &change.state {
        State::Added => ("added", None),
        State::Removed => ("removed", None),
        State::Changed => ("changed", None),
        State::Renamed(old) => ("renamed", Some(old)),
    };
    let fields: Value = change.fields.iter().map(field).collect();
    let lines = change.lines.map(|(added, removed)| json!({"added": added, "removed": removed}));
    json!({"object": change.title, "state": state, "from": from, "fields": fields, "lines": lines, "derived": change.derived})
}

fn field(field: &Field) -> Value {
    let json = |node: &Option<Node>| node.as_ref().map_or(Value::Null, Node::to_json);
    json!({
        "path": field.path.to_string(),
        "before": json(&field.before),
        "after": json(&field.after),
        "moved": field.moved,
    })
}
