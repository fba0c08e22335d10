//! IP addresses and ranges.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::super::value::Value;
use super::{Function, Outcome, function, method, refused};

pub(super) const FUNCTIONS: &[Function] = &[
    function("ip", 1..=1, |_, it| match it {
        [Value::String(text)] => address(text).map(Value::Ip),
        _ => refused(it),
    }),
    function("isIP", 1..=1, |_, it| match it {
        [Value::String(text)] => Ok(Value::Bool(address(text).is_ok())),
        _ => refused(it),
    }),
    function("ip.isCanonical", 1..=1, |_, it| match it {
        [Value::String(text)] => Ok(Value::Bool(address(text)?.to_string() == **text)),
        _ => refused(it),
    }),
    function("cidr", 1..=1, |_, it| match it {
        [Value::String(text)] => range(text).map(|(address, length)| Value::Cidr(address, length)),
        _ => refused(it),
    }),
    function("isCIDR", 1..=1, |_, it| match it {
        [Value::String(text)] => Ok(Value::Bool(range(text).is_ok())),
        _ => refused(it),
    }),
    method("family", 0..=0, |_, it| match it {
        [Value::Ip(address)] => Ok(Value::Int(if address.is_ipv4() { 4 } else { 6 })),
        _ => refused(it),
    }),
    method("isUnspecified", 0..=0, |_, it| test(it, IpAddr::is_unspecified)),
    method("isLoopback", 0..=0, |_, it| test(it, IpAddr::is_loopback)),
    method("isLinkLocalMulticast", 0..=0, |_, it| test(it, link_local_multicast)),
    method("isLinkLocalUnicast", 0..=0, |_, it| test(it, link_local_unicast)),
    method("isGlobalUnicast", 0..=0, |_, it| {
        test(it, |address| {
            let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
            let special = address.is_unspecified() || address.is_loopback() || address.is_multicast();
            !broadcast && !special && !link_local_unicast(address)
        })
    }),
    method("containsIP", 1..=1, |_, it| {
        let (Value::Cidr(network, length), address) = (match it {
            [cidr, Value::Ip(address)] => (cidr, *address),
            [cidr, Value::String(text)] => (cidr, address(text)?),
            _ => return refused(it),
        }) else {
            return refused(it);
        };
        Ok(Value::Bool(masked(address, *length) == masked(*network, *length)))
    }),
    method("containsCIDR", 1..=1, |_, it| {
        let (Value::Cidr(network, length), (inner, inner_length)) = (match it {
            [cidr, Value::Cidr(address, length)] => (cidr, (*address, *length)),
            [cidr, Value::String(text)] => (cidr, range(text)?),
            _ => return refused(it),
        }) else {
            return refused(it);
        };
        Ok(Value::Bool(inner_length >= *length && masked(inner, *length) == masked(*network, *length)))
    }),
    method("ip", 0..=0, |_, it| match it {
        [Value::Cidr(address, _)] => Ok(Value::Ip(*address)),
        _ => refused(it),
    }),
    method("masked", 0..=0, |_, it| match it {
        [Value::Cidr(address, length)] => Ok(Value::Cidr(masked(*address, *length), *length)),
        _ => refused(it),
    }),
    method("prefixLength", 0..=0, |_, it| match it {
        [Value::Cidr(_, length)] => Ok(Value::Int((*length).into())),
        _ => refused(it),
    }),
];

/// An address as Kubernetes takes it: no zone, no IPv4 address in IPv6's clothes, no leading zeros.
fn address(text: &str) -> Result<IpAddr, String> {
    let parsed: Option<IpAddr> = text.parse().ok();
    let mapped = |address: &IpAddr| matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
    parsed.filter(|address| !mapped(address)).ok_or_else(|| format!("`{text}` is no IP address"))
}

fn range(text: &str) -> Result<(IpAddr, u8), String> {
    let parse = || {
        let (before, after) = text.split_once('/')?;
        let address = address(before).ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let plain = after.bytes().all(|byte| byte.is_ascii_digit()) && (after == "0" || !after.starts_with('0'));
        let length: u8 = after.parse().ok().filter(|length| plain && *length <= most)?;
        Some((address, length))
    };
    parse().ok_or_else(|| format!("`{text}` is no CIDR"))
}

fn masked(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length.min(32))).unwrap_or(0);
            Ipv4Addr::from(u32::from(v4) & mask).into()
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length.min(128))).unwrap_or(0);
            Ipv6Addr::from(u128::from(v6) & mask).into()
        }
    }
}

fn link_local_unicast(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

/// 224.0.0.0/24 and ff02::/16.
fn link_local_multicast(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.octets()[..3] == [224, 0, 0],
        IpAddr::V6(v6) => v6.segments()[0] & 0xff0f == 0xff02,
    }
}

fn test<'a>(it: &[Value<'a>], is: fn(&IpAddr) -> bool) -> Outcome<'a> {
    match it {
        [Value::Ip(address)] => Ok(Value::Bool(is(address))),
        _ => refused(it),
    }
}
