//! Manifests with expressions in them: parsed as YAML once, evaluated per cluster.
//!
//! There is no text templating of YAML, so no value can break out of its scalar, and every rendered value knows the template
//! position that wrote it.

mod inspect;
#[cfg(test)]
mod tests;

use std::fmt::Write;

use minijinja::Value as Engine;

use super::expression::{Expression, Outcome};
use findings::{Diagnostic, rules};
use tree::{Key, Map, Node, Sources, Span, Value};

/// A tree with expressions, compiled.
#[derive(Debug)]
pub enum Template {
    /// No expression anywhere below.
    Constant(Node),
    /// A scalar with expressions.
    Scalar(Scalar),
    /// A mapping.
    Map(Vec<(KeyTemplate, Template)>, Span),
    /// A list.
    List(Vec<Template>, Span),
    /// A list item that is there when its condition holds.
    When(Expression, Box<Template>),
}

/// A scalar's expressions and the text between them.
#[derive(Debug)]
pub struct Scalar {
    pieces: Vec<Piece>,
    span: Span,
}

#[derive(Debug)]
enum Piece {
    Text(String),
    Expression(Expression),
}

/// A mapping's key, which may contain expressions.
#[derive(Debug)]
pub enum KeyTemplate {
    /// As written.
    Constant(Key),
    /// Computed.
    Computed(Scalar),
}

/// How templates are compiled.
#[derive(Clone, Copy)]
pub struct Compiler<'a> {
    /// The texts, for the exact places of expressions.
    pub sources: &'a Sources,
    /// Whether list items may carry `when`.
    pub conditions: bool,
}

impl Compiler<'_> {
    /// Compiles a tree; expressions that cannot be compiled go to `findings`.
    pub fn compile(&self, node: &Node, findings: &mut Vec<Diagnostic>) -> Template {
        match &node.value {
            Value::String(text) if text.contains("{{") => match self.scalar(text, node.span) {
                Ok(scalar) => Template::Scalar(scalar),
                Err(finding) => {
                    findings.push(*finding);
                    Template::Constant(node.clone())
                }
            },
            Value::List(items) => {
                let items: Vec<Template> = items.iter().map(|item| self.item(item, findings)).collect();
                if items.iter().all(Template::is_constant) {
                    Template::Constant(node.clone())
                } else {
                    Template::List(items, node.span)
                }
            }
            Value::Map(map) => {
                let entries: Vec<_> =
                    map.iter().map(|(key, child)| (self.key(key, findings), self.compile(child, findings))).collect();
                let constant =
                    |(key, child): &(KeyTemplate, Template)| matches!(key, KeyTemplate::Constant(_)) && child.is_constant();
                if entries.iter().all(constant) { Template::Constant(node.clone()) } else { Template::Map(entries, node.span) }
            }
            _ => Template::Constant(node.clone()),
        }
    }

    fn item(&self, node: &Node, findings: &mut Vec<Diagnostic>) -> Template {
        let condition = node.as_map().filter(|_| self.conditions).and_then(|map| map.get("when"));
        let Some((condition, text)) = condition.and_then(|node| node.as_str().map(|text| (node, text))) else {
            return self.compile(node, findings);
        };
        let mut rest = node.clone();
        rest.as_map_mut().map(|map| map.remove("when"));
        let rest = self.compile(&rest, findings);
        match Expression::compile(text, condition.span, self.offset(text, condition.span)) {
            Ok(when) => Template::When(when, Box::new(rest)),
            Err(finding) => {
                findings.push(finding);
                rest
            }
        }
    }

    fn key(&self, key: &Key, findings: &mut Vec<Diagnostic>) -> KeyTemplate {
        if key.text.contains("{{") {
            match self.scalar(&key.text, key.span) {
                Ok(scalar) => return KeyTemplate::Computed(scalar),
                Err(finding) => findings.push(*finding),
            }
        }
        KeyTemplate::Constant(key.clone())
    }

    /// Splits a scalar into text and expressions.
    ///
    /// # Errors
    /// When an expression does not end or does not compile.
    pub fn scalar(&self, text: &str, span: Span) -> Result<Scalar, Box<Diagnostic>> {
        let mut pieces = Vec::new();
        let mut at = 0;
        while let Some(open) = text[at..].find("{{").map(|open| at + open) {
            let body = open + 2;
            let Some(close) = closing(&text[body..]).map(|close| body + close) else {
                return Err(Box::new(Diagnostic::new(
                    &rules::EXPRESSION,
                    span,
                    "an expression that `{{` opens is not closed by `}}`",
                )));
            };
            if open > at {
                pieces.push(Piece::Text(text[at..open].to_owned()));
            }
            let offset = self.offset(text, span).and_then(|offset| Some(offset + u32::try_from(body).ok()?));
            pieces.push(Piece::Expression(Expression::compile(&text[body..close], span, offset)?));
            at = close + 2;
        }
        if at < text.len() {
            pieces.push(Piece::Text(text[at..].to_owned()));
        }
        Ok(Scalar { pieces, span })
    }

    /// Where the scalar's text begins in its source span, when it stands there byte for byte.
    #[must_use]
    pub fn offset(&self, text: &str, span: Span) -> Option<u32> {
        let source = &self.sources.get(span.file)?.text;
        let written = source.get(span.start as usize..span.end as usize)?;
        u32::try_from(written.find(text)?).ok()
    }
}

