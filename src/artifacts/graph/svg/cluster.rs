//! A cluster: its addresses and provider, the way of a question to DNS, and what machines admit.

use super::canvas::{Area, Canvas, LINE, PADDING, extent, height};
use super::{GAP, MARGIN};
use crate::graph::{ClusterView, GroupView, Line, Mark};

/// From one step of DNS to the next.
const STEP: f64 = 44.0;
/// From one column of a group to the next.
const COLUMN: f64 = 14.0;

/// Draws a cluster below `y`; returns where it ends.
pub(super) fn draw(canvas: &mut Canvas, view: &ClusterView, width: f64, y: f64) -> f64 {
    let inside = Area { x: MARGIN + GAP, y: y + 40.0, width: width - 2.0 * MARGIN - 2.0 * GAP, height: 0.0 };
    let half = ((inside.width - GAP) / 2.0).floor();
    let column =
        |at: usize, y: f64, lines: usize| Area { x: inside.x + (half + GAP) * at as f64, y, width: half, height: height(lines) };
    let cards = [provider(view), addresses(view)];
    let first = cards.iter().map(Vec::len).max().unwrap_or_default();
    let dns_y = inside.y + height(first) + 44.0;
    let steps = 1 + view.dns.iter().map(|step| step.details.len()).max().unwrap_or_default();
    let groups_y = dns_y + height(steps) + GAP;
    let rules = view.groups.iter().map(|group| group.rules.len()).max().unwrap_or_default() + 1;
    let frame = Area { x: MARGIN, y, width: width - 2.0 * MARGIN, height: groups_y + height(rules) + GAP - y };
    canvas.rect("frame", view.mark, frame);
    let name = Line::new(format!("cluster {}", view.name), view.mark);
    canvas.text("name", frame.x + 16.0, y + 26.0, frame.width - 32.0, &name);
    for (at, lines) in cards.iter().enumerate() {
        canvas.card(changed(lines), column(at, inside.y, first), lines);
    }
    canvas.text("name", inside.x, dns_y - 12.0, inside.width, &"DNS".into());
    dns(canvas, view, Area { y: dns_y, height: height(steps), ..inside });
    for (at, view) in view.groups.iter().enumerate() {
        group(canvas, view, column(at, groups_y, rules));
    }
    frame.bottom()
}

/// The mark of a box with these lines.
fn changed(lines: &[Line]) -> Mark {
    if lines.iter().all(|line| line.mark == Mark::Same) { Mark::Same } else { Mark::Changed }
}

fn provider(view: &ClusterView) -> Vec<Line> {
    let name = match view.provider.as_slice() {
        [one] => Line::new(format!("network provider {}", one.text), one.mark),
        _ => "network provider".into(),
    };
    let names = view.provider.iter().filter(|_| view.provider.len() > 1);
    std::iter::once(&name).chain(names).chain(&view.encapsulation).cloned().collect()
}

fn addresses(view: &ClusterView) -> Vec<Line> {
    let of = |what: &'static str| move |line: &Line| Line::new(format!("{what}: {}", line.text), line.mark);
    let ranges = view.pods.iter().map(of("pods")).chain(view.services.iter().map(of("services")));
    std::iter::once("addresses".into()).chain(ranges).collect()
}

fn dns(canvas: &mut Canvas, view: &ClusterView, row: Area) {
    let steps = view.dns.len().max(1) as f64;
    let width = ((row.width - STEP * (steps - 1.0)) / steps).floor();
    for (at, step) in view.dns.iter().enumerate() {
        let area = Area { x: row.x + (width + STEP) * at as f64, width, ..row };
        let lines: Vec<Line> = std::iter::once(Line::new(step.title, step.mark)).chain(step.details.iter().cloned()).collect();
        canvas.card(step.mark, area, &lines);
        if at > 0 {
            let y = area.y + area.height / 2.0;
            canvas.arrow("nat", Mark::Same, &[(area.x - STEP, y), (area.x, y)]);
        }
    }
}

/// A group with a line for each rule: protocol, sender, name.
fn group(canvas: &mut Canvas, view: &GroupView, area: Area) {
    canvas.card(view.mark, area, &[Line::new(&*view.title, view.mark)]);
    let rows: Vec<[Line; 3]> = view
        .rules
        .iter()
        .map(|rule| {
            let unsigned = |text: &str| Line::from(text);
            [Line::new(&*rule.protocol, rule.mark), unsigned(&rule.from), unsigned(&rule.name)]
        })
        .collect();
    let widest = |column: usize| rows.iter().map(|row| extent("", &row[column].signed())).fold(0.0, f64::max);
    // The name gets what the others leave, and each of them no more than it needs.
    let within = area.width - 2.0 * PADDING;
    let protocol = widest(0).min(within * 0.4);
    let from = widest(1).min(within * 0.4);
    let places =
        [(0.0, protocol), (protocol + COLUMN, from), (protocol + from + 2.0 * COLUMN, within - protocol - from - 2.0 * COLUMN)];
    for (at, row) in rows.iter().enumerate() {
        let y = area.y + 20.0 + LINE * (at + 1) as f64;
        for ((line, (x, width)), class) in row.iter().zip(places).zip(["", "", "dim"]) {
            canvas.text(class, area.x + PADDING + x, y, width, line);
        }
    }
}
