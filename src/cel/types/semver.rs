//! Semantic versions.

use std::cmp::Ordering;

/// A semantic version.
#[derive(Clone, Debug)]
pub struct Semver {
    pub(crate) numbers: [u64; 3],
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
