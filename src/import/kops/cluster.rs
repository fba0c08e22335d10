//! The declared cluster: ranges, kube-proxy, DNS and access.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};

use crate::reading::{as_text, parse_cidr};
use findings::Diagnostic;
use schema::address::Cidr;
use tree::{Node, Path, Span, Value};

use super::groups::Role;
use super::{Work, etcd, groups, provider};

/// Where the range stands that pods reach without address translation.
pub(super) const NON_MASQUERADE: [&str; 2] = ["spec.nonMasqueradeCIDR", "spec.networking.nonMasqueradeCIDR"];

/// Defaults that kops and declarations share.
const DEFAULT_NON_MASQUERADE: &str = "100.64.0.0/10";
const DEFAULT_PODS: &str = "100.96.0.0/11";
const DEFAULT_SERVICES: &str = "100.64.0.0/13";
/// kops's range of services of clusters without IPv4 (`populate_cluster_spec.go`).
const IPV6_SERVICES: &str = "fd00:5e4f:ce::/108";
/// The first minor version of kops that ignores `masterInternalName`.
const DERIVED_API_HOST_SINCE: u32 = 26;
/// The first minor version for whose clusters kops 1.28 or later is assumed, whose service range is a constant.
const CONSTANT_SERVICES_SINCE: u32 = 28;

/// Writes the cluster.
pub(super) fn write(work: &mut Work<'_, '_>) {
    metadata(work);
    kubernetes_version(work);
    ranges(work);
    groups::write(work);
    api_host(work);
    etcd::write(work);
    kube_proxy(work);
    provider::write(work);
    dns(work);
    access(work);
}

fn metadata(work: &mut Work<'_, '_>) {
    let span = work.spec.span("metadata.name");
    if let Some(labels) = work.spec.map(&["metadata.labels"], work.findings) {
        work.network.set("metadata.labels", labels.clone());
        work.cluster.set("metadata.labels", labels.clone());
    }
    work.cluster.set("spec.network", Node::new(Value::String(format!("{}-network", work.name).into()), span));
}

fn kubernetes_version(work: &mut Work<'_, '_>) {
    let span = work.spec.span("spec.kubernetesVersion");
    let accepted = work.version.accepted();
    work.cluster.set("spec.kubernetesVersion", Node::new(Value::String(accepted.to_string().into()), span));
    if accepted != work.version {
        let what = format!("Kubernetes {} is older than any that netloom knows; {accepted} stands in", work.version);
        work.choose_cluster(
            "spec.kubernetesVersion",
            span,
            what,
            "objects are checked against the schemas of the oldest it carries",
        );
    }
    if work.name != work.full_name {
        let name = Node::new(Value::String(work.full_name.into()), work.spec.span("metadata.name"));
        work.cluster.set("spec.clusterName", name);
    }
}

fn ranges(work: &mut Work<'_, '_>) {
    let outer = work.spec.cidr(&NON_MASQUERADE, work.findings);
    let Some((outer, span)) = outer.or_else(|| default_non_masquerade(work)) else { return };
    // Weave and kube-proxy take the controller manager's range, which is `podCIDR` unless it is written.
    let manager = work.spec.cidr(&["spec.kubeControllerManager.clusterCIDR"], work.findings);
    let pods_path = ["spec.podCIDR", "spec.networking.podCIDR"];
    let declared = if manager.is_none() { work.spec.cidr(&pods_path, work.findings) } else { None };
    if let (Some((manager, _)), Some(path)) = (manager, work.spec.find(&pods_path)) {
        let same = work.spec.peek(&path).and_then(Node::as_str) == Some(manager.to_string().as_str());
        if same {
            work.spec.take(&path);
        } else {
            work.spec.leave(path, format!("pods have addresses from `kubeControllerManager.clusterCIDR`, {manager}"));
        }
    }
    let pods = manager.or(declared).or_else(|| outer.v4().and_then(upper_half).map(|pods| (pods, span)));
    let services = services(work, outer, span);
    set_range(work, "spec.podCIDR", pods, DEFAULT_PODS);
    set_range(work, "spec.serviceCIDR", services, DEFAULT_SERVICES);
    set_range(work, "spec.nonMasqueradeCIDR", Some((outer, span)), DEFAULT_NON_MASQUERADE);
}

/// kops's default; with the Amazon VPC provider and no `networkCIDR`, the network's.
fn default_non_masquerade(work: &Work<'_, '_>) -> Option<(Cidr, Span)> {
    let amazon = provider::block(work, "amazonvpc").is_some();
    let network_given = work.spec.find(&["spec.networkCIDR", "spec.networking.networkCIDR"]).is_some();
    let text = if amazon && !network_given {
        work.network.node.at(&Path::dotted("spec.aws.cidr")).and_then(Node::as_str)?
    } else {
        DEFAULT_NON_MASQUERADE
    };
    Some((text.parse().ok()?, work.spec.span("spec.networking")))
}

