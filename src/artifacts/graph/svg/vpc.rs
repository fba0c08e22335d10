//! A VPC: what routes lead to in a row above, then the zones in rows of three, then the route tables.
//!
//! Lines run in lanes that nothing else is in: beside the subnets of a zone, to NAT gateways at the left and to everything else at
//! the right, and between the zones and the row above them. What leads to the same end shares its lane, in zones below one another
//! as well.

use super::canvas::{Area, Canvas, LINE, PADDING, extent, height, wrapped};
use super::{GAP, MARGIN};
use crate::graph::{End, EndKind, Line, Mark, SubnetView, TableView, VpcView, Way};

/// Least width of the column that says what VPC it is, left of the row of gateways.
const TITLE: f64 = 300.0;
/// Height of the row above the VPC, of what is outside of it.
const OUTSIDE: f64 = 58.0;
/// From one lane to the next.
const LANE: f64 = 9.0;
/// Least width of a zone.
const ZONE: f64 = 300.0;
/// Zones in a row.
const COLUMNS: usize = 3;
/// Most width of a gateway's box.
const GATE: f64 = 280.0;

/// The width that the whole picture needs.
pub(super) fn width(view: &VpcView) -> f64 {
    let (zones, above) = (view.zones.len().min(COLUMNS) as f64, above(view).len() as f64);
    let of_zones = (ZONE + 2.0 * LANE * above) * zones + GAP * (zones - 1.0).max(0.0);
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
    /// Where the row of gateways and the title end.
    below: f64,
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
    let outside = if above.is_empty() { 0.0 } else { OUTSIDE };
    let frame = Area { x: MARGIN, y: y + outside, width: width - 2.0 * MARGIN, height: 0.0 };
    let (gates, zones, subnets, nats) = Default::default();
    Layout { view, canvas, frame, below: 0.0, above, shared, gates, zones, subnets, nats }.draw(name)
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
        // The title has the room that the gateways leave.
        let right = self.gates.first().map_or(self.frame.right(), |gate| gate.x);
        let room = Area { x: self.frame.x + 4.0, y: self.frame.y + 6.0, width: right - self.frame.x - GAP, height: 0.0 };
        let title = self.title(name, room.width - 2.0 * PADDING);
        self.below = self.frame.y + GAP + (LINE * title.len() as f64).max(70.0) + GAP;
        self.place_zones();
        let zones = self.zones.iter().map(|zone| zone.bottom()).fold(self.lanes_end(), f64::max);
        let tables = self.place_tables(zones + GAP);
        let end = tables.iter().map(|(area, _)| area.bottom()).fold(zones, f64::max) + GAP;
        self.frame.height = end - self.frame.y;
        self.canvas.rect("frame", Mark::Same, self.frame);
        for (zone, name) in self.zones.iter().zip(&self.view.zones) {
            self.canvas.rect("zone", name.mark, *zone);
        }
        self.canvas.lines(room, &title);
        self.subnets();
        self.gates();
        self.ways();
        for (table, (area, lines)) in self.view.tables.iter().zip(&tables) {
            self.canvas.card(table.mark, *area, lines);
        }
        end
    }

    fn place_gates(&mut self) {
        let column = (self.frame.width - TITLE - GAP) / self.above.len().max(1) as f64;
        let width = (column - 14.0).min(GATE);
        self.gates = (0..self.above.len())
            .map(|at| {
                let x = (self.frame.x + TITLE + column * at as f64 + (column - width) / 2.0).round();
                let outside = self.is_outside(at);
                let y = if outside { self.frame.y - OUTSIDE } else { self.frame.y + GAP };
                Area { x, y, width: width.round(), height: if outside { 40.0 } else { 50.0 } }
            })
            .collect();
    }

    fn is_outside(&self, at: usize) -> bool {
        self.above.get(at).and_then(|end| self.view.ends.get(*end)).is_some_and(|end| end.kind == EndKind::Outside)
    }

    /// Where the lane to an end begins, below the row of gateways.
    fn lane(&self, at: usize) -> f64 {
        self.below + LANE * at as f64
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
        let columns = self.view.zones.len().clamp(1, COLUMNS);
        let number = columns as f64;
        let width = ((self.frame.width - 2.0 * GAP - GAP * (number - 1.0)) / number).floor().min(2.0 * ZONE);
        self.subnets = vec![Area::default(); self.view.subnets.len()];
        let mut top = self.lanes_end();
        for first in (0..self.view.zones.len()).step_by(columns) {
            let row: Vec<Area> = (first..self.view.zones.len().min(first + columns))
                .map(|zone| {
                    let x = self.frame.x + GAP + (width + GAP) * (zone - first) as f64;
                    self.place_zone(zone, Area { x, y: top, width, height: 0.0 })
                })
                .collect();
            let height = row.iter().map(|zone| zone.height).fold(0.0, f64::max);
            self.zones.extend(row.iter().map(|zone| Area { height, ..*zone }));
            top += height + GAP;
        }
    }

    /// Places the subnets of a zone, public ones above; returns its area.
    fn place_zone(&mut self, zone: usize, area: Area) -> Area {
        let mut y = area.y + 36.0;
        let of_zone = |public: bool| {
            let subnets = self.view.subnets.iter().enumerate();
            subnets.filter(move |(_, subnet)| subnet.zone == zone && subnet.is_public() == public).map(|(at, _)| at)
        };
        for at in of_zone(true).chain(of_zone(false)).collect::<Vec<_>>() {
            let width = area.width - self.left() - self.right();
            y = self.place_subnet(at, Area { x: area.x + self.left(), y, width, height: 0.0 }) + 12.0;
        }
        Area { height: y - area.y + 2.0, ..area }
    }

    /// Places a subnet and the NAT gateways in it; returns where it ends.
    fn place_subnet(&mut self, at: usize, mut area: Area) -> f64 {
        let lines = self.view.subnets.get(at).map(|subnet| self.lines(subnet, area.width).len()).unwrap_or_default();
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

    /// What is written in a subnet's box.
    fn lines(&self, subnet: &SubnetView, width: f64) -> Vec<Line> {
        let name = Line::new(&*subnet.name, subnet.mark);
        let details = wrapped("", &subnet.details, " · ", width - 2.0 * PADDING);
        let table = |table: &TableView| {
            let line = table.subnets.iter().find(|name| name.text == subnet.name)?;
            let mark = if line.mark == Mark::Same && table.mark != Mark::Changed { table.mark } else { line.mark };
            Some(Line::new(format!("route table {}", table.name), mark))
        };
        std::iter::once(name).chain(details).chain(self.view.tables.iter().filter_map(table)).collect()
    }

    fn title(&self, name: &str, width: f64) -> Vec<Line> {
        let mut lines = vec![Line::from(format!("VPC {name}"))];
        lines.extend(self.view.id.iter().cloned());
        lines.extend(wrapped("", &self.view.ranges, ", ", width));
        lines.extend(wrapped("endpoints:", &self.view.endpoints, ", ", width));
        lines
    }

    fn subnets(&mut self) {
        for (zone, name) in self.zones.iter().zip(&self.view.zones) {
            let inset = self.left();
            self.canvas.text("name", zone.x + inset, zone.y + 24.0, zone.width - inset - self.right(), name);
        }
        for (subnet, area) in self.view.subnets.iter().zip(&self.subnets) {
            self.canvas.rect(if subnet.is_public() { "public" } else { "private" }, subnet.mark, *area);
            let lines = self.lines(subnet, area.width);
            self.canvas.lines(*area, &lines);
        }
        for (end, area) in &self.nats {
            let Some(end) = self.view.ends.get(*end) else { continue };
            self.canvas.rect("gate", end.mark, *area);
            self.canvas.lines(*area, end.signed().iter().take(1));
        }
    }

    fn gates(&mut self) {
        let ends: Vec<(&End, Area)> =
            self.above.iter().zip(&self.gates).filter_map(|(at, area)| Some((self.view.ends.get(*at)?, *area))).collect();
        let within: Vec<_> = ends.iter().filter(|(end, _)| end.kind != EndKind::Outside).copied().collect();
        if let (Some((_, first)), Some((_, last))) = (within.first(), within.last()) {
            let internet = Area { x: first.x, y: self.frame.y - OUTSIDE, width: last.right() - first.x, height: 40.0 };
            self.canvas.rect("card", Mark::Same, internet);
            let x = internet.middle() - extent("name", "internet") / 2.0;
            self.canvas.text("name", x, internet.y + 25.0, internet.right() - x, &"internet".into());
            for (end, gate) in within {
                self.canvas.arrow("way", end.mark, &[(gate.middle(), gate.y), (gate.middle(), internet.bottom())]);
            }
        }
        for (end, area) in ends {
            self.canvas.rect("gate", end.mark, area);
            let down = if end.lines.len() == 1 { area.height / 2.0 - 15.0 } else { 0.0 };
            self.canvas.lines(Area { y: area.y + down, ..area }, &end.signed());
        }
    }

    /// Each subnet's lines, once for each end.
    fn ways(&mut self) {
        let mut drawn = Vec::new();
        for Way { subnet, end, .. } in &self.view.ways {
            let (Some(view), Some(area)) = (self.view.subnets.get(*subnet), self.subnets.get(*subnet).copied()) else { continue };
            let Some(zone) = self.zones.get(view.zone).copied() else { continue };
            if drawn.contains(&(*subnet, *end)) {
                continue;
            }
            drawn.push((*subnet, *end));
            let same = self.view.ways.iter().filter(|way| (way.subnet, way.end) == (*subnet, *end));
            let marks: Vec<Line> = same.map(|way| Line::new("", way.mark)).collect();
            let mark = Mark::of(&marks);
            match self.above.iter().position(|above| above == end) {
                Some(at) => self.way_up(at, mark, area, zone),
                None => self.way_to_nat(*end, mark, view.zone, area),
            }
        }
    }

    fn way_up(&mut self, at: usize, mark: Mark, area: Area, zone: Area) {
        let Some(gate) = self.gates.get(at).copied() else { return };
        let (x, y) = (zone.right() - 8.0 - LANE * at as f64, area.y + 18.0 + LANE * at as f64);
        let lane = self.lane(at);
        let points = [(area.right(), y), (x, y), (x, lane), (gate.middle(), lane), (gate.middle(), gate.bottom())];
        self.canvas.arrow("way", mark, &points);
    }

    fn way_to_nat(&mut self, end: usize, mark: Mark, home: usize, area: Area) {
        let Some(nat) = self.nats.iter().find(|(at, _)| *at == end).map(|(_, area)| *area) else { return };
        let Some(EndKind::Nat(stands)) = self.view.ends.get(end).map(|end| end.kind) else { return };
        let there = self.view.subnets.get(stands).map(|subnet| subnet.zone).unwrap_or_default();
        let (Some(zone), Some(other)) = (self.zones.get(home), self.zones.get(there)) else { return };
        let lane = self.shared.iter().position(|shared| *shared == end).map_or(0, |at| at + 1);
        let offset = self.left() - 10.0 - LANE * lane as f64;
        let (x, from, to) = (zone.x + offset, area.y + 18.0 + LANE * lane as f64, nat.y + nat.height / 2.0);
        let mut points = vec![(area.x, from), (x, from)];
        if there == home {
            points.push((x, to));
        } else {
            let bus = self.lane(self.above.len() + lane.saturating_sub(1));
            points.extend([(x, bus), (other.x + offset, bus), (other.x + offset, to)]);
        }
        points.push((nat.x, to));
        self.canvas.arrow("nat", mark, &points);
    }

    /// Boxes for the route tables with what is written in them, in rows.
    fn place_tables(&self, mut y: f64) -> Vec<(Area, Vec<Line>)> {
        let columns = self.view.zones.len().clamp(2, COLUMNS);
        let width = ((self.frame.width - 2.0 * GAP - GAP * (columns as f64 - 1.0)) / columns as f64).floor();
        let mut places = Vec::new();
        for row in self.view.tables.chunks(columns) {
            let texts: Vec<Vec<Line>> = row.iter().map(|table| table_lines(table, width - 2.0 * PADDING)).collect();
            let height = height(texts.iter().map(Vec::len).max().unwrap_or_default());
            for (at, text) in texts.into_iter().enumerate() {
                places.push((Area { x: self.frame.x + GAP + (width + GAP) * at as f64, y, width, height }, text));
            }
            y += height + 12.0;
        }
        places
    }
}

/// What is written in a route table's box.
fn table_lines(table: &TableView, width: f64) -> Vec<Line> {
    let title = Line::new(format!("route table {}", table.name), table.mark);
    let routes = table.routes.iter().flat_map(|route| match route.text.split_once(" → ") {
        Some((to, end)) if extent("dim", &route.signed()) > width => {
            vec![Line::new(to, route.mark), Line::new(format!("→ {end}"), route.mark)]
        }
        _ => vec![route.clone()],
    });
    std::iter::once(title).chain(wrapped("of", &table.subnets, ", ", width)).chain(routes).collect()
}
