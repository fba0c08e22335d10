//! The base judges: a change is held against the rules of its base as well as against its own.
//!
//! Whoever makes a change can take back the rule that it breaks in the same change. So the rules are those of the base, too: its
//! policies, bindings and parameters, the levels of its rules, and the assertions of its overlays. They are applied to what the
//! change makes, where the change does not ask for as much itself; and what it takes away or weakens is an objection of its own,
//! broken or not. Nothing in the change can answer an objection: only the command line of whoever runs the check can.

mod allow;
mod assertions;
mod condition;
mod facts;
mod flows;
mod given;
mod levels;
mod lost;
mod policies;
mod reading;
mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;

use crate::overlay::compiled::Compiled;
use crate::overlay::library::Library;
use crate::resolve::Effective;
pub use allow::{allow, join};
use assertions::Assertions;
pub use assertions::Judged;
use checks::check::Rendered;
use checks::policy::{NetworkSubject, Policies, Role};
use findings::{Diagnostic, Severity, rules};
use model::declare::{Declared, Labels, Network, Project};
pub use settings::{FOREIGN, PATHS};
use tree::{Sources, Span};

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
    pub fn weaker(code: &str, own: Span, message: String) -> Self {
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
        !self.allowed && self.finding.severity == Severity::Error
    }
}

/// A change before its judge.
#[derive(Debug)]
pub struct Trial<'a> {
    judge: &'a Judge<'a>,
    own: Rulebook<'a>,
    before: Before<'a>,
    /// Policies that ask for less.
    policies: BTreeSet<String>,
    assertions: Assertions<'a>,
    weaker: Vec<Objection>,
}

/// The clusters and networks of the base by name.
#[derive(Debug)]
struct Before<'a> {
    clusters: BTreeMap<&'a str, &'a Effective<'a>>,
    networks: BTreeMap<&'a str, &'a Declared<Network>>,
}

impl<'a> Before<'a> {
    fn of(judge: &Judge<'a>) -> Self {
        let clusters = judge.clusters.iter().map(|one| (one.cluster.value.metadata.name.as_str(), one));
        let networks = judge.networks.iter().map(|one| (one.value.metadata.name.as_str(), one));
        Self { clusters: clusters.collect(), networks: networks.collect() }
    }

    fn labels_of_cluster(&self, name: &str) -> Option<&'a Labels> {
        self.clusters.get(name).map(|one| &one.cluster.value.metadata.labels)
    }

    fn labels_of_network(&self, name: &str) -> Option<&'a Labels> {
        self.networks.get(name).map(|one| &one.value.metadata.labels)
    }
}

impl<'a> Trial<'a> {
    /// Compares the rules of a change with those of its base; `clusters` and `networks` are those of the change.
    #[must_use]
    pub fn new(judge: &'a Judge<'a>, own: Rulebook<'a>, clusters: &'a [Effective<'a>], networks: &[Declared<Network>]) -> Self {
        let before = Before::of(judge);
        let mut weaker = settings::weaker(judge, own);
        weaker.extend(levels::weaker(judge, own));
        let (policies, lost) = policies::compare(judge, own, &before, (clusters, networks));
        weaker.extend(lost);
        let (assertions, lost) = Assertions::compare(judge, own, &before, clusters);
        weaker.extend(lost);
        Self { judge, own, before, policies, assertions, weaker }
    }

    /// The base's project.
    #[must_use]
    pub fn project(&self) -> &'a Declared<Project> {
        self.judge.rules.project
    }

    /// What the base's rules find of a cluster that its own do not.
    #[must_use]
    pub fn cluster(&self, judged: Judged<'_>, rendered: Rendered<'_>) -> Vec<Objection> {
        let mut found = self.assertions.cluster(self.judge, judged);
        found.extend(policies::cluster(self, rendered));
        found
    }

    /// The same of a network.
    #[must_use]
    pub fn network(&self, subject: NetworkSubject<'_>) -> Vec<Objection> {
        policies::network(self, subject)
    }

    /// The same of units of the base that are there no more: those for whose folders `gone` holds.
    #[must_use]
    pub fn removed(&self, gone: &dyn Fn(&str) -> bool) -> Vec<Objection> {
        policies::removed(self, gone)
    }

    /// Findings of the change, before its own levels, that the base takes more seriously than the change does.
    #[must_use]
    pub fn raised(&self, findings: &[Diagnostic]) -> Vec<Objection> {
        levels::raised(self.judge, self.own, findings)
    }

    /// Everything that the base has against the change: what is weaker, and what its rules found beyond the change's own `findings`.
    #[must_use]
    pub fn objections(&self, found: Vec<Objection>, findings: &[Diagnostic]) -> Vec<Objection> {
        let mut worst: BTreeMap<Key, Objection> = BTreeMap::new();
        for objection in found.into_iter().filter_map(|objection| levels::of_base(self.judge, objection)) {
            let known = worst.get(&key(&objection.finding));
            if known.is_none_or(|known| known.finding.severity < objection.finding.severity) {
                worst.insert(key(&objection.finding), objection);
            }
        }
        for finding in if worst.is_empty() { &[] } else { findings } {
            let key = key(finding);
            if worst.get(&key).is_some_and(|known| known.finding.severity <= finding.severity) {
                worst.remove(&key);
            }
        }
        self.weaker.iter().cloned().chain(worst.into_values()).collect()
    }
}

/// What makes two findings the same one.
type Key = (String, Span, String);

fn key(finding: &Diagnostic) -> Key {
    (finding.code.to_string(), finding.span, finding.message.clone())
}

/// Says of what a rule of the base found that it is one.
fn of_judge(judge: &Judge<'_>, code: &str, finding: Diagnostic) -> Objection {
    let name = judge.name;
    Objection::new(code, finding.help(format!("`{name}` has this rule, and judges the change that takes it back")))
}
