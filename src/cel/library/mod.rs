//! The functions that Kubernetes' CEL has: one table, a file for each library.

mod convert;
mod format;
pub(super) mod lists;
mod network;
mod quantity;
mod regex;
mod semver;
mod strings;
mod text;
mod time;
mod url;

use std::ops::RangeInclusive;

#[cfg(test)]
pub(crate) use strings::plain;

use super::meter::Meter;
use super::value::Value;

/// What a function computes.
pub(super) type Call = for<'a> fn(&Meter, &[Value<'a>]) -> Result<Value<'a>, String>;

/// What functions give.
type Outcome<'a> = Result<Value<'a>, String>;

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// `f(x)`
    Function,
    /// `x.f()`
    Method,
}

impl Style {
    /// Whether a function of this style may be called so.
    pub(super) fn allows(self, called: Self) -> bool {
        self == called
    }
}

/// A function.
#[derive(Debug)]
pub(super) struct Function {
    /// Its name, with its library's where it has one.
    pub name: &'static str,
    /// How it is called.
    pub style: Style,
    /// How many arguments it takes, the target of a method not counted.
    pub arguments: RangeInclusive<usize>,
    /// What it does.
    pub call: Call,
}

const fn function(name: &'static str, arguments: RangeInclusive<usize>, call: Call) -> Function {
    Function { name, style: Style::Function, arguments, call }
}

const fn method(name: &'static str, arguments: RangeInclusive<usize>, call: Call) -> Function {
    Function { name, style: Style::Method, arguments, call }
}

/// The tables of all libraries.
const LIBRARIES: [&[Function]; 11] = [
    convert::FUNCTIONS,
    strings::FUNCTIONS,
    text::FUNCTIONS,
    regex::FUNCTIONS,
    lists::FUNCTIONS,
    network::FUNCTIONS,
    quantity::FUNCTIONS,
    semver::FUNCTIONS,
    url::FUNCTIONS,
    format::FUNCTIONS,
    time::FUNCTIONS,
];

/// The functions with a name.
pub(super) fn named(name: &str) -> impl Iterator<Item = &'static Function> {
    LIBRARIES.iter().copied().flatten().filter(move |function| function.name == name)
}

/// All names, for suggestions; those of operators are not among them.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    LIBRARIES.iter().copied().flatten().map(|function| function.name).filter(|name| !name.starts_with('-'))
}

/// A type by its name in expressions.
pub(super) fn type_named(name: &str) -> Option<&'static str> {
    const TYPES: [&str; 19] = [
        "null_type",
        "bool",
        "int",
        "uint",
        "double",
        "string",
        "bytes",
        "list",
        "map",
        "optional_type",
        "type",
        "google.protobuf.Duration",
        "google.protobuf.Timestamp",
        "net.IP",
        "net.CIDR",
        "kubernetes.Quantity",
        "kubernetes.Semver",
        "kubernetes.URL",
        "kubernetes.NamedFormat",
    ];
    TYPES.into_iter().find(|known| *known == name)
}

/// That a function does not take these values.
fn refused<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    let names: Vec<_> = arguments.iter().map(Value::type_name).collect();
    Err(format!("this function does not take {}", names.join(", ")))
}
