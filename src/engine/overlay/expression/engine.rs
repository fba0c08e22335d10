//! The engine as expressions and text templates see it: its settings, and the functions that netloom adds.

use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Object, Rest};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value};

use super::to_value;
use artifacts::cloudformation::logical_id;
use schema::address::{self, Cidr};
use tree::{Sources, limits};

/// The one environment: filters, functions and limits, no loader and no state.
pub(super) static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(make_engine);

/// The environment that every expression and text template of an overlay sees, for templates to be added to.
#[must_use]
pub fn engine() -> Environment<'static> {
    ENGINE.clone()
}

/// How texts are taken apart.
pub(super) fn syntax() -> SyntaxConfig {
    let builder = SyntaxConfig::builder().keep_trailing_newline(true).trim_blocks(true).lstrip_blocks(true).build();
    builder.unwrap_or_default()
}

fn make_engine() -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(limits::TEMPLATE_FUEL));
    env.set_debug(true);
    env.set_syntax(syntax());
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
pub(super) struct Omit;
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
    let documents = yaml::read(text, file, &mut findings);
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
