//! The picture as an SVG file that needs nothing else: no script, no font, no image.
//!
//! Its layout is our own, and a pure function of the model. Text is cut to its box, with the whole of it in a `title`.

mod canvas;
mod cluster;
mod vpc;

use super::{Graph, Line, Mark, Place, words};
pub use canvas::STYLE;
pub(super) use canvas::extent;
use canvas::{Area, Canvas, height};
use findings::inert::markup;

/// From the edge of the picture to what is in it.
const MARGIN: f64 = 20.0;
/// Between boxes.
const GAP: f64 = 18.0;
/// Least width of the picture, and the width of all with up to five gateways.
const WIDTH: f64 = 1200.0;

/// An SVG document of everything in the picture.
#[must_use]
pub fn write(graph: &Graph) -> String {
    document(graph, &format!("<style>\n{STYLE}</style>\n"))
}

/// The same as an element of a page that has [`STYLE`] in its own.
#[must_use]
pub fn element(graph: &Graph) -> String {
    document(graph, "")
}

fn document(graph: &Graph, style: &str) -> String {
    let width = match &graph.place {
        Place::Vpc(view) => vpc::width(view).max(WIDTH).ceil(),
        Place::Premises(_) => WIDTH,
    };
    let mut canvas = Canvas::default();
    let within = width - 2.0 * MARGIN;
    let [first, second] = title(graph);
    let title = Line::new(format!("{}{}", first.text, second.text), first.mark);
    let heads = if extent("head", &title.signed()) <= within { vec![&title] } else { vec![&first, &second] };
    let mut y = 30.0;
    for line in heads {
        canvas.text("head", MARGIN, y + 6.0, within, line);
        y += 26.0;
    }
    if let Some(base) = &graph.base {
        legend(&mut canvas, base, within, y);
        y += 30.0;
    }
    match &graph.place {
        Place::Vpc(view) => y = vpc::draw(&mut canvas, &words(&graph.network, " "), view, width, y),
        Place::Premises(ranges) => {
            let lines = ranges.iter().map(|one| Line::new(format!("{}: {}", one.range.text, one.what), one.range.mark));
            let name = Line::new(format!("network {}", words(&graph.network, " ")), Mark::Same);
            let lines: Vec<Line> = std::iter::once(name).chain(lines).collect();
            let area = Area { x: MARGIN, y, width: within, height: height(lines.len()) };
            canvas.rect("frame", Mark::Same, area);
            canvas.lines(area, &lines);
            y = area.bottom();
        }
    }
    if let Some(view) = graph.cluster.as_ref().filter(|view| !view.name.is_empty()) {
        y = cluster::draw(&mut canvas, view, width, y + GAP);
    }
    let height = y + MARGIN;
    let title = markup(&title.text);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\">\n<title>{title}</title>\n{style}\
         <rect class=\"page\" width=\"{width}\" height=\"{height}\"/>\n{}</svg>\n",
        canvas.out
    )
}

/// What was compared with what, and what the marks mean.
fn legend(canvas: &mut Canvas, base: &str, width: f64, y: f64) {
    let mut x = MARGIN;
    for (mark, meaning) in Mark::LEGEND {
        canvas.rect("card", mark, Area { x, y: y - 1.0, width: 26.0, height: 14.0 });
        let words = Line::new(meaning, mark);
        canvas.text("", x + 34.0, y + 11.0, 200.0, &words);
        x += 34.0 + extent("", &words.signed()) + 22.0;
    }
    canvas.text("dim", x, y + 11.0, MARGIN + width - x, &base.into());
}

/// What is drawn, in two parts.
fn title(graph: &Graph) -> [Line; 2] {
    let network = words(&graph.network, " ");
    let place = match &graph.place {
        Place::Vpc(view) => format!("network {network} (AWS, {})", view.region),
        Place::Premises(_) => format!("network {network} (on premises)"),
    };
    match graph.cluster.as_ref().filter(|view| !view.name.is_empty()) {
        Some(view) => [Line::new(format!("cluster {} ", view.name), view.mark), format!("in the {place}").into()],
        None => [place.into(), Line::default()],
    }
}
