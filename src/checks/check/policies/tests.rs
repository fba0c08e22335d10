use super::*;
use schema::Identity;
use testing::Project;

const ALL: &str = "networkPolicy: {ingress: true, egress: true, endPort: true, namedPorts: true}";
const WEAK: &str = "networkPolicy: {ingress: true, egress: true, endPort: false, namedPorts: false}";
const NONE: &str = "networkPolicy: {ingress: false, egress: false, endPort: false, namedPorts: false}";

fn report(spec: &str, facts: &str) -> String {
    let mut project = Project::default();
    let text =
        format!("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: web, namespace: shop}}\nspec:\n{spec}");
    let node = project.node("policy.yaml", &text);
    let object = Arc::new(Object::new(Identity::of(&node).unwrap(), "policies".into(), node));
    let facts = [project.facts(facts)];
    let mut findings = Vec::new();
    check(&facts, &[object], &mut findings);
    project.report(&findings)
}

const PORTS: &str =
    "  ingress:\n  - ports:\n    - {port: http}\n    - {port: 80}\n  egress:\n  - ports:\n    - {port: 8000, endPort: 8010}\n";

#[test]
fn ranges_and_names_of_ports_are_found_where_they_stand() {
    assert_eq!(
        report(PORTS, WEAK),
        "warning[network-policy-feature] policy.yaml:7:14: NetworkPolicy shop/web names a port instead of its number, \
         which the network provider does not enforce: what the rule or the whole policy says may not hold\n\
         warning[network-policy-feature] policy.yaml:11:29: NetworkPolicy shop/web has a range of ports (`endPort`), \
         which the network provider does not enforce: what the range admits is not what it says\n"
    );
    assert_eq!(report(PORTS, ALL), "");
    assert_eq!(report(PORTS, "{}"), "", "a provider that says nothing is not judged");
}

#[test]
fn policies_that_nobody_enforces_are_found_by_their_types() {
    let cases = [
        ("  podSelector: {}\n", "ingress"),
        ("  podSelector: {}\n  policyTypes: [Egress]\n", "egress"),
        ("  podSelector: {}\n  policyTypes: [Ingress, Egress]\n", "ingress egress"),
        ("  podSelector: {}\n  egress: []\n", "ingress egress"),
    ];
    for (spec, expected) in cases {
        let report = report(spec, NONE);
        let found: Vec<_> =
            ["ingress", "egress"].into_iter().filter(|what| report.contains(&format!("restricts {what},"))).collect();
        assert_eq!(found.join(" "), expected, "{spec}");
    }
    assert!(
        report("  podSelector: {}\n  policyTypes: [Egress]\n", NONE)
            .starts_with("warning[network-policy-feature] policy.yaml:6:16")
    );
}
