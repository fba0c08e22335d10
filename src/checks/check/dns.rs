//! The kubelets' DNS address, which is set where machines are made, not in anything that netloom writes.

use findings::{Diagnostic, rules};
use model::declare::{Cluster, Declared};
use model::plan::ClusterPlan;

/// Says what `clusterDNS` of the kubelets must be where it is not the DNS service's address.
pub fn check(cluster: &Declared<Cluster>, plan: &ClusterPlan, findings: &mut Vec<Diagnostic>) {
    if plan.kubelet_dns == plan.dns_ip {
        return;
    }
    let message =
        format!("kubelets must have `clusterDNS: [{}]` instead of the DNS service's address {}", plan.kubelet_dns, plan.dns_ip);
    let finding = Diagnostic::new(&rules::DNS_KUBELET, cluster.span("spec.dns.nodeLocalCache"), message);
    findings.push(finding.help("until they have it, pods ask the DNS service and the cache is not used"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::plan::NetworkPlan;
    use model::plan::cluster::plan;
    use testing::Project;

    fn report(facts: &str) -> String {
        let mut project = Project::default();
        let head = "  network: vpc\n  kubernetesVersion: \"1.33\"\n  networking: {overlay: {}}\n";
        let cluster = project.cluster(&format!("{head}  dns: {{nodeLocalCache: {{enabled: true}}}}\n"));
        let facts = [project.facts(facts)];
        let network = NetworkPlan { name: "vpc".into(), mtu: 9001, cidrs: Vec::new(), aws: None };
        let plan = plan(&cluster, &network, &facts, &mut Vec::new());
        let mut findings = Vec::new();
        check(&cluster, &plan, &mut findings);
        project.report(&findings)
    }

    #[test]
    fn kubelets_that_must_ask_the_cache_are_named() {
        assert_eq!(
            report("kubeletDns: 169.254.20.10"),
            "note[dns-kubelet] cluster.yaml:8:25: kubelets must have `clusterDNS: [169.254.20.10]` \
             instead of the DNS service's address 100.64.0.10\n"
        );
        assert_eq!(report("{}"), "");
        assert_eq!(report("kubeletDns: 100.64.0.10"), "");
    }
}
