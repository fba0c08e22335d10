//! URLs, as Go's `net/url` reads them: absolute, or a path from the root.

use std::sync::Arc;

use super::super::types::url::{Part, Url, decoded};
use super::super::value::Value;
use super::{Function, Outcome, function, method, refused};
use crate::meter::Meter;

pub(super) const FUNCTIONS: &[Function] = &[
    function("url", 1..=1, |meter, it| {
        let text = text(meter, it)?;
        Url::parse(text).map(|url| Value::Url(Arc::new(url))).ok_or_else(|| format!("`{text}` is no URL"))
    }),
    function("isURL", 1..=1, |meter, it| Ok(Value::Bool(Url::is(text(meter, it)?)))),
    method("getScheme", 0..=0, |_, it| part(it, |url| url.scheme.clone())),
    method("getHost", 0..=0, |_, it| part(it, |url| url.host.clone())),
    method("getHostname", 0..=0, |_, it| part(it, |url| url.hostname().to_owned())),
    method("getPort", 0..=0, |_, it| part(it, |url| url.port().to_owned())),
    method("getEscapedPath", 0..=0, |_, it| part(it, |url| url.path.clone())),
    method("getQuery", 0..=0, |meter, it| match it {
        [Value::Url(url)] => query(meter, url),
        _ => refused(it),
    }),
];

fn query<'a>(meter: &Meter, url: &Url) -> Outcome<'a> {
    meter.charge(url.query.len() as u64)?;
    let mut query: Vec<(Value<'_>, Vec<Value<'_>>)> = Vec::new();
    for pair in url.query.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';')) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (Some(key), Some(value)) = (decoded(key, Part::Query), decoded(value, Part::Query)) else { continue };
        let key = Value::from(key);
        meter.charge(query.len() as u64)?;
        match query.iter_mut().find(|(known, _)| known.equals(&key)) {
            Some((_, values)) => values.push(value.into()),
            None => query.push((key, vec![value.into()])),
        }
    }
    Ok(Value::Map(Arc::new(query.into_iter().map(|(key, values)| (key, values.into())).collect())))
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
