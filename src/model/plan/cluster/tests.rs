use super::*;
use crate::plan::NetworkPlan;
use crate::testing::Project;

const HEAD: &str = "  network: vpc\n  kubernetesVersion: \"1.33\"\n  networking: {overlay: {}}\n";
/// The ports of an encrypted overlay that tunnels in UDP.
const OVERLAY: &str = r#"
mtu: 8912
mtuTerms: [{name: VXLAN, bytes: 50}, {name: ESP, bytes: 37}]
ports:
- {name: control, protocol: tcp, port: 6783, from: nodes, to: nodes, because: peers find each other}
- {name: tunnel, protocol: udp, port: 6783-6784, from: nodes, to: nodes, because: pod traffic}
- name: esp
  protocol: 50
  from: nodes
  to: nodes
  because: encrypted pod traffic
  blocked: {code: slow, severity: warning, consequence: it is slow}
"#;

fn planned(spec: &str, facts: &[&str]) -> (ClusterPlan, String) {
    planned_in(&network(9001), spec, facts)
}

fn planned_in(network: &NetworkPlan, spec: &str, facts: &[&str]) -> (ClusterPlan, String) {
    let mut project = Project::default();
    let cluster = project.cluster(&format!("{HEAD}{spec}"));
    let facts: Vec<_> = facts.iter().map(|facts| project.facts(facts)).collect();
    let mut findings = Vec::new();
    let plan = plan(&cluster, network, &facts, &mut findings);
    (plan, project.report(&findings))
}

fn network(mtu: u32) -> NetworkPlan {
    NetworkPlan { name: "vpc".into(), mtu, cidrs: vec!["172.20.0.0/16".parse().unwrap()], aws: None }
}

/// `name: from -> to protocol` for each flow.
fn flows(plan: &ClusterPlan) -> String {
    let line = |flow: &crate::plan::Flow| format!("{}: {} -> {} {}\n", flow.name, flow.from, flow.to, flow.protocol);
    plan.flows.iter().map(line).collect()
}

#[test]
fn kubernetes_needs_the_api_server_kubelets_and_etcd() {
    let (plan, report) = planned("", &[]);
    assert_eq!(report, "");
    assert_eq!(
        flows(&plan),
        "api-server: every machine -> the control plane 443/tcp\n\
         api-server-from-172-20-0-0-16: 172.20.0.0/16 -> the control plane 443/tcp\n\
         kubelet: the control plane -> every machine 10250/tcp\n\
         etcd-2379-2380: the control plane -> the control plane 2379-2380/tcp\n"
    );
}

#[test]
fn access_and_declared_flows_are_planned() {
    let spec = "  controlPlane: {apiPort: 6443, etcdPorts: [\"4001\"]}\n  access: {api: [pl-63a5400a], ssh: [10.9.0.0/16], nodePorts: [\"::/0\"]}\n  \
                flows:\n  - {name: kops-controller, protocol: tcp, ports: \"3988\", from: workers, to: controlPlane, because: nodes join}\n";
    let (plan, _) = planned(spec, &[]);
    assert_eq!(
        flows(&plan),
        "api-server: every machine -> the control plane 6443/tcp\n\
         api-server-from-172-20-0-0-16: 172.20.0.0/16 -> the control plane 6443/tcp\n\
         api-server-from-pl-63a5400a: pl-63a5400a -> the control plane 6443/tcp\n\
         kubelet: the control plane -> every machine 10250/tcp\n\
         etcd-4001: the control plane -> the control plane 4001/tcp\n\
         ssh-from-10-9-0-0-16: 10.9.0.0/16 -> every machine 22/tcp\n\
         node-ports-tcp-from----0: ::/0 -> workers 30000-32767/tcp\n\
         node-ports-udp-from----0: ::/0 -> workers 30000-32767/udp\n\
         kops-controller: workers -> the control plane 3988/tcp\n"
    );
}

