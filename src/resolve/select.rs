//! Which overlays a cluster has, and in which order.

use indexmap::IndexMap;

use crate::declare::{self, Cluster, Declared, Project, Selector};
use crate::diagnostic::{Diagnostic, nearest, rules};
use crate::limits;
use crate::overlay::Selected;
use crate::overlay::library::{Library, Overlay};
use crate::patch;
use crate::tree::schema::fill_defaults;
use crate::tree::{Node, Path, Span};

/// The slot of network providers; a cluster has exactly one.
const PROVIDER_SLOT: &str = "cni";

/// A layer of the project whose overlay there is.
pub(super) struct Layer<'p, 'a> {
    clusters: &'p Selector,
    overlay: &'a Overlay,
    /// Where the project names the overlay.
    span: Span,
}

/// The project's layers; the ones whose overlay is not there are reported, whether or not a cluster has them.
pub(super) fn layers<'p, 'a>(
    project: &'p Declared<Project>,
    library: &'a Library,
    findings: &mut Vec<Diagnostic>,
) -> Vec<Layer<'p, 'a>> {
    let root = Path::dotted("spec.layers");
    let layer = |(index, layer): (usize, &'p declare::Layer)| {
        let span = project.node.nearest(&root.item(index).child("overlay")).span;
        Some(Layer { clusters: &layer.clusters, overlay: known(&layer.overlay, span, library, findings)?, span })
    };
    project.value.spec.layers.iter().enumerate().filter_map(layer).collect()
}

/// Reports layers that are on no cluster: a label may be misspelt. Without clusters there is nothing to report yet.
pub(super) fn unused(layers: &[Layer<'_, '_>], clusters: &[Node], findings: &mut Vec<Diagnostic>) {
    let labels: Vec<_> = clusters.iter().map(labels).collect();
    for layer in layers.iter().filter(|layer| !labels.is_empty() && !labels.iter().any(|labels| layer.clusters.matches(labels))) {
        let message = format!("the layer `{}` is on no cluster: none has its labels", layer.overlay.name());
        findings.push(Diagnostic::new(&rules::LAYER_UNUSED, layer.span, message));
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

/// The overlays that are named: by the project's layers, then by the cluster itself. One that is named twice applies once.
pub(super) fn named<'a>(
    node: &Node,
    layers: &[Layer<'_, 'a>],
    library: &'a Library,
    findings: &mut Vec<Diagnostic>,
) -> Vec<(&'a Overlay, Span)> {
    let labels = labels(node);
    let own = node.at(&Path::dotted("spec.overlays"));
    let names = own.and_then(Node::as_list).unwrap_or_default();
    if names.len() > limits::OVERLAYS {
        let message = format!("`overlays` names {} overlays; a cluster has at most {}", names.len(), limits::OVERLAYS);
        findings.push(Diagnostic::new(&rules::LIMIT, own.map_or(node.span, |own| own.span), message));
        return Vec::new();
    }
    let layers = layers.iter().filter(|layer| layer.clusters.matches(&labels)).map(|layer| (layer.overlay, layer.span));
    let own = names.iter().filter_map(|name| Some((known(name.as_str()?, name.span, library, findings)?, name.span)));
    let mut found: Vec<(&Overlay, Span)> = Vec::new();
    for (overlay, span) in layers.chain(own) {
        if found.iter().all(|(other, _)| other.name() != overlay.name()) {
            found.push((overlay, span));
        }
    }
    found
}

fn labels(node: &Node) -> IndexMap<String, String> {
    let map = node.at(&Path::dotted("metadata.labels")).and_then(Node::as_map);
    let text = |(key, value): (&crate::tree::Key, &Node)| Some((key.text.to_string(), value.as_str()?.to_owned()));
    map.into_iter().flat_map(|map| map.iter()).filter_map(text).collect()
}

/// Applies an overlay's declaration patches to a cluster's document.
pub(super) fn patch_declaration(overlay: &Overlay, cluster: &mut Node) {
    let patches = overlay.declared.node.at(&Path::dotted("spec.declarations")).and_then(Node::as_list);
    for change in patches.into_iter().flatten().filter_map(|patch| patch.get("cluster")) {
        if let Some(spec) = cluster.as_map_mut().and_then(|map| map.get_mut("spec")) {
            patch::merge(spec, change);
        }
    }
}

/// Every overlay of a cluster: the ones that its blocks select, then the named ones.
pub(super) fn all<'a>(
    cluster: &Declared<Cluster>,
    named: Vec<(&'a Overlay, Span)>,
    library: &'a Library,
    findings: &mut Vec<Diagnostic>,
) -> Vec<Selected<'a>> {
    unclaimed_blocks(cluster, library, findings);
    let spec = cluster.node.get("spec");
    let by_block = library.selected(|path| spec.is_some_and(|spec| spec.at(&Path::dotted(path)).is_some()));
    let by_block = by_block.filter_map(|overlay| Some((overlay, block(cluster, overlay)?)));
    let by_block = by_block.map(|(overlay, node)| (overlay, node.span, Some(node)));
    let named = named.into_iter().map(|(overlay, span)| (overlay, span, block(cluster, overlay)));
    let mut selected: Vec<Selected<'a>> = Vec::new();
    for (overlay, place, block) in by_block.chain(named) {
        if selected.iter().all(|other| other.overlay.name() != overlay.name()) {
            kubernetes(cluster, overlay, findings);
            let before = findings.len();
            let options = options(overlay, block, findings);
            selected.push(Selected { overlay, options, sound: findings.len() == before, place });
        }
    }
    selected.sort_by_key(|one| one.overlay.spec().slot.as_deref() != Some(PROVIDER_SLOT));
    slots(&selected, findings);
    selected
}

