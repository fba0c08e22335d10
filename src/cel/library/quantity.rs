//! Quantities of Kubernetes: `500m`, `1Gi`, `2e3`.

use std::cmp::Ordering;

use super::super::types::quantity::{NANO, Quantity};
use super::super::value::Value;
use super::{Function, Outcome, function, method, refused};

pub(super) const FUNCTIONS: &[Function] = &[
    function("quantity", 1..=1, |_, it| match it {
        [Value::String(text)] => Quantity::parse(text).map(Value::Quantity).ok_or_else(|| format!("`{text}` is no quantity")),
        _ => refused(it),
    }),
    function("isQuantity", 1..=1, |_, it| match it {
        [Value::String(text)] => Ok(Value::Bool(Quantity::parse(text).is_some())),
        _ => refused(it),
    }),
    method("isInteger", 0..=0, |_, it| with(it, |quantity| Ok(Value::Bool(quantity.integer().is_some())))),
    method("asInteger", 0..=0, |_, it| {
        with(it, |quantity| quantity.integer().map(Value::Int).ok_or_else(|| "the quantity is no int".to_owned()))
    }),
    #[allow(clippy::cast_precision_loss, reason = "approximate by name")]
    method("asApproximateFloat", 0..=0, |_, it| with(it, |quantity| Ok(Value::Double(quantity.nanos as f64 / 1e9)))),
    // The API server's documentation has a method of this name; its code has a function.
    function("sign", 1..=1, |_, it| with(it, |quantity| Ok(Value::Int(quantity.nanos.signum().try_into().unwrap_or(0))))),
    method("add", 1..=1, |_, it| combine(it, i128::checked_add)),
    method("sub", 1..=1, |_, it| combine(it, i128::checked_sub)),
];

fn with<'a>(it: &[Value<'a>], read: impl FnOnce(Quantity) -> Outcome<'a>) -> Outcome<'a> {
    match it {
        [Value::Quantity(quantity)] => read(*quantity),
        _ => refused(it),
    }
}

fn combine<'a>(it: &[Value<'a>], by: fn(i128, i128) -> Option<i128>) -> Outcome<'a> {
    let (a, b) = match it {
        [Value::Quantity(a), Value::Quantity(b)] => (a.nanos, b.nanos),
        [Value::Quantity(a), Value::Int(b)] => (a.nanos, i128::from(*b) * NANO),
        _ => return refused(it),
    };
    by(a, b).map(|nanos| Value::Quantity(Quantity { nanos })).ok_or_else(|| "the result is out of range".to_owned())
}

/// The order of two quantities or of two versions.
pub(super) fn order(it: &[Value<'_>]) -> Option<Ordering> {
    match it {
        [Value::Quantity(a), Value::Quantity(b)] => Some(a.cmp(b)),
        [Value::Semver(a), Value::Semver(b)] => Some(a.order(b)),
        _ => None,
    }
}
