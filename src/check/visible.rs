//! Characters in what is rendered that nobody sees: NUL, which no process takes as an argument, escape sequences, which drive the
//! terminal of whoever looks, text that turns around. YAML, templates and programs are read without any; an expression or a program can
//! still make one, or take one from a file.

use crate::diagnostic::Diagnostic;
use crate::tree::{Node, Span, Value, yaml};

/// Reports each text of a tree with such a character in it; `whole` is the place of what has none of its own.
pub(super) fn check(node: &Node, whole: Span, findings: &mut Vec<Diagnostic>) {
    let mut look = |text: &str, span: Span| {
        let place = if span.is_known() { span } else { whole };
        findings.extend(yaml::hidden(text).map(|(_, bad)| yaml::invisible(bad, place)));
    };
    match &node.value {
        Value::String(text) => look(text, node.span),
        Value::List(items) => items.iter().for_each(|item| check(item, whole, findings)),
        Value::Map(map) => {
            map.iter().for_each(|(key, _)| look(&key.text, key.span));
            map.iter().for_each(|(_, child)| check(child, whole, findings));
        }
        _ => {}
    }
}
