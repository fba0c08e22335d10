//! Ranges, zones, and whether the derived subnets fit.

use super::{Check, field};
use findings::{Diagnostic, rules};
use model::declare::{Aws, LETTERS, LONGEST_PREFIX, SHORTEST_PREFIX, Tier, Zone};
use schema::address::Cidr;
use tree::Path;

/// Largest packet in bytes that AWS carries inside a VPC (EC2 user guide, "Network MTU").
const AWS_MTU: u32 = 9001;
/// Most zones of a network, one for each letter that has a slot.
const MOST_ZONES: usize = 6;

impl Check<'_> {
    pub(super) fn mtu(&mut self, mtu: Option<u32>) {
        if let Some(mtu) = mtu.filter(|mtu| *mtu > AWS_MTU) {
            let message = format!("an MTU of {mtu} bytes; AWS carries {AWS_MTU} inside a VPC");
            self.report(&rules::MTU_INVALID, &Path::dotted("spec.mtu"), message);
        }
    }

    pub(super) fn vpc_ranges(&mut self, aws: &Aws) {
        self.ipv4_of_size(aws.cidr, &field("cidr"), "a VPC range");
        if aws.vpc_id.is_some() && !self.is_written(&field("cidr")) {
            let message = format!("the range of the existing VPC is not declared; `{}` would be taken for it", aws.cidr);
            let finding = Diagnostic::new(&rules::VPC_EXISTING, self.at(&field("vpcID")), message);
            self.push(finding.help("write the VPC's `cidr` and, if it has more ranges, its `additionalCIDRs`"));
        }
        for (at, range) in aws.additional_cidrs.iter().enumerate() {
            self.ipv4_of_size(*range, &field("additionalCIDRs").item(at), "a VPC range");
        }
        self.distinct(aws.cidr, &aws.additional_cidrs, &Path::dotted("spec.aws"));
    }

    /// Whether a range is one that a VPC or a subnet can have.
    pub(super) fn ipv4_of_size(&mut self, range: Cidr, path: &Path, what: &str) {
        if range.is_v6() {
            self.report(&rules::ADDRESS_INVALID, path, format!("`{range}` is an IPv6 range; {what} is IPv4 here"));
        } else if !(SHORTEST_PREFIX..=LONGEST_PREFIX).contains(&range.prefix()) {
            let message = format!("`{range}` is a /{}; {what} is a /{SHORTEST_PREFIX} to a /{LONGEST_PREFIX}", range.prefix());
            self.report(&rules::CIDR_SIZE, path, message);
        }
    }

    /// Whether the ranges of one network, `cidr` and `additionalCIDRs` of `parent`, are distinct.
    pub(super) fn distinct(&mut self, cidr: Cidr, additional: &[Cidr], parent: &Path) {
        let path_of = |at: usize| match at.checked_sub(1) {
            None => parent.child("cidr"),
            Some(index) => parent.child("additionalCIDRs").item(index),
        };
        let all: Vec<Cidr> = std::iter::once(cidr).chain(additional.iter().copied()).collect();
        for (at, range) in all.iter().enumerate() {
            if let Some(other) = all[..at].iter().position(|other| other.overlaps(*range)) {
                let message = format!("`{range}` shares addresses with `{}`", all[other]);
                let finding = Diagnostic::new(&rules::CIDR_OVERLAP, self.at(&path_of(at)), message);
                self.push(finding.also(self.at(&path_of(other)), "the other range"));
            }
        }
    }

    pub(super) fn zones(&mut self, aws: &Aws) {
        let count = aws.zones.len();
        if !(1..=MOST_ZONES).contains(&count) {
            self.report(&rules::ZONE_COUNT, &field("zones"), format!("{count} zones; a network has one to six"));
        }
        for (at, zone) in aws.zones.iter().enumerate() {
            let path = field("zones").item(at);
            if Zone::of(&aws.region, zone).is_none() {
                let message = format!("`{zone}` is no zone of the region `{}`", aws.region);
                let example = format!("a zone is the region and a letter: `{}a`", aws.region);
                let finding = Diagnostic::new(&rules::ZONE_REGION, self.at(&path), message).help(example);
                self.push(finding.also(self.at(&field("region")), "the region"));
            }
            if let Some(first) = aws.zones[..at].iter().position(|other| other == zone) {
                let finding = Diagnostic::new(&rules::ZONE_COUNT, self.at(&path), format!("the zone `{zone}` is named twice"));
                self.push(finding.also(self.at(&field("zones").item(first)), "the first time"));
            }
        }
    }

    /// Whether there is a slot for every subnet that is derived.
    pub(super) fn slots(&mut self, aws: &Aws) {
        for (at, zone) in aws.zones.iter().enumerate() {
            let Some(form) = Zone::of(&aws.region, zone) else { continue };
            let problem = if form.local {
                "is a local zone, which has no slot of its own".to_owned()
            } else if LETTERS.contains(&form.letter) {
                continue;
            } else {
                format!("has no slot: they go to the letters {} to {}", LETTERS.start(), LETTERS.end())
            };
            let finding = Diagnostic::new(&rules::ZONE_SLOT, self.at(&field("zones").item(at)), format!("`{zone}` {problem}"));
            self.push(finding);
        }
        let tightest = aws.tiers().iter().max_by_key(|tier| tier.bits());
        if let Some(tier) = tightest.filter(|tier| !aws.cidr.is_v6() && aws.cidr.prefix() + tier.bits() > LONGEST_PREFIX) {
            self.no_room(aws.cidr, *tier);
        }
        if aws.ipv6 && aws.vpc_id.is_some() {
            let message = "the IPv6 block of an existing VPC is not known, so no /64 can be derived";
            let finding = Diagnostic::new(&rules::IPV6_UNSUPPORTED, self.at(&field("ipv6")), message);
            self.push(finding.help("write `subnets` out, each with its `ipv6CIDR`"));
        }
    }

    fn no_room(&mut self, vpc: Cidr, tier: Tier) {
        let (subnets, how) = match tier {
            Tier::Nodes => ("node subnets", "the VPC in eighths"),
            Tier::Utility => ("utility subnets", "an eighth of the VPC in eighths"),
        };
        let (prefix, bits) = (vpc.prefix(), tier.bits());
        let message = format!(
            "`{vpc}` has no room: its {subnets}, {how}, would be /{prefix} + {bits} bits = /{}; AWS's end at /{LONGEST_PREFIX}",
            prefix + bits
        );
        let help = format!("give the VPC a /{} or larger, or write `subnets` out", LONGEST_PREFIX - bits);
        let finding = Diagnostic::new(&rules::CIDR_NO_ROOM, self.at(&field("cidr")), message).help(help);
        self.push(finding);
    }
}
