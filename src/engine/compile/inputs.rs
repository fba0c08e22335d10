//! What each unit is made from, so that two compilations can be compared before anything is rendered.
//!
//! A unit is a function of its declaration after all patches, its network and the MTU of those that routes lead to, its overlays with
//! their options and files, the policies and the rest of `netloom.yaml`. [`of`] takes a hash of all these for every unit. Where two
//! compilations by the same netloom have the same hash, the unit's files are the same, and so is what there is to say about it, but
//! for the lines in which it stands. A hash that differs may still stand for the same unit: what a unit might read is taken in, too.

use std::collections::{BTreeMap, BTreeSet};

use blake3::{Hash, Hasher};
use rayon::prelude::*;

use super::wanted::{Resolved, cluster_folder, network_folder};
use crate::overlay::library::Overlay;
use crate::overlay::reach::Files;
use crate::overlay::{Origin, Selected};
use crate::resolve::Effective;
use tree::Node;

/// The hash of what each unit is made from, by its folder.
pub type Inputs = BTreeMap<String, Hash>;

/// The inputs of every unit.
pub(super) fn of(resolved: &Resolved<'_>) -> Inputs {
    let fleet = resolved.fleet;
    let files = Files::of(resolved.sources, &fleet.project.value.spec.paths.overlays);
    let common = common(resolved, &files);
    let mut overlays: BTreeMap<&str, Hash> = BTreeMap::new();
    let of_networks = fleet.overlays_of_networks.iter().flatten();
    for overlay in resolved.clusters.iter().flat_map(|one| &one.overlays).chain(of_networks).map(|selected| selected.overlay) {
        overlays.entry(overlay.name()).or_insert_with(|| of_overlay(overlay, &files));
    }
    let networks = resolved.networks.iter().enumerate().map(|(at, network)| {
        let mut hasher = Hasher::new();
        let owner = fleet.node_routes.get(&at).map_or("", String::as_str);
        add(&mut hasher, [common.as_bytes(), text(&network.node).as_bytes(), owner.as_bytes()]);
        for selected in fleet.overlays_of_networks.get(at).into_iter().flatten() {
            chosen(selected, &overlays, &files, &mut hasher);
        }
        // Policies see what is at the other end of a route.
        for peering in fleet.plans.get(at).into_iter().flat_map(|plan| plan.peerings(&fleet.plans)) {
            let (name, through) = (peering.network.name.as_bytes(), peering.through.as_bytes());
            add(&mut hasher, [name, through, &peering.network.mtu.to_le_bytes(), &peering.carries.to_le_bytes()]);
        }
        (network_folder(&network.value.metadata.name), hasher.finalize())
    });
    let mut networks: Vec<_> = networks.collect();
    let clusters = resolved.clusters.par_iter().map(|effective| {
        let at = fleet.position(effective);
        let network = at.and_then(|at| networks.get(at)).map_or(common, |(_, hash)| *hash);
        (cluster_folder(&effective.cluster), cluster(effective, network, &overlays, &files))
    });
    let clusters: Vec<_> = clusters.collect();
    // What overlays of clusters have for a network's stack depends on all of its clusters: also on those without the overlay.
    let shares = |one: &Effective<'_>| one.overlays.iter().any(|selected| fleet.share(selected).is_some());
    let sharing: BTreeSet<usize> =
        resolved.clusters.iter().filter(|one| shares(one)).filter_map(|one| fleet.position(one)).collect();
    for (effective, (_, cluster)) in resolved.clusters.iter().zip(&clusters).filter(|_| !sharing.is_empty()) {
        if let Some(at) = fleet.position(effective).filter(|at| sharing.contains(at))
            && let Some((_, hash)) = networks.get_mut(at)
        {
            *hash = both(*hash, *cluster);
        }
    }
    let mut inputs = Inputs::new();
    for (folder, hash) in networks.into_iter().chain(clusters) {
        // Two of one name are an error; both count until one is gone.
        inputs.entry(folder).and_modify(|known| *known = both(*known, hash)).or_insert(hash);
    }
    inputs
}

