//! What an assertion asks for: its expressions, with everything that they read of their overlay, and of what their project gives that.
//!
//! What they read of a cluster, its own options among it, and of a network is not the rule but what the rule is about.

use std::collections::BTreeMap;

use super::levels;
use super::reading::{Reading, Room};
use crate::overlay::compiled::Compiled;
use crate::overlay::expression::Expression;
use crate::overlay::library::Overlay;
use findings::Severity;

/// An expression, and what it reads: values, options, facts and files, each as people call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) text: String,
    pub(super) reads: BTreeMap<String, String>,
}

/// A rule of an overlay.
#[derive(Clone, Debug)]
pub(super) struct Asserted<'a> {
    pub(super) overlay: &'a Overlay,
    /// Index in its `assertions`.
    pub(super) index: usize,
    pub(super) code: &'a str,
    pub(super) severity: Severity,
    /// What its project makes of that.
    pub(super) level: Option<Severity>,
    that: Condition,
    when: Option<Condition>,
    /// The condition of the overlay itself.
    applies: Option<Condition>,
}

impl Asserted<'_> {
    /// In what another rule of this code asks for less.
    pub(super) fn loss(&self, own: &Asserted<'_>) -> Option<String> {
        let narrower = |own: &Option<Condition>, base: &Option<Condition>| own.is_some() && own != base;
        if let Some(name) = self.that.reads_otherwise(&own.that) {
            Some(format!("{name}, which its condition reads, is another one"))
        } else if self.that != own.that {
            Some("its condition is another one".to_owned())
        } else if narrower(&own.when, &self.when) {
            Some("it is asked for under another condition".to_owned())
        } else if narrower(&own.applies, &self.applies) {
            Some("its overlay applies under another condition".to_owned())
        } else if own.severity < self.severity && own.level < self.level {
            Some(format!("it is lowered from `{}` to `{}`", self.severity.name(), own.severity.name()))
        } else {
            None
        }
    }
}

impl Condition {
    /// Something that the same text reads, and that is another one.
    pub(super) fn reads_otherwise<'c>(&'c self, own: &'c Condition) -> Option<&'c str> {
        let differs = |name: &&String| self.reads.get(*name) != own.reads.get(*name);
        let all = self.reads.keys().chain(own.reads.keys());
        all.into_iter().find(differs).filter(|_| self.text == own.text).map(String::as_str)
    }
}

/// The rules of an overlay.
pub(super) fn asserted<'a>(overlay: &'a Overlay, compiled: &Compiled, room: Room<'_>) -> Vec<Asserted<'a>> {
    let read = |expression: &Expression| Reading::new(overlay, compiled, room).expression(expression);
    let applies = compiled.when.as_ref().map(read);
    let rule = |one: &crate::overlay::compiled::CompiledAssertion| {
        let declared = overlay.spec().assertions.get(one.index)?;
        Some(Asserted {
            overlay,
            index: one.index,
            code: &declared.code,
            severity: declared.severity,
            level: levels::level(room.book, &declared.code, declared.severity),
            that: read(&one.that),
            when: one.when.as_ref().map(read),
            applies: applies.clone(),
        })
    };
    compiled.assertions.iter().filter_map(rule).collect()
}
