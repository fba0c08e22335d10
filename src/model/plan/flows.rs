//! The flows of a cluster: Kubernetes's own, the declared ones and those of overlays.

use super::{Flow, NetworkPlan, Peer, Protocol};
use crate::declare::{Blocked, Cluster, Declared, DeclaredPort, Endpoint, Facts};
use findings::{Diagnostic, rules};
use tree::{Node, Path, Span, Value};

/// The kubelet's API (Kubernetes reference, "Ports and Protocols").
const KUBELET: Protocol = Protocol::Tcp(10250, 10250);
/// SCTP among IP protocols (IANA, "Assigned Internet Protocol Numbers").
const SCTP: u8 = 132;
const SSH: Protocol = Protocol::Tcp(22, 22);
/// First and last node port unless the API server is told otherwise (Kubernetes reference, "Ports and Protocols").
const NODE_PORTS: (u16, u16) = (30000, 32767);

/// Every flow that the cluster needs: Kubernetes's own first, then the declared ones, then those of overlays, each once.
pub(super) fn collect(
    cluster: &Declared<Cluster>,
    network: &NetworkPlan,
    facts: &[(Facts, Span)],
    findings: &mut Vec<Diagnostic>,
) -> Vec<Flow> {
    let mut flows = Flows::default();
    flows.api_server(cluster, network);
    flows.control_plane(cluster);
    flows.access(cluster);
    flows.declared(cluster);
    for (facts, span) in facts {
        // Security groups judge what a machine forwards to its pods; a host's own firewall judges what is for the host.
        if let Some(because) = facts.routed_pods.as_ref().filter(|_| network.aws.is_some()) {
            flows.routed_pods(cluster, because, *span);
        }
        for port in &facts.ports {
            flows.overlay(port, *span, findings);
        }
    }
    flows.list
}

#[derive(Default)]
struct Flows {
    list: Vec<Flow>,
}

impl Flows {
    /// Adds a flow, or what is new about it to the same flow that is there already.
    fn add(&mut self, mut flow: Flow) {
        let same = |old: &&mut Flow| (&old.from, old.to, old.protocol) == (&flow.from, flow.to, flow.protocol);
        if let Some(old) = self.list.iter_mut().find(same) {
            if !old.because.contains(&flow.because) {
                old.because = format!("{}; {}", old.because, flow.because);
            }
            old.blocked = worse(old.blocked.take(), flow.blocked);
            return;
        }
        flow.name = self.free_name(&flow.name);
        self.list.push(flow);
    }

    fn free_name(&self, name: &str) -> String {
        let taken = |name: &str| self.list.iter().any(|flow| flow.name == name);
        let mut free = name.to_owned();
        let mut number = 2;
        while taken(&free) {
            free = format!("{name}-{number}");
            number += 1;
        }
        free
    }

    fn core(&mut self, name: &str, from: Peer, to: Endpoint, protocol: Protocol, because: &str, span: Span) {
        self.add(Flow { name: name.to_owned(), from, to, protocol, because: because.to_owned(), span, blocked: None });
    }

    fn api_server(&mut self, cluster: &Declared<Cluster>, network: &NetworkPlan) {
        let port = cluster.value.spec.control_plane.api_port;
        let (to, protocol) = (Endpoint::ControlPlane, Protocol::Tcp(port, port));
        let span = cluster.span("spec.controlPlane.apiPort");
        let machines = Peer::Machines(Endpoint::Nodes);
        self.core("api-server", machines, to, protocol, "kubelets and pods on every machine call the API server", span);
        for range in &network.cidrs {
            let name = format!("api-server-from-{}", slug(&range.to_string()));
            let because = "load balancers and clients inside the network call the API server";
            self.core(&name, Peer::Range(*range), to, protocol, because, cluster.span("spec.network"));
        }
        for (peer, span) in access_list(cluster, "api", &cluster.value.spec.access.api) {
            let name = format!("api-server-from-{}", slug(&peer.to_string()));
            self.core(&name, peer, to, protocol, "access to the API server is declared", span);
        }
    }

    fn control_plane(&mut self, cluster: &Declared<Cluster>) {
        let machines = Peer::Machines(Endpoint::ControlPlane);
        let because = "the API server reads logs, runs commands and scrapes metrics through kubelets";
        self.core("kubelet", machines.clone(), Endpoint::Nodes, KUBELET, because, cluster.span("spec"));
        let ports = Path::dotted("spec.controlPlane.etcdPorts");
        for (at, text) in cluster.value.spec.control_plane.etcd_ports.iter().enumerate() {
            let Ok(protocol) = Protocol::parse("tcp", Some(text)) else { continue };
            let span = cluster.node.nearest(&ports.item(at)).span;
            let name = format!("etcd-{text}");
            self.core(&name, machines.clone(), Endpoint::ControlPlane, protocol, "etcd members and their clients", span);
        }
    }

