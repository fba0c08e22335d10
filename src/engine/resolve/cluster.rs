//! Whether a cluster's declaration makes sense by itself and in its network.
//!
//! The rules are kops's (its `validation` package), with places. What depends on the network provider, such as whether pods may
//! have addresses of the VPC, is checked where the provider's facts are known: `check::addresses`, `check::capacity`.

use findings::{Diagnostic, rules};
use model::declare::{Cluster, Declared, Network, Range, reserved};
use model::plan::{Peer, Protocol};
use schema::address::Cidr;
use tree::{Path, Span};

/// DNS caches of nodes listen in the link-local range (RFC 3927), and AWS has its metadata service there; of IPv6 every interface has
/// such addresses (RFC 4291).
const LINK_LOCAL: [&str; 2] = ["169.254.0.0/16", "fe80::/10"];
/// The last minor version for which kops wants the service range inside the non-masqueraded one.
const SERVICES_INSIDE: u32 = 27;

/// Reports everything that is wrong with `cluster` in `network`.
pub fn validate(cluster: &Declared<Cluster>, network: &Declared<Network>, findings: &mut Vec<Diagnostic>) {
    provider_choice(cluster, findings);
    containment(cluster, network, findings);
    overlaps(cluster, network, findings);
    dns_address(cluster, findings);
    access(cluster, network, findings);
    ports(cluster, findings);
    flows(cluster, findings);
}

fn provider_choice(cluster: &Declared<Cluster>, findings: &mut Vec<Diagnostic>) {
    let networking = &cluster.value.spec.networking;
    if networking.len() == 1 {
        return;
    }
    let path = Path::dotted("spec.networking");
    let place = |key: &str| cluster.node.key_at(&path.child(key)).map_or(Span::NONE, |key| key.span);
    let Some(second) = networking.keys().nth(1) else {
        let message = "`networking` names no network provider";
        findings.push(Diagnostic::new(&rules::PROVIDER_CHOICE, cluster.node.nearest(&path).span, message));
        return;
    };
    let names = networking.keys().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    let message = format!("`networking` names {} network providers: {names}", networking.len());
    let finding = Diagnostic::new(&rules::PROVIDER_CHOICE, place(second), message);
    let others = networking.keys().filter(|key| *key != second);
    findings.push(others.fold(finding, |finding, key| finding.also(place(key), "and here")));
}

/// The cluster's ranges by field.
fn range(cluster: &Declared<Cluster>, field: &str, cidr: Cidr) -> Range {
    Range { what: field.to_owned(), cidr, span: cluster.span(&format!("spec.{field}")) }
}

/// kops's rules for what is not masqueraded. Outside AWS the range has a meaning only where one is written.
fn containment(cluster: &Declared<Cluster>, network: &Declared<Network>, findings: &mut Vec<Diagnostic>) {
    let spec = &cluster.value.spec;
    let written = cluster.node.at(&Path::dotted("spec.nonMasqueradeCIDR")).is_some();
    if network.value.spec.aws.is_none() && !written {
        return;
    }
    let outer = range(cluster, "nonMasqueradeCIDR", spec.non_masquerade_cidr);
    let mut inner = Vec::new();
    if has_pod_range(cluster) {
        inner.push(range(cluster, "podCIDR", spec.pod_cidr));
    }
    if cluster.value.kubernetes_minor() <= SERVICES_INSIDE {
        inner.push(range(cluster, "serviceCIDR", spec.service_cidr));
    }
    for range in inner.iter().filter(|range| !outer.cidr.contains(range.cidr)) {
        let message = format!("{} {} is not inside {} {}", range.what, range.cidr, outer.what, outer.cidr);
        let help = format!("set `nonMasqueradeCIDR` to a range that holds {}", range.cidr);
        let finding = Diagnostic::new(&rules::CIDR_OUTSIDE, range.span, message).help(help);
        findings.push(if written { finding.also(outer.span, format!("{} is {}", outer.what, outer.cidr)) } else { finding });
    }
}

/// Whether pods have a range of their own. Where kops has `::/0` unmasqueraded, each node has a prefix of its subnet for them.
fn has_pod_range(cluster: &Declared<Cluster>) -> bool {
    !cluster.value.spec.non_masquerade_cidr.is_v6() || cluster.node.at(&Path::dotted("spec.podCIDR")).is_some()
}

