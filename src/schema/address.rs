//! Strict network addresses.
//!
//! The usual parsers accept `010.0.0.0/8` and host bits; what an engineer typed must be what every reader sees, so both are
//! refused here, with the corrected form in the message.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::text::as_text;
use findings::{Rule, rules};

/// An address range without host bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr(IpNet);

/// Why a text is no address range, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The rule it breaks.
    pub rule: &'static Rule,
    /// What is wrong.
    pub message: String,
    /// What to write instead, where that can be told.
    pub help: Option<String>,
    /// The bytes of the text that are wrong, where it is not the whole.
    pub at: Option<Range<usize>>,
}

impl Invalid {
    fn form(message: String) -> Self {
        Self { rule: &rules::CIDR_INVALID, message, help: None, at: None }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Invalid {}

impl Cidr {
    /// Every IPv4 address.
    pub const ANY_V4: Cidr = Cidr(IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0)));
    /// Every IPv6 address.
    pub const ANY_V6: Cidr = Cidr(IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 0)));
    /// IPv4 addresses as an IPv6-only machine sees them: the well-known prefix of NAT64 (RFC 6052).
    pub const NAT64: Cidr = Cidr(IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96)));

    /// The range as the library type, for arithmetic.
    #[must_use]
    pub fn net(self) -> IpNet {
        self.0
    }

    /// The range as IPv4, when it is.
    #[must_use]
    pub fn v4(self) -> Option<Ipv4Net> {
        match self.0 {
            IpNet::V4(net) => Some(net),
            IpNet::V6(_) => None,
        }
    }

    /// Whether this is an IPv6 range.
    #[must_use]
    pub fn is_v6(self) -> bool {
        matches!(self.0, IpNet::V6(_))
    }

    /// Number of leading bits that all addresses share.
    #[must_use]
    pub fn prefix(self) -> u8 {
        self.0.prefix_len()
    }

    /// Whether the two ranges share an address.
    #[must_use]
    pub fn overlaps(self, other: Cidr) -> bool {
        self.0.contains(&other.0) || other.0.contains(&self.0)
    }

    /// Whether every address of `other` is in this range.
    #[must_use]
    pub fn contains(self, other: Cidr) -> bool {
        self.0.contains(&other.0)
    }

    /// Whether the address is in this range.
    #[must_use]
    pub fn holds(self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }

    /// The address `offset` places after the first one; none when that is beyond the range.
    #[must_use]
    pub fn host(self, offset: u32) -> Option<IpAddr> {
        let address = match self.0.network() {
            IpAddr::V4(base) => IpAddr::V4(Ipv4Addr::from(u32::from(base).checked_add(offset)?)),
            IpAddr::V6(base) => IpAddr::V6(Ipv6Addr::from(u128::from(base).checked_add(offset.into())?)),
        };
        self.holds(address).then_some(address)
    }

    /// The `index`-th of the sub-ranges with `prefix` bits; none when there are fewer.
    #[must_use]
    pub fn slot(self, prefix: u8, index: u32) -> Option<Cidr> {
        let IpNet::V4(net) = self.0 else { return None };
        let bits = prefix.checked_sub(net.prefix_len()).filter(|_| prefix <= 32)?;
        if u64::from(index) >= 1u64 << bits {
            return None;
        }
        let base = u64::from(u32::from(net.network())) + (u64::from(index) << (32 - prefix));
        let base = Ipv4Addr::from(u32::try_from(base).ok()?);
        Ipv4Net::new(base, prefix).ok().map(|net| Cidr(IpNet::V4(net)))
    }
}

/// Reads an IP address; leading zeros are refused.
///
/// # Errors
/// When the text is not exactly one IPv4 or IPv6 address.
pub fn parse_ip(text: &str) -> Result<IpAddr, Invalid> {
    text.parse().map_err(|_| {
        let (message, help) = match without_leading_zeros(text) {
            Some(decimal) => (
                format!("`{text}` has leading zeros, which some readers take for octal"),
                Some(format!("write `{decimal}` if it is decimal")),
            ),
            None => (format!("`{text}` is not an IP address"), None),
        };
        Invalid { rule: &rules::ADDRESS_INVALID, message, help, at: None }
    })
}

/// The IPv4 address that is meant where only leading zeros keep a text from being one.
fn without_leading_zeros(text: &str) -> Option<Ipv4Addr> {
    let decimal = |part: &str| match part.trim_start_matches('0') {
        "" if !part.is_empty() => "0".to_owned(),
        digits => digits.to_owned(),
    };
    text.split('.').map(decimal).collect::<Vec<_>>().join(".").parse().ok()
}

impl From<Ipv4Net> for Cidr {
    fn from(net: Ipv4Net) -> Self {
        Self(IpNet::V4(net.trunc()))
    }
}

