//! The network plan: what the declarations mean in addresses, routes, flows and permissions.
//!
//! Typed and free of providers: what a provider needs arrives here as [`Facts`](crate::declare::Facts) and leaves as
//! [`Flow`]s and IAM statements like anybody else's.

pub mod cluster;
mod flows;
mod iam;
pub mod network;
pub mod node_routes;
mod peer;
mod peering;
mod protocol;

pub use peer::Peer;
pub use peering::Peering;
pub use protocol::Protocol;

use crate::declare::{Blocked, Endpoint, Endpoints, MtuPlace, MtuTerm, Statement, SubnetType, Topology};
use schema::address::{Cidr, Ipv6Range};
use tree::Span;

/// A network, planned.
#[derive(Clone, Debug)]
pub struct NetworkPlan {
    /// The declaration's name.
    pub name: String,
    /// Largest packet of the underlay in bytes.
    pub mtu: u32,
    /// Every range that belongs to the network: the VPC's, or the premises'.
    pub cidrs: Vec<Cidr>,
    /// The VPC; none for a network that netloom does not create.
    pub aws: Option<AwsPlan>,
}

/// A VPC, planned. Lists are in the order of the declaration.
#[derive(Clone, Debug)]
pub struct AwsPlan {
    /// Region.
    pub region: String,
    /// Where nodes live.
    pub topology: Topology,
    /// The VPC.
    pub vpc: Vpc,
    /// The internet gateway.
    pub internet_gateway: Option<Gateway>,
    /// Whether netloom creates an egress-only internet gateway for private IPv6 subnets.
    pub egress_only_gateway: bool,
    /// Subnets.
    pub subnets: Vec<Subnet>,
    /// NAT gateways that netloom creates.
    pub nat_gateways: Vec<NatGateway>,
    /// Route tables that netloom creates.
    pub route_tables: Vec<RouteTable>,
    /// VPC endpoints.
    pub endpoints: Endpoints,
    /// Tags on everything.
    pub tags: Vec<(String, String)>,
}

impl AwsPlan {
    /// How many NAT gateways private subnets have their way out through, those that exist already included.
    #[must_use]
    pub fn nat_gateways_in_use(&self) -> usize {
        let routes = self.route_tables.iter().flat_map(|table| &table.routes);
        let mut targets: Vec<&NatTarget> = Vec::new();
        for route in routes {
            if let RouteTarget::NatGateway(target) = &route.target
                && !targets.contains(&target)
            {
                targets.push(target);
            }
        }
        targets.len()
    }
}

/// The VPC.
#[derive(Clone, Debug)]
pub enum Vpc {
    /// Created.
    Owned {
        /// Primary range.
        cidr: Cidr,
        /// Further ranges.
        additional: Vec<Cidr>,
        /// Whether Amazon provides an IPv6 block.
        ipv6: bool,
        /// Domain name of the DHCP options.
        dhcp_domain: String,
    },
    /// There already.
    Existing {
        /// `vpc-…`.
        id: String,
    },
}

/// A resource that is created, or one that is there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gateway {
    /// Created by this network.
    Owned,
    /// There already, by id.
    Existing(String),
    /// There already, but no declaration says which one: a parameter of the template.
    Parameter,
}

/// A subnet, planned.
#[derive(Clone, Debug)]
pub struct Subnet {
    /// Name, unique in the network.
    pub name: String,
    /// Availability zone.
    pub zone: String,
    /// What it is for.
    pub kind: SubnetType,
    /// IPv4 range; none for an IPv6-only subnet or one that exists.
    pub cidr: Option<Cidr>,
    /// IPv6 range.
    pub ipv6: Option<Ipv6Range>,
    /// `subnet-…` when it exists already.
    pub id: Option<String>,
    /// Tags beyond the network's: role tags for load balancers.
    pub tags: Vec<(String, String)>,
}

/// A NAT gateway that netloom creates.
#[derive(Clone, Debug)]
pub struct NatGateway {
    /// Name: the zone it stands in.
    pub name: String,
    /// Its subnet's name.
    pub subnet: String,
    /// The public address: created, or there by allocation id.
    pub address: Gateway,
    /// The public IPv4 address that the created Elastic IP shall be, when one is asked for.
    pub public_ip: Option<String>,
}

/// A route table that netloom creates.
#[derive(Clone, Debug)]
pub struct RouteTable {
    /// `public`, `private-ZONE`, or `public-ZONE` where public subnets have NAT64.
    pub name: String,
    /// Names of the subnets associated with it.
    pub subnets: Vec<String>,
    /// Routes beside the local ones.
    pub routes: Vec<RoutePlan>,
    /// Tags beyond the network's.
    pub tags: Vec<(String, String)>,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutePlan {
    /// Destination.
    pub destination: Cidr,
    /// Where to.
    pub target: RouteTarget,
}

/// Where a route leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteTarget {
    /// The internet gateway.
    InternetGateway(Gateway),
    /// The egress-only internet gateway (IPv6).
    EgressOnlyGateway(Gateway),
    /// A NAT gateway of the plan by name, or an existing one.
    NatGateway(NatTarget),
    /// A transit gateway, by id.
    TransitGateway(String),
    /// A peering connection, by id.
    Peering(String),
    /// An instance, by id.
    Instance(String),
}

/// A NAT gateway as a route's target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NatTarget {
    /// One of the plan, by name.
    Planned(String),
    /// An existing one, by id.
    Existing(String),
}

/// A cluster, planned.
#[derive(Clone, Debug)]
pub struct ClusterPlan {
    /// The network's ranges, which every machine's address is from.
    pub ranges: Vec<Cidr>,
    /// Every flow that the cluster needs, once.
    pub flows: Vec<Flow>,
    /// IAM statements by the machines whose role has them.
    pub iam: Vec<Statement>,
    /// The MTU, and the sum that gives it.
    pub mtu: MtuPlan,
    /// Address of the DNS service.
    pub dns_ip: std::net::IpAddr,
    /// What kubelets must have as `clusterDNS`.
    pub kubelet_dns: std::net::IpAddr,
    /// Whether pods have addresses of the network, and none of `podCIDR`.
    pub pods_in_network: bool,
}

/// MTU of pod interfaces.
#[derive(Clone, Debug)]
pub struct MtuPlan {
    /// The underlay's, in bytes.
    pub underlay: u32,
    /// What is taken off.
    pub terms: Vec<MtuTerm>,
    /// The pods', in bytes; none when the provider finds it out by itself.
    pub pod: Option<u32>,
    /// Where the rendered objects carry the pods' MTU.
    pub places: Vec<MtuPlace>,
    /// What sets it; the network provider's block when nothing does.
    pub span: Span,
}

/// A flow: who may send what to whom, and why.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Short name in kebab case, unique in the cluster.
    pub name: String,
    /// Sender.
    pub from: Peer,
    /// Receiver.
    pub to: Endpoint,
    /// Protocol and ports.
    pub protocol: Protocol,
    /// What needs it.
    pub because: String,
    /// The declaration or overlay position that asks for it.
    pub span: Span,
    /// What it means when the final security groups do not admit it.
    pub blocked: Option<Blocked>,
}

impl Flow {
    /// The flow between disjoint senders and receivers: one pair for each rule that admits it.
    pub fn pairs(&self) -> impl Iterator<Item = (Peer, Endpoint)> {
        let receivers = self.to.parts();
        self.from.parts().into_iter().flat_map(move |from| receivers.iter().map(move |to| (from.clone(), *to)))
    }
}
