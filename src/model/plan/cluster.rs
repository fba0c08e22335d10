//! A cluster's plan: flows, permissions, MTU and DNS addresses.

use std::net::IpAddr;

use super::{ClusterPlan, MtuPlan, NetworkPlan, flows, iam};
use crate::declare::{Cluster, Declared, Facts};
use findings::Diagnostic;
use tree::Span;

/// The cluster DNS service is the tenth address of the service range, as kops and kubeadm have it.
const DNS_HOST: u32 = 10;

/// Plans a validated cluster in its network with the facts of its overlays, later ones winning, each with the place it is from.
///
/// What is wrong with the facts goes to `findings`.
pub fn plan(
    cluster: &Declared<Cluster>,
    network: &NetworkPlan,
    facts: &[(Facts, Span)],
    findings: &mut Vec<Diagnostic>,
) -> ClusterPlan {
    let dns_ip = dns_ip(&cluster.value);
    let kubelet_dns = facts.iter().rev().find_map(|(facts, _)| facts.kubelet_dns).unwrap_or(dns_ip);
    let iam = if network.aws.is_some() { iam::collect(&cluster.value, facts) } else { Vec::new() };
    ClusterPlan {
        ranges: network.cidrs.clone(),
        flows: flows::collect(cluster, network, facts, findings),
        iam,
        mtu: mtu(cluster, network, facts),
        dns_ip,
        kubelet_dns,
        pods_in_network: facts.iter().rev().find_map(|(facts, _)| facts.pods_in_network).unwrap_or_default(),
    }
}

/// The DNS service's address, declared or by default.
#[must_use]
pub fn dns_ip(cluster: &Cluster) -> IpAddr {
    let range = cluster.spec.service_cidr;
    let default = || range.host(DNS_HOST).unwrap_or_else(|| range.net().network());
    cluster.spec.dns.service_ip.unwrap_or_else(default)
}

fn mtu(cluster: &Declared<Cluster>, network: &NetworkPlan, facts: &[(Facts, Span)]) -> MtuPlan {
    let setting = facts.iter().rev().find(|(facts, _)| facts.mtu.is_some());
    MtuPlan {
        underlay: network.mtu,
        terms: facts.iter().flat_map(|(facts, _)| facts.mtu_terms.iter().cloned()).collect(),
        pod: setting.and_then(|(facts, _)| facts.mtu),
        places: facts.iter().flat_map(|(facts, _)| facts.mtu_at.iter().cloned()).collect(),
        span: setting.map_or_else(|| cluster.span("spec.networking"), |(_, span)| *span),
    }
}

#[cfg(test)]
mod tests;
