//! `format`, and how values are written.

use std::fmt::Write;

use super::super::value::Value;
use super::{Function, Outcome, method, refused};
use crate::meter::Meter;

pub(super) const FUNCTIONS: &[Function] = &[method("format", 1..=1, format)];

/// Digits after the point that `%f` may ask for.
const PRECISION: usize = 1_000;

/// A value as text.
pub(crate) fn plain(value: &Value<'_>) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::UInt(number) => number.to_string(),
        Value::Double(number) => shortest(*number),
        Value::String(text) => text.to_string(),
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Type(name) => (*name).to_owned(),
        Value::Duration(length) => length.text(),
        Value::Timestamp(time) => time.text(),
        Value::Ip(address) => address.to_string(),
        Value::Cidr(address, length) => format!("{address}/{length}"),
        Value::Quantity(quantity) => quantity.text(),
        Value::Semver(version) => version.text(),
        Value::Url(url) => url.text(),
        Value::Format(format) => format.name.to_owned(),
        Value::Optional(None) => "optional.none()".to_owned(),
        Value::Optional(Some(value)) => format!("optional.of({})", plain(value)),
        Value::Node(_) | Value::List(_) | Value::Map(_) => collection(value).unwrap_or_default(),
    }
}

/// The shortest digits that read back; with an exponent below 0.0001 and from a million on, as Go writes it.
fn shortest(number: f64) -> String {
    if !number.is_finite() {
        return if number.is_nan() {
            "NaN"
        } else if number > 0.0 {
            "+Inf"
        } else {
            "-Inf"
        }
        .to_owned();
    }
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    match exponent.parse::<i32>().unwrap_or_default() {
        -4..6 => number.to_string(),
        exponent => format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.unsigned_abs()),
    }
}

/// A list or a map.
fn collection(value: &Value<'_>) -> Result<String, String> {
    if let Some(items) = value.items() {
        let items: Vec<_> = items.iter().map(member).collect::<Result<_, _>>()?;
        return Ok(format!("[{}]", items.join(", ")));
    }
    let entry = |(key, value): &(Value<'_>, Value<'_>)| Ok::<_, String>((member(key)?, member(value)?));
    let mut entries: Vec<_> = value.entries().unwrap_or_default().iter().map(entry).collect::<Result<_, _>>()?;
    entries.sort();
    let entries: Vec<_> = entries.iter().map(|(key, value)| format!("{key}:{value}")).collect();
    Ok(format!("{{{}}}", entries.join(", ")))
}

/// A value within a list or a map, as it would be written in an expression.
fn member(value: &Value<'_>) -> Result<String, String> {
    Ok(match value {
        Value::String(text) => quoted(text),
        Value::Bytes(bytes) => format!("b{}", quoted(&String::from_utf8_lossy(bytes))),
        Value::Double(number) if number.is_finite() => format!("{number:.6}"),
        Value::Double(number) => quoted(&shortest(*number)),
        Value::Duration(length) => format!("duration({})", quoted(&length.text())),
        Value::Timestamp(time) => format!("timestamp({})", quoted(&time.text())),
        Value::Node(_) | Value::List(_) | Value::Map(_) => collection(value)?,
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Type(_) => plain(value),
        other => return Err(format!("`%s` does not take {}", other.type_name())),
    })
}

