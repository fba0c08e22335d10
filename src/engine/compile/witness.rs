//! What an onlooker sees of a unit that is compiled.

use std::sync::Arc;

use crate::overlay::Selected;
use crate::overlay::jsonnet::Jsonnet;
use crate::overlay::render::{Instance, Tools};
use crate::resolve::Effective;
use model::declare::{Declared, Network, Project};
use model::plan::{ClusterPlan, NetworkPlan};
use model::unit::Artifact;
use schema::Object;
use tree::{Node, Sources};

/// Sees units together with what they were made from, while that is still there. Compiling keeps nothing for it: `explain`, which
/// asks, compiles the unit in question anew.
pub trait Witness: Sync {
    /// A network's unit was compiled.
    fn network(&self, seen: &NetworkSeen<'_>);
    /// A cluster's unit was compiled.
    fn cluster(&self, seen: &ClusterSeen<'_>);
}

/// A network's unit, and what it was made from.
#[derive(Clone, Copy)]
#[allow(missing_debug_implementations)]
pub struct NetworkSeen<'a> {
    /// The project.
    pub project: &'a Declared<Project>,
    /// Every text.
    pub sources: &'a Sources,
    /// The declaration.
    pub network: &'a Declared<Network>,
    /// The clusters of the project that are compiled.
    pub clusters: &'a [Effective<'a>],
    /// Its plan.
    pub plan: &'a NetworkPlan,
    /// The overlays that have something for its stack: its own, and those of its clusters.
    pub overlays: &'a [Selected<'a>],
    /// Those of them that apply.
    pub instances: &'a [Instance<'a>],
    /// Runs Jsonnet.
    pub jsonnet: &'a Jsonnet,
    /// Its template.
    pub template: &'a Node,
    /// The files.
    pub artifacts: &'a [Artifact],
}

/// A cluster's unit, and what it was made from.
#[derive(Clone, Copy)]
#[allow(missing_debug_implementations)]
pub struct ClusterSeen<'a> {
    /// The project.
    pub project: &'a Declared<Project>,
    /// Every text.
    pub sources: &'a Sources,
    /// The declarations of the cluster and its network, and its overlays.
    pub effective: &'a Effective<'a>,
    /// The network's plan.
    pub network: &'a NetworkPlan,
    /// The cluster's plan.
    pub plan: &'a ClusterPlan,
    /// The overlays that apply.
    pub instances: &'a [Instance<'a>],
    /// The objects, as they are written.
    pub objects: &'a [Arc<Object>],
    /// The template, for a cluster on AWS.
    pub template: Option<&'a Node>,
    /// The files.
    pub artifacts: &'a [Artifact],
    /// What objects are made with.
    pub tools: Tools<'a>,
}
