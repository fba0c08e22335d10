//! kube-proxy and the network provider: exactly one of them serves services.

use findings::{Diagnostic, rules};
use model::declare::{Cluster, Declared, Facts, KubeProxyMode, Network, ProxyNeed};
use tree::Span;

use super::PlacedFacts;

/// Reports a kube-proxy that the provider needs and the cluster has not, and one that it has beside the provider's own.
pub fn check(cluster: &Declared<Cluster>, _: &Declared<Network>, facts: &PlacedFacts, findings: &mut Vec<Diagnostic>) {
    let disabled = cluster.value.spec.kube_proxy.mode == KubeProxyMode::Disabled;
    let (message, help) = match super::last(facts, |facts: &Facts| facts.kube_proxy) {
        Some((ProxyNeed::Required, _)) if disabled => (
            "the network provider does not serve services, and kube-proxy is disabled: no service would be reachable",
            "set `kubeProxy.mode` to iptables, ipvs or nftables",
        ),
        Some((ProxyNeed::Replaced, _)) if !disabled => (
            "the network provider serves services itself, and kube-proxy would do so beside it",
            "set `kubeProxy: {mode: disabled}`",
        ),
        _ => return,
    };
    let span: Span = cluster.span("spec.kubeProxy.mode");
    findings.push(Diagnostic::new(&rules::KUBE_PROXY, span, message).help(help));
}

#[cfg(test)]
mod tests {
    use super::*;
    use testing::Project;

    fn report(mode: &str, facts: &str) -> String {
        let mut project = Project::default();
        let head = "  network: vpc\n  kubernetesVersion: \"1.33\"\n  networking: {overlay: {}}\n";
        let cluster = project.cluster(&format!("{head}  kubeProxy: {{mode: {mode}}}\n"));
        let network = project.network("  static: {cidr: 10.0.0.0/16}\n");
        let facts = [project.facts("{}"), project.facts(facts)];
        let mut findings = Vec::new();
        check(&cluster, &network, &facts, &mut findings);
        project.report(&findings)
    }

    #[test]
    fn services_are_served_once() {
        assert_eq!(
            report("disabled", "kubeProxy: required"),
            "error[kube-proxy] cluster.yaml:8:21: the network provider does not serve services, and kube-proxy is disabled: \
             no service would be reachable\n"
        );
        assert_eq!(
            report("ipvs", "kubeProxy: replaced"),
            "error[kube-proxy] cluster.yaml:8:21: the network provider serves services itself, and kube-proxy would do so beside it\n"
        );
        for (mode, facts) in [
            ("iptables", "kubeProxy: required"),
            ("disabled", "kubeProxy: replaced"),
            ("disabled", "kubeProxy: any"),
            ("nftables", "{}"),
        ] {
            assert_eq!(report(mode, facts), "");
        }
    }
}
