//! The documents of a manifest.

use findings::{Diagnostic, rules};
use tree::{FileId, Node, Value};

/// Reads the documents of a manifest: YAML, or JSON, where a list is one of documents.
///
/// Times are text here, also without quotes: Kubernetes prints them so, and no declaration takes one over.
pub fn read(text: &str, file: FileId, findings: &mut Vec<Diagnostic>) -> Vec<Node> {
    let before = findings.len();
    let documents = yaml::read(text, file, findings);
    let mut at = 0;
    findings.retain(|finding| {
        at += 1;
        let quoted = text.get(finding.span.start as usize..finding.span.end as usize).unwrap_or_default();
        at <= before || finding.code != rules::YAML_AMBIGUOUS.code || !is_date(quoted)
    });
    let flat = documents.into_iter().flat_map(|document| match document.value {
        Value::List(items) => items,
        _ => vec![document],
    });
    flat.collect()
}

/// Whether the text begins with a date: `2016-12-10T22:42:27Z`, or a release of MinIO.
fn is_date(text: &str) -> bool {
    let form = |(at, byte): (usize, u8)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    text.get(..10).is_some_and(|day| day.bytes().enumerate().all(form))
}
