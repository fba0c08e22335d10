//! What overlays change in declarations: the clusters that they are on, and the networks that these run in.

use indexmap::{IndexMap, IndexSet};

use super::layers::{self, Layer, labels, selector};
use super::select::Layered;
use crate::overlay::library::{Library, Overlay};
use findings::{Diagnostic, rules};
use model::declare::DeclarationPatch;
use tree::{Node, Path, Span};

/// The labels of a declaration.
type Labels = IndexMap<String, String>;

/// Which patch of which overlay.
type Which<'a> = (&'a str, usize);

/// An overlay's declaration patches: the typed entry, and its text.
fn patches(overlay: &Overlay) -> impl Iterator<Item = (usize, &DeclarationPatch, &Node)> {
    let nodes = overlay.declared.node.at(&Path::dotted("spec.declarations")).and_then(Node::as_list).unwrap_or_default();
    overlay.spec().declarations.iter().zip(nodes).enumerate().map(|(index, (patch, node))| (index, patch, node))
}

/// Reports patches of the project's overlays that cannot do anything, whether or not a cluster has them.
pub(super) fn check(library: &Library, findings: &mut Vec<Diagnostic>) {
    for overlay in library.own() {
        for (index, patch, node) in patches(overlay) {
            let path = Path::dotted("spec.declarations").item(index);
            selector(&patch.clusters, &overlay.declared.node, &path.child("clusters"), findings);
            selector(&patch.networks, &overlay.declared.node, &path.child("networks"), findings);
            let invalid = |place: &Node, message: String| Diagnostic::new(&rules::PATCH_INVALID, place.span, message);
            if patch.cluster.is_none() && patch.network.is_none() {
                findings.push(invalid(node, format!("`{path}` has neither `cluster` nor `network`, so it patches nothing")));
            }
            if let Some(networks) = node.get("networks").filter(|_| patch.network.is_none()) {
                findings.push(invalid(networks, format!("`{path}.networks` selects nothing: there is no `network` beside it")));
            }
            for change in ["cluster", "network"].iter().filter_map(|key| node.get(key)) {
                if change.as_map().is_none() && change.as_list().is_none() {
                    let finding = invalid(change, format!("a patch is a mapping or a list, and this is {}", change.kind()));
                    findings.push(finding.help("a mapping is merged into `spec`; a list is JSON 6902 operations on it"));
                }
            }
            plain(node, findings);
        }
    }
}

/// Reports expressions: declarations come before everything that these could ask for.
pub(super) fn plain(node: &Node, findings: &mut Vec<Diagnostic>) {
    node.each(&mut |node| {
        if node.as_str().is_some_and(|text| text.contains("{{")) {
            let message =
                "there are no expressions here: overlays are chosen, and declarations patched, before anything is evaluated";
            findings.push(Diagnostic::new(&rules::EXPRESSION, node.span, message).help("write the value out"));
        }
    });
}

/// Applies one patch to the `spec` of a declaration.
fn apply(document: &mut Node, change: &Node, kind: &str, findings: &mut Vec<Diagnostic>) {
    let place = document.nearest(&Path::dotted("metadata.name")).span;
    let Some(spec) = document.as_map_mut().and_then(|map| map.get_mut("spec")) else { return };
    if change.as_list().is_none() {
        return patch::merge(spec, change);
    }
    let before = findings.len();
    patch::json(spec, change, findings);
    for finding in findings.iter_mut().skip(before).filter(|finding| finding.code == rules::PATCH_NO_MATCH.code) {
        finding.message.push_str(&format!(", in the `spec` of the {kind}"));
        finding.labels.push(findings::Label { span: place, text: format!("this {kind}") });
    }
}

/// Applies an overlay's patches to the document of a cluster that it is on.
pub(super) fn cluster(overlay: &Overlay, document: &mut Node, findings: &mut Vec<Diagnostic>) {
    if overlay.spec().declarations.is_empty() {
        return;
    }
    let labels = labels(document);
    for (_, _, node) in patches(overlay).filter(|(_, patch, _)| patch.clusters.matches(&labels)) {
        if let Some(change) = node.get("cluster") {
            apply(document, change, "cluster", findings);
        }
    }
}

/// A patch on a network, and the clusters that it comes from.
struct OnNetwork<'a> {
    change: &'a Node,
    overlay: &'a str,
    clusters: IndexSet<usize>,
    /// Whether the network has the overlay itself.
    own: bool,
}

