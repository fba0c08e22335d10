//! What is planned, for commands that write nothing.

use std::sync::Arc;

use super::{Fleet, Opened, Request, Unread, open};
use crate::overlay::render::Tools;
use crate::resolve;
use checks::policy::{Policies, Role};
use files::git::Tree;
use findings::Diagnostic;
use model::declare::{Cluster, Facts};
use model::plan::{self, ClusterPlan, NetworkPlan};
use schema::Object;
use tree::Sources;

/// A cluster, planned.
pub struct PlannedCluster {
    /// The declaration.
    pub cluster: Cluster,
    /// Its plan.
    pub plan: ClusterPlan,
    /// The facts of its overlays, in their order.
    pub facts: Vec<Facts>,
    /// Its objects, as they would be written.
    pub objects: Vec<Arc<Object>>,
}

/// Networks and clusters, planned.
#[derive(Default)]
pub struct Planned {
    /// Every network.
    pub networks: Vec<NetworkPlan>,
    /// The names of every cluster, with their networks'.
    pub names: Vec<(String, String)>,
    /// The cluster that was chosen; none when none was.
    pub clusters: Vec<PlannedCluster>,
}

/// Plans every network, and the cluster that is chosen from the names of the clusters and their networks, of the project as it is
/// in its folder or in a commit. Objects are made for that cluster alone, and are not checked.
pub fn planned(
    request: &Request,
    commit: Option<&Arc<Tree>>,
    choose: impl FnOnce(&[(String, String)]) -> Option<String>,
) -> (Option<Planned>, Arc<Sources>, Vec<Diagnostic>) {
    let Opened { project, sources, jsonnet, library, mut documents, mut findings } = match open(request, commit, None) {
        Ok(opened) => opened,
        Err(Unread { sources, findings }) => return (None, sources, findings),
    };
    let layered = resolve::layered(&mut documents, &project, &library, &mut findings);
    let networks = resolve::networks(&mut documents, &mut findings);
    let clusters = resolve::clusters(&documents, layered, &project, &library, &networks, &mut findings);
    let of_clusters: Vec<_> = clusters.iter().map(|one| one.overlays.as_slice()).collect();
    let compiled = library.compile(&of_clusters, &[], &mut findings);
    let plans: Vec<NetworkPlan> = networks.iter().map(plan::network::plan).collect();
    let name = |one: &resolve::Effective<'_>| (one.cluster.value.metadata.name.clone(), one.network.value.metadata.name.clone());
    let names: Vec<_> = clusters.iter().map(name).collect();
    let chosen = choose(&names);
    let policies = Policies::read(&sources, &project, &mut findings);
    let mut fleet = Fleet {
        witness: None,
        policies: &policies,
        role: Role::Alone,
        trial: None,
        project: &project,
        sources: &sources,
        jsonnet: &jsonnet,
        networks: &networks,
        overlays_of_networks: &[],
        plans,
        node_routes: std::collections::BTreeMap::new(),
        compiled: &compiled,
    };
    fleet.give_node_routes(&clusters, &mut findings);
    let wanted = clusters.iter().filter(|one| chosen.as_ref() == Some(&one.cluster.value.metadata.name));
    let planned = wanted.filter_map(|effective| {
        let network = fleet.plans.get(fleet.position(effective)?)?;
        let instances = fleet.instances(effective, network, &mut findings);
        let facts: Vec<_> = instances.iter().map(|one| (one.facts.clone(), one.place)).collect();
        let plan = plan::cluster::plan(&effective.cluster, network, &facts, &mut findings);
        let facts = facts.into_iter().map(|(facts, _)| facts).collect();
        let schemas = effective.is_sound().then(|| super::fleet::schemas(&effective.cluster, &mut findings)).flatten()?;
        let objects = fleet.objects(effective, &instances, Tools { jsonnet: &jsonnet, schemas: &schemas }, &mut findings);
        Some(PlannedCluster { cluster: effective.cluster.value.clone(), plan, facts, objects })
    });
    let clusters = planned.collect();
    let plans = fleet.plans;
    resolve::severities(&project, &library, &policies.codes(&sources), &mut findings);
    findings::sort(&mut findings, &sources);
    (Some(Planned { networks: plans, names, clusters }), sources, findings)
}
