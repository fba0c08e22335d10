//! Which policies hold for a cluster or a network, and evaluating them.

use indexmap::IndexMap;

use super::cel::Meter;
use super::document::{Action, Binding, NotFound, ParamRef};
use super::library::{Entry, Library, is_of, stock_names};
use super::matching;
use super::run::{evaluate, fails};
use super::status;
use super::subject::{Namespace, Subject, namespace};
use crate::check::Rendered;
use crate::declare::{Declared, Network, PolicySelection, Project};
use crate::diagnostic::{Diagnostic, Severity, rules};
use crate::plan::NetworkPlan;
use crate::tree::{Map, Node, Path, Sources, Span};

/// The policies of a project.
#[derive(Debug)]
pub struct Policies<'p> {
    pub(super) library: Library,
    project: &'p Declared<Project>,
}

/// A binding that is in force: without one among the files, a selection stands for it.
pub(super) struct Active<'a> {
    pub(super) entry: &'a Entry,
    pub(super) binding: Option<&'a Declared<Binding>>,
    pub(super) severity: Severity,
    pub(super) selection: Option<&'a PolicySelection>,
}

impl<'p> Policies<'p> {
    /// Reads the policies that a project has or selects.
    pub fn read(sources: &Sources, project: &'p Declared<Project>, findings: &mut Vec<Diagnostic>) -> Self {
        let selections = &project.value.spec.policies;
        let wanted = |name: &str| selections.iter().any(|one| one.policy == name);
        let library = Library::read(sources, &project.value.spec.paths.policies, wanted, findings);
        for (at, selection) in selections.iter().enumerate() {
            let name = &selection.policy;
            if library.policies.contains_key(name) || library.is_broken(name) {
                continue;
            }
            let place = project.node.nearest(&Path::dotted("spec.policies").item(at).child("policy")).span;
            let finding = Diagnostic::new(&rules::POLICY_UNKNOWN, place, format!("there is no policy `{name}`"));
            findings.push(finding.suggest(name, stock_names(sources).chain(library.policies.keys().map(String::as_str))));
        }
        let policies = Self { library, project };
        policies.idle(findings);
        policies
    }

    /// Warns of policies of the project's own that nothing turns on.
    fn idle(&self, findings: &mut Vec<Diagnostic>) {
        for (name, entry) in self.library.policies.iter().filter(|(_, entry)| !entry.stock) {
            let bound = self.library.bindings.iter().any(|(one, _)| one.value.spec.policy_name == *name);
            if !bound && self.project.value.spec.policies.iter().all(|one| one.policy != *name) {
                let message = format!("the policy `{name}` is on nowhere");
                findings.push(Diagnostic::new(&rules::POLICY_IDLE, entry.declared.span("metadata.name"), message));
            }
        }
    }

