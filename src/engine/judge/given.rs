//! What a project gives its overlays beside what they say themselves: options, and facts.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Rulebook;
use crate::overlay::library::Overlay;
use model::declare::{Selector, Use};
use tree::{Map, Node, Path};

/// Where a schema lists options.
const PROPERTIES: &str = "properties";

/// What stands for every option.
const WHOLE: &str = "";

/// Who gives options, and which ones.
type Giving = (String, BTreeMap<String, Value>);

/// The options and the facts of one side.
#[derive(Debug, Default)]
pub(super) struct Given {
    /// What layers, other overlays and their patches of declarations give to an overlay, by its name.
    options: BTreeMap<String, Vec<Giving>>,
    /// What each of the project's own overlays states as facts.
    facts: Vec<Node>,
}

impl Given {
    /// Those of a project.
    pub(super) fn of(book: Rulebook<'_>) -> Self {
        let mut options: BTreeMap<String, Vec<Giving>> = BTreeMap::new();
        let mut give = |overlay: &str, who: String, given: &indexmap::IndexMap<String, Node>| {
            let given: BTreeMap<_, _> = given.iter().map(|(name, value)| (name.clone(), value.to_json())).collect();
            if !given.is_empty() {
                options.entry(overlay.to_owned()).or_default().push((who, given));
            }
        };
        let text = |selector: &Selector| serde_json::to_string(selector).unwrap_or_default();
        for layer in &book.project.value.spec.layers {
            let clusters = layer.of_clusters();
            clusters.iter().for_each(|clusters| give(&layer.overlay, text(clusters), &layer.options));
        }
        for overlay in book.library.own() {
            for used in &overlay.spec().uses {
                if let Use::Parameters(given) = used {
                    give(&given.overlay, overlay.name().to_owned(), &given.options);
                }
            }
        }
        patched(book).into_iter().for_each(|(overlay, giving)| options.entry(overlay).or_default().push(giving));
        let facts = book.library.own().filter_map(|overlay| overlay.declared.node.at(&Path::dotted("spec.facts")));
        let facts = facts.cloned().collect();
        options.values_mut().for_each(|given| given.sort_by(|one, other| one.0.cmp(&other.0)));
        Self { options, facts }
    }

    /// The overlays that are given other options here than there, and if facts are stated otherwise all of these that are `used`.
    pub(super) fn regiven<'g>(&'g self, other: &'g Self, used: impl Iterator<Item = &'g str>) -> impl Iterator<Item = &'g str> {
        let differs = |name: &&String| self.options.get(*name) != other.options.get(*name);
        let facts = self.fact(None) != other.fact(None);
        let options = self.options.keys().chain(other.options.keys()).filter(differs).map(String::as_str);
        options.chain(used.filter(move |_| facts))
    }

    /// What an option of an overlay is: what its schema says of it, and what is given for it; all of them where none is named.
    pub(super) fn option(&self, overlay: &Overlay, option: Option<&str>) -> String {
        let options = overlay.declared.node.at(&Path::dotted("spec.options"));
        // An option is one of the properties; what else the schema says may be about each.
        let wanted = |key: &str| key != PROPERTIES || option.is_none();
        let entries = options.and_then(Node::as_map).into_iter().flat_map(Map::iter).filter(|(key, _)| wanted(&key.text));
        let mut schema: Value = Value::Object(entries.map(|(key, node)| (key.text.to_string(), node.to_json())).collect());
        meaning(&mut schema);
        let property = option.and_then(|option| options?.get(PROPERTIES)?.get(option)).map(Node::to_json);
        let property = property.map(|mut property| {
            meaning(&mut property);
            property
        });
        let given = self.options.get(overlay.name()).into_iter().flatten();
        let given = given.filter_map(|(who, given)| match option {
            Some(option) => Some(serde_json::json!([who, given.get(option).or_else(|| given.get(WHOLE))?])),
            None => Some(serde_json::json!([who, given])),
        });
        serde_json::json!([schema, property, given.collect::<Vec<_>>()]).to_string()
    }

    /// What the project's overlays state as a fact, whichever of them a cluster has; all facts where none is named.
    pub(super) fn fact(&self, fact: Option<&str>) -> String {
        let mut stated: Vec<String> = self.facts.iter().filter_map(|facts| statement(facts, fact)).collect();
        stated.sort();
        serde_json::json!(stated).to_string()
    }
}

/// The options that patches of declarations write into the blocks of the project's own overlays: whose, who, and which.
fn patched(book: Rulebook<'_>) -> Vec<(String, Giving)> {
    let blocks: Vec<_> =
        book.library.own().filter_map(|overlay| Some((overlay.name(), overlay.spec().selected_by.as_deref()?))).collect();
    let mut all = Vec::new();
    for overlay in book.library.own() {
        let patches = overlay.declared.node.at(&Path::dotted("spec.declarations")).and_then(Node::as_list).unwrap_or_default();
        for patch in patches {
            let clusters = patch.get("clusters").map(Node::to_json).unwrap_or_default();
            for (name, block) in &blocks {
                let Some(given) = patch.get("cluster").and_then(|change| written(change, block)) else { continue };
                all.push(((*name).to_owned(), (format!("{} {clusters}", overlay.name()), given)));
            }
        }
    }
    all
}

/// What a patch writes into a block.
fn written(change: &Node, block: &str) -> Option<BTreeMap<String, Value>> {
    let Some(operations) = change.as_list() else {
        let mut node = change;
        for key in block.split('.') {
            if node.as_map().is_none() {
                return Some([(WHOLE.to_owned(), node.to_json())].into());
            }
            node = node.get(key)?;
        }
        return Some(match node.as_map() {
            Some(map) => map.iter().map(|(key, value)| (key.text.to_string(), value.to_json())).collect(),
            None => [(WHOLE.to_owned(), node.to_json())].into(),
        });
    };
    // An operation may move or remove what is above the block, or in it.
    let place = format!("/{}/", block.replace('.', "/"));
    let near = |path: &str| format!("{path}/").starts_with(&place) || place.starts_with(&format!("{path}/"));
    let touches = |one: &&Node| ["path", "from"].iter().any(|key| one.str_at(key).is_some_and(near));
    let found: Vec<_> = operations.iter().filter(touches).map(Node::to_json).collect();
    (!found.is_empty()).then(|| [(WHOLE.to_owned(), Value::from(found))].into())
}

/// What facts say under one name, or under names that are computed; all of them where none is named.
pub(super) fn statement(facts: &Node, fact: Option<&str>) -> Option<String> {
    let Some((map, fact)) = facts.as_map().zip(fact) else { return Some(facts.to_json().to_string()) };
    let named = map.iter().filter(|(key, _)| *key.text == *fact || key.text.contains("{{"));
    let entries: Vec<_> = named.map(|(key, node)| (key.text.to_string(), node.to_json())).collect();
    (!entries.is_empty()).then(|| serde_json::json!(entries).to_string())
}

/// A schema without what it says to people.
fn meaning(schema: &mut Value) {
    let Some(map) = schema.as_object_mut() else { return };
    ["description", "title", "examples"].iter().for_each(|key| _ = map.remove(*key));
    if let Some(properties) = map.get_mut(PROPERTIES).and_then(Value::as_object_mut) {
        properties.values_mut().for_each(meaning);
    }
    map.get_mut("items").into_iter().for_each(meaning);
}
