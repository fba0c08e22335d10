//! JSON patches (RFC 6902).
//!
//! A patch is applied whole or not at all, and its operations see the result of those before them. An operation that fails is
//! reported; later ones that touch the same place, and so would only fail because of it, are not.

use super::pointer::{Outcome, Pointer, child, child_mut, error, index};
use super::words::show;
use findings::{Diagnostic, rules};
use tree::{Key, Node, Span, Value, limits};

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
    let changes = |operation: &&Operation<'_>| operation.path.tokens.is_empty() && !matches!(operation.change, Change::Test(_));
    let whole = operations.iter().rev().find(changes);
    if let Some(operation) = whole.filter(|_| findings.len() == before && result.is_null()) {
        findings.push(irremovable(operation.path.span, "the whole object cannot be removed"));
    }
    if findings.len() == before {
        *object = result;
    }
}

/// What these operations cannot do.
fn irremovable(span: Span, message: &str) -> Diagnostic {
    let help = "an object is removed by a merge patch with `$patch: delete`, or by a program that gives `null`";
    Diagnostic::new(&rules::PATCH_INVALID, span, message).help(help)
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
                Err(Box::new(irremovable(path.span, "the whole object cannot be removed or be the goal of a move")))
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
        return Err(Box::new(irremovable(pointer.span, "the whole object cannot be removed")));
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
    let message = match (super::words::is_scalar(actual), super::words::is_scalar(value)) {
        (true, true) => format!("the test fails: `{}` is `{}`, not `{}`", pointer.text, show(actual), show(value)),
        _ => format!("the test fails: `{}` has another value", pointer.text),
    };
    let finding = Diagnostic::new(&rules::PATCH_NO_MATCH, value.span, message);
    Err(Box::new(if actual.span.is_known() { finding.also(actual.span, "the value") } else { finding }))
}

#[cfg(test)]
mod tests;
