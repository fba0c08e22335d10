//! Which overlays a cluster's labels, its own list and other overlays ask for, and in which order they apply.

use indexmap::IndexMap;

use crate::overlay::library::{Library, Overlay};
use crate::overlay::{Origin, Reason};
use findings::{Diagnostic, rules};
use model::declare::{self, Declared, Project, Selector, Use};
use tree::{Key, Node, Path, Span, limits};

/// A layer of the project whose overlay there is.
#[derive(Debug)]
pub(super) struct Layer<'a> {
    pub(super) clusters: Option<Selector>,
    networks: Option<Selector>,
    pub(super) overlay: &'a Overlay,
    options: Option<Node>,
    /// Where the project names the overlay.
    span: Span,
}

/// Something that asks for an overlay.
#[derive(Clone)]
pub(super) struct Root<'a> {
    pub(super) overlay: &'a Overlay,
    pub(super) reason: Reason,
    pub(super) options: Option<Node>,
}

/// An overlay that a cluster has, why, and the options that each reason came with.
#[derive(Clone, Debug)]
pub struct Choice<'a> {
    /// The overlay.
    pub overlay: &'a Overlay,
    pub(super) reasons: Vec<(Reason, Option<Node>)>,
}

/// The project's layers; the ones whose overlay is not there are reported, whether or not a cluster has them.
pub(super) fn layers<'a>(project: &Declared<Project>, library: &'a Library, findings: &mut Vec<Diagnostic>) -> Vec<Layer<'a>> {
    let root = Path::dotted("spec.layers");
    let layer = |(index, layer): (usize, &declare::Layer)| {
        let here = root.item(index);
        for (name, given) in [("clusters", &layer.clusters), ("networks", &layer.networks)] {
            given.iter().for_each(|given| selector(given, &project.node, &here.child(name), findings));
        }
        let span = project.node.nearest(&here.child("overlay")).span;
        let options = project.node.at(&here.child("options")).cloned();
        let (clusters, networks) = (layer.of_clusters(), layer.networks.clone());
        Some(Layer { clusters, networks, overlay: known(&layer.overlay, span, library, findings)?, options, span })
    };
    project.value.spec.layers.iter().enumerate().filter_map(layer).collect()
}

/// Reports conditions of a selector that select everything or nothing.
pub(super) fn selector(selector: &Selector, document: &Node, path: &Path, findings: &mut Vec<Diagnostic>) {
    for (index, requirement) in selector.match_expressions.iter().enumerate() {
        if let Some(fault) = requirement.fault() {
            let place = document.nearest(&path.child("matchExpressions").item(index)).span;
            findings.push(Diagnostic::new(&rules::SELECTOR_INVALID, place, fault));
        }
    }
}

/// Reports layers that are on nothing: a label may be misspelt. Without clusters, or networks, there is nothing to report yet.
pub(super) fn unused(layers: &[Layer<'_>], clusters: &[Node], networks: &[Node], findings: &mut Vec<Diagnostic>) {
    for (what, documents) in [("cluster", clusters), ("network", networks)] {
        let all: Vec<_> = documents.iter().map(labels).collect();
        for layer in layers.iter().filter(|_| !all.is_empty()) {
            let selector = if what == "cluster" { &layer.clusters } else { &layer.networks };
            if selector.as_ref().is_some_and(|selector| !all.iter().any(|labels| selector.matches(labels))) {
                let message = format!("the layer `{}` is on no {what}: none has its labels", layer.overlay.name());
                findings.push(Diagnostic::new(&rules::LAYER_UNUSED, layer.span, message));
            }
        }
    }
}

fn known<'a>(name: &str, span: Span, library: &'a Library, findings: &mut Vec<Diagnostic>) -> Option<&'a Overlay> {
    let found = library.get(name);
    if found.is_none() && !library.is_broken(name) {
        let finding = Diagnostic::new(&rules::OVERLAY_UNKNOWN, span, format!("there is no overlay `{name}`"));
        findings.push(finding.suggest(name, library.names()));
    }
    found
}

