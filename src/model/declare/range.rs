//! The address ranges that a network's declaration names.

use std::net::IpAddr;

use super::{Declared, Network, Subnet};
use findings::{Diagnostic, rules};
use schema::address::Cidr;
use tree::{Path, Span};

/// An address range with its place in a declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// What it is, to stand before the range in a message: `podCIDR`, `the VPC's range`.
    pub what: String,
    /// The range.
    pub cidr: Cidr,
    /// Where it is written, or the nearest place when it is a default.
    pub span: Span,
}

impl Range {
    /// A range that must not share addresses with `other`: what is wrong is reported at this one.
    pub fn keep_apart(&self, other: &Range, findings: &mut Vec<Diagnostic>) {
        if !self.cidr.overlaps(other.cidr) {
            return;
        }
        let message = format!("{} {} overlaps {} {}", self.what, self.cidr, other.what, other.cidr);
        let finding = Diagnostic::new(&rules::CIDR_OVERLAP, self.span, message);
        let elsewhere = other.span.is_known() && other.span != self.span;
        findings.push(if elsewhere { finding.also(other.span, format!("{} is {}", other.what, other.cidr)) } else { finding });
    }
}

impl Declared<Network> {
    /// The ranges that the network as a whole is made of: the VPC's, or the premises'.
    #[must_use]
    pub fn ranges(&self) -> Vec<Range> {
        let spec = &self.value.spec;
        let (block, what, first, further) = match (&spec.aws, &spec.on_premises) {
            (Some(aws), _) => ("spec.aws", "the VPC's range", aws.cidr, &aws.additional_cidrs),
            (None, Some(premises)) => ("spec.static", "the network's range", premises.cidr, &premises.additional_cidrs),
            (None, None) => return Vec::new(),
        };
        let block = Path::dotted(block);
        let range = |path: &Path, cidr| Range { what: what.to_owned(), cidr, span: self.node.nearest(path).span };
        let list = block.child("additionalCIDRs");
        let further = further.iter().enumerate().map(|(at, cidr)| range(&list.item(at), *cidr));
        std::iter::once(range(&block.child("cidr"), first)).chain(further).collect()
    }

    /// The ranges of the subnets, written out or derived, of both address families; the slots of an Amazon-provided IPv6
    /// block are not known here.
    #[must_use]
    pub fn subnet_ranges(&self) -> Vec<Range> {
        let Some(aws) = &self.value.spec.aws else { return Vec::new() };
        aws.effective_subnets().iter().enumerate().flat_map(|(at, subnet)| self.ranges_of(at, subnet)).collect()
    }

    /// The ranges of the subnet at an index; derived ones have the place of the block they are derived from.
    fn ranges_of(&self, at: usize, subnet: &Subnet) -> Vec<Range> {
        let path = Path::dotted("spec.aws.subnets").item(at);
        let range = |key: &str, cidr| Range {
            what: format!("the subnet `{}`", subnet.name),
            cidr,
            span: self.node.nearest(&path.child(key)).span,
        };
        let v6 = subnet.ipv6_cidr.as_deref().and_then(|text| text.parse().ok());
        [subnet.cidr.map(|cidr| range("cidr", cidr)), v6.map(|cidr| range("ipv6CIDR", cidr))].into_iter().flatten().collect()
    }
}

/// Why a service cannot have this address.
#[must_use]
pub fn reserved(range: Cidr, address: IpAddr) -> Option<String> {
    if !range.holds(address) {
        return Some(format!("is not in serviceCIDR {range}"));
    }
    if range.host(0) == Some(address) {
        return Some(format!("is the first of serviceCIDR {range}, which names the network"));
    }
    if range.host(1) == Some(address) {
        return Some("is the second of serviceCIDR, which the service `kubernetes` has".to_owned());
    }
    (range.net().broadcast() == address).then(|| format!("is the last of serviceCIDR {range}, which no service gets"))
}
