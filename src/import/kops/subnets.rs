//! Subnets, each written out with the range that it has or that kops gives it.

use crate::reading::{as_text, parse_cidr};
use findings::{Diagnostic, rules};
use model::declare::SubnetType;
use schema::address::Cidr;
use tree::{Map, Node, Path, Span, Value};

use super::Work;
use super::allocate::{Generation, Wanted, allocate};

/// Where the list stands in the API's two shapes.
const LISTS: [&str; 2] = ["spec.subnets", "spec.networking.subnets"];
/// Fields that have the same name and form in a declaration.
const SAME: [&str; 5] = ["ipv6CIDR", "id", "egress", "publicIP", "additionalRoutes"];
/// The first minor version for whose clusters the newer allocation is assumed.
const NEWER_SINCE: u32 = 28;

/// A subnet of the manifest.
#[derive(Clone, Debug)]
pub(super) struct Subnet<'a> {
    /// Name, unique in the cluster.
    pub(super) name: &'a str,
    pub(super) zone: &'a str,
    pub(super) kind: SubnetType,
    /// Its IPv4 range, once it is known.
    pub(super) cidr: Option<Cidr>,
    /// Whether it exists already.
    pub(super) exists: bool,
    /// Whether it has an IPv6 range.
    pub(super) ipv6: bool,
    node: &'a Node,
}

/// The manifest's subnets, ranges allocated.
pub(super) fn read<'a>(work: &mut Work<'a, '_>, network: Cidr) -> Vec<Subnet<'a>> {
    let path = work.spec.find(&LISTS);
    let items = path.as_ref().and_then(|path| work.spec.peek(path)).and_then(Node::as_list);
    let (Some(path), Some(items @ [_, ..])) = (path, items) else {
        let span = work.spec.span("spec.subnets");
        work.refuse(span, "the cluster has no subnets", "kops writes them when it creates a cluster; import what it has stored");
        return Vec::new();
    };
    let mut subnets: Vec<Subnet<'a>> =
        items.iter().enumerate().filter_map(|(at, node)| one(work, &path.item(at), node)).collect();
    fill(work, network, &mut subnets);
    subnets
}

fn one<'a>(work: &mut Work<'a, '_>, path: &Path, node: &'a Node) -> Option<Subnet<'a>> {
    let name = text(work, path, node, "name")?;
    let zone = text(work, path, node, "zone")?;
    let kind = kind(work, path, node)?;
    let cidr = work.spec.take(&path.child("cidr")).filter(|node| node.as_str() != Some(""));
    let cidr = match cidr {
        Some(node) => Some(parse_cidr(as_text(node, "cidr", work.findings)?, node.span, work.findings)?),
        None => None,
    };
    let there =
        |work: &mut Work<'_, '_>, key: &str| work.spec.peek(&path.child(key)).is_some_and(|node| node.as_str() != Some(""));
    let (exists, ipv6) = (there(work, "id"), there(work, "ipv6CIDR"));
    Some(Subnet { name, zone, kind, cidr, exists, ipv6, node })
}

/// The text of a field that every subnet must have.
fn text<'a>(work: &mut Work<'a, '_>, path: &Path, node: &'a Node, key: &str) -> Option<&'a str> {
    match work.spec.take(&path.child(key)) {
        Some(field) if field.as_str() != Some("") => as_text(field, key, work.findings),
        _ => {
            let help = match key {
                "zone" => "kops looks the zones of existing subnets up in AWS; write them down",
                _ => "every subnet has one",
            };
            work.refuse(node.span, format!("`{path}` has no {key}"), help);
            None
        }
    }
}

/// The subnet's type; kops writes it with a capital.
fn kind<'a>(work: &mut Work<'a, '_>, path: &Path, node: &'a Node) -> Option<SubnetType> {
    let names = ["Public", "Private", "Utility", "DualStack"];
    let kinds = [SubnetType::Public, SubnetType::Private, SubnetType::Utility, SubnetType::DualStack];
    let written = text(work, path, node, "type")?;
    let found = names.iter().zip(kinds).find(|(name, _)| name.eq_ignore_ascii_case(written));
    if found.is_none() {
        let span = node.get("type").unwrap_or(node).span;
        let message = format!("`{written}` is no type of subnet: {}", names.join(", "));
        work.findings.push(Diagnostic::new(&rules::IMPORT_FORM, span, message).suggest(written, names));
    }
    found.map(|(_, kind)| kind)
}

