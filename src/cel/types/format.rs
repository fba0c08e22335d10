//! Named formats of Kubernetes.

use std::sync::LazyLock;

use regex::Regex;

use super::time::Time;
use super::url::Url;

/// A format that texts are checked against.
#[derive(Debug)]
pub struct Format {
    /// Its name.
    pub name: &'static str,
    most: usize,
    what: &'static str,
    test: fn(&str) -> bool,
}

pub(crate) static FORMATS: [Format; 13] = [
    Format { name: "dns1123Label", most: 63, what: "a DNS label of RFC 1123", test: |text| words(text, &LABEL) },
    Format { name: "dns1123Subdomain", most: 253, what: "a DNS subdomain of RFC 1123", test: subdomain },
    Format { name: "dns1035Label", most: 63, what: "a DNS label of RFC 1035", test: |text| words(text, &LABEL_1035) },
    Format { name: "qualifiedName", most: 317, what: "a qualified name", test: qualified },
    Format {
        name: "dns1123LabelPrefix",
        most: 63,
        what: "the beginning of a DNS label",
        test: |text| words(&unended(text), &LABEL),
    },
    Format {
        name: "dns1123SubdomainPrefix",
        most: 253,
        what: "the beginning of a DNS subdomain",
        test: |text| subdomain(&unended(text)),
    },
    Format {
        name: "dns1035LabelPrefix",
        most: 63,
        what: "the beginning of a DNS label",
        test: |text| words(&unended(text), &LABEL_1035),
    },
    Format { name: "labelValue", most: 63, what: "the value of a label", test: |text| text.is_empty() || words(text, &NAME) },
    Format { name: "uri", most: usize::MAX, what: "a URI", test: Url::is },
    Format { name: "uuid", most: 36, what: "a UUID", test: |text| words(text, &UUID) },
    Format {
        name: "byte",
        most: usize::MAX,
        what: "base64",
        test: |text| !text.is_empty() && text.len().is_multiple_of(4) && words(text, &BASE64),
    },
    Format { name: "date", most: 10, what: "a date", test: |text| Time::parse(&format!("{text}T00:00:00Z")).is_some() },
    Format { name: "datetime", most: 64, what: "a point in time", test: |text| Time::parse(text).is_some() },
];

impl Format {
    /// What is wrong with a text; none when it fits.
    pub(crate) fn fault(&self, text: &str) -> Option<String> {
        if text.len() > self.most {
            return Some(format!("must be no more than {} bytes", self.most));
        }
        (!(self.test)(text)).then(|| format!("must be {}", self.what))
    }
}

static LABEL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$").ok());

static LABEL_1035: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("^[a-z]([-a-z0-9]*[a-z0-9])?$").ok());

static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$").ok());

static UUID: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new("(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$").ok());

static BASE64: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("^[A-Za-z0-9+/]*={0,2}$").ok());

fn words(text: &str, pattern: &LazyLock<Option<Regex>>) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

fn subdomain(text: &str) -> bool {
    text.split('.').all(|label| words(label, &LABEL))
}

/// A prefix as it could go on: a hyphen at the end, and what stands before it, count as a letter.
fn unended(text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    if chars.len() > 1 && chars.last() == Some(&'-') {
        chars.truncate(chars.len() - 2);
        chars.push('a');
    }
    chars.into_iter().collect()
}

fn qualified(text: &str) -> bool {
    let (prefix, name) = text.split_once('/').map_or((None, text), |(prefix, name)| (Some(prefix), name));
    prefix.is_none_or(|prefix| prefix.len() <= 253 && subdomain(prefix)) && name.len() <= 63 && words(name, &NAME)
}