/// kops's pod range: as large as can be, the upper half.
fn upper_half(outer: Ipv4Net) -> Option<Cidr> {
    Cidr::from(outer).slot(outer.prefix_len() + 1, 1)
}

/// The service range that is written, or the one that kops derives.
fn services(work: &mut Work<'_, '_>, outer: Cidr, span: Span) -> Option<(Cidr, Span)> {
    let api_server = ["spec.kubeAPIServer.serviceClusterIPRange"];
    let same = work.spec.cidr(&api_server, work.findings);
    let declared = ["spec.serviceClusterIPRange", "spec.networking.serviceClusterIPRange"];
    if let Some(found) = work.spec.cidr(&declared, work.findings).or(same) {
        return Some(found);
    }
    let derived = match outer.v4() {
        None => IPV6_SERVICES.parse().ok(),
        Some(_) if work.version.minor >= CONSTANT_SERVICES_SINCE => DEFAULT_SERVICES.parse().ok(),
        Some(outer) => lowest_eighth(outer),
    };
    derived.map(|range| (range, span))
}

/// kops's service range up to 1.27: the first eighth, of at most 20 bits of addresses.
fn lowest_eighth(outer: Ipv4Net) -> Option<Cidr> {
    let prefix = (outer.prefix_len() + 3).max(32 - 20);
    Ipv4Net::new(Ipv4Addr::from(u32::from(outer.network())), prefix).ok().map(Cidr::from)
}

fn set_range(work: &mut Work<'_, '_>, field: &str, range: Option<(Cidr, Span)>, default: &str) {
    if let Some((range, span)) = range.filter(|(range, _)| range.to_string() != default) {
        work.cluster.set(field, Node::new(Value::String(range.to_string().into()), span));
    }
}

/// The name by which machines find the API server.
fn api_host(work: &mut Work<'_, '_>) {
    let derived = format!("api.internal.{}", work.full_name);
    let path = "spec.masterInternalName";
    let written = work.spec.peek(&Path::dotted(path)).and_then(Node::as_str);
    let used = work.version.minor < DERIVED_API_HOST_SINCE || written == Some(derived.as_str());
    let written = if used { work.spec.text(&[path], work.findings) } else { None };
    if written.is_none() && !work.full_name.bytes().all(|byte| matches!(byte, b'-' | b'.') || byte.is_ascii_alphanumeric()) {
        return; // the cluster's name is no domain name, which is said where it is written
    }
    let (host, span) = written.unwrap_or((&derived, work.spec.span("metadata.name")));
    work.cluster.set("spec.controlPlane.apiHost", Node::new(Value::String(host.into()), span));
}

fn kube_proxy(work: &mut Work<'_, '_>) {
    let enabled = work.spec.flag(&["spec.kubeProxy.enabled"], work.findings);
    let mode = work.spec.text(&["spec.kubeProxy.proxyMode"], work.findings);
    let (mode, span) = match (enabled, mode) {
        (Some(false), _) => ("disabled", work.spec.span("spec.kubeProxy.enabled")),
        _ if provider::block(work, "kuberouter").is_some() => return replaced_by_kube_router(work),
        (_, Some(("iptables", _)) | None) => return,
        (_, Some((mode @ ("ipvs" | "nftables"), span))) => (mode, span),
        (_, Some((mode, span))) => {
            let message = format!("`{mode}` is no mode of kube-proxy that netloom knows: iptables, ipvs, nftables");
            return work.refuse(span, message, "kube-proxy has no other mode on Linux since Kubernetes 1.26");
        }
    };
    work.cluster.set("spec.kubeProxy.mode", Node::new(Value::String(mode.into()), span));
}

/// kops refuses kube-router beside kube-proxy since 1.19 (`validation.go`); it always has kube-router serve services.
fn replaced_by_kube_router(work: &mut Work<'_, '_>) {
    let span = work.spec.span("spec.kubeProxy.enabled");
    let field = "spec.kubeProxy.mode";
    work.cluster.set(field, Node::new(Value::String("disabled".into()), span));
    let what = "the manifest does not turn kube-proxy off, which kops asks for with kube-router, as that serves services itself; \
                it is taken to be off";
    let help = "write `kubeProxy.enabled: false` in the manifest, too; where kube-proxy is to stay, write `runServiceProxy: false` \
                below `kuberouter` and remove this line";
    work.choose_cluster(field, span, what, help);
}

