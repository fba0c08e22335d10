//! The picture in Graphviz's language.
//!
//! Identifiers are counted, and text from declarations stands in quoted strings only, with quotes and backslashes escaped. A mark is
//! the sign before a text, and the form and colour of a line.

use std::fmt::Write;

use super::mermaid::ids;
use super::{ClusterView, EndKind, Graph, Line, Mark, Place, RangeView, VpcView, Way, words};

const HEAD: &str = "  rankdir=TB\n  fontname=\"sans-serif\"\n  node [shape=box, style=rounded, fontname=\"sans-serif\"]\n  \
                    edge [fontname=\"sans-serif\", fontsize=10]\n";

/// A digraph of everything in the picture.
#[must_use]
pub fn write(graph: &Graph) -> String {
    let mut out = format!("digraph netloom {{\n{HEAD}");
    match &graph.place {
        Place::Vpc(view) => vpc(&mut out, &words(&graph.network, " "), view),
        Place::Premises(ranges) => {
            open(&mut out, 1, "premises", Mark::of(&graph.network), &graph.network);
            for (at, RangeView { what, range }) in ranges.iter().enumerate() {
                node(&mut out, 2, &format!("range{at}"), range.mark, [&(*what).into(), range]);
            }
            out.push_str("  }\n");
        }
    }
    if let Some(view) = graph.cluster.as_ref().filter(|view| !view.name.is_empty()) {
        cluster(&mut out, view);
    }
    if let Some(base) = &graph.base {
        let legend = Mark::LEGEND.map(|(mark, meaning)| Line::new(meaning, mark));
        node(&mut out, 1, "legend", Mark::Same, std::iter::once(&base.as_str().into()).chain(&legend));
    }
    out.push_str("}\n");
    out
}

fn vpc(out: &mut String, name: &str, view: &VpcView) {
    out.push_str("  internet [label=\"internet\", shape=ellipse]\n");
    let id = words(&view.id, " ");
    let title = if id.is_empty() { format!("VPC {name}") } else { format!("VPC {name} ({id})") };
    // What a graph looks like is handed down to the graphs in it; the signs say enough.
    open(out, 1, "vpc", Mark::Same, &[title.into(), words(&view.ranges, ", ").into()]);
    let ids = ids(view);
    for (end, id) in view.ends.iter().zip(&ids) {
        if matches!(end.kind, EndKind::Internet | EndKind::EgressOnly) {
            node(out, 2, id, end.mark, &end.signed());
        }
    }
    if !view.endpoints.is_empty() {
        let lines = ["VPC endpoints".into(), words(&view.endpoints, ", ").into()];
        node(out, 2, "endpoints", Mark::of(&view.endpoints), &lines);
    }
    for (at, zone) in view.zones.iter().enumerate() {
        open(out, 2, &format!("zone{at}"), zone.mark, std::slice::from_ref(zone));
        for (index, subnet) in view.subnets.iter().enumerate().filter(|(_, subnet)| subnet.zone == at) {
            let name = Line::new(&*subnet.name, subnet.mark);
            node(out, 3, &format!("subnet{index}"), subnet.mark, std::iter::once(&name).chain(&subnet.details));
            for (end, id) in view.ends.iter().zip(&ids).filter(|(end, _)| end.kind == EndKind::Nat(index)) {
                node(out, 3, id, end.mark, &end.signed());
            }
        }
        out.push_str("    }\n");
    }
    out.push_str("  }\n");
    for (end, id) in view.ends.iter().zip(&ids).filter(|(end, _)| end.kind == EndKind::Outside) {
        node(out, 1, id, end.mark, &end.signed());
    }
    for (at, table) in view.tables.iter().enumerate() {
        let title = Line::new(format!("route table {}", table.name), table.mark);
        node(out, 1, &format!("table{at}"), table.mark, std::iter::once(&title).chain(&table.routes));
        for (subnet, _) in view.subnets.iter().enumerate().filter(|(_, subnet)| table.has(subnet)) {
            _ = writeln!(out, "  table{at} -> subnet{subnet} [style=dotted, arrowhead=none]");
        }
    }
    edges(out, view, &ids);
}

