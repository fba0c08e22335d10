//! Changes to trees: strategic merge patches, JSON patches and merge patches.
//!
//! Whatever a patch replaces is remembered in [`Node::overrode`]. A patch that asks for something that is not there is an
//! error with the nearest candidates, never a silent no-op; so is one that leaves no object, or another one ([`kept`]).

mod directive;
mod json;
pub mod kept;
mod list;
mod merge;
mod pointer;
mod strategic;
mod target;
mod trail;

use crate::diagnostic::{Diagnostic, nearest};
use crate::tree::{Node, Value};

pub use json::json;
pub use merge::merge;
pub use strategic::{plain, strategic};
pub use target::{Matcher, show as show_object};

/// Whether a value is neither a list nor a mapping.
fn is_scalar(node: &Node) -> bool {
    !matches!(node.value, Value::List(_) | Value::Map(_))
}

/// A value for a message: scalars as they are, the rest by kind.
fn show(node: &Node) -> String {
    match &node.value {
        Value::String(text) => text.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => node.kind().to_owned(),
    }
}

/// Adds what was probably meant, or else what there is to choose from.
fn candidates(finding: Diagnostic, given: &str, what: &str, names: &[String]) -> Diagnostic {
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