impl FromStr for Cidr {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let Some((address, length)) = text.split_once('/') else {
            return Err(Invalid::form(match text.parse::<IpAddr>() {
                Ok(_) => format!("`{text}` has no prefix length (such as `/16`)"),
                Err(_) => format!("`{text}` is no address range such as `10.0.0.0/16`"),
            }));
        };
        let ip = parse_ip(address).map_err(|invalid| Invalid { rule: &rules::CIDR_INVALID, ..invalid })?;
        if let IpAddr::V6(v6) = ip
            && v6.to_ipv4_mapped().is_some()
        {
            return Err(Invalid::form(format!("`{text}` is an IPv4 range in IPv6 clothes")));
        }
        let digits = !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit());
        let prefix = length.parse().ok().filter(|_| digits && (length == "0" || !length.starts_with('0')));
        let net = prefix.and_then(|prefix| IpNet::new(ip, prefix).ok());
        let net = net.ok_or_else(|| Invalid::form(format!("`/{length}` is no prefix length of this address family")))?;
        if net.network() != ip {
            return Err(Invalid {
                rule: &rules::CIDR_HOST_BITS,
                message: format!("`{text}` has host bits set"),
                help: Some(format!("the network is `{}`", net.trunc())),
                at: None,
            });
        }
        Ok(Cidr(net))
    }
}

/// A subnet's IPv6 range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ipv6Range {
    /// The `index`-th range of `prefix` bits in the VPC's Amazon-provided /56, counted from 0.
    Slot {
        /// Bits.
        prefix: u8,
        /// Which one.
        index: u32,
    },
    /// Written out.
    Cidr(Cidr),
}

impl Ipv6Range {
    /// Bits of the block that Amazon provides for a VPC (VPC user guide, "VPC CIDR blocks").
    pub const BLOCK_PREFIX: u8 = 56;

    /// How many ranges of `prefix` bits the block holds; none when it holds none.
    #[must_use]
    pub fn slots(prefix: u8) -> Option<u32> {
        let bits = prefix.checked_sub(Self::BLOCK_PREFIX).filter(|_| prefix <= 64)?;
        Some(1 << bits)
    }

    /// Bits that all addresses share.
    #[must_use]
    pub fn prefix(self) -> u8 {
        match self {
            Ipv6Range::Slot { prefix, .. } => prefix,
            Ipv6Range::Cidr(cidr) => cidr.prefix(),
        }
    }

    /// Whether the two certainly share an address; a slot and a written range cannot be compared before the VPC exists.
    #[must_use]
    pub fn overlaps(self, other: Ipv6Range) -> bool {
        match (self, other) {
            (Ipv6Range::Slot { prefix, index }, Ipv6Range::Slot { prefix: p, index: i }) => {
                let common = prefix.min(p);
                let shift = |index: u32, prefix: u8| index.checked_shr(u32::from(prefix - common)).unwrap_or(0);
                shift(index, prefix) == shift(i, p)
            }
            (Ipv6Range::Cidr(one), Ipv6Range::Cidr(other)) => one.overlaps(other),
            _ => false,
        }
    }
}

impl FromStr for Ipv6Range {
    type Err = Invalid;

    /// Reads an IPv6 CIDR, or `/LENGTH#NUMBER` with the number in lower-case hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let Some((length, number)) = text.strip_prefix('/').and_then(|rest| rest.split_once('#')) else {
            let cidr: Cidr = text.parse()?;
            let wrong =
                Invalid { rule: &rules::ADDRESS_INVALID, message: format!("`{text}` is no IPv6 range"), help: None, at: None };
            return if cidr.is_v6() { Ok(Ipv6Range::Cidr(cidr)) } else { Err(wrong) };
        };
        let form = || {
            Invalid::form(format!("`{text}` is not of the form `/64#N` with N a number in hexadecimal digits, as in `/64#1f`"))
        };
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let prefix = length.parse().ok().filter(|_| length.bytes().all(|b| b.is_ascii_digit())).ok_or_else(form)?;
        let index = u32::from_str_radix(number, 16).ok().filter(|_| digits(number)).ok_or_else(form)?;
        let slots = Self::slots(prefix).ok_or_else(|| Invalid {
            rule: &rules::CIDR_NO_ROOM,
            message: format!("a VPC's IPv6 block is a /56, of which subnets are /56 to /64, not /{prefix}"),
            help: None,
            at: None,
        })?;
        if index >= slots {
            let message = format!(
                "a VPC's IPv6 block holds {slots} ranges of /{prefix}, with the numbers 0 to {:x}, not {index:x}",
                slots - 1
            );
            return Err(Invalid { rule: &rules::CIDR_OUTSIDE, message, help: None, at: None });
        }
        Ok(Ipv6Range::Slot { prefix, index })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

as_text!(Cidr, {"type": "string", "format": "cidr"});
