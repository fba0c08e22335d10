//! Which assertions of the base's overlays nobody asks for any more: in the overlays themselves, on the clusters that there are, and
//! on every cluster that there could be.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::assertions::{Side, on_cluster};
use super::condition::Asserted;
use super::flows;
use super::{Before, Judge, Objection};
use crate::overlay::library::Overlay;
use crate::overlay::{Origin, Selected};
use crate::resolve::{Choice, Effective};
use model::declare::Labels;
use model::declare::labels::{describe, told_apart};
use tree::{Path, Span};

/// Clusters that a finding names.
const SHOWN: usize = 3;
/// The code of layers that cannot be compared.
const LAYERS: &str = "layers";

/// Rules that a cluster has lost, of one overlay of the base as it would be on the cluster.
#[derive(Debug)]
pub(super) struct Lost<'a> {
    pub(super) selected: Selected<'a>,
    pub(super) rules: Vec<Asserted<'a>>,
}

impl Asserted<'_> {
    /// Where it stands.
    pub(super) fn place(&self) -> Span {
        self.overlay.declared.node.nearest(&Path::dotted("spec.assertions").item(self.index).child("that")).span
    }

    /// Whether some overlays ask for as much. Those that netloom brings do, unless they are given other options.
    fn is_in(&self, own: &[Asserted<'_>], overlays: &[&Overlay], regiven: &BTreeSet<&str>) -> bool {
        let same = self.overlay.stock && !regiven.contains(self.overlay.name());
        let stock = |one: &&Overlay| same && one.stock && one.name() == self.overlay.name();
        overlays.iter().any(stock) || own.iter().any(|one| one.code == self.code && self.loss(one).is_none())
    }

    /// What one tells of: all rules of an overlay under one code.
    fn key(&self) -> (String, String) {
        (self.overlay.name().to_owned(), self.code.to_owned())
    }
}

/// Finds what is lost, and what there is to say of it; every rule is told once, where it is lost first.
pub(super) fn find<'a>(
    judge: &'a Judge<'a>,
    (base, own): (&mut Side<'a>, &mut Side<'a>),
    before: &Before<'a>,
    clusters: &'a [Effective<'a>],
) -> (BTreeMap<String, Vec<Lost<'a>>>, Vec<Objection>) {
    let mut search = Search { judge, base, own, before, told: BTreeSet::new(), objections: Vec::new() };
    let changed = search.overlays();
    let layers = |side: &Side<'_>| serde_json::to_value(&side.book.project.value.spec.layers).ok();
    // What gives overlays to clusters, and what they ask for, is as it was.
    let same = changed.is_empty() && layers(search.base) == layers(search.own);
    let lost = search.clusters(clusters, &changed, same);
    if !same {
        search.layers();
    }
    search.blocks();
    (lost, search.objections)
}

struct Search<'a, 's> {
    judge: &'a Judge<'a>,
    base: &'s mut Side<'a>,
    own: &'s mut Side<'a>,
    before: &'s Before<'a>,
    /// The rules that were told of.
    told: BTreeSet<(String, String)>,
    objections: Vec<Objection>,
}

