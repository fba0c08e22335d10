//! Between trees and typed values.

use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::{Map, Node, Span, Value};

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.value {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(flag) => serializer.serialize_bool(*flag),
            Value::Int(number) => serializer.serialize_i64(*number),
            Value::Float(number) => serializer.serialize_f64(*number),
            Value::String(text) => serializer.serialize_str(text),
            Value::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            Value::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                entries.iter().try_for_each(|(key, node)| map.serialize_entry(&*key.text, node))?;
                map.end()
            }
        }
    }
}

/// Parsed declarations keep parts of themselves as trees (an overlay's options, say); serde hands those over without places.
impl<'de> serde::Deserialize<'de> for Node {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_json::Value::deserialize(deserializer).map(|json| from_json(&json, Span::NONE))
    }
}

impl schemars::JsonSchema for Node {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Any".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        true.into()
    }
}

impl Node {
    /// This tree as JSON.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(flag) => Json::Bool(*flag),
            Value::Int(number) => Json::from(*number),
            Value::Float(number) => Json::from(*number),
            Value::String(text) => Json::String(text.to_string()),
            Value::List(items) => items.iter().map(Node::to_json).collect(),
            Value::Map(map) => Json::Object(map.iter().map(|(k, n)| (k.text.to_string(), n.to_json())).collect()),
        }
    }
}

/// A tree with the same values as `json`, every node at `span`.
#[must_use]
pub fn from_json(json: &serde_json::Value, span: Span) -> Node {
    use serde_json::Value as Json;
    let value = match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => from_number(number),
        Json::String(text) => Value::String(Arc::from(text.as_str())),
        Json::Array(items) => Value::List(items.iter().map(|item| from_json(item, span)).collect()),
        Json::Object(entries) => Value::Map(
            entries
                .iter()
                .map(|(key, value)| (super::Key { text: key.as_str().into(), span }, from_json(value, span)))
                .collect::<Map>(),
        ),
    };
    Node::new(value, span)
}

/// Whole numbers stay whole, also where Jsonnet wrote them as `3.0`.
fn from_number(number: &serde_json::Number) -> Value {
    if let Some(integer) = number.as_i64() {
        return Value::Int(integer);
    }
    let float = number.as_f64().unwrap_or(f64::MAX);
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    let whole = float as i64;
    #[allow(clippy::cast_precision_loss)]
    if float.fract() == 0.0 && float.abs() < 9.0e15 && whole as f64 == float { Value::Int(whole) } else { Value::Float(float) }
}
