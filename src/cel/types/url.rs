//! URLs, as Go's `net/url` reads them: absolute, or a path from the root.

mod escape;

use std::net::Ipv6Addr;

use escape::escaped;
pub(crate) use escape::{Part, decoded};

/// A URL and its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Url {
    pub(crate) scheme: String,
    user: String,
    pub(crate) host: String,
    /// The path, escaped.
    pub(crate) path: String,
    pub(crate) query: String,
    /// What stands after `#`, or instead of host and path.
    rest: String,
}

impl Url {
    /// Reads a URL; what stands after `#` is no part of its path.
    pub fn parse(text: &str) -> Option<Self> {
        Self::read(text, false)?;
        let (before, fragment) = text.split_once('#').unwrap_or((text, ""));
        decoded(fragment, Part::Path)?;
        let mut url = Self::read(before, true)?;
        url.rest.push_str(fragment);
        Some(url)
    }

    /// Whether a text is an absolute URL, or a path from the root.
    pub fn is(text: &str) -> bool {
        Self::read(text, false).is_some()
    }

    /// `relative`: a text that begins with two slashes names a host.
    fn read(text: &str, relative: bool) -> Option<Self> {
        if text.is_empty() || text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return None;
        }
        if text == "*" {
            return Some(Self { path: "*".to_owned(), ..Self::default() });
        }
        let (scheme, rest) = scheme(text)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut url = Self { scheme, query: query.to_owned(), ..Self::default() };
        if !rest.starts_with('/') {
            rest.clone_into(&mut url.rest);
            return (!url.scheme.is_empty()).then_some(url);
        }
        let named = !url.scheme.is_empty() || relative && !rest.starts_with("///");
        let path = match rest.strip_prefix("//").filter(|_| named) {
            None => rest,
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
                let allowed = |c: char| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c);
                if !user.chars().all(allowed) {
                    return None;
                }
                url.user = decoded(user, Part::Path)?;
                url.host = self::host(host)?;
                path
            }
        };
        url.path = escaped(path)?;
        Some(url)
    }

    pub(crate) fn hostname(&self) -> &str {
        let host = split(&self.host).0;
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    pub(crate) fn port(&self) -> &str {
        split(&self.host).1
    }

    /// As text.
    pub fn text(&self) -> String {
        let scheme = if self.scheme.is_empty() { String::new() } else { format!("{}:", self.scheme) };
        let slashes = if self.host.is_empty() && self.user.is_empty() { "" } else { "//" };
        let user = if self.user.is_empty() { String::new() } else { format!("{}@", self.user) };
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", self.query) };
        let Self { host, path, rest, .. } = self;
        let fragment = if path.is_empty() && host.is_empty() || rest.is_empty() { "" } else { "#" };
        match fragment {
            "" => format!("{scheme}{slashes}{user}{host}{path}{rest}{query}"),
            _ => format!("{scheme}{slashes}{user}{host}{path}{query}#{rest}"),
        }
    }
}

/// The scheme, in lower case, and what follows it.
fn scheme(text: &str) -> Option<(String, &str)> {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let end = text.find(|c: char| !word(c)).unwrap_or(text.len());
    let (before, after) = text.split_at(end);
    match after.strip_prefix(':') {
        Some(_) if before.is_empty() => None,
        Some(rest) if before.starts_with(|c: char| c.is_ascii_alphabetic()) => Some((before.to_ascii_lowercase(), rest)),
        _ => Some((String::new(), text)),
    }
}

/// A host and its port; none when they are not.
fn host(text: &str) -> Option<String> {
    let port =
        |rest: &str| rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()));
    match text.strip_prefix('[') {
        Some(inner) => {
            let (address, rest) = inner.rsplit_once(']')?;
            let (address, zone) = address.split_once("%25").map_or((address, None), |(address, zone)| (address, Some(zone)));
            address.parse::<Ipv6Addr>().ok()?;
            let zone =
                zone.map(|zone| Some(format!("%{}", decoded(zone, Part::Path)?))).unwrap_or_else(|| Some(String::new()))?;
            port(rest).then(|| format!("[{address}{zone}]{rest}"))
        }
        None => {
            let end = text.find(':').unwrap_or(text.len());
            let sound = port(&text[end..]) && !text.contains(['[', ']']);
            decoded(text, Part::Host).filter(|_| sound)
        }
    }
}

/// A host and its port.
fn split(host: &str) -> (&str, &str) {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (name, port),
        _ => (host, ""),
    }
}
