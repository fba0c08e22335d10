//! From documents to effective declarations: layers, declaration patches, defaults, validation.

pub mod cluster;
mod declarations;
mod given;
mod layers;
pub mod network;
mod options;
mod patches;
mod select;

use indexmap::IndexMap;
use rayon::prelude::*;

use crate::overlay::Selected;
use crate::overlay::library::{Library, Overlay};
use findings::{Diagnostic, Severity, rules};
use model::declare::{Cluster, Declared, Network, Project, RuleLevel};
use tree::{Node, Path, Span};

pub use declarations::{Documents, attribute, owned};
pub use given::Giver;
pub use layers::Choice;
pub use select::Layered;

/// A cluster with everything that applies to it.
#[derive(Debug)]
pub struct Effective<'a> {
    /// The declaration after its overlays' patches.
    pub cluster: Declared<Cluster>,
    /// The network it runs in.
    pub network: &'a Declared<Network>,
    /// Its overlays, in the order in which they apply.
    pub overlays: Vec<Selected<'a>>,
}

impl Effective<'_> {
    /// Whether every overlay takes the options that it has; there are no objects otherwise.
    pub(crate) fn is_sound(&self) -> bool {
        self.overlays.iter().all(|selected| selected.sound)
    }
}

/// Finds every cluster's overlays, and applies their patches to clusters and networks.
pub fn layered<'a>(
    documents: &mut Documents,
    project: &Declared<Project>,
    library: &'a Library,
    findings: &mut Vec<Diagnostic>,
) -> Vec<Option<Layered<'a>>> {
    library.prepare(|block| documents.clusters.iter().any(|node| select::block(node, block).is_some()));
    layers::check(library, findings);
    patches::check(library, findings);
    let layers = layers::layers(project, library, findings);
    let layered = documents.clusters.par_iter().map(|node| {
        let mut findings = Vec::new();
        let layered = select::layered(node, &layers, library, &mut findings);
        attribute(node, &mut findings);
        (layered, findings)
    });
    let mut clusters = Vec::new();
    for (cluster, mut found) in layered.collect::<Vec<_>>() {
        findings.append(&mut found);
        clusters.push(cluster);
    }
    layers::unused(&layers, &documents.clusters, &documents.networks, findings);
    patches::networks(&mut documents.networks, &clusters, &layers, library, findings);
    clusters
}

/// Decodes and validates every network.
pub fn networks(documents: &mut Documents, findings: &mut Vec<Diagnostic>) -> Vec<Declared<Network>> {
    let nodes = std::mem::take(&mut documents.networks);
    let mut networks = Vec::new();
    for node in nodes {
        let name = node.at(&Path::dotted("metadata.name")).and_then(Node::as_str).map(ToOwned::to_owned);
        let mut found = Vec::new();
        match model::declare::decode::<Network>(node.clone(), &mut found) {
            Some(network) => {
                network::validate(&network, &mut found);
                networks.push(network);
            }
            None => documents.broken.extend(name),
        }
        attribute(&node, &mut found);
        findings.append(&mut found);
    }
    declarations::unique(&networks, |network| network, |network| &network.value.metadata.name, findings);
    networks
}

/// The overlays that layers give to each network, whichever clusters it has.
pub fn overlays_of_networks<'a>(
    networks: &[Declared<Network>],
    project: &Declared<Project>,
    library: &'a Library,
    findings: &mut Vec<Diagnostic>,
) -> Vec<Vec<Selected<'a>>> {
    // What is wrong with layers is reported where clusters ask for them.
    let layers = layers::layers(project, library, &mut Vec::new());
    let of_network = |network: &Declared<Network>| {
        let choices = layers::of_network(&network.value.metadata.labels, &layers, library);
        choices.into_iter().map(|choice| select::selected(choice, findings)).collect()
    };
    networks.iter().map(of_network).collect()
}

/// Resolves every cluster.
pub fn clusters<'a>(
    documents: &Documents,
    layered: Vec<Option<Layered<'a>>>,
    project: &Declared<Project>,
    library: &'a Library,
    networks: &'a [Declared<Network>],
    findings: &mut Vec<Diagnostic>,
) -> Vec<Effective<'a>> {
    let resolved: Vec<_> = layered
        .into_par_iter()
        .flatten()
        .map(|layered| {
            let mut findings = Vec::new();
            let node = declarations::is_made(&layered.node).then(|| layered.node.clone());
            let cluster = one(layered, library, (networks, &documents.broken), &mut findings);
            node.iter().for_each(|node| attribute(node, &mut findings));
            (cluster, findings)
        })
        .collect();
    let mut clusters = Vec::new();
    for (cluster, mut found) in resolved {
        findings.append(&mut found);
        clusters.extend(cluster);
    }
    declarations::unique(&clusters, |one| &one.cluster, |cluster| &cluster.value.metadata.name, findings);
    names_in_aws(&clusters, findings);
    destinations(project, &documents.clusters, findings);
    clusters
}