/// What names overlays for a cluster: the project's layers, then the cluster itself.
pub(super) fn named<'a>(
    node: &Node,
    layers: &[Layer<'a>],
    library: &'a Library,
    findings: &mut Vec<Diagnostic>,
) -> Vec<Root<'a>> {
    let labels = labels(node);
    let own = node.at(&Path::dotted("spec.overlays"));
    let entries = own.and_then(Node::as_list).unwrap_or_default();
    if entries.len() > limits::OVERLAYS {
        let message = format!("`overlays` names {} overlays; a cluster has at most {}", entries.len(), limits::OVERLAYS);
        findings.push(Diagnostic::new(&rules::LIMIT, own.map_or(node.span, |own| own.span), message));
        return Vec::new();
    }
    let mut roots = of_clusters(layers, &labels);
    for entry in entries {
        let Some((name, span)) = entry_name(entry) else { continue };
        let Some(overlay) = known(name, span, library, findings) else { continue };
        let reason = Reason { origin: Origin::Cluster, span };
        roots.push(Root { overlay, reason, options: entry.get("options").cloned() });
    }
    roots
}

/// What layers give to clusters with these labels.
pub(super) fn of_clusters<'a>(layers: &[Layer<'a>], labels: &IndexMap<String, String>) -> Vec<Root<'a>> {
    of_layers(layers, |layer| {
        let selector = layer.clusters.as_ref().filter(|selector| selector.matches(labels))?;
        Some(Origin::Layer(selector.clone()))
    })
}

/// What the layers say whose selector fits.
fn of_layers<'a>(layers: &[Layer<'a>], origin: impl Fn(&Layer<'a>) -> Option<Origin>) -> Vec<Root<'a>> {
    let root = |layer: &Layer<'a>| {
        let reason = Reason { origin: origin(layer)?, span: layer.span };
        Some(Root { overlay: layer.overlay, reason, options: layer.options.clone() })
    };
    layers.iter().filter_map(root).collect()
}

/// The overlays of a network with these labels, and what they build on: those of layers for networks.
pub(super) fn of_network<'a>(labels: &IndexMap<String, String>, layers: &[Layer<'a>], library: &'a Library) -> Vec<Choice<'a>> {
    let roots = of_layers(layers, |layer| {
        let selector = layer.networks.as_ref().filter(|selector| selector.matches(labels))?;
        Some(Origin::NetworkLayer(selector.clone()))
    });
    expand(roots, library)
}

/// The name in an entry that names an overlay, with its place; none for what the schema refuses.
fn entry_name(entry: &Node) -> Option<(&str, Span)> {
    let name = entry.get("overlay").unwrap_or(entry);
    Some((name.as_str()?, name.span))
}

pub(super) fn labels(node: &Node) -> IndexMap<String, String> {
    let map = node.at(&Path::dotted("metadata.labels")).and_then(Node::as_map);
    let text = |(key, value): (&Key, &Node)| Some((key.text.to_string(), value.as_str()?.to_owned()));
    map.into_iter().flat_map(|map| map.iter()).filter_map(text).collect()
}

/// Every overlay that is asked for, once, in the order in which they apply: what an overlay builds on comes before it.
pub(super) fn expand<'a>(roots: impl IntoIterator<Item = Root<'a>>, library: &'a Library) -> Vec<Choice<'a>> {
    let mut work = Expansion { library, chosen: IndexMap::new(), open: Vec::new() };
    roots.into_iter().for_each(|root| work.visit(root));
    work.chosen.into_values().collect()
}

struct Expansion<'a> {
    library: &'a Library,
    chosen: IndexMap<&'a str, Choice<'a>>,
    /// The overlays whose `uses` are being looked at; a circle is reported elsewhere, once.
    open: Vec<&'a str>,
}

