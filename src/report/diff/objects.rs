//! What changes of Kubernetes objects do to what runs, as far as it can be told from the objects alone.

use similar::TextDiff;

use super::node::Step;
use super::{Change, Class, Effect, Field, State};
use schema::Identity;
use tree::Node;

/// Where the API server refuses another value ("field is immutable"): kinds and fields, from the validation of Kubernetes' API
/// (pkg/apis/*/validation, and apiextensions-apiserver's for definitions).
const IMMUTABLE: [(&str, &[&str]); 31] = [
    ("CSIDriver", &["spec", "attachRequired"]),
    ("CSIDriver", &["spec", "volumeLifecycleModes"]),
    ("ClusterRoleBinding", &["roleRef"]),
    ("CustomResourceDefinition", &["spec", "group"]),
    ("CustomResourceDefinition", &["spec", "scope"]),
    ("CustomResourceDefinition", &["spec", "names", "kind"]),
    ("CustomResourceDefinition", &["spec", "names", "plural"]),
    ("DaemonSet", &["spec", "selector"]),
    ("Deployment", &["spec", "selector"]),
    ("EndpointSlice", &["addressType"]),
    ("IngressClass", &["spec", "controller"]),
    ("Job", &["spec", "backoffLimitPerIndex"]),
    ("Job", &["spec", "completionMode"]),
    ("Job", &["spec", "completions"]),
    ("Job", &["spec", "managedBy"]),
    ("Job", &["spec", "podFailurePolicy"]),
    ("Job", &["spec", "selector"]),
    ("Job", &["spec", "successPolicy"]),
    ("Job", &["spec", "template"]),
    ("PriorityClass", &["preemptionPolicy"]),
    ("PriorityClass", &["value"]),
    ("RoleBinding", &["roleRef"]),
    ("RuntimeClass", &["handler"]),
    ("Secret", &["type"]),
    ("Service", &["spec", "clusterIP"]),
    ("Service", &["spec", "clusterIPs"]),
    ("StatefulSet", &["spec", "selector"]),
    ("StorageClass", &["parameters"]),
    ("StorageClass", &["provisioner"]),
    ("StorageClass", &["reclaimPolicy"]),
    ("StorageClass", &["volumeBindingMode"]),
];

/// The fields of a StatefulSet's `spec` that the API server lets be changed; all others are refused.
const STATEFUL_SET: [&str; 7] = [
    "minReadySeconds",
    "ordinals",
    "persistentVolumeClaimRetentionPolicy",
    "replicas",
    "revisionHistoryLimit",
    "template",
    "updateStrategy",
];

/// Kinds whose labels and annotations nothing acts on. Those of others decide which policies hold (Namespace), what a cloud's
/// load balancer is like (Service, Ingress), which role pods have (ServiceAccount), or what is aggregated (ClusterRole).
const UNREAD: [&str; 12] = [
    "ClusterRoleBinding",
    "ConfigMap",
    "CustomResourceDefinition",
    "DaemonSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
    "PriorityClass",
    "Role",
    "RoleBinding",
    "Secret",
    "StatefulSet",
];

/// Annotations that only Flux and Argo CD read.
const SYNC: [&str; 2] = ["kustomize.toolkit.fluxcd.io/", "argocd.argoproj.io/"];

/// Annotations with which Flux and Argo CD leave an object in the cluster when it goes from the repository.
const KEPT: [(&str, &str); 2] =
    [("kustomize.toolkit.fluxcd.io/prune", "disabled"), ("argocd.argoproj.io/sync-options", "Prune=false")];

/// `Kind namespace/name`.
pub(super) fn title(identity: &Identity) -> String {
    let namespace = if identity.namespace.is_empty() { String::new() } else { format!("{}/", identity.namespace) };
    format!("{} {namespace}{}", identity.kind, identity.name)
}

/// Whether two texts are one object under two names: of one kind, and nearly the same.
pub(super) fn is_renamed(old: &str, new: &str) -> bool {
    const ALIKE: f32 = 0.8;
    let kind = |text: &str| text.lines().find(|line| line.starts_with("kind: ")).map(ToOwned::to_owned);
    let short = |text: &str| text.len() < (64 << 10);
    kind(old) == kind(new) && short(old) && short(new) && TextDiff::from_lines(old, new).ratio() >= ALIKE
}

fn effect(identity: &Identity, class: Class, what: impl Into<String>, because: impl Into<String>) -> Effect {
    let Identity { kind, namespace, name, .. } = identity;
    let namespace = if namespace.is_empty() { String::new() } else { format!("{namespace}.") };
    let source = "the rules of the Kubernetes API";
    Effect::new(class, format!("kubernetes.{kind}.{namespace}{name}"), what, because).source(source)
}