impl<'a> Search<'a, '_> {
    /// The rules that overlays of the base have with those that they build on, and others do not.
    fn missing(&mut self, base: &[Choice<'a>], own: &[&'a Overlay]) -> Vec<Asserted<'a>> {
        let was: Vec<&Overlay> = base.iter().map(|choice| choice.overlay).collect();
        let (was, is) = (self.base.rules(&was), self.own.rules(own));
        let regiven = self.regiven().collect();
        was.into_iter().filter(|rule| rule.level.is_some() && !rule.is_in(&is, own, &regiven)).collect()
    }

    /// The overlays of which options or facts may be others, whatever they say themselves.
    fn regiven(&self) -> impl Iterator<Item = &str> {
        self.base.given.regiven(&self.own.given, self.judge.rules.compiled.keys().map(String::as_str))
    }

    fn tell(&mut self, rule: &Asserted<'_>, own: Span, message: String) {
        if self.told.insert(rule.key()) {
            let objection = Objection::weaker(rule.code, own, message);
            self.objections.push(objection.was(self.judge, rule.place()));
        }
    }

    /// Overlays that both sides have, and that are not both netloom's own with the same options; returns the names of those that ask
    /// for less.
    fn overlays(&mut self) -> BTreeSet<String> {
        let (before, after) = (self.base.book.library, self.own.book.library);
        let names: BTreeSet<String> =
            before.own().chain(after.own()).map(Overlay::name).chain(self.regiven()).map(str::to_owned).collect();
        let mut changed = BTreeSet::new();
        for name in names {
            let Some((was, is)) = before.get(&name).zip(after.get(&name)) else {
                changed.insert(name);
                continue;
            };
            let overlays: Vec<&Overlay> = self.own.giver.with(is).iter().map(|choice| choice.overlay).collect();
            let missing = self.missing(&self.base.giver.with(was), &overlays);
            if !missing.is_empty() {
                changed.insert(name);
            }
            let rules = self.own.rules(&overlays);
            for rule in missing {
                let own = rules.iter().filter(|one| one.code == rule.code);
                let own = own.min_by_key(|one| one.overlay.name() != rule.overlay.name());
                let what = own.and_then(|own| rule.loss(own)).unwrap_or_else(|| "it is gone".to_owned());
                let (code, of, base) = (rule.code, rule.overlay.name(), self.judge.name);
                let stated = || own.map_or_else(|| is.declared.span("spec.assertions"), Asserted::place);
                // Where netloom's own overlays ask for something is nobody's to mend: their options are.
                let place = if is.stock { self.own.book.project.span("spec.layers") } else { stated() };
                self.tell(
                    &rule,
                    place,
                    format!("the assertion `{code}` of the overlay `{of}` is weaker than in `{base}`: {what}"),
                );
            }
            self.objections.extend(flows::weaker(self.judge, was, is));
        }
        changed
    }

    /// What each cluster has lost. `changed` are overlays that ask for less.
    fn clusters(
        &mut self,
        clusters: &'a [Effective<'a>],
        changed: &BTreeSet<String>,
        same: bool,
    ) -> BTreeMap<String, Vec<Lost<'a>>> {
        let mut all = BTreeMap::new();
        let mut told: IndexMap<(String, String), Vec<Told<'a>>> = IndexMap::new();
        for effective in clusters {
            let name = effective.cluster.value.metadata.name.as_str();
            let before = self.before.clusters.get(name).copied();
            let choices = self.choices(effective, before, same);
            let has = |choice: &Choice<'_>| effective.overlays.iter().any(|one| one.overlay.name() == choice.overlay.name());
            if choices.iter().all(|(choice, _)| has(choice) && !changed.contains(choice.overlay.name())) {
                continue;
            }
            let overlays: Vec<&Overlay> = effective.overlays.iter().map(|one| one.overlay).collect();
            let asked: Vec<_> = choices.iter().map(|(choice, _)| choice.clone()).collect();
            let missing = self.missing(&asked, &overlays);
            let mut lost = Vec::new();
            for (choice, gives) in choices {
                let of = |rule: &&Asserted<'_>| rule.overlay.name() == choice.overlay.name();
                let rules: Vec<_> = missing.iter().filter(of).cloned().collect();
                if rules.is_empty() {
                    continue;
                }
                let known =
                    before.and_then(|before| before.overlays.iter().find(|one| one.overlay.name() == choice.overlay.name()));
                let selected = on_cluster((choice, gives), effective, known);
                for rule in &rules {
                    let (key, new) = (rule.key(), self.told(rule.clone(), &selected, effective, before));
                    let told = told.entry(key).or_default();
                    if told.iter().all(|known| known.what != new.what || known.own != new.own) {
                        told.push(new);
                    }
                }
                lost.push(Lost { selected, rules });
            }
            if !lost.is_empty() {
                all.insert(name.to_owned(), lost);
            }
        }
        for told in told.into_values() {
            self.tell_all(&told);
        }
        all
    }

    /// The overlays that a cluster has to have: those that the base gives it as it is now, and those that it had by a layer or its own
    /// list, each with whether it is one of the first. What its blocks selected and do not select any more, it has chosen to be without.
    fn choices(&self, effective: &Effective<'_>, before: Option<&Effective<'a>>, same: bool) -> Vec<(Choice<'a>, bool)> {
        let has = |name: &str| effective.overlays.iter().any(|one| one.overlay.name() == name);
        // By the same rules a cluster has what the base would give it.
        let given = if same { Vec::new() } else { self.base.giver.to_cluster(&effective.cluster.node) };
        let mut choices: Vec<_> = given.into_iter().map(|choice| (choice, true)).collect();
        let named = |one: &&Selected<'a>| one.reasons.iter().any(|it| matches!(it.origin, Origin::Layer(_) | Origin::Cluster));
        let lost = |one: &&Selected<'a>| named(one) && !(same && has(one.overlay.name()));
        for selected in before.into_iter().flat_map(|before| &before.overlays).filter(lost) {
            for choice in self.base.giver.with(selected.overlay) {
                if choices.iter().all(|(known, _)| known.overlay.name() != choice.overlay.name()) {
                    choices.push((choice, false));
                }
            }
        }
        choices
    }

    /// What to say of a rule that a cluster has lost with its overlay.
    fn told(
        &self,
        rule: Asserted<'a>,
        selected: &Selected<'a>,
        effective: &Effective<'_>,
        before: Option<&Effective<'_>>,
    ) -> Told<'a> {
        let cluster = &effective.cluster;
        let (name, overlay) = (&cluster.value.metadata.name, selected.overlay.name());
        let labels =
            before.map(|before| &before.cluster.value.metadata.labels).filter(|was| **was != cluster.value.metadata.labels);
        let gives = |labels: &Labels| self.own.giver.to_labels(labels).iter().any(|one| one.overlay.name() == overlay);
        let listed = selected.reasons.iter().any(|reason| reason.origin == Origin::Cluster);
        let (what, own) = if labels.is_some_and(gives) {
            (format!("the labels of the cluster `{name}` take the overlay `{overlay}` from it"), cluster.span("metadata.labels"))
        } else if listed {
            (format!("the cluster `{name}` is without the overlay `{overlay}`"), cluster.span("spec.overlays"))
        } else {
            let project = self.own.book.project;
            (format!("no layer gives the cluster `{name}` the overlay `{overlay}`"), project.span("spec.layers"))
        };
        let base = selected.reasons.first().map_or(Span::NONE, |reason| reason.span);
        Told { rule, what, own, base }
    }

    /// Tells of one rule that clusters have lost.
    fn tell_all(&mut self, told: &[Told<'_>]) {
        let Some((first, more)) = told.split_first() else { return };
        let Told { rule, what, own, base } = first;
        if !self.told.insert(rule.key()) {
            return;
        }
        let others = if more.is_empty() { String::new() } else { format!(", and {} more like it", more.len()) };
        let message = format!("{what}, which asserts `{}` in `{}`{others}", rule.code, self.judge.name);
        let mut objection = Objection::weaker(rule.code, *own, message).was(self.judge, *base);
        let distinct = |one: &&Told<'_>| one.own != *own;
        for one in more.iter().filter(distinct).take(SHOWN) {
            objection.finding = objection.finding.also(one.own, one.what.clone());
        }
        self.objections.push(objection);
    }

    /// What clusters would have had by their labels, and would not have now.
    fn layers(&mut self) {
        let place = self.own.book.project.span("spec.layers");
        let mut selectors = Vec::new();
        for side in [&mut *self.base, &mut *self.own] {
            let all: Vec<_> = side.giver.selectors().map(|(overlay, selector)| (overlay, selector.clone())).collect();
            for (overlay, selector) in all {
                let with: Vec<&Overlay> = side.giver.with(overlay).iter().map(|choice| choice.overlay).collect();
                if !side.rules(&with).is_empty() {
                    selectors.push(selector);
                }
            }
        }
        let Some(sets) = told_apart(&selectors) else {
            let message = format!("the layers are not those of `{}`, and name too many labels to compare them", self.judge.name);
            let base = self.judge.rules.project.span("spec.layers");
            return self.objections.push(Objection::weaker(LAYERS, place, message).was(self.judge, base));
        };
        for labels in &sets {
            let own: Vec<&Overlay> = self.own.giver.to_labels(labels).iter().map(|choice| choice.overlay).collect();
            for rule in self.missing(&self.base.giver.to_labels(labels), &own) {
                let (overlay, code, base) = (rule.overlay.name(), rule.code, self.judge.name);
                let who = match sets.len() {
                    1 => "every cluster".to_owned(),
                    _ => format!("a cluster with {}", describe(labels, &sets)),
                };
                let message = format!("no layer gives {who} the overlay `{overlay}`, which asserts `{code}` in `{base}`");
                self.tell(&rule, place, message);
            }
        }
    }

    /// What blocks select that overlays of the project are for, whether or not a cluster has them.
    fn blocks(&mut self) {
        let (before, after) = (self.base.book.library, self.own.book.library);
        let blocks: BTreeSet<&str> =
            before.own().chain(after.own()).filter_map(|overlay| overlay.spec().selected_by.as_deref()).collect();
        for block in blocks {
            let own: Vec<&Overlay> = after.selected(|path| path == block).collect();
            let with =
                own.iter().flat_map(|overlay| self.own.giver.with(overlay)).map(|choice| choice.overlay).collect::<Vec<_>>();
            let was: Vec<Choice<'_>> =
                before.selected(|path| path == block).flat_map(|overlay| self.base.giver.with(overlay)).collect();
            // A cluster with a block that nothing reads is refused.
            for rule in if own.is_empty() { Vec::new() } else { self.missing(&was, &with) } {
                let place = own.first().map_or(Span::NONE, |overlay| overlay.declared.span("spec.selectedBy"));
                let (overlay, code) = (rule.overlay.name(), rule.code);
                let message =
                    format!("what `{block}` selects does not assert `{code}`, as `{overlay}` does in `{}`", self.judge.name);
                self.tell(&rule, place, message);
            }
        }
    }
}

/// What there is to say of a rule that a cluster has lost.
struct Told<'a> {
    rule: Asserted<'a>,
    what: String,
    own: Span,
    base: Span,
}
