//! Values with places.

mod map;

use std::sync::Arc;

use super::Span;
pub use map::Map;

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

/// Equality looks at the values alone, never at places.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
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
