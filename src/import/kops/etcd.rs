//! Ports between machines that kops's own components need: etcd, etcd-manager, kops-controller and gossip.
//!
//! kops opens nearly every port between machines; netloom opens what is named. The ports are those of
//! `pkg/wellknownports/wellknownports.go` of kubernetes/kops.

use tree::{Node, Path, Span};

use super::Work;

/// The first minor version whose nodes join through kops-controller (`UseKopsControllerForNodeBootstrap`).
const KOPS_CONTROLLER_SINCE: u32 = 19;

/// An etcd cluster that kops may run.
struct Etcd {
    name: &'static str,
    /// Port of members among themselves, and of clients.
    ports: [u16; 2],
    /// etcd-manager's own port, and the one clients are kept from during a restore.
    manager: [u16; 2],
}

const CLUSTERS: [Etcd; 4] = [
    Etcd { name: "main", ports: [2380, 4001], manager: [3996, 3994] },
    Etcd { name: "events", ports: [2381, 4002], manager: [3997, 3995] },
    Etcd { name: "cilium", ports: [2382, 4003], manager: [3991, 3992] },
    Etcd { name: "leases", ports: [2383, 4004], manager: [4006, 4005] },
];

/// A flow to be declared: name, protocol, ports, from, to, because.
type Flow = (&'static str, &'static str, String, &'static str, &'static str, &'static str);

/// Writes `controlPlane` and `flows`.
pub(super) fn write(work: &mut Work<'_, '_>) {
    let clusters = clusters(work);
    if let Some(port) = work.spec.number(&["spec.kubeAPIServer.securePort"], work.findings) {
        work.cluster.set("spec.controlPlane.apiPort", i64::from(port));
    }
    let ports = clusters.iter().flat_map(|etcd| etcd.ports).collect();
    work.cluster.set("spec.controlPlane.etcdPorts", joined(ports).into_iter().map(Node::from).collect::<Vec<Node>>());

    let managers = clusters.iter().flat_map(|etcd| etcd.manager).collect();
    let because = "etcd-manager: members find each other, elect a leader and restore backups";
    let names = ["etcd-manager", "etcd-manager-2", "etcd-manager-3", "etcd-manager-4"];
    let managers = joined(managers).into_iter().zip(names);
    let mut flows: Vec<Flow> =
        managers.map(|(ports, name)| (name, "tcp", ports, "controlPlane", "controlPlane", because)).collect();
    if work.version.minor >= KOPS_CONTROLLER_SINCE {
        let because = "kops-controller admits nodes to the cluster";
        flows.push(("kops-controller", "tcp", "3988".to_owned(), "workers", "controlPlane", because));
    }
    flows.extend(gossip(work));
    work.cluster.set("spec.flows", flows.iter().map(node).collect::<Vec<Node>>());
}

/// The etcd clusters of the manifest; kops always runs the first two.
fn clusters(work: &mut Work<'_, '_>) -> Vec<&'static Etcd> {
    let path = Path::dotted("spec.etcdClusters");
    let count = work.spec.peek(&path).and_then(Node::as_list).map_or(0, <[Node]>::len);
    let mut names = Vec::new();
    for at in 0..count {
        let name = path.item(at).child("name");
        if let Some(text) = work.spec.peek(&name).and_then(Node::as_str) {
            work.spec.take(&name);
            names.push(text);
        }
    }
    CLUSTERS.iter().filter(|etcd| names.contains(&etcd.name) || matches!(etcd.name, "main" | "events")).collect()
}

/// Clusters without DNS, whose names end in `.k8s.local`, spread their addresses among machines, until kops 1.37.
fn gossip(work: &Work<'_, '_>) -> Vec<Flow> {
    let dns = ["spec.topology.dns.type", "spec.networking.topology.dns"];
    let dns = work.spec.find(&dns).and_then(|path| work.spec.peek(&path)).and_then(Node::as_str);
    if !work.full_name.ends_with(".k8s.local") || dns == Some("None") {
        return Vec::new();
    }
    let because = "kops's gossip: machines tell each other the API server's addresses";
    let flow = |name, protocol, ports: &str| (name, protocol, ports.to_owned(), "nodes", "nodes", because);
    vec![
        flow("gossip-tcp", "tcp", "3998-4000"),
        flow("gossip-udp", "udp", "3998-4000"),
        flow("gossip-dns-tcp", "tcp", "3993"),
        flow("gossip-dns-udp", "udp", "3993"),
    ]
}

/// Ports in order, neighbours joined to ranges.
fn joined(mut ports: Vec<u16>) -> Vec<String> {
    ports.sort_unstable();
    let mut ranges: Vec<(u16, u16)> = Vec::new();
    for port in ports {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(port) => *last = port,
            _ => ranges.push((port, port)),
        }
    }
    let text = |(first, last)| if first == last { format!("{first}") } else { format!("{first}-{last}") };
    ranges.into_iter().map(text).collect()
}

fn node((name, protocol, ports, from, to, because): &Flow) -> Node {
    let fields = [
        ("name", *name),
        ("protocol", *protocol),
        ("ports", ports.as_str()),
        ("from", *from),
        ("to", *to),
        ("because", *because),
    ];
    let mut node = Node::map(fields.map(|(key, value)| (key, Node::from(value))));
    node.span = Span::NONE;
    node
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn neighbours_join() {
        assert_eq!(joined(vec![4001, 2380, 2381, 4002]), ["2380-2381", "4001-4002"]);
        assert_eq!(joined(vec![65535]), ["65535"]);
    }
}
