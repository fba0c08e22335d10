//! Custom resources against the definitions that the same cluster renders.

use std::sync::Arc;

use findings::{Diagnostic, Severity, rules};
use schema::custom::Custom;
use schema::kubernetes::Schemas;
use schema::{Identity, Object};

/// The definition of what every object's metadata is.
const METADATA: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// Reports definitions that the API server would refuse, and custom resources that do not fit the definition beside them. Objects of
/// groups that nothing here defines are somebody else's.
pub fn check(objects: &[Arc<Object>], schemas: &Schemas, findings: &mut Vec<Diagnostic>) {
    let definitions: Vec<&Custom> = objects.iter().filter_map(|object| object.custom()).collect();
    if definitions.is_empty() {
        return;
    }
    for object in objects {
        if object.custom().is_some() {
            definition(object, findings);
        } else if !object.is_encrypted() {
            resource(object, &definitions, schemas, findings);
        }
    }
}

fn definition(object: &Object, findings: &mut Vec<Diagnostic>) {
    for (path, what) in object.custom_faults() {
        let place = object.node.nearest(path).span;
        let message = format!("CustomResourceDefinition {}: `{path}` {what}", object.identity.name);
        findings.push(Diagnostic::new(&rules::OBJECT_SCHEMA, place, message));
    }
}

fn resource(object: &Object, definitions: &[&Custom], schemas: &Schemas, findings: &mut Vec<Diagnostic>) {
    let Identity { kind, .. } = &object.identity;
    let (group, version) = (object.identity.group(), object.identity.version());
    let mut of_group = definitions.iter().filter(|custom| custom.group == group).peekable();
    if of_group.peek().is_none() {
        return;
    }
    let kinds: Vec<&str> = of_group.clone().map(|custom| custom.kind.as_str()).collect();
    let Some(custom) = of_group.find(|custom| custom.kind == *kind) else {
        let place = object.node.get("kind").unwrap_or(&object.node).span;
        let message = format!("no definition of the group {group} in this cluster has the kind {kind}");
        let mut finding = Diagnostic::new(&rules::OBJECT_SCHEMA, place, message).suggest(kind, kinds);
        finding.severity = Severity::Warning;
        findings.push(finding);
        return;
    };
    let place = object.node.get("apiVersion").unwrap_or(&object.node).span;
    let served: Vec<&str> = custom.versions.iter().filter(|one| one.served).map(|one| one.name.as_str()).collect();
    let Some(found) = custom.versions.iter().find(|one| one.served && one.name == version) else {
        let message =
            format!("{kind} of the group {group} has no version {version}; its definition serves {}", served.join(", "));
        findings.push(Diagnostic::new(&rules::OBJECT_SCHEMA, place, message));
        return;
    };
    let before = findings.len();
    if let Some(schema) = found.schema() {
        schema.check(&object.node, &rules::OBJECT_SCHEMA, findings);
    }
    if let Some(metadata) = object.node.get("metadata") {
        schemas.check(METADATA, metadata, &rules::OBJECT_SCHEMA, findings);
    }
    let name = super::objects::name(&object.identity);
    findings.iter_mut().skip(before).for_each(|finding| finding.message.insert_str(0, &format!("{name}: ")));
}
