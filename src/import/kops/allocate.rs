//! Address ranges for subnets that have none, as kops allocates them (`upup/pkg/fi/cloudup/subnets.go`).
//!
//! The algorithm belongs to the release of kops. kops up to 1.27 always cuts the network into eighths and keeps the first for
//! utility subnets; from 1.28 on it cuts as coarsely as the number of subnets allows.

use model::declare::SubnetType;
use schema::address::Cidr;

/// A generation of the algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Generation {
    /// kops up to 1.27.
    Eighths,
    /// kops 1.28 and later.
    AsFewAsNeeded,
}

/// A subnet as far as allocation goes.
#[derive(Clone, Debug)]
pub(super) struct Wanted<'a> {
    /// Allocation is in order of zones, and of the manifest within one.
    pub(super) zone: &'a str,
    /// Utility subnets share one block.
    pub(super) kind: SubnetType,
    /// The range that it has already.
    pub(super) cidr: Option<Cidr>,
    /// Whether it needs no IPv4 range: a private subnet with an IPv6 range.
    pub(super) ipv6_only: bool,
}

impl Wanted<'_> {
    fn is_big(&self) -> bool {
        self.kind != SubnetType::Utility
    }

    /// Whether a range has to be found for it.
    pub(super) fn lacks_range(&self) -> bool {
        self.cidr.is_none() && !(self.is_big() && self.ipv6_only)
    }
}

