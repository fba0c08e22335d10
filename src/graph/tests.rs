//! What networks are drawn as.

use super::mermaid::{label, topology};
use super::*;
use crate::plan::{AwsPlan, Gateway, NatGateway, NatTarget, NetworkPlan, RoutePlan, RouteTable, RouteTarget, Subnet, Vpc};

fn cidr(text: &str) -> Cidr {
    text.parse().unwrap_or_else(|_| panic!("{text}"))
}

fn subnet(name: &str, zone: &str, kind: SubnetType, range: &str) -> Subnet {
    Subnet { name: name.into(), zone: zone.into(), kind, cidr: Some(cidr(range)), ipv6: None, id: None, tags: Vec::new() }
}

fn table(name: &str, subnets: &[&str], routes: Vec<(&str, RouteTarget)>) -> RouteTable {
    let routes = routes.into_iter().map(|(to, target)| RoutePlan { destination: cidr(to), target }).collect();
    RouteTable { name: name.into(), subnets: subnets.iter().map(ToString::to_string).collect(), routes, tags: Vec::new() }
}

fn private(tables: Vec<RouteTable>) -> NetworkPlan {
    let aws = AwsPlan {
        region: "us-west-2".into(),
        topology: crate::declare::Topology::Private,
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
    topology(&Graph::new(network).with_ranges(cidr("100.96.0.0/11"), cidr("100.64.0.0/13")))
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

/// A private network of two zones that share a NAT gateway and have a transit gateway, with hostile names.
fn hostile() -> NetworkPlan {
    let nat = || RouteTarget::NatGateway(NatTarget::Planned("us-west-2a".into()));
    let transit = RouteTarget::TransitGateway("tgw-0abc".into());
    let mut network = private(vec![
        table("private-us-west-2a", &["us-west-2a"], vec![("0.0.0.0/0", nat()), ("10.0.0.0/8", transit)]),
        table("private-us-west-2b", &["x\"]</text><script>&"], vec![("0.0.0.0/0", nat())]),
        table("public", &["utility-us-west-2a"], vec![("0.0.0.0/0", RouteTarget::InternetGateway(Gateway::Owned))]),
    ]);
    if let Some(aws) = &mut network.aws {
        aws.subnets.push(subnet("x\"]</text><script>&", "us-west-2b", SubnetType::Private, "172.20.64.0/19"));
    }
    network
}

#[test]
fn text_is_text_in_every_language() {
    let graph = Graph::new(&hostile());
    let (svg, dot, mermaid) = (svg::write(&graph), dot::write(&graph), mermaid::write(&graph));
    assert!(svg.contains("x&quot;]&lt;/text&gt;&lt;script&gt;&amp;") && !svg.contains("<script"), "{svg}");
    assert!(dot.contains("x\\\"]</text><script>&amp;"), "{dot}");
    assert!(mermaid.contains("x#34;#93;#60;/text#62;#60;script#62;#38;"), "{mermaid}");
}

/// Places and sizes of the boxes of a class.
fn boxes(svg: &str, classes: &[&str]) -> Vec<[f64; 4]> {
    let number = |line: &str, name: &str| -> f64 {
        let text = line.split(&format!(" {name}=\"")).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        text.parse().unwrap_or_else(|_| panic!("{line}"))
    };
    let of_class = |line: &&str| classes.iter().any(|class| line.starts_with(&format!("<rect class=\"{class}\" x=")));
    let area = |line: &str| ["x", "y", "width", "height"].map(|name| number(line, name));
    svg.lines().filter(of_class).map(area).collect()
}

#[test]
fn boxes_of_one_level_do_not_overlap() {
    let mut network = hostile();
    let svg = svg::write(&Graph::new(&network));
    for classes in [&["public", "private", "card"][..], &["zone", "card"], &["gate"]] {
        let boxes = boxes(&svg, classes);
        for (at, [ax, ay, aw, ah]) in boxes.iter().enumerate() {
            for [bx, by, bw, bh] in &boxes[at + 1..] {
                let apart = ax + aw <= *bx || bx + bw <= *ax || ay + ah <= *by || by + bh <= *ay;
                assert!(apart, "{ax},{ay} and {bx},{by} in {svg}");
            }
        }
    }
    if let Some(aws) = &mut network.aws {
        aws.subnets.clear();
        aws.route_tables.clear();
        aws.nat_gateways.clear();
    }
    assert!(svg::write(&Graph::new(&network)).ends_with("</svg>\n"));
}
