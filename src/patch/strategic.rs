//! Strategic merge patches.
//!
//! The result is kustomize's (kyaml `merge2`): mappings merge, `null` removes a key, scalars and lists are replaced, and lists
//! with a merge key in Kubernetes' schemas merge element by element (`list.rs`). Lists of custom resources merge by the list types
//! of their definition, where the cluster renders it; kinds without a schema have no lists that merge.
//! As in kustomize, the strategy `replace` of Kubernetes (the selector of a `PodDisruptionBudget` has it) is not looked at.
//! The directives that kustomize leaves in its output work as in the API server: `$retainKeys`, `$setElementOrder/…` and
//! `$deleteFromPrimitiveList/…`. `tests/strategic_merge` compares with kustomize and lists where netloom differs, and why.

mod directive;
mod list;
mod trail;

use std::sync::Arc;

use super::words::{candidates, is_scalar, show};
use directive::{Directive, is_directive};
use findings::{Diagnostic, rules};
use schema::kubernetes::{Field, Schemas, Shape};
use schema::{Identity, Object, show_object};
use trail::Trail;
use tree::{Map, Node, Span, Value};

/// Merges a patch into an object, whose kind decides how lists merge.
///
/// The identity of an object stays as it is: a patch may repeat it, and must not change it. An object that the patch deletes
/// (`$patch: delete` at its root) is left as `null`; the caller drops it.
pub fn strategic(
    object: &mut Node,
    patch: &Node,
    schemas: &Schemas,
    definitions: &[Arc<Object>],
    findings: &mut Vec<Diagnostic>,
) {
    let Some(change) = patch.as_map() else {
        let message = format!("a strategic merge patch is a mapping, and this is {}", patch.kind());
        findings.push(Diagnostic::new(&rules::PATCH_INVALID, patch.span, message));
        return;
    };
    if !keeps_identity(object, patch, findings) {
        return;
    }
    let kind = object.str_at("apiVersion").zip(object.str_at("kind")).and_then(|(version, kind)| schemas.kind(version, kind));
    let schema = if kind.is_none() { custom(object, definitions) } else { None };
    let shape = kind.and_then(|definition| schemas.merge(definition)).or(schema.map(|schema| schemas.merge_custom(schema)));
    let identity = IDENTITY.map(|path| at(object, path).cloned());
    let mut merger = Merger { findings, whole: |_| false };
    match merger.directive(change) {
        Some(Directive::Delete) => return object.replace(Node::new(Value::Null, patch.span)),
        Some(Directive::Replace) => {
            let mut new = Node::new(Value::Map(Map::new()), patch.span);
            IDENTITY.iter().zip(&identity).for_each(|(path, value)| keep(&mut new, path, value.clone()));
            if let Some(fields) = new.as_map_mut() {
                merger.fields(fields, change, shape, &Trail::ROOT);
            }
            object.replace(new);
        }
        None => match object.as_map_mut() {
            Some(fields) => merger.fields(fields, change, shape, &Trail::ROOT),
            None => merger.mismatch(object, patch, &Trail::ROOT),
        },
    }
    IDENTITY.iter().zip(identity).for_each(|(path, value)| keep(object, path, value));
}

/// Merges a patch into a tree that no schema is known of: lists are replaced, and so is whatever is `whole`, such as a function of
/// CloudFormation, which is one value although it is written as a mapping. A tree that the patch deletes is left as `null`.
pub fn plain(tree: &mut Node, patch: &Node, whole: fn(&Node) -> bool, findings: &mut Vec<Diagnostic>) {
    let mut merger = Merger { findings, whole };
    if merger.value(tree, patch, None, &Trail::ROOT) == Fate::Remove {
        tree.replace(Node::new(Value::Null, patch.span));
    }
}

