//! The pipeline in one function.

mod fleet;
mod inputs;
mod open;
pub(crate) mod planned;
mod stacks;
mod wanted;
mod witness;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use crate::declare::{Declared, Network};
use crate::diagnostic::{self, Diagnostic};
use crate::emit::Scope;
use crate::files::Foreign;
use crate::git::Tree;
use crate::kubernetes::schema;
use crate::plan;
use crate::plan::NetworkPlan;
use crate::policy::{self, Policies, Role};
use crate::resolve::{self, Effective};
use crate::tree::Sources;
use crate::unit::Unit;
use fleet::Fleet;
pub(crate) use inputs::Inputs;
pub(crate) use open::resolved;
use open::{Opened, Unread, open};
pub(crate) use wanted::{Resolved, Wanted};
pub use witness::{ClusterSeen, NetworkSeen, Witness};

/// What to compile.
#[derive(Clone, Debug)]
pub struct Request {
    /// The project's folder.
    pub root: PathBuf,
    /// Names of the clusters to compile, with their networks; all of them when empty.
    pub clusters: Vec<String>,
    /// The executable that evaluates Jsonnet in a process of its own: netloom itself.
    pub worker: PathBuf,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Compilation {
    /// Every text that was read; findings point into it.
    pub sources: Arc<Sources>,
    /// Everything that is wrong or worth knowing, in order.
    pub findings: Vec<Diagnostic>,
    /// The output, unit by unit.
    pub units: Vec<Unit>,
    /// The output folder, relative to the root.
    pub output: String,
    /// What in it is others' on purpose.
    pub foreign: Foreign,
    /// Whether these are all units, so that what else is in the output is left over.
    pub scope: Scope,
}

/// Compiles a project; `progress` is called with the units done and their number.
pub fn compile(request: &Request, progress: &(dyn Fn(usize, usize) + Sync)) -> Compilation {
    let setting = Setting::default();
    compile_at(request, setting, progress, |resolved| (resolved.asked(request), ())).0
}

/// Compiles a commit, and keeps of its units what policies compare with.
pub(crate) fn compile_base(
    request: &Request,
    commit: &Arc<Tree>,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> (Compilation, policy::Units) {
    let units = Mutex::default();
    let setting = Setting { stored: Some(commit), role: Role::Base(&units), ..Setting::default() };
    let compilation = compile_at(request, setting, progress, |resolved| (resolved.asked(request), ())).0;
    (compilation, units.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Compiles a project whose policies compare it with a base, or with nothing.
pub(crate) fn compile_compared(request: &Request, role: Role<'_>, progress: &(dyn Fn(usize, usize) + Sync)) -> Compilation {
    compile_at(request, Setting { role, ..Setting::default() }, progress, |resolved| (resolved.asked(request), ())).0
}

/// Compiles a project, and shows each unit to `witness` together with everything that it was made from.
pub fn witnessed(request: &Request, witness: &dyn Witness) -> Compilation {
    let setting = Setting { witness: Some(witness), ..Setting::default() };
    compile_at(request, setting, &|_, _| {}, |resolved| (resolved.asked(request), ())).0
}

/// What a compilation is about beside its request.
#[derive(Clone, Copy, Default)]
pub(crate) struct Setting<'a> {
    /// What Git has of it; the files as they are where there is nothing.
    pub(crate) stored: Option<&'a Arc<Tree>>,
    /// Who looks on.
    pub(crate) witness: Option<&'a dyn Witness>,
    /// What policies compare it with.
    pub(crate) role: Role<'a>,
}

/// Compiles a project as it is in its folder or in Git, and shows each unit to a witness. `choose` sees what the units are made
/// from, and says which are wanted.
pub(crate) fn compile_at<T>(
    request: &Request,
    Setting { stored, witness, role }: Setting<'_>,
    progress: &(dyn Fn(usize, usize) + Sync),
    choose: impl FnOnce(Resolved<'_>) -> (Wanted, T),
) -> (Compilation, Option<T>) {
    let Opened { project, sources, jsonnet, library, mut documents, mut findings } = match open(request, stored) {
        Ok(opened) => opened,
        Err(Unread { sources, findings }) => return (Compilation { sources, findings, ..Compilation::default() }, None),
    };
    let minors = documents.kubernetes_minors();
    // Schemas are inflated meanwhile; whoever needs them finds them there, or why not.
    rayon::spawn(move || minors.par_iter().for_each(|minor| drop(schema::for_minor(*minor))));
    let layered = resolve::layered(&mut documents, &project, &library, &mut findings);
    let networks = resolve::networks(&mut documents, &mut findings);
    let clusters = resolve::clusters(&documents, layered, &project, &library, &networks, &mut findings);
    let overlays_of_networks = resolve::overlays_of_networks(&networks, &project, &library, &mut findings);
    let policies = Policies::read(&sources, &project, role, &mut findings);
    let compiled = library.compile(&clusters, &overlays_of_networks, &mut findings);
    let plans: Vec<NetworkPlan> = networks.iter().map(plan::network::plan).collect();
    let mut fleet = Fleet {
        policies: &policies,
        project: &project,
        sources: &sources,
        jsonnet: &jsonnet,
        networks: &networks,
        overlays_of_networks: &overlays_of_networks,
        plans,
        node_routes: BTreeMap::new(),
        compiled: &compiled,
        witness,
    };
    fleet.give_node_routes(&clusters, &mut findings);
    let output = project.value.spec.paths.output.clone();
    let resolved = Resolved { clusters: &clusters, networks: &networks, sources: &sources, output: &output, fleet: &fleet };
    let (wanted, chosen) = choose(resolved);
    // What could not be read is not gone.
    let complete = wanted == Wanted::All && !diagnostic::has_errors(&findings);
    let units = fleet.units(&clusters, &wanted, progress, &mut findings);
    if complete {
        policies.removed(&folders(&clusters, &networks), &mut findings);
    }
    resolve::severities(&project, &library, &policies.codes(&sources), &mut findings);
    diagnostic::sort(&mut findings, &sources);
    let scope = if wanted == Wanted::All { Scope::All } else { Scope::Some };
    // What is no pattern was reported when the project was read.
    let foreign = Foreign::new(&project.value.spec.paths.foreign).unwrap_or_default();
    (Compilation { sources: Arc::clone(&sources), findings, units, output, foreign, scope }, Some(chosen))
}

/// The folders of all units that are declared, also of networks that netloom does not create.
fn folders(clusters: &[Effective<'_>], networks: &[Declared<Network>]) -> Vec<String> {
    let clusters = clusters.iter().map(|one| format!("clusters/{}", one.cluster.value.metadata.name));
    clusters.chain(networks.iter().map(|one| format!("networks/{}", one.value.metadata.name))).collect()
}
