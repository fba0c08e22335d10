//! Evaluating the policies that hold for a cluster or a network.

use indexmap::IndexMap;

use super::base::{Before, Left, Role};
use super::matching;
use super::run::{evaluate, fails};
use super::select::{Active, Params, Policies, params};
use super::status;
use super::subject::{Namespace, Old, Subject, namespace};
use crate::check::Rendered;
use artifacts::cloudformation::Draft;
use cel::Meter;
use findings::{Diagnostic, Severity, rules};
use model::declare::{Declared, Network};
use model::plan::NetworkPlan;
use schema::Object;
use tree::{Map, Node, Span};

impl Policies<'_> {
    /// Evaluates what holds for a network: on its declaration, and on the template of its stack.
    pub fn network(
        &self,
        active: &[Active<'_>],
        NetworkSubject { network, plan, plans, template }: NetworkSubject<'_>,
        role: Role<'_>,
        findings: &mut Vec<Diagnostic>,
    ) {
        let folder = format!("networks/{}", plan.name);
        let declaration = || status::network(network, plan, plans, template);
        let unit = || Before { kind: "Network", declaration: declaration(), objects: Vec::new(), template: template.cloned() };
        if role.keep(&folder, unit) || active.is_empty() {
            return;
        }
        let before = role.before(&folder);
        let mut evaluation = Evaluation::new(self, active, network.span("metadata.name"), findings);
        let old = before.map(|before| Old::object(&before.declaration));
        evaluation.subject(&Subject::declaration("Network", &network.node, declaration).changed(true, old));
        let mut left = Left::of(before);
        evaluation.template(template, &network.node, &mut left);
        evaluation.gone(&left, &IndexMap::new());
    }

    /// Evaluates what holds for a cluster: on its declaration, its objects, and the template of its stack.
    pub fn cluster(&self, active: &[Active<'_>], it: Rendered<'_>, role: Role<'_>, findings: &mut Vec<Diagnostic>) {
        let folder = format!("clusters/{}", it.cluster.value.metadata.name);
        let unit = || Before {
            kind: "Cluster",
            declaration: status::cluster(it),
            objects: it.objects.to_vec(),
            template: it.draft.map(|draft| draft.template().clone()),
        };
        if role.keep(&folder, unit) || active.is_empty() {
            return;
        }
        let before = role.before(&folder);
        let mut evaluation = Evaluation::new(self, active, it.cluster.span("metadata.name"), findings);
        let old = before.map(|before| Old::object(&before.declaration));
        evaluation.subject(&Subject::declaration("Cluster", &it.cluster.node, || status::cluster(it)).changed(true, old));
        let mut left = Left::of(before);
        let were = before.into_iter().flat_map(|before| &before.objects);
        let objects: Vec<&Object> = it.objects.iter().chain(were).map(|object| &**object).collect();
        let namespaces = namespaces(&objects);
        for object in it.objects {
            let old = left.object(&object.identity).map(|old| Old::object(&old.node));
            evaluation.subject(&Subject::object(&object.identity, &object.node, &namespaces).changed(true, old));
        }
        evaluation.template(it.draft.map(Draft::template), &it.cluster.node, &mut left);
        evaluation.gone(&left, &namespaces);
    }

    /// Evaluates what holds for a unit of the base that is there no more.
    pub fn removed(&self, active: &[Active<'_>], before: &Before, findings: &mut Vec<Diagnostic>) {
        let objects: Vec<&Object> = before.objects.iter().map(|object| &**object).collect();
        let namespaces = namespaces(&objects);
        let mut evaluation = Evaluation::new(self, active, Span::NONE, findings);
        let declaration = &before.declaration;
        let subject = Subject::declaration(before.kind, declaration, || declaration.clone());
        evaluation.deleted(subject, Old::object(declaration));
        evaluation.gone(&Left::of(Some(before)), &namespaces);
    }
}

/// A network, planned: what policies see of it.
#[derive(Clone, Copy, Debug)]
pub struct NetworkSubject<'a> {
    /// The declaration.
    pub network: &'a Declared<Network>,
    /// Its plan.
    pub plan: &'a NetworkPlan,
    /// The plans of all networks.
    pub plans: &'a [NetworkPlan],
    /// The template of its stack, where it has one.
    pub template: Option<&'a Node>,
}

/// The namespaces of a cluster's objects; all labels are known of those that are rendered.
fn namespaces<'a>(objects: &[&'a Object]) -> IndexMap<&'a str, Namespace> {
    let mut namespaces = IndexMap::new();
    for object in objects.iter().filter(|object| !object.identity.namespace.is_empty()) {
        let name = object.identity.namespace.as_str();
        if namespaces.contains_key(name) {
            continue;
        }
        let is_it = |one: &&&Object| (one.identity.group(), &*one.identity.kind, &*one.identity.name) == ("", "Namespace", name);
        let rendered = objects.iter().find(is_it);
        let labels = rendered.and_then(|one| one.node.get("metadata")?.get("labels")?.as_map());
        let labels: Vec<_> =
            labels.into_iter().flat_map(Map::iter).filter_map(|(key, value)| Some((&*key.text, value.as_str()?))).collect();
        namespaces.insert(name, namespace(name, &labels, rendered.is_some()));
    }
    namespaces
}

/// One unit's policies at work.
pub(super) struct Evaluation<'a, 'f> {
    policies: &'a Policies<'a>,
    active: &'a [Active<'a>],
    /// The declaration's name.
    place: Span,
    meter: Meter,
    findings: &'f mut Vec<Diagnostic>,
}

impl<'a, 'f> Evaluation<'a, 'f> {
    /// What holds for the unit whose declaration has its name at `place`.
    pub(super) fn new(
        policies: &'a Policies<'a>,
        active: &'a [Active<'a>],
        place: Span,
        findings: &'f mut Vec<Diagnostic>,
    ) -> Self {
        Self { policies, active, place, meter: Meter::default(), findings }
    }

    fn template(&mut self, template: Option<&Node>, declaration: &Node, left: &mut Left<'_>) {
        let labels = declaration.get("metadata").and_then(|metadata| metadata.get("labels"));
        let resources = template.and_then(|template| template.get("Resources")?.as_map());
        for (id, resource) in resources.into_iter().flat_map(Map::iter) {
            let old = left.resource(&id.text, resource).map(|old| Old::resource(&id.text, old, left.labels));
            self.subject(&Subject::resource(&id.text, resource, labels, self.place).changed(true, old));
        }
    }

    /// What is left of a unit as it was is deleted.
    fn gone(&mut self, left: &Left<'_>, namespaces: &IndexMap<&str, Namespace>) {
        for object in left.objects.values() {
            self.deleted(Subject::object(&object.identity, &object.node, namespaces), Old::object(&object.node));
        }
        for ((id, _), resource) in &left.resources {
            let subject = Subject::resource(id, resource, left.labels, self.place);
            self.deleted(subject, Old::resource(id, resource, left.labels));
        }
    }

    /// Something that is there no more; its own place is in files that are not read.
    fn deleted<'s>(&mut self, subject: Subject<'s>, old: Old<'s>) {
        let mut subject = subject.changed(false, Some(old));
        subject.span = self.place;
        self.subject(&subject);
    }

    pub(super) fn subject(&mut self, subject: &Subject<'_>) {
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
