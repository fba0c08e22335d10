//! What a unit was compiled from: its declaration with all defaults, and what its overlays say about changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use artifacts::graph::Graph;
use engine::compile::{ClusterSeen, NetworkSeen, Resolved, Witness, cluster_folder, network_folder};
use engine::overlay::Selected;
use engine::resolve::Effective;
use model::declare::{self, Acknowledgement, Network, Transition};
use model::unit::Unit;
use tree::{Node, Path, Sources, Span, from_json};

/// One side of a comparison.
#[derive(Debug, Default)]
pub struct Side {
    /// Its units, but for those that are made from the same on the other side: these need no rendering.
    pub units: Vec<Unit>,
    /// All that is declared, by folder. A network that netloom does not create is here, too, though it has no unit.
    pub declared: BTreeMap<String, Declared>,
    /// What some units are made from, by folder: those that are made from something else on the other side, the networks of such
    /// clusters, and whatever acknowledges anything.
    pub subjects: BTreeMap<String, Subject>,
    /// Their pictures by folder, where they are wanted.
    pub pictures: BTreeMap<String, Graph>,
}

/// Draws units while they are compiled.
#[derive(Default)]
pub struct Painter(Mutex<BTreeMap<String, Graph>>);

impl Painter {
    fn keep(&self, folder: String, picture: Graph) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(folder, picture);
    }

    /// What was drawn.
    pub fn pictures(&self) -> BTreeMap<String, Graph> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Witness for Painter {
    fn network(&self, seen: &NetworkSeen<'_>) {
        self.keep(format!("networks/{}", seen.plan.name), Graph::new(seen.plan));
    }

    fn cluster(&self, seen: &ClusterSeen<'_>) {
        let cluster = &seen.effective.cluster.value;
        let facts = seen.instances.iter().map(|one| &one.facts);
        let picture = Graph::new(seen.network).with_cluster(cluster, seen.network, seen.plan, facts, seen.objects);
        self.keep(format!("clusters/{}", cluster.metadata.name), picture);
    }
}

/// A cluster, or a network.
#[derive(Clone, Debug)]
pub struct Declared {
    /// The network of a cluster.
    pub network: Option<String>,
    /// Whether something is rendered for it: for a cluster, and for a network that netloom creates.
    pub has_unit: bool,
}

/// What a unit is made from.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The network of a cluster.
    pub network: Option<String>,
    /// The document, for its places.
    pub node: Node,
    /// `spec` with all defaults.
    pub spec: Node,
    /// The minor version of Kubernetes.
    pub minor: u32,
    /// What the cluster's overlays say about changes, overlay by overlay.
    pub transitions: Vec<Says>,
    /// What makes objects beside what `spec` says: overlays with their options, the text of the project's own ones, and labels.
    pub contributions: Vec<String>,
    /// Changes that somebody wants in spite of what they do.
    pub acknowledged: Vec<Acknowledgement>,
}

/// An overlay, and what it says about changes.
#[derive(Clone, Debug)]
pub struct Says {
    /// The overlay's name.
    pub overlay: Arc<str>,
    /// The component that its objects belong to.
    pub component: Arc<str>,
    /// Whether it came with netloom.
    pub stock: bool,
    /// What it says.
    pub transitions: Arc<[Transition]>,
}

impl Side {
    /// What a project declares, with what the units in some folders are made from; nothing is rendered yet.
    pub fn declared(resolved: &Resolved<'_>, folders: &BTreeSet<String>) -> Self {
        let mut overlays = Overlays { sources: resolved.sources, known: BTreeMap::new() };
        let mut side = Self::default();
        for effective in resolved.clusters {
            let spec = &effective.cluster.value.spec;
            let folder = cluster_folder(&effective.cluster);
            if folders.contains(&folder) || !spec.acknowledge.is_empty() {
                side.subjects.insert(folder.clone(), cluster(effective, &mut overlays));
            }
            side.declared.insert(folder, Declared { network: Some(spec.network.clone()), has_unit: true });
        }
        for declared in resolved.networks {
            let (spec, folder) = (&declared.value.spec, network_folder(&declared.value.metadata.name));
            if folders.contains(&folder) || !spec.acknowledge.is_empty() {
                side.subjects.insert(folder.clone(), network(declared));
            }
            side.declared.insert(folder, Declared { network: None, has_unit: spec.aws.is_some() });
        }
        side
    }

    /// The network of a cluster.
    pub(super) fn network(&self, cluster: &Subject) -> Option<&Subject> {
        self.subjects.get(&format!("networks/{}", cluster.network.as_ref()?))
    }
}

impl Subject {
    /// Where a field of `spec` was written, or its nearest parent.
    #[must_use]
    pub fn span(&self, field: &str) -> Span {
        self.node.nearest(&Path::dotted(&format!("spec.{field}"))).span
    }
}