/// Overlaps that no network provider can live with.
fn overlaps(cluster: &Declared<Cluster>, network: &Declared<Network>, findings: &mut Vec<Diagnostic>) {
    let spec = &cluster.value.spec;
    let services = range(cluster, "serviceCIDR", spec.service_cidr);
    let mut ranges = vec![services.clone()];
    if has_pod_range(cluster) {
        let pods = range(cluster, "podCIDR", spec.pod_cidr);
        pods.keep_apart(&services, findings);
        ranges.push(pods);
    }
    let subnets = network.subnet_ranges();
    subnets.iter().for_each(|subnet| services.keep_apart(subnet, findings));
    ranges.extend(network.ranges());
    for cidr in LINK_LOCAL.iter().filter_map(|range| range.parse().ok()) {
        let link_local = Range { what: "the link-local range".to_owned(), cidr, span: Span::NONE };
        ranges.iter().for_each(|range| range.keep_apart(&link_local, findings));
    }
}

fn dns_address(cluster: &Declared<Cluster>, findings: &mut Vec<Diagnostic>) {
    let range = cluster.value.spec.service_cidr;
    let (address, field) = match cluster.value.spec.dns.service_ip {
        Some(address) => (address, "spec.dns.serviceIP"),
        None => match range.host(10) {
            Some(address) => (address, "spec.serviceCIDR"),
            None => {
                let message = format!("serviceCIDR {range} has no tenth address for the DNS service");
                let finding = Diagnostic::new(&rules::DNS_ADDRESS, cluster.span("spec.serviceCIDR"), message);
                findings.push(finding.help("write `dns.serviceIP`"));
                return;
            }
        },
    };
    if let Some(why) = reserved(range, address) {
        findings.push(Diagnostic::new(&rules::DNS_ADDRESS, cluster.span(field), format!("the DNS address {address} {why}")));
    }
}

fn access(cluster: &Declared<Cluster>, network: &Declared<Network>, findings: &mut Vec<Diagnostic>) {
    let lists = &cluster.value.spec.access;
    let on_aws = network.value.spec.aws.is_some();
    for (name, items) in [("api", &lists.api), ("ssh", &lists.ssh), ("nodePorts", &lists.node_ports)] {
        let path = Path::dotted("spec.access").child(name);
        for (at, item) in items.iter().enumerate() {
            let span = cluster.node.nearest(&path.item(at)).span;
            findings.extend(access_item(name, item, on_aws, span));
        }
    }
}

fn access_item(list: &str, item: &str, on_aws: bool, span: Span) -> Option<Diagnostic> {
    let invalid = |message: String| Diagnostic::new(&rules::ACCESS_INVALID, span, message);
    match Peer::parse(item) {
        Err(error) => {
            let finding = invalid(format!("`access.{list}`: {}", error.message));
            Some(error.help.into_iter().fold(finding, Diagnostic::help))
        }
        Ok(Peer::PrefixList(id)) if !on_aws => {
            Some(invalid(format!("`access.{list}`: `{id}` is a prefix list, which only AWS has")))
        }
        Ok(peer) if peer.is_everyone() && list != "nodePorts" => {
            let what = if list == "ssh" { "SSH on every machine" } else { "the API server" };
            Some(Diagnostic::new(&rules::ACCESS_OPEN, span, format!("{what} is open to the whole internet ({item})")))
        }
        Ok(_) => None,
    }
}

fn ports(cluster: &Declared<Cluster>, findings: &mut Vec<Diagnostic>) {
    let path = Path::dotted("spec.controlPlane.etcdPorts");
    for (at, text) in cluster.value.spec.control_plane.etcd_ports.iter().enumerate() {
        if let Err(error) = Protocol::parse("tcp", Some(text)) {
            let span = cluster.node.nearest(&path.item(at)).span;
            findings.push(Diagnostic::new(&rules::FLOW_INVALID, span, format!("`etcdPorts`: {error}")));
        }
    }
}

fn flows(cluster: &Declared<Cluster>, findings: &mut Vec<Diagnostic>) {
    let path = Path::dotted("spec.flows");
    for (at, flow) in cluster.value.spec.flows.iter().enumerate() {
        if let Err(error) = Protocol::parse(&flow.protocol, flow.ports.as_deref()) {
            let item = path.item(at);
            let field = if flow.ports.is_some() { item.child("ports") } else { item.child("protocol") };
            let message = format!("the flow `{}`: {error}", flow.name);
            findings.push(Diagnostic::new(&rules::FLOW_INVALID, cluster.node.nearest(&field).span, message));
        }
    }
}

#[cfg(test)]
mod tests;