/// The schema that a definition among these gives an object.
fn custom<'d>(object: &Node, definitions: &'d [Arc<Object>]) -> Option<&'d serde_json::Value> {
    let (group, version) = object.str_at("apiVersion")?.split_once('/')?;
    let kind = object.str_at("kind")?;
    let mut customs = definitions.iter().filter_map(|object| object.custom());
    let custom = customs.find(|custom| custom.group == group && custom.kind == kind)?;
    Some(custom.versions.iter().find(|one| one.name == version)?.source())
}

/// The fields that say which object an object is.
const IDENTITY: [&[&str]; 4] = [&["apiVersion"], &["kind"], &["metadata", "name"], &["metadata", "namespace"]];

fn at<'a>(node: &'a Node, path: &[&str]) -> Option<&'a Node> {
    path.iter().try_fold(node, |node, key| node.get(key))
}

/// Whether the patch leaves the object's identity alone.
fn keeps_identity(object: &Node, patch: &Node, findings: &mut Vec<Diagnostic>) -> bool {
    let before = findings.len();
    for path in IDENTITY {
        let Some(wanted) = at(patch, path) else { continue };
        let actual = at(object, path);
        if actual.is_none_or(|actual| actual != wanted) {
            let field = path.join(".");
            let actual_text = actual.map_or("not set".to_owned(), |actual| format!("`{}`", show(actual)));
            let whole = Identity::of(object).map_or("the object".to_owned(), |identity| show_object(&identity));
            let message = format!("the patch has another `{field}` than {whole}, where it is {actual_text}");
            let help = format!(
                "leave `{field}` out, and say with `target` which objects the patch is for; `$patch: delete` removes an object"
            );
            findings.push(Diagnostic::new(&rules::PATCH_INVALID, wanted.span, message).help(help));
        }
    }
    findings.len() == before
}

/// Puts a part of the identity back that the patch removed with what is around it.
fn keep(object: &mut Node, path: &[&str], value: Option<Node>) {
    let (Some(mut wanted), None) = (value, at(object, path)) else { return };
    for key in path.iter().rev() {
        wanted = Node::map([(*key, wanted)]);
    }
    super::merge(object, &wanted);
}

/// What becomes of a value that a patch was merged into.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It stays.
    Keep,
    /// It goes.
    Remove,
}

/// Merges, and collects what is wrong.
pub(super) struct Merger<'f> {
    pub(super) findings: &'f mut Vec<Diagnostic>,
    /// What is replaced and never merged into.
    whole: fn(&Node) -> bool,
}

