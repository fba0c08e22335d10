//! The network as a mermaid diagram, which GitHub, GitLab and most viewers of Markdown draw.
//!
//! Identifiers are counted, and text from declarations stands in quoted labels only, escaped as mermaid's entity codes.

use std::fmt::Write;

use crate::address::{Cidr, Ipv6Range};
use crate::declare::SubnetType;
use crate::plan::{AwsPlan, Gateway, NatTarget, NetworkPlan, RoutePlan, RouteTarget, Subnet, Vpc};

/// A flowchart of the network, with the ranges of pods and services where no VPC says what runs where.
#[must_use]
pub fn topology(network: &NetworkPlan, pods: Cidr, services: Cidr) -> String {
    let mut out = String::from("flowchart TB\n");
    match &network.aws {
        Some(aws) => vpc(&mut out, network, aws),
        None => premises(&mut out, network, pods, services),
    }
    out
}

fn premises(out: &mut String, network: &NetworkPlan, pods: Cidr, services: Cidr) {
    open(out, 1, "premises", &[&network.name]);
    for (at, range) in network.cidrs.iter().enumerate() {
        let what = if at == 0 { "nodes" } else { "routed" };
        node(out, 2, &format!("range{at}"), &[what, &range.to_string()]);
    }
    close(out, 1);
    open(out, 1, "inside", &["inside the cluster"]);
    node(out, 2, "pods", &["pods", &pods.to_string()]);
    node(out, 2, "services", &["services", &services.to_string()]);
    close(out, 1);
    out.push_str("  range0 --- pods\n  pods --> services\n");
}

fn vpc(out: &mut String, network: &NetworkPlan, aws: &AwsPlan) {
    out.push_str("  internet([\"internet\"])\n");
    let ranges: Vec<String> = network.cidrs.iter().map(ToString::to_string).collect();
    let title = match &aws.vpc {
        Vpc::Owned { .. } => format!("VPC {}", network.name),
        Vpc::Existing { id } => format!("VPC {} ({id})", network.name),
    };
    open(out, 1, "vpc", &[&title, &ranges.join(", ")]);
    if let Some(gateway) = &aws.internet_gateway {
        node(out, 2, "igw", &["internet gateway", existing(gateway)]);
    }
    if aws.egress_only_gateway {
        node(out, 2, "eigw", &["egress-only internet gateway"]);
    }
    for (at, zone) in zones(aws).into_iter().enumerate() {
        open(out, 2, &format!("zone{at}"), &[zone]);
        for (index, subnet) in aws.subnets.iter().enumerate().filter(|(_, subnet)| subnet.zone == zone) {
            subnet_node(out, index, subnet);
            for (nat, _) in aws.nat_gateways.iter().enumerate().filter(|(_, nat)| nat.subnet == subnet.name) {
                node(out, 3, &format!("nat{nat}"), &["NAT gateway", &format!("in {}", subnet.name)]);
            }
        }
        close(out, 2);
    }
    close(out, 1);
    ways_out(out, aws);
}

/// The zones that have subnets, in the order of the subnets.
fn zones(aws: &AwsPlan) -> Vec<&str> {
    let mut zones: Vec<&str> = Vec::new();
    for subnet in &aws.subnets {
        if !zones.contains(&subnet.zone.as_str()) {
            zones.push(&subnet.zone);
        }
    }
    zones
}

fn subnet_node(out: &mut String, index: usize, subnet: &Subnet) {
    let ipv6 = match &subnet.ipv6 {
        Some(Ipv6Range::Cidr(range)) => range.to_string(),
        Some(Ipv6Range::Slot { prefix, .. }) => format!("an IPv6 /{prefix}"),
        None => String::new(),
    };
    let range = subnet.cidr.map(|range| range.to_string()).unwrap_or_default();
    let id = subnet.id.as_deref().unwrap_or_default();
    node(out, 3, &format!("subnet{index}"), &[&subnet.name, kind(subnet.kind), &range, &ipv6, id]);
}

/// What a subnet is for, in a word.
pub(super) fn kind(kind: SubnetType) -> &'static str {
    match kind {
        SubnetType::Public => "public",
        SubnetType::Private => "private",
        SubnetType::Utility => "utility",
        SubnetType::DualStack => "dual-stack",
    }
}

