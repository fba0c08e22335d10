//! Semantic versions, and the comparisons that they share with quantities.

use std::cmp::Ordering;
use std::sync::Arc;

use super::super::types::semver::Semver;
use super::super::value::Value;
use super::quantity::order;
use super::{Function, Outcome, function, method, refused};

pub(super) const FUNCTIONS: &[Function] = &[
    function("semver", 1..=2, |_, it| {
        let (text, normalize) = asked(it)?;
        let version = Semver::parse(text, normalize).ok_or_else(|| format!("`{text}` is no semantic version"))?;
        Ok(Value::Semver(Arc::new(version)))
    }),
    function("isSemver", 1..=2, |_, it| {
        let (text, normalize) = asked(it)?;
        Ok(Value::Bool(Semver::parse(text, normalize).is_some()))
    }),
    method("major", 0..=0, |_, it| part(it, 0)),
    method("minor", 0..=0, |_, it| part(it, 1)),
    method("patch", 0..=0, |_, it| part(it, 2)),
    method("isLessThan", 1..=1, |_, it| compared(it, |order| Value::Bool(order.is_lt()))),
    method("isGreaterThan", 1..=1, |_, it| compared(it, |order| Value::Bool(order.is_gt()))),
    method("compareTo", 1..=1, |_, it| compared(it, |order| Value::Int(order as i64))),
];

fn asked<'i>(it: &'i [Value<'_>]) -> Result<(&'i str, bool), String> {
    match it {
        [Value::String(text)] => Ok((text, false)),
        [Value::String(text), Value::Bool(normalize)] => Ok((text, *normalize)),
        _ => refused(it).map(|_| ("", false)),
    }
}

fn part<'a>(it: &[Value<'a>], at: usize) -> Outcome<'a> {
    match it {
        [Value::Semver(version)] => {
            let number = version.numbers.get(at).copied().unwrap_or_default();
            i64::try_from(number).map(Value::Int).map_err(|_| "the number is out of range".to_owned())
        }
        _ => refused(it),
    }
}

fn compared<'a>(it: &[Value<'a>], read: fn(Ordering) -> Value<'static>) -> Outcome<'a> {
    order(it).map_or_else(|| refused(it), |order| Ok(read(order)))
}
