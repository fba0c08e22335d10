//! The base's policies, where those of the change ask for less.

use super::{Judge, Objection, Rulebook, foreign};
use crate::check::Rendered;
use crate::declare::{Declared, Labels, Network};
use crate::diagnostic::Diagnostic;
use crate::policy::{Active, Before, NetworkSubject};
use crate::resolve::Effective;
use crate::tree::{Node, Path, Span};

/// Policies that are gone or ask for less, and those that changed labels take from a cluster or a network.
pub(super) fn weaker(
    judge: &Judge<'_>,
    own: Rulebook<'_>,
    clusters: &[Effective<'_>],
    networks: &[Declared<Network>],
) -> Vec<Objection> {
    let lost = own.policies.weaker(judge.rules.policies).into_iter().map(|(name, loss)| {
        let message = format!("the policy `{name}` is weaker than in `{}`: {}", judge.name, loss.what);
        Objection::weaker(&name, loss.own, message).was(judge, loss.base)
    });
    let clusters = clusters.iter().map(|one| {
        let cluster = &one.cluster;
        ("cluster", &cluster.value.metadata.name, &cluster.value.metadata.labels, labels_place(&cluster.node))
    });
    let networks = networks.iter().map(|one| {
        let metadata = &one.value.metadata;
        ("network", &metadata.name, &metadata.labels, labels_place(&one.node))
    });
    let relabelled = clusters.chain(networks).flat_map(|(kind, name, labels, place)| {
        let was = labels_of(judge, kind, name);
        let lost = was.map(|was| own.policies.relabelled(judge.rules.policies, was, labels)).unwrap_or_default();
        lost.into_iter().map(move |policy| {
            let message = format!("the labels of the {kind} `{name}` take the policy `{policy}` from it");
            Objection::weaker(&policy, place, message)
        })
    });
    lost.chain(relabelled).collect()
}

fn labels_place(node: &Node) -> Span {
    node.nearest(&Path::dotted("metadata.labels")).span
}

/// The labels of a cluster or network in the base.
fn labels_of<'a>(judge: &Judge<'a>, kind: &str, name: &str) -> Option<&'a Labels> {
    let clusters = judge.clusters.iter().map(|one| &one.cluster.value.metadata);
    let networks = judge.networks.iter().map(|one| &one.value.metadata);
    let mut of_kind: Box<dyn Iterator<Item = _>> = if kind == "cluster" { Box::new(clusters) } else { Box::new(networks) };
    of_kind.find(|metadata| metadata.name == name).map(|metadata| &metadata.labels)
}

/// What the policies that a cluster has lost find of it.
pub(super) fn cluster(judge: &Judge<'_>, own: Rulebook<'_>, rendered: Rendered<'_>) -> Vec<Objection> {
    let metadata = &rendered.cluster.value.metadata;
    let was = labels_of(judge, "cluster", &metadata.name);
    let lost = own.policies.lost(judge.rules.policies, was, &metadata.labels);
    each(judge, &lost, |active, findings| judge.rules.policies.cluster(active, rendered, judge.role, findings))
}

/// The same of a network.
pub(super) fn network(judge: &Judge<'_>, own: Rulebook<'_>, subject: NetworkSubject<'_>) -> Vec<Objection> {
    let metadata = &subject.network.value.metadata;
    let was = labels_of(judge, "network", &metadata.name);
    let lost = own.policies.lost(judge.rules.policies, was, &metadata.labels);
    each(judge, &lost, |active, findings| judge.rules.policies.network(active, subject, judge.role, findings))
}

/// The same of units that are there no more.
pub(super) fn removed(judge: &Judge<'_>, own: Rulebook<'_>, gone: &dyn Fn(&str) -> bool) -> Vec<Objection> {
    let of_unit = |before: &Before| {
        let lost = own.policies.lost(judge.rules.policies, None, &before.labels());
        each(judge, &lost, |active, findings| judge.rules.policies.removed(active, before, findings))
    };
    judge.role.gone(gone).flat_map(of_unit).collect()
}

/// What each policy finds, under the code that allows it.
fn each(judge: &Judge<'_>, lost: &[Active<'_>], evaluate: impl Fn(&[Active<'_>], &mut Vec<Diagnostic>)) -> Vec<Objection> {
    let mut objections = Vec::new();
    for active in lost {
        let mut findings = Vec::new();
        evaluate(std::slice::from_ref(active), &mut findings);
        objections.extend(findings.into_iter().map(|finding| foreign(judge, active.name(), finding)));
    }
    objections
}
