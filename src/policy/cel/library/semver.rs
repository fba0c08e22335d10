//! Semantic versions, and the comparisons that they share with quantities.

use std::cmp::Ordering;
use std::sync::Arc;

use super::super::value::Value;
use super::quantity::order;
use super::{Function, Outcome, function, method, refused};

pub(super) const FUNCTIONS: &[Function] = &[
    function("semver", 1..=2, |_, it| {
        let (text, normalize) = asked(it)?;
        let version = Semver::parse(text, normalize).ok_or_else(|| format!("`{text}` is no semantic version"))?;
        Ok(Value::Semver(Arc::new(version)))
    }),
    function("isSemver", 1..=2, |_, it| {
        let (text, normalize) = asked(it)?;
        Ok(Value::Bool(Semver::parse(text, normalize).is_some()))
    }),
    method("major", 0..=0, |_, it| part(it, 0)),
    method("minor", 0..=0, |_, it| part(it, 1)),
    method("patch", 0..=0, |_, it| part(it, 2)),
    method("isLessThan", 1..=1, |_, it| compared(it, |order| Value::Bool(order.is_lt()))),
    method("isGreaterThan", 1..=1, |_, it| compared(it, |order| Value::Bool(order.is_gt()))),
    method("compareTo", 1..=1, |_, it| compared(it, |order| Value::Int(order as i64))),
];

/// A semantic version.
#[derive(Clone, Debug)]
pub struct Semver {
    numbers: [u64; 3],
    before: Vec<String>,
    build: String,
}

impl Semver {
    /// Reads a version; `normalize` forgives a `v` before it, missing parts and leading zeros.
    pub fn parse(text: &str, normalize: bool) -> Option<Self> {
        let text = if normalize { text.strip_prefix('v').unwrap_or(text) } else { text };
        // Only a version with all three numbers has more than those.
        let short = text.matches('.').count() < 2;
        if short && text.contains(['-', '+']) {
            return None;
        }
        let (text, build) = text.split_once('+').map_or((text, None), |(text, build)| (text, Some(build)));
        let (text, before) = text.split_once('-').map_or((text, None), |(text, before)| (text, Some(before)));
        let parts: Vec<&str> = text.split('.').collect();
        if parts.len() > 3 || (parts.len() < 3 && !normalize) {
            return None;
        }
        let mut numbers = [0; 3];
        for (number, part) in numbers.iter_mut().zip(parts) {
            let zeros = part.len() > 1 && part.starts_with('0');
            let plain = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            *number = part.parse().ok().filter(|_| plain && (normalize || !zeros))?;
        }
        let word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let numeric = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let sound = |part: &&str| word(part) && !(numeric(part) && part.len() > 1 && part.starts_with('0'));
        if before.is_some_and(|text| !text.split('.').all(|part| sound(&part)))
            || build.is_some_and(|text| !text.split('.').all(|part| word(&part)))
        {
            return None;
        }
        let before = before.map(|text| text.split('.').map(str::to_owned).collect()).unwrap_or_default();
        Some(Self { numbers, before, build: build.unwrap_or_default().to_owned() })
    }

    /// Which of two versions comes first; what a build is called does not count.
    pub fn order(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| match (self.before.is_empty(), other.before.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => {
                let pairs = self.before.iter().zip(&other.before).map(|(a, b)| identifier(a, b));
                pairs.fold(Ordering::Equal, Ordering::then).then(self.before.len().cmp(&other.before.len()))
            }
        })
    }

    /// As text.
    pub fn text(&self) -> String {
        let [major, minor, patch] = self.numbers;
        let before = if self.before.is_empty() { String::new() } else { format!("-{}", self.before.join(".")) };
        let build = if self.build.is_empty() { String::new() } else { format!("+{}", self.build) };
        format!("{major}.{minor}.{patch}{before}{build}")
    }
}

/// Numbers come before words, and are compared as numbers.
fn identifier(a: &str, b: &str) -> Ordering {
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match (number(a), number(b)) {
        (true, true) => a.len().cmp(&b.len()).then(a.cmp(b)),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.cmp(b),
    }
}

fn asked<'i>(it: &'i [Value<'_>]) -> Result<(&'i str, bool), String> {
    match it {
        [Value::String(text)] => Ok((text, false)),
        [Value::String(text), Value::Bool(normalize)] => Ok((text, *normalize)),
        _ => refused(it).map(|_| ("", false)),
    }
}

fn part<'a>(it: &[Value<'a>], at: usize) -> Outcome<'a> {
    match it {
        [Value::Semver(version)] => {
            let number = version.numbers.get(at).copied().unwrap_or_default();
            i64::try_from(number).map(Value::Int).map_err(|_| "the number is out of range".to_owned())
        }
        _ => refused(it),
    }
}

fn compared<'a>(it: &[Value<'a>], read: fn(Ordering) -> Value<'static>) -> Outcome<'a> {
    order(it).map_or_else(|| refused(it), |order| Ok(read(order)))
}
