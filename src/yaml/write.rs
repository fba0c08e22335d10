//! Deterministic YAML text.
//!
//! Our own writer, because every reader of the output counts: a string is written plain only where YAML 1.1 (kubectl, Flux and
//! CloudFormation read that) and YAML 1.2 readers both see the same string, and quoted otherwise. It is also the hot path of a
//! fleet render; the table in the README says what it costs.

use std::fmt::Write;

use tree::{Map, Node, Value};

/// The document for `node`, ending in a line feed.
#[must_use]
pub fn to_yaml(node: &Node) -> String {
    let mut out = String::with_capacity(1024);
    match &node.value {
        Value::Map(map) if !map.is_empty() => write_map(&mut out, map, 0, false),
        Value::List(items) if !items.is_empty() => write_list(&mut out, items, 0, false),
        _ => {
            write_scalar(&mut out, node, 0);
            out.push('\n');
        }
    }
    out
}

fn indent(out: &mut String, depth: usize) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

/// Writes the entries of `map`; `inline` when the first one continues a `- `.
fn write_map(out: &mut String, map: &Map, depth: usize, inline: bool) {
    for (at, (key, node)) in map.iter().enumerate() {
        if at > 0 || !inline {
            indent(out, depth);
        }
        write_string(out, &key.text);
        out.push(':');
        write_child(out, node, depth);
    }
}

fn write_child(out: &mut String, node: &Node, depth: usize) {
    match &node.value {
        Value::Map(map) if !map.is_empty() => {
            out.push('\n');
            write_map(out, map, depth + 1, false);
        }
        Value::List(items) if !items.is_empty() => {
            out.push('\n');
            write_list(out, items, depth, false);
        }
        _ => {
            out.push(' ');
            write_scalar(out, node, depth + 1);
            out.push('\n');
        }
    }
}

/// Lists stand at the indentation of their key, as kubectl prints them; `inline` as for maps.
fn write_list(out: &mut String, items: &[Node], depth: usize, inline: bool) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 || !inline {
            indent(out, depth);
        }
        out.push_str("- ");
        match &item.value {
            Value::Map(map) if !map.is_empty() => write_map(out, map, depth + 1, true),
            Value::List(inner) if !inner.is_empty() => write_list(out, inner, depth + 1, true),
            _ => {
                write_scalar(out, item, depth + 1);
                out.push('\n');
            }
        }
    }
}

fn write_scalar(out: &mut String, node: &Node, depth: usize) {
    match &node.value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Int(number) => _ = write!(out, "{number}"),
        Value::Float(number) => _ = write!(out, "{number:?}"),
        Value::String(text) if is_block(text) => write_block(out, text, depth),
        Value::String(text) => write_string(out, text),
        Value::List(_) => out.push_str("[]"),
        Value::Map(_) => out.push_str("{}"),
    }
}

/// Text of several lines that a literal block keeps exactly.
fn is_block(text: &str) -> bool {
    text.contains('\n')
        && !text.starts_with([' ', '\n', '\t'])
        && text.trim_end_matches('\n').lines().all(|line| !line.ends_with([' ', '\t']))
        && text.chars().all(|c| c == '\n' || is_printable(c))
}

fn write_block(out: &mut String, text: &str, depth: usize) {
    let body = text.trim_end_matches('\n');
    let chomp = match text.len() - body.len() {
        0 => "|-",
        1 => "|",
        _ => "|+",
    };
    out.push_str(chomp);
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            indent(out, depth);
            out.push_str(line);
        }
    }
    // The caller ends the last line; `|+` keeps the empty lines after it.
    out.extend(std::iter::repeat_n('\n', (text.len() - body.len()).saturating_sub(1)));
}

fn write_string(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
    } else {
        write_quoted(out, text);
    }
}

/// Whether `text` reads as the same string in YAML 1.1 and 1.2 without quotes.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some((first, last)) = bytes.first().zip(bytes.last()) else { return false };
    let opens = first.is_ascii_alphabetic() || matches!(first, b'/' | b'_' | b'$' | b'(');
    if !opens || matches!(last, b' ' | b':') || is_keyword(text) {
        return false;
    }
    // Without leaving early, so that the processor looks at many bytes at once.
    let printable = bytes.iter().fold(true, |all, byte| all & matches!(byte, b' '..=b'~'));
    let pairs = bytes.iter().zip(&bytes[1..]);
    let breaks = pairs.fold(false, |any, (a, b)| any | ((*a == b':') & (*b == b' ')) | ((*a == b' ') & (*b == b'#')));
    printable && !breaks
}

/// The words that some YAML reader takes for a boolean, null or number.
fn is_keyword(text: &str) -> bool {
    const WORDS: [&str; 11] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "inf", "nan"];
    text.len() <= 5 && WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

fn is_printable(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn write_quoted(out: &mut String, text: &str) {
    out.push('"');
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')) {
        out.push_str(text);
        out.push('"');
        return;
    }
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_printable(c) => out.push(c),
            c if u32::from(c) <= 0xff => _ = write!(out, "\\x{:02x}", u32::from(c)),
            c if u32::from(c) <= 0xffff => _ = write!(out, "\\u{:04x}", u32::from(c)),
            c => _ = write!(out, "\\U{:08x}", u32::from(c)),
        }
    }
    out.push('"');
}
