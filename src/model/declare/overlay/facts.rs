//! What an overlay tells the plan: address ranges, ports, permissions, and what its software can do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::declare::{Arch, Endpoint};
use findings::Severity;
use tree::Node;

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