/// Where the `}}` stands that ends an expression, outside of its string literals.
fn closing(text: &str) -> Option<usize> {
    let (mut quote, mut depth, mut escaped) = (None, 0usize, false);
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            _ if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(open), close) if open == close => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'{') => depth += 1,
            (None, b'}') if depth > 0 => depth -= 1,
            (None, b'}') if text.as_bytes().get(at + 1) == Some(&b'}') => return Some(at),
            _ => {}
        }
    }
    None
}

impl Scalar {
    /// Its expressions.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Expression(expression) => Some(expression),
        })
    }

    /// The scalar's place.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    fn eval(&self, context: &Engine) -> Result<Outcome, Diagnostic> {
        if let [Piece::Expression(expression)] = self.pieces.as_slice() {
            return expression.eval(context);
        }
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(part) => text.push_str(part),
                Piece::Expression(expression) => _ = write!(text, "{}", expression.value(context)?),
            }
        }
        Ok(Outcome::Value(Node::new(Value::String(text.into()), self.span)))
    }

    /// Evaluates to text.
    ///
    /// # Errors
    /// What the engine says, or when the result is `omit`.
    pub fn text(&self, context: &Engine) -> Result<String, Diagnostic> {
        match self.eval(context)? {
            Outcome::Value(Node { value: Value::String(text), .. }) => Ok(text.to_string()),
            Outcome::Value(node) => Ok(node.to_json().to_string()),
            Outcome::Omit => Err(Diagnostic::new(&rules::EXPRESSION, self.span, "`omit` cannot stand here")),
        }
    }
}

impl Template {
    /// Whether the result is the same for every cluster.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        matches!(self, Template::Constant(_))
    }

    /// Whether the whole of it is one scalar with expressions.
    #[must_use]
    pub fn is_scalar(&self) -> bool {
        matches!(self, Template::Scalar(_))
    }

    /// Evaluates every expression, in the order written: what the result depends on.
    ///
    /// # Errors
    /// Every expression that fails.
    pub fn inputs(&self, context: &Engine, inputs: &mut Vec<Outcome>, findings: &mut Vec<Diagnostic>) {
        let mut take = |outcome: Result<Outcome, Diagnostic>| match outcome {
            Ok(outcome) => inputs.push(outcome),
            Err(finding) => {
                findings.push(finding);
                inputs.push(Outcome::Omit);
            }
        };
        match self {
            Template::Constant(_) => {}
            Template::Scalar(scalar) => take(scalar.eval(context)),
            Template::Map(entries, _) => {
                for (key, child) in entries {
                    if let KeyTemplate::Computed(key) = key {
                        match key.eval(context) {
                            Ok(outcome) => inputs.push(outcome),
                            Err(finding) => {
                                findings.push(finding);
                                inputs.push(Outcome::Omit);
                            }
                        }
                    }
                    child.inputs(context, inputs, findings);
                }
            }
            Template::List(items, _) => items.iter().for_each(|item| item.inputs(context, inputs, findings)),
            Template::When(condition, rest) => match condition.is_true(context) {
                Ok(true) => {
                    inputs.push(Outcome::Value(true.into()));
                    rest.inputs(context, inputs, findings);
                }
                Ok(false) => inputs.push(Outcome::Omit),
                Err(finding) => {
                    findings.push(finding);
                    inputs.push(Outcome::Omit);
                }
            },
        }
    }

    /// Builds the tree from the evaluated inputs; `None` when the whole of it is omitted.
    pub fn build(&self, inputs: &mut impl Iterator<Item = Outcome>) -> Option<Node> {
        match self {
            Template::Constant(node) => Some(node.clone()),
            Template::Scalar(_) => value(inputs.next()),
            Template::Map(entries, span) => {
                let mut map = Map::new();
                let computed = entries.iter().any(|(key, _)| matches!(key, KeyTemplate::Computed(_)));
                for (key, child) in entries {
                    let key = match key {
                        KeyTemplate::Constant(key) => Some(key.clone()),
                        KeyTemplate::Computed(scalar) => value(inputs.next())
                            .and_then(|node| node.as_str().map(|text| Key { text: text.into(), span: scalar.span })),
                    };
                    let child = child.build(inputs);
                    match (key, child) {
                        // No two keys as written are alike: the reader saw to that.
                        (Some(key), Some(child)) if !computed => map.push(key, child),
                        (Some(key), Some(child)) => _ = map.insert(key, child),
                        _ => {}
                    }
                }
                Some(Node::new(Value::Map(map), *span))
            }
            Template::List(items, span) => {
                let items = items.iter().filter_map(|item| item.build(inputs)).collect();
                Some(Node::new(Value::List(items), *span))
            }
            Template::When(_, rest) => match inputs.next() {
                Some(Outcome::Value(_)) => rest.build(inputs),
                _ => None,
            },
        }
    }

    /// Evaluates and builds in one go.
    pub fn eval(&self, context: &Engine, findings: &mut Vec<Diagnostic>) -> Option<Node> {
        let mut inputs = Vec::new();
        self.inputs(context, &mut inputs, findings);
        self.build(&mut inputs.into_iter())
    }
}

fn value(outcome: Option<Outcome>) -> Option<Node> {
    match outcome {
        Some(Outcome::Value(node)) => Some(node),
        Some(Outcome::Omit) | None => None,
    }
}
