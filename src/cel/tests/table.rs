//! The table of expressions that `tests/real/admission` evaluates with Kubernetes' own code.

use std::fmt::Write;

use super::*;

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/real/admission/expressions.txt");
const OBJECT: &str = include_str!("../../../tests/real/admission/object.yaml");

/// Every expression has the value that stands beside it; `NETLOOM_BLESS=1` writes the values.
#[test]
#[allow(clippy::disallowed_methods, reason = "the table is a file of this repository")]
fn expressions_have_their_values() {
    let table = std::fs::read_to_string(TABLE).unwrap();
    let mut project = Project::default();
    let object: Node = project.node("object.yaml", OBJECT);
    let (mut found, mut count) = (String::new(), 0);
    for line in table.lines() {
        match line.split_once(" => ").filter(|_| !line.starts_with('#')) {
            None => writeln!(found, "{line}").unwrap(),
            Some((expression, _)) => {
                count += 1;
                writeln!(found, "{expression} => {}", value(expression, &object)).unwrap();
            }
        }
    }
    assert!(count > 700, "{count} expressions");
    if std::env::var_os("NETLOOM_BLESS").is_some() {
        std::fs::write(TABLE, &found).unwrap();
    }
    let wrong: Vec<_> = table.lines().zip(found.lines()).filter(|(wanted, found)| wanted != found).collect();
    assert!(wrong.is_empty() || std::env::var_os("NETLOOM_BLESS").is_some(), "{wrong:#?}");
}

/// The value of an expression over an object, or `error`.
fn value(expression: &str, object: &Node) -> String {
    let place = Place::new(Span::NONE, "", None);
    let Ok(compiled) = compile(expression, &place, &[]) else { return "error".to_owned() };
    let resource = || Node::map([("group", Node::from("example.net")), ("version", "v1".into()), ("resource", "samples".into())]);
    let kind = || Node::map([("group", Node::from("example.net")), ("version", "v1".into()), ("kind", "Sample".into())]);
    let request = Node::map([
        ("operation", Node::from("CREATE")),
        ("kind", kind()),
        ("resource", resource()),
        ("name", "web".into()),
        ("namespace", "shop".into()),
        ("dryRun", false.into()),
    ]);
    let meter = Meter::default();
    let scope = Scope::new(Bindings { object: Some(object), request: Some(&request), ..Bindings::default() }, &[], &meter);
    scope.evaluate(&compiled).map_or_else(|_| "error".to_owned(), |value| text(&value))
}

/// A value as the table has it; the same is in tests/real/admission/values.go.
fn text(value: &Value<'_>) -> String {
    let named = |name: &str| format!("{name}({})", library::plain(value));
    match value {
        Value::UInt(number) => format!("{number}u"),
        Value::Double(number) => format!("{number:?}"),
        Value::String(text) => quoted(text),
        Value::Bytes(bytes) => format!("bytes({})", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
        Value::Optional(None) => "none".to_owned(),
        Value::Optional(Some(value)) => format!("some({})", text(value)),
        Value::Type(_) => named("type"),
        Value::Duration(_) => named("duration"),
        Value::Timestamp(_) => named("timestamp"),
        Value::Ip(_) => named("ip"),
        Value::Cidr(..) => named("cidr"),
        Value::Quantity(quantity) => format!("quantity({})", quantity.text()),
        Value::Semver(_) => named("semver"),
        Value::Url(_) => named("url"),
        Value::Format(_) => named("format"),
        Value::Null | Value::Bool(_) | Value::Int(_) => library::plain(value),
        Value::Node(_) | Value::List(_) | Value::Map(_) => match (value.items(), value.entries()) {
            (Some(items), _) => format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(", ")),
            (None, entries) => {
                let entries = entries.unwrap_or_default();
                let mut entries: Vec<_> = entries.iter().map(|(key, value)| format!("{}: {}", text(key), text(value))).collect();
                entries.sort();
                format!("{{{}}}", entries.join(", "))
            }
        },
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_ascii_control() => write!(out, "\\u{{{:x}}}", u32::from(c)).unwrap(),
            c => out.push(c),
        }
    }
    out + "\""
}
