//! Ranges of pods, services and machines.

use crate::reading::parse_cidr;
use findings::{Diagnostic, rules};
use schema::address::Cidr;
use tree::{Node, Span, Value};

use super::Work;

/// Where kURL looks for a free range first, and how long its prefix is (`discover_pod_subnet`, `discover_service_subnet`).
const PODS: (&str, u8) = ("10.32.0.0/16", 20);
const SERVICES: (&str, u8) = ("10.96.0.0/16", 22);
/// Where it looks next.
const ANYWHERE: &str = "10.0.0.0/8";
/// What kURL takes with `kurl.ipv6`.
const IPV6_PODS: &str = "fd00:c00b:1::/112";
const IPV6_SERVICES: &str = "fd00:c00b:2::/112";
/// Guesses at the machines' range; the first that is free is taken.
const MACHINES: [&str; 3] = ["192.168.0.0/16", "172.16.0.0/12", "10.0.0.0/9"];
/// The node's share of the pod range where the controller manager hands ranges out: kubeadm's default prefix.
const NODE_PREFIX: u8 = 24;
/// Where an installed cluster says which ranges it has.
const SHOWN_BY: &str = "`kubectl -n kube-system get configmap kurl-config -o yaml` shows what an installed cluster has";

/// The pod range as the network provider's add-on declares it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pods<'a> {
    /// The range, written out.
    pub(super) range: Option<(&'a str, Span)>,
    /// Its prefix length, with or without `/`.
    pub(super) prefix: Option<&'a Node>,
    /// Whether each node has a range of its own out of it.
    pub(super) per_node: bool,
}

/// Writes all ranges; what kURL looks for on the machines is taken to be free there.
pub(super) fn write(work: &mut Work<'_, '_>, pods: Pods<'_>, machines: Option<Cidr>) {
    let ipv6 = work.spec.flag(&["spec.kurl.ipv6"], work.findings) == Some(true);
    let taken: Vec<Cidr> = machines.into_iter().collect();
    let range = if ipv6 { IPV6_PODS.parse().ok() } else { None };
    let Some((pod_range, span)) = one(work, "spec.podCIDR", pods.range, pods.prefix, range, PODS, &taken) else { return };
    set(&mut work.cluster, "spec.podCIDR", pod_range, span);

    let written = work.spec.text(&["spec.kubernetes.serviceCIDR"], work.findings);
    let prefix = work.spec.first(&["spec.kubernetes.serviceCidrRange"]);
    let taken: Vec<Cidr> = taken.into_iter().chain([pod_range]).collect();
    let range = if ipv6 { IPV6_SERVICES.parse().ok() } else { None };
    let Some((services, span)) = one(work, "spec.serviceCIDR", written, prefix, range, SERVICES, &taken) else { return };
    set(&mut work.cluster, "spec.serviceCIDR", services, span);

    if pods.per_node && !ipv6 {
        node_ranges(work, pod_range);
    }
    let given = machines.map(|range| range.is_v6());
    if ipv6 && given != Some(true) {
        let message = "with `kurl.ipv6`, the machines' IPv6 range has to be known";
        let finding = Diagnostic::new(&rules::IMPORT_FORM, work.spec.span("spec.kurl.ipv6"), message);
        work.findings.push(finding.help("import with `--network-cidr` and the range"));
        return;
    }
    machine_range(work, machines, &[pod_range, services]);
}

/// A range: as written, as IPv6 has it, or where kURL finds it on machines without other routes.
fn one(
    work: &mut Work<'_, '_>,
    field: &str,
    written: Option<(&str, Span)>,
    prefix: Option<&Node>,
    fixed: Option<Cidr>,
    (first, default): (&str, u8),
    taken: &[Cidr],
) -> Option<(Cidr, Span)> {
    if let Some((text, span)) = written {
        return parse_cidr(text, span, work.findings).map(|range| (range, span));
    }
    if let Some(range) = fixed {
        return Some((range, work.spec.span("spec.kurl.ipv6")));
    }
    let length = match prefix {
        None => default,
        Some(node) => length(work, node)?,
    };
    let span = prefix.map_or(work.spec.span("spec"), |node| node.span);
    let found = [first, ANYWHERE].iter().filter_map(|within| within.parse().ok()).find_map(|within| free(within, length, taken));
    let Some(range) = found else {
        let message = format!("kURL finds no free /{length} in {ANYWHERE}");
        work.findings.push(Diagnostic::new(&rules::CIDR_NO_ROOM, span, message));
        return None;
    };
    set(&mut work.cluster, field, range, span);
    let what = format!("the Installer names no range; {range} is the first that kURL tries on machines without other routes");
    work.choose_cluster(field, span, what, SHOWN_BY);
    Some((range, span))
}

/// A prefix length, written `22` or `/22`.
fn length(work: &mut Work<'_, '_>, node: &Node) -> Option<u8> {
    let length = match &node.value {
        Value::Int(number) => u8::try_from(*number).ok(),
        Value::String(text) => text.strip_prefix('/').unwrap_or(text).parse().ok(),
        _ => None,
    };
    let length = length.filter(|length| (8..=30).contains(length));
    if length.is_none() {
        let message = "this is no prefix length from /8 to /30";
        work.findings.push(Diagnostic::new(&rules::IMPORT_FORM, node.span, message));
    }
    length
}

/// The first part of `within` of that length that shares no address with what is taken.
fn free(within: Cidr, length: u8, taken: &[Cidr]) -> Option<Cidr> {
    let count = 1u32 << length.checked_sub(within.prefix())?;
    let parts = (0..count).filter_map(|index| within.slot(length, index));
    parts.into_iter().find(|part| taken.iter().all(|range| !range.overlaps(*part)))
}

/// kubeadm gives each node a /24; the pod range bounds how many there can be.
fn node_ranges(work: &mut Work<'_, '_>, pods: Cidr) {
    let most = 1i64 << NODE_PREFIX.saturating_sub(pods.prefix()).min(13);
    if most < 100 {
        work.cluster.set("spec.nodes.max", most);
        work.cluster.note("spec.nodes.max", format!("As many as {pods} has room for, with a /{NODE_PREFIX} each."));
    }
}

fn machine_range(work: &mut Work<'_, '_>, said: Option<Cidr>, others: &[Cidr]) {
    let field = "spec.static.cidr";
    if let Some(range) = said {
        return set(&mut work.network, field, range, Span::NONE);
    }
    let guesses = MACHINES.iter().filter_map(|range| range.parse::<Cidr>().ok());
    let guess = guesses.into_iter().find(|range| others.iter().all(|other| !other.overlaps(*range)));
    let Some(range) = guess else { return };
    let span = work.spec.span("spec");
    set(&mut work.network, field, range, span);
    let what = format!("an Installer does not know the range of the machines' addresses; {range} is a guess");
    work.choose_network(field, span, what, "write the range that they are from, or import again with `--network-cidr`");
}

fn set(draft: &mut crate::writing::Draft, field: &str, range: Cidr, span: Span) {
    draft.set(field, Node::new(Value::String(range.to_string().into()), span));
}