fn existing(gateway: &Gateway) -> &str {
    match gateway {
        Gateway::Owned => "",
        Gateway::Existing(id) => id,
        Gateway::Parameter => "there already",
    }
}

/// An edge for each route of each subnet, and what the gateways lead to.
fn ways_out(out: &mut String, aws: &AwsPlan) {
    let mut outside: Vec<&str> = Vec::new();
    for table in &aws.route_tables {
        let subnets = aws.subnets.iter().enumerate().filter(|(_, subnet)| table.subnets.contains(&subnet.name));
        for (index, _) in subnets {
            table.routes.iter().for_each(|route| edge(out, index, route, aws, &mut outside));
        }
    }
    for (at, nat) in aws.nat_gateways.iter().enumerate() {
        if aws.internet_gateway.is_some() && aws.subnets.iter().any(|subnet| subnet.name == nat.subnet) {
            _ = writeln!(out, "  nat{at} --> igw");
        }
    }
    for (there, id) in [(aws.internet_gateway.is_some(), "igw"), (aws.egress_only_gateway, "eigw")] {
        if there {
            _ = writeln!(out, "  {id} --> internet");
        }
    }
}

fn edge<'a>(out: &mut String, subnet: usize, route: &'a RoutePlan, aws: &'a AwsPlan, outside: &mut Vec<&'a str>) {
    let to = match target(&route.target, aws) {
        Ok(id) => id,
        Err(name) => {
            let at = outside.iter().position(|known| *known == name).unwrap_or_else(|| {
                node(out, 1, &format!("out{}", outside.len()), &[name]);
                outside.push(name);
                outside.len() - 1
            });
            format!("out{at}")
        }
    };
    let everywhere = route.destination.prefix() == 0 && !route.destination.is_v6();
    let label = if everywhere { String::new() } else { format!("|{}|", label(&[&route.destination.to_string()])) };
    _ = writeln!(out, "  subnet{subnet} -->{label} {to}");
}

/// The identifier of a route's target in the diagram, or the name of one outside of it.
fn target<'a>(target: &'a RouteTarget, aws: &AwsPlan) -> Result<String, &'a str> {
    match target {
        RouteTarget::InternetGateway(_) if aws.internet_gateway.is_some() => Ok("igw".into()),
        RouteTarget::EgressOnlyGateway(_) if aws.egress_only_gateway => Ok("eigw".into()),
        RouteTarget::InternetGateway(Gateway::Existing(id)) | RouteTarget::EgressOnlyGateway(Gateway::Existing(id)) => Err(id),
        RouteTarget::InternetGateway(_) => Err("internet gateway"),
        RouteTarget::EgressOnlyGateway(_) => Err("egress-only internet gateway"),
        RouteTarget::NatGateway(NatTarget::Planned(name)) => {
            aws.nat_gateways.iter().position(|nat| nat.name == *name).map(|at| format!("nat{at}")).ok_or(name)
        }
        RouteTarget::NatGateway(NatTarget::Existing(id))
        | RouteTarget::TransitGateway(id)
        | RouteTarget::Peering(id)
        | RouteTarget::Instance(id) => Err(id),
    }
}

fn open(out: &mut String, depth: usize, id: &str, lines: &[&str]) {
    _ = writeln!(out, "{:indent$}subgraph {id}[{}]", "", label(lines), indent = depth * 2);
}

fn close(out: &mut String, depth: usize) {
    _ = writeln!(out, "{:indent$}end", "", indent = depth * 2);
}

fn node(out: &mut String, depth: usize, id: &str, lines: &[&str]) {
    _ = writeln!(out, "{:indent$}{id}[{}]", "", label(lines), indent = depth * 2);
}

/// A quoted label of several lines, without the empty ones.
fn label(lines: &[&str]) -> String {
    let lines: Vec<String> = lines.iter().filter(|line| !line.is_empty()).map(|line| escape(line)).collect();
    format!("\"{}\"", lines.join("<br/>"))
}

/// Text that mermaid shows as it is: whatever ends a label, or means something in it, as an entity code.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\'' | '<' | '>' | '&' | '#' | ';' | '`' | '%' | '{' | '}' | '[' | ']' | '(' | ')' | '|' | '\\' => {
                _ = write!(out, "#{};", u32::from(c));
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
pub(super) mod tests;
