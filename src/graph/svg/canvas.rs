//! Shapes and text, and how they look in light and dark.

use std::fmt::Write;

/// Each class of shapes with its colours: light, then dark where the viewer's system prefers that.
pub(super) const STYLE: &str = "\
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
}
";

/// Width of a character as a part of the size of its font: wide enough for text of small letters, digits and points in the fonts
/// of the style, so that cut text stays inside of its box.
const CHARACTER: f64 = 0.55;

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
    pub(super) fn rect(&mut self, class: &str, area: Area) {
        let Area { x, y, width, height } = area;
        _ = writeln!(self.out, "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"7\"/>");
    }

    /// Text from `x` on, on the line at `y`, cut to `width`; the whole of it shows when it is pointed at.
    pub(super) fn text(&mut self, class: &str, x: f64, y: f64, width: f64, text: &str) {
        let size = match class {
            "head" => 20.0,
            "name" => 15.0, // bold letters of 14 pixels are as wide as these
            _ => 13.0,
        };
        let most = (width / (size * CHARACTER)).floor().max(1.0) as usize;
        let long = text.chars().count() > most;
        let shown: String =
            if long { text.chars().take(most.saturating_sub(1)).chain(['…']).collect() } else { text.to_owned() };
        let whole = if long { format!("<title>{}</title>", escape(text)) } else { String::new() };
        _ = writeln!(self.out, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}{whole}</text>", escape(&shown));
    }

    /// Lines of text, the first as a name, from the corner of an area on.
    pub(super) fn lines<'t>(&mut self, area: Area, lines: impl IntoIterator<Item = &'t str>) {
        for (at, line) in lines.into_iter().enumerate() {
            let class = if at == 0 { "name" } else { "dim" };
            self.text(class, area.x + PADDING, area.y + 20.0 + LINE * at as f64, area.width - 2.0 * PADDING, line);
        }
    }

    /// A line through points, with a tip at its end.
    pub(super) fn arrow(&mut self, class: &str, points: &[(f64, f64)]) {
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
        _ = writeln!(self.out, "<polyline class=\"{class}\" points=\"{}\"/>", path.join(" "));
        let [.., (from_x, from_y), (x, y)] = points else { return };
        let (dx, dy) = ((x - from_x).signum() * f64::from(x != from_x), (y - from_y).signum() * f64::from(y != from_y));
        let (back_x, back_y) = (x - 8.0 * dx, y - 8.0 * dy);
        let tip = if class == "nat" { "nattip" } else { "tip" };
        let (a, b) = ((back_x - 4.0 * dy, back_y - 4.0 * dx), (back_x + 4.0 * dy, back_y + 4.0 * dx));
        _ = writeln!(self.out, "<polygon class=\"{tip}\" points=\"{x},{y} {},{} {},{}\"/>", a.0, a.1, b.0, b.1);
    }
}

/// From the edge of a box to its text.
pub(super) const PADDING: f64 = 12.0;
/// From a line of text to the next.
pub(super) const LINE: f64 = 18.0;

/// The height of a box with this many lines of text.
pub(super) fn height(lines: usize) -> f64 {
    14.0 + LINE * lines as f64
}

/// Text as it is: what means something in XML as entities, what XML cannot hold as spaces.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') || crate::tree::yaml::is_hidden(c) => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