/// The range of each subnet, in the order given; none where it needs none, or where the network has no room left.
pub(super) fn allocate(network: Cidr, subnets: &[Wanted<'_>], generation: Generation) -> Vec<Option<Cidr>> {
    let mut ranges: Vec<Option<Cidr>> = subnets.iter().map(|subnet| subnet.cidr).collect();
    // Subnets in additional ranges of the network take no part.
    let inside = |subnet: &Wanted<'_>| subnet.cidr.is_none_or(|cidr| network.contains(cidr));
    let mut order: Vec<usize> = (0..subnets.len()).filter(|at| inside(&subnets[*at])).collect();
    order.sort_by_key(|at| subnets[*at].zone);
    let (big, little): (Vec<usize>, Vec<usize>) = order.into_iter().partition(|at| subnets[*at].is_big());

    let reserved: Vec<Cidr> = subnets.iter().filter_map(|subnet| subnet.cidr).collect();
    let blocks = split(network, bits(generation, big.len(), little.len()));
    let mut blocks = blocks.into_iter().filter(|block| reserved.iter().all(|taken| !taken.overlaps(*block)));
    let keeps_first = generation == Generation::Eighths || !little.is_empty();
    let mut parts = if keeps_first { blocks.next().map(|block| split(block, 3)) } else { None }.unwrap_or_default().into_iter();

    for at in little.into_iter().filter(|at| subnets[*at].lacks_range()) {
        ranges[at] = parts.next();
    }
    for at in big.into_iter().filter(|at| subnets[*at].lacks_range()) {
        ranges[at] = blocks.next();
    }
    ranges
}

/// By how many bits blocks are longer than the network's prefix.
fn bits(generation: Generation, big: usize, little: usize) -> u8 {
    match (generation, big + usize::from(little > 0)) {
        (Generation::Eighths, _) => 3,
        (_, 0 | 1) => 0,
        (_, 2) => 1,
        (_, 3 | 4) => 2,
        _ => 3,
    }
}

/// The parts of `range` whose prefixes are `bits` longer; none when they would be too long.
fn split(range: Cidr, bits: u8) -> Vec<Cidr> {
    let prefix = range.prefix().saturating_add(bits);
    (0..1 << bits).filter_map(|index| range.slot(prefix, index)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kops::allocate::Generation::{AsFewAsNeeded, Eighths};

    /// Subnets as `ZONE TYPE [CIDR | 6]`, `6` for a private one with IPv6 alone; the ranges they get.
    fn ranges(network: &str, subnets: &[&str], generation: Generation) -> Vec<String> {
        let wanted: Vec<Wanted<'_>> = subnets.iter().map(|text| wanted(text)).collect();
        let ranges = allocate(network.parse().unwrap(), &wanted, generation);
        ranges.into_iter().map(|range| range.map_or("-".to_owned(), |range| range.to_string())).collect()
    }

    fn wanted(text: &str) -> Wanted<'_> {
        let mut words = text.split(' ');
        let zone = words.next().unwrap();
        let kind = match words.next().unwrap() {
            "public" => SubnetType::Public,
            "private" => SubnetType::Private,
            "dual" => SubnetType::DualStack,
            _ => SubnetType::Utility,
        };
        let last = words.next();
        let cidr = last.and_then(|text| text.parse().ok());
        Wanted { zone, kind, cidr, ipv6_only: last == Some("6") && kind == SubnetType::Private }
    }

    /// The cases of kops's own table, for 10.0.0.0/8.
    #[test]
    fn blocks_as_large_as_the_count_allows() {
        for (subnets, expected) in [
            (&["a public 10.1.0.0/16"][..], &["10.1.0.0/16"][..]),
            (&["a public"], &["10.0.0.0/8"]),
            (&["a public", "b public"], &["10.0.0.0/9", "10.128.0.0/9"]),
            (&["b public", "a public"], &["10.128.0.0/9", "10.0.0.0/9"]),
            (&["a public 10.64.0.0/11", "b public"], &["10.64.0.0/11", "10.128.0.0/9"]),
            (&["a public 10.0.0.0/9", "b public"], &["10.0.0.0/9", "10.128.0.0/9"]),
            (&["a public", "a utility"], &["10.128.0.0/9", "10.0.0.0/12"]),
            (&["a private 6"], &["-"]),
            (&["a dual 6"], &["10.0.0.0/8"]),
            (
                &["a public", "a utility", "b public", "b private", "b utility", "c public", "c private", "c utility"],
                &[
                    "10.32.0.0/11",
                    "10.0.0.0/14",
                    "10.64.0.0/11",
                    "10.96.0.0/11",
                    "10.4.0.0/14",
                    "10.128.0.0/11",
                    "10.160.0.0/11",
                    "10.8.0.0/14",
                ],
            ),
        ] {
            assert_eq!(ranges("10.0.0.0/8", subnets, AsFewAsNeeded), expected, "{subnets:?}");
        }
    }

    /// What `kops create cluster` of 1.24 and of today makes of 172.20.0.0/16.
    #[test]
    fn generations_differ() {
        let zones = ["a public", "b public", "c public"];
        assert_eq!(ranges("172.20.0.0/16", &zones, Eighths), ["172.20.32.0/19", "172.20.64.0/19", "172.20.96.0/19"]);
        assert_eq!(ranges("172.20.0.0/16", &zones, AsFewAsNeeded), ["172.20.0.0/18", "172.20.64.0/18", "172.20.128.0/18"]);
        let private = ["a private", "a utility"];
        assert_eq!(ranges("172.20.0.0/16", &private, Eighths), ["172.20.32.0/19", "172.20.0.0/22"]);
        assert_eq!(ranges("172.20.0.0/16", &private, AsFewAsNeeded), ["172.20.128.0/17", "172.20.0.0/20"]);
        let ipv6 = ["a private 6", "a dual", "a utility"];
        assert_eq!(ranges("172.20.0.0/16", &ipv6, AsFewAsNeeded), ["-", "172.20.64.0/18", "172.20.0.0/21"]);
    }

    #[test]
    fn eighths_run_out() {
        let subnets: Vec<String> = ('a'..='h').map(|zone| format!("{zone} public")).collect();
        let subnets: Vec<&str> = subnets.iter().map(String::as_str).collect();
        let got = ranges("10.0.0.0/16", &subnets, Eighths);
        assert_eq!((got[0].as_str(), got[6].as_str(), got[7].as_str()), ("10.0.32.0/19", "10.0.224.0/19", "-"));
        assert_eq!(ranges("10.0.0.0/31", &["a public", "b public"], Eighths), ["-", "-"]);
    }

    #[test]
    fn a_range_outside_the_network_takes_no_part() {
        let got = ranges("10.0.0.0/16", &["a public 10.1.0.0/24", "b public"], AsFewAsNeeded);
        assert_eq!(got, ["10.1.0.0/24", "10.0.0.0/16"]);
    }
}
