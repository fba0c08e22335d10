//! Changes to trees: strategic merge patches, JSON patches and merge patches.
//!
//! Whatever a patch replaces is remembered in [`Node::overrode`]. A patch that asks for something that is not there is an
//! error with the nearest candidates, never a silent no-op.

mod directive;
mod json;
mod list;
mod merge;
mod pointer;
mod strategic;
mod trail;

use crate::declare::Target;
use crate::diagnostic::{Diagnostic, nearest};
use crate::kubernetes::Identity;
use crate::tree::{Node, Value};

pub use json::json;
pub use merge::merge;
pub use strategic::strategic;

/// Whether an object is one of those that a target selects: every field that the target gives must be equal.
#[must_use]
pub fn targets(target: &Target, identity: &Identity) -> bool {
    let equal = |wanted: &Option<String>, actual: &str| wanted.as_deref().is_none_or(|wanted| wanted == actual);
    equal(&target.group, identity.group())
        && equal(&target.version, identity.version())
        && equal(&target.kind, &identity.kind)
        && equal(&target.name, &identity.name)
        && equal(&target.namespace, &identity.namespace)
}

/// Whether a value is neither a list nor a mapping.
fn is_scalar(node: &Node) -> bool {
    !matches!(node.value, Value::List(_) | Value::Map(_))
}

/// A value for a message: scalars as they are, the rest by kind.
fn show(node: &Node) -> String {
    match &node.value {
        Value::String(text) => text.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => node.kind().to_owned(),
    }
}

/// Adds what was probably meant, or else what there is to choose from.
fn candidates(finding: Diagnostic, given: &str, what: &str, names: &[String]) -> Diagnostic {
    const SHOWN: usize = 8;
    if let Some(name) = nearest(given, names.iter().map(String::as_str)) {
        return finding.help(format!("did you mean `{name}`?"));
    }
    if names.is_empty() {
        return finding.help(format!("there are no {what}"));
    }
    let more = if names.len() > SHOWN { ", …" } else { "" };
    let shown: Vec<_> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    finding.help(format!("the {what} are {}{more}", shown.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(target: &Target) -> bool {
        let identity = |text: &str| text.to_owned();
        let daemonset = Identity {
            api_version: identity("apps/v1"),
            kind: identity("DaemonSet"),
            namespace: identity("kube-system"),
            name: identity("agent-net"),
        };
        targets(target, &daemonset)
    }

    #[test]
    fn a_target_selects_by_every_field_it_gives() {
        let some = |text: &str| Some(text.to_owned());
        assert!(matches(&Target::default()));
        assert!(matches(&Target { kind: some("DaemonSet"), name: some("agent-net"), ..Target::default() }));
        assert!(matches(&Target {
            group: some("apps"),
            version: some("v1"),
            namespace: some("kube-system"),
            ..Target::default()
        }));
        assert!(!matches(&Target { group: some(""), ..Target::default() }));
        assert!(!matches(&Target { version: some("v1beta1"), ..Target::default() }));
        assert!(!matches(&Target { kind: some("Deployment"), ..Target::default() }));
        assert!(!matches(&Target { name: some("agent"), ..Target::default() }));
        assert!(!matches(&Target { namespace: some("default"), ..Target::default() }));
    }
}
