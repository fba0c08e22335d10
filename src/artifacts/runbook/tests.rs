//! What stands in a cluster's README.

use super::*;
use model::declare::{self, Endpoint, MtuTerm, Statement, TransitionClass};
use model::plan::{Flow, MtuPlan, Peer, Protocol};
use tree::{Sources, Span};

fn declared(text: &str) -> Declared<Cluster> {
    let mut findings = Vec::new();
    let file = Sources::default().add("cluster.yaml", text.to_owned());
    let node = yaml::read(text, file, &mut findings).remove(0);
    declare::decode(node, &mut findings).unwrap_or_else(|| panic!("{findings:?}"))
}

fn appliance() -> Declared<Cluster> {
    declared(
        "apiVersion: netloom.dev/v1alpha1\nkind: Cluster\nmetadata: {name: appliance}\nspec:\n  network: office\n  \
         kubernetesVersion: \"1.29\"\n  networking: {mynet: {}}\n  podCIDR: 10.32.0.0/16\n  serviceCIDR: 10.96.0.0/16\n",
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
            flow("mynet-esp", nodes, Endpoint::Nodes, Protocol::Ip(50)),
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
        pods_in_network: false,
        kubelet_dns: [169, 254, 20, 10].into(),
    }
}

fn page(sections: &[&str], transitions: &[Transition]) -> String {
    let sections: Vec<String> = sections.iter().map(ToString::to_string).collect();
    cluster(&appliance(), &office(), &plan(), &sections, &transitions.iter().collect::<Vec<_>>())
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
    let machines = table.find("| every machine | every machine (10.20.0.0/24) | IP protocol 50 (ESP) | mynet-esp \\| needs it |");
    let control = table.find("| the control plane | 198.51.100.0/24 | 6443/tcp | api \\| needs it |");
    assert!(machines.is_some() && machines < control, "{table}");
}

#[test]
fn a_vpc_has_security_groups_instead() {
    let mut plan = plan();
    plan.flows.retain(|flow| flow.name != "api");
    let text = super::cluster(&appliance(), &testing::networks::vpc(), &plan, &[], &[]);
    assert!(
        text.contains("for the cluster to work. The security groups have rules for each, and no others.\n\n| Flow "),
        "{text}"
    );
    assert!(text.contains("| `172.20.32.0/19` | subnet us-west-2a: private, in us-west-2a | 8,187 |"), "{text}");
    assert!(!text.contains("Host firewalls"), "{text}");
}

#[test]
fn permissions_are_listed_with_what_needs_them() {
    let mut plan = plan();
    let statement = |role, action: &str, resources: &[&str]| Statement {
        role,
        actions: vec![action.into()],
        resources: resources.iter().map(|&text| text.into()).collect(),
        condition: None,
        because: "mynet <needs> it".into(),
    };
    plan.iam = vec![
        statement(Endpoint::Nodes, "ec2:DescribeInstances", &[]),
        statement(Endpoint::Workers, "s3:GetObject", &["arn:${AWS::Partition}:s3:::keys/*"]),
    ];
    let text = super::cluster(&appliance(), &testing::networks::vpc(), &plan, &[], &[]);
    assert!(text.contains("| every machine | mynet \\<needs\\> it | everything | `ec2:DescribeInstances` |\n"), "{text}");
    assert!(text.contains("| workers | mynet \\<needs\\> it | some resources | `s3:GetObject` |\n"), "{text}");
    assert!(!page(&[], &[]).contains("## Permissions"));
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
    let text = page(&["## Mynet\n\n**bold**\n", "## DNS\n"], &[]);
    let mynet = text.find("## Mynet\n\n**bold**\n\n## DNS\n");
    assert!(mynet.is_some() && mynet > text.find("## Kubelets"), "{text}");
}

#[test]
fn changes_are_listed_with_their_steps() {
    let change = Transition {
        field: "networking.mynet.encryption.enabled".into(),
        class: TransitionClass::Downtime,
        because: "peers <refuse> each other".into(),
        steps: vec!["Announce it.".into(), "Restart `all`.".into()],
    };
    let text = page(&[], &[change]);
    let row = "| `networking.mynet.encryption.enabled` | traffic stops for a while | peers \\<refuse\\> each other |\n";
    assert!(text.contains(row), "{text}");
    assert!(text.ends_with("To change `networking.mynet.encryption.enabled`:\n\n1. Announce it.\n2. Restart `all`.\n"), "{text}");
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
        page::row(range, String::new(), 5).size
    });
    assert_eq!(sizes, ["16,777,211", "11", "2^80", "4,294,967,291"]);
}