    fn access(&mut self, cluster: &Declared<Cluster>) {
        for (peer, span) in access_list(cluster, "ssh", &cluster.value.spec.access.ssh) {
            let name = format!("ssh-from-{}", slug(&peer.to_string()));
            self.core(&name, peer, Endpoint::Nodes, SSH, "SSH access is declared", span);
        }
        let (first, last) = NODE_PORTS;
        for (peer, span) in access_list(cluster, "nodePorts", &cluster.value.spec.access.node_ports) {
            for (suffix, protocol) in [("tcp", Protocol::Tcp(first, last)), ("udp", Protocol::Udp(first, last))] {
                let name = format!("node-ports-{suffix}-from-{}", slug(&peer.to_string()));
                self.core(&name, peer.clone(), Endpoint::Workers, protocol, "access to node ports is declared", span);
            }
        }
    }

    fn declared(&mut self, cluster: &Declared<Cluster>) {
        let path = Path::dotted("spec.flows");
        for (at, flow) in cluster.value.spec.flows.iter().enumerate() {
            let Ok(protocol) = Protocol::parse(&flow.protocol, flow.ports.as_deref()) else { continue };
            let span = cluster.node.nearest(&path.item(at)).span;
            self.core(&flow.name, Peer::Machines(flow.from), flow.to, protocol, &flow.because, span);
        }
    }

    /// What pods say to one another under their own addresses: the protocols of Kubernetes services (`ServicePort.protocol`) and
    /// ICMP. etcd's ports are for nobody's pods.
    fn routed_pods(&mut self, cluster: &Declared<Cluster>, because: &str, span: Span) {
        let (nodes, control_plane) = (Peer::Machines(Endpoint::Nodes), Endpoint::ControlPlane);
        let icmp = if cluster.value.spec.pod_cidr.is_v6() { Protocol::Ip(58) } else { Protocol::Icmp };
        self.core("pods-tcp", nodes.clone(), Endpoint::Workers, Protocol::Tcp(1, u16::MAX), because, span);
        for (first, last) in beside(&cluster.value.spec.control_plane.etcd_ports) {
            self.core("pods-tcp-control-plane", nodes.clone(), control_plane, Protocol::Tcp(first, last), because, span);
        }
        self.core("pods-udp", nodes.clone(), Endpoint::Nodes, Protocol::Udp(1, u16::MAX), because, span);
        self.core("pods-sctp", nodes.clone(), Endpoint::Nodes, Protocol::Ip(SCTP), because, span);
        self.core("pods-icmp", nodes, Endpoint::Nodes, icmp, because, span);
    }

    fn overlay(&mut self, port: &DeclaredPort, span: Span, findings: &mut Vec<Diagnostic>) {
        match port.port.as_ref().and_then(Node::as_list) {
            Some(list) => list.iter().for_each(|one| self.overlay_port(port, Some(one), span, findings)),
            None => self.overlay_port(port, port.port.as_ref(), span, findings),
        }
    }

    fn overlay_port(&mut self, port: &DeclaredPort, number: Option<&Node>, span: Span, findings: &mut Vec<Diagnostic>) {
        match Protocol::parse(&scalar(&port.protocol), number.map(scalar).as_deref()) {
            Ok(protocol) => self.add(Flow {
                name: port.name.clone(),
                from: Peer::Machines(port.from),
                to: port.to,
                protocol,
                because: port.because.clone(),
                span,
                blocked: port.blocked.clone(),
            }),
            Err(error) => {
                let message = format!("the overlay's port `{}`: {error}", port.name);
                findings.push(Diagnostic::new(&rules::FLOW_INVALID, span, message));
            }
        }
    }
}

/// The TCP ports besides these, as ranges.
fn beside(ports: &[String]) -> Vec<(u16, u16)> {
    let range = |port: &String| match Protocol::parse("tcp", Some(port)) {
        Ok(Protocol::Tcp(first, last)) => Some((first, last)),
        _ => None,
    };
    let mut taken: Vec<(u16, u16)> = ports.iter().filter_map(range).collect();
    taken.sort_unstable();
    let (mut free, mut next) = (Vec::new(), Some(1u16));
    for (first, last) in taken {
        let Some(start) = next else { break };
        if first > start {
            free.push((start, first - 1));
        }
        next = last.checked_add(1).map(|after| after.max(start));
    }
    free.extend(next.map(|start| (start, u16::MAX)));
    free
}

/// Of two consequences of one blocked flow the one that counts; none is the core's own error.
fn worse(a: Option<Blocked>, b: Option<Blocked>) -> Option<Blocked> {
    let (a, b) = (a?, b?);
    Some(if b.severity > a.severity { b } else { a })
}

/// The items of an access list that are valid, with their places.
fn access_list(cluster: &Declared<Cluster>, list: &str, items: &[String]) -> Vec<(Peer, Span)> {
    let path = Path::dotted("spec.access").child(list);
    let place = |at| cluster.node.nearest(&path.item(at)).span;
    items.iter().enumerate().filter_map(|(at, item)| Some((Peer::parse(item).ok()?, place(at)))).collect()
}

/// An address range or id as a part of a name.
fn slug(text: &str) -> String {
    text.replace(['.', ':', '/'], "-")
}

/// A number or text as text.
fn scalar(node: &Node) -> String {
    match &node.value {
        Value::Int(number) => number.to_string(),
        Value::String(text) => text.to_string(),
        _ => node.kind().to_owned(),
    }
}
