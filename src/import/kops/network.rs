//! The declared network: an AWS VPC with every subnet written out.

use model::declare::SubnetType;
use schema::address::Cidr;
use tree::{Node, Path, Span, Value};

use super::subnets::{self, Subnet};
use super::{Kops, Work};

/// kops's default for AWS, and that of declarations (`defaultAWSNetworkCIDR` in `defaults.go`).
const DEFAULT: &str = "172.20.0.0/16";
/// The first minor version for whose clusters kops 1.22 or later is assumed, which gives every VPC an IPv6 block. (Releases of kops
/// from 1.22 to 1.26 run Kubernetes 1.21, too, and add the block when they next update the cluster.)
const IPV6_SINCE: u32 = 21;
const CIDR: [&str; 2] = ["spec.networkCIDR", "spec.networking.networkCIDR"];
const VPC: [&str; 2] = ["spec.networkID", "spec.networking.networkID"];

/// Writes the network.
pub(super) fn write(work: &mut Work<'_, '_>, said: &Kops) {
    if !on_aws(work) {
        return;
    }
    let vpc = work.spec.text(&VPC, work.findings);
    let Some((cidr, span)) = network_cidr(work, vpc.is_some()) else { return };
    let subnets = subnets::read(work, cidr);
    if subnets.is_empty() || !region(work, &subnets) {
        return;
    }
    work.network.set("spec.aws.cidr", Node::new(Value::String(cidr.to_string().into()), span));
    if let Some(more) = work.spec.first(&["spec.additionalNetworkCIDRs", "spec.networking.additionalNetworkCIDRs"]) {
        work.network.set("spec.aws.additionalCIDRs", more.clone());
    }
    if let Some((id, span)) = vpc {
        work.network.set("spec.aws.vpcID", Node::new(Value::String(id.into()), span));
        internet_gateway(work, &subnets, said, span);
    }
    zones(work, &subnets);
    topology(work, &subnets);
    ipv6(work, &subnets);
    subnets::write(work, &subnets);
    tags(work);
}

/// Whether kops runs the cluster on AWS, the one cloud that netloom makes networks in.
fn on_aws(work: &mut Work<'_, '_>) -> bool {
    // v1alpha3 has options of add-ons below it.
    work.spec.enter("spec.cloudProvider");
    work.spec.enter("spec.cloudProvider.aws");
    let path = Path::dotted("spec.cloudProvider");
    let Some(provider) = work.spec.peek(&path) else { return true };
    let name = provider.as_str().or_else(|| provider.as_map()?.keys().next()).unwrap_or_default();
    if name == "aws" {
        let path = if provider.as_str().is_some() { path } else { path.child("aws") };
        if work.spec.peek(&path).is_none_or(|aws| aws.as_map().is_none()) {
            work.spec.take(&path);
        }
        return true;
    }
    let message = format!("the cluster runs on `{name}`; netloom makes networks on AWS only");
    let help = "declare a network with `static: {cidr: …}` and a cluster in it; `netloom init` writes an example";
    work.refuse(provider.span, message, help);
    false
}

fn network_cidr(work: &mut Work<'_, '_>, existing: bool) -> Option<(Cidr, Span)> {
    let before = work.findings.len();
    if let Some(found) = work.spec.cidr(&CIDR, work.findings) {
        return Some(found);
    }
    if work.findings.len() > before {
        return None;
    }
    let span = work.spec.span("spec.networkCIDR");
    if existing {
        let help = "kops looks it up in AWS: `aws ec2 describe-vpcs --vpc-ids …` shows it; write it into the manifest";
        work.refuse(span, "`networkCIDR` of the existing VPC is missing", help);
        return None;
    }
    DEFAULT.parse().ok().map(|cidr| (cidr, span))
}

