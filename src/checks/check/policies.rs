//! What NetworkPolicies ask for and the provider enforces.

use std::sync::Arc;

use findings::{Diagnostic, rules};
use model::declare::PolicyFeatures;
use schema::Object;
use tree::{Node, Span, Value};

use super::PlacedFacts;

/// Reports everything in the final NetworkPolicies that the provider says it does not enforce. A provider that says nothing is
/// not judged.
pub fn check(facts: &PlacedFacts, objects: &[Arc<Object>], findings: &mut Vec<Diagnostic>) {
    let Some((features, _)) = super::last(facts, |facts| facts.network_policy.clone()) else { return };
    for object in objects.iter().filter(|object| is_policy(object)) {
        policy(object, &features, findings);
    }
}

/// Whether an object is a NetworkPolicy of Kubernetes itself.
pub(crate) fn is_policy(object: &Object) -> bool {
    object.identity.kind == "NetworkPolicy" && object.identity.group() == "networking.k8s.io"
}

fn policy(object: &Object, features: &PolicyFeatures, findings: &mut Vec<Diagnostic>) {
    let Some(spec) = object.node.get("spec") else { return };
    let (types, ingress, egress) = (spec.get("policyTypes"), spec.get("ingress"), spec.get("egress"));
    let listed = |name: &str| types.and_then(Node::as_list).map(|list| list.iter().any(|item| item.as_str() == Some(name)));
    let mut report = |span: Span, what: &str, then: &str| {
        let message = format!("NetworkPolicy {} {what}, which the network provider does not enforce: {then}", name(object));
        findings.push(Diagnostic::new(&rules::POLICY_FEATURE, span, message));
    };
    // A policy without types is one of ingress, and of egress when it has rules for that (API reference, `policyTypes`).
    let place = |node: Option<&Node>| node.or(types).unwrap_or(spec).span;
    let instead = features.ingress.instead("the pods stay open").filter(|_| listed("Ingress").unwrap_or(true));
    if let Some(then) = instead {
        report(place(ingress), "restricts ingress", then);
    }
    let instead = features.egress.instead("the pods reach everything").filter(|_| listed("Egress").unwrap_or(egress.is_some()));
    if let Some(then) = instead {
        report(place(egress), "restricts egress", then);
    }
    for port in ingress.into_iter().chain(egress).flat_map(ports) {
        let range = features.end_port.instead("what the range admits is not what it says");
        if let Some((end, then)) = port.get("endPort").zip(range) {
            report(end.span, "has a range of ports (`endPort`)", then);
        }
        let named = port.get("port").filter(|port| matches!(port.value, Value::String(_)));
        let name = features.named_ports.instead("what the rule or the whole policy says may not hold");
        if let Some((named, then)) = named.zip(name) {
            report(named.span, "names a port instead of its number", then);
        }
    }
}

/// A policy's namespace and name.
pub(super) fn name(object: &Object) -> String {
    let identity = &object.identity;
    let namespace = if identity.namespace.is_empty() { "default" } else { &identity.namespace };
    format!("{namespace}/{}", identity.name)
}

/// The ports of every rule in a list of rules.
fn ports(rules: &Node) -> impl Iterator<Item = &Node> {
    rules.as_list().unwrap_or_default().iter().filter_map(|rule| rule.get("ports")?.as_list()).flatten()
}

#[cfg(test)]
mod tests;
