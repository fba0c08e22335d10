//! Characters in what is rendered that nobody sees: NUL, which no process takes as an argument, escape sequences, which drive the
//! terminal of whoever looks, text that turns around. YAML, templates and programs are read without any; an expression or a program can
//! still make one, or take one from a file.

use findings::Diagnostic;
use tree::{Node, Span, Value};

/// Reports each text of a tree with such a character in it; `yaml` is what [`to_yaml`](yaml::to_yaml) makes of the tree, and
/// `whole` the place of what has none of its own.
pub(super) fn check(node: &Node, yaml: &str, whole: Span, findings: &mut Vec<Diagnostic>) {
    // Most trees have none, and looking through one text is quicker than going through a tree.
    if possible(yaml) {
        walk(node, whole, findings);
    }
}

/// Whether there can be one in the tree of which this is the YAML, which has an escape for each that is not beyond ASCII.
fn possible(yaml: &str) -> bool {
    // Without a way out of the middle, the processor looks at many bytes at once.
    let is_other = |byte: u8| (byte.wrapping_sub(b' ') > b'~' - b' ') & (byte != b'\n') | (byte == b'\\');
    yaml.bytes().fold(false, |other, byte| other | is_other(byte))
}

fn walk(node: &Node, whole: Span, findings: &mut Vec<Diagnostic>) {
    let mut look = |text: &str, span: Span| {
        let place = if span.is_known() { span } else { whole };
        findings.extend(yaml::hidden(text).map(|(_, bad)| yaml::invisible(bad, place)));
    };
    match &node.value {
        Value::String(text) => look(text, node.span),
        Value::List(items) => items.iter().for_each(|item| walk(item, whole, findings)),
        Value::Map(map) => {
            map.iter().for_each(|(key, _)| look(&key.text, key.span));
            map.iter().for_each(|(_, child)| walk(child, whole, findings));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yaml::to_yaml;

    #[test]
    fn no_hidden_character_passes_by() {
        for hidden in ('\0'..=char::MAX).filter(|c| yaml::is_hidden(*c)) {
            for text in [format!("{hidden}"), format!("a{hidden}b"), format!("a\nb{hidden}\n"), format!("é {hidden}")] {
                for node in [Node::map([("a", Node::from(&*text))]), Node::map([(&*text, Node::from("a"))])] {
                    let mut findings = Vec::new();
                    check(&node, &to_yaml(&node), Span::NONE, &mut findings);
                    assert_eq!(findings.len(), 1, "{text:?}");
                }
            }
        }
        assert!(!possible(&to_yaml(&Node::map([("a", Node::from("b: 'c' # {d}\n- e\n"))]))));
    }
}
