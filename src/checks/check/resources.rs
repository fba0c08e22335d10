//! Requests of containers against their limits: the API server refuses a pod that asks for more than it may have, and nothing
//! else says so before.

use findings::{Diagnostic, rules};
use schema::Object;
use tree::{Node, Span, Value};

/// Reports every request of an object's containers that is larger than the limit of the same resource.
pub(super) fn check(object: &Object, findings: &mut Vec<Diagnostic>) {
    if matches!(object.identity.group(), "" | "apps" | "batch") {
        walk(&object.node, object.node.span, findings);
    }
}

fn walk(node: &Node, object: Span, findings: &mut Vec<Diagnostic>) {
    match &node.value {
        Value::Map(map) => {
            if let Some((requests, limits)) = map.get("requests").zip(map.get("limits")) {
                compare(requests, limits, object, findings);
            }
            map.iter().for_each(|(_, child)| walk(child, object, findings));
        }
        Value::List(items) => items.iter().for_each(|item| walk(item, object, findings)),
        _ => {}
    }
}

fn compare(requests: &Node, limits: &Node, object: Span, findings: &mut Vec<Diagnostic>) {
    for (name, request) in requests.as_map().into_iter().flat_map(|map| map.iter()) {
        let Some(limit) = limits.get(&name.text) else { continue };
        let larger = quantity(request).zip(quantity(limit)).is_some_and(|(request, limit)| request > limit);
        if larger {
            let [wanted, most] = [request, limit].map(shown);
            let message = format!("a container requests {wanted} of {} and may have {most} at most", name.text);
            let span = if request.span.is_known() { request.span } else { object };
            findings.push(Diagnostic::new(&rules::RESOURCE_REQUEST, span, message).also(limit.span, "the limit"));
        }
    }
}

fn shown(node: &Node) -> String {
    match &node.value {
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        _ => node.as_str().unwrap_or_default().to_owned(),
    }
}

/// A quantity as a number: `100m` is 0.1, `1Ki` 1024 and `2e3` 2000 (Kubernetes API conventions, "Quantity"). The schema has seen
/// to the form; what has another is left to it.
fn quantity(node: &Node) -> Option<f64> {
    const UNITS: [(&str, f64); 15] = [
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("Ei", 1_152_921_504_606_846_976.0),
    ];
    let text = shown(node);
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    match UNITS.iter().find(|(unit, _)| *unit == &text[digits.len()..]) {
        Some((_, factor)) => Some(digits.parse::<f64>().ok()? * factor),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_numbers() {
        let cases = [("100m", 0.1), ("1", 1.0), ("0.5", 0.5), ("1Ki", 1024.0), ("2e3", 2000.0), ("1E", 1e18), ("3M", 3e6)];
        for (text, expected) in cases {
            let found = quantity(&text.into()).expect(text);
            assert!((found - expected).abs() <= expected * 1e-12, "{text}: {found}");
        }
        assert_eq!(quantity(&"many".into()), None);
        assert_eq!(quantity(&200i64.into()), Some(200.0));
    }
}
