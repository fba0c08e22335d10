//! Lists in strategic merge patches.
//!
//! Elements are told apart by the schema's merge keys. The order is kustomize's, which prepends: with one merge key the
//! patch's elements come first, in the patch's order, and then the rest of the object's; with composite keys (the ports of
//! containers and services, when some port names its protocol) new elements come first and patched ones keep their places.

use super::directive::{Directive, PATCH, is_directive};
use super::trail::Trail;
use super::{Fate, Merger};
use crate::words::{is_scalar, show};
use schema::kubernetes::{Field, Shape};
use tree::{Map, Node, Span, Value};

/// What Kubernetes takes for a part of a merge key that is left out.
const DEFAULT_PARTS: [(&str, &str); 1] = [("protocol", "TCP")];

/// The merge keys of a list, the main one first; no keys for scalars that merge as a set; none for a list that is replaced.
pub(super) fn keys<'a>(field: &Field<'a>) -> Option<Vec<&'a str>> {
    if !field.strategy.merge {
        return None;
    }
    let main = field.merge_key.into_iter().collect::<Vec<_>>();
    // Kubernetes merges by the main key alone and so mixes up ports that differ in protocol; kustomize and server-side apply
    // take all of them.
    Some(if field.list_map_keys.len() > 1 { field.list_map_keys.clone() } else { main })
}

/// One part of an element's identity, or what stands for it when it is left out.
fn part(element: &Node, key: &str) -> Option<Value> {
    let default = || DEFAULT_PARTS.iter().find(|(name, _)| *name == key).map(|(_, value)| Value::String((*value).into()));
    element.get(key).filter(|part| !part.is_null()).map(|part| part.value.clone()).or_else(default)
}

/// Whether two elements are the same one.
fn same(a: &Node, b: &Node, keys: &[&str]) -> bool {
    if keys.is_empty() { a == b } else { keys.iter().all(|key| part(a, key) == part(b, key)) }
}

/// Whether an element of the object has all the parts of its identity that an element of the patch gives.
fn agrees(element: &Node, item: &Node, keys: &[&str]) -> bool {
    keys.iter().all(|key| item.get(key).is_none_or(|_| part(element, key) == part(item, key)))
}

/// An element's identity for people: `80/UDP`.
fn label(element: &Node, keys: &[&str]) -> String {
    if keys.is_empty() {
        return show(element);
    }
    let parts: Vec<String> = keys.iter().filter_map(|key| element.get(key)).map(show).collect();
    parts.join("/")
}

/// Where an element of a patch is in the object.
enum Found {
    Nowhere,
    At(usize),
    /// Several elements could be meant.
    Unclear,
}

fn find(elements: &[Option<Node>], item: &Node, keys: &[&str]) -> Found {
    let positions = |test: &dyn Fn(&Node) -> bool| -> Vec<usize> {
        let matching = elements.iter().enumerate().filter(|(_, element)| element.as_ref().is_some_and(test));
        matching.map(|(at, _)| at).collect()
    };
    let mut found = positions(&|element| same(element, item, keys));
    if found.is_empty() {
        found = positions(&|element| agrees(element, item, keys));
    }
    match found.as_slice() {
        [] => Found::Nowhere,
        [at] => Found::At(*at),
        _ => Found::Unclear,
    }
}

/// `$setElementOrder/FIELD`: the order that a list has after the merge.
pub(super) struct Order<'p> {
    /// The list's field.
    pub(super) field: &'p str,
    keys: Vec<&'p str>,
    items: &'p [Node],
    span: Span,
    /// The list before the merge.
    before: Vec<Node>,
}

impl<'p> Order<'p> {
    pub(super) fn new(field: &'p str, keys: Vec<&'p str>, items: &'p [Node], span: Span, target: &Map) -> Self {
        let before = target.get(field).and_then(Node::as_list).unwrap_or_default().to_vec();
        Self { field, keys, items, span, before }
    }

