//! Who has written a text of a template: the author of an overlay, or whoever wrote a declaration.

use std::sync::OnceLock;

use super::is_function;
use tree::{Map, Node, Sources, Span, Value};

/// The overlays' files, and what declarations and layers give.
#[derive(Debug)]
pub struct Authors<'a> {
    sources: &'a Sources,
    /// The folder of the project's overlays.
    overlays: &'a str,
    /// The declarations, and the options of overlays.
    declared: Vec<&'a Node>,
    given: OnceLock<Given<'a>>,
}

/// What declarations give that could become part of a template.
#[derive(Debug, Default)]
struct Given<'a> {
    texts: Vec<(&'a str, Span)>,
    functions: Vec<&'a Node>,
}

impl<'a> Authors<'a> {
    /// Of the template that is made for these declarations and options.
    #[must_use]
    pub fn new(sources: &'a Sources, overlays: &'a str, declared: Vec<&'a Node>) -> Self {
        Self { sources, overlays, declared, given: OnceLock::new() }
    }

    /// Whether the author of an overlay has written a text out: in the scalar that it is from, or in a file of an overlay while
    /// declarations could not have given it.
    pub(super) fn wrote(&self, text: &str, span: Span) -> bool {
        let anywhere = || self.sources.iter().any(|(_, source)| self.is_overlay(&source.path) && source.text.contains(text));
        // The braces of an expression are no text of its scalar.
        let braces = text.chars().all(|c| matches!(c, '{' | '}' | ' '));
        (!braces && self.stands(text, span)) || (anywhere() && !self.gave(text))
    }

    /// Whether a text is written out in the scalar at `span` of an overlay's file.
    pub(super) fn stands(&self, text: &str, span: Span) -> bool {
        let source = self.sources.get(span.file).filter(|source| self.is_overlay(&source.path));
        let scalar = source.and_then(|source| source.text.get(span.start as usize..span.end as usize));
        scalar.is_some_and(|scalar| scalar.contains(text))
    }

    /// Whether a text can be put together from what declarations give: from the end of one, whole ones, and the beginning of another.
    pub(super) fn gave(&self, text: &str) -> bool {
        let texts = || self.given().texts.iter().map(|(text, _)| *text);
        if texts().any(|given| given.contains(text)) {
            return true;
        }
        let mut reached = vec![false; text.len() + 1];
        for end in text.char_indices().map(|(at, _)| at).skip(1) {
            reached[end] = texts().any(|given| given.ends_with(&text[..end]));
        }
        for at in (1..text.len()).filter(|at| text.is_char_boundary(*at)) {
            if !reached[at] {
                continue;
            }
            for given in texts() {
                if given.starts_with(&text[at..]) {
                    return true;
                }
                if text[at..].starts_with(given) {
                    reached[at + given.len()] = true;
                }
            }
        }
        false
    }

    /// The texts that declarations give, and where.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&'a str, Span)> {
        self.given().texts.iter().copied()
    }

    /// Whether declarations give functions.
    pub(super) fn gave_functions(&self) -> bool {
        !self.given().functions.is_empty()
    }

    /// Where a declaration gives a function that a template has.
    pub(super) fn gave_function(&self, node: &Node) -> Option<Span> {
        self.given().functions.iter().find(|function| **function == node).map(|function| function.span)
    }

    /// Where a declaration gives a text, with the least around it; or else the largest part of the text.
    pub(super) fn giver(&self, text: &str) -> Option<Span> {
        let shared = |given: &str| {
            if given.contains(text) {
                text.len()
            } else if text.contains(given) {
                given.len()
            } else {
                0
            }
        };
        let givers = self.given().texts.iter().filter(|(given, _)| shared(given) > 0);
        givers.max_by_key(|(given, _)| (shared(given), std::cmp::Reverse(given.len()))).map(|(_, span)| *span)
    }

    fn is_overlay(&self, path: &str) -> bool {
        path.starts_with("netloom:") || path.strip_prefix(self.overlays).is_some_and(|rest| rest.starts_with('/'))
    }

    fn given(&self) -> &Given<'a> {
        self.given.get_or_init(|| {
            let mut given = Given::default();
            self.declared.iter().for_each(|node| self.collect(node, &mut given));
            given
        })
    }

    fn collect(&self, node: &'a Node, given: &mut Given<'a>) {
        match &node.value {
            Value::String(text) if !text.is_empty() && self.is_declared(node.span) => given.texts.push((text, node.span)),
            Value::List(items) => items.iter().for_each(|item| self.collect(item, given)),
            Value::Map(map) => self.collect_map(node, map, given),
            _ => {}
        }
    }

    fn collect_map(&self, node: &'a Node, map: &'a Map, given: &mut Given<'a>) {
        // A default of an option has the place of the options, and its key none.
        for (key, child) in map.iter().filter(|(key, _)| key.span.is_known()) {
            if self.is_declared(key.span) {
                given.texts.extend((!key.text.is_empty()).then_some((&*key.text, key.span)));
                if is_function(&key.text) {
                    given.functions.push(node);
                }
            }
            self.collect(child, given);
        }
    }

    /// Whether something stands in a declaration, or in the project's file.
    fn is_declared(&self, span: Span) -> bool {
        self.sources.get(span.file).is_some_and(|source| !self.is_overlay(&source.path))
    }
}
