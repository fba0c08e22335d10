//! The network stack: a planned network as a template.
//!
//! Logical ids and exports are made of the plan's names, so other stacks and overlays can count on them:
//!
//! | thing | logical id | export |
//! |---|---|---|
//! | VPC | `Vpc` | `NETWORK-VpcId`, `NETWORK-VpcCidr` |
//! | subnet `us-west-2a` | `SubnetXUsWest2a` | `NETWORK-Subnet-us-west-2a` |
//! | route table `private-us-west-2a` | `RouteTableXPrivateUsWest2a` | `NETWORK-RouteTable-private-us-west-2a` |
//! | NAT gateway of `us-west-2a` | `NatGatewayXUsWest2a` | |
//!
//! What exists already is exported like what the stack creates, so a cluster's stack need not know the difference.
//! `DependsOn` stands where AWS wants an order that no reference gives: addresses, NAT gateways and routes after the internet
//! gateway is attached ("AWS::EC2::EIP" and "AWS::EC2::Route" in the CloudFormation reference), subnets after the range they
//! are from.

mod endpoints;
mod gateways;
mod subnets;

pub(super) use endpoints::field as endpoint_field;
pub(super) use gateways::{destination, table_id};
pub(super) use subnets::subnet_logical_id;

use super::{Output, Template, export_name, get_att, logical_id, properties, reference, resource, tags};
use model::plan::{AwsPlan, NetworkPlan, Vpc};
use tree::Node;

/// Logical id of the created VPC.
const VPC: &str = "Vpc";
/// Logical id of the VPC's IPv6 block.
const IPV6_BLOCK: &str = "VpcIpv6";

/// The template of a network's stack; none for a network that netloom does not create.
#[must_use]
pub fn template(plan: &NetworkPlan) -> Option<Node> {
    let aws = plan.aws.as_ref()?;
    let mut stack = Stack { plan, aws, template: Template::new(format!("Network {}, rendered by netloom", plan.name)) };
    stack.vpc();
    stack.gateways();
    stack.subnets();
    stack.nat_gateways();
    stack.route_tables();
    stack.endpoints();
    Some(stack.template.finish())
}

/// A network's stack under construction.
struct Stack<'a> {
    plan: &'a NetworkPlan,
    aws: &'a AwsPlan,
    template: Template,
}

impl Stack<'_> {
    /// The `Tags` of a thing: the network's and its own ones, and its name, `THING.NETWORK` as kops has it.
    fn tags(&self, thing: Option<&str>, more: &[(String, String)]) -> Node {
        let name = match thing {
            Some(thing) => format!("{thing}.{}", self.plan.name),
            None => self.plan.name.clone(),
        };
        tags(&name, &[&self.aws.tags, more].concat())
    }

    fn vpc_id(&self) -> Node {
        match &self.aws.vpc {
            Vpc::Owned { .. } => reference(VPC),
            Vpc::Existing { id } => id.as_str().into(),
        }
    }

    fn export(&mut self, id: &str, description: String, what: &str, value: Node) {
        let export = Some(export_name(&self.plan.name, what));
        self.template.output(id, Output { description, value, export });
    }

    fn vpc(&mut self) {
        if let Vpc::Owned { cidr, additional, ipv6, dhcp_domain } = &self.aws.vpc {
            let vpc = properties([
                ("CidrBlock", cidr.to_string().into()),
                ("EnableDnsHostnames", true.into()),
                ("EnableDnsSupport", true.into()),
                ("Tags", self.tags(None, &[])),
            ]);
            self.template.resource(VPC.to_owned(), resource("AWS::EC2::VPC", vpc, &[]));
            for range in additional.iter().map(ToString::to_string) {
                self.range(logical_id(&["vpc-range", &range]), ("CidrBlock", range.into()));
            }
            if *ipv6 {
                self.range(IPV6_BLOCK.to_owned(), ("AmazonProvidedIpv6CidrBlock", true.into()));
            }
            self.dhcp_options(dhcp_domain);
        }
        self.export("VpcId", "The VPC".to_owned(), "VpcId", self.vpc_id());
        let cidr = match &self.aws.vpc {
            Vpc::Owned { .. } => get_att(VPC, "CidrBlock"),
            Vpc::Existing { .. } => self.plan.cidrs.first().map_or_else(Node::default, |cidr| cidr.to_string().into()),
        };
        self.export("VpcCidr", "The VPC's primary range".to_owned(), "VpcCidr", cidr);
    }

    fn range(&mut self, id: String, range: (&str, Node)) {
        let block = properties([("VpcId", self.vpc_id()), range]);
        self.template.resource(id, resource("AWS::EC2::VPCCidrBlock", block, &[]));
    }

    fn dhcp_options(&mut self, domain: &str) {
        let options = properties([
            ("DomainName", domain.into()),
            ("DomainNameServers", vec!["AmazonProvidedDNS".into()].into()),
            ("Tags", self.tags(None, &[])),
        ]);
        let options = self.template.resource(logical_id(&["dhcp-options"]), resource("AWS::EC2::DHCPOptions", options, &[]));
        let association = properties([("VpcId", self.vpc_id()), ("DhcpOptionsId", reference(&options))]);
        let association = resource("AWS::EC2::VPCDHCPOptionsAssociation", association, &[]);
        self.template.resource(logical_id(&["dhcp-options-association"]), association);
    }
}
