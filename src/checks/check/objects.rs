//! The final objects: identity, schema, no secret in the clear, and nothing that kustomize would apply otherwise.

use std::sync::Arc;

use indexmap::IndexMap;

use findings::{Diagnostic, rules};
use schema::kubernetes::Schemas;
use schema::{Identity, Object, is_ciphertext};
use tree::{Map, Node, Path, Span, limits};

/// Checks every object of a cluster.
pub fn check(objects: &[Arc<Object>], schemas: &Schemas, findings: &mut Vec<Diagnostic>) {
    if objects.len() > limits::UNIT_OBJECTS {
        let message = format!("the cluster has {} objects; at most {} are rendered", objects.len(), limits::UNIT_OBJECTS);
        findings.push(Diagnostic::new(&rules::LIMIT, Span::NONE, message));
    }
    let mut seen: IndexMap<&Identity, Span> = IndexMap::new();
    let mut paths: IndexMap<String, Span> = IndexMap::new();
    for object in objects {
        if let Some(first) = seen.insert(&object.identity, object.node.span) {
            let message = format!("{} is made twice", name(&object.identity));
            findings.push(Diagnostic::new(&rules::OBJECT_IDENTITY, object.node.span, message).also(first, "first here"));
        } else if let Some(first) = paths.insert(object.path().to_lowercase(), object.node.span) {
            let message = format!("{} and another object would write the same file `{}`", name(&object.identity), object.path());
            findings.push(Diagnostic::new(&rules::OBJECT_IDENTITY, object.node.span, message).also(first, "the other one"));
        }
        path(object, findings);
        applied(object, findings);
        schema(object, schemas, findings);
        secret(object, findings);
    }
}

/// An object's name for people.
pub(super) fn name(identity: &Identity) -> String {
    let namespace = if identity.namespace.is_empty() { String::new() } else { format!("{}/", identity.namespace) };
    format!("{} {namespace}{}", identity.kind, identity.name)
}

/// Longest name of an object: its file's name, which file systems end at 255, has the kind and the namespace, too.
const NAME_CHARACTERS: usize = 200;

/// Names become file names, so they hold nothing but what Kubernetes allows in one; an API version is `GROUP/VERSION`, or a version
/// of the core group.
fn path(object: &Object, findings: &mut Vec<Diagnostic>) {
    let Identity { api_version, kind, namespace, name: own } = &object.identity;
    let metadata = object.node.get("metadata").unwrap_or(&object.node);
    if !good(kind) || !good(own) {
        let message = match own.chars().count() {
            long if long > NAME_CHARACTERS => {
                format!("a name of {long} characters leaves no room in the name of its file; {NAME_CHARACTERS} do")
            }
            _ => format!("{:?} is no name of a Kubernetes object", name(&object.identity)),
        };
        findings.push(Diagnostic::new(&rules::OBJECT_IDENTITY, metadata.span, message));
    }
    let given = metadata.get("namespace").filter(|node| !node.is_null());
    if let Some(node) = given.filter(|node| node.as_str().is_none() || !(namespace.is_empty() || good(namespace))) {
        let message = format!("the namespace of {kind} {own} is no name of a Kubernetes object");
        findings.push(Diagnostic::new(&rules::OBJECT_IDENTITY, place(node, object), message));
    }
    if !api_version.splitn(2, '/').all(good) {
        let node = object.node.get("apiVersion").unwrap_or(&object.node);
        let message = format!("{api_version:?} is no API version such as `apps/v1`");
        findings.push(Diagnostic::new(&rules::OBJECT_IDENTITY, place(node, object), message));
    }
}

/// Whether a text can be a name, and a part of a file's name.
fn good(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '_');
    !text.is_empty() && text.len() <= NAME_CHARACTERS && text.chars().all(allowed) && !text.starts_with('.')
}

