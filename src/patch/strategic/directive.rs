//! The directives of a strategic merge patch: `$patch`, and those that go along with a mapping's other keys.

use super::Merger;
use super::list::{self, Order};
use super::trail::Trail;
use crate::words::{candidates, is_scalar, show};
use findings::{Diagnostic, nearest, rules};
use schema::kubernetes::Shape;
use tree::{Map, Node, Span};

/// What `$patch` asks for; `merge` is what happens anyway.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Directive {
    /// The value is removed.
    Delete,
    /// The value becomes the patch's, with nothing of the old one.
    Replace,
}

/// The key of the directive for the value it stands in.
pub(super) const PATCH: &str = "$patch";
const RETAIN: &str = "$retainKeys";
const ORDER: &str = "$setElementOrder/";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";

/// Whether a key is a directive and no field.
pub(super) fn is_directive(key: &str) -> bool {
    key == PATCH || key == RETAIN || key.starts_with(ORDER) || key.starts_with(DELETE_FROM)
}

impl Merger<'_> {
    /// Reads `$patch` of a mapping.
    pub(super) fn directive(&mut self, change: &Map) -> Option<Directive> {
        let node = change.get(PATCH)?;
        match node.as_str() {
            Some("delete") => Some(Directive::Delete),
            Some("replace") => Some(Directive::Replace),
            Some("merge") => None,
            _ => {
                let given = show(node);
                let names = ["delete", "merge", "replace"].map(str::to_owned);
                let message = format!("`$patch` is `delete`, `merge` or `replace`, not `{given}`");
                self.findings.push(candidates(
                    Diagnostic::new(&rules::PATCH_INVALID, node.span, message),
                    &given,
                    "directives",
                    &names,
                ));
                None
            }
        }
    }

    /// Obeys the directives of a mapping that come before the merge, and returns the orders to put lists into after it.
    pub(super) fn directives<'p>(
        &mut self,
        target: &mut Map,
        change: &'p Map,
        shape: Option<Shape<'p>>,
        trail: &Trail<'_>,
    ) -> Vec<Order<'p>> {
        let mut orders = Vec::new();
        for (key, node) in change.iter() {
            let Some((directive, field)) = key.text.split_once('/') else {
                match &*key.text {
                    RETAIN => self.retain_keys(target, change, node, trail),
                    key_text if !is_directive(key_text) => self.unknown_directive(key_text, key_text, key.span),
                    _ => {}
                }
                continue;
            };
            match directive {
                _ if !is_directive(&key.text) => self.unknown_directive(&key.text, directive, key.span),
                "$setElementOrder" => {
                    let keys = shape.and_then(|shape| shape.field(field)).and_then(|field| list::keys(&field));
                    match (keys, node.as_list()) {
                        (Some(keys), Some(items)) => orders.push(Order::new(field, keys, items, node.span, target)),
                        (None, _) => {
                            let trail = trail.key(field);
                            self.invalid(key.span, format!("`{}` has no effect here: `{trail}` does not merge", key.text));
                        }
                        (_, None) => self.invalid(node.span, format!("`{}` takes a list of elements", key.text)),
                    }
                }
                _ => self.delete_from(target, field, node, &trail.key(field)),
            }
        }
        orders
    }

    /// Reports a key that begins like a directive and is none; keys that look like no directive at all are fields.
    fn unknown_directive(&mut self, key: &str, directive: &str, span: Span) {
        const NAMES: [&str; 4] = [PATCH, RETAIN, "$setElementOrder", "$deleteFromPrimitiveList"];
        if key.starts_with('$')
            && let Some(name) = nearest(directive, NAMES)
        {
            let finding = Diagnostic::new(&rules::PATCH_INVALID, span, format!("`{key}` is no directive"));
            let form = if name == PATCH || name == RETAIN { name.to_owned() } else { format!("{name}/FIELD") };
            self.findings.push(finding.help(format!("did you mean `{form}`?")));
        }
    }

    /// `$retainKeys`: drops every key that it does not name. It has to name all that the patch sets, or the patch contradicts
    /// itself.
    fn retain_keys(&mut self, target: &mut Map, change: &Map, node: &Node, trail: &Trail<'_>) {
        let names: Option<Vec<&str>> = node.as_list().and_then(|items| items.iter().map(Node::as_str).collect());
        let Some(names) = names else {
            return self.invalid(node.span, "`$retainKeys` takes a list of keys".to_owned());
        };
        for (key, patch) in change.iter() {
            if !patch.is_null() && !is_directive(&key.text) && !names.contains(&&*key.text) {
                self.invalid(key.span, format!("`$retainKeys` does not name `{}`, which the patch sets", trail.key(&key.text)));
            }
        }
        target.retain(|key, _| names.contains(&&*key.text));
    }

    /// `$deleteFromPrimitiveList/FIELD`: removes values from a list.
    fn delete_from(&mut self, target: &mut Map, field: &str, node: &Node, trail: &Trail<'_>) {
        let Some(values) = node.as_list().filter(|values| values.iter().all(is_scalar)) else {
            return self.invalid(node.span, format!("`{DELETE_FROM}{field}` takes a list of scalars"));
        };
        let Some(items) = target.get_mut(field).and_then(Node::as_list_mut) else {
            let message = format!("`{DELETE_FROM}{field}` matches nothing: the object has no list `{trail}`");
            self.findings.push(Diagnostic::new(&rules::PATCH_NO_MATCH, node.span, message));
            return;
        };
        let names: Vec<String> = items.iter().map(show).collect();
        for value in values {
            let before = items.len();
            items.retain(|item| item != value);
            if items.len() == before {
                let given = show(value);
                self.no_match(value.span, format!("`{trail}` has no `{given}`"), &given, "values", &names);
            }
        }
    }
}
