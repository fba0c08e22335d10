//! What changes of declarations do: as overlays say, and as the core says of its own fields.

use std::collections::BTreeSet;

use super::known::{CLUSTER, Known, NETWORK, is_below, longest};
use super::node::{self, Field, Path, Step};
use super::subject::{Says, Side, Subject};
use super::unit::Pair;
use super::{Class, Effect};
use model::declare::Transition;
use tree::{Node, Value};

/// Further fields of a cluster whose changes are judged by the objects and resources that they change.
const JUDGED_BY_RESULT: [&str; 2] = ["flows", "overlays"];

/// The field that stands for the choice of the provider; what is said of it is not said of the options below.
const PROVIDER: &str = "networking";

/// What the change of a unit's declaration does.
pub(super) fn effects(pair: &Pair<'_>, was: Option<&Subject>, is: Option<&Subject>) -> Vec<Effect> {
    let cluster = pair.folder().starts_with("clusters/");
    match (was, is) {
        (None, Some(_)) => vec![whole(cluster, "added")],
        (Some(_), None) => vec![whole(cluster, "removed")],
        (Some(was), Some(is)) => {
            let mut effects = if pair.old == pair.new { Vec::new() } else { vec![whole(cluster, "renamed")] };
            changed(cluster, was, is).into_iter().for_each(|effect| merge(&mut effects, effect));
            effects
        }
        (None, None) => Vec::new(),
    }
}

/// What happens to a whole unit.
fn whole(cluster: bool, what: &str) -> Effect {
    let noun = if cluster { "cluster" } else { "network" };
    let (class, because): (_, &str) = match (what, cluster) {
        ("added", _) => (Class::InPlace, "It comes beside what is there."),
        ("removed", true) => (Class::Downtime, "Whoever applies the repository deletes its objects and its stack."),
        ("removed", false) => {
            (Class::Downtime, "Its stack is deleted with everything in it; AWS refuses as long as machines are left.")
        }
        (_, true) => (
            Class::Downtime,
            "Its stack gets another name, so security groups and roles are made anew; its Flux Kustomizations or Argo CD Applications do, too, and the old ones prune what they applied.",
        ),
        (_, false) => (
            Class::Unsupported,
            "Its stack and its exports get other names: a second VPC is made, and the old one cannot be deleted as long as clusters import from it.",
        ),
    };
    let steps: &[&str] = match (what, cluster) {
        ("removed", true) => &["Drain the cluster, and delete its machines and load balancers first."],
        ("renamed", true) => &[
            "Keep the old sync objects from pruning, in a change of its own.",
            "Merge the new name, and move the machines to the new stack's security groups and roles.",
            "Delete the old stack.",
        ],
        ("renamed", false) => &["Declare the new network beside the old one, and move its clusters."],
        _ => &[],
    };
    Effect::new(class, format!("{noun}.{what}"), format!("the {noun} is {what}"), because).steps(steps)
}

/// Adds an effect, to the one of the same transition if there is one.
pub(super) fn merge(effects: &mut Vec<Effect>, effect: Effect) {
    let same = |other: &&mut Effect| {
        (&other.transition, other.class, &other.because, &other.source)
            == (&effect.transition, effect.class, &effect.because, &effect.source)
    };
    match effects.iter_mut().find(same) {
        Some(other) => other.changes.extend(effect.changes),
        None => effects.push(effect),
    }
}

fn changed(cluster: bool, was: &Subject, is: &Subject) -> Vec<Effect> {
    let mut fields = node::compare(&was.spec, &is.spec, None);
    fields.retain(|field| !is_idle(field));
    let fields = without_switched(fields);
    let mut effects = Vec::new();
    let switched = fields.iter().any(|field| field.path.0.len() == 2 && field.path.begins(&["networking"]));
    let mut told = false;
    for field in &fields {
        if switched && field.path.begins(&["networking"]) {
            if !std::mem::replace(&mut told, true) {
                effects.extend(of_provider(was, is));
            }
        } else if cluster {
            effects.extend(of_field(&dotted(&field.path), describe(field), was, is));
        } else {
            let found = longest(&NETWORK, &dotted(&field.path));
            effects.extend(found.map(|known| of_table(known, describe(field))));
        }
    }
    effects
}

