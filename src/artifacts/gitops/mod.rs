//! Sync objects: what makes Flux or Argo CD apply a cluster's components, in order.
//!
//! One Flux `Kustomization` or Argo CD `Application` a component, in the unit's `gitops/` folder; whatever applies that folder
//! applies the cluster. The objects themselves carry annotations: what must not be pruned says so, and text that Flux would
//! take for variables is protected.

mod annotate;
mod argo;
mod flux;

use std::sync::Arc;

use crate::kustomization::{self, Component};
use findings::{Diagnostic, rules};
use model::declare::{Cluster, Declared, GitOps, Project};
use model::unit::Artifact;
use schema::Object;
use tree::Node;
use yaml::to_yaml;

pub use annotate::{annotated, annotations};

/// When a component or an object is applied. What stands later needs what stands earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// Namespaces and custom resource definitions.
    Foundations,
    /// The network provider: without it no pod gets an address.
    Cni,
    /// Cluster DNS.
    Dns,
    /// Everything else.
    Rest,
    /// Network policies: one that denies by default, and comes before DNS, keeps the rest from starting.
    Policies,
}

/// The slots that netloom knows by name. What a component is called says nothing: `component: network` may be the provider's, and an
/// overlay `security/cni` guards it.
const CNI: &str = "cni";
const DNS: &str = "dns";

impl Stage {
    /// The stage of an object.
    fn of(slot: Option<&str>, kind: &str) -> Self {
        match (slot, kind) {
            (_, "Namespace" | "CustomResourceDefinition") => Stage::Foundations,
            (_, kind) if kind.ends_with("NetworkPolicy") => Stage::Policies,
            (Some(CNI), _) => Stage::Cni,
            (Some(DNS), _) => Stage::Dns,
            _ => Stage::Rest,
        }
    }

    /// The stage of a component: that of its objects where they agree, or the earliest that a slot among them has.
    fn of_component(component: &Component<'_>) -> Self {
        let mut stages = component.objects.iter().map(|object| Stage::of(object.slot(), &object.identity.kind));
        let first = stages.next().unwrap_or(Stage::Rest);
        let of_slots = || component.objects.iter().map(|object| Stage::of(object.slot(), "")).min().unwrap_or(Stage::Rest);
        if stages.all(|stage| stage == first) { first } else { of_slots() }
    }

    /// Argo CD's sync wave; 0 is where everything is that has no wave. The gaps leave room for a user's own waves.
    fn wave(self) -> i8 {
        match self {
            Stage::Foundations => -10,
            Stage::Cni => -5,
            Stage::Dns => -3,
            Stage::Rest => 0,
            Stage::Policies => 5,
        }
    }
}

/// Whether deleting an object takes more with it than itself: what is in a namespace, the custom resources of a definition,
/// the traffic of every pod.
fn is_precious(object: &Object) -> bool {
    object.slot() == Some(CNI) || matches!(&*object.identity.kind, "Namespace" | "CustomResourceDefinition")
}

/// A component with its place among the cluster's.
struct Step<'a> {
    component: Component<'a>,
    stage: Stage,
    /// Name of its sync object.
    name: String,
}

impl Step<'_> {
    /// Whether the cluster's network is in it.
    fn is_cni(&self) -> bool {
        self.component.objects.iter().any(|object| object.slot() == Some(CNI))
    }
}

/// The components of a cluster, in the order in which they are applied.
fn steps<'a>(cluster: &str, objects: &'a [Arc<Object>]) -> Vec<Step<'a>> {
    let step = |component: Component<'a>| {
        let name = format!("{cluster}-{}", component.name);
        Step { component, stage: Stage::of_component(&component), name }
    };
    let mut steps: Vec<_> = kustomization::components(objects).into_iter().map(step).collect();
    steps.sort_by_key(|step| step.stage);
    steps
}

/// The sync objects of a cluster and the `kustomization.yaml` that lists them; none unless the project asks for a flavour.
/// The objects are in their total order.
#[must_use]
pub fn artifacts(project: &Project, cluster: &str, objects: &[Arc<Object>]) -> Vec<Artifact> {
    let Some(gitops) = &project.spec.gitops else { return Vec::new() };
    let steps = steps(cluster, objects);
    if steps.is_empty() {
        return Vec::new();
    }
    let file = |step: &Step<'_>| format!("{}.yaml", step.name);
    let sync = |step: &Step<'_>| {
        let path = project.spec.paths.rendered(&format!("clusters/{cluster}/kubernetes/{}", step.component.name));
        let node = match gitops {
            GitOps::Flux(flux) => flux::kustomization(flux, step, &steps, &path),
            GitOps::Argo(argo) => argo::application(argo, step, cluster, path),
        };
        Artifact::new(format!("gitops/{}", file(step)), to_yaml(&node))
    };
    let list = Artifact::new("gitops/kustomization.yaml", kustomization::text(steps.iter().map(file)));
    steps.iter().map(sync).chain([list]).collect()
}

/// Checks that sync objects can have their names, and that whoever applies the objects can read them.
pub fn check(project: &Project, cluster: &Declared<Cluster>, objects: &[Arc<Object>], findings: &mut Vec<Diagnostic>) {
    /// Kubernetes' limit for the value of a label.
    const LABEL: usize = 63;
    if let Some(GitOps::Argo(_)) = &project.spec.gitops {
        for object in objects.iter().filter(|object| object.is_encrypted()) {
            let message = format!(
                "{} {} is encrypted with SOPS, and Argo CD applies it as it is",
                object.identity.kind, object.identity.name
            );
            findings.push(Diagnostic::new(&rules::GITOPS_DECRYPTION, cluster.span("metadata.name"), message));
        }
    }
    let Some(GitOps::Flux(flux)) = &project.spec.gitops else { return };
    findings.extend(objects.iter().filter(|_| flux.substitution).filter_map(|object| annotate::substituted(object)));
    for step in steps(&cluster.value.metadata.name, objects).iter().filter(|step| step.name.len() > LABEL) {
        let message = format!("the Flux Kustomization `{}` would have a name of {} characters", step.name, step.name.len());
        findings.push(Diagnostic::new(&rules::GITOPS_NAME, cluster.span("metadata.name"), message));
    }
}

/// A node for a list of texts.
fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Node {
    texts.into_iter().map(Node::from).collect::<Vec<_>>().into()
}

#[cfg(test)]
mod tests;
