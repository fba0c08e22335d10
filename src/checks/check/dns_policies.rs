//! NetworkPolicies that restrict what a namespace's pods send, and DNS, without which hardly any pod works.

use std::net::IpAddr;

use indexmap::IndexMap;

use artifacts::dns;
use findings::{Diagnostic, rules};
use model::declare::Feature;
use schema::Object;
use schema::address::Cidr;
use tree::Node;

use super::{Rendered, policies};

const DNS_PORT: i64 = 53;

/// Reports namespaces whose pods are all restricted, while no policy lets any of them ask DNS, or only pods of DNS where DNS is
/// answered by a cache on the node itself.
///
/// A policy for some pods may let just those ask that need to, so nothing is said where any policy of the namespace does.
pub fn check(rendered: Rendered<'_>, findings: &mut Vec<Diagnostic>) {
    let enforced = super::last(rendered.facts, |facts| facts.network_policy.clone());
    if !enforced.is_some_and(|(features, _)| matches!(features.egress, Feature::Enforced(true))) {
        return;
    }
    let mut namespaces: IndexMap<&str, Vec<&Object>> = IndexMap::new();
    for object in rendered.objects.iter().filter(|object| policies::is_policy(object) && restricts_egress(&object.node)) {
        namespaces.entry(&object.identity.namespace).or_default().push(object);
    }
    let cached = rendered.objects.iter().any(|object| is_cache(object)).then_some(rendered.plan.kubelet_dns);
    for policies in namespaces.values() {
        let Some(general) = policies.iter().find(|policy| selects_all(&policy.node)) else { continue };
        findings.extend(judge(general, policies, cached));
    }
}

fn judge(general: &Object, of_namespace: &[&Object], cached: Option<IpAddr>) -> Option<Diagnostic> {
    let place = general.node.get("spec").unwrap_or(&general.node).span;
    let name = policies::name(general);
    let rules = of_namespace.iter().filter_map(|policy| policy.node.get("spec")?.get("egress")?.as_list()).flatten();
    let dns: Vec<&Node> = rules.filter(|rule| admits_dns(rule)).collect();
    let Some(first) = dns.first() else {
        let message = format!("NetworkPolicy {name} keeps every pod of its namespace from DNS: no policy there admits 53/udp");
        return Some(
            Diagnostic::new(&rules::POLICY_DNS, place, message).help("admit ports 53/udp and 53/tcp to the DNS service"),
        );
    };
    let address = cached.filter(|address| !dns.iter().any(|rule| reaches(rule, *address)))?;
    let message = format!(
        "NetworkPolicy {name} keeps every pod of its namespace from the DNS cache of its node: what is admitted to port 53 is pods"
    );
    let finding = Diagnostic::new(&rules::POLICY_DNS, first.span, message).also(place, "everything else is refused here");
    let bits = if address.is_ipv6() { 128 } else { 32 };
    Some(finding.help(format!("the cache is on the node's own network: admit `ipBlock: {{cidr: {address}/{bits}}}`, too")))
}

/// Whether a policy restricts what pods send: it says so, or has rules for it.
fn restricts_egress(policy: &Node) -> bool {
    let Some(spec) = policy.get("spec") else { return false };
    let types = spec.get("policyTypes").and_then(Node::as_list);
    types.map_or(spec.get("egress").is_some(), |types| types.iter().any(|one| one.as_str() == Some("Egress")))
}

/// Whether a policy is about every pod of its namespace.
fn selects_all(policy: &Node) -> bool {
    let selector = policy.get("spec").and_then(|spec| spec.get("podSelector"));
    let empty = |key: &str| {
        selector.and_then(|selector| selector.get(key)).is_none_or(|node| match (node.as_map(), node.as_list()) {
            (Some(map), _) => map.is_empty(),
            (_, list) => list.unwrap_or_default().is_empty(),
        })
    };
    empty("matchLabels") && empty("matchExpressions")
}

/// Whether a rule admits 53/udp to somebody.
fn admits_dns(rule: &Node) -> bool {
    let ports = rule.get("ports").and_then(Node::as_list).unwrap_or_default();
    ports.is_empty() || ports.iter().any(is_dns_port)
}

fn is_dns_port(port: &Node) -> bool {
    // A port without a protocol is one of TCP (API reference, NetworkPolicyPort).
    if port.str_at("protocol") != Some("UDP") {
        return false;
    }
    let Some(first) = port.get("port") else { return true };
    match first.as_int() {
        Some(first) => (first..=port.get("endPort").and_then(Node::as_int).unwrap_or(first)).contains(&DNS_PORT),
        // A name is whatever the receiving pods call so.
        None => true,
    }
}

/// Whether a rule admits packets to an address that is no pod's.
fn reaches(rule: &Node, address: IpAddr) -> bool {
    let peers = rule.get("to").and_then(Node::as_list).unwrap_or_default();
    peers.is_empty() || peers.iter().filter_map(|peer| peer.get("ipBlock")).any(|block| holds(block, address))
}

