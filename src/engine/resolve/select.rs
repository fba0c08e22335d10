//! Which overlays a cluster has, and in which order: what its layers, its own list and its blocks ask for.

use indexmap::IndexMap;

use super::layers::{self, Choice, Layer, Root};
use super::options::options;
use super::patches;
use crate::overlay::library::{Library, Overlay};
use crate::overlay::{Origin, Reason, Selected};
use findings::{Diagnostic, nearest, rules};
use model::declare::{Cluster, Declared};
use tree::{Node, Path, Span, limits};

/// The slot of network providers; a cluster has exactly one.
const PROVIDER_SLOT: &str = "cni";
/// How often patches may change what is selected by blocks, before netloom gives up.
const ROUNDS: usize = 8;

/// A cluster's document after the patches of its overlays, and those overlays in the order in which they apply.
#[derive(Debug)]
pub struct Layered<'a> {
    pub(super) node: Node,
    pub(super) choices: Vec<Choice<'a>>,
}

/// Finds a cluster's overlays and applies their patches to its document.
///
/// Patches can write a block that selects a further overlay, which may have patches itself; so it is tried until nothing changes.
pub(super) fn layered<'a>(
    node: &Node,
    layers: &[Layer<'a>],
    library: &'a Library,
    findings: &mut Vec<Diagnostic>,
) -> Option<Layered<'a>> {
    let named = layers::named(node, layers, library, findings);
    let mut choices = layers::expand(named.clone(), library);
    for _ in 0..ROUNDS {
        let mut effective = node.clone();
        let mut found = Vec::new();
        choices.iter().for_each(|choice| patches::cluster(choice.overlay, &mut effective, &mut found));
        let mut roots: Vec<Root<'a>> = blocks(&effective, library).chain(named.iter().cloned()).collect();
        roots.sort_by_key(|root| root.overlay.spec().slot.as_deref() != Some(PROVIDER_SLOT));
        let next = layers::expand(roots, library);
        let settled = patching(&next).eq(patching(&choices));
        choices = next;
        if settled {
            findings.append(&mut found);
            return count(node, &choices, findings).then_some(Layered { node: effective, choices });
        }
    }
    let message = "the overlays of this cluster do not settle: what one patches selects or drops another one, in turn";
    let finding = Diagnostic::new(&rules::OVERLAY_CIRCLE, node.nearest(&Path::dotted("metadata.name")).span, message);
    findings.push(finding.help("an overlay cannot take away what selects it; leave the block out instead"));
    None
}

/// The names of the overlays that patch declarations, in order.
fn patching<'c>(choices: &'c [Choice<'_>]) -> impl Iterator<Item = &'c str> {
    choices.iter().filter(|choice| !choice.overlay.spec().declarations.is_empty()).map(|choice| choice.overlay.name())
}

/// Whether a cluster has no more overlays than it may.
fn count(node: &Node, choices: &[Choice<'_>], findings: &mut Vec<Diagnostic>) -> bool {
    if choices.len() > limits::OVERLAYS {
        let message =
            format!("the cluster has {} overlays with those that they build on; it may have {}", choices.len(), limits::OVERLAYS);
        findings.push(Diagnostic::new(&rules::LIMIT, node.nearest(&Path::dotted("spec.overlays")).span, message));
    }
    choices.len() <= limits::OVERLAYS
}

/// The block at a path of a cluster's `spec`.
pub(super) fn block<'n>(cluster: &'n Node, path: &str) -> Option<&'n Node> {
    path.split('.').try_fold(cluster.get("spec")?, |node, key| node.get(key))
}

/// The overlays that blocks of a cluster's `spec` select.
pub(super) fn blocks<'a>(cluster: &Node, library: &'a Library) -> impl Iterator<Item = Root<'a>> {
    let roots: Vec<_> = library
        .selected(|path| block(cluster, path).is_some())
        .filter_map(|overlay| {
            let node = block(cluster, overlay.spec().selected_by.as_deref()?)?;
            let reason = Reason { origin: Origin::Block, span: node.span };
            Some(Root { overlay, reason, options: Some(node.clone()) })
        })
        .collect();
    roots.into_iter()
}

/// Checks a cluster's overlays against it and each other, and their options.
pub(super) fn all<'a>(
    cluster: &Declared<Cluster>,
    choices: Vec<Choice<'a>>,
    library: &'a Library,
    findings: &mut Vec<Diagnostic>,
) -> Vec<Selected<'a>> {
    unclaimed_blocks(cluster, library, findings);
    let select = |choice: Choice<'a>| {
        kubernetes(cluster, choice.overlay, findings);
        selected(choice, findings)
    };
    let selected: Vec<_> = choices.into_iter().map(select).collect();
    slots(&selected, findings);
    selected
}

/// An overlay that was chosen, with its options.
pub(super) fn selected<'a>(choice: Choice<'a>, findings: &mut Vec<Diagnostic>) -> Selected<'a> {
    let block = choice.reasons.iter().find(|(reason, _)| reason.origin == Origin::Block);
    let place = block.or(choice.reasons.first()).map_or(Span::NONE, |(reason, _)| reason.span);
    let before = findings.len();
    let options = options(&choice, place, findings);
    let reasons = choice.reasons.into_iter().map(|(reason, _)| reason).collect();
    Selected { overlay: choice.overlay, options, sound: findings.len() == before, place, reasons }
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
    let version = cluster.value.spec.kubernetes_version;
    let Some(range) = overlay.spec().kubernetes.as_ref().filter(|range| !range.admits(version)) else { return };
    let message = format!("`{}` runs on Kubernetes {range}, not on {version}", overlay.name());
    let finding = Diagnostic::new(&rules::OVERLAY_KUBERNETES, cluster.span("spec.kubernetesVersion"), message);
    findings.push(if range.admits_later_patch(version) {
        finding.help(format!("a version without a patch counts as its first, {version}.0: name the patch that the cluster has"))
    } else {
        finding
    });
}
