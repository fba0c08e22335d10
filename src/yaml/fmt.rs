//! The normal form of a YAML file that people write: steps of two, no spaces at the end of a line, one empty line at most, one line
//! feed at the end. Comments, quotes and the order of things stay as they are.
//!
//! It goes line by line, and what it makes is read again: a text that would no longer say the same is not changed.

use findings::Diagnostic;
use tree::{FileId, Node, Sources, Value};

/// What becomes of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Formatted {
    /// It is in normal form.
    Same,
    /// Its normal form.
    New(String),
    /// It stays as it is, because its normal form would not say the same.
    Kept,
}

/// The normal form of a text.
///
/// # Errors
/// What is wrong, when it is not YAML that netloom reads.
pub fn format(text: &str, file: FileId) -> Result<Formatted, Vec<Diagnostic>> {
    let mut findings = Vec::new();
    let before = crate::read(text, file, &mut findings);
    if !findings.is_empty() {
        return Err(findings);
    }
    let once = normal(text, &before);
    if once == text {
        return Ok(Formatted::Same);
    }
    let after = crate::read(&once, file, &mut findings);
    let stable = findings.is_empty() && same(&before, &after) && normal(&once, &after) == once;
    Ok(if stable { Formatted::New(once) } else { Formatted::Kept })
}

fn same(before: &[Node], after: &[Node]) -> bool {
    let values = |nodes: &[Node]| nodes.iter().map(Node::to_json).collect::<Vec<_>>();
    values(before) == values(after)
}

/// What a line that belongs to a value begun above it may undergo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    /// A scalar: nothing but moving with the line that begins it.
    Scalar,
    /// A list or mapping in brackets: its lines may lose spaces at their ends as well.
    Brackets,
}

fn normal(text: &str, documents: &[Node]) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut inside = vec![None; lines.len()];
    let mut sources = Sources::default();
    let source = sources.add("", text.to_owned());
    if let Some(source) = sources.get(source) {
        let line = |byte: u32| source.line_at(byte as usize).0.saturating_sub(1);
        documents.iter().for_each(|node| mark(node, text, &line, &mut inside));
    }
    let mut out = Lines::default();
    for (at, line) in lines.iter().enumerate() {
        match inside.get(at).copied().flatten() {
            Some(kind) => out.inside(kind, line),
            None => out.line(line),
        }
    }
    out.finish()
}

/// Marks the lines, after its first, of every value that is written on several and is no block of lists and mappings.
fn mark(node: &Node, text: &str, line: &impl Fn(u32) -> usize, inside: &mut [Option<Inside>]) {
    let bracket = text.get(node.span.start as usize..).is_some_and(|rest| rest.starts_with(['[', '{']));
    let kind = match &node.value {
        Value::List(_) | Value::Map(_) if bracket => Inside::Brackets,
        Value::List(items) => return items.iter().for_each(|item| mark(item, text, line, inside)),
        Value::Map(map) => return map.iter().for_each(|(_, value)| mark(value, text, line, inside)),
        _ => Inside::Scalar,
    };
    let last = text.get(..node.span.end as usize).map_or(node.span.end, |to| to.trim_end().len() as u32);
    let (first, last) = (line(begin(text, node.span.start)), line(last.saturating_sub(1).max(node.span.start)));
    inside.iter_mut().take(last + 1).skip(first + 1).for_each(|place| *place = Some(kind));
    if kind == Inside::Brackets {
        nested(node, text, line, inside);
    }
}

/// Where a value begins: for a block scalar, whose span is its text, at the end of the line with its `|` or `>`.
fn begin(text: &str, start: u32) -> u32 {
    let before = text.get(..start as usize).unwrap_or_default();
    let above = before.trim_end_matches(' ');
    if !above.ends_with('\n') {
        return start;
    }
    let above = above.trim_end();
    let header = above.rsplit('\n').next().unwrap_or_default();
    let header = header.split(" #").next().unwrap_or_default().trim_end();
    let mark = header.rsplit(' ').next().unwrap_or_default();
    let is_block =
        mark.starts_with(['|', '>']) && mark.trim_start_matches(['|', '>', '+', '-']).chars().all(|c| c.is_ascii_digit());
    if is_block { above.len().saturating_sub(1) as u32 } else { start }
}