/// Reports clusters of one VPC that have the same name in AWS tags, by which controllers tell theirs from one another's.
fn names_in_aws(clusters: &[Effective<'_>], findings: &mut Vec<Diagnostic>) {
    let mut seen: IndexMap<(&str, &str), Span> = IndexMap::new();
    for one in clusters.iter().filter(|one| one.network.value.spec.aws.is_some()) {
        let (name, network) = (one.cluster.value.cluster_name(), one.network.value.metadata.name.as_str());
        let field = if one.cluster.value.spec.cluster_name.is_some() { "spec.clusterName" } else { "metadata.name" };
        let here = one.cluster.span(field);
        if let Some(first) = seen.get(&(network, name)) {
            let message = format!("a cluster in the network `{network}` has the name `{name}` in AWS already");
            findings.push(Diagnostic::new(&rules::AWS_NAME_TAKEN, here, message).also(*first, "first here"));
        } else {
            seen.insert((network, name), here);
        }
    }
}

/// Reports Argo CD destinations of clusters that are not declared.
fn destinations(project: &Declared<Project>, clusters: &[Node], findings: &mut Vec<Diagnostic>) {
    let path = Path::dotted("spec.gitops.argo.destinations");
    let names = || clusters.iter().filter_map(|cluster| cluster.get("metadata")?.str_at("name"));
    for (key, _) in project.node.at(&path).and_then(Node::as_map).into_iter().flat_map(|map| map.iter()) {
        if names().all(|name| *name != *key.text) {
            let finding = Diagnostic::new(&rules::UNKNOWN_KEY, key.span, format!("there is no cluster `{}`", key.text));
            findings.push(finding.suggest(&key.text, names()));
        }
    }
}

/// Gives findings the severities that the project wants, and reports rules it names that do not exist.
///
/// What is an error by default stays one: output that breaks such a rule would not run.
///
/// `policies` are codes that policies have, each with whether it stands for errors only.
pub fn severities(project: &Declared<Project>, library: &Library, policies: &[(String, bool)], findings: &mut Vec<Diagnostic>) {
    let levels = &project.value.spec.rules;
    if levels.is_empty() {
        return;
    }
    let declared: Vec<&str> = library.iter().flat_map(Overlay::codes).collect();
    let policy_codes = || policies.iter().map(|(code, _)| code.as_str());
    let codes = || rules::ALL.iter().map(|rule| rule.code).chain(declared.iter().copied()).chain(policy_codes());
    for (code, _) in levels.iter().filter(|(code, _)| codes().all(|known| known != code.as_str())) {
        let place = project.node.key_at(&Path::dotted("spec.rules").child(code)).map_or(Span::NONE, |key| key.span);
        findings.push(Diagnostic::new(&rules::UNKNOWN_KEY, place, format!("there is no rule `{code}`")).suggest(code, codes()));
    }
    for (code, level) in levels.iter().filter(|(_, level)| **level != RuleLevel::Error) {
        if is_error(code, library) || policies.iter().any(|(policy, is_error)| policy == code && *is_error) {
            let path = Path::dotted("spec.rules").child(code);
            let message = format!("`{code}` is an error, and cannot be {}", level.verb());
            findings.push(Diagnostic::new(&rules::RULE_LEVEL, project.node.nearest(&path).span, message));
        }
    }
    findings.retain_mut(|finding| {
        let level = level(project, finding);
        finding.severity = level.unwrap_or(finding.severity);
        level.is_some()
    });
}

/// How bad a finding is in the eyes of a project; none when it has turned the rule off.
#[must_use]
pub fn level(project: &Declared<Project>, finding: &Diagnostic) -> Option<Severity> {
    match project.value.spec.rules.get(finding.code.as_ref()) {
        _ if finding.severity == Severity::Error => Some(Severity::Error),
        None => Some(finding.severity),
        Some(level) => level.severity(),
    }
}

/// Whether a code stands for errors only.
fn is_error(code: &str, library: &Library) -> bool {
    let core = rules::find(code).map(|rule| rule.severity);
    let declared = library.iter().flat_map(Overlay::severities).filter(|(known, _)| *known == code).map(|(_, severity)| severity);
    let mut severities = core.into_iter().chain(declared).peekable();
    severities.peek().is_some() && severities.all(|severity| severity == Severity::Error)
}

/// Resolves one cluster: its type, its network, its overlays.
fn one<'a>(
    Layered { node, choices }: Layered<'a>,
    library: &'a Library,
    (networks, broken): (&'a [Declared<Network>], &[String]),
    findings: &mut Vec<Diagnostic>,
) -> Option<Effective<'a>> {
    let cluster = model::declare::decode::<Cluster>(node, findings)?;
    let Some(network) = networks.iter().find(|network| network.value.metadata.name == cluster.value.spec.network) else {
        if broken.contains(&cluster.value.spec.network) {
            return None;
        }
        let names = networks.iter().map(|network| network.value.metadata.name.as_str());
        let wanted = &cluster.value.spec.network;
        let finding =
            Diagnostic::new(&rules::NETWORK_UNKNOWN, cluster.span("spec.network"), format!("there is no network `{wanted}`"));
        findings.push(finding.suggest(wanted, names));
        return None;
    };
    cluster::validate(&cluster, network, findings);
    let overlays = select::all(&cluster, choices, library, findings);
    Some(Effective { cluster, network, overlays })
}
