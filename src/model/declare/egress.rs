//! The ways out of a network: what `egress`, `publicIP` and `natGateways` mean together, zone by zone.
//!
//! The private (and dual-stack) subnets of a zone share one route table, so they have one way out: the egress written, or
//! else what `natGateways` says. Public subnets with IPv6 need a NAT gateway, too, for IPv4 destinations that their IPv6-only
//! pods reach as 64:ff9b::/96 (NAT64, as in kops); they take the zone's NAT gateway where one is written, and otherwise what
//! `natGateways` says. Subnets that exist already keep the routes they have and take no part.

use std::str::FromStr;

use super::{Aws, NatGateways, Subnet, SubnetType};

/// What the field `egress` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Egress {
    /// `nat-…`: an existing NAT gateway.
    NatGateway(String),
    /// `eipalloc-…`: a NAT gateway of the zone's own with this Elastic IP.
    Address(String),
    /// `tgw-…`: a transit gateway.
    Transit(String),
    /// `i-…`: a NAT instance.
    Instance(String),
    /// `External`: routes that somebody else makes.
    External,
}

impl FromStr for Egress {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "External" {
            return Ok(Egress::External);
        }
        let make = match aws_id(text).ok_or(())? {
            "nat" => Egress::NatGateway,
            "eipalloc" => Egress::Address,
            "tgw" => Egress::Transit,
            "i" => Egress::Instance,
            _ => return Err(()),
        };
        Ok(make(text.to_owned()))
    }
}

/// The kind of an AWS id, the part before `-`; none when the text has not the form of one.
#[must_use]
pub fn aws_id(text: &str) -> Option<&str> {
    let (kind, rest) = text.split_once('-')?;
    let form = !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    form.then_some(kind)
}

/// A way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// Through the NAT gateway that netloom makes in this zone.
    Planned(String),
    /// Through an existing NAT gateway.
    NatGateway(String),
    /// Through a transit gateway.
    Transit(String),
    /// Through a NAT instance.
    Instance(String),
    /// By routes that somebody else makes.
    External,
    /// Not at all.
    Isolated,
}

/// The ways out of one zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exits {
    /// The zone.
    pub zone: String,
    /// Of private and dual-stack subnets; none when the zone has none of netloom's own.
    pub private: Option<Way>,
    /// Of public IPv6 subnets to IPv4 destinations; none when the zone has no such subnet.
    pub nat64: Option<Way>,
    /// The existing Elastic IP (`eipalloc-…`) that the zone's NAT gateway has.
    pub allocation: Option<String>,
    /// The public address that is asked for the zone's NAT gateway.
    pub public_ip: Option<String>,
}

impl Exits {
    /// Whether netloom makes a NAT gateway in this zone.
    #[must_use]
    pub fn has_nat_gateway(&self, all: &[Exits]) -> bool {
        let here = Way::Planned(self.zone.clone());
        all.iter().any(|exits| exits.private.as_ref() == Some(&here) || exits.nat64.as_ref() == Some(&here))
    }
}

impl Subnet {
    /// Whether netloom makes this subnet.
    #[must_use]
    pub fn is_owned(&self) -> bool {
        self.id.is_none()
    }

    /// Whether its traffic to the internet leaves through the zone's private route table.
    #[must_use]
    pub fn is_private(&self) -> bool {
        matches!(self.kind, SubnetType::Private | SubnetType::DualStack)
    }

    /// Whether it is public with IPv6, so that it wants NAT64.
    #[must_use]
    pub fn is_public_ipv6(&self) -> bool {
        self.kind == SubnetType::Public && self.ipv6_cidr.is_some()
    }

    /// The egress written, when it has a known form.
    #[must_use]
    pub fn written_egress(&self) -> Option<Egress> {
        self.egress.as_deref()?.parse().ok()
    }

    /// Whether somebody else makes its routes.
    #[must_use]
    pub fn is_external(&self) -> bool {
        self.written_egress() == Some(Egress::External)
    }
}

