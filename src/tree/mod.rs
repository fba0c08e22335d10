//! Trees that remember where they were written.
//!
//! Everything netloom reads, computes and writes is a [`Node`]: a JSON-like value with the [`Span`] of the text that set it
//! and, after layering, the value it overrode. Diagnostics point at spans; the emitted text is a function of the values alone.

mod convert;
pub mod fmt;
mod path;
pub mod schema;
mod source;
mod write;
pub mod yaml;

use std::sync::Arc;

pub use convert::from_json;
pub use path::{Path, Step};
pub use source::{FileId, Position, Source, Sources, Span};
pub use write::to_yaml;

/// A value, the place that set it, and the value it overrode.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// The value itself.
    pub value: Value,
    /// The text that set this value; [`Span::NONE`] for values that netloom computed.
    pub span: Span,
    /// The value that stood here before an overlay or a declaration replaced it.
    pub overrode: Option<Arc<Node>>,
}

/// What a [`Node`] holds: the JSON data model, with integers kept apart from other numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// `null`, also an empty YAML value.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number; every integer that fits 64 bits signed.
    Int(i64),
    /// Any other finite number.
    Float(f64),
    /// Text.
    String(Arc<str>),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order written.
    Map(Map),
}

/// A mapping key with the place where it was written.
#[derive(Clone, Debug)]
pub struct Key {
    /// The key's text.
    pub text: Arc<str>,
    /// Where the key stands.
    pub span: Span,
}

/// An ordered mapping with unique keys.
///
/// Manifests have few keys per level, so a linear search beats hashing; [`Map::push`] is there for builders of large maps that
/// know their keys to be unique.
#[derive(Clone, Debug, Default)]
pub struct Map {
    entries: Vec<(Key, Node)>,
}

impl Map {
    /// An empty map.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The value under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, node)| node)
    }

    /// The key as written and its value.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<(&Key, &Node)> {
        self.entries.iter().find(|(k, _)| &*k.text == key).map(|(k, n)| (k, n))
    }

    /// The value under `key`, for changing it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.entries.iter_mut().find(|(k, _)| &*k.text == key).map(|(_, n)| n)
    }

    /// Sets `key`, in its old position if it is there already; returns what stood there.
    pub fn insert(&mut self, key: impl Into<Key>, node: Node) -> Option<Node> {
        let key = key.into();
        match self.get_mut(&key.text) {
            Some(old) => Some(std::mem::replace(old, node)),
            None => {
                self.entries.push((key, node));
                None
            }
        }
    }

    /// Appends an entry whose key the caller knows to be new.
    pub fn push(&mut self, key: impl Into<Key>, node: impl Into<Node>) {
        self.entries.push((key.into(), node.into()));
    }

    /// Removes `key` and returns its value.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        let at = self.entries.iter().position(|(k, _)| &*k.text == key)?;
        Some(self.entries.remove(at).1)
    }

    /// Whether `key` is there.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// All entries, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Key, &Node)> + ExactSizeIterator {
        self.entries.iter().map(|(k, n)| (k, n))
    }

    /// All entries, in order, values changeable.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Key, &mut Node)> {
        self.entries.iter_mut().map(|(k, n)| (&*k, n))
    }

    /// All keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(k, _)| &*k.text)
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Keeps only the entries for which `keep` is true.
    pub fn retain(&mut self, mut keep: impl FnMut(&Key, &mut Node) -> bool) {
        self.entries.retain_mut(|(k, n)| keep(k, n));
    }

    /// Orders the entries by key.
    pub fn sort(&mut self) {
        self.entries.sort_by(|(a, _), (b, _)| a.text.cmp(&b.text));
    }
}

/// Equality ignores order: two maps with the same entries are the same object.
impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(k, n)| other.get(&k.text) == Some(n))
    }
}

/// Equality looks at the values alone, never at places.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl IntoIterator for Map {
    type Item = (Key, Node);
    type IntoIter = std::vec::IntoIter<(Key, Node)>;
    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<K: Into<Key>, N: Into<Node>> FromIterator<(K, N)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, N)>>(entries: I) -> Self {
        Self { entries: entries.into_iter().map(|(k, n)| (k.into(), n.into())).collect() }
    }
}

impl Node {
    /// A value written at `span`.
    #[must_use]
    pub fn new(value: Value, span: Span) -> Self {
        Self { value, span, overrode: None }
    }

    /// A map node made of `entries`, which netloom computed.
    pub fn map<K: Into<Key>>(entries: impl IntoIterator<Item = (K, Node)>) -> Self {
        Value::Map(entries.into_iter().collect()).into()
    }

