//! Kubernetes versions as other tools write them.

use std::fmt;

/// The oldest minor version that a declaration takes.
const OLDEST: u32 = 16;

/// A version of Kubernetes 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    /// 33 of `1.33.2`.
    pub(super) minor: u32,
    /// 2 of `1.33.2`.
    pub(super) patch: Option<u32>,
}

impl Version {
    /// Reads `1.33`, `v1.33.2`, `1.33.x`, `v1.33.0-beta.1` or an address that ends in such a version.
    pub(super) fn parse(text: &str) -> Option<Self> {
        text.split('/').rev().find_map(|part| {
            let mut numbers = part.strip_prefix('v').unwrap_or(part).split('.');
            let minor = (numbers.next() == Some("1")).then(|| numbers.next())??.parse().ok()?;
            let patch = numbers.next().map(|rest| rest.split(['-', '+']).next().unwrap_or(rest));
            Some(Self { minor, patch: patch.and_then(|digits| digits.parse().ok()) })
        })
    }

    /// The nearest version that a declaration takes.
    pub(super) fn accepted(self) -> Self {
        if self.minor < OLDEST { Self { minor: OLDEST, patch: None } } else { self }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.patch {
            Some(patch) => write!(f, "1.{}.{patch}", self.minor),
            None => write!(f, "1.{}", self.minor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_versions() {
        let text = |given: &str| Version::parse(given).map(|version| version.to_string());
        for (given, read) in [
            ("1.33", "1.33"),
            ("v1.33.2", "1.33.2"),
            ("1.32.x", "1.32"),
            ("v1.26.0-alpha.0", "1.26.0"),
            ("https://storage.example.com/ci/v1.31.0-beta.2+abc", "1.31.0"),
        ] {
            assert_eq!(text(given).as_deref(), Some(read), "{given}");
        }
        for given in ["latest", "", "2.1", "1", "v1.x", "1.3O"] {
            assert_eq!(text(given), None, "{given}");
        }
        assert_eq!(Version::parse("v1.14.0").map(|version| version.accepted().to_string()).as_deref(), Some("1.16"));
    }
}