#[test]
fn overlays_add_flows_and_the_same_flow_stands_once() {
    let declared = "  flows:\n  - {name: esp, protocol: \"50\", from: nodes, to: nodes, because: the storage network}\n  \
                    - {name: control, protocol: udp, ports: \"7000\", from: nodes, to: nodes, because: test}\n";
    let (plan, report) = planned(declared, &[OVERLAY, OVERLAY]);
    assert_eq!(report, "");
    let overlay: String = flows(&plan).lines().skip(4).map(|line| format!("{line}\n")).collect();
    assert_eq!(
        overlay,
        "esp: every machine -> every machine IP protocol 50 (ESP)\n\
         control: every machine -> every machine 7000/udp\n\
         control-2: every machine -> every machine 6783/tcp\n\
         tunnel: every machine -> every machine 6783-6784/udp\n"
    );
    let esp = &plan.flows[4];
    assert_eq!(esp.because, "the storage network; encrypted pod traffic");
    assert!(esp.blocked.is_none(), "a flow that the user wants, too, is not just slow when it is blocked");
}

#[test]
fn an_overlays_port_without_a_protocols_form_is_reported() {
    let facts = "ports:\n- {name: bad, protocol: 50, port: 1, from: nodes, to: nodes, because: test}\n";
    let (_, report) = planned("", &[facts]);
    assert_eq!(report, "error[flow-invalid] facts.yaml:1:1: the overlay's port `bad`: `50` has no ports; tcp and udp have\n");
}

#[test]
fn the_mtu_is_a_sum() {
    let (plan, _) = planned("", &[OVERLAY, "{}"]);
    let terms: u32 = plan.mtu.terms.iter().map(|term| term.bytes).sum();
    assert_eq!((plan.mtu.underlay, terms, plan.mtu.pod), (9001, 87, Some(8912)));
    assert_eq!(planned("", &[]).0.mtu.pod, None);
}

#[test]
fn dns_is_the_tenth_service_and_kubelets_may_ask_a_cache() {
    let (plan, _) = planned("", &["kubeletDns: 169.254.20.10", "{}"]);
    assert_eq!((plan.dns_ip.to_string(), plan.kubelet_dns.to_string()), ("100.64.0.10".into(), "169.254.20.10".into()));
    let (plan, _) = planned("  dns: {serviceIP: 100.64.0.53}\n", &[]);
    assert_eq!((plan.dns_ip.to_string(), plan.kubelet_dns.to_string()), ("100.64.0.53".into(), "100.64.0.53".into()));
}

#[test]
fn routed_pods_reach_all_but_etcd() {
    let facts = "routedPods: pods have addresses of their own";
    let aws = Project::default().network("  aws: {region: us-west-2, cidr: 172.20.0.0/16, zones: [us-west-2a]}\n");
    let network = crate::plan::network::plan(&aws);
    let of_pods = |spec: &str| {
        let text = flows(&planned_in(&network, spec, &[facts]).0);
        text.lines().filter(|line| line.starts_with("pods-")).map(|line| format!("{line}\n")).collect::<String>()
    };
    assert_eq!(
        of_pods(""),
        "pods-tcp: every machine -> workers 1-65535/tcp\n\
         pods-tcp-control-plane: every machine -> the control plane 1-2378/tcp\n\
         pods-tcp-control-plane-2: every machine -> the control plane 2381-65535/tcp\n\
         pods-udp: every machine -> every machine 1-65535/udp\n\
         pods-sctp: every machine -> every machine IP protocol 132\n\
         pods-icmp: every machine -> every machine icmp\n"
    );
    let ports = |ports: &str| {
        let text = of_pods(&format!("  controlPlane: {{etcdPorts: [{ports}]}}\n  podCIDR: fd00::/48\n"));
        let range = |line: &str| Some(line.strip_prefix("pods-tcp-control-plane")?.rsplit(' ').next()?.to_owned());
        text.lines().filter_map(range).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ports("\"2\", \"1\", \"4001-4002\", \"4000-4001\""), "3-3999/tcp 4003-65535/tcp");
    assert!(!flows(&planned("", &[facts]).0).contains("pods-"), "a host's own firewall does not judge what is for pods");
    assert_eq!(ports("\"65535\""), "1-65534/tcp");
    assert_eq!(ports(""), "1-65535/tcp");
}
