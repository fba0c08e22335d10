//! A network, and a cluster in it, as a picture: one model, and a writer for each of mermaid, DOT and SVG.
//!
//! The model is made of the plan, so a picture shows what is rendered. What comes from declarations is text in it, and each
//! writer escapes text in its own way.

mod build;
pub mod dot;
pub mod mermaid;
pub mod svg;

use crate::address::Cidr;
use crate::declare::SubnetType;

/// What there is to draw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// Name of the network.
    pub network: String,
    /// What the network is made of.
    pub place: Place,
    /// The cluster, when one is drawn.
    pub cluster: Option<ClusterView>,
}

/// Where machines are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a VPC.
    Vpc(VpcView),
    /// In a network that netloom does not create: its ranges, the nodes' first.
    Premises(Vec<Cidr>),
}

impl Default for Place {
    fn default() -> Self {
        Place::Premises(Vec::new())
    }
}

/// A VPC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VpcView {
    /// Its id when it is there already.
    pub id: Option<String>,
    /// Region.
    pub region: String,
    /// Its ranges.
    pub ranges: Vec<String>,
    /// What routes lead to, in the order in which they are drawn.
    pub ends: Vec<End>,
    /// Zones that have subnets, in the order of the subnets.
    pub zones: Vec<String>,
    /// Subnets, in the order of the plan.
    pub subnets: Vec<SubnetView>,
    /// Route tables.
    pub tables: Vec<TableView>,
    /// Routes of subnets: one for each subnet, destination and end.
    pub ways: Vec<Way>,
    /// Names of services with an endpoint in the VPC.
    pub endpoints: Vec<&'static str>,
}

/// What a route leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// What it is.
    pub kind: EndKind,
    /// Its name: the words for it, and the id or place when it has one.
    pub lines: Vec<String>,
}

/// Kinds of ends of routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndKind {
    /// The VPC's internet gateway.
    Internet,
    /// The egress-only internet gateway, for IPv6.
    EgressOnly,
    /// A NAT gateway in the subnet at this place.
    Nat(usize),
    /// Something outside of the picture: a transit gateway, a peering, a gateway that somebody else made.
    Outside,
}

/// A subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubnetView {
    /// Its name.
    pub name: String,
    /// The zone, as a place in [`VpcView::zones`].
    pub zone: usize,
    /// What it is for.
    pub kind: SubnetType,
    /// Its ranges, and its id when it is there already.
    pub details: Vec<String>,
}

impl SubnetView {
    /// Whether machines in it have public addresses, or things that have stand in it.
    #[must_use]
    pub fn is_public(&self) -> bool {
        matches!(self.kind, SubnetType::Public | SubnetType::Utility)
    }
}

/// A route table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableView {
    /// Its name.
    pub name: String,
    /// Names of its subnets.
    pub subnets: Vec<String>,
    /// Destinations, and the words for what they lead to.
    pub routes: Vec<(String, String)>,
}

/// A route of a subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The subnet, as a place in [`VpcView::subnets`].
    pub subnet: usize,
    /// The end, as a place in [`VpcView::ends`].
    pub end: usize,
    /// The destination; none for everything in IPv4.
    pub destination: Option<String>,
}

/// A cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterView {
    /// Its name; empty where only its ranges are drawn.
    pub name: String,
    /// Range of pods, or words for what it is.
    pub pods: String,
    /// Range of services.
    pub services: String,
    /// The network provider.
    pub provider: String,
    /// What it does to pods' packets, a line each.
    pub encapsulation: Vec<String>,
    /// The way of a pod's question for a name, from the pod outwards.
    pub dns: Vec<[String; 2]>,
    /// What is admitted, by receiver.
    pub groups: Vec<GroupView>,
}

/// A security group, or what a host's firewall has to admit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupView {
    /// Whose it is.
    pub title: String,
    /// What it admits, in the order of the plan.
    pub rules: Vec<RuleView>,
}

/// A flow that a group admits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleView {
    /// Protocol and ports.
    pub protocol: String,
    /// The senders.
    pub from: String,
    /// What it is called.
    pub name: String,
}

/// What a subnet is for, in a word.
#[must_use]
pub fn kind(kind: SubnetType) -> &'static str {
    match kind {
        SubnetType::Public => "public",
        SubnetType::Private => "private",
        SubnetType::Utility => "utility",
        SubnetType::DualStack => "dual-stack",
    }
}

#[cfg(test)]
pub(crate) mod tests;
