//! The subnets that a network means: those written out or, where none is, one for each zone and tier at a fixed place.
//!
//! **Slots.** The place of a derived subnet depends on the VPC's range, the zone's letter and the tier, and on nothing else:
//! not on the other zones, not on their order. Adding or removing a zone never moves a subnet.
//!
//! A VPC range /P is split into eighths, /P+3 each, numbered from 0:
//!
//! | eighth | holds | of 172.20.0.0/16 |
//! |---|---|---|
//! | 0 | the utility subnets, /P+6 each: a, b, c, d, e, f in this order, then two free | 172.20.0.0/22, 172.20.4.0/22, … |
//! | 1 to 6 | the node subnets of zones a to f | 172.20.32.0/19, 172.20.64.0/19, … |
//! | 7 | nothing: room for subnets of one's own | 172.20.224.0/19 |
//!
//! Node subnets are `Public` or `Private` as the topology says; only a private topology has utility subnets. For the zones
//! a, b, c these are the ranges that kops up to 1.27 chose (facts: "Subnet allocator"). Since an AWS subnet is a /28 at the
//! smallest, a public topology needs a /25 or larger and a private one a /22 or larger.
//!
//! With IPv6 the same split of the VPC's /56 gives each of them a /64: number 32 of zone a's nodes, 64 of zone b's, …; 0 of
//! zone a's utility subnet, 4 of zone b's, ….

use super::{Aws, Subnet, SubnetType, Topology};
use schema::address::Cidr;

/// The longest prefix of an AWS subnet (VPC user guide, "Subnet sizing").
pub const LONGEST_PREFIX: u8 = 28;
/// The shortest prefix of an AWS VPC range or subnet.
pub const SHORTEST_PREFIX: u8 = 16;
/// Letters that have a slot; no region has a zone beyond `f`.
pub const LETTERS: std::ops::RangeInclusive<char> = 'a'..='f';

/// Bits by which the eighths are longer than the VPC's prefix.
const NODE_BITS: u8 = 3;
/// Bits by which the eighths of the first eighth are longer.
const UTILITY_BITS: u8 = 6;

/// What a derived subnet is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// Machines.
    Nodes,
    /// NAT gateways and load balancers of a private topology.
    Utility,
}

impl Tier {
    /// Bits by which a subnet of this tier is longer than the VPC's prefix.
    #[must_use]
    pub fn bits(self) -> u8 {
        match self {
            Tier::Nodes => NODE_BITS,
            Tier::Utility => UTILITY_BITS,
        }
    }

    /// Which of the ranges of its size a zone's subnet is.
    #[must_use]
    pub fn index(self, letter: char) -> Option<u32> {
        let zone = LETTERS.clone().position(|known| known == letter).and_then(|at| u32::try_from(at).ok())?;
        Some(match self {
            Tier::Nodes => 1 + zone,
            Tier::Utility => zone,
        })
    }

    /// The place of a zone's subnet in a VPC range; none when the letter has no slot or the subnet would be too small.
    #[must_use]
    pub fn slot(self, vpc: Cidr, letter: char) -> Option<Cidr> {
        let prefix = vpc.prefix().checked_add(self.bits()).filter(|prefix| *prefix <= LONGEST_PREFIX)?;
        vpc.slot(prefix, self.index(letter)?)
    }

    /// The number of a zone's /64 in the VPC's /56: the first one in the corresponding slot.
    fn ipv6(self, letter: char) -> Option<u32> {
        Some(self.index(letter)? << (8 - self.bits()))
    }
}

/// A zone, read by its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone<'a> {
    /// What follows the region's name: `a`, or `-lax-1a` for a local zone.
    pub suffix: &'a str,
    /// Whether it is a local zone, `us-west-2-lax-1a` of `us-west-2`.
    pub local: bool,
    /// The letter at the end.
    pub letter: char,
}

impl<'a> Zone<'a> {
    /// Reads a zone of `region`; none when it is another region's or no zone at all.
    #[must_use]
    pub fn of(region: &str, zone: &'a str) -> Option<Self> {
        let suffix = zone.strip_prefix(region)?;
        let letter = suffix.chars().next_back().filter(char::is_ascii_lowercase)?;
        let before = suffix.strip_suffix(letter)?;
        if before.is_empty() {
            return Some(Self { suffix, local: false, letter });
        }
        let (place, number) = before.strip_prefix('-')?.split_once('-')?;
        let form = !place.is_empty()
            && place.bytes().all(|b| b.is_ascii_lowercase())
            && !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit());
        form.then_some(Self { suffix, local: true, letter })
    }
}

impl Aws {
    /// Every range of the VPC, the primary one first.
    pub fn ranges(&self) -> impl Iterator<Item = Cidr> {
        std::iter::once(self.cidr).chain(self.additional_cidrs.iter().copied())
    }