/// The block of the cluster's `spec` that selects an overlay.
fn block<'c>(cluster: &'c Declared<Cluster>, overlay: &Overlay) -> Option<&'c Node> {
    let path = overlay.spec().selected_by.as_deref()?;
    cluster.node.get("spec")?.at(&Path::dotted(path))
}

fn options(overlay: &Overlay, block: Option<&Node>, findings: &mut Vec<Diagnostic>) -> Node {
    let mut options = block.filter(|block| !block.is_null()).cloned().unwrap_or_else(|| Node::map::<&str>([]));
    let base = format!("spec.{}", overlay.spec().selected_by.as_deref().unwrap_or_default());
    match &overlay.options {
        Some(schema) => {
            fill_defaults(schema.root(), &mut options);
            schema.check_below(&base, &options, &rules::SCHEMA, findings);
        }
        None => {
            for (key, _) in options.as_map().into_iter().flat_map(|map| map.iter()) {
                let message = format!("unknown key `{}` in `{base}`", key.text);
                let finding = Diagnostic::new(&rules::UNKNOWN_KEY, key.span, message);
                findings.push(finding.help(format!("the overlay `{}` has no `options`", overlay.name())));
            }
        }
    }
    options
}

/// Reports blocks that no overlay reads: an unknown provider or add-on.
fn unclaimed_blocks(cluster: &Declared<Cluster>, library: &Library, findings: &mut Vec<Diagnostic>) {
    for parent in ["networking", "addons"] {
        let map = cluster.node.at(&Path::dotted(&format!("spec.{parent}"))).and_then(Node::as_map);
        for (key, _) in map.into_iter().flat_map(|map| map.iter()) {
            let known: Vec<&str> = library.blocks().filter_map(|path| path.strip_prefix(parent)?.strip_prefix('.')).collect();
            // An overlay that could not be read may be the one.
            if library.has_broken() || known.contains(&&*key.text) {
                continue;
            }
            let message = format!("no overlay is selected by `{parent}.{}`", key.text);
            let finding = Diagnostic::new(&rules::PROVIDER_UNKNOWN, key.span, message);
            findings.push(match nearest(&key.text, known.iter().copied()) {
                Some(name) => finding.help(format!("did you mean `{name}`?")),
                None if known.is_empty() => {
                    finding.help(format!("an overlay of your own is, with `selectedBy: {parent}.{}`", key.text))
                }
                None => finding.help(format!("known here: {}", known.join(", "))),
            });
        }
    }
}

fn slots(selected: &[Selected<'_>], findings: &mut Vec<Diagnostic>) {
    let mut taken: IndexMap<&str, &Selected<'_>> = IndexMap::new();
    for one in selected {
        let Some(slot) = one.overlay.spec().slot.as_deref() else { continue };
        if let Some(first) = taken.get(slot) {
            let message = format!("`{}` and `{}` both fill the slot `{slot}`", first.overlay.name(), one.overlay.name());
            findings.push(Diagnostic::new(&rules::OVERLAY_SLOT, one.place, message).also(first.place, "the first one"));
        } else {
            taken.insert(slot, one);
        }
    }
}

/// Reports an overlay that does not run on the cluster's version of Kubernetes.
fn kubernetes(cluster: &Declared<Cluster>, overlay: &Overlay, findings: &mut Vec<Diagnostic>) {
    let version = &cluster.value.spec.kubernetes_version;
    let Some(range) = overlay.spec().kubernetes.as_deref().filter(|range| !within(range, cluster.value.kubernetes_minor()))
    else {
        return;
    };
    let message = format!("`{}` runs on Kubernetes {range}, not on {version}", overlay.name());
    findings.push(Diagnostic::new(&rules::OVERLAY_KUBERNETES, cluster.span("spec.kubernetesVersion"), message));
}

/// Whether a minor of Kubernetes 1 is in a range such as `>=1.16 <1.25`.
fn within(range: &str, minor: u32) -> bool {
    range.split_whitespace().all(|part| {
        let bound = part.rsplit('.').next().and_then(|bound| bound.parse::<u32>().ok()).unwrap_or_default();
        match part.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.') {
            ">=" => minor >= bound,
            ">" => minor > bound,
            "<=" => minor <= bound,
            "<" => minor < bound,
            _ => minor == bound,
        }
    })
}
