//! The cluster's stack: security groups with a rule for every planned flow, and roles of the machines.
//!
//! - Machines of the control plane are in one group, all others in the other: the AWS cloud controller manager wants exactly one
//!   group with the cluster's tag on each machine, and adds the rules of load balancers there.
//! - A rule's logical id is made of what AWS knows the rule by (group, source, protocol, ports), all of which only replacement
//!   can change. Whatever happens to a flow, no update makes a rule that is there already, which EC2 refuses.
//! - Outgoing traffic is what AWS allows by default, everything. The default rule for IPv6 comes only where the VPC has a block
//!   when the group is made, so in networks with IPv6 both are written out.

use std::collections::BTreeMap;

use super::{Output, Template, get_att, import_value, logical_id, properties, resource, tags};
use model::declare::{Cluster, Declared, Endpoint};
use model::plan::{ClusterPlan, Flow, NetworkPlan, Peer, Protocol, Vpc};
use tree::{Map, Node};

mod roles;

/// Logical id of the control plane's security group.
pub const CONTROL_PLANE_GROUP: &str = "ControlPlaneSecurityGroup";
/// Logical id of the security group of all other machines.
pub const NODES_GROUP: &str = "NodesSecurityGroup";
/// Characters of a rule's description (EC2, `AuthorizeSecurityGroupIngress`).
const DESCRIPTION_CHARACTERS: usize = 255;

/// The logical id of the group that machines are in; `Nodes` are in both, so callers ask for [`Endpoint::parts`].
#[must_use]
pub fn group(machines: Endpoint) -> &'static str {
    match machines {
        Endpoint::ControlPlane => CONTROL_PLANE_GROUP,
        Endpoint::Nodes | Endpoint::Workers => NODES_GROUP,
    }
}

/// The template of the cluster's stack, for a network on AWS. Its roles need `CAPABILITY_IAM`.
#[must_use]
pub fn template(cluster: &Declared<Cluster>, plan: &ClusterPlan, network: &NetworkPlan) -> Node {
    let cluster = &cluster.value;
    let mut template = Template::new(format!("Security groups and roles of the cluster {}", cluster.metadata.name));
    let control_plane = security_group(cluster, network, "control-plane", "Control plane machines of a Kubernetes cluster");
    template.resource(CONTROL_PLANE_GROUP.to_owned(), control_plane);
    let nodes = security_group(cluster, network, "nodes", "Machines of a Kubernetes cluster outside its control plane");
    template.resource(NODES_GROUP.to_owned(), nodes);
    for (id, rule) in rules(&plan.flows) {
        template.resource(id, rule);
    }
    roles::add(&mut template, cluster, &plan.iam);
    let groups = [("the control plane", CONTROL_PLANE_GROUP), ("all other machines", NODES_GROUP)];
    for (machines, id) in groups {
        output(&mut template, &format!("{id}Id"), format!("Security group of {machines}"), get_att(id, "GroupId"));
    }
    roles::outputs(&mut template);
    template.finish()
}

fn output(template: &mut Template, id: &str, description: String, value: Node) {
    template.output(id, Output { description, value, export: None });
}

/// Tags by which the cloud controller manager and people know what belongs to the cluster.
fn cluster_tags(cluster: &Cluster, part: &str) -> Node {
    let name = cluster.cluster_name();
    let owned = (format!("kubernetes.io/cluster/{name}"), "owned".to_owned());
    tags(&format!("{part}.{name}"), &[("KubernetesCluster".to_owned(), name.to_owned()), owned])
}

fn security_group(cluster: &Cluster, network: &NetworkPlan, part: &str, description: &str) -> Node {
    let mut group = properties([
        ("GroupDescription", description.into()),
        ("VpcId", import_value(&network.name, "VpcId")),
        ("Tags", cluster_tags(cluster, part)),
    ]);
    if has_ipv6(network) {
        let out = |key, range: &str| properties([("IpProtocol", "-1".into()), (key, range.into())]).into();
        group.push("SecurityGroupEgress", vec![out("CidrIp", "0.0.0.0/0"), out("CidrIpv6", "::/0")]);
    }
    resource("AWS::EC2::SecurityGroup", group, &[])
}

fn has_ipv6(network: &NetworkPlan) -> bool {
    network.aws.as_ref().is_some_and(|aws| {
        matches!(aws.vpc, Vpc::Owned { ipv6: true, .. }) || aws.subnets.iter().any(|subnet| subnet.ipv6.is_some())
    })
}

/// What a rule admits: to whom, from whom, what.
type Admits = (Endpoint, Peer, Protocol);

