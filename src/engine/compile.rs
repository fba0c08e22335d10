//! The pipeline in one function.

mod fleet;
mod inputs;
mod open;
pub mod planned;
mod stacks;
mod wanted;
mod witness;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;

use crate::judge::{self, Judge, Objection, Rulebook, Trial};
use crate::resolve::{self, Effective};
use checks::policy::{Policies, Role};
use files::emit::Scope;
use files::git::Tree;
use files::paths::Foreign;
use findings::Diagnostic;
use fleet::Fleet;
pub use inputs::Inputs;
use model::declare::{Declared, Network, Project};
use model::plan::{self, NetworkPlan};
use model::unit::Unit;
pub use open::resolved;
use open::{Opened, Unread, open};
use schema::kubernetes;
use tree::Sources;
pub use wanted::{Resolved, Wanted, cluster_folder, network_folder};
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
    /// What the base has against it, where one judges.
    pub objections: Vec<Objection>,
    /// The output, unit by unit.
    pub units: Vec<Unit>,
    /// The output folder, relative to the root.
    pub output: String,
    /// What in it is others' on purpose.
    pub foreign: Foreign,
    /// The same as the base has it, which judges.
    pub foreign_of_base: Option<Foreign>,
    /// Whether these are all units, so that what else is in the output is left over.
    pub scope: Scope,
}

impl Compilation {
    /// What in the output is others' on purpose: the base's word for it, unless the change's own is among the `allowed` codes.
    #[must_use]
    pub fn foreign(&self, allowed: &[String]) -> &Foreign {
        let own = allowed.iter().any(|code| code == judge::FOREIGN);
        self.foreign_of_base.as_ref().filter(|_| !own).unwrap_or(&self.foreign)
    }
}

/// Compiles a project; `progress` is called with the units done and their number.
pub fn compile(request: &Request, progress: &(dyn Fn(usize, usize) + Sync)) -> Compilation {
    let setting = Setting::default();
    compile_at(request, setting, progress, |resolved| (resolved.asked(request), ())).0
}

/// Compiles a project, and shows each unit to `witness` together with everything that it was made from.
pub fn witnessed(request: &Request, witness: &dyn Witness) -> Compilation {
    let setting = Setting { witness: Some(witness), ..Setting::default() };
    compile_at(request, setting, &|_, _| {}, |resolved| (resolved.asked(request), ())).0
}

/// What a compilation is about beside its request.
#[derive(Clone, Copy, Default)]
pub struct Setting<'a> {
    /// What Git has of it; the files as they are where there is nothing.
    pub stored: Option<&'a Arc<Tree>>,
    /// Who looks on.
    pub witness: Option<&'a dyn Witness>,
    /// What policies compare it with.
    pub role: Role<'a>,
    /// The base whose rules judge it, too.
    pub judge: Option<&'a Judge<'a>>,
}

