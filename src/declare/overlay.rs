//! `kind: Overlay`: a folder that contributes resources, patches, facts and checks.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Arch, ConfigMapFiles, Endpoint, Selector, Use};
use crate::diagnostic::Severity;
use crate::tree::Node;

/// An overlay: the only way to extend netloom. Stock ones and a user's own have the same form and the same powers.
///
/// Scalars that contain `{{ … }}` are expressions over `cluster`, `network`, `options`, `values` and `facts` (its own and, where it
/// has none, those of the overlays before it, such as the provider's); `when`, `loop` and `that` are expressions without braces.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Overlay {
    /// `netloom.dev/v1alpha1`.
    #[schemars(extend("const" = "netloom.dev/v1alpha1"))]
    pub api_version: String,
    /// `Overlay`.
    #[schemars(extend("const" = "Overlay"))]
    pub kind: String,
    /// Name: the folder's path below `overlays/`.
    pub metadata: OverlayMetadata,
    /// What it does.
    #[serde(default)]
    pub spec: OverlaySpec,
}

/// An overlay's name.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OverlayMetadata {
    /// The folder's path below `overlays/`, such as `cni/kubenet`.
    #[schemars(regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(/[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"), extend("examples" = ["cni/kubenet"]))]
    pub name: String,
    /// One line on what it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// What an overlay contributes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OverlaySpec {
    /// At most one overlay of a slot is on a cluster: `cni`, `dns`.
    pub slot: Option<String>,
    /// Folder of its objects below the cluster's `kubernetes/`; the slot, or the last part of the name.
    #[schemars(extend("format" = "dns-label"))]
    pub component: Option<String>,
    /// The block of a cluster's `spec` that selects the overlay and holds its options: `networking.kubenet`.
    pub selected_by: Option<String>,
    /// Overlays that it builds on, by name or with options: they are on every cluster that it is on, and apply before it.
    pub uses: Vec<Use>,
    /// Expression: whether a selected overlay applies.
    pub when: Option<String>,
    /// Kubernetes versions it runs on, such as `>=1.16` or `>=1.16 <1.25`.
    pub kubernetes: Option<String>,
    /// The state of the software it installs.
    pub lifecycle: Option<Lifecycle>,
    /// JSON Schema of its options, with defaults; unknown keys are refused unless it says otherwise.
    pub options: Option<Node>,
    /// Named intermediate results, in order; each sees the ones before it.
    pub values: IndexMap<String, Node>,
    /// What the network plan and the checks need to know about it: a template of [`Facts`].
    pub facts: Option<Node>,
    /// Patches on declarations, applied before anything else.
    pub declarations: Vec<DeclarationPatch>,
    /// Manifests and programs that make objects, and pieces of template for stacks.
    pub resources: Vec<Resource>,
    /// `ConfigMap`s of files.
    pub config_maps: Vec<ConfigMapFiles>,
    /// Changes to objects that were made before, and to templates of stacks.
    pub patches: Vec<Patch>,
    /// Rules of its own.
    pub assertions: Vec<Assertion>,
    /// What a change of a field does to a running cluster.
    pub transitions: Vec<Transition>,
    /// Template of the section that it adds to the cluster's README.
    pub runbook: Option<String>,
}

/// The state of the software that an overlay installs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lifecycle {
    /// Its state.
    pub status: LifecycleStatus,
    /// Since when (a date).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// What a user should know.
    pub note: String,
}

/// States of software.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LifecycleStatus {
    /// Maintained by its makers.
    Active,
    /// Kept alive by volunteers.
    Community,
    /// Works, but superseded.
    Legacy,
    /// Not maintained any more.
    Archived,
    /// Never declared ready.
    Experimental,
}