fn dns(work: &mut Work<'_, '_>) {
    let domain = work.spec.text(&["spec.clusterDNSDomain"], work.findings);
    let dns_domain = work.spec.text(&["spec.kubeDNS.domain"], work.findings);
    if let Some((domain, span)) = dns_domain.or(domain).filter(|(domain, _)| *domain != "cluster.local") {
        work.cluster.set("spec.dns.domain", Node::new(Value::String(domain.into()), span));
    }
    if let Some((address, span)) = work.spec.text(&["spec.kubeDNS.serverIP"], work.findings) {
        work.cluster.set("spec.dns.serviceIP", Node::new(Value::String(address.into()), span));
    }
    let provider = Path::dotted("spec.kubeDNS.provider");
    if work.spec.peek(&provider).and_then(Node::as_str) == Some("CoreDNS") {
        work.spec.take(&provider);
    }
    node_local_cache(work);
}

/// kops's options of the cache have the same names in a declaration.
fn node_local_cache(work: &mut Work<'_, '_>) {
    let path = Path::dotted("spec.kubeDNS.nodeLocalDNS");
    let Some(cache) = work.spec.peek(&path) else { return };
    let enabled = work.spec.flag(&["spec.kubeDNS.nodeLocalDNS.enabled"], work.findings);
    work.spec.enter("spec.kubeDNS.nodeLocalDNS");
    if enabled != Some(true) {
        work.spec.leave(path, "the cache is not enabled");
        return;
    }
    work.spec.take(&path);
    work.cluster.set("spec.dns.nodeLocalCache", cache.clone());
    for key in ["stubDomains", "upstreamNameservers"] {
        if let Some(node) = work.spec.first(&[&format!("spec.kubeDNS.{key}")]) {
            work.cluster.set(&format!("spec.dns.nodeLocalCache.{key}"), node.clone());
        }
    }
}

fn access(work: &mut Work<'_, '_>) {
    list(work, &["spec.kubernetesApiAccess", "spec.api.access"], "spec.access.api");
    if work.groups.iter().any(|group| group.role == Role::Bastion) {
        bastion(work);
    } else {
        list(work, &["spec.sshAccess"], "spec.access.ssh");
    }
    list(work, &["spec.nodePortAccess"], "spec.access.nodePorts");
}

/// Copies a list of address ranges and prefix lists. kops opens nothing where there is none.
fn list(work: &mut Work<'_, '_>, paths: &[&str], field: &str) {
    let Some((written, span)) = work.spec.list(paths, work.findings) else { return };
    let mut items = Vec::new();
    for item in written {
        let Some(text) = as_text(item, field, work.findings) else { continue };
        let range = if text.starts_with("pl-") { text.to_owned() } else { access_range(text, item.span, work.findings) };
        items.push(Node::new(Value::String(range.into()), item.span));
    }
    if !items.is_empty() {
        work.cluster.set(field, Node::new(Value::List(items), span));
    }
}

/// The range without host bits: AWS takes those, as older releases of kops do, and sees the network.
fn access_range(text: &str, span: Span, findings: &mut Vec<Diagnostic>) -> String {
    match text.parse::<IpNet>() {
        Ok(net) if net.trunc() != net => net.trunc().to_string(),
        _ => {
            parse_cidr(text, span, findings);
            text.to_owned()
        }
    }
}

/// With bastions, kops admits `sshAccess` to them alone, and to the machines the bastions.
fn bastion(work: &mut Work<'_, '_>) {
    let reason = "it is for the bastions, which netloom does not make; machines admit SSH from the bastions' subnets";
    work.spec.leave(Path::dotted("spec.sshAccess"), reason);
    let names: Vec<&str> =
        work.groups.iter().filter(|group| group.role == Role::Bastion).flat_map(|group| group.subnets.clone()).collect();
    let subnets = work.network.node.at(&Path::dotted("spec.aws.subnets")).and_then(Node::as_list).unwrap_or_default();
    let mut ranges: Vec<Node> = Vec::new();
    for subnet in subnets.iter().filter(|subnet| names.iter().any(|name| subnet.str_at("name") == Some(name))) {
        if let Some(cidr) = subnet.get("cidr").filter(|cidr| !ranges.contains(cidr)) {
            ranges.push(cidr.clone());
        }
    }
    if !ranges.is_empty() {
        work.cluster.set("spec.access.ssh", ranges);
        work.cluster.note("spec.access.ssh", "From the subnets of the bastions. The bastions themselves are not netloom's.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_kops_derives() {
        for (outer, pods, services) in [
            ("100.64.0.0/10", "100.96.0.0/11", "100.64.0.0/13"),
            ("172.20.0.0/16", "172.20.128.0/17", "172.20.0.0/19"),
            ("10.0.0.0/8", "10.128.0.0/9", "10.0.0.0/12"),
        ] {
            let outer: Ipv4Net = outer.parse().unwrap();
            assert_eq!(upper_half(outer).unwrap().to_string(), pods);
            assert_eq!(lowest_eighth(outer).unwrap().to_string(), services);
        }
        assert_eq!(lowest_eighth("10.0.0.0/31".parse().unwrap()), None);
    }
}
