//! Cluster ranges in the network: they keep apart, unless the provider gives pods addresses of the network itself.

use findings::Diagnostic;
use model::declare::{Cluster, Declared, Network, Range};

use super::PlacedFacts;

/// Reports pod, service and non-masqueraded ranges that share addresses with the network.
///
/// A provider that gives pods addresses of the network is excused, as kops excuses its modes with addresses of the VPC. Services
/// may then lie in the VPC, too (kops's default for them up to 1.27), where its subnets keep clear of them, which
/// `engine::resolve::cluster` sees to.
pub fn check(cluster: &Declared<Cluster>, network: &Declared<Network>, facts: &PlacedFacts, findings: &mut Vec<Diagnostic>) {
    if super::last(facts, |facts| facts.pods_in_network).is_some_and(|(shared, _)| shared) {
        return;
    }
    let subnets = network.subnet_ranges();
    let spec = &cluster.value.spec;
    let range = |field: &str, cidr| Range { what: field.to_owned(), cidr, span: cluster.span(&format!("spec.{field}")) };
    let pods = range("podCIDR", spec.pod_cidr);
    let services = range("serviceCIDR", spec.service_cidr);
    let unmasqueraded = range("nonMasqueradeCIDR", spec.non_masquerade_cidr);
    for whole in network.ranges() {
        if !subnets.iter().any(|subnet| subnet.cidr.overlaps(services.cidr)) {
            services.keep_apart(&whole, findings);
        }
        pods.keep_apart(&whole, findings);
        // What lies in it was reported already; `::/0` is kops's way to say that nothing is masqueraded.
        let told = pods.cidr.overlaps(whole.cidr) || services.cidr.overlaps(whole.cidr);
        if !told && unmasqueraded.cidr.prefix() > 0 {
            unmasqueraded.keep_apart(&whole, findings);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testing::Project;

    const NETWORK: &str =
        "  aws: {region: us-test-1, cidr: 172.20.0.0/16, additionalCIDRs: [10.1.0.0/16], zones: [us-test-1a]}\n";

    fn report(cluster: &str, network: &str, facts: &str) -> String {
        let mut project = Project::default();
        let (cluster, network) = (project.cluster(cluster), project.network(network));
        let facts = [project.facts(facts)];
        let mut findings = Vec::new();
        check(&cluster, &network, &facts, &mut findings);
        project.report(&findings)
    }

    fn spec(ranges: &str) -> String {
        format!("  network: vpc\n  kubernetesVersion: \"1.33\"\n  networking: {{overlay: {{}}}}\n{ranges}")
    }

    #[test]
    fn ranges_keep_apart_from_every_range_of_the_network() {
        let outside = spec("  podCIDR: 172.16.0.0/12\n  serviceCIDR: 10.1.128.0/20\n  nonMasqueradeCIDR: 0.0.0.0/0\n");
        assert_eq!(
            report(&outside, NETWORK, "{}"),
            "error[cidr-overlap] cluster.yaml:8:12: podCIDR 172.16.0.0/12 overlaps the VPC's range 172.20.0.0/16 \
             | network.yaml:5:34: the VPC's range is 172.20.0.0/16\n\
             error[cidr-overlap] cluster.yaml:9:16: serviceCIDR 10.1.128.0/20 overlaps the VPC's range 10.1.0.0/16 \
             | network.yaml:5:67: the VPC's range is 10.1.0.0/16\n"
        );
        let unmasqueraded = spec("  podCIDR: 10.2.0.0/16\n  nonMasqueradeCIDR: 10.0.0.0/8\n");
        assert_eq!(
            report(&unmasqueraded, NETWORK, "{}"),
            "error[cidr-overlap] cluster.yaml:9:22: nonMasqueradeCIDR 10.0.0.0/8 overlaps the VPC's range 10.1.0.0/16 \
             | network.yaml:5:67: the VPC's range is 10.1.0.0/16\n"
        );
        assert_eq!(report(&spec(""), NETWORK, "{}"), "");
    }

    #[test]
    fn pods_with_addresses_of_the_network_are_excused() {
        let inside = spec("  podCIDR: 172.20.128.0/17\n  serviceCIDR: 172.20.0.0/19\n  nonMasqueradeCIDR: 172.20.0.0/16\n");
        let subnets = "  aws:\n    region: us-test-1\n    zones: [us-test-1a]\n    subnets:\n    \
                       - {name: a, zone: us-test-1a, type: public, cidr: 172.20.128.0/17}\n";
        assert_eq!(report(&inside, subnets, "podsInNetwork: true"), "");
        assert_eq!(report(&inside, subnets, "{}").lines().count(), 2);
    }

    #[test]
    fn premises_count_with_all_they_route() {
        let premises = "  static: {cidr: 10.10.0.0/24, additionalCIDRs: [100.96.0.0/16]}\n";
        assert_eq!(
            report(&spec(""), premises, "{}"),
            "error[cidr-overlap] cluster.yaml:5:3: podCIDR 100.96.0.0/11 overlaps the network's range 100.96.0.0/16 \
             | network.yaml:5:50: the network's range is 100.96.0.0/16\n"
        );
    }
}
