//! The assertions of the base's overlays, where those of the change ask for less.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use minijinja::Value;

use super::condition::{Asserted, Condition, asserted};
use super::facts;
use super::given::Given;
use super::lost::{self, Lost};
use super::reading::{Reading, Room};
use super::{Before, Judge, Objection, Rulebook, of_judge};
use crate::overlay::Selected;
use crate::overlay::compiled::Compiled;
use crate::overlay::context::{self, Variables};
use crate::overlay::library::Overlay;
use crate::overlay::render::Instance;
use crate::resolve::{Choice, Effective, Giver};
use findings::{Diagnostic, rules};
use model::plan::NetworkPlan;
use model::plan::cluster::dns_ip;

/// A cluster of the change, and what its overlays say of it.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// The cluster.
    pub effective: &'a Effective<'a>,
    /// The plan of its network.
    pub network: &'a NetworkPlan,
    /// The facts of its overlays, as expressions see them.
    pub facts: &'a Value,
}

/// The rules of the overlays of one side.
pub(super) struct Side<'a> {
    pub(super) book: Rulebook<'a>,
    pub(super) giver: Giver<'a>,
    pub(super) given: Given,
    /// Overlays that nothing uses on this side.
    more: IndexMap<String, Compiled>,
    known: IndexMap<String, Vec<Asserted<'a>>>,
}

impl<'a> Side<'a> {
    fn new(book: Rulebook<'a>) -> Self {
        let giver = Giver::new(book.project, book.library);
        Self { book, giver, given: Given::of(book), more: IndexMap::new(), known: IndexMap::new() }
    }

    /// The rules of some overlays.
    pub(super) fn rules(&mut self, choices: &[&'a Overlay]) -> Vec<Asserted<'a>> {
        choices.iter().flat_map(|overlay| self.rules_of(overlay).to_vec()).collect()
    }

    fn rules_of(&mut self, overlay: &'a Overlay) -> &[Asserted<'a>] {
        let name = overlay.name();
        if !self.known.contains_key(name) {
            let read = |compiled: &Compiled, room: Room<'_>| asserted(overlay, compiled, room);
            let rules = self.with(overlay, read);
            self.known.insert(name.to_owned(), rules);
        }
        self.known.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// What an overlay states as a fact.
    pub(super) fn fact(&mut self, overlay: &'a Overlay, fact: &str) -> Option<Condition> {
        overlay.spec().facts.as_ref()?;
        self.with(overlay, |compiled, room| Reading::new(overlay, compiled, room).fact(fact))
    }

    /// What `read` makes of an overlay, compiled.
    fn with<T>(&mut self, overlay: &'a Overlay, read: impl FnOnce(&Compiled, Room<'_>) -> T) -> T {
        let Self { book, given, more, .. } = self;
        let compile = || overlay.compile(book.sources, &mut Vec::new());
        let compiled = match book.compiled.get(overlay.name()) {
            Some(compiled) => compiled,
            None => more.entry(overlay.name().to_owned()).or_insert_with(compile),
        };
        read(compiled, Room { book: *book, given })
    }
}

/// What the change's overlays do not ask for any more.
#[derive(Debug)]
pub(super) struct Assertions<'a> {
    /// Rules of the base that clusters of the change have lost, by the cluster's name.
    clusters: BTreeMap<String, Vec<Lost<'a>>>,
    /// Overlays that the base itself does not use.
    compiled: IndexMap<String, Compiled>,
}

impl<'a> Assertions<'a> {
    /// Compares the rules of both sides: overlay by overlay, cluster by cluster, and for every cluster that there could be.
    pub(super) fn compare(
        judge: &'a Judge<'a>,
        own: Rulebook<'a>,
        before: &Before<'a>,
        clusters: &'a [Effective<'a>],
    ) -> (Self, Vec<Objection>) {
        let (mut base, mut here) = (Side::new(judge.rules), Side::new(own));
        let (clusters, mut objections) = lost::find(judge, (&mut base, &mut here), before, clusters);
        objections.extend(facts::weaker(judge, &mut base, &mut here));
        (Self { clusters, compiled: base.more }, objections)
    }

    /// What the lost rules find of a cluster.
    pub(super) fn cluster(&self, judge: &Judge<'_>, judged: Judged<'_>) -> Vec<Objection> {
        let name = &judged.effective.cluster.value.metadata.name;
        let lost = self.clusters.get(name).into_iter().flatten();
        lost.flat_map(|lost| self.evaluate(judge, judged, lost)).collect()
    }

    fn evaluate(&self, judge: &Judge<'_>, judged: Judged<'_>, lost: &Lost<'_>) -> Vec<Objection> {
        let Judged { effective, network, facts } = judged;
        let cluster = &effective.cluster;
        let (name, overlay) = (&cluster.value.metadata.name, lost.selected.overlay);
        let Some(compiled) = judge.rules.compiled.get(overlay.name()).or_else(|| self.compiled.get(overlay.name())) else {
            return Vec::new();
        };
        let seen = context::network(network, &effective.network.value.metadata.labels);
        let folder = &judge.rules.project.value.spec.paths.overlays;
        let of_cluster = context::cluster(cluster, dns_ip(&cluster.value));
        let variables = Variables::new(Some(of_cluster), seen, judge.rules.sources, folder);
        variables.set("facts", facts.clone());
        let mut faults = Vec::new();
        let instance = match lost.selected.sound {
            true => Instance::new(&lost.selected, compiled, &variables, name, &mut faults),
            false => {
                let message = format!("the overlay `{}` does not take such options", overlay.name());
                faults.push(Diagnostic::new(&rules::SCHEMA, lost.selected.place, message));
                None
            }
        };
        let mut objections = Vec::new();
        for rule in &lost.rules {
            let mut found = Vec::new();
            if let Some(instance) = &instance {
                instance.assert_at(rule.index, cluster, &mut found);
            }
            // What could not be evaluated is not known to hold.
            let (faults, found): (Vec<_>, Vec<_>) =
                found.into_iter().chain(faults.iter().cloned()).partition(|finding| finding.code != rule.code);
            objections.extend(found.into_iter().map(|finding| of_judge(judge, rule.code, finding)));
            if let Some(fault) = faults.first() {
                let message = format!(
                    "whether the cluster `{name}` keeps to `{}` is not known: in `{}`, {}",
                    rule.code, judge.name, fault.message
                );
                objections.push(Objection::weaker(rule.code, cluster.span("metadata.name"), message).was(judge, rule.place()));
            }
        }
        objections
    }
}

/// An overlay of the base on a cluster of the change: where it is there, and with the options that the base and the cluster itself
/// give it if the base `gives` it to the cluster, or else with those that it had. Options that the change has added do no harm; if
/// others are not what the overlay takes, it is not sound, because nobody knows what it asserts of them.
pub(super) fn on_cluster<'a>(
    (choice, gives): (Choice<'a>, bool),
    effective: &Effective<'_>,
    before: Option<&Selected<'a>>,
) -> Selected<'a> {
    let overlay = choice.overlay;
    let given = choice.selected();
    let mut selected = before.cloned().unwrap_or_else(|| given.clone());
    if gives {
        selected.options = given.options;
        let mut faults = Vec::new();
        if let Some(schema) = &overlay.options {
            schema.check(&selected.options, &rules::SCHEMA, &mut faults);
        }
        selected.sound = faults.iter().all(|fault| fault.code == rules::UNKNOWN_KEY.code);
    }
    if let Some(own) = effective.overlays.iter().find(|one| one.overlay.name() == overlay.name()) {
        selected.place = own.place;
    }
    selected
}
