//! JSON pointers (RFC 6901), and what to say when one leads nowhere.

use findings::{Diagnostic, rules};
use tree::{Map, Node, Span, Value};

/// A result, or what went wrong.
pub(super) type Outcome<T> = Result<T, Box<Diagnostic>>;

pub(super) fn error<T>(rule: &'static findings::Rule, span: Span, message: impl Into<String>) -> Outcome<T> {
    Err(Box::new(Diagnostic::new(rule, span, message)))
}

/// A JSON pointer and the place where it is written.
pub(super) struct Pointer<'p> {
    pub(super) text: &'p str,
    pub(super) tokens: Vec<String>,
    pub(super) span: Span,
}

impl<'p> Pointer<'p> {
    pub(super) fn parse(node: &'p Node) -> Outcome<Self> {
        let Some(text) = node.as_str() else {
            return error(&rules::PATCH_INVALID, node.span, format!("a JSON pointer is a string, and this is {}", node.kind()));
        };
        if !text.is_empty() && !text.starts_with('/') {
            let finding = Diagnostic::new(&rules::PATCH_INVALID, node.span, format!("`{text}` is no JSON pointer"));
            return Err(Box::new(finding.help(format!("write `/{}`", text.replace('.', "/")))));
        }
        let tokens = text.split('/').skip(1).map(unescape).collect::<Option<Vec<_>>>();
        match tokens {
            Some(tokens) => Ok(Self { text, tokens, span: node.span }),
            None => error(&rules::PATCH_INVALID, node.span, format!("`{text}`: after `~` stands 0 (for `~`) or 1 (for `/`)")),
        }
    }

    /// Whether one of two pointers names the other's place, or a place around it.
    pub(super) fn overlaps(&self, other: &Pointer<'_>) -> bool {
        self.tokens.iter().zip(&other.tokens).all(|(a, b)| a == b)
    }

    /// The pointer's first `tokens` tokens as written.
    fn start(&self, tokens: usize) -> &str {
        let end = self.text.match_indices('/').nth(tokens).map_or(self.text.len(), |(at, _)| at);
        &self.text[..end]
    }

    /// Reports that a token names nothing in `parent`.
    pub(super) fn missing<T>(&self, at: usize, parent: &Node) -> Outcome<T> {
        let token = self.tokens.get(at).map_or("", String::as_str);
        let here = if at == 0 { "the object".to_owned() } else { format!("`{}`", self.start(at)) };
        let (why, help) = match &parent.value {
            Value::Map(map) => (format!("{here} has no `{token}`"), key_help(map, token)),
            Value::List(items) => (format!("{here} has {}", count(items)), index_help(items, token)),
            _ => (format!("{here} is {}", parent.kind()), None),
        };
        let mut finding = Diagnostic::new(&rules::PATCH_NO_MATCH, self.span, format!("`{}` does not exist: {why}", self.text));
        if let Some(help) = help {
            finding = finding.help(help);
        }
        if parent.span.is_known() {
            finding = finding.also(parent.span, "the nearest place that exists");
        }
        Err(Box::new(finding))
    }
}

fn count(items: &[Node]) -> String {
    match items.len() {
        0 => "no elements".to_owned(),
        1 => "one element, 0".to_owned(),
        number => format!("the elements 0 to {}", number - 1),
    }
}

fn key_help(map: &Map, token: &str) -> Option<String> {
    findings::nearest(token, map.keys()).map(|name| format!("did you mean `{name}`?"))
}

/// The index of the element that a token names instead of numbering it.
fn index_help(items: &[Node], token: &str) -> Option<String> {
    let place = items.iter().position(|item| item.str_at("name") == Some(token))?;
    Some(format!("the element with `name: {token}` is {place}"))
}

fn unescape(token: &str) -> Option<String> {
    let mut parts = token.split('~');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.try_fold(first, |text, part| match part.as_bytes().first() {
        Some(b'0') => Some(text + "~" + &part[1..]),
        Some(b'1') => Some(text + "/" + &part[1..]),
        _ => None,
    })
}

/// An array index: digits without leading zeros.
pub(super) fn index(token: &str) -> Option<usize> {
    let digits = token.bytes().all(|byte| byte.is_ascii_digit()) && (token == "0" || !token.starts_with('0'));
    if digits { token.parse().ok() } else { None }
}

pub(super) fn child<'n>(node: &'n Node, token: &str) -> Option<&'n Node> {
    match &node.value {
        Value::Map(map) => map.get(token),
        Value::List(items) => items.get(index(token)?),
        _ => None,
    }
}

pub(super) fn child_mut<'n>(node: &'n mut Node, token: &str) -> Option<&'n mut Node> {
    match &mut node.value {
        Value::Map(map) => map.get_mut(token),
        Value::List(items) => items.get_mut(index(token)?),
        _ => None,
    }
}
