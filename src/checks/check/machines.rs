//! What the images of overlays run on, and whether pods can have the addresses that they shall have.

use super::PlacedFacts;
use findings::{Diagnostic, rules};
use model::declare::{Arch, Cluster, Declared, Network};

/// Reports nodes of an architecture that some overlay has no images for, and an IPv6 pod range with a provider that has none.
pub fn check(cluster: &Declared<Cluster>, _: &Declared<Network>, facts: &PlacedFacts, findings: &mut Vec<Diagnostic>) {
    let spec = &cluster.value.spec;
    for (facts, place) in facts.iter().filter(|(facts, _)| !facts.architectures.is_empty()) {
        let missing: Vec<Arch> =
            spec.nodes.architectures.iter().copied().filter(|arch| !facts.architectures.contains(arch)).collect();
        if !missing.is_empty() {
            let message = format!("there are no images for {}", list(&missing));
            let finding = Diagnostic::new(&rules::ARCHITECTURE, cluster.span("spec.nodes.architectures"), message);
            let there = format!("what this installs runs on {}", list(&facts.architectures));
            findings.push(finding.also(*place, there));
        }
    }
    let ipv6 = super::last(facts, |facts| facts.ipv6);
    if spec.pod_cidr.is_v6() && !ipv6.is_some_and(|(has, _)| has) {
        let place = ipv6.map_or_else(|| cluster.span("spec.networking"), |(_, place)| place);
        let message = "`podCIDR` is IPv6, and the network provider gives pods IPv4 addresses only";
        let finding = Diagnostic::new(&rules::POD_IPV6, cluster.span("spec.podCIDR"), message);
        findings.push(finding.also(place, "the provider"));
    }
}

/// `amd64, arm and arm64`.
fn list(architectures: &[Arch]) -> String {
    match architectures {
        [] => String::new(),
        [one] => one.to_string(),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(ToString::to_string).collect();
            format!("{} and {last}", first.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testing::Project;

    fn report(spec: &str, facts: &[&str]) -> String {
        let mut project = Project::default();
        let head = "  network: vpc\n  kubernetesVersion: \"1.33\"\n  networking: {overlay: {}}\n";
        let cluster = project.cluster(&format!("{head}{spec}\n"));
        let network = project.network("  static: {cidr: 10.0.0.0/16}\n");
        let facts: Vec<_> = facts.iter().map(|facts| project.facts(facts)).collect();
        let mut findings = Vec::new();
        check(&cluster, &network, &facts, &mut findings);
        project.report(&findings)
    }

    #[test]
    fn images_are_for_every_architecture_of_the_nodes() {
        let nodes = "  nodes: {architectures: [amd64, s390x, riscv64]}";
        assert_eq!(report(nodes, &["{}", "architectures: [amd64, s390x, riscv64]"]), "");
        assert_eq!(
            report(nodes, &["architectures: [amd64, arm, arm64]", "architectures: [riscv64, s390x]"]),
            "error[architecture] cluster.yaml:8:26: there are no images for s390x and riscv64 \
             | facts.yaml:1:1: what this installs runs on amd64, arm and arm64\n\
             error[architecture] cluster.yaml:8:26: there are no images for amd64 \
             | facts.yaml:1:1: what this installs runs on riscv64 and s390x\n"
        );
    }

    #[test]
    fn ipv6_needs_a_provider_that_has_it() {
        let pods = "  podCIDR: fd00:1::/64";
        assert_eq!(report(pods, &["ipv6: true", "{}"]), "");
        assert_eq!(
            report(pods, &["ipv6: false"]),
            "error[pod-ipv6] cluster.yaml:8:12: `podCIDR` is IPv6, and the network provider gives pods IPv4 addresses only \
             | facts.yaml:1:1: the provider\n"
        );
        assert_eq!(report(pods, &["{}"]).lines().count(), 1);
        assert_eq!(report("", &["ipv6: false"]), "");
    }
}