/// What every unit is made from: the project but for its layers, which count where they apply, and the policies.
fn common(resolved: &Resolved<'_>, files: &Files<'_>) -> Hash {
    let project = resolved.fleet.project;
    let mut node = project.node.clone();
    if let Some(spec) = node.as_map_mut().and_then(|map| map.get_mut("spec")?.as_map_mut()) {
        spec.remove("layers");
    }
    let mut hasher = Hasher::new();
    add(&mut hasher, [text(&node).as_bytes()]);
    let folder = format!("{}/", project.value.spec.paths.policies);
    for (path, policy) in files.below(&folder) {
        add(&mut hasher, [path.as_bytes(), policy.as_bytes()]);
    }
    hasher.finalize()
}

/// An overlay: the files that it can read. The stock ones came with netloom.
fn of_overlay(overlay: &Overlay, files: &Files<'_>) -> Hash {
    let mut hasher = Hasher::new();
    if !overlay.stock {
        for (path, file) in files.reached(overlay) {
            let there: &[u8] = if file.is_some() { &[1] } else { &[0] };
            add(&mut hasher, [path.as_bytes(), there, file.unwrap_or_default().as_bytes()]);
        }
    }
    hasher.finalize()
}

fn cluster(effective: &Effective<'_>, network: Hash, overlays: &BTreeMap<&str, Hash>, files: &Files<'_>) -> Hash {
    let mut hasher = Hasher::new();
    add(&mut hasher, [network.as_bytes(), text(&effective.cluster.node).as_bytes()]);
    named(&effective.cluster.node, files, &mut hasher);
    for selected in &effective.overlays {
        chosen(selected, overlays, files, &mut hasher);
    }
    hasher.finalize()
}

/// An overlay that was chosen, with its options.
fn chosen(selected: &Selected<'_>, overlays: &BTreeMap<&str, Hash>, files: &Files<'_>, hasher: &mut Hasher) {
    let name = selected.overlay.name();
    let held = overlays.get(name).map_or([0; 32], |hash| *hash.as_bytes());
    let flags = [u8::from(selected.overlay.stock), u8::from(selected.sound)];
    add(hasher, [name.as_bytes(), &held, &flags, text(&selected.options).as_bytes()]);
    reasons(selected, hasher);
    named(&selected.options, files, hasher);
}

/// Why something has an overlay, which decides which ones are of equal standing.
fn reasons(selected: &Selected<'_>, hasher: &mut Hasher) {
    for reason in &selected.reasons {
        let (kind, what) = match &reason.origin {
            Origin::Layer(selector) => ("layer", selector.to_string()),
            Origin::NetworkLayer(selector) => ("network layer", selector.to_string()),
            Origin::Cluster => ("cluster", String::new()),
            Origin::UsedBy(name) => ("used by", name.clone()),
            Origin::Block => ("block", String::new()),
        };
        add(hasher, [kind.as_bytes(), what.as_bytes()]);
    }
}

/// The files that values name: a stock overlay opens those that an option has the path of, and no others (a test sees to it).
fn named(node: &Node, files: &Files<'_>, hasher: &mut Hasher) {
    node.each(&mut |node| {
        if let Some((path, file)) = node.as_str().and_then(|path| Some((path, files.named(path)?))) {
            add(hasher, [path.as_bytes(), file.as_bytes()]);
        }
    });
}

fn text(node: &Node) -> String {
    node.to_json().to_string()
}

fn both(one: Hash, other: Hash) -> Hash {
    let mut hasher = Hasher::new();
    add(&mut hasher, [one.as_bytes().as_slice(), other.as_bytes()]);
    hasher.finalize()
}

/// Adds parts, each with its length, so that no two lists of parts are one text.
fn add<'p>(hasher: &mut Hasher, parts: impl IntoIterator<Item = &'p [u8]>) {
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
}