    /// The bindings that are in force for a declaration with these labels.
    pub(super) fn active(&self, labels: &IndexMap<String, String>) -> Vec<Active<'_>> {
        let mut active = Vec::new();
        for (name, entry) in &self.library.policies {
            let selections: Vec<_> = self.project.value.spec.policies.iter().filter(|one| one.policy == *name).collect();
            let selection = selections.iter().rev().find(|one| one.clusters.matches(labels)).copied();
            if !selections.is_empty() && selection.is_none() {
                continue;
            }
            let own = |stock: &bool| selection.is_some() || !*stock;
            let mut bindings: Vec<_> =
                self.library.bindings.iter().filter(|(one, _)| one.value.spec.policy_name == *name).collect();
            if bindings.iter().any(|(_, stock)| !stock) {
                bindings.retain(|(_, stock)| !stock);
            }
            let chosen = selection.map(|one| one.actions.as_slice()).filter(|actions| !actions.is_empty());
            let severity = |actions: &[Action]| {
                chosen.unwrap_or(actions).iter().map(|action| action.severity()).max().unwrap_or(Severity::Error)
            };
            if bindings.is_empty() && selection.is_some() {
                active.push(Active { entry, binding: None, severity: severity(&[]), selection });
            }
            for (binding, _) in bindings.into_iter().filter(|(_, stock)| own(stock)) {
                let severity = severity(&binding.value.spec.validation_actions);
                active.push(Active { entry, binding: Some(binding), severity, selection });
            }
        }
        active
    }

    /// Evaluates what holds for a network: on its declaration, and on the template of its stack.
    pub fn network(
        &self,
        networks: &[Declared<Network>],
        plan: &NetworkPlan,
        template: Option<&Node>,
        findings: &mut Vec<Diagnostic>,
    ) {
        let Some(network) = networks.iter().find(|one| one.value.metadata.name == plan.name) else { return };
        let active = self.active(&network.value.metadata.labels);
        if active.is_empty() {
            return;
        }
        let (place, meter) = (network.span("metadata.name"), Meter::default());
        let mut evaluation = Evaluation { policies: self, active: &active, place, meter, findings };
        evaluation.subject(&Subject::declaration("Network", &network.node, || status::network(network, plan)));
        evaluation.template(template, &network.node);
    }

    /// Evaluates what holds for a cluster: on its declaration, its objects, and the template of its stack.
    pub fn cluster(&self, it: Rendered<'_>, findings: &mut Vec<Diagnostic>) {
        let active = self.active(&it.cluster.value.metadata.labels);
        if active.is_empty() {
            return;
        }
        let (place, meter) = (it.cluster.span("metadata.name"), Meter::default());
        let mut evaluation = Evaluation { policies: self, active: &active, place, meter, findings };
        evaluation.subject(&Subject::declaration("Cluster", &it.cluster.node, || status::cluster(it)));
        let namespaces = namespaces(it);
        for object in it.objects {
            evaluation.subject(&Subject::object(&object.identity, &object.node, &namespaces));
        }
        evaluation.template(it.draft.map(|draft| &draft.template), &it.cluster.node);
    }
}

/// The namespaces of a cluster's objects; all labels are known of those that are rendered.
fn namespaces(it: Rendered<'_>) -> IndexMap<&str, Namespace> {
    let mut namespaces = IndexMap::new();
    for object in it.objects.iter().filter(|object| !object.identity.namespace.is_empty()) {
        let name = object.identity.namespace.as_str();
        if namespaces.contains_key(name) {
            continue;
        }
        let rendered = it.objects.iter().find(|one| one.identity.kind == "Namespace" && one.identity.name == name);
        let labels = rendered.and_then(|one| one.node.get("metadata")?.get("labels")?.as_map());
        let labels: Vec<_> =
            labels.into_iter().flat_map(Map::iter).filter_map(|(key, value)| Some((&*key.text, value.as_str()?))).collect();
        namespaces.insert(name, namespace(name, &labels, rendered.is_some()));
    }
    namespaces
}

/// One unit's policies at work.
struct Evaluation<'a, 'f> {
    policies: &'a Policies<'a>,
    active: &'a [Active<'a>],
    /// The declaration's name.
    place: Span,
    meter: Meter,
    findings: &'f mut Vec<Diagnostic>,
}

impl Evaluation<'_, '_> {
    fn template(&mut self, template: Option<&Node>, declaration: &Node) {
        let labels = declaration.get("metadata").and_then(|metadata| metadata.get("labels"));
        let resources = template.and_then(|template| template.get("Resources")?.as_map());
        for (id, resource) in resources.into_iter().flat_map(Map::iter) {
            self.subject(&Subject::resource(&id.text, resource, labels, self.place));
        }
    }

