//! A cluster's README: what an engineer on call needs to know about its network.

mod markdown;
pub mod mermaid;

use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, Error, UndefinedBehavior, Value};
use serde::Serialize;

use crate::address::Cidr;
use crate::declare::{Cluster, Declared, Endpoint, KubeProxyMode, Transition, TransitionClass};
use crate::plan::{ClusterPlan, Flow, MtuPlan, NetworkPlan, Peer};
use crate::tree::{Node, to_yaml};

/// The page's template with the filter `code`; whatever it prints is escaped unless it is Markdown already.
static PAGE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).trim_blocks(true).lstrip_blocks(true).build() {
        env.set_syntax(syntax);
    }
    env.set_formatter(|out, _, value| {
        let text = value.to_string();
        let text = if value.is_safe() { text } else { markdown::escape(&text) };
        out.write_str(&text).map_err(Error::from)
    });
    env.add_filter("code", |text: &str| Value::from_safe_string(markdown::code(text)));
    env.add_filter("codes", |texts: Vec<String>| {
        let codes: Vec<String> = texts.iter().map(|text| markdown::code(text)).collect();
        Value::from_safe_string(codes.join(", "))
    });
    env.add_template("cluster.md", include_str!("cluster.md.j2")).unwrap_or_else(|error| unreachable!("cluster.md.j2: {error}"));
    env
});

/// The README of a cluster. `sections` are its overlays' own, already in Markdown, in the overlays' order.
#[must_use]
pub fn cluster(
    cluster: &Declared<Cluster>,
    network: &NetworkPlan,
    plan: &ClusterPlan,
    sections: &[String],
    transitions: &[Transition],
) -> String {
    let page = Page::new(&cluster.value, network, plan, sections, transitions);
    let rendered = PAGE.get_template("cluster.md").and_then(|template| template.render(Value::from(Serde(&page))));
    let text = rendered.unwrap_or_else(|error| unreachable!("the page takes every cluster: {error}"));
    format!("{}\n", text.trim_end())
}

/// What the template sees.
#[derive(Serialize)]
struct Page<'a> {
    name: &'a str,
    summary: Vec<Fact>,
    topology: Value,
    ranges: Vec<Range>,
    mtu: Mtu<'a>,
    outside: bool,
    flows: Vec<FlowRow<'a>>,
    hosts: Option<Vec<HostRow<'a>>>,
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
struct Range {
    range: String,
    purpose: String,
    size: String,
}

#[derive(Serialize)]
struct Mtu<'a> {
    underlay: u32,
    terms: &'a [crate::declare::MtuTerm],
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
struct Change<'a> {
    fields: Vec<&'a str>,
    effect: &'static str,
    because: &'a str,
    steps: &'a [String],
}

