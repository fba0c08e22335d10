//! Plain scalars: what they mean where YAML 1.1 and 1.2 agree.

use tree::Value;

/// What a plain scalar means where all YAML readers agree; otherwise how to write it.
pub(super) fn resolve(text: &str) -> Result<Value, String> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        "=" => return Err("quote it".to_owned()),
        _ => {}
    }
    let lower = text.to_ascii_lowercase();
    if let "y" | "yes" | "on" | "n" | "no" | "off" = lower.as_str() {
        let truth = lower.starts_with('y') || lower == "on";
        return Err(format!("write `{truth}`, or \"{text}\" in quotes for text"));
    }
    match text.as_bytes().first() {
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => number(text, &lower),
        _ => Ok(Value::String(text.into())),
    }
}

fn number(text: &str, lower: &str) -> Result<Value, String> {
    let quote = || Err("quote it if it is text, or write the number out in decimal".to_owned());
    let digits = lower.trim_start_matches(['+', '-']);
    let all = |set: fn(&u8) -> bool| !digits.is_empty() && digits.bytes().all(|b| set(&b));
    if all(u8::is_ascii_digit) {
        let octal = digits.len() > 1 && digits.starts_with('0');
        return match text.parse() {
            _ if octal && digits.bytes().all(|b| b < b'8') => {
                let decimal = u64::from_str_radix(digits, 8).unwrap_or_default();
                Err(format!("write {decimal} for the octal number, or quote it"))
            }
            Ok(number) if !octal => Ok(Value::Int(number)),
            _ => quote(),
        };
    }
    if is_date(digits) {
        return Err("quote it".to_owned());
    }
    if matches!(digits, ".inf" | ".nan") || is_base_sixty(digits) {
        return quote();
    }
    if digits.starts_with("0x") || digits.starts_with("0o") || digits.starts_with("0b") {
        let body = &digits[2..];
        return if !body.is_empty() && body.bytes().all(|b| b.is_ascii_hexdigit() || b == b'_') {
            quote()
        } else {
            Ok(Value::String(text.into()))
        };
    }
    if digits.contains('_') && all(|b| b.is_ascii_digit() || matches!(b, b'_' | b'.')) {
        return quote();
    }
    match digits.starts_with(|c: char| c.is_ascii_digit() || c == '.').then(|| text.parse::<f64>()) {
        Some(Ok(_)) if !digits.contains('.') || digits.contains('e') => quote(),
        Some(Ok(number)) if number.is_finite() => Ok(Value::Float(number)),
        _ => Ok(Value::String(text.into())),
    }
}

/// Base-sixty numbers of YAML 1.1, such as `12:30:45`.
fn is_base_sixty(digits: &str) -> bool {
    digits.contains(':') && digits.split(':').all(|part| is_numeric(part.split('.').next().unwrap_or_default()))
}

/// Dates of YAML 1.1, such as `2001-12-14`, with or without a time.
fn is_date(digits: &str) -> bool {
    digits.get(..10).is_some_and(|day| {
        let parts: Vec<_> = day.split('-').collect();
        parts.len() == 3 && parts[0].len() == 4 && parts.iter().all(|part| is_numeric(part))
    })
}

fn is_numeric(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())
}
