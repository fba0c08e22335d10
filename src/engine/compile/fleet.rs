//! What is done for one network and one cluster.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use rayon::prelude::*;

use super::wanted::{Wanted, cluster_folder, network_folder};
use super::witness::{ClusterSeen, NetworkSeen, Witness};
use crate::judge::{Judged, Objection, Trial};
use crate::overlay::Selected;
use crate::overlay::clash::Clashes;
use crate::overlay::compiled::Compiled;
use crate::overlay::generate;
use crate::overlay::jsonnet::Jsonnet;
use crate::overlay::render::{Instance, Tools};
use crate::resolve::{self, Effective};
use artifacts::cloudformation::{self, Draft};
use artifacts::{gitops, kustomization, runbook};
use checks::check;
use checks::check::imports::Traded;
use checks::policy::{NetworkSubject, Policies, Role};
use findings::{Diagnostic, rules};
use model::declare::{Cluster, Declared, Network, Project};
use model::plan::{self, NetworkPlan};
use model::unit::{Artifact, Unit};
use schema::kubernetes::Schemas;
use schema::{Object, kubernetes};
use tree::{Node, Path, Sources};
use yaml::to_yaml;

/// What comes of a unit beside its files.
#[derive(Default)]
pub(super) struct Made {
    traded: Traded,
    /// What the base has against it.
    objections: Vec<Objection>,
}

/// What every unit is compiled from.
pub(super) struct Fleet<'a> {
    pub(super) policies: &'a Policies<'a>,
    /// What policies compare it with.
    pub(super) role: Role<'a>,
    /// The base that judges it.
    pub(super) trial: Option<&'a Trial<'a>>,
    pub(super) project: &'a Declared<Project>,
    pub(super) sources: &'a Arc<Sources>,
    pub(super) jsonnet: &'a Jsonnet,
    pub(super) networks: &'a [Declared<Network>],
    /// What layers give to each network.
    pub(super) overlays_of_networks: &'a [Vec<Selected<'a>>],
    pub(super) plans: Vec<NetworkPlan>,
    /// The name in AWS of the cluster that has the routes to nodes in a network, by the network's index.
    pub(super) node_routes: BTreeMap<usize, String>,
    pub(super) compiled: &'a IndexMap<String, Compiled>,
    pub(super) witness: Option<&'a dyn Witness>,
}

