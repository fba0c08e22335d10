//! A cluster with objects, for the tests of checks that look at them.

use std::sync::Arc;

use super::{Authors, Rendered};
use findings::Diagnostic;
use model::plan::NetworkPlan;
use model::plan::cluster::plan;
use schema::{Identity, Object, kubernetes};
use testing::Project;

/// What a check says of a cluster with these lines in its `spec`, these facts, and these objects by file.
pub(super) fn rendered(
    spec: &str,
    facts: &str,
    objects: &[(String, String)],
    check: impl Fn(Rendered<'_>, &mut Vec<Diagnostic>),
) -> String {
    let mut project = Project::default();
    let head = "  network: vpc\n  kubernetesVersion: \"1.33\"\n  networking: {overlay: {}}\n";
    let cluster = project.cluster(&format!("{head}{spec}"));
    let facts = [project.facts(facts)];
    let nodes = objects.iter().map(|(path, text)| project.node(path, text)).collect::<Vec<_>>();
    let object = |node| Arc::new(Object::new(Identity::of(&node).unwrap(), "rest".into(), node));
    let objects: Vec<_> = nodes.into_iter().map(object).collect();
    let network = NetworkPlan { name: "vpc".into(), mtu: 9001, cidrs: Vec::new(), aws: None };
    let plan = plan(&cluster, &network, &facts, &mut Vec::new());
    let schemas = kubernetes::for_minor(33).unwrap();
    let authors = Authors::new(&project.sources, "overlays", Vec::new());
    let (cluster, facts, objects) = (&cluster, facts.as_slice(), objects.as_slice());
    let rendered = Rendered { cluster, facts, plan: &plan, objects, draft: None, authors: &authors, schemas: &schemas };
    let mut findings = Vec::new();
    check(rendered, &mut findings);
    project.report(&findings)
}
