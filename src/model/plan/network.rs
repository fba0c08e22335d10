//! From a `Network` to its plan: subnets with their tags, gateways, route tables.
//!
//! **Subnets** are those written, or one for each zone and tier at a fixed place of the VPC's range; the arithmetic stands at
//! the head of `src/model/declare/subnets.rs`. **Ways out** are decided there, too (`src/model/declare/egress.rs`); here they become
//! gateways and routes:
//!
//! | table | for | routes beside the local ones |
//! |---|---|---|
//! | `public` | public and utility subnets | 0.0.0.0/0 and, with IPv6, ::/0 → internet gateway |
//! | `public-ZONE` | public subnets with NAT64 | the same, and 64:ff9b::/96 → NAT gateway |
//! | `private-ZONE` | private and dual-stack subnets | 0.0.0.0/0 → NAT gateway, transit gateway or instance; with IPv6 64:ff9b::/96 → NAT gateway and ::/0 → egress-only gateway, or to the transit gateway, past which nothing shall go; the declared additional routes |
//!
//! Tables, roles of the load balancer tags and the DHCP domain are kops's (facts: "VPC, subnets, routes"). A subnet that
//! exists already keeps its routes and tags, and so does one with `egress: External` keep the routes somebody else gives it:
//! neither stands in a table of the plan.

mod routes;

use super::{AwsPlan, Gateway, NatGateway, NetworkPlan, RouteTarget, Subnet, Vpc};
use crate::declare::{self, Aws, Declared, Exits, Network, SubnetType, Topology};

/// Plans a network, which `engine::resolve::network::validate` has found to be sound.
#[must_use]
pub fn plan(network: &Declared<Network>) -> NetworkPlan {
    let spec = &network.value.spec;
    let premises = spec.on_premises.iter().flat_map(|net| std::iter::once(&net.cidr).chain(&net.additional_cidrs)).copied();
    NetworkPlan {
        name: network.value.metadata.name.clone(),
        mtu: spec.underlay_mtu(),
        cidrs: spec.aws.iter().flat_map(Aws::ranges).chain(premises).collect(),
        aws: spec.aws.as_ref().map(aws),
    }
}

fn aws(aws: &Aws) -> AwsPlan {
    let subnets = aws.effective_subnets();
    let exits = declare::exits(aws, &subnets);
    let internet_gateway = internet_gateway(aws);
    let route_tables = routes::tables(aws, &subnets, &exits, &internet_gateway);
    let leads_to =
        |target: &RouteTarget| route_tables.iter().any(|table| table.routes.iter().any(|route| route.target == *target));
    AwsPlan {
        region: aws.region.clone(),
        topology: aws.topology,
        vpc: vpc(aws),
        egress_only_gateway: leads_to(&RouteTarget::EgressOnlyGateway(Gateway::Owned)),
        internet_gateway: Some(internet_gateway.clone())
            .filter(|gateway| leads_to(&RouteTarget::InternetGateway(gateway.clone()))),
        nat_gateways: exits.iter().filter_map(|zone| nat_gateway(zone, &exits, &subnets)).collect(),
        route_tables,
        endpoints: aws.endpoints,
        tags: aws.tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        subnets: subnets.iter().map(|subnet| planned(subnet, aws, &subnets)).collect(),
    }
}

fn vpc(aws: &Aws) -> Vpc {
    match &aws.vpc_id {
        Some(id) => Vpc::Existing { id: id.clone() },
        None => Vpc::Owned {
            cidr: aws.cidr,
            additional: aws.additional_cidrs.clone(),
            ipv6: aws.ipv6,
            dhcp_domain: dhcp_domain(&aws.region),
        },
    }
}

/// The domain that Amazon's DNS gives to instances of a region (VPC user guide, "DHCP option sets").
fn dhcp_domain(region: &str) -> String {
    match region {
        "us-east-1" => "ec2.internal".to_owned(),
        _ => format!("{region}.compute.internal"),
    }
}

fn internet_gateway(aws: &Aws) -> Gateway {
    match (&aws.vpc_id, &aws.internet_gateway_id) {
        (None, _) => Gateway::Owned,
        (Some(_), Some(id)) => Gateway::Existing(id.clone()),
        (Some(_), None) => Gateway::Parameter,
    }
}

fn nat_gateway(zone: &Exits, all: &[Exits], subnets: &[declare::Subnet]) -> Option<NatGateway> {
    if !zone.has_nat_gateway(all) {
        return None;
    }
    Some(NatGateway {
        name: zone.zone.clone(),
        subnet: declare::nat_subnet(&zone.zone, subnets).ok()?.name.clone(),
        address: zone.allocation.clone().map_or(Gateway::Owned, Gateway::Existing),
        public_ip: zone.public_ip.clone(),
    })
}

fn planned(subnet: &declare::Subnet, aws: &Aws, all: &[declare::Subnet]) -> Subnet {
    Subnet {
        name: subnet.name.clone(),
        zone: subnet.zone.clone(),
        kind: subnet.kind,
        cidr: subnet.cidr,
        ipv6: subnet.ipv6_cidr.as_deref().and_then(|text| text.parse().ok()),
        id: subnet.id.clone(),
        tags: if aws.tag_subnets && subnet.is_owned() { role_tags(subnet, aws.topology, all) } else { Vec::new() },
    }
}

/// The tags by which load balancer controllers find subnets: one for load balancers that face the internet, one for internal
/// ones. Private subnets of a zone leave the internal ones to its dual-stack subnets, which serve both address families.
fn role_tags(subnet: &declare::Subnet, topology: Topology, all: &[declare::Subnet]) -> Vec<(String, String)> {
    let dual_stack = || all.iter().any(|other| other.zone == subnet.zone && other.kind == SubnetType::DualStack);
    let (internet, internal) = match subnet.kind {
        SubnetType::Public => (true, topology == Topology::Public),
        SubnetType::Utility => (true, false),
        SubnetType::Private => (false, !dual_stack()),
        SubnetType::DualStack => (false, true),
    };
    let roles = [("kubernetes.io/role/elb", internet), ("kubernetes.io/role/internal-elb", internal)];
    roles.into_iter().filter(|(_, has)| *has).map(|(role, _)| (role.to_owned(), "1".to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::dhcp_domain;

    #[test]
    fn amazons_domain_names() {
        assert_eq!(dhcp_domain("us-east-1"), "ec2.internal");
        assert_eq!(dhcp_domain("us-test-1"), "us-test-1.compute.internal");
    }
}
