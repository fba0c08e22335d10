//! Versions of Kubernetes, and ranges of them.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use crate::address::Invalid;
use crate::text::as_text;
use findings::rules;

#[cfg(test)]
mod tests;

/// A version of Kubernetes: `1.33` or `1.33.4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// 1 of `1.33.4`.
    pub major: u32,
    /// 33 of `1.33.4`.
    pub minor: u32,
    /// 4 of `1.33.4`.
    pub patch: Option<u32>,
}

/// Digits of a number in a version: what is added to one of them stays a number.
const DIGITS: usize = 9;

impl Version {
    /// The first version that it stands for.
    fn first(self) -> Point {
        [self.major, self.minor, self.patch.unwrap_or(0)]
    }

    /// The first version after all that it stands for: without a patch it stands for each of them.
    fn next(self) -> Point {
        match self.patch {
            Some(patch) => [self.major, self.minor, patch + 1],
            None => [self.major, self.minor + 1, 0],
        }
    }
}

impl FromStr for Version {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let digits = |part: &str| part.len() <= DIGITS && part.bytes().all(|byte| byte.is_ascii_digit());
        let plain = |part: &str| part == "0" || !part.starts_with('0');
        let number = |part: &str| part.parse().ok().filter(|_| digits(part) && plain(part));
        let numbers: Option<Vec<u32>> = text.split('.').map(number).collect();
        match numbers.as_deref() {
            Some(&[major, minor]) => Ok(Self { major, minor, patch: None }),
            Some(&[major, minor, patch]) => Ok(Self { major, minor, patch: Some(patch) }),
            _ => {
                let message = format!("`{text}` is no Kubernetes version such as \"1.33\"");
                Err(Invalid { rule: &rules::KUBERNETES_VERSION, message, help: None, at: None })
            }
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        self.patch.map_or(Ok(()), |patch| write!(f, ".{patch}"))
    }
}

/// Major, minor and patch.
type Point = [u32; 3];

/// Operators, longer ones before what they begin with.
const OPERATORS: [(&str, Operator); 5] = [
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    (">", Operator::Above),
    ("<", Operator::Below),
    ("=", Operator::Exactly),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    AtLeast,
    AtMost,
    Above,
    Below,
    Exactly,
}

/// One bound of a range, or both where they are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Term {
    operator: Operator,
    version: Version,
}

impl Term {
    /// The first version that it admits, where it says one.
    fn least(self) -> Option<Point> {
        match self.operator {
            Operator::AtLeast | Operator::Exactly => Some(self.version.first()),
            Operator::Above => Some(self.version.next()),
            Operator::AtMost | Operator::Below => None,
        }
    }

    /// The first version after those that it admits, where it says one.
    fn end(self) -> Option<Point> {
        match self.operator {
            Operator::AtMost | Operator::Exactly => Some(self.version.next()),
            Operator::Below => Some(self.version.first()),
            Operator::AtLeast | Operator::Above => None,
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator = OPERATORS.iter().find(|(_, operator)| *operator == self.operator).map_or("", |(text, _)| text);
        write!(f, "{operator}{}", self.version)
    }
}

/// A range of Kubernetes versions: its first version, the first one after it, and how it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRange {
    least: Point,
    end: Option<Point>,
    terms: Vec<Term>,
}

impl VersionRange {
    /// What a range looks like, for readers of its JSON Schema; [`VersionRange::from_str`] knows more.
    const PATTERN: &str = concat!(
        r"^[ \t\r\n,]*(>=|<=|>|<|=)?v?(0|[1-9][0-9]{0,8})(\.(0|[1-9][0-9]{0,8})){1,2}",
        r"([ \t\r\n,]+(>=|<=|>|<|=)?v?(0|[1-9][0-9]{0,8})(\.(0|[1-9][0-9]{0,8})){1,2})?[ \t\r\n,]*$"
    );

    /// Whether a cluster's version is in the range.
    ///
    /// Of a cluster that names no patch, no more is known than that it has the first one, so it counts as that: a range that begins
    /// at a later patch, because something was mended there, takes the cluster once it says that it has it.
    #[must_use]
    pub fn admits(&self, version: Version) -> bool {
        let version = version.first();
        self.least <= version && self.end.is_none_or(|end| version < end)
    }

    /// Whether a version that the range does not admit, because it names no patch, has patches that the range admits.
    #[must_use]
    pub fn admits_later_patch(&self, version: Version) -> bool {
        version.patch.is_none() && version.first() < self.least && self.least < version.next()
    }