/// A text in quotes, as Go's `%q` writes it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        // Writing to a text cannot fail.
        _ = match c {
            '"' | '\\' => write!(out, "\\{c}"),
            '\n' => write!(out, "\\n"),
            '\r' => write!(out, "\\r"),
            '\t' => write!(out, "\\t"),
            '\u{7}' => write!(out, "\\a"),
            '\u{8}' => write!(out, "\\b"),
            '\u{b}' => write!(out, "\\v"),
            '\u{c}' => write!(out, "\\f"),
            c if c.is_ascii_control() => write!(out, "\\x{:02x}", u32::from(c)),
            c if c.is_control() => write!(out, "\\u{:04x}", u32::from(c)),
            c => write!(out, "{c}"),
        };
    }
    out + "\""
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
        if let Some(after) = after.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let digits_end =
            after.strip_prefix('.').map(|digits| 1 + digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len()));
        let (precision, verb) = after.split_at(digits_end.unwrap_or(0));
        let Some(verb_char) = verb.chars().next() else { return Err("`%` stands at the end".to_owned()) };
        rest = verb.get(verb_char.len_utf8()..).unwrap_or_default();
        let argument = arguments.next().ok_or_else(|| "there are more `%` than arguments".to_owned())?;
        let digits =
            precision.strip_prefix('.').map_or(Some(6), |digits| digits.parse().ok()).filter(|digits| *digits <= PRECISION);
        let digits = digits.ok_or_else(|| format!("`%{precision}` is no precision"))?;
        meter.weigh(argument)?;
        meter.charge(digits as u64)?;
        written(&mut out, verb_char, digits, argument)?;
    }
    out.push_str(rest);
    meter.charge(out.len() as u64)?;
    Ok(out.into())
}

fn written(out: &mut String, verb: char, digits: usize, value: &Value<'_>) -> Result<(), String> {
    let refuse = || format!("`%{verb}` does not take {}", value.type_name());
    // Writing to a text cannot fail.
    _ = match (verb, value) {
        ('s', Value::Node(_) | Value::List(_) | Value::Map(_)) => write!(out, "{}", collection(value)?),
        ('s', Value::Bytes(bytes)) => write!(out, "{}", std::str::from_utf8(bytes).map_err(|_| "these bytes are no UTF-8")?),
        ('s', value @ (Value::String(_) | Value::Double(_) | Value::Duration(_) | Value::Timestamp(_))) => {
            write!(out, "{}", plain(value))
        }
        ('s', value) => write!(out, "{}", member(value)?),
        ('d', Value::Int(_) | Value::UInt(_)) => write!(out, "{}", plain(value)),
        ('f', value) => write!(out, "{}", fixed(number(value).ok_or_else(refuse)?, digits)),
        ('e', value) => write!(out, "{:>digits$}", scientific(number(value).ok_or_else(refuse)?)),
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
        ('x', Value::Bytes(bytes)) => bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}")),
        ('X', Value::Bytes(bytes)) => bytes.iter().try_for_each(|byte| write!(out, "{byte:02X}")),
        _ => return Err(refuse()),
    };
    Ok(())
}

fn sign(number: i64) -> &'static str {
    if number < 0 { "-" } else { "" }
}

/// A double, or the name of one that has no digits.
fn number(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Double(number) => Some(*number),
        Value::String(text) => match &**text {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

/// What has no digits.
fn endless(number: f64) -> Option<&'static str> {
    match number {
        _ if number.is_finite() => None,
        _ if number.is_nan() => Some("NaN"),
        _ => Some(if number > 0.0 { "∞" } else { "-∞" }),
    }
}

/// `%f`: the API server writes it for people who read English, with commas.
fn fixed(number: f64, digits: usize) -> String {
    if let Some(text) = endless(number) {
        return text.to_owned();
    }
    let text = format!("{:.digits$}", number.abs());
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::from(if number.is_sign_negative() { "-" } else { "" });
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + fraction
}

/// `%e`: the API server writes a power of ten, and takes the precision for a width.
fn scientific(number: f64) -> String {
    if let Some(text) = endless(number) {
        return text.to_owned();
    }
    let text = format!("{number:.6e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let raised = |c: char| c.to_digit(10).and_then(|digit| "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().nth(digit as usize)).unwrap_or('⁻');
    let exponent = format!("{}{:02}", if exponent < 0 { "-" } else { "" }, exponent.unsigned_abs());
    format!("{digits}×10{}", exponent.chars().map(raised).collect::<String>())
}
