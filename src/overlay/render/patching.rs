//! The patches of an overlay, applied to the objects of a cluster.

use std::sync::Arc;

use super::super::compile::{Body, CompiledPatch, Count};
use super::{Instance, Tools, holds};
use crate::diagnostic::{Diagnostic, Label, rules};
use crate::kubernetes::{Identity, Object};
use crate::patch::{self, Matcher};
use crate::tree::{Node, Span, from_json};

impl Instance<'_> {
    /// Applies the overlay's patches to the cluster's objects.
    pub fn patch(&self, objects: &mut [Arc<Object>], tools: Tools<'_>, findings: &mut Vec<Diagnostic>) {
        let before = findings.len();
        self.blamed(findings, |findings| {
            for compiled in &self.compiled.patches {
                if holds(compiled.when.as_ref(), &self.context, findings) {
                    self.apply(compiled, objects, tools, findings);
                }
            }
        });
        // What matches in one cluster may match nothing in another.
        let codes = [rules::PATCH_NO_MATCH.code, rules::PATCH_COUNT.code];
        for finding in findings.iter_mut().skip(before).filter(|finding| codes.contains(&&*finding.code)) {
            let text = format!("chosen here for the cluster `{}`", self.cluster);
            finding.labels.push(Label { span: self.place, text });
        }
    }

    fn apply(&self, compiled: &CompiledPatch, objects: &mut [Arc<Object>], tools: Tools<'_>, findings: &mut Vec<Diagnostic>) {
        match &compiled.body {
            Body::Manifests(documents) => {
                let custom = objects.iter().filter(|object| object.custom().is_some());
                let custom: Vec<Arc<Object>> = custom.cloned().collect();
                for document in documents {
                    let Some(change) = document.template.eval(&self.context, findings) else { continue };
                    let named = if compiled.target.is_none() { Matcher::named(&change) } else { None };
                    let target = compiled.target.as_ref().or(named.as_ref());
                    change_matches(objects, compiled, target, findings, |node, findings| match change.as_list() {
                        Some(_) => patch::json(node, &change, findings),
                        None => patch::strategic(node, &change, tools.schemas, &custom, findings),
                    });
                }
            }
            Body::Jsonnet(file) => change_matches(objects, compiled, compiled.target.as_ref(), findings, |node, findings| {
                match tools.jsonnet.eval(*file, &[("ctx", self.data(&self.context)), ("object", node.to_json())]) {
                    Ok(json) => node.become_equal(from_json(&json, Span::file(*file))),
                    Err(finding) => findings.push(finding),
                }
            }),
        }
    }
}

/// Changes the objects that a patch is for, if they are as many as it expects.
fn change_matches(
    objects: &mut [Arc<Object>],
    compiled: &CompiledPatch,
    target: Option<&Matcher>,
    findings: &mut Vec<Diagnostic>,
    mut change: impl FnMut(&mut Node, &mut Vec<Diagnostic>),
) {
    let Some(target) = target else {
        let message = "the patch has no `target`, and names no object itself";
        findings.push(Diagnostic::new(&rules::PATCH_INVALID, compiled.span, message));
        return;
    };
    let matching = |object: &&mut Arc<Object>| !object.node.is_null() && target.matches(object);
    let found: Vec<&mut Arc<Object>> = objects.iter_mut().filter(matching).collect();
    let fits = match compiled.count {
        Count::Exactly(wanted) => found.len() == wanted,
        Count::AtLeast(wanted) => found.len() >= wanted,
    };
    if !fits {
        let identities: Vec<String> = found.iter().map(|object| patch::show_object(&object.identity)).collect();
        findings.push(wrong_number(compiled, target, &identities, objects));
        return;
    }
    for object in found {
        let mut node = object.node.clone();
        change(&mut node, findings);
        let identity = Identity::of(&node).unwrap_or_else(|| object.identity.clone());
        *object = Arc::new(Object::new(identity, Arc::clone(&object.component), node));
    }
}

/// A patch that matches no object, or not as many as it expects.
fn wrong_number(compiled: &CompiledPatch, target: &Matcher, found: &[String], objects: &[Arc<Object>]) -> Diagnostic {
    const SHOWN: usize = 8;
    let wanted = match compiled.count {
        Count::Exactly(number) => format!("`expect` says {number}"),
        Count::AtLeast(1) => "it has to match one at least".to_owned(),
        Count::AtLeast(number) => format!("`atLeast` says {number}"),
    };
    if found.is_empty() {
        let message = match compiled.count {
            Count::AtLeast(1) => format!("the patch matches no object of this cluster ({target})"),
            _ => format!("the patch matches no object of this cluster ({target}), and {wanted}"),
        };
        let finding = Diagnostic::new(&rules::PATCH_NO_MATCH, compiled.span, message);
        let objects = objects.iter().filter(|object| !object.node.is_null()).map(AsRef::as_ref);
        return target.nearest(objects).into_iter().fold(finding, Diagnostic::help);
    }
    let message = format!(
        "the patch matches {} of this cluster ({target}), and {wanted}",
        match found.len() {
            1 => "one object".to_owned(),
            number => format!("{number} objects"),
        }
    );
    let more = if found.len() > SHOWN { ", …" } else { "" };
    let names: Vec<String> = found.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    Diagnostic::new(&rules::PATCH_COUNT, compiled.span, message).help(format!("matched: {}{more}", names.join(", ")))
}
