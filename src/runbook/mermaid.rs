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
pub(super) mod tests {
    use super::*;
    use crate::plan::{NatGateway, RouteTable};

    fn cidr(text: &str) -> Cidr {
        text.parse().unwrap_or_else(|_| panic!("{text}"))
    }

    fn subnet(name: &str, zone: &str, kind: SubnetType, range: &str) -> Subnet {
        Subnet { name: name.into(), zone: zone.into(), kind, cidr: Some(cidr(range)), ipv6: None, id: None, tags: Vec::new() }
    }

    fn table(name: &str, subnets: &[&str], routes: Vec<(&str, RouteTarget)>) -> RouteTable {
        let routes = routes.into_iter().map(|(to, target)| RoutePlan { destination: cidr(to), target }).collect();
        RouteTable { name: name.into(), subnets: subnets.iter().map(ToString::to_string).collect(), routes }
    }

    fn private(tables: Vec<RouteTable>) -> NetworkPlan {
        let aws = AwsPlan {
            region: "us-west-2".into(),
            vpc: Vpc::Owned {
                cidr: cidr("172.20.0.0/16"),
                additional: Vec::new(),
                ipv6: false,
                dhcp_domain: "us-west-2.compute.internal".into(),
            },
            internet_gateway: Some(Gateway::Owned),
            egress_only_gateway: false,
            subnets: vec![
                subnet("us-west-2a", "us-west-2a", SubnetType::Private, "172.20.32.0/19"),
                subnet("utility-us-west-2a", "us-west-2a", SubnetType::Utility, "172.20.0.0/22"),
            ],
            nat_gateways: vec![NatGateway {
                name: "us-west-2a".into(),
                subnet: "utility-us-west-2a".into(),
                address: Gateway::Owned,
                public_ip: None,
            }],
            route_tables: tables,
            endpoints: crate::declare::Endpoints::default(),
            tags: Vec::new(),
        };
        NetworkPlan { name: "prod".into(), mtu: 9001, cidrs: vec![cidr("172.20.0.0/16")], aws: Some(aws) }
    }

    /// A network with one private zone.
    pub(crate) fn vpc() -> NetworkPlan {
        private(Vec::new())
    }

    fn draw(network: &NetworkPlan) -> String {
        topology(network, cidr("100.96.0.0/11"), cidr("100.64.0.0/13"))
    }

    #[test]
    fn a_private_zone_leaves_through_its_nat_gateway() {
        let nat = RouteTarget::NatGateway(NatTarget::Planned("us-west-2a".into()));
        let network = private(vec![
            table("private-us-west-2a", &["us-west-2a"], vec![("0.0.0.0/0", nat)]),
            table("public", &["utility-us-west-2a"], vec![("0.0.0.0/0", RouteTarget::InternetGateway(Gateway::Owned))]),
        ]);
        let expected = r#"flowchart TB
  internet(["internet"])
  subgraph vpc["VPC prod<br/>172.20.0.0/16"]
    igw["internet gateway"]
    subgraph zone0["us-west-2a"]
      subnet0["us-west-2a<br/>private<br/>172.20.32.0/19"]
      subnet1["utility-us-west-2a<br/>utility<br/>172.20.0.0/22"]
      nat0["NAT gateway<br/>in utility-us-west-2a"]
    end
  end
  subnet0 --> nat0
  subnet1 --> igw
  nat0 --> igw
  igw --> internet
"#;
        assert_eq!(draw(&network), expected);
    }

    #[test]
    fn targets_outside_are_drawn_once_and_other_destinations_are_labelled() {
        let gateway = || RouteTarget::TransitGateway("tgw-0abc".into());
        let routes = vec![("0.0.0.0/0", gateway()), ("10.0.0.0/8", gateway())];
        let text = draw(&private(vec![table("private-us-west-2a", &["us-west-2a"], routes)]));
        assert_eq!(text.matches("tgw-0abc").count(), 1, "{text}");
        assert!(text.contains("  subnet0 --> out0\n  subnet0 -->|\"10.0.0.0/8\"| out0\n"), "{text}");
    }

    #[test]
    fn premises_show_nodes_pods_and_services() {
        let cidrs = vec![cidr("10.20.0.0/24"), cidr("10.30.0.0/16")];
        let network = NetworkPlan { name: "office".into(), mtu: 1500, cidrs, aws: None };
        let text = draw(&network);
        assert!(
            text.contains("range0[\"nodes<br/>10.20.0.0/24\"]") && text.contains("range1[\"routed<br/>10.30.0.0/16\"]"),
            "{text}"
        );
        assert!(text.contains("range0 --- pods\n"), "{text}");
    }

    #[test]
    fn text_cannot_leave_its_label() {
        assert_eq!(
            label(&["a\"] --> b", "%%{init}%%\n```"]),
            "\"a#34;#93; --#62; b<br/>#37;#37;#123;init#125;#37;#37; #96;#96;#96;\""
        );
    }
}
