//! `kind: Cluster`: a cluster's addresses, network provider, DNS and who may reach it.

use std::fmt;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Acknowledgement, Metadata, Use};
use schema::address::Cidr;
use schema::version::Version;
use tree::Node;

/// A Kubernetes cluster's network.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cluster {
    /// `netloom.dev/v1alpha1`.
    #[schemars(extend("const" = "netloom.dev/v1alpha1"))]
    pub api_version: String,
    /// `Cluster`.
    #[schemars(extend("const" = "Cluster"))]
    pub kind: String,
    /// Name and labels.
    pub metadata: Metadata,
    /// The cluster itself.
    pub spec: ClusterSpec,
}

impl Cluster {
    /// The name that AWS tags carry.
    #[must_use]
    pub fn cluster_name(&self) -> &str {
        self.spec.cluster_name.as_deref().unwrap_or(&self.metadata.name)
    }

    /// The minor version: 33 of `1.33.2`.
    #[must_use]
    pub fn kubernetes_minor(&self) -> u32 {
        self.spec.kubernetes_version.minor
    }
}

/// What a cluster's network shall be.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterSpec {
    /// Name of the `Network` it runs in.
    pub network: String,
    /// Kubernetes version, in quotes: `"1.33"` or `"1.33.2"`.
    pub kubernetes_version: Version,
    /// Name in AWS tags (`kubernetes.io/cluster/NAME`), when it is not `metadata.name`: kops names are domain names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "dns-name"), length(max = 100))]
    pub cluster_name: Option<String>,
    /// Range of pod addresses.
    #[serde(default = "pod_cidr", rename = "podCIDR")]
    pub pod_cidr: Cidr,
    /// Range of service addresses.
    #[serde(default = "service_cidr", rename = "serviceCIDR")]
    pub service_cidr: Cidr,
    /// Range that pods reach without address translation; pods and services lie inside it.
    #[serde(default = "non_masquerade_cidr", rename = "nonMasqueradeCIDR")]
    pub non_masquerade_cidr: Cidr,
    /// The machines.
    #[serde(default)]
    pub nodes: Nodes,
    /// Where the control plane listens.
    #[serde(default)]
    pub control_plane: ControlPlane,
    /// How services are reached on a node.
    #[serde(default)]
    pub kube_proxy: KubeProxy,
    /// The network provider: exactly one key, as kops names it, with the provider's options.
    pub networking: IndexMap<String, Node>,
    /// Cluster DNS.
    #[serde(default)]
    pub dns: Dns,
    /// Options of overlays of one's own that are selected by `addons.NAME`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub addons: IndexMap<String, Node>,
    /// Who may reach the cluster from outside.
    #[serde(default)]
    pub access: Access,
    /// Further flows between the cluster's machines that its security groups admit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flows: Vec<DeclaredFlow>,
    /// Overlays beyond the project's layers, by name or with options; later ones win.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overlays: Vec<Use>,
    /// Changes that may do more to the running cluster than `netloom check --max-class` allows. One counts in the change that adds
    /// it, and never again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acknowledge: Vec<Acknowledgement>,
}

/// kops's defaults (facts: `podCIDR`, `serviceClusterIPRange`, `nonMasqueradeCIDR`).
fn constant(range: &str) -> Cidr {
    range.parse().unwrap_or_else(|_| unreachable!("a constant range"))
}

fn pod_cidr() -> Cidr {
    constant("100.96.0.0/11")
}

fn service_cidr() -> Cidr {
    constant("100.64.0.0/13")
}

fn non_masquerade_cidr() -> Cidr {
    constant("100.64.0.0/10")
}

/// The cluster's machines.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Nodes {
    /// Most nodes that the cluster will have, control plane included.
    #[schemars(range(min = 1, max = 15000))]
    pub max: u32,
    /// Prefix length of each node's pod range, where the controller manager hands ranges out.
    #[serde(rename = "podCIDRMask")]
    #[schemars(range(min = 16, max = 30))]
    pub pod_cidr_mask: u8,
    /// Most pods on one node, the kubelet's `maxPods`.
    #[schemars(range(min = 1, max = 1000))]
    pub max_pods: u32,
    /// The oldest kernel among the nodes, such as `"5.15"`; checks that need it say so when it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]+\.[0-9]+([-.+][-.+~_A-Za-z0-9]*)?$"), extend("examples" = ["5.15"]))]
    pub kernel: Option<String>,
    /// The nodes' processor architectures.
    pub architectures: Vec<Arch>,
    /// The nodes' EC2 instance types, such as `m7g.large`: how many pods fit on a node depends on them where pods have addresses
    /// of the VPC.
    #[schemars(inner(regex(pattern = r"^[a-z][-a-z0-9]*\.[-a-z0-9]+$")), extend("examples" = [["m7g.large"]]))]
    pub instance_types: Vec<String>,
}