/// What a change of an object does.
pub(super) fn effects(change: &Change, before: Option<&Node>, after: Option<&Node>) -> Vec<Effect> {
    let Some(identity) = after.or(before).and_then(Identity::of) else { return Vec::new() };
    match (&change.state, before, after) {
        (State::Added, _, Some(_)) => vec![added(&identity, &change.title)],
        (State::Removed, Some(old), _) => vec![removed(&identity, &change.title, old)],
        (State::Renamed(old), ..) => {
            let because = "Kubernetes knows no renaming: the old object is deleted and the new one is made, in no certain order";
            vec![effect(&identity, Class::Unknown, format!("{old} is now called {}", change.title), because)]
        }
        (_, Some(old), Some(new)) => changed(&identity, change, old, new),
        _ => Vec::new(),
    }
}

fn added(identity: &Identity, title: &str) -> Effect {
    let what = format!("{title} is new");
    match identity.kind.as_str() {
        "DaemonSet" => effect(identity, Class::Unknown, what, "It starts on every node, and nobody says what it does there"),
        kind if kind.ends_with("NetworkPolicy") || kind.ends_with("NetworkPolicySet") => {
            effect(identity, Class::Unknown, what, "It takes effect at once, and refuses what it does not name")
        }
        kind if kind.ends_with("WebhookConfiguration") || kind.contains("AdmissionPolicy") => {
            effect(identity, Class::Unknown, what, "From then on the API server asks it about other objects")
        }
        _ => effect(identity, Class::InPlace, what, "It comes beside what is there"),
    }
}

fn removed(identity: &Identity, title: &str, old: &Node) -> Effect {
    let what = format!("{title} is removed");
    let annotation = |key: &str| old.get("metadata")?.get("annotations")?.str_at(key);
    let kept = KEPT.iter().any(|(key, value)| annotation(key).is_some_and(|text| text.contains(value)));
    if kept {
        let because = "It is annotated so that Flux or Argo CD leaves it in the cluster, where nobody looks after it any more";
        let steps: &[&str] = &["Delete it by hand when nothing uses it any more."];
        return Effect {
            transition: "kubernetes.kept".to_owned(),
            ..effect(identity, Class::InPlace, what, because).steps(steps)
        };
    }
    let all = match identity.kind.as_str() {
        "CustomResourceDefinition" => "Every custom resource of this definition is deleted with it",
        "Namespace" => "Everything in the namespace is deleted with it",
        _ => return effect(identity, Class::Unknown, what, "Nobody says what its absence does"),
    };
    effect(identity, Class::Downtime, what, all).steps(&[
        "See that nothing is left that it holds.",
        "Or keep it from being pruned first, in a change of its own: Flux's `kustomize.toolkit.fluxcd.io/prune: disabled`, Argo CD's `Prune=false`.",
    ])
}

fn changed(identity: &Identity, change: &Change, old: &Node, new: &Node) -> Vec<Effect> {
    let kind = identity.kind.as_str();
    let touched = |keys: &[&str]| change.fields.iter().any(|field| field.path.begins(keys));
    let what = |what: &str| format!("{}: {what}", change.title);
    if let Some(field) = refused(kind, change, old) {
        let because = "The API server refuses another value of this field";
        let steps: &[&str] =
            &["Delete the object first, if what it does can be done without meanwhile; or give the new one another name."];
        return vec![effect(identity, Class::Unsupported, what(&field), because).steps(steps)];
    }
    let marks = |field: &Field| field.path.begins(&["metadata", "labels"]) || field.path.begins(&["metadata", "annotations"]);
    if change.fields.iter().all(marks) {
        let sync =
            |field: &Field| matches!(field.path.0.get(2), Some(Step::Key(key)) if SYNC.iter().any(|own| key.starts_with(own)));
        let (class, because) = match UNREAD.contains(&kind) || change.fields.iter().all(sync) {
            true => (Class::InPlace, "Nothing that runs reads them"),
            false => (Class::Unknown, "Controllers and policies read those of this kind; nobody says what they make of it"),
        };
        return vec![effect(identity, class, what("labels or annotations"), because)];
    }
    if matches!(kind, "Deployment" | "StatefulSet") && replicas(new) == Some(0) && replicas(old) != Some(0) {
        return vec![effect(identity, Class::Downtime, what("no replicas"), "No pod is left of it")];
    }
    if touched(&["spec", "template"]) && matches!(kind, "DaemonSet" | "Deployment" | "StatefulSet") {
        let (class, because) = rollout(kind, new);
        return vec![effect(identity, class, what("the pods' template"), because)];
    }
    let (class, because) = match kind {
        "DaemonSet" | "Deployment" | "StatefulSet" => (Class::InPlace, "Its pods stay as they are"),
        "ServiceAccount" | "PodDisruptionBudget" | "HorizontalPodAutoscaler" | "PriorityClass" => {
            (Class::InPlace, "It takes effect without a restart")
        }
        "Role" | "ClusterRole" if change.fields.iter().all(grants) => {
            (Class::InPlace, "It grants more than before, without a restart")
        }
        "CustomResourceDefinition" if change.fields.iter().all(is_new_property) => {
            (Class::InPlace, "It knows more fields than before, without a restart")
        }
        "ConfigMap" | "Secret" => {
            (Class::Unknown, "Some programs read it again, others only when they start; nobody says which this is")
        }
        _ => (Class::Unknown, "Nobody says what this does"),
    };
    vec![effect(identity, class, what("other fields"), because)]
}