/// Sets the region that the zones are of; whether there is one.
fn region(work: &mut Work<'_, '_>, subnets: &[Subnet<'_>]) -> bool {
    let Some(first) = subnets.first() else { return false };
    let region = region_of(first.zone).unwrap_or(first.zone).to_owned();
    let path = subnets_path(work, 0).child("zone");
    let span = work.spec.peek(&path).map_or(Span::NONE, |node| node.span);
    work.network.set("spec.aws.region", Node::new(Value::String(region.into()), span));
    true
}

fn subnets_path(work: &Work<'_, '_>, index: usize) -> Path {
    work.spec.find(&["spec.subnets", "spec.networking.subnets"]).unwrap_or_default().item(index)
}

/// `us-west-2` of `us-west-2a` and of the local zone `us-west-2-lax-1a`.
fn region_of(zone: &str) -> Option<&str> {
    let digits = zone.find(|c: char| c.is_ascii_digit())?;
    let length = zone.get(digits..)?.find(|c: char| !c.is_ascii_digit())?;
    zone.get(..digits + length)
}

/// An own subnet with a way to the internet needs the gateway of the VPC, of which a manifest knows nothing.
fn internet_gateway(work: &mut Work<'_, '_>, subnets: &[Subnet<'_>], said: &Kops, span: Span) {
    let leads_out = |subnet: &Subnet<'_>| matches!(subnet.kind, SubnetType::Public | SubnetType::Utility);
    if !subnets.iter().any(|subnet| !subnet.exists && leads_out(subnet)) {
        return;
    }
    if let Some(id) = &said.internet_gateway_id {
        work.network.set("spec.aws.internetGatewayID", Node::new(Value::String(id.as_str().into()), span));
        return;
    }
    let what = "subnets of this network lead to the internet through the VPC's gateway, which kops looks up in AWS and the stack \
                asks for as a parameter";
    let help = "import again with `--internet-gateway igw-…`, or write `internetGatewayID` here; \
                `aws ec2 describe-internet-gateways --filters Name=attachment.vpc-id,Values=vpc-…` shows it";
    work.choose_network("spec.aws.vpcID", span, what, help);
}

fn zones(work: &mut Work<'_, '_>, subnets: &[Subnet<'_>]) {
    let mut zones: Vec<&str> = Vec::new();
    for subnet in subnets {
        if !zones.contains(&subnet.zone) {
            zones.push(subnet.zone);
        }
    }
    work.network.set("spec.aws.zones", zones.into_iter().map(Node::from).collect::<Vec<Node>>());
}

/// `topology.nodes` where it is written, for kops tags subnets by it; otherwise what the subnets are.
fn topology(work: &mut Work<'_, '_>, subnets: &[Subnet<'_>]) {
    ["spec.topology", "spec.networking.topology"].iter().for_each(|path| work.spec.enter(path));
    let declared = work.spec.text(&["spec.topology.nodes", "spec.networking.topology.nodes"], work.findings);
    let by_subnets = || subnets.iter().any(|subnet| subnet.kind == SubnetType::Private);
    let private = declared.map_or_else(by_subnets, |(name, _)| name.eq_ignore_ascii_case("private"));
    work.network.set("spec.aws.topology", if private { "private" } else { "public" });
    let masters = ["spec.topology.masters", "spec.networking.topology.masters"];
    let agrees = |name: &str| name.eq_ignore_ascii_case(if private { "private" } else { "public" });
    if let Some(path) = work.spec.find(&masters)
        && work.spec.peek(&path).and_then(Node::as_str).is_some_and(agrees)
    {
        work.spec.take(&path);
    }
}

/// IPv6 is for the whole cluster's sake (`nonMasqueradeCIDR: ::/0`), for single subnets', or because kops gives it to every VPC.
fn ipv6(work: &mut Work<'_, '_>, subnets: &[Subnet<'_>]) {
    let whole = work.spec.find(&super::cluster::NON_MASQUERADE).and_then(|path| work.spec.peek(&path));
    let used = whole.and_then(Node::as_str).is_some_and(|text| text.contains(':')) || subnets.iter().any(|subnet| subnet.ipv6);
    let given = work.version.minor >= IPV6_SINCE;
    if used || given {
        work.network.set("spec.aws.ipv6", true);
    }
    if given && !used {
        let comment =
            "From 1.22 on kops gives every VPC an IPv6 block, and its public subnets a route, also where no subnet has a range.";
        work.network.note("spec.aws.ipv6", comment);
    }
}

fn tags(work: &mut Work<'_, '_>) {
    // v1alpha2 has the field negated, under this name.
    let disabled = work.spec.flag(&["spec.DisableSubnetTags"], work.findings);
    let enabled = work.spec.flag(&["spec.networking.tagSubnets", "spec.tagSubnets"], work.findings);
    if disabled == Some(true) || enabled == Some(false) {
        work.network.set("spec.aws.tagSubnets", false);
    }
    if let Some(labels) = work.spec.map(&["spec.cloudLabels"], work.findings) {
        work.network.set("spec.aws.tags", labels.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::region_of;

    #[test]
    fn regions_of_zones() {
        for (zone, region) in [
            ("us-west-2a", Some("us-west-2")),
            ("us-test-1a", Some("us-test-1")),
            ("us-gov-west-1b", Some("us-gov-west-1")),
            ("us-west-2-lax-1a", Some("us-west-2")),
            ("ap-southeast-12c", Some("ap-southeast-12")),
            ("zone", None),
            ("us-west-2", None),
        ] {
            assert_eq!(region_of(zone), region, "{zone}");
        }
    }
}
