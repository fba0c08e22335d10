//! What the page's template sees of a cluster.

use minijinja::Value;
use serde::Serialize;

use super::markdown;
use crate::graph::{self, Graph};
use model::declare::{Cluster, Endpoint, KubeProxyMode, MtuTerm, Statement, Transition, TransitionClass};
use model::plan::{ClusterPlan, Flow, MtuPlan, NetworkPlan, Peer};
use schema::address::Cidr;
use tree::Node;
use yaml::to_yaml;

/// The page in its parts.
#[derive(Serialize)]
pub(super) struct Page<'a> {
    name: &'a str,
    summary: Vec<Fact>,
    topology: Value,
    ranges: Vec<Range>,
    mtu: Mtu<'a>,
    outside: bool,
    flows: Vec<FlowRow<'a>>,
    hosts: Option<Vec<HostRow<'a>>>,
    permissions: Vec<Permission<'a>>,
    kubelet: Value,
    kubelet_dns: String,
    dns_ip: String,
    sections: Vec<Value>,
    transitions: Vec<Change<'a>>,
}

#[derive(Serialize)]
struct Fact {
    name: &'static str,
    value: String,
}

#[derive(Serialize)]
pub(super) struct Range {
    range: String,
    purpose: String,
    pub(super) size: String,
}

#[derive(Serialize)]
struct Mtu<'a> {
    underlay: u32,
    terms: &'a [MtuTerm],
    pod: Option<u32>,
    sum: String,
}

#[derive(Serialize)]
struct FlowRow<'a> {
    name: &'a str,
    from: String,
    to: String,
    protocol: String,
    because: &'a str,
}

#[derive(Serialize)]
struct HostRow<'a> {
    on: String,
    from: String,
    protocol: String,
    because: &'a str,
}

#[derive(Serialize)]
struct Permission<'a> {
    role: String,
    actions: &'a [String],
    on: &'static str,
    because: &'a str,
}

#[derive(Serialize)]
struct Change<'a> {
    fields: Vec<&'a str>,
    effect: &'static str,
    because: &'a str,
    steps: &'a [String],
}

impl<'a> Page<'a> {
    pub(super) fn new(
        cluster: &'a Cluster,
        network: &NetworkPlan,
        plan: &'a ClusterPlan,
        sections: &[String],
        transitions: &[&'a Transition],
    ) -> Self {
        let (pods, services) = (cluster.spec.pod_cidr, cluster.spec.service_cidr);
        let safe = |text: String| Value::from_safe_string(text);
        Self {
            name: &cluster.metadata.name,
            summary: summary(cluster, network, plan),
            topology: safe(markdown::fenced(
                "mermaid",
                &graph::mermaid::topology(&Graph::new(network).with_ranges(pods, services)),
            )),
            ranges: ranges(cluster, network, plan),
            mtu: mtu(&plan.mtu),
            outside: plan.flows.iter().any(|flow| !matches!(flow.from, Peer::Machines(_))),
            flows: plan.flows.iter().map(flow_row).collect(),
            hosts: network.aws.is_none().then(|| hosts(&plan.flows, &network.cidrs)),
            permissions: plan.iam.iter().map(permission).collect(),
            kubelet: safe(markdown::fenced("yaml", &kubelet(cluster, plan))),
            kubelet_dns: plan.kubelet_dns.to_string(),
            dns_ip: plan.dns_ip.to_string(),
            sections: sections.iter().map(|section| safe(section.trim().to_owned())).collect(),
            transitions: changes(transitions),
        }
    }
}

fn summary(cluster: &Cluster, network: &NetworkPlan, plan: &ClusterPlan) -> Vec<Fact> {
    let spec = &cluster.spec;
    let place = network.aws.as_ref().map_or_else(|| "on premises".to_owned(), |aws| format!("AWS, {}", aws.region));
    let provider = spec.networking.keys().next().map_or("none", String::as_str);
    let mut rows = vec![
        ("Network", format!("{} ({place})", network.name)),
        ("Network provider", provider.to_owned()),
        ("Kubernetes", spec.kubernetes_version.to_string()),
        ("Nodes", format!("at most {}, with at most {} pods each", spec.nodes.max, spec.nodes.max_pods)),
        ("kube-proxy", proxy(spec.kube_proxy.mode).to_owned()),
        ("DNS", format!("{} at {}", spec.dns.domain, plan.dns_ip)),
    ];
    if cluster.cluster_name() != cluster.metadata.name {
        rows.insert(0, ("Name in AWS tags", cluster.cluster_name().to_owned()));
    }
    if let Some(host) = &spec.control_plane.api_host {
        rows.push(("API server without kube-proxy", format!("{host}, port {}", spec.control_plane.api_port)));
    }
    if !spec.nodes.instance_types.is_empty() {
        rows.push(("Instance types", spec.nodes.instance_types.join(", ")));
    }
    if let Some(kernel) = &spec.nodes.kernel {
        rows.push(("Oldest kernel", kernel.clone()));
    }
    rows.into_iter().map(|(name, value)| Fact { name, value }).collect()
}

fn proxy(mode: KubeProxyMode) -> &'static str {
    match mode {
        KubeProxyMode::Iptables => "iptables",
        KubeProxyMode::Ipvs => "IPVS",
        KubeProxyMode::Nftables => "nftables",
        KubeProxyMode::Disabled => "none: the network provider serves services",
    }
}