/// Applies the patches of overlays to the networks that they are on, and to those of the clusters that they are on, each once.
pub(super) fn networks<'a>(
    networks: &mut [Node],
    clusters: &'a [Option<Layered<'a>>],
    layers: &[Layer<'a>],
    library: &'a Library,
    findings: &mut Vec<Diagnostic>,
) {
    let mut used: IndexSet<Which<'_>> = IndexSet::new();
    let mut by_network: IndexMap<&str, Vec<(usize, &Layered<'_>)>> = IndexMap::new();
    for (at, one) in clusters.iter().enumerate().filter_map(|(at, one)| Some((at, one.as_ref()?))) {
        let network = one.node.get("spec").and_then(|spec| spec.str_at("network"));
        by_network.entry(network.unwrap_or_default()).or_default().push((at, one));
    }
    for network in networks {
        let Some(name) = network.get("metadata").and_then(|metadata| metadata.str_at("name")).map(str::to_owned) else {
            continue;
        };
        let inside = by_network.get(name.as_str()).map(Vec::as_slice).unwrap_or_default();
        let labels_of_network = labels(network);
        let mut changes: IndexMap<Which<'_>, OnNetwork<'_>> = IndexMap::new();
        for overlay in layers::of_network(&labels_of_network, layers, library).iter().map(|choice| choice.overlay) {
            let mine = |patch: &DeclarationPatch| patch.clusters.is_empty() && patch.networks.matches(&labels_of_network);
            for (index, _, node) in patches(overlay).filter(|(_, patch, _)| mine(patch)) {
                if let Some(change) = node.get("network") {
                    let on = OnNetwork { change, overlay: overlay.name(), clusters: IndexSet::new(), own: true };
                    changes.insert((overlay.name(), index), on);
                }
            }
        }
        for (at, one) in inside {
            for overlay in one.choices.iter().map(|choice| choice.overlay) {
                for (index, patch, node) in patches(overlay) {
                    let Some(change) = node.get("network").filter(|_| patch.clusters.matches(&labels(&one.node))) else {
                        continue;
                    };
                    if patch.networks.matches(&labels_of_network) {
                        let entry = changes.entry((overlay.name(), index));
                        let fresh = || OnNetwork { change, overlay: overlay.name(), clusters: IndexSet::new(), own: false };
                        entry.or_insert_with(fresh).clusters.insert(*at);
                    }
                }
            }
        }
        for (which, change) in &changes {
            apply(network, change.change, "network", findings);
            if !change.own {
                shared(change, &name, inside, findings);
            }
            used.insert(*which);
        }
    }
    unused(clusters, &used, findings);
}

/// Warns of a change to a network that other clusters have not asked for.
fn shared(change: &OnNetwork<'_>, network: &str, inside: &[(usize, &Layered<'_>)], findings: &mut Vec<Diagnostic>) {
    const SHOWN: usize = 3;
    let mut others = inside.iter().filter(|(at, _)| !change.clusters.contains(at)).map(|(_, one)| &one.node);
    let Some(first) = others.next() else { return };
    let place = |cluster: &Node| cluster.nearest(&Path::dotted("spec.network")).span;
    let message =
        format!("`{}` changes the network `{network}`, in which a cluster runs that does not have the overlay", change.overlay);
    let finding = Diagnostic::new(&rules::NETWORK_SHARED, change.change.span, message).also(place(first), "this cluster");
    findings.push(others.take(SHOWN).fold(finding, |finding, cluster| finding.also(place(cluster), "and this one")));
}

/// Warns of patches whose selectors leave out every cluster that the overlay is on, or every network of these.
fn unused(clusters: &[Option<Layered<'_>>], on_networks: &IndexSet<Which<'_>>, findings: &mut Vec<Diagnostic>) {
    let mut overlays: IndexMap<&str, (&Overlay, Vec<Labels>)> = IndexMap::new();
    for one in clusters.iter().flatten() {
        for overlay in one.choices.iter().map(|choice| choice.overlay).filter(|overlay| !overlay.spec().declarations.is_empty()) {
            overlays.entry(overlay.name()).or_insert_with(|| (overlay, Vec::new())).1.push(labels(&one.node));
        }
    }
    for (overlay, clusters) in overlays.into_values() {
        for (index, patch, node) in patches(overlay) {
            let none = |what: &str, span: Span| {
                let message = format!("the patch changes no {what}: none that `{}` is on has its labels", overlay.name());
                Diagnostic::new(&rules::PATCH_UNUSED, span, message)
            };
            if !clusters.iter().any(|labels| patch.clusters.matches(labels)) {
                findings.push(none("cluster", node.get("clusters").unwrap_or(node).span));
            } else if patch.network.is_some() && !patch.networks.is_empty() && !on_networks.contains(&(overlay.name(), index)) {
                findings.push(none("network", node.get("networks").unwrap_or(node).span));
            }
        }
    }
}
