//! Cross-checks: whether the parts that were made one by one agree.
//!
//! They look at what will be applied (the final objects and the final template) and at facts of overlays, never at what the
//! generator meant. A check is a file here and a line in one of the two tables.

pub mod addresses;
pub mod capacity;
pub mod custom;
pub mod dns;
pub mod dns_policies;
pub mod flows;
pub mod imports;
mod ingress;
mod injection;
pub mod machines;
pub mod mtu;
pub mod node_routes;
pub mod objects;
pub mod policies;
pub mod proxy;
pub mod quota;
mod references;
mod resources;
pub mod routes;
pub mod services;
pub mod subnets;
mod template_form;
pub mod version;
mod visible;

use std::sync::Arc;

use artifacts::cloudformation::Draft;
use findings::Diagnostic;
pub use injection::{Authors, runbook};
use model::declare::{Cluster, Declared, Facts, Network};
use model::plan::ClusterPlan;
use schema::Object;
use schema::kubernetes::Schemas;
use tree::Span;

/// The facts of a cluster's overlays, later ones winning, each with the place it is from.
pub type PlacedFacts = [(Facts, Span)];

type Declarations = fn(&Declared<Cluster>, &Declared<Network>, &PlacedFacts, &mut Vec<Diagnostic>);

/// Checks of declarations against facts, which need nothing rendered.
const DECLARATIONS: [Declarations; 7] =
    [addresses::check, routes::check, capacity::check, subnets::check, proxy::check, machines::check, node_routes::check];

/// Reports where the declarations and the facts of the cluster's overlays disagree.
pub fn declarations(
    cluster: &Declared<Cluster>,
    network: &Declared<Network>,
    facts: &PlacedFacts,
    findings: &mut Vec<Diagnostic>,
) {
    DECLARATIONS.iter().for_each(|check| check(cluster, network, facts, findings));
}

/// A cluster as it will be applied.
#[derive(Clone, Copy)]
pub struct Rendered<'a> {
    /// Its declaration.
    pub cluster: &'a Declared<Cluster>,
    /// Facts of its overlays.
    pub facts: &'a PlacedFacts,
    /// Its plan.
    pub plan: &'a ClusterPlan,
    /// The final objects.
    pub objects: &'a [Arc<Object>],
    /// The final template of its stack, and what overlays have done to it; none outside AWS.
    pub draft: Option<&'a Draft>,
    /// Who has written its texts.
    pub authors: &'a Authors<'a>,
    /// Schemas of its version of Kubernetes.
    pub schemas: &'a Schemas,
}

type Artifacts = fn(Rendered<'_>, &mut Vec<Diagnostic>);

/// Checks of final artifacts.
const ARTIFACTS: [Artifacts; 11] = [
    version::check,
    |it, findings| objects::check(it.objects, it.schemas, findings),
    |it, findings| custom::check(it.objects, it.schemas, findings),
    |it, findings| injection::containers(it.objects, it.authors, findings),
    |it, findings| it.draft.into_iter().for_each(|draft| template(draft, it.authors, findings)),
    |it, findings| it.draft.into_iter().for_each(|draft| security_groups(it.plan, draft, findings)),
    |it, findings| mtu::check(it.plan, it.objects, findings),
    |it, findings| policies::check(it.facts, it.objects, findings),
    dns_policies::check,
    services::check,
    |it, findings| dns::check(it.cluster, it.plan, findings),
];

/// Reports where the final artifacts of a cluster and its plan disagree.
pub fn artifacts(rendered: Rendered<'_>, findings: &mut Vec<Diagnostic>) {
    ARTIFACTS.iter().for_each(|check| check(rendered, findings));
}

/// Reports what CloudFormation would refuse in a template: its form, and references to what is not there. And what it would do that
/// no overlay has written.
pub fn template(draft: &Draft, authors: &Authors<'_>, findings: &mut Vec<Diagnostic>) {
    template_form::check(draft, findings);
    visible::check(draft.template(), draft.text(), Span::NONE, findings);
    references::check(draft, findings);
    if injection::possible(draft.text(), authors) {
        injection::check(draft, authors, findings);
    }
}

/// Reports what the rules of a cluster's security groups do not admit, and what they are too many for.
fn security_groups(plan: &ClusterPlan, draft: &Draft, findings: &mut Vec<Diagnostic>) {
    let rules = ingress::ingress(draft.template());
    flows::check(plan, draft, &rules, findings);
    quota::check(&rules, findings);
}

/// The last of some overlays' facts that says something, with its place.
fn last<T>(facts: &PlacedFacts, fact: impl Fn(&Facts) -> Option<T>) -> Option<(T, Span)> {
    facts.iter().rev().find_map(|(facts, span)| Some((fact(facts)?, *span)))
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