    fn place(&self, list: &[Node], element: &Node) -> Option<usize> {
        list.iter().position(|each| same(each, element, &self.keys))
    }

    /// The API server's order: elements that are named follow the directive; each other one stays before the elements that it
    /// was before.
    fn apply(&self, elements: Vec<Node>) -> Vec<Node> {
        let (mut named, others): (Vec<_>, Vec<_>) =
            elements.into_iter().partition(|element| self.place(self.items, element).is_some());
        named.sort_by_key(|element| self.place(self.items, element));
        let before = |a: &Node, b: &Node| match (self.place(&self.before, a), self.place(&self.before, b)) {
            (Some(a), Some(b)) => a < b,
            _ => false,
        };
        let (mut named, mut result) = (named.into_iter().peekable(), Vec::new());
        for other in others {
            while let Some(next) = named.next_if(|next| !before(&other, next)) {
                result.push(next);
            }
            result.push(other);
        }
        result.extend(named);
        result
    }
}

/// Reads `$patch` of an element that is nothing but the directive, and so is about the list.
fn about_list(item: &Node) -> Option<&Map> {
    item.as_map().filter(|map| map.len() == 1 && map.contains(PATCH))
}

impl Merger<'_> {
    /// Merges the items of a patch into a list.
    pub(super) fn list(
        &mut self,
        target: &mut Node,
        span: Span,
        items: &[Node],
        field: Option<&Field<'_>>,
        trail: &Trail<'_>,
    ) -> Fate {
        let directive = items.iter().find_map(about_list).and_then(|map| self.directive(map));
        let items: Vec<&Node> = items.iter().filter(|item| about_list(item).is_none()).collect();
        if directive == Some(Directive::Delete) {
            if let Some(item) = items.first() {
                self.invalid(item.span, format!("`{trail}` is deleted as a whole, so it takes no elements"));
            }
            return Fate::Remove;
        }
        let Some((field, keys)) = field.and_then(|field| Some((field, keys(field)?))) else {
            items.iter().for_each(|item| self.refuse_directives(item, trail));
            let items = items.into_iter().cloned().collect();
            target.replace(Node::new(Value::List(items), span));
            return Fate::Keep;
        };
        let old = match directive {
            None => target.as_list_mut().map(std::mem::take).unwrap_or_default(),
            Some(_) => {
                target.replace(Node::new(Value::List(Vec::new()), span));
                Vec::new()
            }
        };
        target.value = Value::List(match keys.is_empty() {
            true => self.set(old, &items, trail),
            false => self.elements(old, &items, &keys, field.shape.items(), trail),
        });
        Fate::Keep
    }

    /// A list that is replaced as a whole is taken literally, so a directive inside it cannot be meant.
    fn refuse_directives(&mut self, node: &Node, trail: &Trail<'_>) {
        match &node.value {
            Value::Map(map) => {
                for (key, inner) in map.iter() {
                    if is_directive(&key.text) {
                        self.invalid(key.span, format!("`{}` has no effect here: `{trail}` is replaced as a whole", key.text));
                    }
                    self.refuse_directives(inner, trail);
                }
            }
            Value::List(items) => items.iter().for_each(|item| self.refuse_directives(item, trail)),
            _ => {}
        }
    }

    /// Merges scalars as a set: the patch's first, then the object's others.
    fn set(&mut self, old: Vec<Node>, items: &[&Node], trail: &Trail<'_>) -> Vec<Node> {
        let mut merged: Vec<Node> = Vec::new();
        for item in items {
            if !is_scalar(item) {
                self.invalid(item.span, format!("`{trail}` takes scalars, and this is {}", item.kind()));
            } else if !merged.contains(item) {
                merged.push((*item).clone());
            }
        }
        for element in old {
            match merged.iter_mut().find(|each| **each == element) {
                Some(each) => each.overrode = Some(std::sync::Arc::new(element)),
                None => merged.push(element),
            }
        }
        merged
    }

    /// Merges elements that have merge keys.
    fn elements(
        &mut self,
        old: Vec<Node>,
        items: &[&Node],
        keys: &[&str],
        shape: Option<Shape<'_>>,
        trail: &Trail<'_>,
    ) -> Vec<Node> {
        let has_rest = |element: &Node| keys.iter().skip(1).any(|key| element.get(key).is_some());
        let in_place = old.iter().any(has_rest) || items.iter().any(|item| has_rest(item));
        let names: Vec<String> = if items.iter().any(|item| item.get(PATCH).is_some()) {
            old.iter().map(|element| label(element, keys)).collect()
        } else {
            Vec::new()
        };
        let mut old: Vec<Option<Node>> = old.into_iter().map(Some).collect();
        let mut first = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let Some((change, name)) = self.element(item, &items[..at], keys, trail) else { continue };
            let trail = trail.element(keys.first().copied().unwrap_or_default(), &name);
            match find(&old, item, keys) {
                Found::Unclear => self.invalid(item.span, format!("`{trail}` is more than one element of the object")),
                Found::At(place) => {
                    let Some(mut element) = old[place].take() else { continue };
                    match self.mapping(&mut element, item.span, change, shape, &trail) {
                        Fate::Remove => {}
                        Fate::Keep if in_place => old[place] = Some(element),
                        Fate::Keep => first.push(element),
                    }
                }
                Found::Nowhere if self.directive(change) == Some(Directive::Delete) => {
                    let message = format!("`$patch: delete` matches nothing: there is no `{trail}`");
                    self.no_match(item.span, message, &name, "elements", &names);
                }
                Found::Nowhere => first.push(self.build(item.span, change, shape, &trail)),
            }
        }
        first.extend(old.into_iter().flatten());
        first
    }

    /// Checks the form of an element; `earlier` are the elements before it in the patch.
    fn element<'n>(&mut self, item: &'n Node, earlier: &[&Node], keys: &[&str], trail: &Trail<'_>) -> Option<(&'n Map, String)> {
        let main = keys.first().copied().unwrap_or_default();
        let Some(change) = item.as_map() else {
            self.invalid(item.span, format!("an element of `{trail}` is a mapping with `{main}`, and this is {}", item.kind()));
            return None;
        };
        if change.get(main).is_none_or(|value| value.is_null() || !is_scalar(value)) {
            self.invalid(item.span, format!("an element of `{trail}` needs `{main}`, which tells it from the others"));
            return None;
        }
        if earlier.iter().any(|each| each.get(main).is_some() && same(each, item, keys)) {
            self.invalid(item.span, format!("the patch has two elements `{}` of `{trail}`", label(item, keys)));
            return None;
        }
        Some((change, label(item, keys)))
    }

    /// Puts a merged list into the order that `$setElementOrder` asks for; `items` are the patch's elements.
    pub(super) fn reorder(&mut self, target: Option<&mut Node>, items: Option<&Node>, order: &Order<'_>, trail: &Trail<'_>) {
        let mut last = None;
        for item in items.and_then(Node::as_list).unwrap_or_default().iter().filter(|item| item.get(PATCH).is_none()) {
            let place = order.place(order.items, item);
            let name = label(item, &order.keys);
            // An element without a name has been reported.
            if !name.is_empty() && (place.is_none() || place < last) {
                self.invalid(
                    order.span,
                    format!("`$setElementOrder` of `{trail}` does not have `{name}` where the patch has it"),
                );
            }
            last = last.max(place);
        }
        let mut nothing = Vec::new();
        let elements = target.and_then(Node::as_list_mut).unwrap_or(&mut nothing);
        let names: Vec<String> = elements.iter().map(|element| label(element, &order.keys)).collect();
        for item in order.items.iter().filter(|item| order.place(elements, item).is_none()) {
            let name = label(item, &order.keys);
            self.no_match(
                item.span,
                format!("`$setElementOrder` of `{trail}` has `{name}`, which is no element"),
                &name,
                "elements",
                &names,
            );
        }
        *elements = order.apply(std::mem::take(elements));
    }
}
