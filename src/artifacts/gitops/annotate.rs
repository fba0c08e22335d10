//! Annotations on the objects themselves.

use std::sync::Arc;

use super::{Stage, is_precious};
use findings::{Diagnostic, rules};
use model::declare::GitOps;
use schema::Object;
use tree::{Node, Span, Value};

const FLUX_PRUNE: &str = "kustomize.toolkit.fluxcd.io/prune";
const FLUX_SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";
const ARGO_OPTIONS: &str = "argocd.argoproj.io/sync-options";
const ARGO_WAVE: &str = "argocd.argoproj.io/sync-wave";

/// The annotations that an object should have and has not. What an overlay has set stays: only sync options are added to it.
#[must_use]
pub fn annotations(gitops: Option<&GitOps>, object: &Object) -> Vec<(&'static str, String)> {
    // SOPS signs every value of a file: with one more, whoever decrypts it sees a forgery.
    if object.is_encrypted() {
        return Vec::new();
    }
    let precious = is_precious(object);
    let present = |key: &str| object.node.get("metadata").and_then(|metadata| metadata.get("annotations")?.get(key));
    let mut wanted = Vec::new();
    match gitops {
        Some(GitOps::Flux(flux)) => {
            if precious && present(FLUX_PRUNE).is_none() {
                wanted.push((FLUX_PRUNE, "disabled".to_owned()));
            }
            if flux.substitution && present(FLUX_SUBSTITUTE).is_none() && holds_variables(&object.node) {
                wanted.push((FLUX_SUBSTITUTE, "disabled".to_owned()));
            }
        }
        Some(GitOps::Argo(_)) => {
            if precious {
                let given = present(ARGO_OPTIONS).and_then(Node::as_str).unwrap_or_default();
                wanted.extend(keeping(given).map(|options| (ARGO_OPTIONS, options)));
            }
            let wave = Stage::of(object.slot(), &object.identity.kind).wave();
            if wave != 0 && present(ARGO_WAVE).is_none() {
                wanted.push((ARGO_WAVE, wave.to_string()));
            }
        }
        None => {}
    }
    wanted
}

/// Sync options that keep an object from being pruned, and from being deleted with its Application; none if those given say
/// something about both.
fn keeping(given: &str) -> Option<String> {
    let mut options: Vec<&str> = given.split(',').map(str::trim).filter(|option| !option.is_empty()).collect();
    let count = options.len();
    for option in ["Delete=false", "Prune=false"] {
        let name = option.trim_end_matches("false");
        if !options.iter().any(|given| given.starts_with(name)) {
            options.push(option);
        }
    }
    (options.len() > count).then(|| options.join(","))
}

/// Whether Flux would replace something in an object.
fn holds_variables(node: &Node) -> bool {
    variable(node).is_some()
}

/// The first place where Flux would replace something: `${name}`, also the escaped `$${name}`, anywhere in the text.
fn variable(node: &Node) -> Option<Span> {
    let opens = |text: &str| text.as_bytes().windows(2).any(|two| two == b"${");
    match &node.value {
        Value::String(text) => opens(text).then_some(node.span),
        Value::List(items) => items.iter().find_map(variable),
        Value::Map(map) => map.iter().find_map(|(key, value)| if opens(&key.text) { Some(key.span) } else { variable(value) }),
        _ => None,
    }
}

/// Reports a final object in which Flux replaces something although nobody means it to: an overlay has set the annotation to
/// something else.
pub(super) fn substituted(object: &Object) -> Option<Diagnostic> {
    let given = object.node.get("metadata")?.get("annotations")?.get(FLUX_SUBSTITUTE)?;
    let disabled = given.as_str().is_some_and(|text| text.eq_ignore_ascii_case("disabled"));
    let place = variable(&object.node).filter(|_| !disabled)?;
    let identity = &object.identity;
    let message = format!("Flux replaces `${{…}}` in {} {}, and what it does not know by nothing", identity.kind, identity.name);
    Some(Diagnostic::new(&rules::FLUX_SUBSTITUTION, given.span, message).also(place, "the text"))
}

/// The object with its annotations; the same one if it has them all.
#[must_use]
pub fn annotated(gitops: Option<&GitOps>, object: &Arc<Object>) -> Arc<Object> {
    object.annotated(|| annotations(gitops, object))
}
