//! YAML text to trees; the only user of the YAML crate.
//!
//! Rejects rather than interprets: duplicate keys, tags, anchors, merge keys and plain scalars that YAML 1.1 and 1.2 read
//! differently are errors with a place, and reading goes on, so that one run reports them all.

mod scalar;
#[cfg(test)]
mod tests;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span as RawSpan, Tag, options};

use findings::{Diagnostic, Label, rules};
use tree::{FileId, Key, Map, Node, Span, Value, limits};
pub use tree::{hidden, is_hidden};

/// Reads every document of `text`; what is wrong goes to `findings`. Empty documents are left out.
pub fn read(text: &str, file: FileId, findings: &mut Vec<Diagnostic>) -> Vec<Node> {
    let first = findings.len();
    let last_alias = (0, String::new());
    let mut reader = Reader { file, text, findings, first, last_alias, stack: Vec::new(), documents: Vec::new(), nodes: 0 };
    let options = options! { emit_anchor_events: true, emit_unresolved_aliases: true, disallow_directives: true };
    for event in Parser::new_from_str_with_options(text, options) {
        match event {
            Ok((event, span)) => {
                if reader.event(event, span).is_none() {
                    break;
                }
            }
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
                reader.error(&rules::YAML_SYNTAX, Span::new(file, at, at), format!("not valid YAML: {}", error.kind()));
                break;
            }
        }
    }
    reader.documents
}

/// Reads a text that is one document, `what` in a file called `name`.
pub fn single(text: &str, file: FileId, (name, what): (&str, &str), findings: &mut Vec<Diagnostic>) -> Option<Node> {
    let before = findings.len();
    let mut documents = read(text, file, findings).into_iter();
    match (documents.next(), documents.next()) {
        (Some(first), None) => return Some(first),
        (_, Some(second)) => {
            let message = format!("`{name}` has a second document; {what} is one");
            findings.push(Diagnostic::new(&rules::SCHEMA, second.span, message));
        }
        (None, None) if findings.len() == before => {
            findings.push(Diagnostic::new(&rules::SCHEMA, Span::file(file), format!("`{name}` is empty")));
        }
        (None, None) => {}
    }
    None
}

/// A merge key, where it is not in quotes.
const MERGE: &str = "<<";

/// Functions of CloudFormation that people write as tags.
const FUNCTIONS: [&str; 11] =
    ["Base64", "Cidr", "FindInMap", "GetAZs", "If", "ImportValue", "Join", "Select", "Split", "Sub", "Transform"];

/// A collection that is still open.
enum Open {
    List(Vec<Node>, Span),
    Map { map: Map, key: Option<Key>, span: Span },
}

struct Reader<'a> {
    file: FileId,
    text: &'a str,
    findings: &'a mut Vec<Diagnostic>,
    /// How many findings there were before.
    first: usize,
    /// Line and name of the last alias.
    last_alias: (usize, String),
    stack: Vec<Open>,
    documents: Vec<Node>,
    nodes: usize,
}