fn ranges(cluster: &Cluster, network: &NetworkPlan, plan: &ClusterPlan) -> Vec<Range> {
    let what = if network.aws.is_some() { "VPC" } else { "nodes, or routed" };
    let mut rows: Vec<Range> = network.cidrs.iter().map(|range| row(*range, what.to_owned(), 0)).collect();
    for subnet in network.aws.iter().flat_map(|aws| &aws.subnets) {
        // AWS keeps the first four addresses and the last one of every subnet.
        let purpose = format!("subnet {}: {}, in {}", subnet.name, graph::kind(subnet.kind), subnet.zone);
        rows.extend(subnet.cidr.map(|range| row(range, purpose, 5)));
    }
    let spec = &cluster.spec;
    if !plan.pods_in_network {
        rows.push(row(spec.pod_cidr, "pods".into(), 0));
    }
    rows.push(row(spec.service_cidr, "services".into(), 0));
    rows.push(row(spec.non_masquerade_cidr, "reached by pods without address translation".into(), 0));
    rows
}

pub(super) fn row(range: Cidr, purpose: String, reserved: u64) -> Range {
    let bits = if range.is_v6() { 128 } else { 32 } - u32::from(range.prefix());
    let size = match 1u64.checked_shl(bits) {
        Some(size) => thousands(size.saturating_sub(reserved)),
        None => format!("2^{bits}"),
    };
    Range { range: range.to_string(), purpose, size }
}

/// A number with a comma before every three digits.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn mtu(plan: &MtuPlan) -> Mtu<'_> {
    let terms: String = plan.terms.iter().map(|term| format!(" − {} ({})", term.bytes, term.name)).collect();
    let sum = plan.pod.map_or_else(String::new, |pod| format!("{}{terms} = {pod}", plan.underlay));
    Mtu { underlay: plan.underlay, terms: &plan.terms, pod: plan.pod, sum }
}

fn permission(statement: &Statement) -> Permission<'_> {
    let on = match (statement.resources.is_empty(), statement.condition.is_some()) {
        (true, false) => "everything",
        (false, false) => "some resources",
        (_, true) => "what a condition admits",
    };
    Permission { role: statement.role.to_string(), actions: &statement.actions, on, because: &statement.because }
}

fn flow_row(flow: &Flow) -> FlowRow<'_> {
    let Flow { name, from, to, protocol, because, .. } = flow;
    FlowRow { name, from: from.to_string(), to: to.to_string(), protocol: protocol.to_string(), because }
}

/// The flows as rows for the firewall of the receiving machine, in the order of machines.
fn hosts<'a>(flows: &'a [Flow], ranges: &[Cidr]) -> Vec<HostRow<'a>> {
    let ranges: Vec<String> = ranges.iter().map(ToString::to_string).collect();
    let row = |flow: &'a Flow| {
        let FlowRow { from, to, protocol, because, .. } = flow_row(flow);
        let machines = matches!(flow.from, Peer::Machines(_));
        HostRow { on: to, from: if machines { format!("{from} ({})", ranges.join(", ")) } else { from }, protocol, because }
    };
    let on = |machines| flows.iter().filter(move |flow| flow.to == machines).map(row);
    on(Endpoint::Nodes).chain(on(Endpoint::ControlPlane)).chain(on(Endpoint::Workers)).collect()
}

/// The part of a `KubeletConfiguration` that has to agree with the declarations.
fn kubelet(cluster: &Cluster, plan: &ClusterPlan) -> String {
    let dns = plan.kubelet_dns.to_string();
    to_yaml(&Node::map([
        ("clusterDomain", Node::from(cluster.spec.dns.domain.as_str())),
        ("clusterDNS", Node::from(vec![Node::from(dns.as_str())])),
        ("maxPods", Node::from(i64::from(cluster.spec.nodes.max_pods))),
    ]))
}

/// Transitions as rows; neighbours that say the same share one.
fn changes<'a>(transitions: &[&'a Transition]) -> Vec<Change<'a>> {
    let same = |a: &&Transition, b: &&Transition| a.class == b.class && a.because == b.because && a.steps == b.steps;
    transitions.chunk_by(same).filter_map(change).collect()
}

fn change<'a>(alike: &[&'a Transition]) -> Option<Change<'a>> {
    let Transition { class, because, steps, .. } = alike.first()?;
    let fields = alike.iter().map(|transition| transition.field.as_str()).collect();
    Some(Change { fields, effect: effect(*class), because, steps })
}

fn effect(class: TransitionClass) -> &'static str {
    match class {
        TransitionClass::InPlace => "takes effect in place",
        TransitionClass::Rolling => "pods restart, one node after the other",
        TransitionClass::NodeReplacement => "nodes have to be replaced",
        TransitionClass::Downtime => "traffic stops for a while",
        TransitionClass::Unsupported => "not on a running cluster",
    }
}
