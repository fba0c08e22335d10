//! Shapes and text, and how they look in light and dark.

use std::fmt::Write;

use crate::graph::{Line, Mark};
use findings::inert::{self, markup};

/// Each class of shapes with its colours: light, then dark where the viewer's system prefers that.
pub const STYLE: &str = "\
text{font-family:system-ui,-apple-system,'Segoe UI','Liberation Sans',Helvetica,Arial,sans-serif;font-size:13px;fill:#1f2933}
.head{font-size:20px;font-weight:600}
.name{font-size:14px;font-weight:600}
.dim{fill:#5b6875}
.page{fill:#ffffff}
.frame{fill:#f7f9fb;stroke:#8796a5}
.zone{fill:#ffffff;stroke:#a9b5c1;stroke-dasharray:5 4}
.card{fill:#ffffff;stroke:#8796a5}
.public{fill:#e8f5ec;stroke:#3f8f5b}
.private{fill:#e8f0fb;stroke:#3f6fb0}
.gate{fill:#fdf3e1;stroke:#b07a1e}
.way{fill:none;stroke:#b07a1e;stroke-width:1.6}
.nat{fill:none;stroke:#3f6fb0;stroke-width:1.6}
.tip{fill:#b07a1e}
.nattip{fill:#3f6fb0}
rect.added{stroke:#1a7f37;stroke-width:3}
rect.removed{stroke:#cf222e;stroke-width:2;stroke-dasharray:7 5}
rect.changed{stroke:#9a6700;stroke-width:3;stroke-dasharray:2 3}
text.added{fill:#15692f}
text.removed{fill:#cf222e}
text.changed{fill:#8a5c00}
polyline.added{stroke-width:3}
polyline.removed{stroke-dasharray:6 4}
@media (prefers-color-scheme:dark){
text{fill:#e4e9ee}
.dim{fill:#a3b0bd}
.page{fill:#12171d}
.frame{fill:#1a2129;stroke:#5e6d7c}
.zone{fill:#12171d;stroke:#4a5866}
.card{fill:#202933;stroke:#5e6d7c}
.public{fill:#17301f;stroke:#5fb37c}
.private{fill:#182a44;stroke:#6d9fe0}
.gate{fill:#36290f;stroke:#d9a24a}
.way{stroke:#d9a24a}
.nat{stroke:#6d9fe0}
.tip{fill:#d9a24a}
.nattip{fill:#6d9fe0}
rect.added{stroke:#4ac26b}
rect.removed{stroke:#ff7b72}
rect.changed{stroke:#e3b341}
text.added{fill:#6fdd8b}
text.removed{fill:#ff9a92}
text.changed{fill:#e3b341}
}
";

/// The width of text that is drawn in a class: no less than in DejaVu Sans, the widest font that the style can come to. Figures
/// are that font's advances in hundredths of its size, rounded up.
pub(in crate::graph) fn extent(class: &str, text: &str) -> f64 {
    let (size, weight) = match class.split(' ').next() {
        Some("head") => (20.0, 1.15),
        Some("name") => (14.0, 1.15),
        _ => (13.0, 1.0),
    };
    let advance = |c: char| match c {
        '\'' | 'i' | 'j' | 'l' => 30.0,
        'I' | 'J' => 35.0,
        ' ' | ',' | '.' | '/' | ':' | ';' | '\\' | '|' | '·' | '(' | ')' | '-' | '[' | ']' | 'f' => 40.0,
        '!' | 'r' | 't' | '"' | '*' | '_' | '`' => 50.0,
        '?' | 'c' | 's' | 'z' | 'k' | 'v' | 'x' | 'y' | 'F' | 'L' => 60.0,
        '0'..='9' | 'a'..='h' | 'n'..='q' | 'u' | '$' | 'E' | 'P' | 'S' | 'T' | 'Y' | '{' | '}' => 65.0,
        'w' | '+' | '−' | '→' | '~' | '#' | '<' | '=' | '>' | '^' => 85.0,
        'A'..='Z' if c != 'M' && c != 'W' => 80.0,
        '\u{1f000}'.. => 135.0,
        _ => 100.0,
    };
    text.chars().map(advance).sum::<f64>() * size * weight / 100.0
}

/// Parts of a line behind a word for them, in as many lines as they need; what has a mark stands in a line of its own.
pub(super) fn wrapped(what: &str, parts: &[Line], between: &str, width: f64) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    if !what.is_empty() && !parts.is_empty() {
        lines.push(what.into());
    }
    let end = between.trim_end_matches([' ', '·']);
    for (at, part) in parts.iter().enumerate() {
        let between = if at == 0 { " " } else { between };
        match lines.last_mut().filter(|line| line.mark == Mark::Same && part.mark == Mark::Same) {
            Some(line) if extent("", &format!("{}{between}{}{end}", line.text, part.text)) <= width => {
                line.text += between;
                line.text += &part.text;
            }
            line => {
                line.into_iter().for_each(|line| line.text += end);
                lines.push(part.clone());
            }
        }
    }
    lines
}

/// A place and a size, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Area {
    pub(super) fn right(self) -> f64 {
        self.x + self.width
    }

    pub(super) fn bottom(self) -> f64 {
        self.y + self.height
    }

    pub(super) fn middle(self) -> f64 {
        self.x + self.width / 2.0
    }
}

/// What is drawn so far; later shapes lie above earlier ones.
#[derive(Default)]
pub(super) struct Canvas {
    pub(super) out: String,
}

impl Canvas {
    pub(super) fn rect(&mut self, class: &str, mark: Mark, area: Area) {
        let (Area { x, y, width, height }, class) = (area, classes(class, mark));
        _ = writeln!(self.out, "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"7\"/>");
    }

    /// Text from `x` on, on the line at `y`, cut to `width`; the whole of it shows when it is pointed at.
    pub(super) fn text(&mut self, class: &str, x: f64, y: f64, width: f64, line: &Line) {
        let (class, text) = (classes(class, line.mark), inert::line(&line.signed()).into_owned());
        let mut shown = text.clone();
        while extent(&class, &shown) > width && !shown.is_empty() {
            shown.pop();
            shown.pop();
            shown.push('…');
            if shown == "…" {
                break;
            }
        }
        let whole = if shown == text { String::new() } else { format!("<title>{}</title>", markup(&text)) };
        _ = writeln!(self.out, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}{whole}</text>", markup(&shown));
    }

    /// Lines of text, the first as a name, from the corner of an area on.
    pub(super) fn lines<'t>(&mut self, area: Area, lines: impl IntoIterator<Item = &'t Line>) {
        for (at, line) in lines.into_iter().enumerate() {
            let class = if at == 0 { "name" } else { "dim" };
            self.text(class, area.x + PADDING, area.y + 20.0 + LINE * at as f64, area.width - 2.0 * PADDING, line);
        }
    }

    /// A box with lines of text.
    pub(super) fn card(&mut self, mark: Mark, area: Area, lines: &[Line]) {
        self.rect("card", mark, area);
        self.lines(area, lines);
    }

    /// A line through points, with a tip at its end.
    pub(super) fn arrow(&mut self, class: &str, mark: Mark, points: &[(f64, f64)]) {
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
        let classes = classes(class, mark);
        _ = writeln!(self.out, "<polyline class=\"{classes}\" points=\"{}\"/>", path.join(" "));
        let [.., (from_x, from_y), (x, y)] = points else { return };
        let (dx, dy) = ((x - from_x).signum() * f64::from(x != from_x), (y - from_y).signum() * f64::from(y != from_y));
        let (back_x, back_y) = (x - 8.0 * dx, y - 8.0 * dy);
        let tip = if class == "nat" { "nattip" } else { "tip" };
        let (a, b) = ((back_x - 4.0 * dy, back_y - 4.0 * dx), (back_x + 4.0 * dy, back_y + 4.0 * dx));
        _ = writeln!(self.out, "<polygon class=\"{tip}\" points=\"{x},{y} {},{} {},{}\"/>", a.0, a.1, b.0, b.1);
    }
}

fn classes(class: &str, mark: Mark) -> String {
    [Some(class).filter(|class| !class.is_empty()), mark.class()].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// From the edge of a box to its text.
pub(super) const PADDING: f64 = 12.0;
/// From a line of text to the next.
pub(super) const LINE: f64 = 18.0;

/// The height of a box with this many lines of text.
pub(super) fn height(lines: usize) -> f64 {
    14.0 + LINE * lines as f64
}
