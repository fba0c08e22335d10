//! Why the overlays are there whose declarations set a value.

use std::sync::Arc;

use super::declared;
use super::origin::{Kind, Origin, place};
use engine::overlay::{self, Reason, Selected};
use engine::resolve::Effective;
use engine::{ClusterSeen, NetworkSeen};
use model::declare::Selector;
use tree::{Node, Path, Span};

/// The clusters whose overlays may have set a value, and their network.
pub(super) struct Choice<'a> {
    clusters: Vec<&'a Effective<'a>>,
    network: &'a Node,
}

/// An overlay of a cluster, or of the network.
type Chosen<'a> = (Option<&'a Effective<'a>>, &'a Selected<'a>);

impl<'a> Choice<'a> {
    pub(super) fn of_cluster(seen: &ClusterSeen<'a>) -> Self {
        Self { clusters: vec![seen.effective], network: &seen.effective.network.node }
    }

    /// The clusters in a network, whose overlays patch it.
    pub(super) fn of_network(seen: &NetworkSeen<'a>) -> Self {
        let clusters = seen.clusters.iter().filter(|one| std::ptr::eq(one.network, seen.network)).collect();
        Self { clusters, network: &seen.network.node }
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

    /// Why there is an overlay, and why there are those that ask for it: of a network's, on each of the clusters that has it.
    pub(super) fn selections(&self, selected: &'a Selected<'a>) -> Vec<Arc<Origin>> {
        let name = selected.overlay.name();
        let own = |one: &&'a Effective<'a>| Some((Some(*one), one.overlays.iter().find(|own| own.overlay.name() == name)?));
        let of_clusters: Vec<Chosen<'a>> = self.clusters.iter().filter_map(own).collect();
        let of_network = |reason: &&Reason| !of_clusters.iter().any(|(_, own)| own.reasons.contains(reason));
        let mut found: Vec<_> = selected
            .reasons
            .iter()
            .filter(of_network)
            .map(|reason| self.reason((None, selected), reason, &mut vec![name]))
            .collect();
        for chosen in of_clusters {
            for reason in reasons(self, chosen, &mut Vec::new()) {
                if !found.contains(&reason) {
                    found.push(reason);
                }
            }
        }
        found
    }

    fn reason(&self, chosen: Chosen<'a>, reason: &Reason, within: &mut Vec<&'a str>) -> Arc<Origin> {
        Arc::new(self.below(asks(self.network, chosen, reason), within))
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
        let of = |one: &&'a Effective<'a>| Some((Some(*one), one.overlays.iter().find(declares)?));
        self.clusters.iter().filter(|_| origin.kind == Kind::Declared && origin.place.is_known()).find_map(of)
    }
}

fn reasons<'a>(choice: &Choice<'a>, (on, selected): Chosen<'a>, within: &mut Vec<&'a str>) -> Vec<Arc<Origin>> {
    within.push(selected.overlay.name());
    let found = selected.reasons.iter().map(|reason| choice.reason((on, selected), reason, within)).collect();
    within.pop();
    found
}

/// What asks for an overlay.
fn asks(network: &Node, (on, selected): Chosen<'_>, reason: &Reason) -> Origin {
    // What asks for an overlay of the network itself is no label or block of a cluster.
    let document = on.map_or(network, |effective| &effective.cluster.node);
    let (text, place, inputs) = match &reason.origin {
        overlay::Origin::Layer(selector) => by_labels(selector, "cluster", document, reason),
        overlay::Origin::NetworkLayer(selector) => by_labels(selector, "network", network, reason),
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
