//! Findings as JSON, for programs.

use serde_json::{Value, json};

use super::Diagnostic;
use crate::tree::{Sources, Span};

/// The findings as a JSON list.
#[must_use]
pub fn render(findings: &[Diagnostic], sources: &Sources) -> Value {
    findings.iter().map(|finding| one(finding, sources)).collect()
}

fn one(finding: &Diagnostic, sources: &Sources) -> Value {
    let labels: Vec<_> = finding.labels.iter().map(|l| json!({"text": l.text, "place": place(l.span, sources)})).collect();
    json!({
        "code": finding.code,
        "severity": finding.severity,
        "message": finding.message,
        "place": place(finding.span, sources),
        "related": labels,
        "help": finding.help,
    })
}

fn place(span: Span, sources: &Sources) -> Value {
    match (sources.get(span.file), sources.position(span)) {
        (Some(source), Some(at)) => json!({"file": *source.path, "line": at.line, "column": at.column}),
        _ => Value::Null,
    }
}