/// Whether a field says nothing new: a block that is turned off, or empty, beside none at all.
fn is_idle(field: &Field) -> bool {
    let off = |node: &Option<Node>| {
        node.as_ref().is_none_or(|node| {
            node.is_null()
                || node.get("enabled").and_then(Node::as_bool) == Some(false)
                || node.as_map().is_some_and(tree::Map::is_empty)
                || node.as_list().is_some_and(<[Node]>::is_empty)
        })
    };
    off(&field.before) && off(&field.after)
}

/// The fields without those that come and go with a switch beside them, or above.
fn without_switched(fields: Vec<Field>) -> Vec<Field> {
    let is_switch = |field: &&Field| matches!(field.path.0.last(), Some(Step::Key(key)) if key == "enabled");
    let blocks: Vec<Path> = fields.iter().filter(is_switch).map(|field| field.path.parent()).collect();
    let follows = |field: &Field| !is_switch(&field) && blocks.iter().any(|block| field.path.0.starts_with(&block.0));
    fields.into_iter().filter(|field| !follows(field)).collect()
}

/// The components in which what nobody knows of changes of objects follows from changes of the declaration, which somebody does
/// know of.
///
/// None unless nothing else makes the objects differ, and each field that changes is one of which an overlay has said what that
/// does, or the core that it does more than nothing. Then these are the components of the overlays that have said so; and those of
/// all stock overlays when the core has, which knows what these make of its fields. A component that an overlay of the project's own
/// adds to is none of them.
pub(super) fn explained<'s>(
    effects: &[Effect],
    (was, base): (Option<&'s Subject>, &'s Side),
    (is, head): (Option<&'s Subject>, &'s Side),
) -> BTreeSet<&'s str> {
    let (Some(was), Some(is)) = (was, is) else { return BTreeSet::new() };
    let (Some(before), Some(after)) = (base.network(was), head.network(is)) else { return BTreeSet::new() };
    let network = node::compare(&before.spec, &after.spec, None);
    let known = network.iter().map(|field| longest(&NETWORK, &dotted(&field.path)).map(|known| known.class));
    // What an overlay says anew explains nothing.
    let anew = |says: &&Says| says.transitions.iter().any(|transition| !is_known(says, transition, was));
    let anew: Vec<&str> = is.transitions.iter().filter(anew).map(|says| &*says.overlay).collect();
    let overlay = |effect: &Effect| {
        let name = effect.source.strip_prefix("overlay ")?;
        (!anew.contains(&name)).then(|| name.to_owned())
    };
    let sound = effects.iter().all(|effect| effect.class > Class::InPlace || overlay(effect).is_some())
        && known.clone().all(|class| class.is_some_and(|class| class > Class::InPlace))
        && judged_by_result(was) == judged_by_result(is)
        && was.contributions == is.contributions
        && before.contributions == after.contributions;
    if !sound {
        return BTreeSet::new();
    }
    let core = effects.iter().any(|effect| overlay(effect).is_none()) || !network.is_empty();
    let told: Vec<String> = effects.iter().filter_map(overlay).collect();
    let says = was.transitions.iter().chain(&is.transitions);
    let (known, others): (Vec<&Says>, Vec<&Says>) =
        says.partition(|says| (core && says.stock) || told.iter().any(|name| *name == *says.overlay));
    let alone = |says: &&&Says| others.iter().all(|other| other.stock || other.component != says.component);
    known.iter().filter(alone).map(|says| &*says.component).collect()
}

fn judged_by_result(subject: &Subject) -> Vec<Option<&Node>> {
    JUDGED_BY_RESULT.iter().map(|key| subject.spec.get(key)).collect()
}

fn dotted(path: &Path) -> String {
    let keys = path.0.iter().map_while(|step| match step {
        Step::Key(key) => Some(key.as_str()),
        _ => None,
    });
    keys.collect::<Vec<_>>().join(".")
}

/// What the provider that goes says of it; what the one that comes says, where that one says nothing.
fn of_provider(was: &Subject, is: &Subject) -> Vec<Effect> {
    let says =
        |subject: &Subject| subject.transitions.iter().any(|says| says.transitions.iter().any(|one| one.field == PROVIDER));
    let (first, second) = if says(was) { (was, was) } else { (is, is) };
    of_field(PROVIDER, provider_change(was, is), first, second)
}

