//! What the units of a compilation are, before anything is rendered, and which of them are wanted.

use std::collections::BTreeSet;

use super::inputs::{self, Inputs};
use super::{Fleet, Request};
use crate::resolve::Effective;
use model::declare::{Cluster, Declared, Network};
use tree::Sources;

/// Which units are compiled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// All of them.
    #[default]
    All,
    /// Those in these folders.
    Only(BTreeSet<String>),
}

impl Wanted {
    /// None of them.
    pub fn none() -> Self {
        Wanted::Only(BTreeSet::new())
    }

    /// Whether the unit in a folder is.
    pub(crate) fn has(&self, folder: &str) -> bool {
        match self {
            Wanted::All => true,
            Wanted::Only(folders) => folders.contains(folder),
        }
    }
}

/// What the units of a compilation are made from.
#[derive(Clone, Copy)]
pub struct Resolved<'a> {
    /// Its clusters.
    pub clusters: &'a [Effective<'a>],
    /// Its networks.
    pub networks: &'a [Declared<Network>],
    /// The texts that their spans point into.
    pub sources: &'a Sources,
    /// The output folder, relative to the root.
    pub output: &'a str,
    pub(super) fleet: &'a Fleet<'a>,
}

impl Resolved<'_> {
    /// The units that a request names: its clusters, and their networks.
    pub fn asked(&self, request: &Request) -> Wanted {
        if request.clusters.is_empty() {
            return Wanted::All;
        }
        let named = self.clusters.iter().filter(|one| request.clusters.contains(&one.cluster.value.metadata.name));
        let folders = named.flat_map(|one| [cluster_folder(&one.cluster), network_folder(&one.network.value.metadata.name)]);
        Wanted::Only(folders.collect())
    }

    /// The folders of the units: of every cluster, and of the networks that netloom creates.
    pub fn units(&self) -> BTreeSet<String> {
        let created = self.networks.iter().filter(|network| network.value.spec.aws.is_some());
        let networks = created.map(|network| network_folder(&network.value.metadata.name));
        self.clusters.iter().map(|one| cluster_folder(&one.cluster)).chain(networks).collect()
    }

    /// What each unit is made from, for comparison with another compilation.
    pub fn inputs(&self) -> Inputs {
        inputs::of(self)
    }
}

/// The folder of a cluster's unit.
pub fn cluster_folder(cluster: &Declared<Cluster>) -> String {
    format!("clusters/{}", cluster.value.metadata.name)
}

/// The folder of a network's unit.
pub fn network_folder(name: &str) -> String {
    format!("networks/{name}")
}
