//! The picture as a mermaid diagram, which GitHub, GitLab and most viewers of Markdown draw.
//!
//! Identifiers are counted, and text from declarations stands in quoted labels only, escaped as mermaid's entity codes. A mark is
//! the sign before a text, a class of boxes, and the form of an arrow.

use std::fmt::Write;

use super::{ClusterView, EndKind, Graph, Line, Mark, Place, RangeView, VpcView, Way, words};

/// Borders that can be seen in mermaid's light and dark themes.
const CLASSES: &str = "  classDef added stroke:#2da44e,stroke-width:3px\n  classDef removed stroke:#cf222e,stroke-dasharray:6 4\n  \
                       classDef changed stroke:#bf8700,stroke-width:3px,stroke-dasharray:2 3\n";

/// A flowchart of the network alone, with the ranges of pods and services where no VPC says what runs where.
#[must_use]
pub fn topology(graph: &Graph) -> String {
    let mut out = String::from("flowchart TB\n");
    match &graph.place {
        Place::Vpc(view) => vpc(&mut out, &words(&graph.network, " "), view),
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
            let title = Line::new(format!("route table {}", table.name), table.mark);
            node(&mut out, 1, &format!("table{at}"), table.mark, std::iter::once(&title).chain(&table.routes));
            for (subnet, _) in view.subnets.iter().enumerate().filter(|(_, subnet)| table.has(subnet)) {
                _ = writeln!(out, "  table{at} -.- subnet{subnet}");
            }
        }
        if !view.endpoints.is_empty() {
            let lines = ["VPC endpoints".into(), words(&view.endpoints, ", ").into()];
            node(&mut out, 1, "endpoints", Mark::of(&view.endpoints), &lines);
        }
    }
    if let Some(view) = graph.cluster.as_ref().filter(|view| !view.name.is_empty()) {
        cluster(&mut out, view, matches!(graph.place, Place::Vpc(_)));
    }
    if let Some(base) = &graph.base {
        let legend = Mark::LEGEND.map(|(mark, meaning)| Line::new(meaning, mark));
        node(&mut out, 1, "legend", Mark::Same, std::iter::once(&base.as_str().into()).chain(&legend));
        out.push_str(CLASSES);
        subgraphs(&mut out, graph);
    }
    out
}

/// The classes of subgraphs, which have to be complete when they get one.
fn subgraphs(out: &mut String, graph: &Graph) {
    let mut class = |id: &str, mark: Mark| {
        mark.class().into_iter().for_each(|class| _ = writeln!(out, "  class {id} {class}"));
    };
    if let Place::Vpc(view) = &graph.place {
        view.zones.iter().enumerate().for_each(|(at, zone)| class(&format!("zone{at}"), zone.mark));
    }
    graph.cluster.iter().for_each(|view| class("cluster", view.mark));
}

