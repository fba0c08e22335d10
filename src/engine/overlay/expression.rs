//! Expressions: minijinja, strict, with nothing to reach but what netloom hands in.

mod convert;
mod engine;
mod mentions;

use minijinja::{Error, ErrorKind, Value};

use convert::to_node;
pub use convert::to_value;
pub use engine::engine;
use engine::{ENGINE, Omit};
use findings::{Diagnostic, rules};
pub use mentions::{Mention, mentions};
use tree::{Node, Span, limits};

/// A compiled expression with its place.
#[derive(Debug)]
pub struct Expression {
    compiled: minijinja::Expression<'static, 'static>,
    text: Box<str>,
    /// Whether it is a path alone, such as `options.version`, as most are.
    is_path: bool,
    /// The scalar that holds it.
    span: Span,
    /// Where the expression begins inside the scalar, when the scalar's bytes are the file's bytes.
    offset: Option<u32>,
}

/// What an expression gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A value.
    Value(Node),
    /// `omit`.
    Omit,
}

impl Expression {
    /// Compiles `text`, which stands `offset` bytes into the scalar at `span`.
    ///
    /// # Errors
    /// When it is no expression or beyond the limits.
    pub fn compile(text: &str, span: Span, offset: Option<u32>) -> Result<Self, Diagnostic> {
        within_limits(text).map_err(|what| Diagnostic::new(&rules::LIMIT, span, what))?;
        match ENGINE.compile_expression_owned(text.to_owned()) {
            Ok(compiled) => Ok(Self { compiled, text: text.into(), is_path: is_path(text.trim()), span, offset }),
            Err(error) => Err(diagnose(&error, span, offset)),
        }
    }

    /// What the expression looks up, down to the fields (`options.version`), in the order in which it names them.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let mut paths: Vec<String> = self.compiled.undeclared_variables(true).into_iter().collect();
        paths.sort_by_cached_key(|path| (self.text.find(path.as_str()), path.clone()));
        paths
    }

    /// Whether it looks up one of some variables.
    #[must_use]
    pub fn reads(&self, names: &[&str]) -> bool {
        self.paths().iter().any(|path| names.contains(&path.split('.').next().unwrap_or_default()))
    }

    /// The expression as written.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.trim()
    }

    /// The scalar that holds it.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// Evaluates to a value of the engine.
    ///
    /// # Errors
    /// What the engine says, at the expression's place.
    pub fn value(&self, context: &Value) -> Result<Value, Diagnostic> {
        if let Some(value) = self.looked_up(context) {
            return Ok(value);
        }
        let value = self.compiled.eval(context.clone()).map_err(|error| {
            // A text template that the expression renders has places of its own.
            let offset = self.offset.filter(|_| error.name().is_none_or(|name| name == "<expression>"));
            let finding = diagnose(&error, self.span, offset);
            let missing = error.detail().and_then(|detail| detail.strip_prefix('`')?.split('`').next());
            suggest(finding, missing.filter(|_| error.kind() == ErrorKind::UndefinedError), context)
        })?;
        if value.is_undefined() {
            let text = self.text.trim();
            let finding = Diagnostic::new(&rules::EXPRESSION, self.place(), format!("`{text}` gives no value"));
            return Err(suggest(finding, Some(text), context));
        }
        Ok(value)
    }

    /// What stands at the path, without setting the engine to work; where nothing does, the engine knows why.
    fn looked_up(&self, context: &Value) -> Option<Value> {
        let step = |at: Value, name| at.get_attr(name).ok().filter(|value| !value.is_undefined());
        if !self.is_path {
            return None;
        }
        self.text().split('.').try_fold(context.clone(), step)
    }

    /// Where the expression stands, without the scalar around it where that can be told.
    fn place(&self) -> Span {
        let before = self.text.len() - self.text.trim_start().len();
        let start = self.offset.map(|offset| (self.span.start + offset) as usize + before);
        start.map_or(self.span, |start| Span::new(self.span.file, start, start + self.text.trim().len()))
    }

    /// Evaluates to a tree whose nodes are at the expression's place.
    ///
    /// # Errors
    /// As [`Expression::value`], and when the result is too large or no data.
    pub fn eval(&self, context: &Value) -> Result<Outcome, Diagnostic> {
        let value = self.value(context)?;
        if value.downcast_object_ref::<Omit>().is_some() {
            return Ok(Outcome::Omit);
        }
        let mut room = limits::TEMPLATE_OUTPUT;
        to_node(&value, self.span, &mut room)
            .map(Outcome::Value)
            .map_err(|what| Diagnostic::new(&rules::EXPRESSION, self.span, what))
    }

    /// Evaluates to a truth value.
    ///
    /// # Errors
    /// As [`Expression::value`].
    pub fn is_true(&self, context: &Value) -> Result<bool, Diagnostic> {
        self.value(context).map(|value| value.is_true())
    }
}

