//! Why the overlays are there whose declarations set a value.

use std::sync::Arc;

use super::declared;
use super::origin::{Kind, Origin, place};
use crate::declare::Selector;
use crate::overlay::{self, Reason, Selected};
use crate::resolve::Effective;
use crate::tree::{Node, Path, Span};
use crate::{ClusterSeen, NetworkSeen};

/// The clusters whose overlays may have set a value.
pub(super) struct Choice<'a> {
    clusters: Vec<&'a Effective<'a>>,
}

/// An overlay of a cluster.
type Chosen<'a> = (&'a Effective<'a>, &'a Selected<'a>);

impl<'a> Choice<'a> {
    pub(super) fn of_cluster(seen: &ClusterSeen<'a>) -> Self {
        Self { clusters: vec![seen.effective] }
    }

    /// The clusters in a network, whose overlays patch it.
    pub(super) fn of_network(seen: &NetworkSeen<'a>) -> Self {
        Self { clusters: seen.clusters.iter().filter(|one| std::ptr::eq(one.network, seen.network)).collect() }
    }

    /// The clusters' declarations.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &'a Node> {
        self.clusters.iter().map(|one| &one.cluster.node)
    }

    /// A declared value, or one that netloom computes from such, with why the overlays apply that declare it.
    pub(super) fn chosen(&self, origin: Origin) -> Origin {
        self.below(origin, &mut Vec::new())
    }

    /// As [`Choice::chosen`], for an input.
    pub(super) fn input(&self, origin: &Arc<Origin>) -> Arc<Origin> {
        Arc::new(self.chosen(Origin::clone(origin)))
    }

    /// Why a cluster has an overlay, and why it has those that ask for it.
    pub(super) fn selections(&self, selected: &'a Selected<'a>) -> Vec<Arc<Origin>> {
        let has = |one: &&Effective<'a>| one.overlays.iter().any(|own| std::ptr::eq(own, selected));
        let effective = self.clusters.iter().copied().find(has);
        effective.map(|effective| reasons(self, (effective, selected), &mut Vec::new())).unwrap_or_default()
    }

    /// `within` are the overlays that are being explained: two may ask for each other.
    fn below(&self, origin: Origin, within: &mut Vec<&'a str>) -> Origin {
        let mut inputs: Vec<_> = match origin.kind {
            Kind::Computed => origin.inputs.iter().map(|input| Arc::new(self.below(Origin::clone(input), within))).collect(),
            _ => origin.inputs.clone(),
        };
        if let Some(chosen) = self.owner(&origin).filter(|(_, selected)| !within.contains(&selected.overlay.name())) {
            inputs.extend(reasons(self, chosen, within));
        }
        Origin { inputs, ..origin }
    }

    /// The overlay that declares a value, on the first of the clusters that has it.
    fn owner(&self, origin: &Origin) -> Option<Chosen<'a>> {
        let declares = |selected: &&'a Selected<'a>| selected.overlay.declared.node.span.file == origin.place.file;
        let of = |one: &&'a Effective<'a>| Some((*one, one.overlays.iter().find(declares)?));
        self.clusters.iter().filter(|_| origin.kind == Kind::Declared && origin.place.is_known()).find_map(of)
    }
}

fn reasons<'a>(choice: &Choice<'a>, (effective, selected): Chosen<'a>, within: &mut Vec<&'a str>) -> Vec<Arc<Origin>> {
    within.push(selected.overlay.name());
    let reasons = selected.reasons.iter();
    let found = reasons.map(|reason| Arc::new(choice.below(asks((effective, selected), reason), within))).collect();
    within.pop();
    found
}

/// What asks for an overlay.
fn asks((effective, selected): Chosen<'_>, reason: &Reason) -> Origin {
    let document = &effective.cluster.node;
    let (text, place, inputs) = match &reason.origin {
        overlay::Origin::Layer(selector) => by_labels(selector, "cluster", document, reason),
        overlay::Origin::NetworkLayer(selector) => by_labels(selector, "network", &effective.network.node, reason),
        overlay::Origin::Cluster => ("the cluster's own list".to_owned(), reason.span, Vec::new()),
        overlay::Origin::UsedBy(name) => (format!("the overlay {name} builds on it"), reason.span, Vec::new()),
        overlay::Origin::Block => {
            let block = selected.overlay.spec().selected_by.as_deref().unwrap_or_default();
            let path = Path::dotted(&format!("spec.{block}"));
            (format!("selected by spec.{block}"), place(document, &path), Vec::new())
        }
    };
    let name = format!("overlay {}", selected.overlay.name());
    Origin { inputs, ..Origin::new(Kind::Declared, place, text).named(name) }
}

/// A layer of clusters or networks, and those of their labels that it selects.
fn by_labels(selector: &Selector, what: &str, document: &Node, reason: &Reason) -> (String, Span, Vec<Arc<Origin>>) {
    if selector.is_empty() {
        return (format!("a layer of every {what}"), reason.span, Vec::new());
    }
    let labels = selector.match_labels.keys().chain(selector.match_expressions.iter().map(|one| &one.key));
    let paths = labels.map(|label| Path::dotted("metadata.labels").child(label));
    let declared = paths.filter(|path| document.at(path).is_some()).map(|path| {
        let origin = declared::field(document, &path, None);
        Arc::new(origin.named(path.to_string()))
    });
    (format!("a layer of {what}s with {selector}"), reason.span, declared.collect())
}