fn edges(out: &mut String, view: &VpcView, ids: &[String]) {
    for Way { subnet, end, destination, mark } in &view.ways {
        let Some(id) = ids.get(*end) else { continue };
        let words = Line::new(destination.as_deref().unwrap_or_default(), *mark);
        let label = if words.signed().is_empty() { String::new() } else { format!("label={}", quoted([&words])) };
        _ = writeln!(out, "  subnet{subnet} -> {id}{}", attributes(label, "", *mark));
    }
    let internet = view.ends.iter().any(|end| end.kind == EndKind::Internet);
    for (end, id) in view.ends.iter().zip(ids) {
        let to = match end.kind {
            EndKind::Nat(_) if internet => "igw",
            EndKind::Internet | EndKind::EgressOnly => "internet",
            EndKind::Nat(_) | EndKind::Outside => continue,
        };
        _ = writeln!(out, "  {id} -> {to}{}", attributes(String::new(), "", end.mark));
    }
}

fn cluster(out: &mut String, view: &ClusterView) {
    open(out, 1, "cluster", view.mark, &["cluster".into(), view.name.as_str().into()]);
    let provider = || view.provider.iter().chain(&view.encapsulation);
    node(out, 2, "provider", Mark::of(provider()), provider());
    for (name, lines) in [("pods", &view.pods), ("services", &view.services)] {
        node(out, 2, name, Mark::of(lines), std::iter::once(&name.into()).chain(lines));
    }
    for (at, step) in view.dns.iter().enumerate() {
        node(out, 2, &format!("dns{at}"), step.mark, &step.lines());
    }
    for (at, group) in view.groups.iter().enumerate() {
        node(out, 2, &format!("group{at}"), group.mark, &group.lines());
    }
    out.push_str("  }\n  provider -> pods [arrowhead=none]\n  pods -> services\n");
    for at in 1..view.dns.len() {
        _ = writeln!(out, "  dns{} -> dns{at}", at - 1);
    }
}

fn open(out: &mut String, depth: usize, id: &str, mark: Mark, lines: &[Line]) {
    let indent = depth * 2;
    _ = writeln!(out, "{:indent$}subgraph cluster_{id} {{\n{:indent$}  label={}", "", "", quoted(lines));
    if mark != Mark::Same {
        _ = writeln!(out, "{:indent$}  {}", "", look("", mark).join("; "));
    }
}

/// What a box or an arrow looks like that has a mark; `style` is what it has anyway.
fn look(style: &str, mark: Mark) -> [String; 3] {
    let (color, form, width) = match mark {
        Mark::Same => ("black", "solid", 1),
        Mark::Added => ("#2da44e", "bold", 3),
        Mark::Removed => ("#cf222e", "dashed", 1),
        Mark::Changed => ("#bf8700", "dotted", 3),
    };
    [format!("color=\"{color}\""), format!("style=\"{style}{form}\""), format!("penwidth={width}")]
}

/// Attributes in brackets; none where there is nothing to say.
fn attributes(label: String, style: &str, mark: Mark) -> String {
    let look = if mark == Mark::Same { Vec::new() } else { look(style, mark).to_vec() };
    let all: Vec<String> = std::iter::once(label).filter(|label| !label.is_empty()).chain(look).collect();
    if all.is_empty() { String::new() } else { format!(" [{}]", all.join(", ")) }
}

fn node<'l>(out: &mut String, depth: usize, id: &str, mark: Mark, lines: impl IntoIterator<Item = &'l Line>) {
    let attributes = attributes(format!("label={}", quoted(lines)), "rounded,", mark);
    _ = writeln!(out, "{:indent$}{id}{attributes}", "", indent = depth * 2);
}

/// A quoted string of several lines, without the empty ones. A backslash begins an escape in labels, so each is doubled; `&` begins
/// an entity.
pub(super) fn quoted<'l>(lines: impl IntoIterator<Item = &'l Line>) -> String {
    let escape = |line: &Line| -> String {
        let text = line.signed().replace('\\', "\\\\").replace('"', "\\\"").replace('&', "&amp;");
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    };
    let lines: Vec<String> = lines.into_iter().map(escape).filter(|line| !line.is_empty()).collect();
    format!("\"{}\"", lines.join("\\n"))
}
