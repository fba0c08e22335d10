//! From documents to effective declarations: layers, declaration patches, defaults, validation.

mod declarations;
mod select;

use crate::declare::{Cluster, Declared, Network, Project};
use crate::diagnostic::{Diagnostic, rules};
use crate::overlay::Selected;
use crate::overlay::library::Library;
use crate::tree::Node;

pub use declarations::Documents;

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

/// Decodes and validates every network.
pub fn networks(documents: &mut Documents, findings: &mut Vec<Diagnostic>) -> Vec<Declared<Network>> {
    let nodes = std::mem::take(&mut documents.networks);
    let decoded = nodes.into_iter().filter_map(|node| crate::declare::decode::<Network>(node, findings));
    let networks: Vec<_> = decoded.collect();
    networks.iter().for_each(|network| network::validate(network, findings));
    declarations::unique(&networks, |network| &network.value.metadata.name, findings);
    networks
}

/// Resolves one cluster: its layers' patches, its type, its network, its overlays.
pub fn cluster<'a>(
    node: &Node,
    project: &Project,
    library: &'a Library,
    networks: &'a [Declared<Network>],
    findings: &mut Vec<Diagnostic>,
) -> Option<Effective<'a>> {
    let named = select::named(node, project, library, findings);
    let mut effective = node.clone();
    for (overlay, _) in &named {
        select::patch_declaration(overlay, &mut effective);
    }
    let cluster = crate::declare::decode::<Cluster>(effective, findings)?;
    let Some(network) = networks.iter().find(|network| network.value.metadata.name == cluster.value.spec.network) else {
        let names = networks.iter().map(|network| network.value.metadata.name.as_str());
        let wanted = &cluster.value.spec.network;
        let finding = Diagnostic::new(&rules::NETWORK_UNKNOWN, cluster.span("spec.network"), format!("there is no network `{wanted}`"));
        findings.push(finding.suggest(wanted, names));
        return None;
    };
    cluster::validate(&cluster, network, findings);
    let overlays = select::all(&cluster, named, library, findings);
    Some(Effective { cluster, network, overlays })
}

// The validation of networks and clusters.
pub mod network {
    //! Stand-in until the network's rules land.
    use crate::declare::{Declared, Network};
    use crate::diagnostic::Diagnostic;
    /// Validates.
    pub fn validate(_: &Declared<Network>, _: &mut Vec<Diagnostic>) {}
}
pub mod cluster {
    //! Stand-in until the cluster's rules land.
    use crate::declare::{Cluster, Declared, Network};
    use crate::diagnostic::Diagnostic;
    /// Validates.
    pub fn validate(_: &Declared<Cluster>, _: &Declared<Network>, _: &mut Vec<Diagnostic>) {}
}