impl<'a> Fleet<'a> {
    /// Gives the route table of a network to the cluster that has a route to each node in it; a second one cannot have it.
    pub(super) fn give_node_routes(&mut self, clusters: &[Effective<'_>], findings: &mut Vec<Diagnostic>) {
        let path = Path::dotted("spec.facts.nodeRoutes");
        let may_want = |one: &&Effective<'_>| one.overlays.iter().any(|it| it.overlay.declared.node.at(&path).is_some());
        let mut owners: IndexMap<usize, &Effective<'_>> = IndexMap::new();
        for effective in clusters.iter().filter(may_want) {
            let Some(at) = self.position(effective) else { continue };
            let Some(network) = self.plans.get(at).filter(|network| network.aws.is_some()) else { continue };
            // What is wrong with the facts is reported when the cluster is compiled.
            let instances = self.instances(effective, network, &mut Vec::new());
            if instances.iter().all(|one| one.facts.node_routes.is_none()) {
                continue;
            }
            let place = effective.cluster.span("spec.networking");
            match owners.get(&at) {
                Some(first) => {
                    let message =
                        format!("two clusters write routes to nodes into the route table of the network `{}`", network.name);
                    let finding = Diagnostic::new(&rules::NODE_ROUTES, place, message);
                    let finding = finding.also(first.cluster.span("spec.networking"), "the first of them");
                    findings.push(finding.help("give each of them a network of its own"));
                }
                None => drop(owners.insert(at, effective)),
            }
        }
        let owners = owners.into_iter().map(|(at, effective)| (at, effective.cluster.value.cluster_name().to_owned()));
        self.node_routes = owners.collect();
        for (at, cluster) in &self.node_routes {
            if let Some(aws) = self.plans.get_mut(*at).and_then(|plan| plan.aws.as_mut()) {
                plan::node_routes::give(aws, cluster);
            }
        }
    }

    /// Which of the networks a cluster runs in.
    pub(super) fn position(&self, effective: &Effective<'_>) -> Option<usize> {
        self.networks.iter().position(|network| std::ptr::eq(network, effective.network))
    }

    /// Compiles the units that are wanted, in parallel; the result is in the order of the declarations.
    pub(super) fn units(
        &self,
        all: &[Effective<'a>],
        wanted: &Wanted,
        progress: &(dyn Fn(usize, usize) + Sync),
        findings: &mut Vec<Diagnostic>,
        objections: &mut Vec<Objection>,
    ) -> Vec<Unit> {
        let clusters: Vec<_> = all.iter().filter(|one| wanted.has(&cluster_folder(&one.cluster))).collect();
        let networks: Vec<_> = self.plans.iter().filter(|plan| wanted.has(&network_folder(&plan.name))).collect();
        let (done, total) = (std::sync::atomic::AtomicUsize::new(0), networks.len() + clusters.len());
        let count = || progress(done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1, total);
        let of_networks = networks.par_iter().map(|plan| {
            let mut findings = Vec::new();
            let mut made = Made::default();
            let unit = self.network(plan, all, &mut made, &mut findings);
            count();
            (unit, made, findings)
        });
        let of_clusters = clusters.par_iter().map(|effective| {
            let mut findings = Vec::new();
            let mut made = Made::default();
            let unit = self.cluster(effective, &mut made, &mut findings);
            let objections = made.objections.iter_mut().map(|objection| std::slice::from_mut(&mut objection.finding));
            for findings in objections.chain([findings.as_mut_slice()]) {
                resolve::owned(&effective.cluster, self.sources, findings);
                resolve::attribute(&effective.cluster.node, findings);
            }
            count();
            (unit, made, findings)
        });
        let results: Vec<_> = of_networks.chain(of_clusters).collect();
        let (mut units, mut stacks) = (Vec::new(), Vec::new());
        for (unit, mut made, mut found) in results {
            units.extend(unit);
            stacks.push(made.traded);
            objections.append(&mut made.objections);
            findings.append(&mut found);
        }
        // What cannot be compiled may be what exports.
        if !findings::has_errors(findings) {
            check::imports::check(&stacks, *wanted == Wanted::All, &self.project.value.spec.imports, findings);
        }
        units
    }

    /// What policies find of units of the base that are there no more: those for whose folders `gone` holds.
    pub(super) fn removed(&self, gone: &dyn Fn(&str) -> bool, findings: &mut Vec<Diagnostic>, objections: &mut Vec<Objection>) {
        for before in self.role.gone(gone) {
            self.policies.removed(&self.policies.active(&before.labels()), before, findings);
        }
        objections.extend(self.trial.into_iter().flat_map(|trial| trial.removed(gone)));
    }

    /// A network's unit: its stack. A network that netloom does not create has none.
    fn network(
        &self,
        plan: &NetworkPlan,
        clusters: &[Effective<'a>],
        made: &mut Made,
        findings: &mut Vec<Diagnostic>,
    ) -> Option<Unit> {
        let folder = network_folder(&plan.name);
        let network = self.networks.iter().find(|network| network.value.metadata.name == plan.name)?;
        let overlays = self.overlays_of(network, plan, clusters, findings);
        let instances = self.instances_of_network(network, plan, &overlays, findings);
        let draft = self.stack_of_network(plan, &overlays, &instances, findings);
        let template = draft.as_ref().map(Draft::template);
        let subject = NetworkSubject { network, plan, plans: &self.plans, template };
        self.policies.network(&self.policies.active(&network.value.metadata.labels), subject, self.role, findings);
        made.objections = self.trial.map(|trial| trial.network(subject)).unwrap_or_default();
        let draft = draft?;
        check::template(&draft, &self.authors(&[&network.node], &overlays), findings);
        made.traded = Traded::of(&draft);
        let template = draft.template();
        let mut artifacts = self.stack(&folder, "network", &draft, findings);
        artifacts.sort_by(|a, b| a.path.cmp(&b.path));
        if let Some(witness) = self.witness {
            witness.network(&NetworkSeen {
                project: self.project,
                sources: self.sources,
                network,
                clusters,
                plan,
                overlays: &overlays,
                instances: &instances,
                jsonnet: self.jsonnet,
                template,
                artifacts: &artifacts,
            });
        }
        Some(Unit { folder, declared: network.span("metadata.name"), artifacts })
    }

    /// Who has written the texts of a template: overlays, and what these declarations and the options of these overlays give.
    fn authors<'o>(&'o self, declared: &[&'o Node], overlays: &'o [Selected<'_>]) -> check::Authors<'o> {
        let options = overlays.iter().map(|one| &one.options);
        check::Authors::new(
            self.sources,
            &self.project.value.spec.paths.overlays,
            declared.iter().copied().chain(options).collect(),
        )
    }

    /// A template and its deployment file for CloudFormation Git sync.
    ///
    /// A template with a parameter that has no default has no deployment file: only its user knows the value.
    fn stack(&self, folder: &str, name: &str, draft: &Draft, findings: &mut Vec<Diagnostic>) -> Vec<Artifact> {
        let path = format!("cloudformation/{name}.template.yaml");
        let (template, text) = (draft.template(), draft.text());
        cloudformation::limits(template, text, folder, findings);
        let location = self.project.value.spec.paths.rendered(&format!("{folder}/{path}"));
        let mut artifacts = vec![Artifact::new(path, Arc::clone(text))];
        let parameters = template.get("Parameters").and_then(Node::as_map);
        if parameters.is_none_or(|parameters| parameters.iter().all(|(_, parameter)| parameter.get("Default").is_some())) {
            let tags = [("netloom.dev/project".to_owned(), self.project.value.metadata.name.clone())];
            let deployment = cloudformation::deployment(&location, &[], &tags);
            artifacts.push(Artifact::new(format!("cloudformation/{name}.deployment.yaml"), to_yaml(&deployment)));
        }
        artifacts
    }

    /// A cluster's unit: plan, render, patch, check.
    fn cluster(&self, effective: &Effective<'_>, made: &mut Made, findings: &mut Vec<Diagnostic>) -> Option<Unit> {
        let cluster = &effective.cluster;
        if !effective.is_sound() {
            return None;
        }
        let name = &cluster.value.metadata.name;
        let network = self.plans.get(self.position(effective)?)?;
        let project = &self.project.value;
        let schemas = schemas(cluster, findings)?;
        let tools = Tools { jsonnet: self.jsonnet, schemas: &schemas };
        let instances = self.instances(effective, network, findings);
        let facts: Vec<_> = instances.iter().map(|one| (one.facts.clone(), one.place)).collect();
        let plan = plan::cluster::plan(cluster, network, &facts, findings);
        let objects = self.objects(effective, &instances, tools, findings);
        instances.iter().for_each(|one| one.assert(cluster, findings));
        let draft = self.stack_of_cluster(effective, (&plan, network), &instances, findings);
        let template = draft.as_ref().map(Draft::template);
        check::declarations(cluster, effective.network, &facts, findings);
        let authors = &self.authors(&[&cluster.node, &effective.network.node], &effective.overlays);
        let (facts, plan, schemas) = (&facts, &plan, &schemas);
        let rendered = check::Rendered { cluster, facts, plan, objects: &objects, draft: draft.as_ref(), authors, schemas };
        let sections: Vec<String> = instances.iter().filter_map(|one| one.runbook(findings)).collect();
        check::runbook::check(&sections, authors, findings);
        let transitions: Vec<_> = instances.iter().flat_map(Instance::transitions).collect();
        // The longest two steps; whoever has no cluster left to compile takes one of them.
        let page = || runbook::cluster(cluster, network, plan, &sections, &transitions);
        let (page, ()) = rayon::join(page, || check::artifacts(rendered, findings));
        draft.iter().for_each(|draft| made.traded = Traded::of(draft));
        self.policies.cluster(&self.policies.active(&cluster.value.metadata.labels), rendered, self.role, findings);
        if let Some(trial) = self.trial {
            let facts = instances.last().and_then(|one| one.context.get_attr("facts").ok()).unwrap_or_default();
            made.objections = trial.cluster(Judged { effective, network, facts: &facts }, rendered);
        }
        let folder = cluster_folder(cluster);
        let mut artifacts = kubernetes(&objects);
        artifacts.extend(draft.iter().flat_map(|draft| self.stack(&folder, "cluster", draft, findings)));
        gitops::check(project, cluster, &objects, findings);
        artifacts.extend(gitops::artifacts(project, name, &objects));
        artifacts.push(Artifact::new("README.md", page));
        artifacts.sort_by(|a, b| a.path.cmp(&b.path));
        if let Some(witness) = self.witness {
            witness.cluster(&ClusterSeen {
                project: self.project,
                sources: self.sources,
                effective,
                network,
                plan,
                instances: &instances,
                objects: &objects,
                template,
                artifacts: &artifacts,
                tools,
            });
        }
        Some(Unit { folder, declared: cluster.span("metadata.name"), artifacts })
    }

    /// The cluster's objects as they are written: made, patched, named, annotated and in order.
    pub(super) fn objects(
        &self,
        effective: &Effective<'_>,
        instances: &[Instance<'_>],
        tools: Tools<'_>,
        findings: &mut Vec<Diagnostic>,
    ) -> Vec<Arc<Object>> {
        let mut objects: Vec<Arc<Object>> = instances.iter().flat_map(|one| one.objects(tools, findings)).collect();
        instances.iter().for_each(|one| one.patch(&mut objects, tools, findings));
        objects.retain(|object| !object.node.is_null());
        if let Some(clashes) = Clashes::of(&effective.overlays, self.sources) {
            clashes.declaration(&effective.cluster.node, findings);
            objects.iter().for_each(|object| clashes.object(object, findings));
        }
        let hashed: Vec<_> = instances.iter().flat_map(Instance::hashed).collect();
        generate::name_by_hash(&mut objects, &hashed);
        objects.extend(self.policies.rendered(&effective.cluster, findings));
        for object in &mut objects {
            *object = gitops::annotated(self.project.value.spec.gitops.as_ref(), object);
        }
        kustomization::sort(&mut objects);
        objects
    }

    pub(super) fn instances<'i>(
        &'i self,
        effective: &'i Effective<'_>,
        network: &NetworkPlan,
        findings: &mut Vec<Diagnostic>,
    ) -> Vec<Instance<'i>> {
        let name = &effective.cluster.value.metadata.name;
        let base = self.variables(effective, network);
        let instance = |selected: &'i crate::overlay::Selected<'_>| {
            let compiled = self.compiled.get(selected.overlay.name())?;
            Instance::new(selected, compiled, &base, name, findings)
        };
        effective.overlays.iter().filter_map(instance).collect()
    }
}

/// The schemas of a cluster's version of Kubernetes.
pub(super) fn schemas(cluster: &Declared<Cluster>, findings: &mut Vec<Diagnostic>) -> Option<Arc<Schemas>> {
    let place = || cluster.span("spec.kubernetesVersion");
    let schemas = kubernetes::for_minor(cluster.value.kubernetes_minor());
    schemas.map_err(|error| findings.push(Diagnostic::new(&rules::OBJECT_SCHEMA, place(), error))).ok()
}

/// One file an object, and a kustomization in each component's folder.
fn kubernetes(objects: &[Arc<Object>]) -> Vec<Artifact> {
    let files = objects.iter().map(|object| Artifact::new(format!("kubernetes/{}", object.path()), Arc::clone(object.text())));
    files.chain(kustomization::artifacts(objects)).collect()
}