impl<'a> Page<'a> {
    fn new(
        cluster: &'a Cluster,
        network: &NetworkPlan,
        plan: &'a ClusterPlan,
        sections: &[String],
        transitions: &'a [Transition],
    ) -> Self {
        let (pods, services) = (cluster.spec.pod_cidr, cluster.spec.service_cidr);
        let safe = |text: String| Value::from_safe_string(text);
        Self {
            name: &cluster.metadata.name,
            summary: summary(cluster, network, plan),
            topology: safe(markdown::fenced("mermaid", &mermaid::topology(network, pods, services))),
            ranges: ranges(cluster, network),
            mtu: mtu(&plan.mtu),
            outside: plan.flows.iter().any(|flow| !matches!(flow.from, Peer::Machines(_))),
            flows: plan.flows.iter().map(flow_row).collect(),
            hosts: network.aws.is_none().then(|| hosts(&plan.flows, &network.cidrs)),
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
        ("Kubernetes", spec.kubernetes_version.clone()),
        ("Nodes", format!("at most {}, with at most {} pods each", spec.nodes.max, spec.nodes.max_pods)),
        ("kube-proxy", proxy(spec.kube_proxy.mode).to_owned()),
        ("DNS", format!("{} at {}", spec.dns.domain, plan.dns_ip)),
    ];
    if cluster.cluster_name() != cluster.metadata.name {
        rows.insert(0, ("Name in AWS tags", cluster.cluster_name().to_owned()));
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

fn ranges(cluster: &Cluster, network: &NetworkPlan) -> Vec<Range> {
    let what = if network.aws.is_some() { "VPC" } else { "nodes, or routed" };
    let mut rows: Vec<Range> = network.cidrs.iter().map(|range| row(*range, what.to_owned(), 0)).collect();
    for subnet in network.aws.iter().flat_map(|aws| &aws.subnets) {
        // AWS keeps the first four addresses and the last one of every subnet.
        let purpose = format!("subnet {}: {}, in {}", subnet.name, mermaid::kind(subnet.kind), subnet.zone);
        rows.extend(subnet.cidr.map(|range| row(range, purpose, 5)));
    }
    let spec = &cluster.spec;
    rows.push(row(spec.pod_cidr, "pods".into(), 0));
    rows.push(row(spec.service_cidr, "services".into(), 0));
    rows.push(row(spec.non_masquerade_cidr, "reached by pods without address translation".into(), 0));
    rows
}

fn row(range: Cidr, purpose: String, reserved: u64) -> Range {
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
fn changes(transitions: &[Transition]) -> Vec<Change<'_>> {
    let same = |a: &Transition, b: &Transition| a.class == b.class && a.because == b.because && a.steps == b.steps;
    transitions.chunk_by(same).filter_map(change).collect()
}

fn change(alike: &[Transition]) -> Option<Change<'_>> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declare::{self, MtuTerm};
    use crate::plan::Protocol;
    use crate::tree::{Sources, Span, yaml};

    fn declared(text: &str) -> Declared<Cluster> {
        let mut findings = Vec::new();
        let file = Sources::default().add("cluster.yaml", text);
        let node = yaml::read(text, file, &mut findings).remove(0);
        declare::decode(node, &mut findings).unwrap_or_else(|| panic!("{findings:?}"))
    }

    fn appliance() -> Declared<Cluster> {
        declared(
            "apiVersion: netloom.dev/v1alpha1\nkind: Cluster\nmetadata: {name: appliance}\nspec:\n  network: office\n  \
             kubernetesVersion: \"1.29\"\n  networking: {weave: {}}\n  podCIDR: 10.32.0.0/16\n  serviceCIDR: 10.96.0.0/16\n",
        )
    }

    fn office() -> NetworkPlan {
        let cidrs = vec!["10.20.0.0/24".parse().unwrap_or_else(|_| unreachable!())];
        NetworkPlan { name: "office".into(), mtu: 1500, cidrs, aws: None }
    }

    fn flow(name: &str, from: Peer, to: Endpoint, protocol: Protocol) -> Flow {
        Flow { name: name.into(), from, to, protocol, because: format!("{name} | needs it"), span: Span::NONE, blocked: None }
    }

    fn plan() -> ClusterPlan {
        let nodes = Peer::Machines(Endpoint::Nodes);
        let outside = Peer::Range("198.51.100.0/24".parse().unwrap_or_else(|_| unreachable!()));
        let terms = [("VXLAN", 50), ("ESP", 37), ("rounding down to a multiple of four", 1)];
        ClusterPlan {
            flows: vec![
                flow("api", outside, Endpoint::ControlPlane, Protocol::Tcp(6443, 6443)),
                flow("weave-esp", nodes, Endpoint::Nodes, Protocol::Ip(50)),
            ],
            ranges: Vec::new(),
            iam: Vec::new(),
            mtu: MtuPlan {
                underlay: 1500,
                terms: terms.map(|(name, bytes)| MtuTerm { name: name.into(), bytes }).into(),
                pod: Some(1412),
                places: Vec::new(),
                span: Span::NONE,
            },
            dns_ip: [10, 96, 0, 10].into(),
            kubelet_dns: [169, 254, 20, 10].into(),
        }
    }

    fn page(sections: &[&str], transitions: &[Transition]) -> String {
        let sections: Vec<String> = sections.iter().map(ToString::to_string).collect();
        cluster(&appliance(), &office(), &plan(), &sections, transitions)
    }

    #[test]
    fn the_sum_gives_the_mtu() {
        let text = page(&[], &[]);
        assert!(text.contains("1500 − 50 (VXLAN) − 37 (ESP) − 1 (rounding down to a multiple of four) = 1412\n"), "{text}");
        assert_eq!(1500 - plan().mtu.terms.iter().map(|term| term.bytes).sum::<u32>(), 1412);
    }

    #[test]
    fn premises_have_a_table_for_host_firewalls() {
        let text = page(&[], &[]);
        let table = text.split("## Host firewalls").nth(1).unwrap_or_default();
        // Receivers in the order machines, control plane; machines with the range that their addresses are from.
        let machines =
            table.find("| every machine | every machine (10.20.0.0/24) | IP protocol 50 (ESP) | weave-esp \\| needs it |");
        let control = table.find("| the control plane | 198.51.100.0/24 | 6443/tcp | api \\| needs it |");
        assert!(machines.is_some() && machines < control, "{table}");
    }

    #[test]
    fn a_vpc_has_security_groups_instead() {
        let mut plan = plan();
        plan.flows.retain(|flow| flow.name != "api");
        let text = super::cluster(&appliance(), &mermaid::tests::vpc(), &plan, &[], &[]);
        assert!(
            text.contains("for the cluster to work. The security groups have rules for each, and no others.\n\n| Flow "),
            "{text}"
        );
        assert!(text.contains("| `172.20.32.0/19` | subnet us-west-2a: private, in us-west-2a | 8,187 |"), "{text}");
        assert!(!text.contains("Host firewalls"), "{text}");
    }

    #[test]
    fn kubelets_are_told_the_address_of_the_cache() {
        let text = page(&[], &[]);
        assert!(
            text.contains("```yaml\nclusterDomain: cluster.local\nclusterDNS:\n- \"169.254.20.10\"\nmaxPods: 110\n```\n"),
            "{text}"
        );
        assert!(text.contains("not the DNS service (`10.96.0.10`)"), "{text}");
    }

    #[test]
    fn sections_come_as_they_are_and_in_order() {
        let text = page(&["## Weave\n\n**bold**\n", "## DNS\n"], &[]);
        let weave = text.find("## Weave\n\n**bold**\n\n## DNS\n");
        assert!(weave.is_some() && weave > text.find("## Kubelets"), "{text}");
    }

    #[test]
    fn changes_are_listed_with_their_steps() {
        let change = Transition {
            field: "networking.weave.encryption.enabled".into(),
            class: TransitionClass::Downtime,
            because: "peers <refuse> each other".into(),
            steps: vec!["Announce it.".into(), "Restart `all`.".into()],
        };
        let text = page(&[], &[change]);
        let row = "| `networking.weave.encryption.enabled` | traffic stops for a while | peers \\<refuse\\> each other |\n";
        assert!(text.contains(row), "{text}");
        assert!(
            text.ends_with("To change `networking.weave.encryption.enabled`:\n\n1. Announce it.\n2. Restart `all`.\n"),
            "{text}"
        );
    }

    #[test]
    fn neighbours_that_say_the_same_share_a_row() {
        let rolling = |field: &str| Transition {
            field: field.into(),
            class: TransitionClass::Rolling,
            because: "Routers restart.".into(),
            steps: Vec::new(),
        };
        let text = page(&[], &[rolling("a"), rolling("b"), Transition { because: "No.".into(), ..rolling("c") }]);
        assert!(text.contains("| `a`, `b` | pods restart, one node after the other | Routers restart. |\n| `c` |"), "{text}");
    }

    #[test]
    fn declared_text_is_shown_and_not_interpreted() {
        let mut cluster = appliance();
        cluster.value.spec.dns.domain = "x\n```\n# <b>".into();
        let text = super::cluster(&cluster, &office(), &plan(), &[], &[]);
        assert!(text.contains("| DNS | x \\`\\`\\` \\# \\<b\\> at 10.96.0.10 |"), "{text}");
        assert!(text.contains("````yaml\n"), "{text}");
    }

    #[test]
    fn sizes_are_readable() {
        let sizes = ["10.0.0.0/8", "10.0.0.0/28", "fd00::/48", "0.0.0.0/0"].map(|range| {
            let range = range.parse().unwrap_or_else(|_| unreachable!());
            row(range, String::new(), 5).size
        });
        assert_eq!(sizes, ["16,777,211", "11", "2^80", "4,294,967,291"]);
    }
}
