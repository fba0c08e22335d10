//! Formats of text that schemas name.

use std::net::SocketAddr;

use crate::address::{self, Cidr};
use crate::version::{Version, VersionRange};
use findings::rules;

/// A text format of ours.
pub(super) struct Format {
    pub(super) name: &'static str,
    pub(super) check: fn(&str) -> Result<(), address::Invalid>,
}

/// All of them.
pub(super) const FORMATS: [Format; 8] = [
    Format { name: "cidr", check: |text| text.parse::<Cidr>().map(drop) },
    Format { name: "ip", check: |text| address::parse_ip(text).map(drop) },
    Format { name: "dns-label", check: dns_label },
    Format { name: "dns-name", check: dns_name },
    Format { name: "host", check: host },
    Format { name: "nameserver", check: nameserver },
    Format { name: "kubernetes-version", check: kubernetes_version },
    Format { name: "kubernetes-range", check: |text| text.parse::<VersionRange>().map(drop) },
];

/// Whether a text has a format, as far as it is one of ours, or no format of text at all.
pub(super) fn has(name: &str, text: &str) -> Option<bool> {
    FORMATS.iter().find(|format| format.name == name).map(|format| (format.check)(text).is_ok())
}

/// A DNS label (RFC 1123) that is no device name of Windows.
pub fn dns_label(text: &str) -> Result<(), address::Invalid> {
    let inner = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let ends = !text.starts_with('-') && !text.ends_with('-');
    let device = matches!(text, "con" | "prn" | "aux" | "nul")
        || (text.len() == 4
            && (text.starts_with("com") || text.starts_with("lpt"))
            && text.ends_with(|c: char| c.is_ascii_digit()));
    if !text.is_empty() && text.len() <= 63 && inner && ends && !device {
        return Ok(());
    }
    let what = if device { "a device name of Windows" } else { "no DNS label" };
    Err(address::Invalid { rule: &rules::NAME_INVALID, message: format!("`{text}` is {what}"), help: None, at: None })
}

/// A DNS name (RFC 1123): labels with dots between them, at most 253 characters.
fn dns_name(text: &str) -> Result<(), address::Invalid> {
    let inner = |label: &str| label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let label =
        |label: &str| !label.is_empty() && label.len() <= 63 && inner(label) && !label.starts_with('-') && !label.ends_with('-');
    if text.len() <= 253 && text.split('.').all(label) {
        return Ok(());
    }
    let message = format!("`{text}` is no DNS name such as `prod.example.com`");
    Err(address::Invalid { rule: &rules::NAME_INVALID, message, help: None, at: None })
}

/// A DNS name or an address.
fn host(text: &str) -> Result<(), address::Invalid> {
    // A name whose last label is a number is an address to everyone who resolves it (WHATWG URL), so it has to be a good one.
    let colons = text.contains(':') && text.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte));
    let numeric = colons || text.rsplit('.').next().is_some_and(|last| last.parse::<u64>().is_ok());
    if numeric { address::parse_ip(text).map(drop) } else { dns_name(text) }
}

/// Where a DNS server listens: an address, with or without a port.
fn nameserver(text: &str) -> Result<(), address::Invalid> {
    match address::parse_ip(text) {
        Ok(_) => Ok(()),
        Err(_) if text.parse::<SocketAddr>().is_ok_and(|server| server.port() > 0) => Ok(()),
        Err(invalid) => {
            let help = "write an address such as `192.0.2.53`, `192.0.2.53:5353` or `[2001:db8::53]:5353`".to_owned();
            Err(address::Invalid { help: Some(invalid.help.unwrap_or(help)), ..invalid })
        }
    }
}

fn kubernetes_version(text: &str) -> Result<(), address::Invalid> {
    let wrong = |message| address::Invalid { rule: &rules::KUBERNETES_VERSION, message, help: None, at: None };
    match text.parse()? {
        Version { major: 1, minor: 16.., .. } => Ok(()),
        Version { major: 1, .. } => Err(wrong(format!("Kubernetes {text} is older than 1.16"))),
        _ => Err(wrong(format!("`{text}` is no Kubernetes version such as \"1.33\""))),
    }
}
