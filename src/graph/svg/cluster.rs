//! A cluster: its addresses and provider, the way of a question to DNS, and what machines admit.

use super::canvas::{Area, Canvas, LINE, PADDING, height};
use super::{GAP, MARGIN};
use crate::graph::{ClusterView, GroupView};

/// From one step of DNS to the next.
const STEP: f64 = 44.0;

/// Draws a cluster below `y`; returns where it ends.
pub(super) fn draw(canvas: &mut Canvas, view: &ClusterView, width: f64, y: f64) -> f64 {
    let inside = Area { x: MARGIN + GAP, y: y + 40.0, width: width - 2.0 * MARGIN - 2.0 * GAP, height: 0.0 };
    let half = ((inside.width - GAP) / 2.0).floor();
    let column =
        |at: usize, y: f64, lines: usize| Area { x: inside.x + (half + GAP) * at as f64, y, width: half, height: height(lines) };
    let first = view.encapsulation.len().max(2) + 1;
    let dns_y = inside.y + height(first) + 44.0;
    let groups_y = dns_y + height(2) + GAP;
    let rules = view.groups.iter().map(|group| group.rules.len()).max().unwrap_or_default() + 1;
    let frame = Area { x: MARGIN, y, width: width - 2.0 * MARGIN, height: groups_y + height(rules) + GAP - y };
    canvas.rect("frame", frame);
    canvas.text("name", frame.x + 16.0, y + 26.0, frame.width - 32.0, &format!("cluster {}", view.name));
    let provider = std::iter::once(format!("network provider {}", view.provider)).chain(view.encapsulation.iter().cloned());
    let addresses = ["addresses".to_owned(), format!("pods: {}", view.pods), format!("services: {}", view.services)];
    for (at, lines) in [provider.collect::<Vec<_>>(), addresses.to_vec()].iter().enumerate() {
        let area = column(at, inside.y, first);
        canvas.rect("card", area);
        canvas.lines(area, lines.iter().map(String::as_str));
    }
    canvas.text("name", inside.x, dns_y - 12.0, inside.width, "DNS");
    dns(canvas, view, Area { y: dns_y, height: height(2), ..inside });
    for (at, view) in view.groups.iter().enumerate() {
        group(canvas, view, column(at, groups_y, rules));
    }
    frame.bottom()
}

fn dns(canvas: &mut Canvas, view: &ClusterView, row: Area) {
    let steps = view.dns.len().max(1) as f64;
    let width = ((row.width - STEP * (steps - 1.0)) / steps).floor();
    for (at, [title, detail]) in view.dns.iter().enumerate() {
        let area = Area { x: row.x + (width + STEP) * at as f64, width, ..row };
        canvas.rect("card", area);
        canvas.lines(area, [title.as_str(), detail.as_str()]);
        if at > 0 {
            let y = area.y + area.height / 2.0;
            canvas.arrow("nat", &[(area.x - STEP, y), (area.x, y)]);
        }
    }
}

/// A group with a line for each rule: protocol, sender, name.
fn group(canvas: &mut Canvas, view: &GroupView, area: Area) {
    canvas.rect("card", area);
    canvas.lines(area, [view.title.as_str()]);
    let (protocol, from) = (164.0, 150.0);
    for (at, rule) in view.rules.iter().enumerate() {
        let (x, y) = (area.x + PADDING, area.y + 20.0 + LINE * (at + 1) as f64);
        canvas.text("", x, y, protocol - 8.0, &rule.protocol);
        canvas.text("", x + protocol, y, from - 8.0, &rule.from);
        let rest = area.width - protocol - from - 2.0 * PADDING;
        canvas.text("dim", x + protocol + from, y, rest, &rule.name);
    }
}
