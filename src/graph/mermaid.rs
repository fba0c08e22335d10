//! The picture as a mermaid diagram, which GitHub, GitLab and most viewers of Markdown draw.
//!
//! Identifiers are counted, and text from declarations stands in quoted labels only, escaped as mermaid's entity codes.

use std::fmt::Write;

use super::{ClusterView, EndKind, Graph, Place, VpcView, Way, kind};
use crate::address::Cidr;

/// A flowchart of the network alone, with the ranges of pods and services where no VPC says what runs where.
#[must_use]
pub fn topology(graph: &Graph) -> String {
    let mut out = String::from("flowchart TB\n");
    match &graph.place {
        Place::Vpc(view) => vpc(&mut out, &graph.network, view),
        Place::Premises(ranges) => premises(&mut out, &graph.network, ranges, graph.cluster.as_ref()),
    }
    out
}

/// A flowchart of everything in the picture.
#[must_use]
pub fn write(graph: &Graph) -> String {
    let mut out = topology(graph);
    if let Place::Vpc(view) = &graph.place {
        for (at, table) in view.tables.iter().enumerate() {
            let routes: Vec<String> = table.routes.iter().map(|(to, end)| format!("{to} → {end}")).collect();
            let title = format!("route table {}", table.name);
            let lines: Vec<&str> = std::iter::once(title.as_str()).chain(routes.iter().map(String::as_str)).collect();
            node(&mut out, 1, &format!("table{at}"), &lines);
            for (subnet, _) in view.subnets.iter().enumerate().filter(|(_, subnet)| table.subnets.contains(&subnet.name)) {
                _ = writeln!(out, "  table{at} -.- subnet{subnet}");
            }
        }
        if !view.endpoints.is_empty() {
            node(&mut out, 1, "endpoints", &["VPC endpoints", &view.endpoints.join(", ")]);
        }
    }
    if let Some(view) = graph.cluster.as_ref().filter(|view| !view.name.is_empty()) {
        cluster(&mut out, view, matches!(graph.place, Place::Vpc(_)));
    }
    out
}

fn cluster(out: &mut String, view: &ClusterView, in_vpc: bool) {
    open(out, 1, "cluster", &["cluster", &view.name]);
    let lines: Vec<&str> = std::iter::once(view.provider.as_str()).chain(view.encapsulation.iter().map(String::as_str)).collect();
    node(out, 2, "provider", &lines);
    if in_vpc {
        node(out, 2, "pods", &["pods", &view.pods]);
        node(out, 2, "services", &["services", &view.services]);
    }
    for (at, [title, detail]) in view.dns.iter().enumerate() {
        node(out, 2, &format!("dns{at}"), &[title, detail]);
    }
    for (at, group) in view.groups.iter().enumerate() {
        let rules = group.rules.iter().map(|rule| format!("{} from {}: {}", rule.protocol, rule.from, rule.name));
        let rules: Vec<String> = rules.collect();
        let lines: Vec<&str> = std::iter::once(group.title.as_str()).chain(rules.iter().map(String::as_str)).collect();
        node(out, 2, &format!("group{at}"), &lines);
    }
    close(out, 1);
    out.push_str("  provider --- pods\n");
    if in_vpc {
        out.push_str("  pods --> services\n");
    }
    for at in 1..view.dns.len() {
        _ = writeln!(out, "  dns{} --> dns{at}", at - 1);
    }
}

fn premises(out: &mut String, name: &str, ranges: &[Cidr], cluster: Option<&ClusterView>) {
    open(out, 1, "premises", &[name]);
    for (at, range) in ranges.iter().enumerate() {
        let what = if at == 0 { "nodes" } else { "routed" };
        node(out, 2, &format!("range{at}"), &[what, &range.to_string()]);
    }
    close(out, 1);
    let Some(cluster) = cluster else { return };
    open(out, 1, "inside", &["inside the cluster"]);
    node(out, 2, "pods", &["pods", &cluster.pods]);
    node(out, 2, "services", &["services", &cluster.services]);
    close(out, 1);
    out.push_str("  range0 --- pods\n  pods --> services\n");
}

fn vpc(out: &mut String, name: &str, view: &VpcView) {
    out.push_str("  internet([\"internet\"])\n");
    let title = match &view.id {
        None => format!("VPC {name}"),
        Some(id) => format!("VPC {name} ({id})"),
    };
    open(out, 1, "vpc", &[&title, &view.ranges.join(", ")]);
    let ids = ids(view);
    for (end, id) in view.ends.iter().zip(&ids) {
        if matches!(end.kind, EndKind::Internet | EndKind::EgressOnly) {
            node(out, 2, id, &lines(&end.lines));
        }
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
        close(out, 2);
    }
    close(out, 1);
    ways_out(out, view, &ids);
}

/// The identifiers of the ends of routes.
pub(super) fn ids(view: &VpcView) -> Vec<String> {
    let (mut nats, mut outside) = (0, 0);
    let next = |number: &mut usize, name: &str| {
        *number += 1;
        format!("{name}{}", *number - 1)
    };
    let ids = view.ends.iter().map(|end| match end.kind {
        EndKind::Internet => "igw".to_owned(),
        EndKind::EgressOnly => "eigw".to_owned(),
        EndKind::Nat(_) => next(&mut nats, "nat"),
        EndKind::Outside => next(&mut outside, "out"),
    });
    ids.collect()
}

/// An edge for each route of each subnet, and what the gateways lead to.
fn ways_out(out: &mut String, view: &VpcView, ids: &[String]) {
    let mut drawn = Vec::new();
    for Way { subnet, end, destination } in &view.ways {
        let (Some(to), Some(id)) = (view.ends.get(*end), ids.get(*end)) else { continue };
        if to.kind == EndKind::Outside && !drawn.contains(&end) {
            drawn.push(end);
            node(out, 1, id, &lines(&to.lines));
        }
        let label = destination.as_ref().map(|to| format!("|{}|", label(&[to]))).unwrap_or_default();
        _ = writeln!(out, "  subnet{subnet} -->{label} {id}");
    }
    let internet = view.ends.iter().any(|end| end.kind == EndKind::Internet);
    for (_, id) in view.ends.iter().zip(ids).filter(|(end, _)| matches!(end.kind, EndKind::Nat(_)) && internet) {
        _ = writeln!(out, "  {id} --> igw");
    }
    for (_, id) in view.ends.iter().zip(ids).filter(|(end, _)| matches!(end.kind, EndKind::Internet | EndKind::EgressOnly)) {
        _ = writeln!(out, "  {id} --> internet");
    }
}

fn lines(lines: &[String]) -> Vec<&str> {
    lines.iter().map(String::as_str).collect()
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
pub(super) fn label(lines: &[&str]) -> String {
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