/// Facts of an overlay, evaluated for one cluster.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Facts {
    /// MTU of pod interfaces in bytes.
    pub mtu: Option<u32>,
    /// The sum that gives the MTU: the underlay's MTU less these.
    pub mtu_terms: Vec<MtuTerm>,
    /// Where the rendered objects carry that MTU; the check reads it there again.
    pub mtu_at: Vec<MtuPlace>,
    /// What of `NetworkPolicy` the provider enforces.
    pub network_policy: Option<PolicyFeatures>,
    /// Whether kube-proxy must run.
    pub kube_proxy: Option<ProxyNeed>,
    /// API version of the `ClusterNetworkPolicy` objects that the provider enforces for the whole cluster, before those of
    /// namespaces (tier `Admin`).
    pub cluster_network_policy: Option<String>,
    /// Whether the provider encrypts traffic between nodes.
    pub encrypted: Option<bool>,
    /// Whether pods have their addresses from `podCIDR` through the node ranges of the controller manager.
    pub node_ranges: Option<bool>,
    /// Whether pods have addresses of the network itself, so that `podCIDR` may lie in it.
    pub pods_in_network: Option<bool>,
    /// How many addresses of its subnet a full node takes, its own included, where pods have addresses of the network.
    pub addresses_per_node: Option<u32>,
    /// Set where packets between machines carry addresses of pods outside of any tunnel, so that machines have to admit whatever
    /// pods say to one another: why, as a clause without a full stop.
    pub routed_pods: Option<String>,
    /// Whether pods can have IPv6 addresses; an IPv6 `podCIDR` is refused otherwise.
    pub ipv6: Option<bool>,
    /// The processor architectures that its images were built for; any where it says none.
    pub architectures: Vec<Arch>,
    /// The ways in which the provider can encrypt traffic between nodes, such as `WireGuard`: for the table of providers.
    pub encryption: Vec<String>,
    /// Set where each node has a route in the network's route table, which a controller in the cluster writes there.
    pub node_routes: Option<NodeRoutes>,
    /// The address that kubelets must have as `clusterDNS`, where it is not the DNS service's.
    pub kubelet_dns: Option<std::net::IpAddr>,
    /// Addresses of every node itself, where pods find DNS: a NetworkPolicy admits them by range, for they are no pod's.
    #[serde(rename = "nodeDNS")]
    pub node_dns: Vec<std::net::IpAddr>,
    /// Flows between machines that it needs.
    pub ports: Vec<DeclaredPort>,
    /// IAM statements of machines.
    pub iam: Vec<Statement>,
}

/// One term of the MTU sum.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MtuTerm {
    /// What takes the bytes.
    pub name: String,
    /// How many bytes of each packet.
    pub bytes: u32,
}

/// A field of a rendered object that holds the MTU.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MtuPlace {
    /// Kind of the object.
    pub kind: String,
    /// Name of the object.
    pub name: String,
    /// The field, with list items by name: `spec.template.spec.containers[router].env[MTU].value`.
    pub path: String,
}

/// Routes to nodes in the network's route table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeRoutes {
    /// How many routes the account takes in one table.
    pub quota: u32,
}

/// What of `NetworkPolicy` a provider enforces.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct PolicyFeatures {
    pub ingress: Feature,
    pub egress: Feature,
    pub end_port: Feature,
    pub named_ports: Feature,
}

/// Whether something is enforced.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Feature {
    /// It is, or is not.
    Enforced(bool),
    /// It is not, and this happens instead: a clause without a full stop.
    Instead(String),
}

impl Default for Feature {
    fn default() -> Self {
        Feature::Enforced(false)
    }
}

impl Feature {
    /// What happens instead, or `otherwise` where the provider does not say; none when it is enforced.
    #[must_use]
    pub fn instead<'a>(&'a self, otherwise: &'a str) -> Option<&'a str> {
        match self {
            Feature::Enforced(true) => None,
            Feature::Enforced(false) => Some(otherwise),
            Feature::Instead(text) => Some(text),
        }
    }
}

/// Whether a provider needs kube-proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ProxyNeed {
    /// It needs kube-proxy.
    Required,
    /// It serves services itself; kube-proxy must be off.
    Replaced,
    /// It runs with kube-proxy and without.
    Any,
}

/// A flow that an overlay needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeclaredPort {
    /// Short name in kebab case.
    pub name: String,
    /// `tcp`, `udp`, `icmp` or an IP protocol number.
    pub protocol: Node,
    /// Port, a range such as `9000-9100`, or a list of them; for tcp and udp.
    #[serde(default)]
    pub port: Option<Node>,
    /// Who sends.
    pub from: Endpoint,
    /// Who receives.
    pub to: Endpoint,
    /// What needs the flow; stands in the rule's description.
    pub because: String,
    /// What happens when the final security groups do not admit it; an error of the core's own when left out.
    #[serde(default)]
    pub blocked: Option<Blocked>,
}

/// What a blocked flow means.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Blocked {
    /// Code under which it is reported.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// The consequence, in one sentence.
    pub consequence: String,
}

/// An IAM statement for the role of some machines.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Statement {
    /// Whose role: `nodes` is every machine's.
    pub role: Endpoint,
    /// Actions, such as `ec2:DescribeInstances`.
    pub actions: Vec<String>,
    /// Resources; `*` when left out.
    #[serde(default)]
    pub resources: Vec<String>,
    /// Conditions, as IAM writes them.
    #[serde(default)]
    pub condition: Option<Node>,
    /// What needs the permission.
    pub because: String,
}

/// A patch on the declarations of the clusters that the overlay is on, and of the networks that these run in.
///
/// A mapping is merged into the declaration's `spec` (RFC 7386): mappings merge, `null` removes a field, everything else replaces
/// what was there. A list is JSON 6902 operations on it, with paths from `spec` on (`/nodes/max`); `test` requires a value.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeclarationPatch {
    /// Which of the clusters that the overlay is on; all of them when left out.
    #[serde(default, skip_serializing_if = "Selector::is_empty")]
    pub clusters: Selector,
    /// Patch on the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Node>,
    /// Which of these clusters' networks; all of them when left out.
    #[serde(default, skip_serializing_if = "Selector::is_empty")]
    pub networks: Selector,
    /// Patch on the network, applied once however many clusters run in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Node>,
}