impl Merger<'_> {
    pub(super) fn invalid(&mut self, span: Span, message: String) {
        self.findings.push(Diagnostic::new(&rules::PATCH_INVALID, span, message));
    }

    /// Reports something to change that is not there, with what there is.
    pub(super) fn no_match(&mut self, span: Span, message: String, given: &str, what: &str, names: &[String]) {
        self.findings.push(candidates(Diagnostic::new(&rules::PATCH_NO_MATCH, span, message), given, what, names));
    }

    fn mismatch(&mut self, target: &Node, patch: &Node, trail: &Trail<'_>) {
        let message = format!("`{trail}` is {} in the object, and {} in the patch", target.kind(), patch.kind());
        let finding = Diagnostic::new(&rules::PATCH_INVALID, patch.span, message);
        self.findings.push(if target.span.is_known() { finding.also(target.span, "set here") } else { finding });
    }

    /// Merges a patch into a value that is there.
    fn value(&mut self, target: &mut Node, patch: &Node, field: Option<&Field<'_>>, trail: &Trail<'_>) -> Fate {
        match (&target.value, &patch.value) {
            _ if (self.whole)(target) || (self.whole)(patch) => {
                if let Some(new) = self.added(patch, field, trail) {
                    target.replace(new);
                }
            }
            (Value::Map(_), Value::Map(change)) => {
                return self.mapping(target, patch.span, change, field.map(|field| field.shape), trail);
            }
            (Value::List(_), Value::List(items)) => return self.list(target, patch.span, items, field, trail),
            _ if is_scalar(target) && is_scalar(patch) => target.replace(patch.clone()),
            _ => self.mismatch(target, patch, trail),
        }
        Fate::Keep
    }

    /// Merges a patch into a mapping.
    fn mapping(&mut self, target: &mut Node, span: Span, change: &Map, shape: Option<Shape<'_>>, trail: &Trail<'_>) -> Fate {
        match self.directive(change) {
            Some(Directive::Delete) => return Fate::Remove,
            Some(Directive::Replace) => {
                let new = self.build(span, change, shape, trail);
                target.replace(new);
            }
            None => {
                if let Some(fields) = target.as_map_mut() {
                    self.fields(fields, change, shape, trail);
                }
            }
        }
        Fate::Keep
    }

    /// A mapping made of a patch alone.
    fn build(&mut self, span: Span, change: &Map, shape: Option<Shape<'_>>, trail: &Trail<'_>) -> Node {
        let mut fields = Map::new();
        self.fields(&mut fields, change, shape, trail);
        Node::new(Value::Map(fields), span)
    }

    /// A value that the object does not have; none when there is nothing to add.
    fn added(&mut self, patch: &Node, field: Option<&Field<'_>>, trail: &Trail<'_>) -> Option<Node> {
        match &patch.value {
            Value::Map(change) if self.directive(change) == Some(Directive::Delete) => self.nothing_to_delete(patch, trail),
            Value::Map(change) => Some(self.build(patch.span, change, field.map(|field| field.shape), trail)),
            Value::List(items) => {
                let mut new = Node::new(Value::List(Vec::new()), patch.span);
                if self.list(&mut new, patch.span, items, field, trail) == Fate::Remove {
                    return self.nothing_to_delete(patch, trail);
                }
                new.overrode = None;
                Some(new)
            }
            _ => Some(patch.clone()),
        }
    }

    fn nothing_to_delete(&mut self, patch: &Node, trail: &Trail<'_>) -> Option<Node> {
        let message = format!("`$patch: delete` matches nothing: the object has no `{trail}`");
        self.findings.push(Diagnostic::new(&rules::PATCH_NO_MATCH, patch.span, message));
        None
    }

    /// Merges the entries of a patch into the entries of a mapping.
    fn fields(&mut self, target: &mut Map, change: &Map, shape: Option<Shape<'_>>, trail: &Trail<'_>) {
        let orders = match change.keys().any(|key| key.starts_with('$')) {
            true => self.directives(target, change, shape, trail),
            false => Vec::new(),
        };
        for (key, patch) in change.iter().filter(|(key, _)| !is_directive(&key.text)) {
            let trail = trail.key(&key.text);
            if patch.is_null() {
                self.remove(target, &key.text, key.span, shape, &trail);
                continue;
            }
            let field = shape.and_then(|shape| shape.field(&key.text));
            match target.get_mut(&key.text).filter(|old| !old.is_null()) {
                Some(old) => {
                    if self.value(old, patch, field.as_ref(), &trail) == Fate::Remove {
                        target.remove(&key.text);
                    }
                }
                None => {
                    if let Some(new) = self.added(patch, field.as_ref(), &trail) {
                        target.insert(key.clone(), new);
                    }
                }
            }
        }
        for order in orders {
            let trail = trail.key(order.field);
            self.reorder(target.get_mut(order.field), change.get(order.field), &order, &trail);
        }
    }

    /// Removes a key. Removing what is not there is fine, unless no object of this kind can have it.
    fn remove(&mut self, target: &mut Map, key: &str, span: Span, shape: Option<Shape<'_>>, trail: &Trail<'_>) {
        if target.remove(key).is_some() || shape.is_none_or(|shape| shape.field(key).is_some()) {
            return;
        }
        let names: Vec<String> = shape.iter().flat_map(|shape| shape.fields()).map(str::to_owned).collect();
        if !names.is_empty() {
            self.no_match(span, format!("`null` removes nothing: there is no field `{trail}`"), key, "fields", &names);
        }
    }
}
