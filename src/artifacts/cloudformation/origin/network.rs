//! Why a network's template has what it has.

use super::{Reason, keys, tag};
use crate::cloudformation::logical_id;
use crate::cloudformation::network::{destination, endpoint_field, subnet_logical_id, table_id};
use model::declare::{Declared, Network, SubnetType, Tier, Zone};
use model::plan::{AwsPlan, NatGateway, NetworkPlan, RoutePlan, RouteTable, RouteTarget, Subnet, Vpc};
use tree::{Node, Path};

/// What a resource of the template is.
enum Thing<'p> {
    Vpc,
    Range(String),
    Ipv6Block,
    Dhcp,
    InternetGateway,
    EgressOnlyGateway,
    Nat(&'p NatGateway),
    Address(&'p NatGateway),
    Table(&'p RouteTable),
    Route(&'p RoutePlan),
    Association(&'p str),
    Subnet(&'p Subnet),
    Endpoint,
    Nothing,
}

/// Why the field at `path` of a network's template is what it is.
#[must_use]
pub fn network<'p>(declared: &Declared<Network>, plan: &'p NetworkPlan, template: &Node, path: &Path) -> Reason<'p> {
    let Some(aws) = &plan.aws else { return Reason::new("the network is not on AWS") };
    let keys = keys(path);
    let find = Finder { declared, plan, aws };
    match keys.as_slice() {
        ["AWSTemplateFormatVersion", ..] => Reason::new("the only version that CloudFormation has").network(&["metadata.name"]),
        ["Description", ..] => Reason::new("says what the stack is").network(&["metadata.name"]),
        ["Parameters", ..] => {
            Reason::new("the internet gateway of an existing VPC, which no declaration names").network(&["spec.aws.vpcID"])
        }
        ["Resources", id, rest @ ..] => find.resource(id, rest, tag(template, path)),
        ["Outputs", id, ..] => {
            let mut reason = find.resource(if *id == "VpcId" || *id == "VpcCidr" { "Vpc" } else { id }, &[], None);
            reason.text = format!("exported for clusters' stacks: {}", reason.text);
            reason.network.push("metadata.name".to_owned());
            reason
        }
        _ => Reason::new("the network's stack").network(&["metadata.name"]),
    }
}

struct Finder<'p, 'd> {
    declared: &'d Declared<Network>,
    plan: &'p NetworkPlan,
    aws: &'p AwsPlan,
}

impl<'p> Finder<'p, '_> {
    fn thing(&self, id: &str) -> Option<Thing<'p>> {
        let aws = self.aws;
        let fixed = match id {
            "Vpc" => Some(Thing::Vpc),
            "VpcIpv6" => Some(Thing::Ipv6Block),
            "InternetGateway" | "InternetGatewayAttachment" => Some(Thing::InternetGateway),
            "EgressOnlyGateway" => Some(Thing::EgressOnlyGateway),
            "Nothing" => Some(Thing::Nothing),
            id if id.starts_with("Endpoint") => Some(Thing::Endpoint),
            id if id.starts_with("DhcpOptions") => Some(Thing::Dhcp),
            _ => None,
        };
        if fixed.is_some() {
            return fixed;
        }
        if let Vpc::Owned { additional, .. } = &aws.vpc {
            let range = additional.iter().map(ToString::to_string).find(|range| id == logical_id(&["vpc-range", range]));
            if let Some(range) = range {
                return Some(Thing::Range(range));
            }
        }
        let subnets = aws.subnets.iter().find_map(|subnet| {
            let association = logical_id(&["route-table-association", &subnet.name]);
            match id {
                id if id == subnet_logical_id(&subnet.name) => Some(Thing::Subnet(subnet)),
                id if id == association => Some(Thing::Association(&subnet.name)),
                _ => None,
            }
        });
        let gateways = || {
            aws.nat_gateways.iter().find_map(|gateway| match id {
                id if id == logical_id(&["nat-gateway", &gateway.name]) => Some(Thing::Nat(gateway)),
                id if id == logical_id(&["elastic-ip", &gateway.name]) => Some(Thing::Address(gateway)),
                _ => None,
            })
        };
        let route_id =
            |table: &RouteTable, route: &RoutePlan| logical_id(&["route", &table.name, &destination(route.destination)]);
        let tables = || {
            aws.route_tables.iter().find_map(|table| match id {
                id if id == table_id(table) => Some(Thing::Table(table)),
                id => table.routes.iter().find(|route| id == route_id(table, route)).map(Thing::Route),
            })
        };
        subnets.or_else(gateways).or_else(tables)
    }

    fn resource(&self, id: &str, rest: &[&str], tag: Option<&str>) -> Reason<'p> {
        let Some(thing) = self.thing(id) else { return Reason::new("a resource of the network").network(&["metadata.name"]) };
        if let Some(tag) = tag {
            return self.tag(tag, &thing);
        }
        match (thing, rest) {
            (Thing::Vpc, ["Properties", "EnableDnsHostnames" | "EnableDnsSupport", ..]) => {
                Reason::new("every VPC of netloom's has DNS names, which Kubernetes needs of its nodes").network(&["spec.aws"])
            }
            (Thing::Vpc, _) => Reason::new("the VPC and its range").network(&["spec.aws.cidr", "spec.aws.vpcID"]),
            (Thing::Range(range), _) => {
                Reason::new(format!("a further range of the VPC, {range}")).network(&["spec.aws.additionalCIDRs"])
            }
            (Thing::Ipv6Block, _) => Reason::new("the VPC's IPv6 block, which Amazon provides").network(&["spec.aws.ipv6"]),
            (Thing::Dhcp, _) => {
                Reason::new("the VPC's DHCP options: Amazon's DNS and the domain of the region").network(&["spec.aws.region"])
            }
            (Thing::InternetGateway, _) => {
                Reason::new("the way out of public subnets").network(&["spec.aws.topology", "spec.aws.zones"])
            }
            (Thing::EgressOnlyGateway, _) => {
                Reason::new("the way out of private subnets for IPv6").network(&["spec.aws.ipv6", "spec.aws.topology"])
            }
            (Thing::Nat(gateway) | Thing::Address(gateway), _) => self.nat(gateway),
            (Thing::Table(table), _) => Reason::new(format!("the route table `{}` of {}", table.name, table.subnets.join(", ")))
                .network(&["spec.aws.topology", "spec.aws.zones", "spec.aws.natGateways"]),
            (Thing::Route(route), _) => self.route(route),
            (Thing::Association(subnet), _) => {
                let mut reason = Reason::new(format!("the subnet `{subnet}` and its route table"));
                reason.network.extend(self.subnet_paths(subnet, ""));
                reason
            }
            (Thing::Subnet(subnet), rest) => self.subnet(subnet, rest),
            (Thing::Endpoint, _) => {
                let field = endpoint_field(id).map_or(String::new(), |field| format!(".{field}"));
                let mut reason = Reason::new("AWS services without the way over the internet");
                reason.network.push(format!("spec.aws.endpoints{field}"));
                reason
            }
            (Thing::Nothing, _) => Reason::new("stands for a stack that creates nothing, since CloudFormation wants a resource")
                .network(&["spec.aws.vpcID", "spec.aws.subnets"]),
        }
    }

    /// The declared fields that a subnet is from: its own, or what it is derived from.
    fn subnet_paths(&self, name: &str, field: &str) -> Vec<String> {
        let aws = self.declared.value.spec.aws.as_ref();
        let written = aws.and_then(|aws| aws.subnets.iter().position(|subnet| subnet.name == name));
        if let Some(at) = written {
            let dot = if field.is_empty() { "" } else { "." };
            return vec![format!("spec.aws.subnets[{at}]{dot}{field}")];
        }
        let zone = self.aws.subnets.iter().find(|subnet| subnet.name == name).map(|subnet| subnet.zone.as_str());
        let zone = aws.and_then(|aws| aws.zones.iter().position(|each| Some(each.as_str()) == zone));
        let mut paths: Vec<String> = zone.map(|at| format!("spec.aws.zones[{at}]")).into_iter().collect();
        match field {
            "cidr" => paths.insert(0, "spec.aws.cidr".to_owned()),
            "ipv6CIDR" => paths.push("spec.aws.ipv6".to_owned()),
            "zone" => paths.push("spec.aws.region".to_owned()),
            _ => {}
        }
        if field != "zone" {
            paths.push("spec.aws.topology".to_owned());
        }
        paths
    }

    fn subnet(&self, subnet: &Subnet, rest: &[&str]) -> Reason<'p> {
        let written = self.declared.value.spec.aws.as_ref().is_some_and(|aws| !aws.subnets.is_empty());
        let name = &subnet.name;
        let (text, field) = match rest {
            ["Properties", "CidrBlock", ..] => (if written { String::new() } else { self.slot(subnet) }, "cidr"),
            ["Properties", "Ipv6CidrBlock" | "AssignIpv6AddressOnCreation" | "Ipv6Native" | "EnableDns64", ..] => {
                ("its IPv6 range".to_owned(), "ipv6CIDR")
            }
            ["Properties", "AvailabilityZone", ..] => ("its zone; the region is the stack's".to_owned(), "zone"),
            ["Properties", "MapPublicIpOnLaunch", ..] => ("it is a public one".to_owned(), "type"),
            _ => (String::new(), ""),
        };
        let text = if text.is_empty() { format!("the subnet `{name}`") } else { format!("the subnet `{name}`: {text}") };
        let mut reason = Reason::new(text);
        reason.network.extend(self.subnet_paths(name, field));
        reason
    }

    /// `slot 2 of the /19 ranges in 172.20.0.0/16, for nodes in zones with the letter b`.
    fn slot(&self, subnet: &Subnet) -> String {
        let tier = if subnet.kind == SubnetType::Utility { Tier::Utility } else { Tier::Nodes };
        let zone = Zone::of(&self.aws.region, &subnet.zone);
        let (Some(cidr), Some(vpc), Some(zone)) = (subnet.cidr, self.plan.cidrs.first(), zone) else { return String::new() };
        let whose = if tier == Tier::Utility { "utility subnets" } else { "nodes" };
        let slot = tier.index(zone.letter).map_or(String::new(), |slot| format!("slot {slot} of "));
        format!(
            "{slot}the /{} ranges in {vpc}, which is that of {whose} in zones with the letter `{}`",
            cidr.prefix(),
            zone.letter
        )
    }

    fn nat(&self, gateway: &NatGateway) -> Reason<'p> {
        let text = format!("the NAT gateway of `{}`, in the subnet `{}`", gateway.name, gateway.subnet);
        let mut reason = Reason::new(text).network(&["spec.aws.natGateways", "spec.aws.topology"]);
        reason.network.extend(self.subnet_paths(&gateway.subnet, "zone"));
        reason
    }

    fn route(&self, route: &RoutePlan) -> Reason<'p> {
        let (text, paths): (_, &[&str]) = match &route.target {
            RouteTarget::InternetGateway(_) => ("through the internet gateway", &["spec.aws.topology"]),
            RouteTarget::EgressOnlyGateway(_) => ("through the egress-only gateway", &["spec.aws.ipv6", "spec.aws.topology"]),
            RouteTarget::NatGateway(_) => ("through a NAT gateway", &["spec.aws.natGateways", "spec.aws.topology"]),
            RouteTarget::TransitGateway(_) | RouteTarget::Peering(_) | RouteTarget::Instance(_) => {
                ("as declared", &["spec.aws.subnets"])
            }
        };
        Reason::new(format!("the route to {} {text}", route.destination)).network(paths)
    }

    fn tag(&self, tag: &str, thing: &Thing<'_>) -> Reason<'p> {
        match tag {
            "Name" => {
                let mut reason = Reason::new("the name that the console shows: the thing's, then the network's");
                if let Thing::Subnet(subnet) = thing {
                    reason.network.extend(self.subnet_paths(&subnet.name, "name"));
                }
                reason.network(&["metadata.name"])
            }
            tag if self.aws.tags.iter().any(|(key, _)| key == tag) => {
                let tags = Path::dotted("spec.aws.tags").child(tag);
                let mut reason = Reason::new("a tag of everything in the network");
                reason.network.push(tags.to_string());
                reason
            }
            tag if tag.starts_with("kubernetes.io/role/") => Reason::new("by this tag load balancer controllers find the subnet")
                .network(&["spec.aws.topology", "spec.aws.tagSubnets"]),
            tag => Reason::new(format!("by the tag {tag} the route controller of one cluster finds its table"))
                .network(&["spec.aws"]),
        }
    }
}
