//! Argo CD Applications (`argoproj.io/v1alpha1`).

use super::{Step, texts};
use model::declare::Argo;
use tree::Node;

/// The cluster that Argo CD runs in.
const IN_CLUSTER: &str = "https://kubernetes.default.svc";

/// The Application that applies a component.
///
/// It has no `directory:`, because the folder has a `kustomization.yaml`; and no finalizer, because deleting an Application
/// must not delete a cluster's network.
pub(super) fn application(argo: &Argo, step: &Step<'_>, cluster: &str, path: String) -> Node {
    let automated = Node::map([("prune", (!step.is_cni()).into()), ("selfHeal", true.into())]);
    let annotations = Node::map([
        ("argocd.argoproj.io/manifest-generate-paths", ".".into()),
        ("argocd.argoproj.io/sync-wave", step.stage.wave().to_string().into()),
    ]);
    let metadata =
        Node::map([("name", (&*step.name).into()), ("namespace", (&*argo.namespace).into()), ("annotations", annotations)]);
    let source = Node::map([
        ("repoURL", (&*argo.repo_url).into()),
        ("targetRevision", (&*argo.target_revision).into()),
        ("path", path.into()),
    ]);
    let spec = Node::map([
        ("project", (&*argo.project).into()),
        ("source", source),
        ("destination", destination(argo, cluster)),
        ("syncPolicy", Node::map([("automated", automated), ("syncOptions", texts(["ServerSideApply=true"]))])),
    ]);
    Node::map([
        ("apiVersion", "argoproj.io/v1alpha1".into()),
        ("kind", "Application".into()),
        ("metadata", metadata),
        ("spec", spec),
    ])
}

/// Where a cluster's objects go. The namespace is for objects that name none; kubectl and Flux put those there as well.
fn destination(argo: &Argo, cluster: &str) -> Node {
    let place = match argo.destinations.get(cluster) {
        Some(name) => ("name", Node::from(&**name)),
        None => ("server", IN_CLUSTER.into()),
    };
    Node::map([place, ("namespace", "default".into())])
}
