//! Fields of rendered files by name: `spec.template.spec.containers[name=agent].env[0].value`.

use tree::{Node, Path, Step, Value};

/// What tells the items of a list apart when they have it.
const NAMES: [&str; 3] = ["name", "Key", "path"];

/// A field that is not there.
#[derive(Debug, PartialEq, Eq)]
pub struct Missing {
    /// What leads up to it.
    pub parent: String,
    /// The part that is not there.
    pub part: String,
    /// What there is instead, as it would be written.
    pub names: Vec<String>,
}

/// One part of a field's name.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// `.key`.
    Key(String),
    /// `[…]`: an index, `name=value`, the name of an item, or a key with dots in it.
    Bracket(String),
}

fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (inside, after) = inner.split_once(']').unwrap_or((inner, ""));
            parts.push(Part::Bracket(inside.trim_matches(['"', '\'']).to_owned()));
            rest = after;
        } else {
            let rest_of = rest.strip_prefix('.').unwrap_or(rest);
            let end = rest_of.find(['.', '[']).unwrap_or(rest_of.len());
            if end > 0 {
                parts.push(Part::Key(rest_of[..end].to_owned()));
            }
            rest = &rest_of[end..];
        }
    }
    parts
}

/// The path that a field's name means in a tree.
///
/// # Errors
/// When there is no such field.
pub fn find(root: &Node, text: &str) -> Result<Path, Missing> {
    let parts = parts(text);
    let (mut path, mut node, mut at) = (Path::default(), root, 0);
    while at < parts.len() {
        let Some((step, taken)) = step(node, &parts[at..]) else {
            let (Part::Key(part) | Part::Bracket(part)) = &parts[at];
            return Err(Missing { parent: show(root, &path), part: part.clone(), names: names(node) });
        };
        node = node.step(&step).unwrap_or(node);
        path.0.push(step);
        at += taken;
    }
    Ok(path)
}

/// The step that the first parts mean, and how many of them: keys with dots may be written without brackets.
fn step(node: &Node, parts: &[Part]) -> Option<(Step, usize)> {
    match (&node.value, parts.first()?) {
        (Value::Map(map), Part::Bracket(key)) => map.contains(key).then(|| (Step::Key(key.clone()), 1)),
        (Value::Map(map), Part::Key(_)) => {
            let mut key = String::new();
            for (at, part) in parts.iter().enumerate() {
                let Part::Key(more) = part else { break };
                if at > 0 {
                    key.push('.');
                }
                key.push_str(more);
                if map.contains(&key) {
                    return Some((Step::Key(key), at + 1));
                }
            }
            None
        }
        (Value::List(items), Part::Bracket(wanted) | Part::Key(wanted)) => Some((Step::Index(item(items, wanted)?), 1)),
        _ => None,
    }
}

fn item(items: &[Node], wanted: &str) -> Option<usize> {
    if let Some(index) = wanted.parse::<usize>().ok().filter(|index| *index < items.len()) {
        return Some(index);
    }
    let text = |node: &Node| match &node.value {
        Value::String(text) => Some(text.to_string()),
        Value::Int(number) => Some(number.to_string()),
        _ => None,
    };
    let is = |item: &Node, key: &str, value: &str| item.get(key).and_then(text).is_some_and(|found| found == value);
    match wanted.split_once('=') {
        Some((key, value)) => items.iter().position(|item| is(item, key, value)),
        None => items.iter().position(|item| NAMES.iter().any(|key| is(item, key, wanted))),
    }
}

/// What there is to choose from.
fn names(node: &Node) -> Vec<String> {
    match &node.value {
        Value::Map(map) => map.keys().map(str::to_owned).collect(),
        Value::List(items) => (0..items.len()).map(|at| label(items, at)).collect(),
        _ => Vec::new(),
    }
}

/// How an item is named: by its name where that is its alone, by its index otherwise.
fn label(items: &[Node], at: usize) -> String {
    let named = NAMES.iter().find_map(|key| Some((key, items.get(at)?.str_at(key)?)));
    let unique = |(key, name): &(&&str, &str)| {
        !name.contains(['[', ']']) && items.iter().filter(|item| item.str_at(key) == Some(name)).count() == 1
    };
    named.filter(unique).map_or_else(|| at.to_string(), |(key, name)| format!("{key}={name}"))
}