    /// The tiers that are derived when no subnet is written.
    #[must_use]
    pub fn tiers(&self) -> &'static [Tier] {
        match self.topology {
            Topology::Public => &[Tier::Nodes],
            Topology::Private => &[Tier::Nodes, Tier::Utility],
        }
    }

    /// The subnets written, or those derived; what has no slot is left out.
    #[must_use]
    pub fn effective_subnets(&self) -> Vec<Subnet> {
        if !self.subnets.is_empty() {
            return self.subnets.clone();
        }
        let of_tier = |tier: &Tier| self.zones.iter().filter_map(|zone| self.derived(zone, *tier)).collect::<Vec<_>>();
        self.tiers().iter().flat_map(of_tier).collect()
    }

    fn derived(&self, zone: &str, tier: Tier) -> Option<Subnet> {
        let letter = Zone::of(&self.region, zone).filter(|zone| !zone.local)?.letter;
        let cidr = tier.slot(self.cidr, letter)?;
        let (name, kind) = match (tier, self.topology) {
            (Tier::Utility, _) => (format!("utility-{zone}"), SubnetType::Utility),
            (Tier::Nodes, Topology::Private) => (zone.to_owned(), SubnetType::Private),
            (Tier::Nodes, Topology::Public) => (zone.to_owned(), SubnetType::Public),
        };
        let ipv6_cidr = tier.ipv6(letter).filter(|_| self.ipv6).map(|number| format!("/64#{number:x}"));
        Some(Subnet {
            name,
            zone: zone.to_owned(),
            kind,
            cidr: Some(cidr),
            ipv6_cidr,
            id: None,
            egress: None,
            public_ip: None,
            additional_routes: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aws(cidr: &str, zones: &[&str], topology: Topology) -> Aws {
        let zones: Vec<String> = zones.iter().map(|zone| format!("us-east-1{zone}")).collect();
        let json = serde_json::json!({"region": "us-east-1", "cidr": cidr, "zones": zones, "topology": topology, "ipv6": true});
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn the_slots_of_kops_for_three_zones() {
        let of = |topology| -> Vec<String> {
            let subnets = aws("172.20.0.0/16", &["a", "b", "c"], topology).effective_subnets();
            let text = |s: &Subnet| Some(format!("{} {} {}", s.name, s.cidr?, s.ipv6_cidr.as_deref()?));
            subnets.iter().filter_map(text).collect()
        };
        assert_eq!(
            of(Topology::Private),
            [
                "us-east-1a 172.20.32.0/19 /64#20",
                "us-east-1b 172.20.64.0/19 /64#40",
                "us-east-1c 172.20.96.0/19 /64#60",
                "utility-us-east-1a 172.20.0.0/22 /64#0",
                "utility-us-east-1b 172.20.4.0/22 /64#4",
                "utility-us-east-1c 172.20.8.0/22 /64#8",
            ]
        );
        assert_eq!(of(Topology::Public).len(), 3);
    }

    /// A subnet of every set of zones is the same subnet in the network of all six.
    #[test]
    fn zones_never_move_each_other() {
        let letters = ["a", "b", "c", "d", "e", "f"];
        for topology in [Topology::Public, Topology::Private] {
            let all = aws("10.0.0.0/20", &letters, topology).effective_subnets();
            let text = |s: &Subnet| format!("{s:?}");
            let places: Vec<String> = all.iter().map(text).collect();
            for (at, one) in all.iter().enumerate() {
                let overlap = |other: &Subnet| one.cidr.zip(other.cidr).is_some_and(|(one, other)| one.overlaps(other));
                assert!(!all[at + 1..].iter().any(overlap), "{one:?}");
            }
            for set in 1..64u32 {
                let chosen: Vec<&str> = (0..6).filter(|at| set & (1 << at) != 0).map(|at| letters[at]).rev().collect();
                let subnets = aws("10.0.0.0/20", &chosen, topology).effective_subnets();
                assert_eq!(subnets.len(), chosen.len() * if topology == Topology::Public { 1 } else { 2 });
                assert!(subnets.iter().map(text).all(|subnet| places.contains(&subnet)), "{chosen:?}");
            }
        }
    }

    #[test]
    fn zones_by_form() {
        let of = |region, zone| Zone::of(region, zone).map(|zone| (zone.suffix, zone.local, zone.letter));
        assert_eq!(of("us-test-1", "us-test-1a"), Some(("a", false, 'a')));
        assert_eq!(of("us-west-2", "us-west-2-lax-1b"), Some(("-lax-1b", true, 'b')));
        for zone in
            ["us-west-1a", "us-west-2", "us-west-2ab", "us-west-2A", "us-west-21a", "us-west-2-1a", "us-west-2-lax-a", "a"]
        {
            assert_eq!(of("us-west-2", zone), None, "{zone}");
        }
    }

    #[test]
    fn no_slot_beyond_f_or_below_a_28() {
        let vpc = |text: &str| text.parse::<Cidr>().unwrap();
        assert_eq!(Tier::Nodes.slot(vpc("10.0.0.0/16"), 'g'), None);
        assert_eq!(Tier::Nodes.slot(vpc("10.0.0.0/25"), 'f'), Some(vpc("10.0.0.96/28")));
        assert_eq!(Tier::Nodes.slot(vpc("10.0.0.0/26"), 'a'), None);
        assert_eq!(Tier::Utility.slot(vpc("10.0.0.0/22"), 'f'), Some(vpc("10.0.0.80/28")));
        assert_eq!(Tier::Utility.slot(vpc("10.0.0.0/23"), 'a'), None);
    }
}