/// Scalars in brackets may have several lines, too.
fn nested(node: &Node, text: &str, line: &impl Fn(u32) -> usize, inside: &mut [Option<Inside>]) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| nested(item, text, line, inside)),
        Value::Map(map) => map.iter().for_each(|(_, value)| nested(value, text, line, inside)),
        _ => mark(node, text, line, inside),
    }
}

/// The lines in normal form so far.
#[derive(Default)]
struct Lines {
    out: Vec<String>,
    /// Columns at which blocks began that are still open: where, and where they begin now.
    open: Vec<(usize, usize)>,
    /// Comments and empty lines since the last line, which go with the next one.
    pending: Vec<String>,
    /// By how much the last line moved.
    moved: isize,
}

impl Lines {
    fn line(&mut self, line: &str) {
        let line = line.trim_end();
        let rest = line.trim_start_matches(' ');
        if rest.is_empty() || rest.starts_with('#') {
            return self.pending.push(line.to_owned());
        }
        let column = line.len() - rest.len();
        if column == 0 && ["---", "...", "%"].iter().any(|mark| rest.starts_with(mark)) {
            self.flush(0, 0);
            self.open.clear();
            self.moved = 0;
            return self.out.push(line.to_owned());
        }
        let before = self.open.clone();
        let at = self.place(column);
        let after = std::mem::replace(&mut self.open, before);
        self.flush(column, at);
        self.open = after;
        let mut new = " ".repeat(at);
        let (mut old_column, mut rest) = (column, rest);
        while let Some(item) = rest.strip_prefix('-').filter(|item| item.starts_with(' ')) {
            let content = item.trim_start_matches(' ');
            if content.starts_with('#') {
                break;
            }
            old_column += rest.len() - content.len();
            new.push_str("- ");
            self.open.push((old_column, new.len()));
            rest = content;
        }
        self.moved = new.len() as isize - old_column as isize;
        self.out.push(new + rest);
    }

    /// A line of a value that began above: it moves with that.
    fn inside(&mut self, kind: Inside, line: &str) {
        let rest = line.trim_start_matches(' ');
        let column = line.len() - rest.len();
        let line = match rest.is_empty() {
            true if self.moved >= 0 || kind == Inside::Brackets => line.to_owned(),
            _ => " ".repeat(column.saturating_add_signed(self.moved)) + rest,
        };
        self.out.push(if kind == Inside::Brackets { line.trim_end().to_owned() } else { line });
    }

    /// Where a line goes that was at `column`.
    fn place(&mut self, column: usize) -> usize {
        while self.open.last().is_some_and(|(old, _)| *old > column) {
            self.open.pop();
        }
        match self.open.last() {
            Some((old, new)) if *old == column => *new,
            last => {
                let new = last.map_or(0, |(_, new)| new + 2);
                self.open.push((column, new));
                new
            }
        }
    }

    /// Puts down what stands above a line that was at `column` and is now at `at`.
    fn flush(&mut self, column: usize, at: usize) {
        for line in std::mem::take(&mut self.pending) {
            let rest = line.trim_start_matches(' ');
            if rest.is_empty() {
                if self.out.last().is_some_and(|last| !last.is_empty()) {
                    self.out.push(String::new());
                }
                continue;
            }
            let old = line.len() - rest.len();
            let block = self.open.iter().rev().find(|(open, _)| *open <= old);
            let new = match block {
                _ if old == column => at,
                Some((open, new)) if *open == old => *new,
                Some((_, new)) => new + 2,
                None => 0,
            };
            self.out.push(" ".repeat(new) + rest);
        }
    }

    fn finish(mut self) -> String {
        self.flush(usize::MAX, 0);
        while self.out.last().is_some_and(String::is_empty) {
            self.out.pop();
        }
        let mut text = self.out.join("\n");
        if !text.is_empty() {
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests;
