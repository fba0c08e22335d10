//! Flux Kustomizations (`kustomize.toolkit.fluxcd.io/v1`).

use super::Step;
use model::declare::Flux;
use tree::{Map, Node};

/// How soon a failed reconciliation is tried again; without it Flux waits for the whole interval.
const RETRY: &str = "2m";
/// How long Flux waits for a component to become healthy before it counts as failed. A rollout that takes longer is waited for
/// again at the next try.
const TIMEOUT: &str = "5m";

/// The Kustomization that applies a component once those of the stage before it are ready.
pub(super) fn kustomization(flux: &Flux, step: &Step<'_>, steps: &[Step<'_>], path: &str) -> Node {
    let is_cni = step.is_cni();
    let mut spec: Map = [
        ("interval", Node::from(&*flux.interval)),
        ("retryInterval", RETRY.into()),
        ("timeout", TIMEOUT.into()),
        ("wait", true.into()),
        // Whatever becomes of the Kustomization, its renaming included, the cluster keeps its network.
        ("prune", (!is_cni).into()),
    ]
    .into_iter()
    .collect();
    if is_cni {
        spec.push("deletionPolicy", "Orphan");
    }
    spec.push("path", format!("./{path}"));
    spec.push("sourceRef", Node::map([("kind", "GitRepository".into()), ("name", (&*flux.source_name).into())]));
    if step.component.objects.iter().any(|object| object.is_encrypted()) {
        let secret = flux.decryption_secret.as_deref().map(|name| ("secretRef", Node::map([("name", name.into())])));
        spec.push("decryption", [("provider", Node::from("sops"))].into_iter().chain(secret).collect::<Map>());
    }
    let needed: Vec<Node> = before(step, steps).map(|step| Node::map([("name", (&*step.name).into())])).collect();
    if !needed.is_empty() {
        spec.push("dependsOn", needed);
    }
    Node::map([
        ("apiVersion", "kustomize.toolkit.fluxcd.io/v1".into()),
        ("kind", "Kustomization".into()),
        ("metadata", Node::map([("name", (&*step.name).into()), ("namespace", (&*flux.namespace).into())])),
        ("spec", spec.into()),
    ])
}

/// The components of the nearest stage before a component's own that has any; these wait for the stages before theirs.
fn before<'s, 'a>(step: &Step<'a>, steps: &'s [Step<'a>]) -> impl Iterator<Item = &'s Step<'a>> {
    let stage = steps.iter().map(|other| other.stage).filter(|stage| *stage < step.stage).max();
    steps.iter().filter(move |other| Some(other.stage) == stage)
}