impl Default for Nodes {
    fn default() -> Self {
        Self {
            max: 100,
            pod_cidr_mask: 24,
            max_pods: 110,
            kernel: None,
            architectures: vec![Arch::Amd64],
            instance_types: Vec::new(),
        }
    }
}

/// A processor architecture, as Kubernetes names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Arch {
    Amd64,
    Arm64,
    Arm,
    Ppc64le,
    S390x,
    Riscv64,
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Arch::Amd64 => "amd64",
            Arch::Arm64 => "arm64",
            Arch::Arm => "arm",
            Arch::Ppc64le => "ppc64le",
            Arch::S390x => "s390x",
            Arch::Riscv64 => "riscv64",
        })
    }
}

/// Where the control plane listens.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ControlPlane {
    /// TCP port of the API server on the machines.
    #[schemars(range(min = 1, max = 65535))]
    pub api_port: u16,
    /// Name or address under which nodes reach the API server without kube-proxy, on `apiPort`: providers that replace kube-proxy
    /// need it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "host"), extend("examples" = ["api.prod.example.com"]))]
    pub api_host: Option<String>,
    /// TCP ports of etcd between control plane machines, such as `2379-2380`.
    pub etcd_ports: Vec<String>,
}

impl Default for ControlPlane {
    fn default() -> Self {
        Self { api_port: 443, api_host: None, etcd_ports: vec!["2379-2380".into()] }
    }
}

/// How services are reached on a node.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct KubeProxy {
    /// kube-proxy's mode.
    pub mode: KubeProxyMode,
}

/// kube-proxy's mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub enum KubeProxyMode {
    #[default]
    Iptables,
    Ipvs,
    Nftables,
    /// No kube-proxy: the network provider serves services.
    Disabled,
}

/// Cluster DNS.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Dns {
    /// The cluster's domain.
    #[schemars(extend("format" = "dns-name"))]
    pub domain: String,
    /// Address of the DNS service; the tenth of the service range when left out, as kops and kubeadm do.
    #[serde(rename = "serviceIP", skip_serializing_if = "Option::is_none")]
    pub service_ip: Option<std::net::IpAddr>,
    /// `NodeLocal` `DNSCache`: a DNS cache on every node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_local_cache: Option<Node>,
}

impl Default for Dns {
    fn default() -> Self {
        Self { domain: "cluster.local".into(), service_ip: None, node_local_cache: None }
    }
}

/// Who may reach the cluster from outside: address ranges and AWS prefix lists (`pl-…`).
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Access {
    /// The API server. The network's own ranges always may.
    pub api: Vec<String>,
    /// SSH (port 22) on every machine.
    pub ssh: Vec<String>,
    /// Node ports (30000-32767) on nodes.
    pub node_ports: Vec<String>,
}

/// A flow between the cluster's machines that a user declares.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeclaredFlow {
    /// Short name in kebab case; security-group rules carry it.
    #[schemars(extend("format" = "dns-label"))]
    pub name: String,
    /// `tcp`, `udp`, `icmp` or an IP protocol number in quotes.
    pub protocol: String,
    /// One port (`"3988"`) or a range (`"9000-9100"`); for tcp and udp only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ports: Option<String>,
    /// Who sends.
    pub from: Endpoint,
    /// Who receives.
    pub to: Endpoint,
    /// What needs the flow.
    pub because: String,
}

/// Machines of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Endpoint {
    /// Every machine, control plane included.
    Nodes,
    /// The control plane's machines.
    ControlPlane,
    /// Every machine but the control plane's.
    Workers,
}

impl Endpoint {
    /// The disjoint sets that make it up: every machine is of the control plane or a worker.
    #[must_use]
    pub fn parts(self) -> &'static [Endpoint] {
        match self {
            Endpoint::Nodes => &[Endpoint::ControlPlane, Endpoint::Workers],
            Endpoint::ControlPlane => &[Endpoint::ControlPlane],
            Endpoint::Workers => &[Endpoint::Workers],
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Endpoint::Nodes => "every machine",
            Endpoint::ControlPlane => "the control plane",
            Endpoint::Workers => "workers",
        })
    }
}
