//! Functions on texts. Positions count characters.

use super::super::value::{Value, int};
use super::{Function, Outcome, function, lists, method, refused};
use crate::meter::Meter;

pub(super) const FUNCTIONS: &[Function] = &[
    method("contains", 1..=1, |meter, it| both(meter, it, |text, part| text.contains(part))),
    method("startsWith", 1..=1, |meter, it| both(meter, it, |text, part| text.starts_with(part))),
    method("endsWith", 1..=1, |meter, it| both(meter, it, |text, part| text.ends_with(part))),
    method("charAt", 1..=1, |meter, it| {
        let [Value::String(text), Value::Int(at)] = it else { return refused(it) };
        substring(meter, text, *at, Some(at.saturating_add(1).min(length(text))))
    }),
    method("indexOf", 1..=2, |meter, it| position(meter, it, false)),
    method("lastIndexOf", 1..=2, |meter, it| position(meter, it, true)),
    method("lowerAscii", 0..=0, |meter, it| mapped(meter, it, str::to_ascii_lowercase)),
    method("upperAscii", 0..=0, |meter, it| mapped(meter, it, str::to_ascii_uppercase)),
    method("trim", 0..=0, |meter, it| mapped(meter, it, |text| text.trim().to_owned())),
    method("reverse", 0..=0, lists::reverse),
    method("replace", 2..=3, replace),
    method("split", 1..=2, split),
    method("substring", 1..=2, |meter, it| match it {
        [Value::String(text), Value::Int(from)] => substring(meter, text, *from, None),
        [Value::String(text), Value::Int(from), Value::Int(to)] => substring(meter, text, *from, Some(*to)),
        _ => refused(it),
    }),
    method("join", 0..=1, join),
    function("strings.quote", 1..=1, |meter, it| mapped(meter, it, quoted)),
];

fn length(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}

fn both<'a>(meter: &Meter, it: &[Value<'a>], test: fn(&str, &str) -> bool) -> Outcome<'a> {
    let [Value::String(text), Value::String(part)] = it else { return refused(it) };
    meter.charge(text.len() as u64)?;
    Ok(Value::Bool(test(text, part)))
}

fn mapped<'a>(meter: &Meter, it: &[Value<'a>], change: fn(&str) -> String) -> Outcome<'a> {
    let [Value::String(text)] = it else { return refused(it) };
    meter.charge(text.len() as u64)?;
    Ok(change(text).into())
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            other => out.push(other),
        }
    }
    out + "\""
}

fn substring<'a>(meter: &Meter, text: &str, from: i64, to: Option<i64>) -> Outcome<'a> {
    meter.charge(text.len() as u64)?;
    let length = length(text);
    let to = to.unwrap_or(length);
    if from < 0 || to < from || to > length {
        return Err(format!("there are no characters from {from} to {to} in a text of {length}"));
    }
    let at = |count: i64| usize::try_from(count).unwrap_or_default();
    Ok(text.chars().skip(at(from)).take(at(to - from)).collect::<String>().into())
}

/// `indexOf` and `lastIndexOf` (`last`), on texts and on lists.
fn position<'a>(meter: &Meter, it: &[Value<'a>], last: bool) -> Outcome<'a> {
    let (text, part, offset) = match it {
        [Value::String(text), Value::String(part)] => (text, part, None),
        [Value::String(text), Value::String(part), Value::Int(offset)] => (text, part, Some(*offset)),
        _ => return lists::position(meter, it, last),
    };
    let chars: Vec<char> = text.chars().collect();
    let part: Vec<char> = part.chars().collect();
    meter.charge((chars.len() as u64).saturating_mul(1 + part.len() as u64 / 8))?;
    let ends = chars.len().checked_sub(part.len());
    let bound = offset.map(usize::try_from).transpose().map_err(|_| "the position is negative".to_owned())?;
    match bound {
        // Nothing is found anywhere, and nothing else beyond the end.
        Some(bound) if part.is_empty() => return Ok(int(bound.min(chars.len()))),
        Some(bound) if bound >= chars.len() => return Ok(Value::Int(-1)),
        _ => {}
    }
    let found = |at: &usize| chars.get(*at..*at + part.len()) == Some(part.as_slice());
    let at = ends.and_then(|end| {
        if last {
            (0..=bound.map_or(end, |bound| bound.min(end))).rev().find(found)
        } else {
            (bound.unwrap_or(0)..=end).find(found)
        }
    });
    Ok(at.map_or(Value::Int(-1), int))
}

fn replace<'a>(meter: &Meter, it: &[Value<'a>]) -> Outcome<'a> {
    let (text, from, to, limit) = match it {
        [Value::String(text), Value::String(from), Value::String(to)] => (text, from, to, -1),
        [Value::String(text), Value::String(from), Value::String(to), Value::Int(limit)] => (text, from, to, *limit),
        _ => return refused(it),
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let places = text.matches(&**from).count().min(limit) as u64;
    meter.charge((text.len() as u64).saturating_add(places.saturating_mul(to.len() as u64)))?;
    Ok(text.replacen(&**from, to, limit).into())
}

fn split<'a>(meter: &Meter, it: &[Value<'a>]) -> Outcome<'a> {
    let (text, by, limit) = match it {
        [Value::String(text), Value::String(by)] => (text, by, -1),
        [Value::String(text), Value::String(by), Value::Int(limit)] => (text, by, *limit),
        _ => return refused(it),
    };
    meter.charge(text.len() as u64 + 1)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let parts: Vec<Value<'a>> = match (limit, by.is_empty()) {
        (0, _) => Vec::new(),
        (_, true) => {
            let mut parts: Vec<Value<'a>> = Vec::new();
            let mut rest = &**text;
            while let Some(c) = rest.chars().next().filter(|_| parts.len() + 1 < limit) {
                let (first, more) = rest.split_at(c.len_utf8());
                parts.push(first.into());
                rest = more;
            }
            parts.extend(Some(rest).filter(|rest| !rest.is_empty()).map(Value::from));
            parts
        }
        (_, false) => text.splitn(limit, &**by).map(Value::from).collect(),
    };
    Ok(parts.into())
}

fn join<'a>(meter: &Meter, it: &[Value<'a>]) -> Outcome<'a> {
    let (list, by) = match it {
        [list] => (list, ""),
        [list, Value::String(by)] => (list, &**by),
        _ => return refused(it),
    };
    let Some(items) = list.items() else { return refused(it) };
    meter.weigh(list)?;
    meter.charge((by.len() as u64).saturating_mul(items.len() as u64))?;
    let mut out = String::new();
    for (at, item) in items.iter().enumerate() {
        let Value::String(text) = item else { return Err(format!("`join` takes texts, not {}", item.type_name())) };
        if at > 0 {
            out.push_str(by);
        }
        out.push_str(text);
    }
    Ok(out.into())
}
