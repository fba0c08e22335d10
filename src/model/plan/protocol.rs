//! Protocols and ports of flows.

use std::fmt;

/// Protocol and ports of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP ports, first and last.
    Tcp(u16, u16),
    /// UDP ports, first and last.
    Udp(u16, u16),
    /// Every ICMP message.
    Icmp,
    /// Another IP protocol by its IANA number; 4 is IPIP, 41 IPv6 in IPv4, 50 ESP.
    Ip(u8),
}

impl Protocol {
    /// Reads a protocol (`tcp`, `udp`, `icmp`, `50`) and its ports (`443`, `9000-9100`).
    ///
    /// # Errors
    /// When either has another form, or ports stand with a protocol that has none; the text says which.
    pub fn parse(protocol: &str, ports: Option<&str>) -> Result<Self, String> {
        match (protocol, ports) {
            ("tcp", Some(ports)) => parse_ports(ports).map(|(first, last)| Protocol::Tcp(first, last)),
            ("udp", Some(ports)) => parse_ports(ports).map(|(first, last)| Protocol::Udp(first, last)),
            ("tcp" | "udp", None) => Err(format!("{protocol} needs a port")),
            (_, Some(_)) => Err(format!("`{protocol}` has no ports; tcp and udp have")),
            ("icmp", None) => Ok(Protocol::Icmp),
            (number, None) => parse_number(number),
        }
    }
}

/// One port or a range of ports.
fn parse_ports(text: &str) -> Result<(u16, u16), String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (decimal(first), decimal(last)) {
        (Some(first), Some(last)) if 1 <= first && first <= last => Ok((first, last)),
        (Some(first), Some(last)) if first > last => Err(format!("the range `{text}` ends before it begins")),
        _ => Err(format!("`{text}` is neither a port from 1 to 65535 nor a range such as `9000-9100`")),
    }
}

fn parse_number(text: &str) -> Result<Protocol, String> {
    match decimal::<u8>(text) {
        Some(6) => Err("protocol 6 is `tcp`".to_owned()),
        Some(17) => Err("protocol 17 is `udp`".to_owned()),
        Some(1) => Ok(Protocol::Icmp),
        Some(number) => Ok(Protocol::Ip(number)),
        None => Err(format!("`{text}` is none of tcp, udp, icmp and the IP protocol numbers 0 to 255")),
    }
}

/// A number in digits alone, without the sign and the leading zeros that `parse` takes.
fn decimal<T: std::str::FromStr>(text: &str) -> Option<T> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Protocol::Tcp(first, last) if first == last => write!(f, "{first}/tcp"),
            Protocol::Tcp(first, last) => write!(f, "{first}-{last}/tcp"),
            Protocol::Udp(first, last) if first == last => write!(f, "{first}/udp"),
            Protocol::Udp(first, last) => write!(f, "{first}-{last}/udp"),
            Protocol::Icmp => write!(f, "icmp"),
            Protocol::Ip(4) => write!(f, "IP protocol 4 (IPIP)"),
            Protocol::Ip(50) => write!(f, "IP protocol 50 (ESP)"),
            Protocol::Ip(number) => write!(f, "IP protocol {number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_and_ports_have_one_form() {
        assert_eq!(Protocol::parse("tcp", Some("443")), Ok(Protocol::Tcp(443, 443)));
        assert_eq!(Protocol::parse("udp", Some("6783-6784")), Ok(Protocol::Udp(6783, 6784)));
        assert_eq!(Protocol::parse("50", None), Ok(Protocol::Ip(50)));
        assert_eq!(Protocol::parse("icmp", None), Ok(Protocol::Icmp));
        for (protocol, ports) in [
            ("tcp", None),
            ("tcp", Some("0")),
            ("tcp", Some("65536")),
            ("tcp", Some("+80")),
            ("tcp", Some("080")),
            ("tcp", Some("90-80")),
            ("tcp", Some("80-")),
            ("50", Some("1")),
            ("icmp", Some("8")),
            ("TCP", Some("80")),
            ("6", None),
            ("256", None),
            ("-1", None),
            ("", None),
        ] {
            assert!(Protocol::parse(protocol, ports).is_err(), "{protocol} {ports:?}");
        }
    }
}
