//! What the policies of a base ask for, and those of a change do not.

use super::covers::{Loss, loss};
use super::select::{Active, Policies};
use model::declare::Labels;
use model::declare::labels::{describe, told_apart};
use tree::{Path, Span};

impl<'p> Policies<'p> {
    /// What of a base's policies is gone or asks less, whatever there is that they could hold for: the name of each such policy, and
    /// in what it asks less.
    #[must_use]
    pub fn weaker(&self, base: &Policies<'_>) -> Vec<(String, Loss)> {
        let names = base.library.policies.keys();
        names.filter_map(|name| Some((name.clone(), self.weaker_of(name, base)?))).collect()
    }

    fn weaker_of(&self, name: &str, base: &Policies<'_>) -> Option<Loss> {
        let selectors = || base.selections(name).chain(self.selections(name)).map(|one| &one.clusters);
        let Some(sets) = told_apart(selectors()) else {
            // What is the same for every cluster that one can think of is the same.
            let texts =
                |policies: &Policies<'_>| policies.selections(name).map(|one| serde_json::to_value(one).ok()).collect::<Vec<_>>();
            if texts(self) == texts(base) {
                let named = selectors().map(|selector| selector.match_labels.clone());
                return named.chain([Labels::new()]).find_map(|labels| self.less(name, base, (&labels, &labels)));
            }
            let what = "its selections are others, and name too many labels to compare them".to_owned();
            return Some(Loss { what, own: self.place(name), base: base.place(name) });
        };
        let asked: Vec<&Labels> = sets.iter().filter(|labels| !base.active_of(name, labels).is_empty()).collect();
        let less = |labels: &&&Labels| self.less(name, base, (labels, labels)).is_some();
        let labels = *asked.iter().find(less)?;
        let loss = self.less(name, base, (labels, labels))?;
        let whom = match asked.iter().all(|labels| less(&labels)) {
            true => String::new(),
            false => format!(", for what has {}", describe(labels, &sets)),
        };
        Some(Loss { what: loss.what + &whom, ..loss })
    }

    /// What of a base's policies does not hold for a declaration any more because of its labels: these `was`, and are now `is`.
    #[must_use]
    pub fn relabelled(&self, base: &Policies<'_>, was: &Labels, is: &Labels) -> Vec<String> {
        let lost = |name: &&String| self.less(name, base, (was, is)).is_some() && self.less(name, base, (was, was)).is_none();
        if was == is { Vec::new() } else { base.library.policies.keys().filter(lost).cloned().collect() }
    }

    /// The policies of a base that hold for a declaration with labels like these, in the base or now, and that are not asked for here
    /// as they are there.
    #[must_use]
    pub fn lost<'b>(&self, base: &'b Policies<'_>, was: Option<&Labels>, is: &Labels) -> Vec<Active<'b>> {
        let mut lost: Vec<Active<'b>> = Vec::new();
        for active in base.active(is).into_iter().chain(was.into_iter().flat_map(|was| base.active(was))) {
            let known = lost.iter().any(|one| one.same(&active));
            if !known && self.instead(base, &active, is).is_some() {
                lost.push(active);
            }
        }
        lost
    }

    /// In what a policy asks less of something with the labels `is` than the base asks of something with the labels `was`.
    fn less(&self, name: &str, base: &Policies<'_>, (was, is): (&Labels, &Labels)) -> Option<Loss> {
        base.active_of(name, was).iter().find_map(|active| self.instead(base, active, is))
    }

    /// In what that which holds here asks less than a policy of the base.
    fn instead(&self, base: &Policies<'_>, active: &Active<'_>, labels: &Labels) -> Option<Loss> {
        let own = self.active_of(active.name(), labels);
        let mut losses = Vec::new();
        for one in &own {
            let loss = loss((&self.library, one), (&base.library, active))?;
            let place = |span: Span, policies: &Policies<'_>| if span.is_known() { span } else { policies.place(active.name()) };
            losses.push(Loss { own: place(loss.own, self), base: place(loss.base, base), ..loss });
        }
        let gone = || {
            let known = active.entry.stock || self.library.policies.contains_key(active.name());
            let what = if known { "nothing turns it on" } else { "it is gone" };
            Loss { what: what.to_owned(), own: self.place(active.name()), base: base.place(active.name()) }
        };
        Some(losses.into_iter().next().unwrap_or_else(gone))
    }

    /// Where the project selects a policy, or else the policy is; where it could select one when there is none.
    fn place(&self, name: &str) -> Span {
        let at = self.project.value.spec.policies.iter().position(|one| one.policy == name);
        let selected = at.map(|at| self.project.node.nearest(&Path::dotted("spec.policies").item(at).child("policy")).span);
        let entry =
            || self.library.policies.get(name).filter(|entry| !entry.stock).map(|entry| entry.declared.span("metadata.name"));
        selected.or_else(entry).unwrap_or_else(|| self.project.span("spec.policies"))
    }
}

impl Active<'_> {
    /// Whether the same binding is in force in the same way.
    fn same(&self, other: &Active<'_>) -> bool {
        let binding = |active: &Active<'_>| active.binding.map(std::ptr::from_ref);
        std::ptr::eq(self.entry, other.entry)
            && binding(self) == binding(other)
            && self.severity == other.severity
            && self.builds() == other.builds()
    }
}
