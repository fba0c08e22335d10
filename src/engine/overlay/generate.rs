//! Objects made of files: `ConfigMap`s, and the hash that their names may end in.

use std::sync::Arc;

use schema::{Identity, Object, pod_spec};
use tree::{Key, Map, Node, Path, Span, Value};

/// Digits of a hash in a name.
const DIGITS: usize = 10;

/// The `ConfigMap` of some files.
pub(super) fn config_map(name: &Node, namespace: &Node, data: Vec<(Key, Node)>, place: Span) -> Node {
    let text = |text: &str| Node::new(Value::String(text.into()), place);
    let metadata = Node::map([("name", name.clone()), ("namespace", namespace.clone())]);
    let data = Node::new(Value::Map(data.into_iter().collect::<Map>()), place);
    let mut object = Node::map([("apiVersion", text("v1")), ("kind", text("ConfigMap")), ("metadata", metadata), ("data", data)]);
    object.span = place;
    object
}

/// Whether Kubernetes takes a key of a `ConfigMap`.
pub(super) fn is_key(key: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !key.is_empty() && key.len() <= 253 && key.bytes().all(letter) && !matches!(key, "." | "..")
}

/// Gives `ConfigMap`s names with a hash of their data, after all patches, and lets pods that refer to them follow.
pub fn name_by_hash(objects: &mut [Arc<Object>], wanted: &[Identity]) {
    for identity in wanted {
        let Some(at) = objects.iter().position(|object| object.identity == *identity) else { continue };
        let name = format!("{}-{}", identity.name, hash(&objects[at].node));
        let renamed = replaced(&objects[at].node, &["metadata", "name"], &name);
        objects[at] = object(&objects[at], renamed);
        for other in objects.iter_mut().filter(|other| other.identity.namespace == identity.namespace) {
            let Some(path) = pod_spec(&other.identity.kind) else { continue };
            let mut node = other.node.clone();
            let changed = at_mut(&mut node, path).is_some_and(|pod| refer(pod, &identity.name, &name));
            if changed {
                *other = object(other, node);
            }
        }
    }
}

fn object(old: &Object, node: Node) -> Arc<Object> {
    Arc::new(old.changed(node))
}

/// The first digits of a hash of what a `ConfigMap` holds.
fn hash(node: &Node) -> String {
    let mut held = node.to_json();
    if let Some(fields) = held.as_object_mut() {
        fields.retain(|field, _| field == "data" || field == "binaryData");
    }
    let mut hash = blake3::hash(held.to_string().as_bytes()).to_hex().to_string();
    hash.truncate(DIGITS);
    hash
}

fn replaced(node: &Node, path: &[&str], text: &str) -> Node {
    let mut node = node.clone();
    if let Some(old) = at_mut(&mut node, path) {
        set(old, text);
    }
    node
}

/// Sets a text, which was written where it is.
fn set(old: &mut Node, text: &str) {
    let span = old.span;
    old.replace(Node::new(Value::String(text.into()), span));
}

fn at_mut<'n>(node: &'n mut Node, path: &[&str]) -> Option<&'n mut Node> {
    path.iter().try_fold(node, |node, key| node.as_map_mut()?.get_mut(key))
}

/// Lists, and below their items the references to `ConfigMap`s.
type Places<'a> = &'a [(&'a [&'a str], &'a [&'a str])];

/// Lets what a pod has from a `ConfigMap` follow its new name; whether it has something.
fn refer(pod: &mut Node, old: &str, new: &str) -> bool {
    let mut changed = false;
    each(pod, &["volumes"], &mut |volume| {
        changed |= rename(volume, &["configMap", "name"], old, new);
        each(volume, &["projected", "sources"], &mut |source| changed |= rename(source, &["configMap", "name"], old, new));
    });
    const OF_CONTAINERS: Places<'_> =
        &[(&["env"], &["valueFrom", "configMapKeyRef", "name"]), (&["envFrom"], &["configMapRef", "name"])];
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        each(pod, &[list], &mut |container| {
            for (list, reference) in OF_CONTAINERS {
                each(container, list, &mut |item| changed |= rename(item, reference, old, new));
            }
        });
    }
    changed
}

fn each(node: &mut Node, path: &[&str], visit: &mut dyn FnMut(&mut Node)) {
    at_mut(node, path).and_then(Node::as_list_mut).into_iter().flatten().for_each(visit);
}

fn rename(node: &mut Node, path: &[&str], old: &str, new: &str) -> bool {
    match at_mut(node, path).filter(|name| name.as_str() == Some(old)) {
        Some(name) => {
            set(name, new);
            true
        }
        None => false,
    }
}

/// The pin of a vendored file: BLAKE3 of its text, with line feeds at the ends of lines whatever the checkout has.
#[must_use]
pub fn pin(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

/// Where an overlay pins one of its resources.
#[must_use]
pub fn pin_path(index: usize) -> Path {
    Path::dotted("spec.resources").item(index).child("blake3")
}
