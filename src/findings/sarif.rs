//! Findings as SARIF 2.1.0 (OASIS), for code scanning and editors.
//!
//! Of what the standard leaves open, this is what GitHub's code scanning takes: a place in a file of the repository for each
//! result, further places linked from the message, and a fingerprint that survives edits elsewhere.

use std::fmt::Write;

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::location::{Location, Places};
use super::{Diagnostic, Severity, inert};
use tree::limits;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The file that stands for findings which no file of the repository has a part in: a result without a file is refused.
const FALLBACK: &str = "netloom.yaml";

/// What a code means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The code.
    pub code: String,
    /// Its usual severity.
    pub severity: Severity,
    /// What it is about, in whole sentences.
    pub explanation: String,
    /// General advice; may be empty.
    pub help: String,
}

/// What a command did.
#[derive(Clone, Copy, Debug)]
pub struct Invocation<'a> {
    /// The command's name.
    pub command: &'a str,
    /// Its exit code.
    pub exit: u8,
    /// Whether it could do its work, whatever it found.
    pub done: bool,
}

/// The document: one run, with the rules that have results.
#[must_use]
pub fn render(invocation: Invocation<'_>, findings: &[Diagnostic], rules: &[Rule], places: Places<'_>) -> Value {
    let mut used: IndexMap<&str, Value> = IndexMap::new();
    let mut lines = IndexMap::new();
    let mut results = Vec::new();
    for finding in findings {
        let entry = used.entry(&finding.code);
        let index = entry.index();
        entry.or_insert_with(|| rule(finding, rules.iter().find(|rule| rule.code == finding.code)));
        results.push(result(finding, index, places, &mut lines));
    }
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "netloom",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": used.into_values().collect::<Vec<_>>(),
            }},
            "automationDetails": {"id": format!("netloom/{}/", invocation.command)},
            "invocations": [{"executionSuccessful": invocation.done, "exitCode": invocation.exit}],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// A rule as it is found in the table, or of what the finding says of itself.
fn rule(finding: &Diagnostic, known: Option<&Rule>) -> Value {
    let code = plain(&finding.code);
    let severity = known.map_or(finding.severity, |rule| rule.severity);
    let mut out = json!({"id": code, "defaultConfiguration": {"level": severity.name()}});
    let explanation = known.map(|rule| rule.explanation.trim()).filter(|text| !text.is_empty());
    if let (Some(text), Some(members)) = (explanation, out.as_object_mut()) {
        let first = text.split_inclusive(". ").next().unwrap_or_default().trim_end();
        let advice = known.map(|rule| rule.help.as_str()).filter(|help| !help.is_empty());
        let help = advice.map_or_else(|| text.to_owned(), |help| format!("{text}\nWhat to do: {help}."));
        members.insert("shortDescription".into(), json!({"text": plain(first)}));
        members.insert("fullDescription".into(), json!({"text": plain(text)}));
        members.insert("help".into(), json!({"text": paragraphs(&help)}));
    }
    out
}

fn result(finding: &Diagnostic, rule: usize, places: Places<'_>, lines: &mut IndexMap<String, usize>) -> Value {
    let anchor = places.anchor(finding);
    let mut message = plain(&finding.message);
    let mut related = Vec::new();
    for (text, at) in places.related(finding) {
        let text = plain(&text);
        match at {
            None => _ = write!(message, "\n{text}"),
            Some(at) => {
                let id = related.len() + 1;
                _ = write!(message, "\n[{}]({id})", text.replace(['[', ']'], ""));
                let mut location = physical(Some(&at), places);
                location["id"] = id.into();
                location["message"] = json!({"text": text});
                related.push(location);
            }
        }
    }
    for help in finding.help.iter().take(limits::DIAGNOSTIC_PLACES) {
        _ = write!(message, "\nhelp: {}", plain(help));
    }
    let mut out = json!({
        "ruleId": plain(&finding.code),
        "ruleIndex": rule,
        "level": finding.severity.name(),
        "message": {"text": message},
        "locations": [physical(anchor.as_ref(), places)],
        "partialFingerprints": {"primaryLocationLineHash": fingerprint(finding, places.of(finding.span).as_ref(), lines)},
    });
    if !related.is_empty() {
        out["relatedLocations"] = related.into();
    }
    out
}

fn physical(at: Option<&Location<'_>>, places: Places<'_>) -> Value {
    let Some(at) = at else {
        return json!({"physicalLocation": {"artifactLocation": {"uri": uri(&format!("{}{FALLBACK}", places.prefix))}}});
    };
    json!({"physicalLocation": {
        "artifactLocation": {"uri": uri(&at.path)},
        "region": {"startLine": at.line, "startColumn": at.column, "endLine": at.line, "endColumn": at.end_column},
    }})
}

/// What tells a finding from others, wherever its line moves to: code, file, the line's text, and which of equal ones it is; the
/// message instead, where the finding has no place of its own in a file.
fn fingerprint(finding: &Diagnostic, at: Option<&Location<'_>>, lines: &mut IndexMap<String, usize>) -> String {
    let (path, text) = at.map_or(("", finding.message.as_str()), |at| (at.path.as_str(), at.text));
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let hash = blake3::hash(format!("{}\0{path}\0{text}", finding.code).as_bytes());
    let hash = hash.to_hex()[..16].to_owned();
    let count = lines.entry(hash.clone()).or_default();
    *count += 1;
    format!("{hash}:{count}")
}

/// A path as a relative reference, or as a `file` URI when it is absolute: what is no unreserved character is encoded.
fn uri(path: &str) -> String {
    let mut out = if path.starts_with('/') { "file://".to_owned() } else { String::new() };
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            _ => _ = write!(out, "%{byte:02X}"),
        }
    }
    out
}

/// Text that a viewer shows as it is: in SARIF's plain text `[text](target)` is a link.
fn plain(text: &str) -> String {
    inert::clipped(text, limits::MESSAGE_BYTES).replace("](", "] (")
}

/// [`plain()`], line by line.
fn paragraphs(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
