//! `kind: Network`: addresses, zones and the ways out.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Acknowledgement, Metadata};
use schema::address::Cidr;

/// A network that clusters run in.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Network {
    /// `netloom.dev/v1alpha1`.
    #[schemars(extend("const" = "netloom.dev/v1alpha1"))]
    pub api_version: String,
    /// `Network`.
    #[schemars(extend("const" = "Network"))]
    pub kind: String,
    /// Name and labels.
    pub metadata: Metadata,
    /// The network itself.
    pub spec: NetworkSpec,
}

/// A network: on AWS, or one that exists already (`static`).
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NetworkSpec {
    /// A VPC on AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws: Option<Aws>,
    /// A network on premises or in another cloud, which netloom does not create.
    #[serde(rename = "static", skip_serializing_if = "Option::is_none")]
    pub on_premises: Option<OnPremises>,
    /// Largest packet of the underlay in bytes: 9001 on AWS (its jumbo frames inside a VPC), 1500 elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1280, max = 9216))]
    pub mtu: Option<u32>,
    /// Changes that may do more to the running network than `netloom check --max-class` allows. One counts in the change that adds
    /// it, and never again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acknowledge: Vec<Acknowledgement>,
}

impl NetworkSpec {
    /// The underlay's MTU in bytes, declared or by default.
    #[must_use]
    pub fn underlay_mtu(&self) -> u32 {
        self.mtu.unwrap_or(if self.aws.is_some() { 9001 } else { 1500 })
    }
}

/// A VPC with its subnets.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Aws {
    /// Region, such as `us-west-2`.
    #[schemars(regex(pattern = r"^[a-z]{2,4}(-[a-z]+)+-[0-9]+$"), extend("examples" = ["us-west-2"]))]
    pub region: String,
    /// The VPC's primary range, a /16 to a /28.
    #[serde(default = "default_cidr")]
    pub cidr: Cidr,
    /// Further ranges of the VPC.
    #[serde(default, rename = "additionalCIDRs", skip_serializing_if = "Vec::is_empty")]
    pub additional_cidrs: Vec<Cidr>,
    /// An existing VPC to use instead of creating one.
    #[serde(default, rename = "vpcID", skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^vpc-[a-z0-9]+$"), extend("examples" = ["vpc-0123456789abcdef0"]))]
    pub vpc_id: Option<String>,
    /// The internet gateway of an existing VPC, when subnets of netloom's own need one there.
    #[serde(default, rename = "internetGatewayID", skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^igw-[a-z0-9]+$"), extend("examples" = ["igw-0123456789abcdef0"]))]
    pub internet_gateway_id: Option<String>,
    /// Availability zones, one to six.
    pub zones: Vec<String>,
    /// Where nodes live: in public subnets, or in private ones behind NAT gateways.
    #[serde(default)]
    pub topology: Topology,
    /// NAT gateways: the way out of private subnets and, for IPv4 destinations, of IPv6-only pods in public ones.
    #[serde(default)]
    pub nat_gateways: NatGateways,
    /// Subnets written out; derived from zones and topology when left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subnets: Vec<Subnet>,
    /// Whether the VPC gets an Amazon-provided IPv6 block. Derived subnets have a /64 of it each; subnets that are written out
    /// have what their `ipv6CIDR` says.
    #[serde(default)]
    pub ipv6: bool,
    /// VPC endpoints, which keep AWS API traffic off NAT gateways.
    #[serde(default)]
    pub endpoints: Endpoints,
    /// Whether subnets carry the role tags that load balancer controllers look for.
    #[serde(default = "yes")]
    pub tag_subnets: bool,
    /// Tags on every resource of the network.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub tags: IndexMap<String, String>,
}

fn default_cidr() -> Cidr {
    // kops's default network range (facts: `networkCIDR`).
    "172.20.0.0/16".parse().unwrap_or_else(|_| unreachable!("a constant range"))
}

fn yes() -> bool {
    true
}

/// A network that exists already.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OnPremises {
    /// The range that the nodes' addresses are from.
    pub cidr: Cidr,
    /// Further ranges that are routed there and must not be used for pods or services.
    #[serde(default, rename = "additionalCIDRs", skip_serializing_if = "Vec::is_empty")]
    pub additional_cidrs: Vec<Cidr>,
}

/// Where nodes live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Topology {
    /// In public subnets with public addresses, as kops does by default.
    #[default]
    Public,
    /// In private subnets; public (utility) subnets hold NAT gateways and load balancers.
    Private,
}

/// NAT gateways, for the zones whose subnets name no other egress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum NatGateways {
    /// One in each zone: zones fail independently.
    #[default]
    PerZone,
    /// One in the first zone: cheaper, and one zone's failure takes every zone's way out.
    Single,
    /// None: private subnets reach the VPC and its endpoints only.
    None,
}

/// VPC endpoints.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[allow(clippy::struct_excessive_bools)]
pub struct Endpoints {
    /// Gateway endpoint for S3; ECR's image layers come from there, too.
    pub s3: bool,
    /// Gateway endpoint for DynamoDB.
    pub dynamodb: bool,
    /// Interface endpoints for ECR: `ecr.api` and `ecr.dkr`.
    pub ecr: bool,
    /// Interface endpoint for STS, which IAM roles for service accounts need.
    pub sts: bool,
    /// Interface endpoint for EC2, which machines and the cloud controller manager ask about themselves.
    pub ec2: bool,
    /// Interface endpoint for Elastic Load Balancing, with which the cloud controller manager makes load balancers.
    pub elasticloadbalancing: bool,
    /// Interface endpoint for Auto Scaling, which autoscalers and bootstrap tools ask.
    pub autoscaling: bool,
}

/// One subnet, written out.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Subnet {
    /// Name, unique in the network.
    pub name: String,
    /// Availability zone.
    pub zone: String,
    /// What the subnet is for.
    #[serde(rename = "type")]
    pub kind: SubnetType,
    /// Range, a /16 to a /28 inside the VPC's; not needed for a subnet that exists or is IPv6-only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cidr: Option<Cidr>,
    /// IPv6 range: a CIDR, or `/64#N` for the /64 with the number N (hexadecimal, from 0) of the VPC's block.
    #[serde(default, rename = "ipv6CIDR", skip_serializing_if = "Option::is_none")]
    pub ipv6_cidr: Option<String>,
    /// An existing subnet to use (`subnet-…`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^subnet-[a-z0-9]+$"), extend("examples" = ["subnet-0123456789abcdef0"]))]
    pub id: Option<String>,
    /// The way to the internet: `nat-…`, `eipalloc-…`, `tgw-…`, `i-…` or `External`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub egress: Option<String>,
    /// Public address that the zone's NAT gateway shall have.
    #[serde(default, rename = "publicIP", skip_serializing_if = "Option::is_none")]
    pub public_ip: Option<String>,
    /// Further routes of the zone's private route table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_routes: Vec<Route>,
}

/// What a subnet is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SubnetType {
    /// Nodes with public addresses.
    Public,
    /// Nodes behind a NAT gateway.
    Private,
    /// NAT gateways, load balancers and bastions of a private topology.
    Utility,
    /// Nodes with IPv4 and IPv6 addresses in a network with IPv6.
    DualStack,
}

/// A route from private subnets.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Route {
    /// Destination.
    pub cidr: Cidr,
    /// `pcx-…`, `i-…`, `nat-…`, `tgw-…`, `igw-…` or `eigw-…`.
    pub target: String,
}
