//! The order of objects, and the `kustomization.yaml` of each component.

use std::cmp::Ordering;
use std::sync::Arc;

use model::unit::Artifact;
use schema::{Identity, Object};
use tree::Node;
use yaml::to_yaml;

/// Kinds in the order in which they can be applied: what others need comes first.
///
/// Helm's install order, with namespaces, their quotas and custom resource definitions in front as kustomize has them.
/// `NetworkPolicy`, which Helm applies early, is not in the list: a policy that denies by default must not precede the
/// network provider and DNS.
const FIRST: [&str; 28] = [
    "Namespace",
    "ResourceQuota",
    "LimitRange",
    "CustomResourceDefinition",
    "PriorityClass",
    "StorageClass",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "Endpoints",
    "EndpointSlice",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "PodDisruptionBudget",
    "Job",
    "CronJob",
    "APIService",
];

/// Kinds that act on everything applied after them, so they come last; as kustomize has it.
const LAST: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// Where a kind stands among the kinds of a component; custom resources and other kinds stand between the two lists.
fn rank(kind: &str) -> usize {
    let first = FIRST.iter().position(|each| *each == kind);
    let last = || LAST.iter().position(|each| *each == kind).map(|at| FIRST.len() + 1 + at);
    first.or_else(last).unwrap_or(FIRST.len())
}

/// The total order of a cluster's objects: component, kind in apply order, namespace, name.
#[must_use]
pub fn compare(a: &Object, b: &Object) -> Ordering {
    key(a).cmp(&key(b))
}

fn key(object: &Object) -> impl Ord + '_ {
    let Identity { api_version, kind, namespace, name } = &object.identity;
    (object.component(), rank(kind), kind, namespace, name, api_version)
}

/// The objects of one folder below a cluster's `kubernetes/`, in apply order.
#[derive(Clone, Copy, Debug)]
pub struct Component<'a> {
    /// The folder's name.
    pub name: &'a str,
    /// What is in it; never empty.
    pub objects: &'a [Arc<Object>],
}

/// Puts a cluster's objects in their total order.
pub fn sort(objects: &mut [Arc<Object>]) {
    objects.sort_by(|a, b| compare(a, b));
}

/// The components of a cluster whose objects are in order.
#[must_use]
pub fn components(objects: &[Arc<Object>]) -> Vec<Component<'_>> {
    let groups = objects.chunk_by(|a, b| a.component() == b.component());
    groups.filter_map(|objects| Some(Component { name: objects.first()?.component(), objects })).collect()
}

/// A `kustomization.yaml` for each component of a cluster whose objects are in order.
#[must_use]
pub fn artifacts(objects: &[Arc<Object>]) -> Vec<Artifact> {
    components(objects).iter().map(Component::kustomization).collect()
}

impl Component<'_> {
    /// The component's `kustomization.yaml`.
    ///
    /// Written out, because Flux generates one where there is none, and Argo CD takes a folder without one for plain
    /// manifests.
    fn kustomization(&self) -> Artifact {
        let files = self.objects.iter().map(|object| object.path().rsplit('/').next().unwrap_or_default().to_owned());
        Artifact::new(format!("kubernetes/{}/kustomization.yaml", self.name), text(files))
    }
}

/// The text of a `kustomization.yaml` that lists files of its own folder, in the order given.
#[must_use]
pub fn text(files: impl IntoIterator<Item = String>) -> String {
    to_yaml(&Node::map([
        ("apiVersion", "kustomize.config.k8s.io/v1beta1".into()),
        ("kind", "Kustomization".into()),
        ("resources", files.into_iter().map(Node::from).collect::<Vec<_>>().into()),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(component: &str, kind: &str, namespace: &str, name: &str) -> Arc<Object> {
        let identity = Identity {
            api_version: "v1".to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        Arc::new(Object::new(identity, component.into(), Node::default()))
    }

    #[test]
    fn what_others_need_comes_first() {
        let kinds = ["ValidatingWebhookConfiguration", "NetworkPolicy", "IPPool", "DaemonSet", "Service", "RoleBinding"];
        let needed = ["ClusterRole", "ConfigMap", "Secret", "ServiceAccount", "CustomResourceDefinition", "Namespace"];
        let mut objects: Vec<_> = kinds.iter().chain(&needed).map(|kind| object("cni", kind, "", "a")).collect();
        sort(&mut objects);
        let ordered: Vec<_> = objects.iter().map(|object| &*object.identity.kind).collect();
        assert_eq!(
            ordered,
            [
                "Namespace",
                "CustomResourceDefinition",
                "ServiceAccount",
                "Secret",
                "ConfigMap",
                "ClusterRole",
                "RoleBinding",
                "Service",
                "DaemonSet",
                "IPPool",
                "NetworkPolicy",
                "ValidatingWebhookConfiguration",
            ]
        );
    }

    #[test]
    fn every_kind_has_one_place() {
        let mut kinds: Vec<_> = FIRST.iter().chain(&LAST).collect();
        kinds.sort();
        kinds.dedup();
        assert_eq!(kinds.len(), FIRST.len() + LAST.len());
    }

    #[test]
    fn a_component_lists_its_files_in_apply_order() {
        let mut objects = vec![
            object("dns", "ConfigMap", "kube-system", "node-local-dns"),
            object("cni", "DaemonSet", "kube-system", "agent"),
            object("cni", "ClusterRoleBinding", "", "system:agent"),
            object("cni", "ServiceAccount", "kube-system", "agent"),
            object("cni", "ConfigMap", "kube-system", "b"),
            object("cni", "ConfigMap", "default", "c"),
        ];
        sort(&mut objects);
        let artifacts = artifacts(&objects);
        let paths: Vec<_> = artifacts.iter().map(|artifact| &*artifact.path).collect();
        assert_eq!(paths, ["kubernetes/cni/kustomization.yaml", "kubernetes/dns/kustomization.yaml"]);
        assert_eq!(
            &*artifacts[0].text,
            "\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
- serviceaccount-agent.yaml
- configmap-default.c.yaml
- configmap-b.yaml
- clusterrolebinding-system-agent.yaml
- daemonset-agent.yaml
"
        );
    }
}