impl<'a> Expansion<'a> {
    fn visit(&mut self, root: Root<'a>) {
        let name = root.overlay.name();
        if self.open.contains(&name) || self.open.len() > limits::OVERLAYS {
            return;
        }
        if !self.chosen.contains_key(name) {
            self.open.push(name);
            for (used, span, options) in uses(root.overlay) {
                if let Some(overlay) = self.library.get(used.overlay()) {
                    let reason = Reason { origin: Origin::UsedBy(name.to_owned()), span };
                    self.visit(Root { overlay, reason, options: options.cloned() });
                }
            }
            self.open.pop();
        }
        let choice = self.chosen.entry(name).or_insert_with(|| Choice { overlay: root.overlay, reasons: Vec::new() });
        choice.reasons.push((root.reason, root.options));
    }
}

/// What an overlay builds on: the entry, the place of its name, and its options.
fn uses(overlay: &Overlay) -> impl Iterator<Item = (&Use, Span, Option<&Node>)> {
    let nodes = overlay.declared.node.at(&Path::dotted("spec.uses")).and_then(Node::as_list).unwrap_or_default();
    overlay.spec().uses.iter().zip(nodes).map(|(used, node)| {
        let span = node.get("overlay").unwrap_or(node).span;
        (used, span, node.get("options"))
    })
}

/// Reports overlays of the project that build on what is not there, or in a circle. Stock overlays do neither.
pub(super) fn check(library: &Library, findings: &mut Vec<Diagnostic>) {
    for overlay in library.own() {
        for (used, span, options) in uses(overlay) {
            known(used.overlay(), span, library, findings);
            options.into_iter().for_each(|options| super::patches::plain(options, findings));
        }
        if let Some(circle) = circle(overlay, library) {
            findings.push(report(&circle));
        }
    }
}

/// A step of a circle: an overlay, and where it names the next one.
type Step<'a> = (&'a Overlay, Span);

/// The circle that an overlay is the first of by name, if it is in one.
fn circle<'a>(first: &'a Overlay, library: &'a Library) -> Option<Vec<Step<'a>>> {
    let (mut seen, mut trail) = (vec![first.name()], vec![(first, uses(first))]);
    let mut steps: Vec<Step<'a>> = Vec::new();
    while let Some((overlay, rest)) = trail.last_mut() {
        let Some((used, span, _)) = rest.next() else {
            trail.pop();
            steps.pop();
            continue;
        };
        if used.overlay() == first.name() {
            steps.push((overlay, span));
            return Some(steps);
        }
        let next = library.get(used.overlay()).filter(|next| next.name() > first.name() && !seen.contains(&next.name()));
        if let Some(next) = next {
            seen.push(next.name());
            steps.push((overlay, span));
            trail.push((next, uses(next)));
        }
    }
    None
}

fn report(circle: &[Step<'_>]) -> Diagnostic {
    const SHOWN: usize = 12;
    let mut names: Vec<&str> = circle.iter().map(|(overlay, _)| overlay.name()).collect();
    names.extend(names.first().copied());
    let more = names.len().saturating_sub(SHOWN);
    let shown: Vec<String> = match more {
        0 => names.iter().map(|name| format!("`{name}`")).collect(),
        _ => {
            let (head, tail) = (names.iter().take(SHOWN - 1), names.last());
            let named = head.chain(tail).map(|name| format!("`{name}`"));
            let mut shown: Vec<String> = named.collect();
            shown.insert(SHOWN - 1, format!("({more} more)"));
            shown
        }
    };
    let place = circle.last().map_or(Span::NONE, |(_, span)| *span);
    let finding = Diagnostic::new(&rules::OVERLAY_CIRCLE, place, format!("overlays build on each other: {}", shown.join(" → ")));
    let finding = finding.help("take what both need into an overlay of its own, and let both build on that");
    let others = circle.iter().rev().skip(1).rev().take(SHOWN);
    others.fold(finding, |finding, (overlay, span)| finding.also(*span, format!("`{}` builds on this one", overlay.name())))
}
