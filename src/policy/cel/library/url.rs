//! URLs, as Go's `url.ParseRequestURI` reads them: absolute, or a path from the root.

use std::sync::Arc;

use super::super::value::Value;
use super::{Function, Outcome, function, method, refused};
use crate::policy::cel::eval::Meter;

pub(super) const FUNCTIONS: &[Function] = &[
    function("url", 1..=1, |meter, it| {
        let text = text(meter, it)?;
        Url::parse(text).map(|url| Value::Url(Arc::new(url))).ok_or_else(|| format!("`{text}` is no URL"))
    }),
    function("isURL", 1..=1, |meter, it| Ok(Value::Bool(Url::parse(text(meter, it)?).is_some()))),
    method("getScheme", 0..=0, |_, it| part(it, |url| url.scheme.clone())),
    method("getHost", 0..=0, |_, it| part(it, |url| url.host.clone())),
    method("getHostname", 0..=0, |_, it| part(it, |url| url.hostname().to_owned())),
    method("getPort", 0..=0, |_, it| part(it, |url| url.port().to_owned())),
    method("getEscapedPath", 0..=0, |_, it| part(it, |url| url.path.clone())),
    method("getQuery", 0..=0, |meter, it| match it {
        [Value::Url(url)] => {
            meter.charge(url.text.len() as u64)?;
            let mut query: Vec<(Value<'_>, Vec<Value<'_>>)> = Vec::new();
            for pair in url.query.split('&').filter(|pair| !pair.is_empty()) {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                let (Some(key), Some(value)) = (decoded(key, true), decoded(value, true)) else { continue };
                let key = Value::from(key);
                meter.charge(query.len() as u64)?;
                match query.iter_mut().find(|(known, _)| known.equals(&key)) {
                    Some((_, values)) => values.push(value.into()),
                    None => query.push((key, vec![value.into()])),
                }
            }
            Ok(Value::Map(Arc::new(query.into_iter().map(|(key, values)| (key, values.into())).collect())))
        }
        _ => refused(it),
    }),
];

/// A URL and its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// The whole.
    pub text: String,
    scheme: String,
    host: String,
    path: String,
    query: String,
}

impl Url {
    /// Reads a URL.
    pub fn parse(text: &str) -> Option<Self> {
        if text.chars().any(|c| c.is_control() || c == ' ') {
            return None;
        }
        let (scheme, rest) = match text.split_once(':') {
            Some((scheme, rest)) if is_scheme(scheme) => (scheme.to_ascii_lowercase(), rest),
            _ if text.starts_with('/') => (String::new(), text),
            _ => return None,
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, path) = match rest.strip_prefix("//") {
            Some(authority) if !scheme.is_empty() => authority.split_at(authority.find('/').unwrap_or(authority.len())),
            _ if rest.starts_with('/') => ("", rest),
            _ => return None,
        };
        decoded(path, false)?;
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        let url = Self { text: text.into(), scheme, host: host.into(), path: path.into(), query: query.into() };
        let closed = !host.contains(['[', ']']) || host.starts_with('[') && host.contains(']');
        (closed && url.port().bytes().all(|byte| byte.is_ascii_digit())).then_some(url)
    }

    fn hostname(&self) -> &str {
        if let Some(rest) = self.host.strip_prefix('[') {
            return rest.split_once(']').map_or(rest, |(name, _)| name);
        }
        self.host.rsplit_once(':').map_or(&self.host, |(name, _)| name)
    }

    fn port(&self) -> &str {
        let after = self.host.rsplit_once(']').map_or(self.host.as_str(), |(_, after)| after);
        after.rsplit_once(':').map_or("", |(_, port)| port)
    }
}

fn is_scheme(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(word)
}

/// A text without its percent signs; `plus` stands for a space in a query.
fn decoded(text: &str, plus: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                bytes.push(u8::try_from(high * 16 + low).ok()?);
            }
            b'+' if plus => bytes.push(b' '),
            other => bytes.push(other),
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn text<'i>(meter: &Meter, it: &'i [Value<'_>]) -> Result<&'i str, String> {
    match it {
        [Value::String(text)] => meter.charge(text.len() as u64).map(|()| &**text),
        _ => refused(it).map(|_| ""),
    }
}

fn part<'a>(it: &[Value<'a>], read: fn(&Url) -> String) -> Outcome<'a> {
    match it {
        [Value::Url(url)] => Ok(read(url).into()),
        _ => refused(it),
    }
}
