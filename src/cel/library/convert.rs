//! Conversions between types, `size`, and optional values.

use super::super::operators::size;
use super::super::types::time::{Span, Time};
use super::super::value::Value;
use super::strings::plain;
use super::{Function, Outcome, function, method, refused};
use crate::meter::Meter;

pub(super) const FUNCTIONS: &[Function] = &[
    function("size", 1..=1, |_, it| it.first().map_or_else(|| refused(it), size)),
    method("size", 0..=0, |_, it| it.first().map_or_else(|| refused(it), size)),
    function("type", 1..=1, |_, it| it.first().map_or_else(|| refused(it), |value| Ok(Value::Type(value.type_name())))),
    function("dyn", 1..=1, |_, it| it.first().map_or_else(|| refused(it), |value| Ok(value.clone()))),
    function("bool", 1..=1, |_, it| match it {
        [Value::Bool(flag)] => Ok(Value::Bool(*flag)),
        [Value::String(text)] => match &**text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
            other => Err(format!("`{other}` is no bool")),
        },
        other => refused(other),
    }),
    function("int", 1..=1, |_, it| to_int(it)),
    function("uint", 1..=1, |_, it| to_uint(it)),
    function("double", 1..=1, |_, it| to_double(it)),
    function("string", 1..=1, to_string),
    function("bytes", 1..=1, |meter, it| match it {
        [Value::Bytes(bytes)] => Ok(Value::Bytes(bytes.clone())),
        [Value::String(text)] => {
            meter.charge(text.len() as u64)?;
            Ok(Value::Bytes(text.as_bytes().into()))
        }
        other => refused(other),
    }),
    function("duration", 1..=1, |_, it| match it {
        [Value::Duration(length)] => Ok(Value::Duration(*length)),
        [Value::String(text)] => Span::parse(text).map(Value::Duration).ok_or_else(|| format!("`{text}` is no duration")),
        other => refused(other),
    }),
    function("timestamp", 1..=1, |_, it| match it {
        [Value::Timestamp(time)] => Ok(Value::Timestamp(*time)),
        [Value::Int(seconds)] => {
            let time = Time::of(i128::from(*seconds) * 1_000_000_000);
            time.map(Value::Timestamp).ok_or_else(|| "the timestamp is out of range".to_owned())
        }
        [Value::String(text)] => Time::parse(text).map(Value::Timestamp).ok_or_else(|| format!("`{text}` is no timestamp")),
        other => refused(other),
    }),
    function("-_", 1..=1, |_, it| match it {
        [Value::Int(number)] => number.checked_neg().map(Value::Int).ok_or_else(|| "the result is out of range".to_owned()),
        [Value::Double(number)] => Ok(Value::Double(-number)),
        [Value::Duration(length)] => Ok(Value::Duration(length.negated())),
        other => refused(other),
    }),
    function("optional.of", 1..=1, |_, it| it.first().map_or_else(|| refused(it), |value| Ok(value.clone().some()))),
    function("optional.none", 0..=0, |_, _| Ok(Value::Optional(None))),
    function("optional.ofNonZeroValue", 1..=1, |_, it| match it {
        [value] if is_zero(value) => Ok(Value::Optional(None)),
        [value] => Ok(value.clone().some()),
        other => refused(other),
    }),
    method("hasValue", 0..=0, |_, it| match it {
        [Value::Optional(value)] => Ok(Value::Bool(value.is_some())),
        other => refused(other),
    }),
    method("value", 0..=0, |_, it| match it {
        [Value::Optional(Some(value))] => Ok((**value).clone()),
        [Value::Optional(None)] => Err("the optional value is not there".to_owned()),
        other => refused(other),
    }),
];

fn is_zero(value: &Value<'_>) -> bool {
    match value {
        Value::Null | Value::Bool(false) | Value::Int(0) | Value::UInt(0) | Value::Optional(None) => true,
        Value::Double(number) => *number == 0.0,
        other => other.length() == Some(0),
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "the bounds are checked before")]
fn to_int<'a>(it: &[Value<'a>]) -> Outcome<'a> {
    let range = || "the number is out of the range of int".to_owned();
    match it {
        [Value::Int(number)] => Ok(Value::Int(*number)),
        [Value::UInt(number)] => i64::try_from(*number).map(Value::Int).map_err(|_| range()),
        [Value::Double(number)] if number.abs() < i64::MAX as f64 => Ok(Value::Int(*number as i64)),
        [Value::Double(_)] => Err(range()),
        [Value::String(text)] => text.parse().map(Value::Int).map_err(|_| format!("`{text}` is no int")),
        [Value::Timestamp(time)] => Ok(Value::Int(time.seconds)),
        other => refused(other),
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the bounds are checked before"
)]
fn to_uint<'a>(it: &[Value<'a>]) -> Outcome<'a> {
    let range = || "the number is out of the range of uint".to_owned();
    match it {
        [Value::UInt(number)] => Ok(Value::UInt(*number)),
        [Value::Int(number)] => u64::try_from(*number).map(Value::UInt).map_err(|_| range()),
        [Value::Double(number)] if *number >= 0.0 && *number < u64::MAX as f64 => Ok(Value::UInt(*number as u64)),
        [Value::Double(_)] => Err(range()),
        [Value::String(text)] => text.parse().map(Value::UInt).map_err(|_| format!("`{text}` is no uint")),
        other => refused(other),
    }
}

#[allow(clippy::cast_precision_loss, reason = "that is what the conversion is")]
fn to_double<'a>(it: &[Value<'a>]) -> Outcome<'a> {
    match it {
        [Value::Double(number)] => Ok(Value::Double(*number)),
        [Value::Int(number)] => Ok(Value::Double(*number as f64)),
        [Value::UInt(number)] => Ok(Value::Double(*number as f64)),
        [Value::String(text)] => text.parse().map(Value::Double).map_err(|_| format!("`{text}` is no double")),
        other => refused(other),
    }
}

fn to_string<'a>(meter: &Meter, it: &[Value<'a>]) -> Outcome<'a> {
    match it {
        [Value::String(text)] => Ok(Value::String(text.clone())),
        [Value::Bytes(bytes)] => {
            meter.charge(bytes.len() as u64)?;
            std::str::from_utf8(bytes).map(Value::from).map_err(|_| "these bytes are no UTF-8".to_owned())
        }
        [
            value @ (Value::Bool(_)
            | Value::Int(_)
            | Value::UInt(_)
            | Value::Double(_)
            | Value::Duration(_)
            | Value::Timestamp(_)
            | Value::Ip(_)
            | Value::Cidr(..)),
        ] => Ok(plain(value).into()),
        other => refused(other),
    }
}