/// What rules are made for, and the flows that ask for it: one for each receiving group, source, protocol and range of ports.
fn admitted(flows: &[Flow]) -> BTreeMap<Admits, Vec<&Flow>> {
    let mut purposes: BTreeMap<Admits, Vec<&Flow>> = BTreeMap::new();
    for flow in flows {
        for (from, to) in flow.pairs() {
            purposes.entry((to, from, flow.protocol)).or_default().push(flow);
        }
    }
    purposes
}

/// The rules that admit `flows`, by logical id.
fn rules(flows: &[Flow]) -> BTreeMap<String, Node> {
    let rule = |((to, from, protocol), flows): (_, Vec<&Flow>)| (rule_id(to, &from, protocol), rule(to, &from, protocol, &flows));
    admitted(flows).into_iter().map(rule).collect()
}

/// The flows that each rule is for, by the rule's logical id.
pub(super) fn flows_by_rule(flows: &[Flow]) -> BTreeMap<String, Vec<&Flow>> {
    admitted(flows).into_iter().map(|((to, from, protocol), flows)| (rule_id(to, &from, protocol), flows)).collect()
}

/// The machines that a policy is for, by its logical id.
pub(super) fn policy_machines(id: &str) -> Option<Endpoint> {
    roles::POLICIES.iter().find(|(_, prefix, _)| id.strip_suffix("Policy") == Some(*prefix)).map(|(machines, ..)| *machines)
}

/// The logical id of the rule that admits something.
#[must_use]
pub fn rule_id(to: Endpoint, from: &Peer, protocol: Protocol) -> String {
    let protocol = match protocol {
        Protocol::Tcp(first, last) => format!("tcp-{}", port_range(first, last)),
        Protocol::Udp(first, last) => format!("udp-{}", port_range(first, last)),
        Protocol::Icmp => "icmp".to_owned(),
        Protocol::Ip(number) => format!("protocol-{number}"),
    };
    let from = match from {
        Peer::Machines(machines) => part(*machines).to_owned(),
        other => other.to_string(),
    };
    logical_id(&["ingress", part(to), &from, &protocol])
}

fn part(machines: Endpoint) -> &'static str {
    if machines == Endpoint::ControlPlane { "control-plane" } else { "nodes" }
}

fn port_range(first: u16, last: u16) -> String {
    if first == last { first.to_string() } else { format!("{first}-to-{last}") }
}

fn rule(to: Endpoint, from: &Peer, protocol: Protocol, flows: &[&Flow]) -> Node {
    let mut rule = properties([("GroupId", get_att(group(to), "GroupId")), ("Description", description(flows).into())]);
    match from {
        Peer::Machines(machines) => rule.push("SourceSecurityGroupId", get_att(group(*machines), "GroupId")),
        Peer::Range(range) if range.is_v6() => rule.push("CidrIpv6", range.to_string()),
        Peer::Range(range) => rule.push("CidrIp", range.to_string()),
        Peer::PrefixList(id) => rule.push("SourcePrefixListId", id.as_str()),
    }
    push_protocol(&mut rule, from, protocol);
    resource("AWS::EC2::SecurityGroupIngress", rule, &[])
}

/// `IpProtocol` and ports. TCP and UDP need ports, ICMP a type and code (-1 is each), and for any other protocol EC2 takes none
/// and ignores what is there (`IpPermission` in the EC2 API).
fn push_protocol(rule: &mut Map, from: &Peer, protocol: Protocol) {
    let v6 = matches!(from, Peer::Range(range) if range.is_v6());
    let (name, ports) = match protocol {
        Protocol::Tcp(first, last) => ("tcp".to_owned(), Some((first.into(), last.into()))),
        Protocol::Udp(first, last) => ("udp".to_owned(), Some((first.into(), last.into()))),
        Protocol::Icmp if v6 => ("icmpv6".to_owned(), Some((-1, -1))),
        Protocol::Icmp => ("icmp".to_owned(), Some((-1, -1))),
        Protocol::Ip(58) => ("icmpv6".to_owned(), Some((-1, -1))),
        Protocol::Ip(number) => (number.to_string(), None),
    };
    rule.push("IpProtocol", name);
    if let Some((first, last)) = ports {
        rule.push("FromPort", first);
        rule.push("ToPort", last);
    }
}

/// Which flows a rule is for, in the characters and the length that EC2 takes.
fn description(flows: &[&Flow]) -> String {
    let text = flows.iter().map(|flow| format!("{}: {}", flow.name, flow.because)).collect::<Vec<_>>().join("; ");
    let taken = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
    let text: String = text.chars().map(|c| if taken(c) { c } else { '-' }).take(DESCRIPTION_CHARACTERS).collect();
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests;