    /// Takes a term into the range.
    fn narrow(&mut self, term: Term) -> Result<(), (String, &'static str)> {
        let least = term.least().map_or(self.least, |least| least.max(self.least));
        let end = [term.end(), self.end].into_iter().flatten().min();
        if end.is_some_and(|end| end <= least) {
            let message = match self.terms.first() {
                Some(first) => format!("no version is both `{first}` and `{term}`"),
                None => format!("no version is `{term}`"),
            };
            return Err((message, "every term of a range has to hold, as in `>=1.30 <1.34`"));
        }
        let twice = |bound: fn(Term) -> Option<Point>| self.terms.iter().find(|other| bound(**other).and(bound(term)).is_some());
        let clash = [(twice(Term::least), "begins"), (twice(Term::end), "ends")];
        if let Some((other, does)) = clash.into_iter().find_map(|(other, does)| Some((other?, does))) {
            let message = format!("`{other}` and `{term}` both say where the range {does}");
            return Err((message, "leave one of them out"));
        }
        self.terms.push(term);
        (self.least, self.end) = (least, end);
        Ok(())
    }
}

/// How ranges look, for whoever wrote something else.
const FORM: &str = "write it like `>=1.30` or `>=1.30 <1.33.4`";

/// Reads one term of a range; what is wrong comes with what to do.
fn term(text: &str) -> Result<Term, (String, &'static str)> {
    let start = text.find(|c: char| c.is_alphanumeric() || c == '*').unwrap_or(text.len());
    let (sign, version) = text.split_at(start);
    let operator = match OPERATORS.iter().find(|(known, _)| *known == sign) {
        Some((_, operator)) => *operator,
        None if sign.is_empty() => Operator::Exactly,
        None => {
            return Err((format!("`{sign}` is no operator"), "operators are `>=`, `>`, `<=`, `<` and `=`, as in `>=1.30 <1.34`"));
        }
    };
    if version.is_empty() {
        return Err((
            format!("`{sign}` has no version"),
            "write operator and version without a blank in between, as in `>=1.30`",
        ));
    }
    let number = version.strip_prefix('v').unwrap_or(version);
    if let Ok(version) = number.parse() {
        return Ok(Term { operator, version });
    }
    let mut parts = number.split('.');
    if parts.any(|part| matches!(part, "*" | "x" | "X")) {
        let help =
            "`1.30` stands for each of its patches, `>=1.30 <1.34` for several versions; leave the field out for every one";
        return Err((format!("`{version}` has a wildcard"), help));
    }
    let long = |part: &str| part.len() > DIGITS && part.bytes().all(|byte| byte.is_ascii_digit());
    if number.split('.').any(long) {
        return Err((format!("`{version}` has a number that is too large for a version"), FORM));
    }
    Err((format!("`{version}` is no Kubernetes version such as `1.30` or `1.33.4`"), FORM))
}

/// The parts of a text that blanks and commas keep apart, with their places.
fn parts(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let between = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n' | ',');
    let pieces = text.split(between).scan(0, |at, part| {
        let start = *at;
        // What keeps parts apart is one byte.
        *at = start + part.len() + 1;
        Some((start..start + part.len(), part))
    });
    pieces.filter(|(_, part)| !part.is_empty())
}

impl FromStr for VersionRange {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let wrong = |(message, help): (String, &str), at| Invalid {
            rule: &rules::KUBERNETES_RANGE,
            message,
            help: Some(help.to_owned()),
            at,
        };
        let mut range = Self { least: [0; 3], end: None, terms: Vec::new() };
        for (at, part) in parts(text) {
            term(part).and_then(|term| range.narrow(term)).map_err(|what| wrong(what, Some(at)))?;
        }
        if range.terms.is_empty() {
            let help = "write it like `>=1.30`, or leave the field out for every version";
            return Err(wrong(("the range is empty".to_owned(), help), None));
        }
        Ok(range)
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.terms.iter().enumerate().try_for_each(|(at, term)| write!(f, "{}{term}", if at == 0 { "" } else { " " }))
    }
}

as_text!(Version, {"type": "string", "format": "kubernetes-version"});
as_text!(VersionRange, {
    "type": "string",
    "format": "kubernetes-range",
    "pattern": VersionRange::PATTERN,
    "examples": [">=1.30", ">=1.30 <1.34"]
});
