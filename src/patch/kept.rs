//! What a patch leaves as it is: an object stays the object that it was, unless it is removed.

use super::pointer::{Outcome, Pointer};
use findings::{Diagnostic, rules};
use schema::{Identity, show_object};
use tree::{Node, Path, Span, Step};

/// Where a patch says what becomes of the field that some keys lead to.
pub type Places<'p> = &'p dyn Fn(&[&str]) -> Span;

/// The fields of an object that stay, and what is said where one does not.
const IDENTITY: [&[&str]; 3] = [&["apiVersion"], &["kind"], &["metadata", "name"]];

/// Reports what a patch has done to the identity of an object.
#[must_use]
pub fn identity(identity: &Identity, patched: &Node, place: Places<'_>) -> Option<Diagnostic> {
    let before = [&identity.api_version, &identity.kind, &identity.name];
    let fields: Vec<_> = IDENTITY.into_iter().zip(before.map(String::as_str)).collect();
    let finding = fields_kept(&show_object(identity), patched, &fields, place)?;
    let help = "an object keeps `apiVersion`, `kind` and `metadata.name`; `$patch: delete` removes it, as does a program that gives \
                `null`, and `resources` adds another one";
    Some(finding.help(help))
}

/// Reports the fields of `whole` that a patch took away, or else the first one that it changed; each is given with its value before.
#[must_use]
pub fn fields_kept(whole: &str, patched: &Node, fields: &[(&[&str], &str)], place: Places<'_>) -> Option<Diagnostic> {
    let invalid = |path: &[&str], message: String| Some(Diagnostic::new(&rules::PATCH_INVALID, place(path), message));
    if patched.as_map().is_none() {
        return invalid(&[], format!("the patch makes {whole} {}", patched.kind()));
    }
    let now = |path: &[&str]| path.iter().try_fold(patched, |node, key| node.get(key)).filter(|node| !node.is_null());
    let gone: Vec<&[&str]> = fields.iter().map(|(path, _)| *path).filter(|path| now(path).is_none()).collect();
    if let [first, ..] = gone.as_slice() {
        let names: Vec<String> = gone.iter().map(|path| format!("`{}`", path.join("."))).collect();
        let names = match names.as_slice() {
            [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => names.concat(),
        };
        return invalid(first, format!("the patch takes {names} away from {whole}"));
    }
    let other = |(path, before): &&(&[&str], &str)| now(path).and_then(Node::as_str) != Some(before);
    let (path, _) = fields.iter().find(other)?;
    let value = now(path).map(|node| node.as_str().map_or_else(|| node.kind().to_owned(), |text| format!("`{text}`")));
    invalid(path, format!("the patch changes `{}` of {whole} to {}", path.join("."), value.unwrap_or_default()))
}

/// Where a patch that is data says what becomes of the field that some keys lead to: the last operation that leads there, or the one
/// value below its key, or that key.
#[must_use]
pub fn place(change: &Node, keys: &[&str]) -> Span {
    if let Some(operations) = change.as_list() {
        let last = operations.iter().rev().find_map(|operation| leads(operation, keys).ok().flatten());
        let first = || operations.first()?.get("path").map(|path| path.span);
        return last.or_else(first).unwrap_or(change.span);
    }
    let mut path = Path(keys.iter().map(|key| Step::Key((*key).to_owned())).collect());
    while let Some(map) = change.at(&path).and_then(Node::as_map).filter(|map| map.len() == 1) {
        let Some(key) = map.keys().next() else { break };
        path = path.child(key);
    }
    let node = change.nearest(&path);
    let key = change.key_at(&path).map(|key| key.span);
    let whole = node.is_null() || node.as_map().is_some() || node.as_list().is_some();
    key.filter(|span| whole && span.is_known()).unwrap_or(node.span)
}

/// Where an operation says that it changes the field that some keys lead to, or something around or below that.
fn leads(operation: &Node, keys: &[&str]) -> Outcome<Option<Span>> {
    let kind = operation.str_at("op");
    let moved = operation.get("from").filter(|_| kind == Some("move"));
    for node in operation.get("path").filter(|_| kind != Some("test")).into_iter().chain(moved) {
        let pointer = Pointer::parse(node)?;
        if pointer.tokens.iter().zip(keys).all(|(token, key)| token == key) {
            return Ok(Some(pointer.span));
        }
    }
    Ok(None)
}