/// A CloudFormation stack that an overlay has a share in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Stack {
    /// The network's, which all its clusters share.
    Network,
    /// The cluster's.
    Cluster,
}

impl Stack {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Stack::Network => "network",
            Stack::Cluster => "cluster",
        }
    }
}

/// A manifest or program that makes objects: its path, or its path with conditions.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Resource {
    /// Always rendered.
    Path(String),
    /// Rendered when and as often as it says.
    Conditional(Conditional),
}

/// A resource with conditions.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Conditional {
    /// File in the overlay's folder, or in another overlay's (`../shared/crds.yaml`): YAML, or Jsonnet (`function(ctx)` that
    /// returns an object or a list).
    pub path: String,
    /// The stack to whose template it adds: the file then holds `Resources`, `Outputs` or `Parameters` as CloudFormation has them,
    /// with functions in full (`Ref: Vpc`). What is for the network's stack sees `network`, `options` and values that depend on
    /// nothing else, because many clusters may share the network.
    #[serde(default)]
    pub stack: Option<Stack>,
    /// Pin of a manifest from elsewhere, which `netloom vendor` writes: BLAKE3 of its text. It is taken as it is, without
    /// expressions, and refused when it is not the one that was pinned.
    #[serde(default)]
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    pub blake3: Option<String>,
    /// Expression: whether it is rendered.
    #[serde(default)]
    pub when: Option<String>,
    /// Expression: a list; rendered once for each `item`.
    #[serde(default, rename = "loop")]
    pub items: Option<String>,
}

impl Resource {
    /// The file, relative to the overlay's folder.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Resource::Path(path) | Resource::Conditional(Conditional { path, .. }) => path,
        }
    }

    /// The stack that it is for; none for objects.
    #[must_use]
    pub fn stack(&self) -> Option<Stack> {
        match self {
            Resource::Path(_) => None,
            Resource::Conditional(one) => one.stack,
        }
    }

    /// Its pin.
    #[must_use]
    pub fn pin(&self) -> Option<&str> {
        match self {
            Resource::Path(_) => None,
            Resource::Conditional(one) => one.blake3.as_deref(),
        }
    }
}

/// A change to objects. One that matches no object is an error, unless it says how many it expects.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Patch {
    /// File in the overlay's folder, or in another overlay's: a strategic merge patch (a mapping), JSON 6902 (a list) or Jsonnet
    /// (`function(ctx, object)`).
    pub path: String,
    /// The stack whose template it changes: a mapping is then merged (RFC 7386: `null` removes, lists are replaced; so are
    /// functions such as `Ref`). Without `target` it is for the template as a whole, and what it names has to be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<Stack>,
    /// Expression: whether it is applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Which objects; for a strategic merge patch the object it names itself, when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// How many objects each document of it must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<usize>,
    /// How many objects each document of it must match at least; 1 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<usize>,
}

/// Selects objects; every field that is given must match. The texts are regular expressions for the whole of the field, as in
/// kustomize: `node.*` matches `node-agent`, and `node` does not. A resource of a stack has its type as `kind` (`AWS::EC2::Subnet`),
/// its logical id as `name`, and nothing else, as policies see it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Target {
    /// API group; `""` is the core group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// API version within the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Namespace, as written in the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Labels of the object.
    #[serde(skip_serializing_if = "Selector::is_empty")]
    pub labels: Selector,
}

/// A rule of an overlay.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Assertion {
    /// Stable code in kebab case.
    pub code: String,
    /// Expression that must be true.
    pub that: String,
    /// Expression: whether the rule applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// How bad it is when it is broken.
    pub severity: Severity,
    /// What is wrong; may contain expressions.
    pub message: String,
    /// What to do; may contain expressions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Field of the cluster's `spec` to point at; the selecting block when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What the rule is about and why: what `netloom explain CODE` prints.
    pub explanation: String,
}

/// What a change of a field does to a running cluster.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Transition {
    /// Field of the cluster's `spec`.
    pub field: String,
    /// What the change does.
    pub class: TransitionClass,
    /// Why.
    pub because: String,
    /// What to do, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<String>,
}

/// What a change does to a running system, from harmless to impossible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TransitionClass {
    /// Takes effect without a restart.
    InPlace,
    /// Pods restart one node after the other.
    Rolling,
    /// Nodes must be replaced.
    NodeReplacement,
    /// Traffic stops for a while.
    Downtime,
    /// Cannot be done on a running cluster.
    Unsupported,
}
