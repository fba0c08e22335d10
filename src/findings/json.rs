//! Findings as JSON, for programs.

use serde_json::{Value, json};

use super::{Diagnostic, inert};
use tree::{Sources, Span, limits};

/// The findings as a JSON list, all of them.
#[must_use]
pub fn render(findings: &[Diagnostic], sources: &Sources) -> Value {
    findings.iter().map(|finding| one(finding, sources)).collect()
}

/// A JSON document as text: in lines for people who look at it, and with nothing in it that a terminal or log acts on.
#[must_use]
pub fn text(document: &Value) -> String {
    inert::json(&format!("{document:#}\n"))
}

fn one(finding: &Diagnostic, sources: &Sources) -> Value {
    let labels: Vec<_> = finding.labels.iter().map(|l| json!({"text": clip(&l.text), "place": place(l.span, sources)})).collect();
    json!({
        "code": finding.code,
        "severity": finding.severity,
        "message": clip(&finding.message),
        "place": place(finding.span, sources),
        "related": labels,
        "help": finding.help.iter().map(|help| clip(help)).collect::<Vec<_>>(),
    })
}

/// A text of bounded length; names in hostile input can be a megabyte long.
fn clip(text: &str) -> &str {
    &text[..inert::boundary(text, limits::MESSAGE_BYTES)]
}

fn place(span: Span, sources: &Sources) -> Value {
    let end = sources.position(Span { start: span.end, ..span });
    match (sources.name(span.file), sources.position(span), end) {
        (Some(name), Some(at), Some(end)) => {
            json!({"file": name, "line": at.line, "column": at.column, "endLine": end.line, "endColumn": end.column})
        }
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Severity;

    #[test]
    fn a_finding_names_its_places() {
        let mut sources = Sources::default();
        let file = sources.add("a.yaml", "a: 1\nbä: 22\n");
        let finding = Diagnostic::declared("code", Severity::Warning, Span::new(file, 10, 12), "message");
        let finding = finding.also(Span::NONE, "computed").help("help");
        let expected = json!([{
            "code": "code", "severity": "warning", "message": "message",
            "place": {"file": "a.yaml", "line": 2, "column": 5, "endLine": 2, "endColumn": 7},
            "related": [{"text": "computed", "place": null}],
            "help": ["help"],
        }]);
        assert_eq!(render(&[finding], &sources), expected);
    }

    #[test]
    fn the_text_is_inert_and_the_document_unchanged() {
        let document = json!({"message": "\u{1b}[31m \u{202e} ##[error]"});
        let text = text(&document);
        assert_eq!(text, "{\n  \"message\": \"\\u001b[31m \\u202e ##\\u005berror]\"\n}\n");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), document);
    }

    #[test]
    fn long_messages_are_clipped() {
        let finding = Diagnostic::declared("code", Severity::Note, Span::NONE, "ä".repeat(5_000));
        let message = render(&[finding], &Sources::default())[0]["message"].as_str().unwrap().len();
        assert_eq!(message, limits::MESSAGE_BYTES);
    }
}
