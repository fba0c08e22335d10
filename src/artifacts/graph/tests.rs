//! What networks are drawn as.

use super::mermaid::{label, topology};
use super::*;
use model::plan::{Gateway, NatTarget, NetworkPlan, RouteTarget};
use testing::networks::{cidr, private, subnet, table, zones};

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
        label(&["a\"] --> b".into(), "%%{init}%%\n```".into()]),
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

fn number(line: &str, name: &str) -> f64 {
    let text = line.split(&format!(" {name}=\"")).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    text.parse().unwrap_or_else(|_| panic!("{name} in {line}"))
}

/// Left, top, right and bottom.
type Edges = [f64; 4];

/// Where each box is, and each text with the text.
fn laid_out(svg: &str) -> (Vec<Edges>, Vec<(Edges, String)>) {
    let (mut boxes, mut texts) = (Vec::new(), Vec::new());
    for line in svg.lines() {
        if line.starts_with("<rect class=\"") && line.contains(" rx=") {
            let [x, y, width, height] = ["x", "y", "width", "height"].map(|name| number(line, name));
            boxes.push([x, y, x + width, y + height]);
        }
        if let Some(class) = line.strip_prefix("<text class=\"").and_then(|rest| rest.split('"').next()) {
            let text = line.split('>').nth(1).and_then(|rest| rest.split('<').next()).unwrap_or_default();
            let text = text
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&#39;", "'")
                .replace("&amp;", "&");
            let (x, y) = (number(line, "x"), number(line, "y"));
            texts.push(([x, y - 11.0, x + svg::extent(class, &text), y + 4.0], text));
        }
    }
    (boxes, texts)
}

fn apart(a: &Edges, b: &Edges) -> bool {
    a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1]
}

fn inside(inner: &Edges, outer: &Edges) -> bool {
    inner[0] >= outer[0] && inner[1] >= outer[1] && inner[2] <= outer[2] && inner[3] <= outer[3]
}

/// Every picture that a test looks at, with marks and without.
fn pictures() -> Vec<(&'static str, Graph)> {
    let long = "a-network-with-a-name-as-long-as-names-can-be-and-then-some-more";
    let draw = |network: &NetworkPlan| Graph::new(network);
    let mut bare = hostile();
    if let Some(aws) = &mut bare.aws {
        (aws.subnets, aws.route_tables, aws.nat_gateways) = Default::default();
    }
    let base = |graph: Graph| Graph { base: Some("compared with main (merge base 0123456789)".into()), ..graph };
    vec![
        ("three zones", draw(&zones(3, false, "prod"))),
        ("six zones that share a gateway", draw(&zones(6, true, "prod"))),
        ("four zones and a long name", draw(&zones(4, false, long))),
        ("hostile names", draw(&hostile())),
        ("no subnets", draw(&bare)),
        ("one zone less", base(draw(&zones(3, false, long)).compared_with(&draw(&zones(4, true, "prod"))))),
        ("everything else", base(draw(&zones(3, true, "prod")).compared_with(&draw(&hostile())))),
    ]
}

#[test]
fn text_stays_in_its_box_and_clear_of_other_text() {
    for (name, graph) in pictures() {
        let svg = svg::write(&graph);
        let (boxes, texts) = laid_out(&svg);
        let page = [0.0, 0.0, number(&svg, "width"), number(&svg, "height")];
        for (at, (place, text)) in texts.iter().enumerate() {
            assert!(inside(place, &page), "{name}: {text} leaves the page");
            let cut = boxes.iter().find(|one| !apart(place, one) && !inside(place, one));
            assert_eq!(cut, None, "{name}: {text} at {place:?} crosses a border");
            let under = texts.iter().skip(at + 1).find(|(other, _)| !apart(place, other));
            assert_eq!(under, None, "{name}: {text} at {place:?} lies on other text");
        }
        for (at, one) in boxes.iter().enumerate() {
            let crossed = boxes.iter().skip(at + 1).find(|other| !apart(one, other) && !inside(other, one));
            assert_eq!(crossed, None, "{name}: {one:?} crosses another box");
        }
    }
}

#[test]
fn a_picture_is_no_wider_than_a_page() {
    for (name, graph) in pictures() {
        assert_eq!(number(&svg::write(&graph), "width"), 1200.0, "{name}");
    }
}

#[test]
fn what_is_drawn_needs_no_network() {
    for (name, graph) in pictures() {
        let svg = svg::write(&graph).replace("http://www.w3.org/2000/svg", "");
        for word in ["://", "href", "url(", "@import", "<script", "<image", "<foreignObject", " on"] {
            let tags: String = svg.split('<').filter_map(|tag| tag.split('>').next()).collect::<Vec<_>>().join("<");
            assert!(!tags.contains(word), "{name}: {word}");
        }
    }
}

#[test]
fn marks_are_told_by_sign_and_form() {
    let graph = Graph::new(&zones(2, false, "prod")).compared_with(&Graph::new(&zones(3, true, "prod")));
    let graph = Graph { base: Some("compared with main".into()), ..graph };
    let (svg, dot, mermaid) = (svg::write(&graph), dot::write(&graph), mermaid::write(&graph));
    for (language, text, parts) in [
        ("svg", &svg, ["<rect class=\"private removed\"", ">− us-west-2c<", "<rect class=\"gate added\"", ">+ NAT gateway<"]),
        ("dot", &dot, ["label=\"− us-west-2c", "style=\"rounded,dashed\"", "label=\"+ NAT gateway", "style=\"rounded,bold\""]),
        ("mermaid", &mermaid, ["[\"− us-west-2c", ":::removed", "[\"#43; NAT gateway", "subnet2 ==>|\"#43;\"| nat1"]),
    ] {
        for part in parts {
            assert!(text.contains(part), "{language}: {part} in {text}");
        }
    }
    assert!(mermaid.ends_with("  class zone2 removed\n"), "{mermaid}");
    assert!(svg.contains(">~ route table public<") && svg.contains(">− utility-us-west-2c<"), "{svg}");
}

/// Without what is new a comparison is the older picture, without what is gone the newer one.
#[test]
fn both_sides_come_out_of_a_comparison() {
    let (before, after) = (zones(3, true, "prod"), zones(4, false, "prod"));
    let both = Graph::new(&after).compared_with(&Graph::new(&before));
    let plain = |graph: Graph| {
        let mut text = mermaid::topology(&graph);
        for (marked, unmarked) in
            [("|\"−\"|", ""), ("|\"#43;\"|", ""), ("==>", "-->"), ("-.->", "-->"), ("#43; ", ""), ("− ", ""), ("~ ", "")]
        {
            text = text.replace(marked, unmarked);
        }
        [":::added", ":::removed", ":::changed"].into_iter().fold(text, |text, class| text.replace(class, ""))
    };
    assert_eq!(plain(both.clone().without(Mark::Added)), mermaid::topology(&Graph::new(&before)));
    assert_eq!(plain(both.without(Mark::Removed)), mermaid::topology(&Graph::new(&after)));
}