fn holds(block: &Node, address: IpAddr) -> bool {
    let inside = |node: &Node| node.as_str().and_then(|text| text.parse::<Cidr>().ok()).is_some_and(|range| range.holds(address));
    let except = block.get("except").and_then(Node::as_list).unwrap_or_default();
    block.get("cidr").is_some_and(inside) && !except.iter().any(inside)
}

/// Whether an object puts something on every node's own network that answers DNS.
fn is_cache(object: &Object) -> bool {
    let pod = (object.identity.kind == "DaemonSet").then(|| object.node.get("spec")?.get("template")?.get("spec")).flatten();
    pod.is_some_and(|pod| pod.get("hostNetwork").and_then(Node::as_bool) == Some(true) && dns::has_port(pod))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::rendered;

    const ENFORCED: &str = "networkPolicy: {ingress: true, egress: true, endPort: true, namedPorts: true}";
    const CACHE: &str = "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: cache, namespace: kube-system}, spec: {template: {spec: \
                         {hostNetwork: true, containers: [{name: dns, ports: [{containerPort: 53, protocol: UDP}]}]}}}}";

    fn report(specs: &[&str], facts: &str, cached: bool) -> String {
        let policy = |(at, spec): (usize, &&str)| {
            let head = "apiVersion: networking.k8s.io/v1, kind: NetworkPolicy";
            (format!("{at}.yaml"), format!("{{{head}, metadata: {{name: p{at}, namespace: shop}}, spec: {spec}}}"))
        };
        let mut objects: Vec<_> = specs.iter().enumerate().map(policy).collect();
        objects.extend(cached.then(|| ("cache.yaml".to_owned(), CACHE.to_owned())));
        rendered("", facts, &objects, check)
    }

    const DENY: &str = "{podSelector: {}, policyTypes: [Ingress, Egress]}";

    #[test]
    fn a_default_deny_needs_a_way_to_dns() {
        assert_eq!(
            report(&[DENY], ENFORCED, false),
            "warning[policy-dns] 0.yaml:1:102: NetworkPolicy shop/p0 keeps every pod of its namespace from DNS: no policy there admits 53/udp\n"
        );
        for spec in [
            "{podSelector: {}, policyTypes: [Ingress]}",
            "{podSelector: {matchLabels: {app: a}}, policyTypes: [Egress]}",
            "{podSelector: {}, egress: [{}]}",
            "{podSelector: {}, egress: [{ports: [{port: 53, protocol: UDP}]}]}",
            "{podSelector: {}, egress: [{ports: [{port: 1, endPort: 100, protocol: UDP}]}]}",
            "{podSelector: {}, egress: [{ports: [{port: dns, protocol: UDP}]}]}",
        ] {
            assert_eq!(report(&[spec], ENFORCED, false), "", "{spec}");
        }
        assert_ne!(report(&["{podSelector: {}, egress: [{ports: [{port: 53}]}]}"], ENFORCED, false), "", "TCP alone");
        let one = "{podSelector: {matchLabels: {app: a}}, egress: [{ports: [{port: 53, protocol: UDP}]}]}";
        assert_eq!(report(&[DENY, one], ENFORCED, false), "");
        assert_eq!(report(&[DENY], "networkPolicy: {ingress: true, egress: false, endPort: true, namedPorts: true}", false), "");
        assert_eq!(report(&[DENY], "{}", false), "");
    }

    #[test]
    fn a_cache_on_the_node_is_no_pod() {
        let to =
            |peers: &str| format!("{{podSelector: {{}}, egress: [{{to: [{peers}], ports: [{{port: 53, protocol: UDP}}]}}]}}");
        let pods = to("{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: kube-dns}}}");
        assert_eq!(report(&[&pods], ENFORCED, false), "");
        assert_eq!(
            report(&[&pods], ENFORCED, true),
            "warning[policy-dns] 0.yaml:1:129: NetworkPolicy shop/p0 keeps every pod of its namespace from the DNS cache of its node: \
             what is admitted to port 53 is pods | 0.yaml:1:102: everything else is refused here\n"
        );
        assert_eq!(report(&[&to("{ipBlock: {cidr: 100.64.0.10/32}}")], ENFORCED, true), "");
        let told = format!("{ENFORCED}\nkubeletDns: 169.254.20.10");
        assert_ne!(report(&[&to("{ipBlock: {cidr: 100.64.0.10/32}}")], &told, true), "");
        assert_eq!(report(&[&pods, &to("{ipBlock: {cidr: 169.254.20.10/32}}")], &told, true), "");
        assert_ne!(report(&[&to("{ipBlock: {cidr: 169.254.0.0/16, except: [169.254.20.0/24]}}")], &told, true), "");
    }
}