fn provider_change(was: &Subject, is: &Subject) -> String {
    let provider = |subject: &Subject| {
        let map = subject.spec.get("networking").and_then(Node::as_map);
        map.and_then(|map| map.keys().next()).unwrap_or("none").to_owned()
    };
    format!("networking: {} → {}", provider(was), provider(is))
}

/// `field: before → after`, in one line.
fn describe(field: &Field) -> String {
    format!("{}: {} → {}", field.path, brief(field.before.as_ref()), brief(field.after.as_ref()))
}

/// A value in a few words.
pub(super) fn brief(node: Option<&Node>) -> String {
    const CHARACTERS: usize = 60;
    let Some(node) = node else { return "none".to_owned() };
    let text = match &node.value {
        Value::String(text) => text.to_string(),
        _ => node.to_json().to_string(),
    };
    match text.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn of_table(known: &Known, change: String) -> Effect {
    Effect::new(known.class, known.field, change, known.because).steps(known.steps)
}

/// What overlays of either side say of a change of a field; what the core says where they say nothing, or where only the change
/// itself says something of a field that the core knows.
fn of_field(field: &str, change: String, was: &Subject, is: &Subject) -> Vec<Effect> {
    // A change cannot take back what the base says of it by saying something else of a part.
    let said = said(field, is).chain(said(field, was));
    let (mut effects, mut sure): (Vec<Effect>, bool) = (Vec::new(), false);
    for (says, transition) in said {
        sure |= is_known(says, transition, was);
        let effect = Effect {
            class: transition.class.into(),
            transition: transition.field.clone(),
            changes: vec![change.clone()],
            because: transition.because.trim_end().to_owned(),
            steps: transition.steps.clone(),
            source: format!("overlay {}", says.overlay),
            acknowledged: None,
        };
        if !effects.contains(&effect) {
            effects.push(effect);
        }
    }
    if sure || JUDGED_BY_RESULT.iter().any(|known| is_below(field, known)) {
        return effects;
    }
    match longest(&CLUSTER, field) {
        Some(known) => effects.push(of_table(known, change)),
        None if !effects.is_empty() => {}
        None => {
            let because = "Neither netloom nor an overlay of the cluster says what a change of this field does.";
            effects.push(Effect::new(Class::Unknown, field, change, because));
        }
    }
    effects
}

/// Whether an overlay said something of changes before this one, or netloom says it.
fn is_known(says: &Says, transition: &Transition, was: &Subject) -> bool {
    let same = |one: &Transition| one.field == transition.field && Class::from(one.class) == Class::from(transition.class);
    let before = |before: &Says| before.overlay == says.overlay && before.transitions.iter().any(same);
    says.stock || was.transitions.iter().any(before)
}

/// What the overlays of one side say of the field, or of the nearest one above it of which they say something.
fn said<'s>(field: &str, side: &'s Subject) -> impl Iterator<Item = (&'s Says, &'s Transition)> {
    let all = || side.transitions.iter().flat_map(|says| says.transitions.iter().map(move |transition| (says, transition)));
    // A block that comes or goes as a whole is turned on or off.
    let switch = format!("{field}.enabled");
    let covers = |wanted: &str| wanted == switch || (is_below(field, wanted) && (wanted != PROVIDER || field == PROVIDER));
    let exact = all().any(|(_, transition)| transition.field == field);
    let nearest = all().map(|(_, transition)| transition.field.as_str()).filter(|wanted| covers(wanted)).map(str::len).max();
    let nearest = if exact { Some(field.len()) } else { nearest };
    let found: Vec<_> = all().filter(|(_, one)| covers(&one.field) && Some(one.field.len()) == nearest).collect();
    found.into_iter()
}

/// Notes what somebody has acknowledged in this very change.
pub(super) fn acknowledge(effects: &mut [Effect], was: Option<&Subject>, is: Option<&Subject>) {
    let Some(is) = is else { return };
    let spent = was.map(|subject| subject.acknowledged.as_slice()).unwrap_or_default();
    for effect in effects {
        let named = is.acknowledged.iter().filter(|one| !spent.contains(one)).find(|one| one.transition == effect.transition);
        effect.acknowledged = named.map(|one| one.because.clone());
    }
}
