//! The base judges: a change is held against the rules of its base as well as against its own.
//!
//! Whoever makes a change can take back the rule that it breaks in the same change. So the rules are those of the base, too: its
//! policies, bindings and parameters, the levels of its rules, and the assertions of its overlays. They are applied to what the
//! change makes, where the change does not ask for as much itself; and what it takes away or weakens is an objection of its own,
//! broken or not. Nothing in the change can answer an objection: only the command line of whoever runs the check can.

mod allow;
mod assertions;
mod condition;
mod flows;
mod levels;
mod lost;
mod policies;
mod settings;

use std::sync::Arc;

use indexmap::IndexMap;

use crate::check::Rendered;
use crate::declare::{Declared, Network, Project};
use crate::diagnostic::{Diagnostic, rules};
use crate::overlay::compiled::Compiled;
use crate::overlay::library::Library;
use crate::policy::{NetworkSubject, Policies, Role};
use crate::resolve::Effective;
use crate::tree::{Sources, Span};
pub use allow::{allow, join};
use assertions::Assertions;
pub use assertions::Judged;
pub use settings::PATHS;

/// What a project's rules are written in.
#[derive(Clone, Copy, Debug)]
pub struct Rulebook<'a> {
    /// The project: levels, selections, layers, paths.
    pub project: &'a Declared<Project>,
    /// Its overlays.
    pub library: &'a Library,
    /// Those that are used, compiled.
    pub compiled: &'a IndexMap<String, Compiled>,
    /// Its policies.
    pub policies: &'a Policies<'a>,
    /// The texts.
    pub sources: &'a Arc<Sources>,
}

/// The base of a change: its rules, and what they held for.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    /// What people call it: `origin/main`.
    pub name: &'a str,
    /// Its rules.
    pub rules: Rulebook<'a>,
    /// Its clusters.
    pub clusters: &'a [Effective<'a>],
    /// Its networks.
    pub networks: &'a [Declared<Network>],
    /// What its policies compare a change with.
    pub role: Role<'a>,
}

/// Something that the base has against a change.
#[derive(Clone, Debug)]
pub struct Objection {
    /// The code that allows it: a rule's, a policy's or an assertion's own, or a setting's name.
    pub code: String,
    /// What it is: a weakening, or what a rule of the base finds.
    pub finding: Diagnostic,
    /// Whether somebody allows it.
    pub allowed: bool,
}

impl Objection {
    /// What stands against a change, under a code that allows it.
    pub(crate) fn new(code: &str, finding: Diagnostic) -> Self {
        let mut finding = finding;
        finding.help.push(format!("`--allow-weaker {code}` on the command line accepts it"));
        Self { code: code.to_owned(), finding, allowed: false }
    }

    /// A rule or a setting that is gone, or asks for less.
    pub(crate) fn weaker(code: &str, own: Span, message: String) -> Self {
        Self::new(code, Diagnostic::new(&rules::WEAKER, own, message))
    }

    /// Says where the base has it otherwise.
    fn was(mut self, judge: &Judge<'_>, place: Span) -> Self {
        if place.is_known() {
            self.finding = self.finding.also(place, format!("as `{}` has it", judge.name));
        }
        self
    }

    /// Whether a change must not be made with it.
    #[must_use]
    pub fn stops(&self) -> bool {
        !self.allowed && self.finding.severity == crate::diagnostic::Severity::Error
    }
}

/// A change before its judge.
#[derive(Debug)]
pub struct Trial<'a> {
    judge: &'a Judge<'a>,
    own: Rulebook<'a>,
    assertions: Assertions<'a>,
    weaker: Vec<Objection>,
}

impl<'a> Trial<'a> {
    /// Compares the rules of a change with those of its base; `clusters` and `networks` are those of the change.
    #[must_use]
    pub fn new(judge: &'a Judge<'a>, own: Rulebook<'a>, clusters: &'a [Effective<'a>], networks: &[Declared<Network>]) -> Self {
        let mut weaker = settings::weaker(judge, own);
        weaker.extend(levels::weaker(judge, own));
        weaker.extend(policies::weaker(judge, own, clusters, networks));
        let (assertions, lost) = Assertions::compare(judge, own, clusters);
        weaker.extend(lost);
        Self { judge, own, assertions, weaker }
    }

    /// What the base's rules find of a cluster that its own do not.
    #[must_use]
    pub fn cluster(&self, judged: Judged<'_>, rendered: Rendered<'_>) -> Vec<Objection> {
        let mut found = self.assertions.cluster(self.judge, judged);
        found.extend(policies::cluster(self.judge, self.own, rendered));
        found
    }

    /// The same of a network.
    #[must_use]
    pub fn network(&self, subject: NetworkSubject<'_>) -> Vec<Objection> {
        policies::network(self.judge, self.own, subject)
    }

    /// The same of units of the base that are there no more: those for whose folders `gone` holds.
    #[must_use]
    pub fn removed(&self, gone: &dyn Fn(&str) -> bool) -> Vec<Objection> {
        policies::removed(self.judge, self.own, gone)
    }

    /// Everything that the base has against the change: what is weaker, and what its rules found; `findings` are those of the
    /// change before its own levels, `levelled` with them.
    #[must_use]
    pub fn objections(&self, found: Vec<Objection>, findings: &[Diagnostic], levelled: &[Diagnostic]) -> Vec<Objection> {
        let found = found.into_iter().filter_map(|objection| levels::of_base(self.judge, objection));
        let found = found.chain(levels::raised(self.judge, self.own, findings));
        let same = |one: &Diagnostic, other: &Diagnostic| {
            (&one.code, one.span, &one.message) == (&other.code, other.span, &other.message)
        };
        let new = |one: &Objection| {
            let finding = &one.finding;
            levelled.iter().all(|known| known.severity < finding.severity || !same(known, finding))
        };
        let mut objections = self.weaker.clone();
        for objection in found.filter(new) {
            let known = objections.iter_mut().find(|known| same(&known.finding, &objection.finding));
            match known {
                Some(known) if known.finding.severity >= objection.finding.severity => {}
                Some(known) => *known = objection,
                None => objections.push(objection),
            }
        }
        objections
    }
}

/// Says of what a rule of the base found that it is one.
fn foreign(judge: &Judge<'_>, code: &str, finding: Diagnostic) -> Objection {
    let name = judge.name;
    Objection::new(code, finding.help(format!("`{name}` has this rule, and judges the change that takes it back")))
}
