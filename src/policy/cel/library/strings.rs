//! `format`, and how values are written.

use std::fmt::Write;

use super::super::value::Value;
use super::{Function, Outcome, method, refused};
use crate::policy::cel::eval::Meter;

pub(super) const FUNCTIONS: &[Function] = &[method("format", 1..=1, format)];

/// Digits after the point that `%f` and `%e` may ask for.
const PRECISION: usize = 50;

/// A value as text.
pub(in crate::policy::cel) fn plain(value: &Value<'_>) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::UInt(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::String(text) => text.to_string(),
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Type(name) => (*name).to_owned(),
        Value::Duration(length) => length.text(),
        Value::Timestamp(time) => time.text(),
        Value::Ip(address) => address.to_string(),
        Value::Cidr(address, length) => format!("{address}/{length}"),
        Value::Quantity(quantity) => quantity.text(),
        Value::Semver(version) => version.text(),
        Value::Url(url) => url.text.clone(),
        Value::Format(format) => format.name.to_owned(),
        Value::Optional(None) => "optional.none()".to_owned(),
        Value::Optional(Some(value)) => format!("optional.of({})", plain(value)),
        Value::Node(_) | Value::List(_) | Value::Map(_) => collection(value),
    }
}

fn collection(value: &Value<'_>) -> String {
    if let Some(items) = value.items() {
        let items: Vec<_> = items.iter().map(plain).collect();
        return format!("[{}]", items.join(", "));
    }
    let mut entries: Vec<_> =
        value.entries().unwrap_or_default().iter().map(|(k, v)| format!("{}: {}", plain(k), plain(v))).collect();
    entries.sort();
    format!("{{{}}}", entries.join(", "))
}

fn format<'a>(meter: &Meter, it: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(pattern), list] = it else { return refused(it) };
    let Some(arguments) = list.items() else { return refused(it) };
    meter.charge(pattern.len() as u64)?;
    let mut arguments = arguments.iter();
    let mut out = String::new();
    let mut rest = &**pattern;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let precision_end = after.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(after.len());
        let (precision, verb) = after.split_at(precision_end);
        let Some(verb_char) = verb.chars().next() else { return Err("`%` stands at the end".to_owned()) };
        rest = verb.get(verb_char.len_utf8()..).unwrap_or_default();
        if verb_char == '%' {
            out.push('%');
            continue;
        }
        let argument = arguments.next().ok_or_else(|| "there are more `%` than arguments".to_owned())?;
        meter.weigh(argument)?;
        let digits =
            precision.strip_prefix('.').map_or(Some(6), |digits| digits.parse().ok()).filter(|digits| *digits <= PRECISION);
        let digits = digits.ok_or_else(|| format!("`%{precision}` is no precision"))?;
        written(&mut out, verb_char, digits, argument)?;
    }
    out.push_str(rest);
    meter.charge(out.len() as u64)?;
    Ok(out.into())
}

fn written(out: &mut String, verb: char, digits: usize, value: &Value<'_>) -> Result<(), String> {
    // Writing to a text cannot fail.
    _ = match (verb, value) {
        ('s', value) => write!(out, "{}", plain(value)),
        ('d', Value::Int(_) | Value::UInt(_)) => write!(out, "{}", plain(value)),
        ('f', value) => write!(out, "{:.digits$}", number(value)?),
        ('e', value) => write!(out, "{:.digits$e}", number(value)?),
        ('b', Value::Bool(flag)) => write!(out, "{}", u8::from(*flag)),
        ('b', Value::Int(number)) => write!(out, "{}{:b}", sign(*number), number.unsigned_abs()),
        ('b', Value::UInt(number)) => write!(out, "{number:b}"),
        ('o', Value::Int(number)) => write!(out, "{}{:o}", sign(*number), number.unsigned_abs()),
        ('o', Value::UInt(number)) => write!(out, "{number:o}"),
        ('x', Value::Int(number)) => write!(out, "{}{:x}", sign(*number), number.unsigned_abs()),
        ('X', Value::Int(number)) => write!(out, "{}{:X}", sign(*number), number.unsigned_abs()),
        ('x', Value::UInt(number)) => write!(out, "{number:x}"),
        ('X', Value::UInt(number)) => write!(out, "{number:X}"),
        ('x', Value::String(text)) => text.bytes().try_for_each(|byte| write!(out, "{byte:02x}")),
        ('X', Value::String(text)) => text.bytes().try_for_each(|byte| write!(out, "{byte:02X}")),
        (verb, value) => return Err(format!("`%{verb}` does not take {}", value.type_name())),
    };
    Ok(())
}

fn sign(number: i64) -> &'static str {
    if number < 0 { "-" } else { "" }
}

#[allow(clippy::cast_precision_loss, reason = "that is what the verb asks for")]
fn number(value: &Value<'_>) -> Result<f64, String> {
    match value {
        Value::Double(number) => Ok(*number),
        Value::Int(number) => Ok(*number as f64),
        Value::UInt(number) => Ok(*number as f64),
        other => Err(format!("`%f` does not take {}", other.type_name())),
    }
}