    /// The child under `key`, when this is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key)
    }

    /// The text of the child under `key`.
    #[must_use]
    pub fn str_at(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// The text, when this is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, when this is a whole number.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        match self.value {
            Value::Int(number) => Some(number),
            _ => None,
        }
    }

    /// The truth value, when this is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(flag) => Some(flag),
            _ => None,
        }
    }

    /// The entries, when this is a map.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The entries, for changing them, when this is a map.
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        match &mut self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The items, when this is a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// The items, for changing them, when this is a list.
    pub fn as_list_mut(&mut self) -> Option<&mut Vec<Node>> {
        match &mut self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// Whether this is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.value == Value::Null
    }

    /// What kind of value this is, in the words of JSON.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Int(_) => "an integer",
            Value::Float(_) => "a number",
            Value::String(_) => "a string",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// Becomes `newer`; what is equal already keeps its place and its order, so that a program which hands a tree back with one value
    /// changed, and its keys sorted, is not taken for the origin of the others.
    pub fn become_equal(&mut self, newer: Node) {
        match (&mut self.value, newer.value) {
            (Value::Map(old), Value::Map(mut new)) => {
                for (key, mut kept) in std::mem::take(old) {
                    if let Some(node) = new.remove(&key.text) {
                        kept.become_equal(node);
                        old.push(key, kept);
                    }
                }
                new.into_iter().for_each(|(key, node)| old.push(key, node));
            }
            (Value::List(old), Value::List(new)) => {
                let mut before = std::mem::take(old);
                for node in new {
                    let same = |old: &Node| old.str_at("name").map_or(*old == node, |name| node.str_at("name") == Some(name));
                    let place = before.iter().position(same);
                    old.push(match place.map(|place| before.remove(place)) {
                        Some(mut kept) => {
                            kept.become_equal(node);
                            kept
                        }
                        None => node,
                    });
                }
            }
            (old, new) if *old == new => {}
            (_, value) => self.replace(Node::new(value, newer.span)),
        }
    }

    /// Replaces this value by `newer` and remembers what stood here.
    pub fn replace(&mut self, mut newer: Node) {
        let older = std::mem::take(self);
        newer.overrode = Some(Arc::new(older));
        *self = newer;
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self { text: text.into(), span: Span::NONE }
    }
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        Self { text: text.into(), span: Span::NONE }
    }
}

impl From<Arc<str>> for Key {
    fn from(text: Arc<str>) -> Self {
        Self { text, span: Span::NONE }
    }
}

impl From<Value> for Node {
    fn from(value: Value) -> Self {
        Node::new(value, Span::NONE)
    }
}

impl From<Map> for Node {
    fn from(map: Map) -> Self {
        Value::Map(map).into()
    }
}

impl From<Vec<Node>> for Node {
    fn from(items: Vec<Node>) -> Self {
        Value::List(items).into()
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Value::String(text.into()).into()
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Value::String(text.into()).into()
    }
}

impl From<bool> for Node {
    fn from(flag: bool) -> Self {
        Value::Bool(flag).into()
    }
}

impl From<i64> for Node {
    fn from(number: i64) -> Self {
        Value::Int(number).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(text: &str, sources: &mut Sources) -> Node {
        let file = sources.add(format!("{}.yaml", sources.iter().count()), text);
        yaml::read(text, file, &mut Vec::new()).remove(0)
    }

    /// A program hands back the whole tree with its keys sorted; only what it changed is its own.
    #[test]
    fn what_becomes_equal_keeps_the_places_of_what_was_equal() {
        let mut sources = Sources::default();
        let mut old = node("b: 1\na: {x: 1, gone: 2}\nlist: [{name: p, v: 1}, {name: q, v: 1}, 7]\n", &mut sources);
        let new = node("a: {x: 1}\nb: 2\nlist: [7, {name: q, v: 2}, {name: new}]\nc: 3\n", &mut sources);
        old.become_equal(new.clone());
        assert_eq!(to_yaml(&old), "b: 2\na:\n  x: 1\nlist:\n- 7\n- name: q\n  v: 2\n- name: new\nc: 3\n");
        let place = |path: &str| sources.locate(old.at(&Path::dotted(path)).unwrap().span);
        assert_eq!([place("a.x"), place("b"), place("c")], ["0.yaml:2:8", "1.yaml:2:4", "1.yaml:4:4"]);
        assert_eq!(old.get("b").unwrap().overrode.as_ref().unwrap().as_int(), Some(1));
        let items = old.get("list").and_then(Node::as_list).unwrap();
        let places: Vec<_> = items.iter().map(|item| sources.locate(item.span)).collect();
        assert_eq!(places, ["0.yaml:3:42", "0.yaml:3:25", "1.yaml:3:28"]);
        assert_eq!(sources.locate(items[1].get("v").unwrap().span), "1.yaml:3:24");
    }
}
