//! Words for messages.

use findings::{Diagnostic, nearest};
use tree::{Node, Value};

/// Whether a value is neither a list nor a mapping.
pub(super) fn is_scalar(node: &Node) -> bool {
    !matches!(node.value, Value::List(_) | Value::Map(_))
}

/// A value for a message: scalars as they are, the rest by kind.
pub(super) fn show(node: &Node) -> String {
    match &node.value {
        Value::String(text) => text.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => node.kind().to_owned(),
    }
}

/// Adds what was probably meant, or else what there is to choose from.
pub(super) fn candidates(finding: Diagnostic, given: &str, what: &str, names: &[String]) -> Diagnostic {
    const SHOWN: usize = 8;
    if let Some(name) = nearest(given, names.iter().map(String::as_str)) {
        return finding.help(format!("did you mean `{name}`?"));
    }
    if names.is_empty() {
        return finding.help(format!("there are no {what}"));
    }
    let more = if names.len() > SHOWN { ", …" } else { "" };
    let shown: Vec<_> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    finding.help(format!("the {what} are {}{more}", shown.join(", ")))
}