/// Whether an expression is names with dots in between, and no literal.
fn is_path(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_name = |name: &str| name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(is_word);
    text.split('.').all(is_name) && !["true", "false", "none"].contains(&text.to_ascii_lowercase().as_str())
}

/// Adds the name that may have been meant where a path such as `cluster.nmae` leads nowhere.
fn suggest(finding: Diagnostic, path: Option<&str>, context: &Value) -> Diagnostic {
    let mut at = context.clone();
    for name in path.into_iter().flat_map(|path| path.split('.')) {
        match at.get_attr(name).ok().filter(|value| !value.is_undefined()) {
            Some(value) => at = value,
            None => {
                let names: Vec<String> = at.try_iter().into_iter().flatten().map(|name| name.to_string()).collect();
                return finding.suggest(name, names.iter().map(String::as_str));
            }
        }
    }
    finding
}

/// A finding for an engine's error in the scalar at `span`.
#[must_use]
pub fn diagnose(error: &Error, span: Span, offset: Option<u32>) -> Diagnostic {
    let place = match (error.range(), offset) {
        (Some(range), Some(offset)) => {
            let base = (span.start + offset) as usize;
            Span::new(span.file, base + range.start, base + range.end)
        }
        _ => span,
    };
    let message = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    Diagnostic::new(&rules::EXPRESSION, place, message)
}

/// Refuses what would overflow the engine's stack or memory; the parser only counts nesting.
///
/// # Errors
/// Names the limit.
pub fn within_limits(text: &str) -> Result<(), String> {
    if text.len() > limits::TEMPLATE_BYTES {
        return Err(format!("a template of more than {} bytes", limits::TEMPLATE_BYTES));
    }
    // What is short has no room for so many.
    if text.len() <= limits::TEMPLATE_DEPTH {
        return Ok(());
    }
    let (mut depth, mut deepest, mut operators) = (0usize, 0usize, 0usize);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'+' | b'-' | b'*' | b'/' | b'~' | b'|' | b'.' | b'<' | b'>' | b'=' | b'%' => operators += 1,
            _ => {}
        }
    }
    if text.len() > limits::EXPRESSION_OPERATORS {
        operators += ["not ", " and ", " or ", " if ", "elif "].iter().map(|word| text.matches(word).count()).sum::<usize>();
    }
    if deepest > limits::TEMPLATE_DEPTH {
        return Err(format!("an expression nested more than {} deep", limits::TEMPLATE_DEPTH));
    }
    if operators > limits::EXPRESSION_OPERATORS {
        return Err(format!("an expression of more than {} operators", limits::EXPRESSION_OPERATORS));
    }
    Ok(())
}

/// [`within_limits`] for each expression and tag of a text template.
///
/// # Errors
/// Names the limit.
pub fn within_limits_of_text(text: &str) -> Result<(), String> {
    if text.len() > limits::TEMPLATE_BYTES {
        return Err(format!("a template of more than {} bytes", limits::TEMPLATE_BYTES));
    }
    text.split(['{', '}']).skip(1).try_for_each(within_limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_gives_what_the_engine_gives() {
        let inner = Value::from_pairs([("b", Value::from(1)), ("true", Value::from(2))]);
        let context = Value::from_pairs([("a", inner), ("true", Value::from(3)), ("none", Value::from(4))]);
        let paths = ["a", "a.b", " a.b ", "a.true", "true", "None", "a.c", "c.d", "omit"];
        let given = paths.map(|text| {
            let expression = Expression::compile(text, Span::NONE, None).unwrap();
            let show = |value: Option<Value>| value.filter(|value| !value.is_undefined()).map(|value| value.to_string());
            let engine = show(expression.compiled.eval(context.clone()).ok());
            assert_eq!(show(expression.value(&context).ok()), engine, "{text}");
            (expression.looked_up(&context).is_some(), engine.is_some())
        });
        // By the path, or by the engine; or not at all.
        let (path, engine, none) = ((true, true), (false, true), (false, false));
        assert_eq!(given, [path, path, path, path, engine, engine, none, none, engine]);
    }
}
