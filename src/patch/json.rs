//! JSON patches (RFC 6902).
//!
//! A patch is applied whole or not at all, and its operations see the result of those before them. An operation that fails is
//! reported; later ones that touch the same place, and so would only fail because of it, are not.

use super::pointer::{Outcome, Pointer, child, child_mut, error, index};
use super::show;
use crate::diagnostic::{Diagnostic, rules};
use crate::limits;
use crate::tree::{Key, Node, Value};

/// Applies a JSON patch.
pub fn json(object: &mut Node, patch: &Node, findings: &mut Vec<Diagnostic>) {
    let before = findings.len();
    let operations = parse(patch, findings);
    if findings.len() > before {
        return;
    }
    let mut result = object.clone();
    let mut failed: Vec<&Pointer<'_>> = Vec::new();
    for operation in &operations {
        if operation.pointers().any(|pointer| failed.iter().any(|other| pointer.overlaps(other))) {
            continue;
        }
        if let Err(finding) = operation.apply(&mut result) {
            findings.push(*finding);
            failed.extend(operation.pointers());
        }
    }
    if findings.len() == before {
        *object = result;
    }
}

struct Operation<'p> {
    path: Pointer<'p>,
    change: Change<'p>,
}

enum Change<'p> {
    Add(&'p Node),
    Remove,
    Replace(&'p Node),
    Move(Pointer<'p>),
    Copy(Pointer<'p>),
    Test(&'p Node),
}

const KEYS: [&str; 4] = ["op", "path", "value", "from"];
const OPERATIONS: [&str; 6] = ["add", "remove", "replace", "move", "copy", "test"];

fn parse<'p>(patch: &'p Node, findings: &mut Vec<Diagnostic>) -> Vec<Operation<'p>> {
    let Some(items) = patch.as_list() else {
        let message = format!("a JSON patch is a list of operations, and this is {}", patch.kind());
        findings.push(Diagnostic::new(&rules::PATCH_INVALID, patch.span, message));
        return Vec::new();
    };
    if items.len() > limits::PATCH_OPERATIONS {
        let message = format!("{} operations in one patch, and {} are allowed", items.len(), limits::PATCH_OPERATIONS);
        findings.push(Diagnostic::new(&rules::LIMIT, patch.span, message));
        return Vec::new();
    }
    let operation = |item| Operation::parse(item).map_err(|finding| findings.push(*finding)).ok();
    items.iter().filter_map(operation).collect()
}

impl<'p> Operation<'p> {
    fn parse(item: &'p Node) -> Outcome<Self> {
        let Some(map) = item.as_map() else {
            return error(&rules::PATCH_INVALID, item.span, format!("an operation is a mapping, and this is {}", item.kind()));
        };
        if let Some((key, _)) = map.iter().find(|(key, _)| !KEYS.contains(&&*key.text)) {
            let finding = Diagnostic::new(&rules::PATCH_INVALID, key.span, format!("an operation has no `{}`", key.text));
            return Err(Box::new(finding.suggest(&key.text, KEYS)));
        }
        let required = |key: &str| match map.get(key) {
            Some(node) => Ok(node),
            None => error(&rules::PATCH_INVALID, item.span, format!("the operation lacks `{key}`")),
        };
        let name = required("op")?;
        let path = Pointer::parse(required("path")?)?;
        let change = match name.as_str().unwrap_or_default() {
            "add" => Change::Add(required("value")?),
            "remove" => Change::Remove,
            "replace" => Change::Replace(required("value")?),
            "move" => Change::Move(Pointer::parse(required("from")?)?),
            "copy" => Change::Copy(Pointer::parse(required("from")?)?),
            "test" => Change::Test(required("value")?),
            _ => {
                let finding = Diagnostic::new(&rules::PATCH_INVALID, name.span, format!("`{}` is no operation", show(name)));
                return Err(Box::new(finding.suggest(&show(name), OPERATIONS)));
            }
        };
        match &change {
            Change::Remove | Change::Move(_) if path.tokens.is_empty() => {
                error(&rules::PATCH_INVALID, path.span, "the whole object cannot be removed or be the goal of a move")
            }
            Change::Move(from) if from.tokens.len() < path.tokens.len() && path.tokens.starts_with(&from.tokens) => {
                error(&rules::PATCH_INVALID, path.span, format!("`{}` cannot move into itself", from.text))
            }
            _ => Ok(Self { path, change }),
        }
    }

    fn pointers(&self) -> impl Iterator<Item = &Pointer<'p>> {
        let from = match &self.change {
            Change::Move(from) | Change::Copy(from) => Some(from),
            _ => None,
        };
        std::iter::once(&self.path).chain(from)
    }

    fn apply(&self, root: &mut Node) -> Outcome<()> {
        match &self.change {
            Change::Add(value) => add(root, &self.path, (*value).clone()),
            Change::Remove => remove(root, &self.path).map(drop),
            Change::Replace(value) => find_mut(root, &self.path, &self.path.tokens).map(|old| old.replace((*value).clone())),
            Change::Copy(from) => add(root, &self.path, find(root, from)?.clone()),
            Change::Move(from) => {
                let value = remove(root, from)?;
                add(root, &self.path, value)
            }
            Change::Test(value) => test(root, &self.path, value),
        }
    }
}

fn find<'n>(root: &'n Node, pointer: &Pointer<'_>) -> Outcome<&'n Node> {
    let mut node = root;
    for (at, token) in pointer.tokens.iter().enumerate() {
        match child(node, token) {
            Some(next) => node = next,
            None => return pointer.missing(at, node),
        }
    }
    Ok(node)
}

/// The place that the first tokens of a pointer lead to.
fn find_mut<'n>(root: &'n mut Node, pointer: &Pointer<'_>, tokens: &[String]) -> Outcome<&'n mut Node> {
    let mut node = root;
    for (at, token) in tokens.iter().enumerate() {
        if child(node, token).is_none() {
            return pointer.missing(at, node);
        }
        match child_mut(node, token) {
            Some(next) => node = next,
            None => return error(&rules::PATCH_NO_MATCH, pointer.span, format!("`{}` does not exist", pointer.text)),
        }
    }
    Ok(node)
}

fn add(root: &mut Node, pointer: &Pointer<'_>, value: Node) -> Outcome<()> {
    let Some((last, parents)) = pointer.tokens.split_last() else {
        root.replace(value);
        return Ok(());
    };
    let parent = find_mut(root, pointer, parents)?;
    match &mut parent.value {
        Value::Map(map) => match map.get_mut(last) {
            Some(old) => old.replace(value),
            None => map.push(Key { text: last.as_str().into(), span: pointer.span }, value),
        },
        Value::List(items) => match if last == "-" { Some(items.len()) } else { index(last) } {
            Some(place) if place <= items.len() => items.insert(place, value),
            _ => return pointer.missing(parents.len(), parent),
        },
        _ => return pointer.missing(parents.len(), parent),
    }
    Ok(())
}

fn remove(root: &mut Node, pointer: &Pointer<'_>) -> Outcome<Node> {
    let Some((last, parents)) = pointer.tokens.split_last() else {
        return error(&rules::PATCH_INVALID, pointer.span, "the whole object cannot be removed");
    };
    let parent = find_mut(root, pointer, parents)?;
    let removed = match &mut parent.value {
        Value::Map(map) => map.remove(last),
        Value::List(items) => index(last).filter(|place| *place < items.len()).map(|place| items.remove(place)),
        _ => None,
    };
    removed.map_or_else(|| pointer.missing(parents.len(), parent), Ok)
}

fn test(root: &Node, pointer: &Pointer<'_>, value: &Node) -> Outcome<()> {
    let actual = find(root, pointer)?;
    if actual == value {
        return Ok(());
    }
    let message = match (super::is_scalar(actual), super::is_scalar(value)) {
        (true, true) => format!("the test fails: `{}` is `{}`, not `{}`", pointer.text, show(actual), show(value)),
        _ => format!("the test fails: `{}` has another value", pointer.text),
    };
    let finding = Diagnostic::new(&rules::PATCH_NO_MATCH, value.span, message);
    Err(Box::new(if actual.span.is_known() { finding.also(actual.span, "the value") } else { finding }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Sources, to_yaml, yaml};

    const OBJECT: &str = "\
spec:
  replicas: 3
  containers:
  - name: weave
    args: [--a, --b]
  - name: weave-npc
metadata:
  annotations: {netloom.dev/a: x, m~n: z}
";

    /// The object after a patch, and what is wrong with the patch: place, code, message and help.
    fn patched(object: &str, patch: &str) -> (String, Vec<String>) {
        let (mut sources, mut findings) = (Sources::default(), Vec::new());
        let [mut object, patch] = [("object.yaml", object), ("", patch)].map(|(name, text)| {
            let file = sources.add(name, text);
            yaml::read(text, file, &mut findings).remove(0)
        });
        json(&mut object, &patch, &mut findings);
        let describe = |finding: &Diagnostic| {
            let help = finding.help.iter().map(|help| format!(" ({help})")).collect::<String>();
            format!("{} {}: {}{help}", &sources.locate(finding.span)[1..], finding.code, finding.message)
        };
        (to_yaml(&object), findings.iter().map(describe).collect())
    }

    fn result(object: &str, patch: &str) -> String {
        let (text, findings) = patched(object, patch);
        assert_eq!(findings, [""; 0]);
        text
    }

    /// The findings of a patch, which must leave the object as it was.
    fn refused(patch: &str) -> Vec<String> {
        let (text, findings) = patched(OBJECT, patch);
        assert_eq!(text, result(OBJECT, "[]"));
        findings
    }

    #[test]
    fn add_sets_keys_and_inserts_elements() {
        let patch = "\
- {op: add, path: /a/0, value: x}
- {op: add, path: /a/-, value: z}
- {op: add, path: /b, value: {c: 1}}
- {op: add, path: /b/c, value: null}
- {op: add, path: /b/, value: 2}
";
        assert_eq!(result("a: [v]\n", patch), "a:\n- x\n- v\n- z\nb:\n  c: null\n  \"\": 2\n");
    }

    #[test]
    fn remove_and_replace() {
        let patch = "[{op: remove, path: /a/0}, {op: replace, path: /a/0, value: x}, {op: remove, path: /b}]";
        assert_eq!(result("a: [u, v, w]\nb: 1\n", patch), "a:\n- x\n- w\n");
        assert_eq!(result("a: 1\n", "[{op: replace, path: '', value: {b: 2}}]"), "b: 2\n");
    }

    #[test]
    fn move_and_copy() {
        let patch = "[{op: move, from: /a, path: /d/0}, {op: copy, from: /d/0/b, path: /c}]";
        assert_eq!(result("a: {b: 1}\nc: 0\nd: []\n", patch), "c: 1\nd:\n- b: 1\n");
    }

    #[test]
    fn pointers_are_escaped() {
        let patch = "[{op: remove, path: /a~1b}, {op: replace, path: /c~0d, value: 2}, {op: test, path: /e~01, value: 3}]";
        assert_eq!(result("{a/b: 1, c~d: 1, e~1: 3}", patch), "c~d: 2\ne~1: 3\n");
    }

    #[test]
    fn a_replaced_value_is_remembered() {
        let (mut object, patch) = (node("a: 1\n"), node("[{op: replace, path: /a, value: 2}, {op: add, path: /a, value: 3}]"));
        json(&mut object, &patch, &mut Vec::new());
        let newest = object.get("a").expect("there");
        let older = newest.overrode.as_deref().expect("overridden");
        assert_eq!([newest, older, older.overrode.as_deref().expect("twice")].map(Node::as_int), [Some(3), Some(2), Some(1)]);
    }

    fn node(text: &str) -> Node {
        yaml::read(text, Sources::default().add("", text), &mut Vec::new()).remove(0)
    }

    #[test]
    fn what_is_not_there_is_named_with_the_nearest_key() {
        let patch = "\
- {op: replace, path: /spec/replcas, value: 1}
- {op: remove, path: /spec/contaners/0/args}
- {op: remove, path: /spec/containers/2}
- {op: remove, path: /spec/containers/weave-npc}
- {op: add, path: /spec/containers/0/args/5, value: x}
- {op: add, path: /spec/replicas/x, value: x}
- {op: add, path: /status/x, value: x}
- {op: copy, from: /spec/containers/1/args, path: /spec/x}
- {op: remove, path: /spec/containers/01}
";
        assert_eq!(
            refused(patch),
            [
                "1:23 patch-no-match: `/spec/replcas` does not exist: `/spec` has no `replcas` (did you mean `replicas`?)",
                "2:22 patch-no-match: `/spec/contaners/0/args` does not exist: `/spec` has no `contaners` (did you mean `containers`?)",
                "3:22 patch-no-match: `/spec/containers/2` does not exist: `/spec/containers` has the elements 0 to 1",
                "4:22 patch-no-match: `/spec/containers/weave-npc` does not exist: `/spec/containers` has the elements 0 to 1 \
                 (the element with `name: weave-npc` is 1)",
                "5:19 patch-no-match: `/spec/containers/0/args/5` does not exist: `/spec/containers/0/args` has the elements 0 to 1",
                "6:19 patch-no-match: `/spec/replicas/x` does not exist: `/spec/replicas` is an integer",
                "7:19 patch-no-match: `/status/x` does not exist: the object has no `status`",
                "8:20 patch-no-match: `/spec/containers/1/args` does not exist: `/spec/containers/1` has no `args`",
                "9:22 patch-no-match: `/spec/containers/01` does not exist: `/spec/containers` has the elements 0 to 1",
            ]
        );
    }

    #[test]
    fn what_only_fails_because_of_an_earlier_operation_is_not_reported() {
        let patch = "\
- {op: replace, path: /spec/strategy, value: {type: x}}
- {op: add, path: /spec/strategy/rollingUpdate, value: {}}
- {op: test, path: /spec/replicas, value: 4}
";
        assert_eq!(
            refused(patch),
            [
                "1:23 patch-no-match: `/spec/strategy` does not exist: `/spec` has no `strategy`",
                "3:43 patch-no-match: the test fails: `/spec/replicas` is `3`, not `4`",
            ]
        );
    }

    #[test]
    fn a_test_compares_whole_values() {
        assert_eq!(result("a: {b: [1, x]}\n", "[{op: test, path: /a, value: {b: [1, x]}}]"), "a:\n  b:\n  - 1\n  - x\n");
        assert_eq!(
            refused("[{op: test, path: /spec, value: {}}, {op: test, path: /metadata/x, value: null}]"),
            [
                "1:33 patch-no-match: the test fails: `/spec` has another value",
                "1:55 patch-no-match: `/metadata/x` does not exist: `/metadata` has no `x`",
            ]
        );
    }

    #[test]
    fn the_form_of_operations_is_checked_before_any_is_applied() {
        let patch = "\
- {op: replace, path: /spec/replicas, value: 1}
- {op: replce, path: /a, value: 1}
- {op: add, path: /a}
- {op: add, path: a.b, value: 1}
- {op: add, path: /a~b, value: 1}
- {op: add, path: 5, value: 1}
- {op: move, from: /spec, path: /spec/x}
- {op: remove, path: ''}
- {op: add, path: /a, vale: 1}
- remove
";
        assert_eq!(
            refused(patch),
            [
                "2:8 patch-invalid: `replce` is no operation (did you mean `replace`?)",
                "3:3 patch-invalid: the operation lacks `value`",
                "4:19 patch-invalid: `a.b` is no JSON pointer (write `/a/b`)",
                "5:19 patch-invalid: `/a~b`: after `~` stands 0 (for `~`) or 1 (for `/`)",
                "6:19 patch-invalid: a JSON pointer is a string, and this is an integer",
                "7:33 patch-invalid: `/spec` cannot move into itself",
                "8:22 patch-invalid: the whole object cannot be removed or be the goal of a move",
                "9:23 patch-invalid: an operation has no `vale` (did you mean `value`?)",
                "10:3 patch-invalid: an operation is a mapping, and this is a string",
            ]
        );
        assert_eq!(refused("a: 1\n"), ["1:1 patch-invalid: a JSON patch is a list of operations, and this is a mapping"]);
    }
}
