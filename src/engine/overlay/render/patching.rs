//! The patches of an overlay, applied to the objects of a cluster.

use std::sync::Arc;

use super::super::compiled::{Body, CompiledPatch, Count};
use super::{Instance, Tools, holds};
use crate::overlay::Matcher;
use findings::{Diagnostic, Label, rules};
use patch::kept;
use schema::{Object, show_object};
use tree::{Node, Span, from_json};

impl Instance<'_> {
    /// Applies the overlay's patches to the cluster's objects.
    pub fn patch(&self, objects: &mut [Arc<Object>], tools: Tools<'_>, findings: &mut Vec<Diagnostic>) {
        self.patching(findings, |findings| {
            for compiled in self.compiled.patches.iter().filter(|patch| patch.stack.is_none()) {
                if holds(compiled.when.as_ref(), &self.context, findings) {
                    self.apply(compiled, objects, tools, findings);
                }
            }
        });
    }

    /// Applies patches; what they do not match is told with where the overlay is chosen.
    pub(super) fn patching(&self, findings: &mut Vec<Diagnostic>, work: impl FnOnce(&mut Vec<Diagnostic>)) {
        let before = findings.len();
        self.blamed(findings, work);
        // What matches in one cluster may match nothing in another.
        let codes = [rules::PATCH_NO_MATCH.code, rules::PATCH_COUNT.code];
        for finding in findings.iter_mut().skip(before).filter(|finding| codes.contains(&&*finding.code)) {
            let text = format!("chosen here for {}", self.unit);
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
                    let place = |keys: &[&str]| kept::place(&change, keys);
                    change_matches(objects, (compiled, target), &place, findings, |node, findings| match change.as_list() {
                        Some(_) => patch::json(node, &change, findings),
                        None => patch::strategic(node, &change, tools.schemas, &custom, findings),
                    });
                }
            }
            Body::Jsonnet(file) => {
                let place = |_: &[&str]| Span::file(*file);
                change_matches(objects, (compiled, compiled.target.as_ref()), &place, findings, |node, findings| {
                    match tools.jsonnet.eval(*file, &[("ctx", self.data(&self.context)), ("object", node.to_json())]) {
                        Ok(json) => node.become_equal(from_json(&json, Span::file(*file))),
                        Err(finding) => findings.push(finding),
                    }
                });
            }
        }
    }
}

/// Changes the objects that a patch is for, if they are as many as it expects. One that would not be the same object any more stays
/// as it was.
fn change_matches(
    objects: &mut [Arc<Object>],
    (compiled, target): (&CompiledPatch, Option<&Matcher>),
    place: kept::Places<'_>,
    findings: &mut Vec<Diagnostic>,
    mut change: impl FnMut(&mut Node, &mut Vec<Diagnostic>),
) {
    let Some(target) = target else {
        let message = "the patch has no `target`, and names no object itself";
        findings.push(Diagnostic::new(&rules::PATCH_INVALID, compiled.span, message));
        return;
    };
    let matching = |object: &&mut Arc<Object>| !object.node.is_null() && target.matches(&object.identity, &object.node);
    let found: Vec<&mut Arc<Object>> = objects.iter_mut().filter(matching).collect();
    if !compiled.count.fits(found.len()) {
        let names = found.iter().map(|object| show_object(&object.identity)).collect();
        let there = objects.iter().filter(|object| !object.node.is_null()).map(|object| (&object.identity, &object.node));
        let found =
            Found { target: &target.to_string(), names, nearest: target.nearest(there), what: ("object", "this cluster") };
        findings.push(wrong_number(compiled, &found));
        return;
    }
    for object in found {
        let mut node = object.node.clone();
        change(&mut node, findings);
        if !node.is_null()
            && let Some(finding) = kept::identity(&object.identity, &node, place)
        {
            findings.push(finding);
            continue;
        }
        *object = Arc::new(object.changed(node));
    }
}

/// What a patch with the wrong number of matches has found.
pub(super) struct Found<'t> {
    /// What it looks for.
    pub(super) target: &'t str,
    /// What it matches.
    pub(super) names: Vec<String>,
    /// What is most like it.
    pub(super) nearest: Option<String>,
    /// What is matched, and of what.
    pub(super) what: (&'t str, &'t str),
}

/// A patch that matches nothing, or not as much as it expects.
pub(super) fn wrong_number(compiled: &CompiledPatch, found: &Found<'_>) -> Diagnostic {
    const SHOWN: usize = 8;
    let wanted = compiled.count;
    let (Found { target, names, nearest, .. }, (what, of)) = (found, found.what);
    if names.is_empty() {
        let message = match compiled.count {
            Count::AtLeast(1) => format!("the patch matches no {what} of {of} ({target})"),
            _ => format!("the patch matches no {what} of {of} ({target}), and {wanted}"),
        };
        let finding = Diagnostic::new(&rules::PATCH_NO_MATCH, compiled.span, message);
        return nearest.iter().fold(finding, Diagnostic::help);
    }
    let number = match names.len() {
        1 => format!("one {what}"),
        number => format!("{number} {what}s"),
    };
    let message = format!("the patch matches {number} of {of} ({target}), and {wanted}");
    let more = if names.len() > SHOWN { ", …" } else { "" };
    let names: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    Diagnostic::new(&rules::PATCH_COUNT, compiled.span, message).help(format!("matched: {}{more}", names.join(", ")))
}
