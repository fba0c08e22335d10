//! The base's policies, where those of the change ask for less.

use std::collections::BTreeSet;

use super::{Before, Judge, Objection, Rulebook, Trial, levels, of_judge};
use crate::resolve::Effective;
use checks::check::Rendered;
use checks::policy::{self, Active, NetworkSubject};
use findings::Diagnostic;
use model::declare::{Declared, Labels, Metadata, Network};
use tree::{Node, Path};

/// Policies that are gone or ask for less, by name, and what there is to say of them, and of those that changed labels take from a
/// cluster or a network.
pub(super) fn compare(
    judge: &Judge<'_>,
    own: Rulebook<'_>,
    before: &Before<'_>,
    (clusters, networks): (&[Effective<'_>], &[Declared<Network>]),
) -> (BTreeSet<String>, Vec<Objection>) {
    let base = judge.rules.policies;
    let heard = |name: &str| base.severity(name).is_some_and(|severity| levels::level(judge.rules, name, severity).is_some());
    let mut weaker = own.policies.weaker(base);
    weaker.retain(|(name, _)| heard(name));
    let mut objections: Vec<_> = weaker
        .iter()
        .map(|(name, loss)| {
            let message = format!("the policy `{name}` is weaker than in `{}`: {}", judge.name, loss.what);
            Objection::weaker(name, loss.own, message).was(judge, loss.base)
        })
        .collect();
    let mut relabelled = |was: Option<&Labels>, metadata: &Metadata, what: &str, node: &Node| {
        let lost = was.map(|was| own.policies.relabelled(base, was, &metadata.labels)).unwrap_or_default();
        let place = node.nearest(&Path::dotted("metadata.labels")).span;
        objections.extend(lost.iter().filter(|policy| heard(policy)).map(|policy| {
            let message = format!("the labels of the {what} `{}` take the policy `{policy}` from it", metadata.name);
            Objection::weaker(policy, place, message)
        }));
    };
    for Effective { cluster, .. } in clusters {
        let metadata = &cluster.value.metadata;
        relabelled(before.labels_of_cluster(&metadata.name), metadata, "cluster", &cluster.node);
    }
    for network in networks {
        let metadata = &network.value.metadata;
        relabelled(before.labels_of_network(&metadata.name), metadata, "network", &network.node);
    }
    (weaker.into_iter().map(|(name, _)| name).collect(), objections)
}

/// What the policies that a cluster has lost find of it.
pub(super) fn cluster(trial: &Trial<'_>, rendered: Rendered<'_>) -> Vec<Objection> {
    let metadata = &rendered.cluster.value.metadata;
    let policies = trial.judge.rules.policies;
    each(trial, trial.before.labels_of_cluster(&metadata.name), &metadata.labels, |active, findings| {
        policies.cluster(active, rendered, trial.judge.role, findings);
    })
}

/// The same of a network.
pub(super) fn network(trial: &Trial<'_>, subject: NetworkSubject<'_>) -> Vec<Objection> {
    let metadata = &subject.network.value.metadata;
    let policies = trial.judge.rules.policies;
    each(trial, trial.before.labels_of_network(&metadata.name), &metadata.labels, |active, findings| {
        policies.network(active, subject, trial.judge.role, findings);
    })
}

/// The same of units that are there no more.
pub(super) fn removed(trial: &Trial<'_>, gone: &dyn Fn(&str) -> bool) -> Vec<Objection> {
    let of_unit = |before: &policy::Before| {
        let policies = trial.judge.rules.policies;
        each(trial, None, &before.labels(), |active, findings| policies.removed(active, before, findings))
    };
    trial.judge.role.gone(gone).flat_map(of_unit).collect()
}

/// What each policy finds, under the code that allows it, of something that had the labels `was`, and has the labels `is`.
fn each(
    trial: &Trial<'_>,
    was: Option<&Labels>,
    is: &Labels,
    evaluate: impl Fn(&[Active<'_>], &mut Vec<Diagnostic>),
) -> Vec<Objection> {
    let same = was.is_none_or(|was| was == is);
    let mut objections = Vec::new();
    // Policies that ask for as much whatever the labels do so for these.
    if same && trial.policies.is_empty() {
        return objections;
    }
    for active in trial.own.policies.lost(trial.judge.rules.policies, was, is) {
        let mut findings = Vec::new();
        evaluate(std::slice::from_ref(&active), &mut findings);
        objections.extend(findings.into_iter().map(|finding| of_judge(trial.judge, active.name(), finding)));
    }
    objections
}
