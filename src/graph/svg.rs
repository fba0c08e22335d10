//! The picture as an SVG file that needs nothing else: no script, no font, no image.
//!
//! Its layout is our own, and a pure function of the model. Text is cut to its box, with the whole of it in a `title`.

mod canvas;
mod cluster;
mod vpc;

use super::{Graph, Place};
use canvas::{Area, Canvas, STYLE, escape};

/// From the edge of the picture to what is in it.
const MARGIN: f64 = 20.0;
/// Between boxes.
const GAP: f64 = 18.0;
/// Least width of the picture.
const WIDTH: f64 = 1200.0;

/// An SVG document of everything in the picture.
#[must_use]
pub fn write(graph: &Graph) -> String {
    let width = match &graph.place {
        Place::Vpc(view) => vpc::width(view).max(WIDTH).ceil(),
        Place::Premises(_) => WIDTH,
    };
    let mut canvas = Canvas::default();
    let title = title(graph);
    canvas.text("head", MARGIN, 36.0, width - 2.0 * MARGIN, &title);
    let mut y = 56.0;
    match &graph.place {
        Place::Vpc(view) => y = vpc::draw(&mut canvas, &graph.network, view, width, y),
        Place::Premises(ranges) => {
            let lines = ranges.iter().enumerate().map(|(at, range)| match at {
                0 => format!("{range}: nodes"),
                _ => format!("{range}: routed"),
            });
            let lines: Vec<String> = std::iter::once(format!("network {}", graph.network)).chain(lines).collect();
            let area = Area { x: MARGIN, y, width: width - 2.0 * MARGIN, height: canvas::height(lines.len()) };
            canvas.rect("frame", area);
            canvas.lines(area, lines.iter().map(String::as_str));
            y = area.bottom();
        }
    }
    if let Some(view) = graph.cluster.as_ref().filter(|view| !view.name.is_empty()) {
        y = cluster::draw(&mut canvas, view, width, y + GAP);
    }
    let height = y + MARGIN;
    let title = escape(&title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n\
         <rect class=\"page\" width=\"{width}\" height=\"{height}\"/>\n{}</svg>\n",
        canvas.out
    )
}

fn title(graph: &Graph) -> String {
    let place = match &graph.place {
        Place::Vpc(view) => format!("network {} (AWS, {})", graph.network, view.region),
        Place::Premises(_) => format!("network {} (on premises)", graph.network),
    };
    match graph.cluster.as_ref().filter(|view| !view.name.is_empty()) {
        Some(view) => format!("cluster {} in the {place}", view.name),
        None => place,
    }
}