/// The ways out of every zone that `subnets` stand in, in the order of the declaration's zones.
#[must_use]
pub fn exits(aws: &Aws, subnets: &[Subnet]) -> Vec<Exits> {
    let zones: Vec<Written> = aws.zones.iter().map(|zone| Written::of(zone, subnets)).collect();
    let wants_any = |zone: &&Written| zone.private == Some(None) || zone.nat64 == Some(None);
    let first = zones.iter().find(wants_any).map_or("", |zone| zone.name);
    let by_mode = |zone: &Written| match aws.nat_gateways {
        _ if zone.public_ip.is_some() => Way::Planned(zone.name.to_owned()),
        NatGateways::PerZone => Way::Planned(zone.name.to_owned()),
        NatGateways::Single => Way::Planned(first.to_owned()),
        NatGateways::None => Way::Isolated,
    };
    let way = |zone: &Written, egress: Option<Egress>| match egress {
        Some(Egress::NatGateway(id)) => Way::NatGateway(id),
        Some(Egress::Address(_)) => Way::Planned(zone.name.to_owned()),
        Some(Egress::Transit(id)) => Way::Transit(id),
        Some(Egress::Instance(id)) => Way::Instance(id),
        Some(Egress::External) => Way::External,
        None => by_mode(zone),
    };
    let exits = |zone: &Written| Exits {
        zone: zone.name.to_owned(),
        private: zone.private.clone().map(|egress| way(zone, egress)),
        nat64: zone.nat64.clone().map(|egress| way(zone, egress)),
        allocation: zone.allocation.clone(),
        public_ip: zone.public_ip.clone(),
    };
    zones.iter().map(exits).collect()
}

/// What is written about one zone. The outer `Option` tells whether there is such a subnet, the inner one whether an egress
/// is written.
struct Written<'a> {
    name: &'a str,
    private: Option<Option<Egress>>,
    nat64: Option<Option<Egress>>,
    allocation: Option<String>,
    public_ip: Option<String>,
}

impl<'a> Written<'a> {
    fn of(name: &'a str, subnets: &[Subnet]) -> Self {
        let here = || subnets.iter().filter(|subnet| subnet.zone == name && subnet.is_owned());
        let written = |subnets: Vec<&Subnet>| subnets.iter().find_map(|subnet| subnet.written_egress());
        let private: Vec<&Subnet> = here().filter(|subnet| subnet.is_private()).collect();
        let public: Vec<&Subnet> = here().filter(|subnet| subnet.is_public_ipv6() && !subnet.is_external()).collect();
        // A NAT gateway that is written for one tier of the zone serves the other, too.
        let gateway = |egress: &Egress| matches!(egress, Egress::NatGateway(_) | Egress::Address(_));
        let shared = here().filter_map(Subnet::written_egress).find(gateway);
        let or_shared = |subnets: Vec<&Subnet>| (!subnets.is_empty()).then(|| written(subnets).or_else(|| shared.clone()));
        let (private, nat64) = (or_shared(private), or_shared(public));
        let allocation = here().find_map(|subnet| match subnet.written_egress() {
            Some(Egress::Address(id)) => Some(id),
            _ => None,
        });
        let public_ip = here().find_map(|subnet| subnet.public_ip.clone());
        Self { name, private, nat64, allocation, public_ip }
    }
}

/// The subnet that a zone's NAT gateway stands in: its one utility subnet or, where it has none, its one public subnet.
///
/// # Errors
/// The candidates, when they are not exactly one.
pub fn nat_subnet<'a>(zone: &str, subnets: &'a [Subnet]) -> Result<&'a Subnet, Vec<&'a Subnet>> {
    let of_kind = |kind: SubnetType| -> Vec<&Subnet> {
        subnets.iter().filter(|subnet| subnet.zone == zone && subnet.kind == kind && subnet.is_owned()).collect()
    };
    let utility = of_kind(SubnetType::Utility);
    let candidates = if utility.is_empty() { of_kind(SubnetType::Public) } else { utility };
    match candidates.as_slice() {
        [one] => Ok(one),
        _ => Err(candidates),
    }
}
