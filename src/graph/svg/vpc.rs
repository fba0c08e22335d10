//! A VPC: what routes lead to in a row above, then a column for each zone, then the route tables.
//!
//! Lines run in lanes that nothing else is in: beside the subnets of a zone, to NAT gateways at the left and to everything else at
//! the right, and between the zones and the row above them.

use super::canvas::{Area, Canvas, PADDING, height};
use super::{GAP, MARGIN};
use crate::graph::{EndKind, SubnetView, VpcView, kind};

/// Width of the column that says what VPC it is, left of the row of gateways.
const TITLE: f64 = 300.0;
/// From one lane to the next.
const LANE: f64 = 9.0;
/// Least width of a zone.
const ZONE: f64 = 364.0;
/// Most width of a gateway's box.
const GATE: f64 = 210.0;

/// The width that the whole picture needs.
pub(super) fn width(view: &VpcView) -> f64 {
    let (zones, above) = (view.zones.len() as f64, above(view).len() as f64);
    let of_zones = (ZONE + 2.0 * LANE * above.max(2.0) - 4.0 * LANE) * zones + GAP * (zones - 1.0).max(0.0);
    let of_gates = TITLE + above * 150.0;
    of_zones.max(of_gates) + 2.0 * MARGIN + 2.0 * GAP
}

/// The ends in the row above the zones: all but NAT gateways.
fn above(view: &VpcView) -> Vec<usize> {
    let ends = view.ends.iter().enumerate();
    ends.filter(|(_, end)| !matches!(end.kind, EndKind::Nat(_))).map(|(at, _)| at).collect()
}

/// A VPC on its canvas, with where things are.
struct Layout<'a> {
    view: &'a VpcView,
    canvas: &'a mut Canvas,
    frame: Area,
    above: Vec<usize>,
    /// NAT gateways that subnets of other zones use, which have a lane of their own.
    shared: Vec<usize>,
    /// The boxes of the ends above.
    gates: Vec<Area>,
    zones: Vec<Area>,
    subnets: Vec<Area>,
    nats: Vec<(usize, Area)>,
}

/// Draws a VPC below `y`; returns where it ends.
pub(super) fn draw(canvas: &mut Canvas, name: &str, view: &VpcView, width: f64, y: f64) -> f64 {
    let above = above(view);
    let shared = (0..view.ends.len()).filter(|end| is_shared(view, *end)).collect();
    let frame = Area { x: MARGIN, y: y + 58.0, width: width - 2.0 * MARGIN, height: 0.0 };
    let (gates, zones, subnets, nats) = Default::default();
    Layout { view, canvas, frame, above, shared, gates, zones, subnets, nats }.draw(name)
}

/// Whether a NAT gateway has subnets of another zone to serve.
fn is_shared(view: &VpcView, end: usize) -> bool {
    let zone = |subnet: usize| view.subnets.get(subnet).map(|subnet| subnet.zone);
    let Some(EndKind::Nat(home)) = view.ends.get(end).map(|end| end.kind) else { return false };
    view.ways.iter().any(|way| way.end == end && zone(way.subnet) != zone(home))
}

