//! Values of the engine to trees, and back.

use minijinja::Value;
use minijinja::value::ValueKind;

use tree::{Key, Map, Node, Span, limits};

/// A tree for an engine's value; `room` is how many more bytes it may take.
pub(super) fn to_node(value: &Value, span: Span, room: &mut usize) -> Result<Node, String> {
    let mut take = |bytes: usize| {
        *room = room.checked_sub(bytes).ok_or_else(|| format!("the result takes more than {} bytes", limits::TEMPLATE_OUTPUT))?;
        Ok::<(), String>(())
    };
    take(8)?;
    let value = match value.kind() {
        ValueKind::None => tree::Value::Null,
        ValueKind::Bool => tree::Value::Bool(value.is_true()),
        ValueKind::Number => number(value)?,
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            take(text.len())?;
            tree::Value::String(text.into())
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().map_err(|error| error.to_string())?;
            tree::Value::List(items.map(|item| to_node(&item, span, room)).collect::<Result<_, _>>()?)
        }
        ValueKind::Map => tree::Value::Map(to_map(value, span, room)?),
        kind => return Err(format!("the result is {kind}, not data")),
    };
    Ok(Node::new(value, span))
}

fn to_map(value: &Value, span: Span, room: &mut usize) -> Result<Map, String> {
    let mut map = Map::new();
    for key in value.try_iter().map_err(|error| error.to_string())? {
        let child = value.get_item(&key).map_err(|error| error.to_string())?;
        let text = key.as_str().map_or_else(|| key.to_string(), ToOwned::to_owned);
        map.push(Key { text: text.into(), span }, to_node(&child, span, room)?);
    }
    Ok(map)
}

fn number(value: &Value) -> Result<tree::Value, String> {
    if let Some(integer) = value.as_i64() {
        return Ok(tree::Value::Int(integer));
    }
    let float = f64::try_from(value.clone()).map_err(|error| error.to_string())?;
    if float.is_finite() { Ok(tree::Value::Float(float)) } else { Err("the result is no finite number".to_owned()) }
}

/// The engine's value for a tree.
#[must_use]
pub fn to_value(node: &Node) -> Value {
    match &node.value {
        tree::Value::Null => Value::from(()),
        tree::Value::Bool(flag) => Value::from(*flag),
        tree::Value::Int(number) => Value::from(*number),
        tree::Value::Float(number) => Value::from(*number),
        tree::Value::String(text) => Value::from(text.clone()),
        tree::Value::List(items) => items.iter().map(to_value).collect(),
        tree::Value::Map(map) => Value::from_pairs(map.iter().map(|(key, node)| (key.text.clone(), to_value(node)))),
    }
}