/// A path as one would write it.
#[must_use]
pub fn show(root: &Node, path: &Path) -> String {
    let (mut text, mut node) = (String::new(), Some(root));
    for step in &path.0 {
        match step {
            Step::Index(at) => {
                let items = node.and_then(Node::as_list).unwrap_or_default();
                text.push_str(&format!("[{}]", label(items, *at)));
            }
            Step::Key(key) if key.contains(['.', '/', '[']) => text.push_str(&format!("[{key}]")),
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => text.push_str(&format!(".{key}")),
        }
        node = node.and_then(|node| node.step(step));
    }
    text
}

/// The field that stands on a line of a text: the first value on it, or the key whose value begins there or goes on.
#[must_use]
pub fn on_line(root: &Node, text: &str, line: usize) -> Option<Path> {
    let number = |byte: u32| text.bytes().take(byte as usize).filter(|byte| *byte == b'\n').count() + 1;
    let (mut value, mut key) = (None, None);
    root.walk(&Path::default(), &mut |path, node| {
        let leaf = is_leaf(node);
        if leaf && value.is_none() && (number(node.span.start)..=number(node.span.end)).contains(&line) {
            value = Some(path.clone());
        }
        if root.key_at(path).is_some_and(|key| number(key.span.start) == line) {
            key = Some(path.clone());
        }
    });
    // `- name: x` begins a mapping and holds a value: the value is meant. A block's last line feed belongs to no other value.
    match (value, key) {
        (Some(value), Some(key)) if root.at(&key).is_some_and(is_leaf) && key != value => Some(key),
        (value, key) => value.or(key),
    }
}

/// Whether there is nothing below.
#[must_use]
pub fn is_leaf(node: &Node) -> bool {
    match &node.value {
        Value::Map(map) => map.is_empty(),
        Value::List(items) => items.is_empty(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tree::Sources;

    const TEXT: &str = "metadata:\n  annotations:\n    a.b/c: x\nspec:\n  containers:\n  - name: agent\n    env:\n    - name: A\n      \
                        value: |\n        one\n        two\n    - name: A\n  - name: npc\n  zones:\n  - a\n";

    fn node() -> Node {
        let file = Sources::default().add("a", TEXT);
        yaml::read(TEXT, file, &mut Vec::new()).remove(0)
    }

    #[test]
    fn fields_are_found_by_every_way_of_writing_them() {
        for (text, canonical) in [
            ("spec.containers[name=agent].env[0].value", "spec.containers[name=agent].env[0].value"),
            ("spec.containers[agent].env[1].name", "spec.containers[name=agent].env[1].name"),
            ("spec.containers.1.name", "spec.containers[name=npc].name"),
            ("metadata.annotations[a.b/c]", "metadata.annotations[a.b/c]"),
            ("metadata.annotations.a.b/c", "metadata.annotations[a.b/c]"),
            ("spec.zones[0]", "spec.zones[0]"),
            ("spec", "spec"),
        ] {
            let node = node();
            assert_eq!(find(&node, text).map(|path| show(&node, &path)), Ok(canonical.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_told_with_what_there_is() {
        let missing = find(&node(), "spec.containers[name=agents].env").unwrap_err();
        assert_eq!(missing.parent, "spec.containers");
        assert_eq!(missing.part, "name=agents");
        assert_eq!(missing.names, ["name=agent", "name=npc"]);
        assert_eq!(find(&node(), "spec.container").unwrap_err().names, ["containers", "zones"]);
    }

    #[test]
    fn lines_lead_to_fields() {
        let node = node();
        let shown = |line| on_line(&node, TEXT, line).map(|path| show(&node, &path));
        let fields: Vec<_> = (1..=15).map(|line| shown(line).unwrap_or_default()).collect();
        let expected = [
            "metadata",
            "metadata.annotations",
            "metadata.annotations[a.b/c]",
            "spec",
            "spec.containers",
            "spec.containers[name=agent].name",
            "spec.containers[name=agent].env",
            "spec.containers[name=agent].env[0].name",
            "spec.containers[name=agent].env[0].value",
            "spec.containers[name=agent].env[0].value",
            "spec.containers[name=agent].env[0].value",
            "spec.containers[name=agent].env[1].name",
            "spec.containers[name=npc].name",
            "spec.zones",
            "spec.zones[0]",
        ];
        assert_eq!(fields, expected);
        assert_eq!(shown(16), None);
    }
}
