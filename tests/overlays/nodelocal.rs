//! NodeLocal DNSCache.

use super::{Cluster, Outcome, PLAIN};

fn cache(options: &str, mode: &str) -> Outcome {
    let spec = format!("{{kernel: '5.15'}}\n  kubeProxy: {{mode: {mode}}}");
    Cluster { cache: options, spec: &spec, ..PLAIN }.compile()
}

#[test]
fn a_cache_takes_over_the_service_address_only_behind_iptables() {
    for (mode, bind, forward, rules, kubelet) in [
        ("iptables", "169.254.20.10 100.64.0.10", "__PILLAR__CLUSTER__DNS__", true, "100.64.0.10"),
        ("ipvs", "169.254.20.10", "100.64.0.10", true, "169.254.20.10"),
        ("nftables", "169.254.20.10", "100.64.0.10", false, "169.254.20.10"),
    ] {
        let outcome = cache("{}", mode);
        let config = outcome.file("kubernetes/dns/configmap-node-local-dns.yaml");
        assert_eq!(config.matches(&format!("bind {bind}\n")).count(), 4, "{mode}: {config}");
        assert!(config.contains(&format!("forward . {forward} {{\n            force_tcp\n")), "{mode}: {config}");
        let pods = outcome.file("kubernetes/dns/daemonset-node-local-dns.yaml");
        assert!(pods.contains(&format!("\"-localip={}\"", bind.replace(' ', ","))), "{mode}: {pods}");
        assert_eq!(pods.contains("-setupiptables=false"), !rules, "{mode}");
        assert!(outcome.file("README.md").contains(&format!("clusterDNS:\n- \"{kubelet}\"\n")), "{mode}");
    }
}

#[test]
fn the_corefile_has_what_was_asked_for() {
    let options = "{upstreamNameservers: [9.9.9.9, 1.1.1.1], stubDomains: {b.example: [10.1.1.1], a.example: ['10.2.2.2:5353']}, \
                   additionalConfig: 'x.test:53 { whoami }', metrics: {enabled: false}}";
    let outcome = cache(options, "iptables");
    let config = outcome.file("kubernetes/dns/configmap-node-local-dns.yaml");
    let place = |text: &str| config.find(text).unwrap_or_else(|| panic!("no {text:?} in {config}"));
    assert!(place("    .:53 {") < place("a.example:53 {") && place("a.example:53 {") < place("b.example:53 {"));
    assert!(place("forward . 9.9.9.9 1.1.1.1\n") < place("forward . 10.2.2.2:5353\n"));
    assert!(place("x.test:53 { whoami }") > place("b.example:53 {"));
    assert!(!config.contains("prometheus") && !outcome.files.contains_key("kubernetes/dns/service-node-local-dns.yaml"));
    let forwarded = cache("{forwardToKubeDNS: true}", "ipvs");
    let config = forwarded.file("kubernetes/dns/configmap-node-local-dns.yaml");
    assert!(!config.contains("arpa") && !config.contains("UPSTREAM") && config.matches("forward . 100.64.0.10 {").count() == 2);
}

#[test]
fn caches_that_cannot_work_are_refused() {
    for (options, expected) in [
        ("{localIP: 'fd00::a'}", "nodelocal-address-family 10:31"),
        ("{localIP: 10.0.3.4}", "nodelocal-address 10:31"),
        ("{upstreamNameservers: [169.254.20.10]}", "nodelocal-upstream-loop 10:43"),
        ("{forwardToKubeDNS: true, upstreamNameservers: [9.9.9.9]}", "nodelocal-upstream-unused 10:67"),
        ("{externalCoreFile: '. { }'}", "nodelocal-corefile-health 10:21"),
        ("{externalCoreFile: 'health 169.254.20.10:8080', stubDomains: {a: [1.1.1.1]}}", "nodelocal-corefile-unused 10:21"),
        ("{upstreamNameservers: ['9.9.9.9 { x }']}", "address-invalid 10:44"),
        ("{stubDomains: {'a { b': [9.9.9.9]}}", "schema 10:36"),
    ] {
        let codes = cache(options, "iptables").codes();
        assert!(codes.contains(&expected.to_owned()), "{options}: {codes:?}");
    }
}