impl Layout<'_> {
    fn draw(mut self, name: &str) -> f64 {
        self.place_gates();
        self.place_zones();
        let zones = self.zones.iter().map(|zone| zone.bottom()).fold(self.lanes_end(), f64::max);
        let tables = self.place_tables(zones + GAP);
        let end = tables.iter().map(|table| table.bottom()).fold(zones, f64::max) + GAP;
        self.frame.height = end - self.frame.y;
        self.canvas.rect("frame", self.frame);
        for zone in &self.zones {
            self.canvas.rect("zone", *zone);
        }
        self.title(name);
        self.subnets();
        self.gates();
        self.ways();
        self.tables(&tables);
        end
    }

    fn place_gates(&mut self) {
        let column = (self.frame.width - TITLE - GAP) / self.above.len().max(1) as f64;
        let width = (column - 14.0).min(GATE);
        self.gates = (0..self.above.len())
            .map(|at| {
                let x = (self.frame.x + TITLE + column * at as f64 + (column - width) / 2.0).round();
                let outside = self.is_outside(at);
                let y = if outside { self.frame.y - 58.0 } else { self.frame.y + GAP };
                Area { x, y, width: width.round(), height: if outside { 40.0 } else { 50.0 } }
            })
            .collect();
    }

    fn is_outside(&self, at: usize) -> bool {
        self.above.get(at).and_then(|end| self.view.ends.get(*end)).is_some_and(|end| end.kind == EndKind::Outside)
    }

    /// Where the lane to an end begins, below the row of gateways.
    fn lane(&self, at: usize) -> f64 {
        self.frame.y + GAP + 88.0 + LANE * at as f64
    }

    fn lanes_end(&self) -> f64 {
        self.lane(self.above.len() + self.shared.len()) + 4.0
    }

    fn left(&self) -> f64 {
        16.0 + LANE * (1 + self.shared.len()) as f64
    }

    fn right(&self) -> f64 {
        16.0 + LANE * self.above.len() as f64
    }

    fn place_zones(&mut self) {
        let number = self.view.zones.len().max(1) as f64;
        let width = ((self.frame.width - 2.0 * GAP - GAP * (number - 1.0)) / number).floor().min(1.6 * ZONE);
        self.subnets = vec![Area::default(); self.view.subnets.len()];
        let top = self.lanes_end();
        for zone in 0..self.view.zones.len() {
            let x = self.frame.x + GAP + (width + GAP) * zone as f64;
            let mut y = top + 36.0;
            let of_zone = |public: bool| {
                let subnets = self.view.subnets.iter().enumerate();
                subnets.filter(move |(_, subnet)| subnet.zone == zone && subnet.is_public() == public).map(|(at, _)| at)
            };
            for at in of_zone(true).chain(of_zone(false)).collect::<Vec<_>>() {
                let area = Area { x: x + self.left(), y, width: width - self.left() - self.right(), height: 0.0 };
                y = self.place_subnet(at, area) + 12.0;
            }
            self.zones.push(Area { x, y: top, width, height: y - top + 2.0 });
        }
        let lowest = self.zones.iter().map(|zone| zone.height).fold(0.0, f64::max);
        self.zones.iter_mut().for_each(|zone| zone.height = lowest);
    }

    /// Places a subnet and the NAT gateways in it; returns where it ends.
    fn place_subnet(&mut self, at: usize, mut area: Area) -> f64 {
        let lines = self.view.subnets.get(at).map(|subnet| self.lines(subnet).len()).unwrap_or_default();
        let mut y = area.y + height(lines);
        for (end, _) in self.view.ends.iter().enumerate().filter(|(_, end)| end.kind == EndKind::Nat(at)) {
            self.nats.push((end, Area { x: area.x + PADDING, y, width: area.width - 2.0 * PADDING, height: 30.0 }));
            y += 30.0 + 10.0;
        }
        area.height = y - area.y;
        if let Some(place) = self.subnets.get_mut(at) {
            *place = area;
        }
        area.bottom()
    }

    fn lines(&self, subnet: &SubnetView) -> Vec<String> {
        let table = self.view.tables.iter().find(|table| table.subnets.contains(&subnet.name));
        let table = table.map(|table| format!("route table {}", table.name));
        let what = std::iter::once(kind(subnet.kind).to_owned()).chain(subnet.details.iter().cloned());
        [subnet.name.clone(), what.collect::<Vec<_>>().join(" · ")].into_iter().chain(table).collect()
    }

    fn title(&mut self, name: &str) {
        let mut lines = vec![format!("VPC {name}")];
        lines.extend(self.view.id.clone());
        lines.push(self.view.ranges.join(", "));
        if !self.view.endpoints.is_empty() {
            lines.push(format!("endpoints: {}", self.view.endpoints.join(", ")));
        }
        let area = Area { x: self.frame.x + 4.0, y: self.frame.y + 6.0, width: TITLE, height: 0.0 };
        self.canvas.lines(area, lines.iter().map(String::as_str));
    }

    fn subnets(&mut self) {
        for (zone, name) in self.zones.iter().zip(&self.view.zones) {
            let inset = 16.0 + LANE * (1 + self.shared.len()) as f64;
            self.canvas.text("name", zone.x + inset, zone.y + 24.0, zone.width - 2.0 * inset, name);
        }
        for (subnet, area) in self.view.subnets.iter().zip(&self.subnets) {
            self.canvas.rect(if subnet.is_public() { "public" } else { "private" }, *area);
            let lines = self.lines(subnet);
            self.canvas.lines(*area, lines.iter().map(String::as_str));
        }
        for (end, area) in &self.nats {
            self.canvas.rect("gate", *area);
            let words = self.view.ends.get(*end).and_then(|end| end.lines.first()).map_or("", String::as_str);
            self.canvas.lines(*area, [words]);
        }
    }

    fn gates(&mut self) {
        let within = self
            .above
            .iter()
            .zip(&self.gates)
            .filter(|(end, _)| self.view.ends.get(**end).is_some_and(|end| end.kind != EndKind::Outside));
        let within: Vec<Area> = within.map(|(_, area)| *area).collect();
        if let (Some(first), Some(last)) = (within.first(), within.last()) {
            let internet = Area { x: first.x, y: self.frame.y - 58.0, width: last.right() - first.x, height: 40.0 };
            self.canvas.rect("card", internet);
            self.canvas.text("name", internet.middle() - 28.0, internet.y + 25.0, 120.0, "internet");
            for gate in &within {
                self.canvas.arrow("way", &[(gate.middle(), gate.y), (gate.middle(), internet.bottom())]);
            }
        }
        for (end, area) in self.above.iter().zip(&self.gates) {
            let Some(end) = self.view.ends.get(*end) else { continue };
            self.canvas.rect("gate", *area);
            let down = if end.lines.len() == 1 { area.height / 2.0 - 15.0 } else { 4.0 };
            self.canvas.lines(Area { y: area.y + down, ..*area }, end.lines.iter().map(String::as_str));
        }
    }

    /// Each subnet's lines, once for each end.
    fn ways(&mut self) {
        let mut drawn = Vec::new();
        for way in &self.view.ways {
            let (Some(subnet), Some(area)) = (self.view.subnets.get(way.subnet), self.subnets.get(way.subnet).copied()) else {
                continue;
            };
            let Some(zone) = self.zones.get(subnet.zone).copied() else { continue };
            if drawn.contains(&(way.subnet, way.end)) {
                continue;
            }
            drawn.push((way.subnet, way.end));
            match self.above.iter().position(|end| *end == way.end) {
                Some(at) => self.way_up(at, area, zone),
                None => self.way_to_nat(way.end, subnet.zone, area, zone),
            }
        }
    }

    fn way_up(&mut self, at: usize, area: Area, zone: Area) {
        let Some(gate) = self.gates.get(at).copied() else { return };
        let (x, y) = (zone.right() - 8.0 - LANE * at as f64, area.y + 18.0 + LANE * at as f64);
        let lane = self.lane(at);
        let points = [(area.right(), y), (x, y), (x, lane), (gate.middle(), lane), (gate.middle(), gate.bottom())];
        self.canvas.arrow("way", &points);
    }

    fn way_to_nat(&mut self, end: usize, home: usize, area: Area, zone: Area) {
        let Some(nat) = self.nats.iter().find(|(at, _)| *at == end).map(|(_, area)| *area) else { return };
        let lane = self.shared.iter().position(|shared| *shared == end).map_or(0, |at| at + 1);
        let offset = self.left() - 10.0 - LANE * lane as f64;
        let (x, from, to) = (zone.x + offset, area.y + 18.0 + LANE * lane as f64, nat.y + nat.height / 2.0);
        let there = self.zones.iter().enumerate().find(|(_, zone)| nat.x > zone.x && nat.x < zone.right());
        let Some((index, other)) = there else { return };
        let mut points = vec![(area.x, from), (x, from)];
        if index == home {
            points.push((x, to));
        } else {
            let bus = self.lane(self.above.len() + lane.saturating_sub(1));
            points.extend([(x, bus), (other.x + offset, bus), (other.x + offset, to)]);
        }
        points.push((nat.x, to));
        self.canvas.arrow("nat", &points);
    }

    /// Boxes for the route tables, in rows of as many as there are zones.
    fn place_tables(&self, mut y: f64) -> Vec<Area> {
        let columns = self.view.zones.len().clamp(2, 3);
        let width = ((self.frame.width - 2.0 * GAP - GAP * (columns as f64 - 1.0)) / columns as f64).floor();
        let mut places = Vec::new();
        for row in self.view.tables.chunks(columns) {
            let height = height(row.iter().map(|table| 2 + table.routes.len()).max().unwrap_or_default());
            for at in 0..row.len() {
                places.push(Area { x: self.frame.x + GAP + (width + GAP) * at as f64, y, width, height });
            }
            y += height + 12.0;
        }
        places
    }

    fn tables(&mut self, places: &[Area]) {
        for (table, area) in self.view.tables.iter().zip(places) {
            self.canvas.rect("card", *area);
            let title = format!("route table {}", table.name);
            let subnets = format!("of {}", table.subnets.join(", "));
            let routes: Vec<String> = table.routes.iter().map(|(to, end)| format!("{to} → {end}")).collect();
            let lines = [title.as_str(), subnets.as_str()].into_iter().chain(routes.iter().map(String::as_str));
            self.canvas.lines(*area, lines);
        }
    }
}