impl Reader<'_> {
    /// Takes one event; `None` when a limit ends the reading.
    fn event(&mut self, event: Event<'_>, raw: RawSpan) -> Option<()> {
        let span = self.span(raw);
        match event {
            Event::Scalar(text, style, _, tag) => {
                self.refuse_tag(tag.as_deref(), span);
                let node = self.scalar(&text, style, span);
                self.complete(node)
            }
            Event::SequenceStart(_, _, tag) => {
                self.refuse_tag(tag.as_deref(), span);
                self.open(Open::List(Vec::new(), span), span)
            }
            Event::MappingStart(_, _, tag) => {
                self.refuse_tag(tag.as_deref(), span);
                self.open(Open::Map { map: Map::new(), key: None, span }, span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Anchor(_, name) => {
                self.error(&rules::YAML_ALIAS, span, format!("the anchor `&{name}` stands here"));
                Some(())
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.alias(span, raw.start.line());
                self.complete(Node::new(Value::Null, span))
            }
            Event::DocumentStart(..) if self.documents.len() >= limits::YAML_DOCUMENTS => {
                self.limit(span, "documents in one file", limits::YAML_DOCUMENTS)
            }
            _ => Some(()),
        }
    }

    fn span(&self, raw: RawSpan) -> Span {
        let range = raw.byte_range().unwrap_or(0..0);
        Span::new(self.file, range.start, range.end.min(self.text.len()))
    }

    /// Reports what is wrong, as long as people would still be shown it.
    fn push(&mut self, finding: Diagnostic) {
        if self.findings.len() <= self.first + limits::DIAGNOSTICS {
            self.findings.push(finding);
        }
    }

    fn error(&mut self, rule: &'static findings::Rule, span: Span, message: impl Into<String>) {
        self.push(Diagnostic::new(rule, span, message));
    }

    fn limit(&mut self, span: Span, what: &str, limit: usize) -> Option<()> {
        self.error(&rules::LIMIT, span, format!("more than {limit} {what}"));
        None
    }

    /// Adds an alias to the finding about its anchor, so that there is one finding for what is one mistake; once a line.
    fn alias(&mut self, span: Span, line: usize) {
        let name = self.slice(span).trim_start_matches('*').to_owned();
        let here = (line, name.clone());
        if std::mem::replace(&mut self.last_alias, here.clone()) == here {
            return;
        }
        let message = format!("the anchor `&{name}` stands here");
        match self.findings.iter_mut().skip(self.first).rev().find(|finding| finding.message == message) {
            Some(finding) if finding.labels.len() > limits::DIAGNOSTIC_PLACES => {}
            Some(finding) => finding.labels.push(Label { span, text: "used here".to_owned() }),
            None => self.error(&rules::YAML_ALIAS, span, format!("the alias `*{name}` stands here, without an anchor before it")),
        }
    }

    fn refuse_tag(&mut self, tag: Option<&Tag>, span: Span) {
        let Some(tag) = tag else { return };
        let finding = Diagnostic::new(&rules::YAML_TAG, span, format!("this value has the tag `{}`", tag.original()));
        self.push(match tag.original().strip_prefix('!') {
            Some("Ref") => finding.help("CloudFormation's functions are written in full: `Ref: NAME`"),
            Some("GetAtt") => finding.help("CloudFormation's functions are written in full: `Fn::GetAtt: [NAME, ATTRIBUTE]`"),
            Some(name) if FUNCTIONS.contains(&name) => {
                finding.help(format!("CloudFormation's functions are written in full: `Fn::{name}: …`"))
            }
            _ => finding,
        });
    }

    fn open(&mut self, open: Open, span: Span) -> Option<()> {
        if self.stack.len() >= limits::YAML_DEPTH {
            return self.limit(span, "levels of nesting", limits::YAML_DEPTH);
        }
        if let Some(Open::Map { key: None, .. }) = self.stack.last() {
            self.error(&rules::YAML_SYNTAX, span, "a mapping key must be text, not a list or a mapping");
            return None;
        }
        self.stack.push(open);
        Some(())
    }

    fn close(&mut self, end: Span) -> Option<()> {
        let node = match self.stack.pop()? {
            Open::List(items, span) => Node::new(Value::List(items), self.extend(span, end)),
            Open::Map { map, span, .. } => Node::new(Value::Map(map), self.extend(span, end)),
        };
        self.complete(node)
    }

    /// From a collection's first to its last byte, without the white space that ends a block.
    fn extend(&self, start: Span, end: Span) -> Span {
        let text = self.text.get(start.start as usize..end.end as usize).unwrap_or_default();
        Span::new(self.file, start.start as usize, start.start as usize + text.trim_end().len())
    }

    /// Puts a finished value where it belongs.
    fn complete(&mut self, node: Node) -> Option<()> {
        self.nodes += 1;
        if self.nodes > limits::YAML_NODES {
            return self.limit(node.span, "values in one file", limits::YAML_NODES);
        }
        match self.stack.last_mut() {
            None if node.is_null() => {}
            None => self.documents.push(node),
            Some(Open::List(items, _)) => items.push(node),
            Some(Open::Map { map, key, .. }) => match key.take() {
                Some(name) if self.text.get(name.span.start as usize..name.span.end as usize) == Some(MERGE) => {}
                Some(name) => map.push(name, node),
                None => return self.key(&node),
            },
        }
        Some(())
    }

    fn key(&mut self, node: &Node) -> Option<()> {
        let Some(Open::Map { map, .. }) = self.stack.last() else { return None };
        let text = match &node.value {
            Value::String(text) => text.clone(),
            _ => self.slice(node.span).into(),
        };
        let earlier = map.entry(&text).map(|(key, _)| key.span);
        if map.len() >= limits::YAML_KEYS {
            return self.limit(node.span, "keys in one mapping", limits::YAML_KEYS);
        }
        if let Some(earlier) = earlier {
            let message = format!("the key `{text}` stands twice in one mapping");
            self.push(Diagnostic::new(&rules::YAML_DUPLICATE_KEY, node.span, message).also(earlier, "first here"));
        }
        if self.slice(node.span) == MERGE {
            self.error(&rules::YAML_MERGE_KEY, node.span, "a merge key (`<<`) stands here");
        }
        if let Some(Open::Map { key, .. }) = self.stack.last_mut() {
            *key = Some(Key { text, span: node.span });
        }
        Some(())
    }

    fn slice(&self, span: Span) -> &str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, span: Span) -> Node {
        if let Some((_, bad)) = hidden(text) {
            self.push(invisible(bad, span));
        }
        if style != ScalarStyle::Plain {
            return Node::new(Value::String(text.into()), span);
        }
        let value = scalar::resolve(text).unwrap_or_else(|instead| {
            let message = format!("YAML 1.1 and 1.2 read `{text}` differently");
            self.push(Diagnostic::new(&rules::YAML_AMBIGUOUS, span, message).help(instead));
            Value::String(text.into())
        });
        Node::new(value, span)
    }
}

/// What is said of a hidden character.
#[must_use]
pub fn invisible(bad: char, span: Span) -> Diagnostic {
    let message = format!("the text contains the invisible character U+{:04X}", u32::from(bad));
    Diagnostic::new(&rules::HIDDEN_CHARACTER, span, message)
}

/// Looks for hidden characters in a file's text.
///
/// # Errors
/// When there is one: what is said of the first, at its place, and the text without any.
pub fn visible(text: &str, file: FileId) -> Result<(), Box<(Diagnostic, String)>> {
    let Some((at, bad)) = hidden(text) else { return Ok(()) };
    let finding = invisible(bad, Span::new(file, at, at + bad.len_utf8()));
    Err(Box::new((finding, text.replace(is_hidden, ""))))
}
