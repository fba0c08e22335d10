//! Policies that the cluster's API server enforces: the same text, rendered with the cluster's objects.

use std::sync::Arc;

use super::document::Binding;
use super::select::{Active, Params, Policies, params};
use super::subject::{CLOUDFORMATION, DECLARATIONS};
use findings::{Diagnostic, Severity, rules};
use model::declare::{Cluster, Declared, Kind};
use schema::{Identity, Object};
use tree::{Node, Span};

/// The component of rendered policies.
pub const COMPONENT: &str = "policies";
/// The first minor version of Kubernetes that has `ValidatingAdmissionPolicy` in v1.
const SINCE: u32 = 30;
/// The annotation of a policy that no cluster can enforce, with the reason.
pub(super) const BUILD_ONLY: &str = "netloom.dev/build-only";

impl Policies<'_> {
    /// The policies, bindings and parameters that a cluster enforces by itself.
    #[must_use]
    pub fn rendered(&self, cluster: &Declared<Cluster>, findings: &mut Vec<Diagnostic>) -> Vec<Arc<Object>> {
        let active = self.active(&cluster.value.metadata.labels);
        let mut nodes: Vec<Node> = Vec::new();
        for one in active.iter().filter(|one| one.selection.is_some_and(|selection| selection.enforce.renders())) {
            let name = &one.entry.declared.value.metadata.name;
            if let Some(why) = refusal(one, cluster) {
                let message = format!("the policy `{name}` cannot be enforced by the cluster: {why}");
                let finding = Diagnostic::new(&rules::POLICY_CLUSTER, one.entry.declared.span("metadata.name"), message);
                findings.push(finding.help("leave `enforce` at `build`"));
                continue;
            }
            nodes.push(one.entry.declared.node.clone());
            nodes.push(binding(one));
            if let Params::Each(params) = params(&self.library, one) {
                nodes.extend(params.into_iter().cloned());
            }
        }
        let mut objects: Vec<Arc<Object>> = Vec::new();
        for node in nodes {
            let identity = Identity::of(&node);
            if let Some(identity) = identity.filter(|identity| objects.iter().all(|one| one.identity != *identity)) {
                objects.push(Arc::new(Object::new(identity, COMPONENT.into(), node)));
            }
        }
        objects
    }
}

/// Why a cluster cannot enforce a policy.
fn refusal(active: &Active<'_>, cluster: &Declared<Cluster>) -> Option<String> {
    let (spec, metadata) = (&active.entry.declared.value.spec, &active.entry.declared.value.metadata);
    if let Some(why) = metadata.annotations.get(BUILD_ONLY) {
        return Some(why.trim().to_owned());
    }
    let groups = spec.match_constraints.iter().flat_map(|it| &it.resource_rules).flat_map(|rule| &rule.api_groups);
    let ours = |group: &&String| matches!(group.as_str(), DECLARATIONS | CLOUDFORMATION);
    if let Some(group) = groups.into_iter().find(ours) {
        return Some(format!("it is about `{group}`, which no cluster has"));
    }
    let minor = cluster.value.kubernetes_minor();
    (minor < SINCE)
        .then(|| format!("`{}` runs Kubernetes 1.{minor}, and policies are there since 1.{SINCE}", cluster.value.metadata.name))
}

/// A binding as it is written, with the actions that the project chose.
fn binding(active: &Active<'_>) -> Node {
    let name = &active.entry.declared.value.metadata.name;
    let mut node = match active.binding {
        Some(binding) => binding.node.clone(),
        None => {
            let metadata = Node::map([("name", Node::from(name.as_str()))]);
            let spec =
                Node::map([("policyName", Node::from(name.as_str())), ("validationActions", vec![Node::from("Deny")].into())]);
            let api_version = Node::from(active.entry.declared.value.api_version.as_str());
            Node::map([("apiVersion", api_version), ("kind", Binding::KIND.into()), ("metadata", metadata), ("spec", spec)])
        }
    };
    let chosen = active.selection.filter(|selection| !selection.actions.is_empty());
    if let Some(selection) = chosen
        && let Some(spec) = node.as_map_mut().and_then(|map| map.get_mut("spec")?.as_map_mut())
    {
        let text = |severity: Severity| match severity {
            Severity::Error => "Deny",
            Severity::Warning => "Warn",
            Severity::Note => "Audit",
        };
        let actions: Vec<_> = selection.actions.iter().map(|action| Node::from(text(action.severity()))).collect();
        spec.insert("validationActions", Node::new(Node::from(actions).value, Span::NONE));
    }
    node
}