    fn subject(&mut self, subject: &Subject<'_>) {
        for active in self.active {
            let spec = &active.entry.declared.value.spec;
            let (Some(compiled), Some(constraints)) = (&active.entry.compiled, &spec.match_constraints) else { continue };
            let resources = active.binding.and_then(|binding| binding.value.spec.match_resources.as_ref());
            if !active.builds() || !matching::constraints(constraints, subject) || !matching::binding(resources, subject) {
                continue;
            }
            if self.meter.is_spent() {
                return;
            }
            let evaluate = |params| evaluate(compiled, subject, params, &self.meter);
            let verdicts = match params(&self.policies.library, active) {
                Params::None => vec![evaluate(None)],
                Params::Each(params) => params.into_iter().map(|params| evaluate(Some(params))).collect(),
                Params::Skip => continue,
                Params::Missing(place) => {
                    let name = &active.entry.declared.value.metadata.name;
                    let message = format!("the parameters of the policy `{name}` are not among the project's policies");
                    self.findings.push(Diagnostic::new(&rules::POLICY_EVALUATION, place, message));
                    continue;
                }
            };
            verdicts.into_iter().for_each(|verdict| self.report(active, subject, verdict));
        }
    }

    fn report(&mut self, active: &Active<'_>, subject: &Subject<'_>, verdict: super::run::Verdict) {
        let policy = &active.entry.declared;
        let name = &policy.value.metadata.name;
        for (message, rule) in verdict.violations {
            let message = format!("{}: {message}", subject.title());
            let finding = Diagnostic::declared(name, active.severity, subject.span, message);
            self.findings.push(finding.also(rule, "the policy asks for this"));
        }
        for (key, text) in verdict.audits {
            let message = format!("{}: {key}: {text}", subject.title());
            self.findings.push(Diagnostic::declared(name, Severity::Note, subject.span, message));
        }
        for fault in verdict.faults {
            let message = format!("the policy `{name}` cannot be evaluated on {}: {}", subject.title(), fault.message);
            let mut finding = Diagnostic::new(&rules::POLICY_EVALUATION, fault.span, message);
            if !fails(&policy.value, &fault) {
                finding.severity = Severity::Warning;
            }
            self.findings.push(self.placed(finding.also(subject.span, "the object"), subject));
        }
    }

    /// An object comes from an overlay; whose it is, the declaration says.
    fn placed(&self, finding: Diagnostic, subject: &Subject<'_>) -> Diagnostic {
        if subject.span.file == self.place.file { finding } else { finding.also(self.place, "in this cluster") }
    }
}

impl Active<'_> {
    /// Whether it holds at build time.
    fn builds(&self) -> bool {
        self.selection.is_none_or(|selection| selection.enforce.builds())
    }
}

/// The parameters that a binding refers to.
pub(super) fn referred<'a>(library: &'a Library, entry: &Entry, reference: &ParamRef) -> Vec<&'a Node> {
    let Some(kind) = &entry.declared.value.spec.param_kind else { return Vec::new() };
    let metadata = |node: &'a Node, key: &str| node.get("metadata").and_then(|metadata| metadata.str_at(key));
    let fits = |node: &&'a Node| {
        let labels = node.get("metadata").and_then(|metadata| metadata.get("labels"));
        is_of(node, &kind.api_version, &kind.kind)
            && reference.namespace.as_deref().is_none_or(|namespace| metadata(node, "namespace") == Some(namespace))
            && reference.name.as_deref().is_none_or(|name| metadata(node, "name") == Some(name))
            && reference.selector.as_ref().is_none_or(|selector| matching::labelled(selector, labels))
    };
    library.params.iter().filter(fits).collect()
}

/// What there is to evaluate a binding with.
pub(super) enum Params<'a> {
    /// Once, without parameters.
    None,
    /// Once for each.
    Each(Vec<&'a Node>),
    /// There are none, which is as it should be.
    Skip,
    /// There are none, which is an error at this place.
    Missing(Span),
}

/// The parameters of a binding.
pub(super) fn params<'a>(library: &'a Library, active: &Active<'_>) -> Params<'a> {
    let Some((binding, reference)) = active.binding.and_then(|one| Some((one, one.value.spec.param_ref.as_ref()?))) else {
        return Params::None;
    };
    let found = referred(library, active.entry, reference);
    match (found.is_empty(), reference.parameter_not_found_action) {
        (false, _) => Params::Each(found),
        (true, NotFound::Allow) => Params::Skip,
        (true, NotFound::Deny) => Params::Missing(binding.span("spec.paramRef")),
    }
}
