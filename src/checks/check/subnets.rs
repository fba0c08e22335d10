//! Room for machines in the subnets, and for pods where these have addresses of the subnets, too.

use findings::{Diagnostic, rules};
use model::declare::{Cluster, Declared, Network, SubnetType};

use super::PlacedFacts;

/// Addresses of a subnet that AWS keeps (VPC user guide, "Subnet sizing").
const RESERVED: u64 = 5;

/// Reports more nodes, or more addresses of full nodes, than the subnets of a VPC have room for. NAT gateways, load balancers and
/// other clusters in the same subnets come on top; a network whose subnets' ranges are not all known is not judged.
pub fn check(cluster: &Declared<Cluster>, network: &Declared<Network>, facts: &PlacedFacts, findings: &mut Vec<Diagnostic>) {
    let Some(aws) = &network.value.spec.aws else { return };
    let subnets = aws.effective_subnets();
    let of_nodes: Vec<_> = subnets.iter().filter(|subnet| subnet.kind != SubnetType::Utility).collect();
    let room = of_nodes.iter().map(|subnet| {
        let prefix = subnet.cidr.filter(|range| !range.is_v6())?.prefix();
        Some((1u64 << 32u8.saturating_sub(prefix)).saturating_sub(RESERVED))
    });
    let Some(room) = room.sum::<Option<u64>>().filter(|_| !of_nodes.is_empty()) else { return };
    let nodes = u64::from(cluster.value.spec.nodes.max);
    let count = of_nodes.len();
    let there = format!("{count} subnet{} for nodes", if count == 1 { "" } else { "s" });
    let span = cluster.span("spec.nodes.max");
    let path = if aws.subnets.is_empty() { "spec.aws.cidr" } else { "spec.aws.subnets" };
    if nodes > room {
        let message = format!("nodes.max {nodes} is more than the {room} addresses of the network's {there}");
        findings.push(Diagnostic::new(&rules::SUBNET_CAPACITY, span, message).also(network.span(path), "the network"));
        return;
    }
    let Some((each, place)) = super::last(facts, |facts| facts.addresses_per_node) else { return };
    let wanted = nodes * u64::from(each);
    if wanted > room {
        let message = format!("{nodes} full nodes take {wanted} addresses; there are {room} in the network's {there}");
        let mut finding = Diagnostic::new(&rules::SUBNET_CAPACITY, span, message);
        finding.severity = findings::Severity::Warning;
        let finding = finding.also(network.span(path), "the network").also(place, "pods have addresses of the network");
        findings.push(finding.help("declare fewer nodes or `nodes.maxPods`, or give the VPC more subnets"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testing::Project;

    fn report(nodes: &str, aws: &str, facts: &str) -> String {
        let mut project = Project::default();
        let head = "  network: vpc\n  kubernetesVersion: \"1.33\"\n  networking: {overlay: {}}\n";
        let cluster = project.cluster(&format!("{head}  nodes: {nodes}\n"));
        let network = project.network(&format!("  aws: {{region: us-test-1, {aws}}}\n"));
        let facts = [project.facts(facts)];
        let mut findings = Vec::new();
        check(&cluster, &network, &facts, &mut findings);
        project.report(&findings)
    }

    const SMALL: &str = "cidr: 10.0.0.0/22, zones: [us-test-1a, us-test-1b]";

    #[test]
    fn every_node_has_an_address() {
        assert_eq!(report("{max: 246}", SMALL, "{}"), "");
        assert_eq!(
            report("{max: 247}", SMALL, "{}"),
            "error[subnet-capacity] cluster.yaml:8:16: nodes.max 247 is more than the 246 addresses of the network's 2 subnets for nodes \
             | network.yaml:5:34: the network\n"
        );
    }

    #[test]
    fn pods_with_addresses_of_the_network_count() {
        assert_eq!(report("{max: 10}", SMALL, "addressesPerNode: 24"), "");
        assert_eq!(
            report("{max: 10}", SMALL, "addressesPerNode: 25"),
            "warning[subnet-capacity] cluster.yaml:8:16: 10 full nodes take 250 addresses; there are 246 in the network's 2 subnets for nodes \
             | network.yaml:5:34: the network | facts.yaml:1:1: pods have addresses of the network\n"
        );
    }

    #[test]
    fn subnets_of_unknown_size_are_not_judged() {
        let existing =
            "vpcID: vpc-1, cidr: 10.0.0.0/16, zones: [us-test-1a], subnets: [{name: a, zone: us-test-1a, type: public, ";
        assert_eq!(report("{max: 15000}", &format!("{existing}id: subnet-1}}]"), "addressesPerNode: 200"), "");
        assert_ne!(report("{max: 15000}", &format!("{existing}id: subnet-1, cidr: 10.0.0.0/24}}]"), "{}"), "");
    }
}
