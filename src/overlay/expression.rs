//! Expressions: minijinja, strict, with nothing to reach but what netloom hands in.

use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Object, Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value};

use crate::address::{self, Cidr};
use crate::cloudformation::logical_id;
use crate::diagnostic::{Diagnostic, rules};
use crate::limits;
use crate::tree::{self, Key, Map, Node, Sources, Span};

/// The one environment: filters, functions and limits, no loader and no state.
static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(make_engine);

/// The environment that every expression and text template of an overlay sees, for templates to be added to.
#[must_use]
pub fn engine() -> Environment<'static> {
    ENGINE.clone()
}

fn make_engine() -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(limits::TEMPLATE_FUEL));
    env.set_debug(true);
    if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).trim_blocks(true).lstrip_blocks(true).build() {
        env.set_syntax(syntax);
    }
    // `debug` shows every variable; the others build text whose size one argument decides, which fuel does not count.
    env.remove_global("debug");
    for filter in ["batch", "format", "indent", "pprint", "slice"] {
        env.remove_filter(filter);
    }
    env.add_global("omit", Value::from_object(Omit));
    env.add_function("host", host);
    env.add_function("at_least", |version: &str, wanted: &str| numbers(version) >= numbers(wanted));
    env.add_function("entropy_bits", entropy_bits);
    env.add_function("from_yaml", |text: &str, name: Option<&str>| {
        Ok::<_, Error>(documents(text, name)?.into_iter().next().unwrap_or_else(|| Value::from(())))
    });
    env.add_function("from_yaml_all", |text: &str, name: Option<&str>| Ok::<_, Error>(Value::from(documents(text, name)?)));
    env.add_function("blake3", |text: &str| blake3::hash(text.as_bytes()).to_hex().to_string());
    env.add_function("logical_id", |names: Rest<String>| logical_id(&names.iter().map(String::as_str).collect::<Vec<_>>()));
    env.add_function("cidr_contains", |outer: &str, inner: &str| Ok::<_, Error>(cidr(outer)?.contains(cidr(inner)?)));
    env
}

/// The value of `omit`: a key or list item that has it is left out.
#[derive(Debug)]
struct Omit;
impl Object for Omit {}

fn invalid(error: &address::Invalid) -> Error {
    Error::new(ErrorKind::InvalidOperation, error.message.clone())
}

fn cidr(text: &str) -> Result<Cidr, Error> {
    text.parse().map_err(|error| invalid(&error))
}

/// The `n`-th address of a range.
fn host(range: &str, n: u32) -> Result<String, Error> {
    let address = cidr(range)?.host(n);
    address
        .map(|address| address.to_string())
        .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, format!("{range} has no address {n}")))
}

/// The documents of a YAML text, read as strictly as everything else; `name` is the file's, for errors.
fn documents(text: &str, name: Option<&str>) -> Result<Vec<Value>, Error> {
    let mut findings = Vec::new();
    let file = Sources::default().add("", "");
    let documents = tree::yaml::read(text, file, &mut findings);
    match findings.first() {
        Some(finding) => {
            let line = text.bytes().take(finding.span.start as usize).filter(|byte| *byte == b'\n').count() + 1;
            Err(Error::new(
                ErrorKind::InvalidOperation,
                format!("line {line} of {}: {}", name.unwrap_or("the file"), finding.message),
            ))
        }
        None => Ok(documents.iter().map(to_value).collect()),
    }
}

/// The leading numbers of a version, for comparing: `v5.15.0-91` is 5, 15, 0.
fn numbers(version: &str) -> Vec<u64> {
    let digits = version.trim_start_matches('v').split(['.', '-', '+']);
    digits.map_while(|part| part.parse().ok()).collect()
}

/// Bits of entropy of a password if it were drawn at random from the kinds of characters it has: an upper bound.
#[allow(clippy::cast_precision_loss)]
fn entropy_bits(text: &str) -> f64 {
    let has = |set: fn(&char) -> bool| text.chars().any(|c| set(&c));
    let sets = [
        (has(char::is_ascii_lowercase), 26),
        (has(char::is_ascii_uppercase), 26),
        (has(char::is_ascii_digit), 10),
        (has(|c| !c.is_ascii_alphanumeric()), 32),
    ];
    let alphabet: i32 = sets.iter().filter(|(there, _)| *there).map(|(_, size)| size).sum();
    text.chars().count() as f64 * f64::from(alphabet.max(1)).log2()
}

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

    /// The names that the expression looks up in its context.
    #[must_use]
    pub fn variables(&self) -> Vec<String> {
        let mut names: Vec<String> = self.compiled.undeclared_variables(false).into_iter().collect();
        names.sort();
        names
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

/// A tree for an engine's value; `room` is how many more bytes it may take.
fn to_node(value: &Value, span: Span, room: &mut usize) -> Result<Node, String> {
    let mut take = |bytes: usize| {
        *room = room.checked_sub(bytes).ok_or_else(|| format!("the result takes more than {} bytes", limits::TEMPLATE_OUTPUT))?;
        Ok::<(), String>(())
    };
    take(8)?;
    let value = match value.kind() {
        ValueKind::None => tree::Value::Null,
        ValueKind::Bool => tree::Value::Bool(value.is_true()),
        ValueKind::Number => number(value)?,
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            take(text.len())?;
            tree::Value::String(text.into())
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().map_err(|error| error.to_string())?;
            tree::Value::List(items.map(|item| to_node(&item, span, room)).collect::<Result<_, _>>()?)
        }
        ValueKind::Map => tree::Value::Map(to_map(value, span, room)?),
        kind => return Err(format!("the result is {kind}, not data")),
    };
    Ok(Node::new(value, span))
}

fn to_map(value: &Value, span: Span, room: &mut usize) -> Result<Map, String> {
    let mut map = Map::new();
    for key in value.try_iter().map_err(|error| error.to_string())? {
        let child = value.get_item(&key).map_err(|error| error.to_string())?;
        let text = key.as_str().map_or_else(|| key.to_string(), ToOwned::to_owned);
        map.push(Key { text: text.into(), span }, to_node(&child, span, room)?);
    }
    Ok(map)
}

fn number(value: &Value) -> Result<tree::Value, String> {
    if let Some(integer) = value.as_i64() {
        return Ok(tree::Value::Int(integer));
    }
    let float = f64::try_from(value.clone()).map_err(|error| error.to_string())?;
    if float.is_finite() { Ok(tree::Value::Float(float)) } else { Err("the result is no finite number".to_owned()) }
}

/// The engine's value for a tree.
#[must_use]
pub fn to_value(node: &Node) -> Value {
    match &node.value {
        tree::Value::Null => Value::from(()),
        tree::Value::Bool(flag) => Value::from(*flag),
        tree::Value::Int(number) => Value::from(*number),
        tree::Value::Float(number) => Value::from(*number),
        tree::Value::String(text) => Value::from(text.clone()),
        tree::Value::List(items) => items.iter().map(to_value).collect(),
        tree::Value::Map(map) => Value::from_pairs(map.iter().map(|(key, node)| (key.text.clone(), to_value(node)))),
    }
}