fn cluster(out: &mut String, view: &ClusterView, in_vpc: bool) {
    open(out, 1, "cluster", &["cluster".into(), view.name.as_str().into()]);
    let provider = Mark::of(view.provider.iter().chain(&view.encapsulation));
    node(out, 2, "provider", provider, view.provider.iter().chain(&view.encapsulation));
    if in_vpc {
        addresses(out, view);
    }
    for (at, step) in view.dns.iter().enumerate() {
        node(out, 2, &format!("dns{at}"), step.mark, &step.lines());
    }
    for (at, group) in view.groups.iter().enumerate() {
        node(out, 2, &format!("group{at}"), group.mark, &group.lines());
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

fn addresses(out: &mut String, view: &ClusterView) {
    for (name, lines) in [("pods", &view.pods), ("services", &view.services)] {
        node(out, 2, name, Mark::of(lines), std::iter::once(&name.into()).chain(lines));
    }
}

fn premises(out: &mut String, name: &[Line], ranges: &[RangeView], cluster: Option<&ClusterView>) {
    open(out, 1, "premises", name);
    for (at, RangeView { what, range }) in ranges.iter().enumerate() {
        node(out, 2, &format!("range{at}"), range.mark, [&(*what).into(), range]);
    }
    close(out, 1);
    let Some(cluster) = cluster else { return };
    open(out, 1, "inside", &["inside the cluster".into()]);
    addresses(out, cluster);
    close(out, 1);
    out.push_str("  range0 --- pods\n  pods --> services\n");
}

fn vpc(out: &mut String, name: &str, view: &VpcView) {
    out.push_str("  internet([\"internet\"])\n");
    let title = match words(&view.id, " ") {
        id if id.is_empty() => format!("VPC {name}"),
        id => format!("VPC {name} ({id})"),
    };
    open(out, 1, "vpc", &[title.into(), words(&view.ranges, ", ").into()]);
    let ids = ids(view);
    for (end, id) in view.ends.iter().zip(&ids) {
        if matches!(end.kind, EndKind::Internet | EndKind::EgressOnly) {
            node(out, 2, id, end.mark, &end.signed());
        }
    }
    for (at, zone) in view.zones.iter().enumerate() {
        open(out, 2, &format!("zone{at}"), std::slice::from_ref(zone));
        for (index, subnet) in view.subnets.iter().enumerate().filter(|(_, subnet)| subnet.zone == at) {
            let name = Line::new(&*subnet.name, subnet.mark);
            node(out, 3, &format!("subnet{index}"), subnet.mark, std::iter::once(&name).chain(&subnet.details));
            for (end, id) in view.ends.iter().zip(&ids).filter(|(end, _)| end.kind == EndKind::Nat(index)) {
                node(out, 3, id, end.mark, &end.signed());
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
    for Way { subnet, end, destination, mark } in &view.ways {
        let (Some(to), Some(id)) = (view.ends.get(*end), ids.get(*end)) else { continue };
        if to.kind == EndKind::Outside && !drawn.contains(&end) {
            drawn.push(end);
            node(out, 1, id, to.mark, &to.signed());
        }
        let words = match (destination, mark.class()) {
            (Some(to), _) => Some(Line::new(to, *mark)),
            (None, class) => class.map(|_| Line::new("", *mark)),
        };
        let label = words.map(|words| format!("|{}|", label([&words]))).unwrap_or_default();
        _ = writeln!(out, "  subnet{subnet} {}{label} {id}", arrow(*mark));
    }
    let internet = view.ends.iter().any(|end| end.kind == EndKind::Internet);
    for (end, id) in view.ends.iter().zip(ids).filter(|(end, _)| matches!(end.kind, EndKind::Nat(_)) && internet) {
        _ = writeln!(out, "  {id} {} igw", arrow(end.mark));
    }
    for (end, id) in view.ends.iter().zip(ids).filter(|(end, _)| matches!(end.kind, EndKind::Internet | EndKind::EgressOnly)) {
        _ = writeln!(out, "  {id} {} internet", arrow(end.mark));
    }
}

/// An arrow: a thick one for what is new, a dotted one for what is gone.
fn arrow(mark: Mark) -> &'static str {
    match mark {
        Mark::Added => "==>",
        Mark::Removed => "-.->",
        Mark::Same | Mark::Changed => "-->",
    }
}

/// What comes behind the identifier of a box.
fn class(mark: Mark) -> String {
    mark.class().map(|class| format!(":::{class}")).unwrap_or_default()
}

fn open(out: &mut String, depth: usize, id: &str, lines: &[Line]) {
    _ = writeln!(out, "{:indent$}subgraph {id}[{}]", "", label(lines), indent = depth * 2);
}

fn close(out: &mut String, depth: usize) {
    _ = writeln!(out, "{:indent$}end", "", indent = depth * 2);
}

fn node<'l>(out: &mut String, depth: usize, id: &str, mark: Mark, lines: impl IntoIterator<Item = &'l Line>) {
    _ = writeln!(out, "{:indent$}{id}[{}]{}", "", label(lines), class(mark), indent = depth * 2);
}

/// A quoted label of several lines, without the empty ones.
pub(super) fn label<'l>(lines: impl IntoIterator<Item = &'l Line>) -> String {
    let lines = lines.into_iter().map(Line::signed).filter(|line| !line.is_empty());
    format!("\"{}\"", lines.map(|line| escape(&line)).collect::<Vec<_>>().join("<br/>"))
}

/// Text that mermaid shows as it is: whatever ends a label, or means something in it, as an entity code.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\'' | '<' | '>' | '&' | '#' | ';' | '`' | '%' | '{' | '}' | '[' | ']' | '(' | ')' | '|' | '\\' | '+' => {
                _ = write!(out, "#{};", u32::from(c));
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
