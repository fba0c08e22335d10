//! The picture in Graphviz's language.
//!
//! Identifiers are counted, and text from declarations stands in quoted strings only, with quotes and backslashes escaped.

use std::fmt::Write;

use super::mermaid::ids;
use super::{ClusterView, EndKind, Graph, Place, VpcView, Way, kind};

const HEAD: &str = "  rankdir=TB\n  fontname=\"sans-serif\"\n  node [shape=box, style=rounded, fontname=\"sans-serif\"]\n  \
                    edge [fontname=\"sans-serif\", fontsize=10]\n";

/// A digraph of everything in the picture.
#[must_use]
pub fn write(graph: &Graph) -> String {
    let mut out = format!("digraph netloom {{\n{HEAD}");
    match &graph.place {
        Place::Vpc(view) => vpc(&mut out, &graph.network, view),
        Place::Premises(ranges) => {
            open(&mut out, 1, "premises", &[&graph.network]);
            for (at, range) in ranges.iter().enumerate() {
                node(&mut out, 2, &format!("range{at}"), &[if at == 0 { "nodes" } else { "routed" }, &range.to_string()]);
            }
            out.push_str("  }\n");
        }
    }
    if let Some(view) = graph.cluster.as_ref().filter(|view| !view.name.is_empty()) {
        cluster(&mut out, view);
    }
    out.push_str("}\n");
    out
}

fn vpc(out: &mut String, name: &str, view: &VpcView) {
    out.push_str("  internet [label=\"internet\", shape=ellipse]\n");
    let title = view.id.as_ref().map_or_else(|| format!("VPC {name}"), |id| format!("VPC {name} ({id})"));
    open(out, 1, "vpc", &[&title, &view.ranges.join(", ")]);
    let ids = ids(view);
    for (end, id) in view.ends.iter().zip(&ids) {
        if matches!(end.kind, EndKind::Internet | EndKind::EgressOnly) {
            node(out, 2, id, &lines(&end.lines));
        }
    }
    if !view.endpoints.is_empty() {
        node(out, 2, "endpoints", &["VPC endpoints", &view.endpoints.join(", ")]);
    }
    for (at, zone) in view.zones.iter().enumerate() {
        open(out, 2, &format!("zone{at}"), &[zone]);
        for (index, subnet) in view.subnets.iter().enumerate().filter(|(_, subnet)| subnet.zone == at) {
            let mut label = vec![subnet.name.as_str(), kind(subnet.kind)];
            label.extend(subnet.details.iter().map(String::as_str));
            node(out, 3, &format!("subnet{index}"), &label);
            for (end, id) in view.ends.iter().zip(&ids).filter(|(end, _)| end.kind == EndKind::Nat(index)) {
                node(out, 3, id, &lines(&end.lines));
            }
        }
        out.push_str("    }\n");
    }
    out.push_str("  }\n");
    for (end, id) in view.ends.iter().zip(&ids).filter(|(end, _)| end.kind == EndKind::Outside) {
        node(out, 1, id, &lines(&end.lines));
    }
    for (at, table) in view.tables.iter().enumerate() {
        let title = format!("route table {}", table.name);
        let routes: Vec<String> = table.routes.iter().map(|(to, end)| format!("{to} → {end}")).collect();
        let label: Vec<&str> = std::iter::once(title.as_str()).chain(routes.iter().map(String::as_str)).collect();
        node(out, 1, &format!("table{at}"), &label);
        for (subnet, _) in view.subnets.iter().enumerate().filter(|(_, subnet)| table.subnets.contains(&subnet.name)) {
            _ = writeln!(out, "  table{at} -> subnet{subnet} [style=dotted, arrowhead=none]");
        }
    }
    edges(out, view, &ids);
}

fn edges(out: &mut String, view: &VpcView, ids: &[String]) {
    for Way { subnet, end, destination } in &view.ways {
        let Some(id) = ids.get(*end) else { continue };
        let label = destination.as_ref().map(|to| format!(" [label={}]", quoted(&[to]))).unwrap_or_default();
        _ = writeln!(out, "  subnet{subnet} -> {id}{label}");
    }
    let internet = view.ends.iter().any(|end| end.kind == EndKind::Internet);
    for (end, id) in view.ends.iter().zip(ids) {
        match end.kind {
            EndKind::Nat(_) if internet => _ = writeln!(out, "  {id} -> igw"),
            EndKind::Internet | EndKind::EgressOnly => _ = writeln!(out, "  {id} -> internet"),
            EndKind::Nat(_) | EndKind::Outside => {}
        }
    }
}

fn cluster(out: &mut String, view: &ClusterView) {
    open(out, 1, "cluster", &["cluster", &view.name]);
    let label: Vec<&str> = std::iter::once(view.provider.as_str()).chain(view.encapsulation.iter().map(String::as_str)).collect();
    node(out, 2, "provider", &label);
    node(out, 2, "pods", &["pods", &view.pods]);
    node(out, 2, "services", &["services", &view.services]);
    for (at, [title, detail]) in view.dns.iter().enumerate() {
        node(out, 2, &format!("dns{at}"), &[title, detail]);
    }
    for (at, group) in view.groups.iter().enumerate() {
        let rules = group.rules.iter().map(|rule| format!("{} from {}: {}", rule.protocol, rule.from, rule.name));
        let rules: Vec<String> = rules.collect();
        let label: Vec<&str> = std::iter::once(group.title.as_str()).chain(rules.iter().map(String::as_str)).collect();
        node(out, 2, &format!("group{at}"), &label);
    }
    out.push_str("  }\n  provider -> pods [arrowhead=none]\n  pods -> services\n");
    for at in 1..view.dns.len() {
        _ = writeln!(out, "  dns{} -> dns{at}", at - 1);
    }
}

fn lines(lines: &[String]) -> Vec<&str> {
    lines.iter().map(String::as_str).collect()
}

fn open(out: &mut String, depth: usize, id: &str, lines: &[&str]) {
    let indent = depth * 2;
    _ = writeln!(out, "{:indent$}subgraph cluster_{id} {{\n{:indent$}  label={}", "", "", quoted(lines));
}

fn node(out: &mut String, depth: usize, id: &str, lines: &[&str]) {
    _ = writeln!(out, "{:indent$}{id} [label={}]", "", quoted(lines), indent = depth * 2);
}

/// A quoted string of several lines, without the empty ones. A backslash begins an escape in labels, so each is doubled; `&` begins
/// an entity.
pub(super) fn quoted(lines: &[&str]) -> String {
    let plain = |line: &&&str| !line.is_empty();
    let escape = |line: &&str| -> String {
        let text = line.replace('\\', "\\\\").replace('"', "\\\"").replace('&', "&amp;");
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    };
    let lines: Vec<String> = lines.iter().filter(plain).map(escape).collect();
    format!("\"{}\"", lines.join("\\n"))
}