/// Compiles a project as it is in its folder or in Git, and shows each unit to a witness. `choose` sees what the units are made
/// from, and says which are wanted.
pub fn compile_at<T>(
    request: &Request,
    setting: Setting<'_>,
    progress: &(dyn Fn(usize, usize) + Sync),
    choose: impl FnOnce(Resolved<'_>) -> (Wanted, T),
) -> (Compilation, Option<T>) {
    resolve_at(request, setting, |stage| match stage {
        Ok(stage) => {
            let (wanted, chosen) = choose(stage.resolved);
            (stage.compile(&wanted, progress), Some(chosen))
        }
        Err(unread) => (unread, None),
    })
}

/// Reads and resolves a project, and lets `then` go on with it, or with what there is to say of one that cannot be read.
pub fn resolve_at<T>(request: &Request, setting: Setting<'_>, then: impl FnOnce(Result<&Stage<'_>, Compilation>) -> T) -> T {
    let Opened { project, sources, jsonnet, library, mut documents, mut findings } =
        match open(request, setting.stored, setting.judge) {
            Ok(opened) => opened,
            Err(Unread { sources, findings }) => return then(Err(Compilation { sources, findings, ..Compilation::default() })),
        };
    let minors = documents.kubernetes_minors();
    // Schemas are inflated meanwhile; whoever needs them finds them there, or why not.
    rayon::spawn(move || minors.par_iter().for_each(|minor| drop(kubernetes::for_minor(*minor))));
    let layered = resolve::layered(&mut documents, &project, &library, &mut findings);
    let networks = resolve::networks(&mut documents, &mut findings);
    let clusters = resolve::clusters(&documents, layered, &project, &library, &networks, &mut findings);
    let overlays_of_networks = resolve::overlays_of_networks(&networks, &project, &library, &mut findings);
    let policies = Policies::read(&sources, &project, &mut findings);
    let of_clusters: Vec<_> = clusters.iter().map(|one| one.overlays.as_slice()).collect();
    let compiled = library.compile(&of_clusters, &overlays_of_networks, &mut findings);
    let plans: Vec<NetworkPlan> = networks.iter().map(plan::network::plan).collect();
    let rules = Rulebook { project: &project, library: &library, compiled: &compiled, policies: &policies, sources: &sources };
    let trial = setting.judge.map(|judge| Trial::new(judge, rules, &clusters, &networks));
    let mut fleet = Fleet {
        policies: &policies,
        role: setting.role,
        trial: trial.as_ref(),
        project: &project,
        sources: &sources,
        jsonnet: &jsonnet,
        networks: &networks,
        overlays_of_networks: &overlays_of_networks,
        plans,
        node_routes: BTreeMap::new(),
        compiled: &compiled,
        witness: setting.witness,
    };
    fleet.give_node_routes(&clusters, &mut findings);
    let output = &project.value.spec.paths.output;
    let resolved = Resolved { clusters: &clusters, networks: &networks, sources: &sources, output, fleet: &fleet };
    then(Ok(&Stage { resolved, rules, findings }))
}

/// A project that was read and resolved.
pub struct Stage<'a> {
    /// What its units are made from.
    pub resolved: Resolved<'a>,
    rules: Rulebook<'a>,
    /// What is wrong so far.
    pub findings: Vec<Diagnostic>,
}

impl<'a> Stage<'a> {
    /// The project as the judge of another version of it, which its policies compare as `role` says; `name` is what people call it.
    pub fn judge(&'a self, name: &'a str, role: Role<'a>) -> Judge<'a> {
        Judge { name, rules: self.rules, clusters: self.resolved.clusters, networks: self.resolved.networks, role }
    }

    /// Every text that was read.
    pub fn sources(&self) -> &Arc<Sources> {
        self.rules.sources
    }

    /// Compiles the units that are wanted.
    pub fn compile(&self, wanted: &Wanted, progress: &(dyn Fn(usize, usize) + Sync)) -> Compilation {
        let Resolved { clusters, networks, output, fleet, .. } = self.resolved;
        let Rulebook { project, library, policies, sources, .. } = self.rules;
        let mut findings = self.findings.clone();
        // What could not be read is not gone.
        let complete = !findings::has_errors(&findings);
        let mut found = Vec::new();
        let units = fleet.units(clusters, wanted, progress, &mut findings, &mut found);
        if complete {
            let declared = folders(clusters, networks);
            let gone = |folder: &str| wanted.has(folder) && declared.iter().all(|one| one != folder);
            fleet.removed(&gone, &mut findings, &mut found);
        }
        found.extend(fleet.trial.into_iter().flat_map(|trial| trial.raised(&findings)));
        resolve::severities(project, library, &policies.codes(sources), &mut findings);
        let objections = fleet.trial.map(|trial| trial.objections(found, &findings)).unwrap_or_default();
        findings::sort(&mut findings, sources);
        let scope = if *wanted == Wanted::All { Scope::All } else { Scope::Some };
        // What is no pattern was reported when the project was read.
        let patterns = |project: &Declared<Project>| Foreign::new(&project.value.spec.paths.foreign).unwrap_or_default();
        let foreign_of_base = fleet.trial.map(|trial| patterns(trial.project()));
        let foreign = patterns(project);
        Compilation {
            sources: Arc::clone(sources),
            findings,
            objections,
            units,
            output: output.to_owned(),
            foreign,
            foreign_of_base,
            scope,
        }
    }
}

/// The folders of all units that are declared, also of networks that netloom does not create.
fn folders(clusters: &[Effective<'_>], networks: &[Declared<Network>]) -> Vec<String> {
    let clusters = clusters.iter().map(|one| format!("clusters/{}", one.cluster.value.metadata.name));
    clusters.chain(networks.iter().map(|one| format!("networks/{}", one.value.metadata.name))).collect()
}