fn schema(object: &Object, schemas: &Schemas, findings: &mut Vec<Diagnostic>) {
    // What SOPS encrypted fits no schema: its values are ciphertext, and `sops` is one more key.
    if object.is_encrypted() {
        return super::visible::check(&object.node, object.text(), object.node.span, findings);
    }
    let identity = &object.identity;
    let definition = || schemas.kind(&identity.api_version, &identity.kind);
    let unknown = || definition().is_none() && is_built_in(identity, schemas);
    let valid = object.fits(schemas.minor(), || {
        let before = findings.len();
        if let Some(definition) = definition() {
            schemas.check(definition, &object.node, &rules::OBJECT_SCHEMA, findings);
            super::resources::check(object, findings);
            findings.iter_mut().skip(before).for_each(|finding| finding.message.insert_str(0, &format!("{}: ", name(identity))));
        }
        super::visible::check(&object.node, object.text(), object.node.span, findings);
        findings.len() == before && !unknown()
    });
    if !valid && unknown() {
        let message = format!("Kubernetes 1.{} has no {} {}", schemas.minor(), identity.api_version, identity.kind);
        let kinds: Vec<&str> =
            schemas.kinds().filter(|(version, _)| *version == identity.api_version).map(|(_, kind)| kind).collect();
        let place = object.node.get("kind").unwrap_or(&object.node).span;
        findings.push(Diagnostic::new(&rules::OBJECT_SCHEMA, place, message).suggest(&identity.kind, kinds));
    }
}

/// Whether the object's group is one of Kubernetes itself, so that its kind should be known.
fn is_built_in(identity: &Identity, schemas: &Schemas) -> bool {
    schemas.kinds().any(|(version, _)| version.split_once('/').map_or("", |(group, _)| group) == identity.group())
}

/// Reports what kustomize, which Flux and Argo CD build with, would make another object of, or several, or none: policies and checks see
/// what stands here.
fn applied(object: &Object, findings: &mut Vec<Diagnostic>) {
    let Identity { kind, .. } = &object.identity;
    let mut refuse = |place: Span, what: String| {
        let message = format!("{} {what}", name(&object.identity));
        findings.push(Diagnostic::new(&rules::OBJECT_KUSTOMIZE, place, message));
    };
    if let Some(items) = object.node.get("items").filter(|_| kind.ends_with("List")) {
        refuse(place(items, object), "is a list, whose items kustomize applies in its place".to_owned());
    }
    if object.identity.group() == "kustomize.config.k8s.io" {
        refuse(object.node.span, "is a file of kustomize, which no API server takes".to_owned());
    }
    let annotations = object.node.at(&Path::dotted("metadata.annotations")).and_then(Node::as_map);
    for (key, _) in annotations.into_iter().flat_map(Map::iter) {
        let domain = key.text.split('/').next().unwrap_or_default();
        if domain == "config.kubernetes.io" || domain.ends_with(".config.kubernetes.io") || domain == "kustomize.config.k8s.io" {
            let span = if key.span.is_known() { key.span } else { object.node.span };
            refuse(span, format!("has the annotation `{}`, by which kustomize leaves it out or renames it", key.text));
        }
    }
}

/// Rendered output is committed: a Secret with values in it is leaked.
fn secret(object: &Object, findings: &mut Vec<Diagnostic>) {
    if object.identity.kind != "Secret" || object.identity.api_version != "v1" {
        return;
    }
    // SOPS leaves an empty text as it is.
    let hidden =
        |value: &Node| object.is_encrypted() && value.as_str().is_some_and(|text| text.is_empty() || is_ciphertext(text));
    for field in ["data", "stringData"] {
        let shown = object
            .node
            .get(field)
            .filter(|node| node.as_map().is_none_or(|map: &Map| !map.iter().all(|(_, value)| hidden(value))));
        if let Some(node) = shown {
            let message = format!("{} carries its values in the clear (`{field}`)", name(&object.identity));
            findings.push(Diagnostic::new(&rules::OBJECT_SECRET, place(node, object), message));
        }
    }
}

fn place(node: &Node, object: &Object) -> Span {
    if node.span.is_known() { node.span } else { object.node.span }
}
