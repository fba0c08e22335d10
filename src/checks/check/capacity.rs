//! Room for nodes and pods: in a range for each node where the controller manager hands them out, else in the whole range.

use findings::{Diagnostic, rules};
use model::declare::{Cluster, Declared, Network};

use super::PlacedFacts;

/// Addresses of a node's range that no pod gets: the first, the last, and the bridge's, which is the second
/// (containernetworking/plugins, `host-local` allocator).
const RESERVED: u64 = 3;

/// Reports pod ranges that hold fewer node ranges than `nodes.max`, and node ranges that hold fewer pods than `nodes.maxPods`.
pub fn check(cluster: &Declared<Cluster>, _: &Declared<Network>, facts: &PlacedFacts, findings: &mut Vec<Diagnostic>) {
    let pods = cluster.value.spec.pod_cidr;
    let nodes = &cluster.value.spec.nodes;
    match super::last(facts, |facts| facts.node_ranges) {
        _ if pods.is_v6() => return,
        None => return,
        // The provider hands addresses out by itself, and each node has one at least.
        Some((false, _)) => {
            let addresses = 1u64 << (32 - pods.prefix().min(32));
            if addresses <= u64::from(nodes.max) {
                let message = format!("podCIDR {pods} holds {addresses} addresses, too few for nodes.max {}", nodes.max);
                let finding = Diagnostic::new(&rules::NODE_CAPACITY, cluster.span("spec.podCIDR"), message);
                findings.push(finding.also(cluster.span("spec.nodes"), "the nodes"));
            }
            return;
        }
        Some((true, _)) => {}
    }
    let mask = nodes.pod_cidr_mask;
    let ranges = mask.checked_sub(pods.prefix()).map_or(0, |bits| 1u64 << bits.min(32));
    if ranges < u64::from(nodes.max) {
        let message = format!("podCIDR {pods} holds {ranges} node ranges of /{mask}, fewer than nodes.max {}", nodes.max);
        let finding = Diagnostic::new(&rules::NODE_CAPACITY, cluster.span("spec.podCIDR"), message);
        findings.push(finding.also(cluster.span("spec.nodes"), "the nodes"));
    }
    let room = (1u64 << 32u8.saturating_sub(mask).min(32)).saturating_sub(RESERVED);
    if room < u64::from(nodes.max_pods) {
        let message = format!("a node range of /{mask} has room for {room} pods, fewer than nodes.maxPods {}", nodes.max_pods);
        let finding = Diagnostic::new(&rules::NODE_CAPACITY, cluster.span("spec.nodes.podCIDRMask"), message);
        findings.push(finding);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testing::Project;

    fn report(nodes: &str, facts: &str) -> String {
        let mut project = Project::default();
        let spec = format!(
            "  network: vpc\n  kubernetesVersion: \"1.33\"\n  networking: {{overlay: {{}}}}\n  podCIDR: 100.96.0.0/20\n  nodes: {nodes}\n"
        );
        let cluster = project.cluster(&spec);
        let network = project.network("  static: {cidr: 10.0.0.0/16}\n");
        let facts = [project.facts(facts)];
        let mut findings = Vec::new();
        check(&cluster, &network, &facts, &mut findings);
        project.report(&findings)
    }

    #[test]
    fn a_pod_range_holds_a_range_for_each_node() {
        assert_eq!(report("{max: 16}", "nodeRanges: true"), "");
        assert_eq!(
            report("{max: 17}", "nodeRanges: true"),
            "error[node-capacity] cluster.yaml:8:12: podCIDR 100.96.0.0/20 holds 16 node ranges of /24, fewer than nodes.max 17 \
             | cluster.yaml:9:10: the nodes\n"
        );
        assert!(report("{max: 1, podCIDRMask: 19}", "nodeRanges: true").contains("holds 0 node ranges of /19"));
    }

    #[test]
    fn a_node_range_holds_its_pods() {
        assert_eq!(report("{max: 1, podCIDRMask: 25, maxPods: 125}", "nodeRanges: true"), "");
        assert_eq!(
            report("{max: 1, podCIDRMask: 25, maxPods: 126}", "nodeRanges: true"),
            "error[node-capacity] cluster.yaml:9:32: a node range of /25 has room for 125 pods, fewer than nodes.maxPods 126\n"
        );
    }

    #[test]
    fn providers_with_one_pool_need_an_address_for_each_node() {
        assert_eq!(report("{max: 4095, podCIDRMask: 30}", "nodeRanges: false"), "");
        assert_eq!(
            report("{max: 4096, podCIDRMask: 30}", "nodeRanges: false"),
            "error[node-capacity] cluster.yaml:8:12: podCIDR 100.96.0.0/20 holds 4096 addresses, too few for nodes.max 4096 \
             | cluster.yaml:9:10: the nodes\n"
        );
        assert_eq!(report("{max: 5000, podCIDRMask: 30}", "{}"), "");
    }
}