/// A field that the API server does not let be changed.
fn refused(kind: &str, change: &Change, old: &Node) -> Option<String> {
    let touched = |keys: &[&str]| change.fields.iter().any(|field| field.path.begins(keys));
    if let Some((_, keys)) = IMMUTABLE.iter().find(|(of, keys)| *of == kind && touched(keys)) {
        return Some(keys.join("."));
    }
    let fixed =
        |field: &&Field| field.path.begins(&["spec"]) && !STATEFUL_SET.iter().any(|key| field.path.begins(&["spec", key]));
    if let Some(field) = change.fields.iter().find(fixed).filter(|_| kind == "StatefulSet") {
        return Some(field.path.to_string());
    }
    let immutable = matches!(kind, "ConfigMap" | "Secret") && old.get("immutable").and_then(Node::as_bool) == Some(true);
    let data = |field: &&Field| !field.path.begins(&["metadata"]);
    change.fields.iter().find(data).filter(|_| immutable).map(|field| format!("{}, of an immutable object", field.path))
}

fn replicas(node: &Node) -> Option<i64> {
    node.get("spec")?.get("replicas")?.to_json().as_i64()
}

/// Whether a change of a role's rules adds to what they grant; names of resources narrow a rule.
fn grants(field: &Field) -> bool {
    let narrows = |step: &Step| matches!(step, Step::Key(key) if key == "resourceNames");
    field.before.is_none() && field.path.begins(&["rules"]) && !field.path.0.iter().any(narrows)
}

/// Whether a change of a definition is a property of a schema that was not there.
fn is_new_property(field: &Field) -> bool {
    let parent = field.path.0.iter().rev().nth(1);
    field.before.is_none() && matches!(parent, Some(Step::Key(key)) if key == "properties")
}

/// How a workload's pods are made anew.
fn rollout(kind: &str, new: &Node) -> (Class, &'static str) {
    let strategy = |key: &str| new.get("spec")?.get(key)?.str_at("type");
    match (kind, strategy("updateStrategy").or_else(|| strategy("strategy"))) {
        ("DaemonSet" | "StatefulSet", Some("OnDelete")) => {
            (Class::NodeReplacement, "Its pods restart only when somebody deletes them, or when their node is replaced")
        }
        ("Deployment", Some("Recreate")) => (Class::Downtime, "All pods end before the first new one starts"),
        ("Deployment", _) => (Class::Rolling, "Its pods are replaced step by step"),
        _ => (Class::Rolling, "Its pods restart one node after the other"),
    }
}

/// What a change of a Flux Kustomization or an Argo CD Application does.
pub(super) fn sync_effects(change: &Change, before: Option<&Node>) -> Vec<Effect> {
    let (State::Removed | State::Renamed(_), Some(old)) = (&change.state, before) else { return Vec::new() };
    let Some(identity) = Identity::of(old) else { return Vec::new() };
    let finalizers = old.get("metadata").and_then(|metadata| metadata.get("finalizers")?.as_list()).unwrap_or_default();
    let cascades = finalizers.iter().any(|one| one.as_str().is_some_and(|text| text.starts_with("resources-finalizer")));
    let prunes = match identity.kind.as_str() {
        "Kustomization" => old.get("spec").and_then(|spec| spec.get("prune")?.as_bool()).unwrap_or_default(),
        _ => cascades,
    };
    let what = match &change.state {
        State::Renamed(old) => format!("{old} is now called {}", change.title),
        _ => format!("{} is removed", change.title),
    };
    if prunes {
        let because = "When it is deleted it deletes what it applied, also what another one of a new name applies by then";
        return vec![effect(&identity, Class::Downtime, what, because).steps(&[
            "In a change of its own, keep it from pruning: `prune: false` of a Flux Kustomization, no finalizer on an Argo CD Application.",
            "Merge the removal or the new name when that has been applied.",
        ])];
    }
    let because = "What it applied stays in the cluster, and nobody looks after it until another one does";
    vec![effect(&identity, Class::InPlace, what, because)]
}
