//! Route tables.

use crate::declare::{self, Aws, Exits, Route, SubnetType, Way};
use crate::plan::{Gateway, NatTarget, RoutePlan, RouteTable, RouteTarget};
use schema::address::Cidr;

/// The route tables that netloom makes, those without subnets left out.
pub(super) fn tables(aws: &Aws, subnets: &[declare::Subnet], exits: &[Exits], gateway: &Gateway) -> Vec<RouteTable> {
    let routed: Vec<&declare::Subnet> = subnets.iter().filter(|subnet| subnet.is_owned() && !subnet.is_external()).collect();
    let private = exits.iter().map(|zone| private_table(zone, &routed));
    let tables = std::iter::once(public_table(aws, exits, &routed, gateway))
        .chain(exits.iter().map(|zone| nat64_table(aws, zone, &routed, gateway)))
        .chain(private);
    tables.filter(|table| !table.subnets.is_empty()).collect()
}

fn names<'a>(subnets: impl IntoIterator<Item = &'a &'a declare::Subnet>) -> Vec<String> {
    subnets.into_iter().map(|subnet| subnet.name.clone()).collect()
}

/// Whether the subnet's zone has a NAT gateway for it, so that it stands in the zone's own public table.
fn has_nat64(subnet: &declare::Subnet, exits: &[Exits]) -> bool {
    let of_zone = |zone: &&Exits| zone.zone == subnet.zone && nat64_target(zone).is_some();
    subnet.is_public_ipv6() && exits.iter().any(|zone| of_zone(&zone))
}

fn nat64_target(zone: &Exits) -> Option<RouteTarget> {
    zone.nat64.as_ref().and_then(nat_target)
}

fn nat_target(way: &Way) -> Option<RouteTarget> {
    match way {
        Way::Planned(zone) => Some(RouteTarget::NatGateway(NatTarget::Planned(zone.clone()))),
        Way::NatGateway(id) => Some(RouteTarget::NatGateway(NatTarget::Existing(id.clone()))),
        _ => None,
    }
}

fn internet_routes(aws: &Aws, gateway: &Gateway) -> Vec<RoutePlan> {
    let destinations = [Cidr::ANY_V4].into_iter().chain(aws.ipv6.then_some(Cidr::ANY_V6));
    destinations.map(|destination| RoutePlan { destination, target: RouteTarget::InternetGateway(gateway.clone()) }).collect()
}

fn public_table(aws: &Aws, exits: &[Exits], routed: &[&declare::Subnet], gateway: &Gateway) -> RouteTable {
    let public =
        |subnet: &&&declare::Subnet| matches!(subnet.kind, SubnetType::Public | SubnetType::Utility) && !has_nat64(subnet, exits);
    RouteTable {
        name: "public".to_owned(),
        subnets: names(routed.iter().filter(public)),
        routes: internet_routes(aws, gateway),
        tags: Vec::new(),
    }
}

fn nat64_table(aws: &Aws, zone: &Exits, routed: &[&declare::Subnet], gateway: &Gateway) -> RouteTable {
    let here = |subnet: &&&declare::Subnet| subnet.zone == zone.zone && has_nat64(subnet, std::slice::from_ref(zone));
    let mut routes = internet_routes(aws, gateway);
    routes.extend(nat64_target(zone).map(|target| RoutePlan { destination: Cidr::NAT64, target }));
    RouteTable { name: format!("public-{}", zone.zone), subnets: names(routed.iter().filter(here)), routes, tags: Vec::new() }
}

fn private_table(zone: &Exits, routed: &[&declare::Subnet]) -> RouteTable {
    let subnets: Vec<&declare::Subnet> =
        routed.iter().copied().filter(|subnet| subnet.zone == zone.zone && subnet.is_private()).collect();
    let ipv6 = subnets.iter().any(|subnet| subnet.ipv6_cidr.is_some());
    let mut routes = zone.private.as_ref().map_or_else(Vec::new, |way| ways_out(way, ipv6));
    for route in subnets.iter().flat_map(|subnet| &subnet.additional_routes).filter_map(additional) {
        if !routes.contains(&route) {
            routes.push(route);
        }
    }
    RouteTable { name: format!("private-{}", zone.zone), subnets: names(&subnets), routes, tags: Vec::new() }
}

/// The routes to the internet of a private table.
fn ways_out(way: &Way, ipv6: bool) -> Vec<RoutePlan> {
    let egress_only = || RouteTarget::EgressOnlyGateway(Gateway::Owned);
    let (v4, v6) = match way {
        Way::Planned(_) | Way::NatGateway(_) => (nat_target(way), Some(egress_only())),
        Way::Instance(id) => (Some(RouteTarget::Instance(id.clone())), Some(egress_only())),
        Way::Transit(id) => (Some(RouteTarget::TransitGateway(id.clone())), Some(RouteTarget::TransitGateway(id.clone()))),
        Way::External | Way::Isolated => (None, None),
    };
    let nat64 = nat_target(way).filter(|_| ipv6);
    let routes = [(Cidr::ANY_V4, v4), (Cidr::NAT64, nat64), (Cidr::ANY_V6, v6.filter(|_| ipv6))];
    routes.into_iter().filter_map(|(destination, target)| Some(RoutePlan { destination, target: target? })).collect()
}

fn additional(route: &Route) -> Option<RoutePlan> {
    let id = route.target.clone();
    let target = match declare::aws_id(&id)? {
        "pcx" => RouteTarget::Peering(id),
        "i" => RouteTarget::Instance(id),
        "nat" => RouteTarget::NatGateway(NatTarget::Existing(id)),
        "tgw" => RouteTarget::TransitGateway(id),
        "igw" => RouteTarget::InternetGateway(Gateway::Existing(id)),
        "eigw" => RouteTarget::EgressOnlyGateway(Gateway::Existing(id)),
        _ => return None,
    };
    Some(RoutePlan { destination: route.cidr, target })
}
