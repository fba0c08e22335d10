//! Where a part of an expression stands in the YAML that it is from.

use tree::Span;

/// The place of a whole expression, and how to find its parts in it.
#[derive(Clone, Debug)]
pub struct Place {
    span: Span,
    /// For each character of the expression its byte in the source; empty when it was not found there.
    bytes: Vec<u32>,
}

impl Place {
    /// The place of `text`, the value of a YAML scalar at `span`, whose source is `raw`.
    pub fn new(span: Span, text: &str, raw: Option<&str>) -> Self {
        Self { span, bytes: raw.and_then(|raw| follow(text, raw)).unwrap_or_default() }
    }

    /// The place of the characters from `start` to `end`, the last one included.
    pub fn part(&self, start: usize, end: usize) -> Span {
        match (self.bytes.get(start), self.bytes.get(end)) {
            (Some(first), Some(last)) => Span { start: self.span.start + first, end: self.span.start + last + 1, ..self.span },
            _ => self.span,
        }
    }
}

/// Follows a scalar's value through its source: quotes, escapes, indentation and folded lines stand in between.
fn follow(text: &str, raw: &str) -> Option<Vec<u32>> {
    let block = raw.starts_with(['|', '>']);
    let skipped = if block { raw.find('\n')? + 1 } else { 0 };
    let mut source = raw.char_indices().skip_while(|(at, _)| *at < skipped).peekable();
    let mut bytes = Vec::new();
    for wanted in text.chars() {
        let at = if wanted.is_whitespace() {
            // A line feed may stand for a space; several spaces of indentation for nothing.
            source.find(|(_, found)| found.is_whitespace()).map_or(raw.len(), |(at, _)| at)
        } else {
            source.find(|(_, found)| *found == wanted)?.0
        };
        bytes.push(u32::try_from(at).ok()?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::follow;

    #[test]
    fn a_value_is_found_in_each_style() {
        let at = |text: &str, raw: &str, part: &str| {
            let bytes = follow(text, raw).unwrap();
            let start = text[..text.find(part).unwrap()].chars().count();
            raw[bytes[start] as usize..].to_owned()
        };
        assert_eq!(at("a == b", "a == b", "b"), "b");
        assert_eq!(at("a == 'x'", "\"a == 'x'\"", "'x"), "'x'\"");
        assert_eq!(at("a == 'x'", "'a == ''x'''", "x"), "x'''");
        assert_eq!(at("a &&\nb", "|-\n      a &&\n      b", "b"), "b");
        assert_eq!(at("a && b", ">-\n      a &&\n      b", "b"), "b");
        assert_eq!(at("a.é == 1", "a.é == 1", "1"), "1");
    }
}