/// Allocates the missing ranges as kops does.
fn fill<'a>(work: &mut Work<'a, '_>, network: Cidr, subnets: &mut [Subnet<'a>]) {
    let wanted: Vec<Wanted<'_>> = subnets.iter().map(|subnet| subnet.wanted()).collect();
    // kops asks AWS for the ranges of subnets that exist; a declaration does not need them.
    if subnets.iter().any(|subnet| subnet.exists) || wanted.iter().all(|subnet| !subnet.lacks_range()) {
        return;
    }
    let newer = work.version.minor >= NEWER_SINCE;
    let ranges = allocate(network, &wanted, if newer { Generation::AsFewAsNeeded } else { Generation::Eighths });
    let mut allocated = Vec::new();
    for ((subnet, range), wanted) in subnets.iter_mut().zip(ranges).zip(wanted) {
        match range {
            Some(range) if subnet.cidr.is_none() => allocated.push(format!("{} {range}", subnet.name)),
            None if wanted.lacks_range() => {
                let message = format!("kops finds no room in {network} for the subnet `{}`", subnet.name);
                let finding = Diagnostic::new(&rules::CIDR_NO_ROOM, subnet.node.span, message);
                work.findings.push(finding.help("write the `cidr` that it has"));
            }
            _ => {}
        }
        subnet.cidr = range;
    }
    let by = if newer { "1.28 and later allocate" } else { "up to 1.27 allocates" };
    let what = format!("ranges are not in the manifest, and are those that kops {by}: {}", allocated.join(", "));
    let help = "compare them with the ranges that the subnets have in AWS before you apply anything";
    let span = work.spec.find(&LISTS).and_then(|path| work.spec.peek(&path)).map_or(Span::NONE, |list| list.span);
    work.choose_network("spec.aws.subnets", span, what, help);
}

impl<'a> Subnet<'a> {
    fn wanted(&self) -> Wanted<'a> {
        let ipv6_only = self.ipv6 && self.kind == SubnetType::Private;
        Wanted { zone: self.zone, kind: self.kind, cidr: self.cidr, ipv6_only }
    }

    /// Whether the field is about routes of a subnet that exists; that they are external is nothing new.
    fn keeps_routes(&self, key: &str) -> bool {
        let external = self.node.str_at(key) == Some("External");
        self.exists && matches!(key, "egress" | "publicIP" | "additionalRoutes") && !external
    }

    /// The name of its type in a declaration.
    fn kind_name(&self) -> &'static str {
        match self.kind {
            SubnetType::Public => "public",
            SubnetType::Private => "private",
            SubnetType::Utility => "utility",
            SubnetType::DualStack => "dualStack",
        }
    }
}

/// The subnets as a declaration has them.
pub(super) fn write(work: &mut Work<'_, '_>, subnets: &[Subnet<'_>]) {
    let Some(path) = work.spec.find(&LISTS) else { return };
    let region = work.network.node.at(&Path::dotted("spec.aws.region")).cloned();
    let mut list = Vec::new();
    for (at, subnet) in subnets.iter().enumerate() {
        let span = subnet.node.span;
        let computed = |text: &str| Node::new(Value::String(text.into()), span);
        let written = |key: &str| subnet.node.get(key).map_or(span, |node| node.span);
        let mut map = Map::new();
        map.push("name", Node::new(Value::String(subnet.name.into()), written("name")));
        map.push("zone", Node::new(Value::String(subnet.zone.into()), written("zone")));
        map.push("type", computed(subnet.kind_name()));
        if let Some(cidr) = subnet.cidr {
            map.push("cidr", Node::new(Value::String(cidr.to_string().into()), written("cidr")));
        }
        for key in SAME {
            let field = path.item(at).child(key);
            if subnet.keeps_routes(key) {
                work.spec.leave(field, "a subnet that exists keeps the routes that it has, with kops, too");
            } else if let Some(node) = work.spec.take(&field).filter(|node| !is_empty(node)) {
                map.push(key, node.clone());
            }
        }
        if subnet.node.get("region") == region.as_ref() {
            work.spec.take(&path.item(at).child("region"));
        }
        list.push(Node::new(Value::Map(map), span));
    }
    work.network.set("spec.aws.subnets", list);
}

fn is_empty(node: &Node) -> bool {
    node.as_str() == Some("") || node.as_list().is_some_and(<[Node]>::is_empty)
}