/// The folders of the networks in which the clusters in some folders run.
pub fn networks(resolved: &Resolved<'_>, folders: &BTreeSet<String>) -> Vec<String> {
    let clusters = resolved.clusters.iter().filter(|one| folders.contains(&cluster_folder(&one.cluster)));
    clusters.map(|one| network_folder(&one.cluster.value.spec.network)).collect()
}

fn network(network: &declare::Declared<Network>) -> Subject {
    let spec = serde_json::to_value(&network.value.spec).unwrap_or_default();
    Subject {
        network: None,
        node: network.node.clone(),
        spec: without_acknowledgements(from_json(&spec, Span::NONE)),
        minor: 0,
        transitions: Vec::new(),
        contributions: vec![labels(&network.node)],
        acknowledged: network.value.spec.acknowledge.clone(),
    }
}

fn cluster(effective: &Effective<'_>, overlays: &mut Overlays<'_>) -> Subject {
    let value = &effective.cluster.value;
    let json = serde_json::to_value(&value.spec).unwrap_or_default();
    let mut spec = without_acknowledgements(from_json(&json, Span::NONE));
    for selected in &effective.overlays {
        if let Some(block) = &selected.overlay.spec().selected_by {
            set(&mut spec, block, selected.options.clone());
        }
    }
    let mut contributions: Vec<String> = effective.overlays.iter().filter_map(|one| overlays.contribution(one)).collect();
    contributions.push(labels(&effective.cluster.node));
    Subject {
        network: Some(value.spec.network.clone()),
        node: effective.cluster.node.clone(),
        spec,
        minor: value.kubernetes_minor(),
        transitions: effective.overlays.iter().map(|one| overlays.says(one)).collect(),
        contributions,
        acknowledged: value.spec.acknowledge.clone(),
    }
}

/// Labels, which expressions of overlays see.
fn labels(node: &Node) -> String {
    let labels = node.at(&Path::dotted("metadata.labels"));
    labels.map(|labels| labels.to_json().to_string()).unwrap_or_default()
}

fn without_acknowledgements(mut spec: Node) -> Node {
    if let Some(map) = spec.as_map_mut() {
        map.remove("acknowledge");
    }
    spec
}

/// Puts a block in the place of the one that was declared; one that nobody declared is not made.
fn set(spec: &mut Node, path: &str, block: Node) {
    let mut node = spec;
    for key in path.split('.') {
        match node.as_map_mut().and_then(|map| map.get_mut(key)) {
            Some(child) => node = child,
            None => return,
        }
    }
    *node = block;
}

/// What overlays say and hold, found out once for each.
struct Overlays<'a> {
    sources: &'a Sources,
    known: BTreeMap<String, Known>,
}

#[derive(Clone)]
struct Known {
    says: Says,
    text: String,
}

impl Overlays<'_> {
    fn known(&mut self, selected: &Selected<'_>) -> Known {
        let overlay = selected.overlay;
        if let Some(known) = self.known.get(overlay.name()) {
            return known.clone();
        }
        let transitions = overlay.spec().transitions.as_slice().into();
        let (name, component) = (overlay.name().into(), overlay.component().into());
        let says = Says { overlay: name, component, stock: overlay.stock, transitions };
        let known =
            Known { says, text: if overlay.stock { String::new() } else { self.fingerprint(&overlay.folder, overlay.name()) } };
        self.known.insert(overlay.name().to_owned(), known.clone());
        known
    }

    fn says(&mut self, selected: &Selected<'_>) -> Says {
        self.known(selected).says
    }

    /// What an overlay makes objects from beside the declaration; none for one that makes none, and for a stock one that is
    /// selected by its block, since the block is part of `spec`.
    fn contribution(&mut self, selected: &Selected<'_>) -> Option<String> {
        let (spec, stock) = (selected.overlay.spec(), selected.overlay.stock);
        let makes = !spec.resources.is_empty() || !spec.patches.is_empty();
        if !makes || (stock && spec.selected_by.is_some()) {
            return None;
        }
        let options = if spec.selected_by.is_some() { String::new() } else { selected.options.to_json().to_string() };
        Some(format!("{} {options} {}", selected.overlay.name(), self.known(selected).text))
    }

    /// The text of the project's own overlays: an overlay can take files of its neighbours.
    fn fingerprint(&self, folder: &str, name: &str) -> String {
        let root = folder.strip_suffix(&format!("{name}/")).unwrap_or(folder);
        let mut hash = blake3::Hasher::new();
        for (_, source) in self.sources.iter().filter(|(_, source)| source.path.starts_with(root)) {
            hash.update(source.path.as_bytes()).update(&[0]).update(source.text.as_bytes()).update(&[0]);
        }
        hash.finalize().to_string()
    }
}
