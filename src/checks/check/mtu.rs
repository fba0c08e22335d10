//! The MTU of pods against the sum that gives it, in the plan and in the final objects.

use std::sync::Arc;

use findings::{Diagnostic, Severity, rules};
use model::plan::{ClusterPlan, MtuPlan};
use schema::Object;
use tree::{Node, Value};

/// Reports a pod MTU that is larger than the underlay's less what encapsulation takes, as planned and wherever the final
/// objects carry it.
pub fn check(plan: &ClusterPlan, objects: &[Arc<Object>], findings: &mut Vec<Diagnostic>) {
    let Some(planned) = plan.mtu.pod else { return };
    if planned > limit(&plan.mtu) {
        let finding = Diagnostic::new(&rules::MTU_MISMATCH, plan.mtu.span, too_large("the pods' MTU", planned, &plan.mtu));
        findings.push(finding.help(format!("declare {} at most, or leave the pods' MTU to netloom", limit(&plan.mtu))));
    }
    for place in &plan.mtu.places {
        let is_it = |object: &&Arc<Object>| object.identity.kind == place.kind && object.identity.name == place.name;
        let what = format!("{} {}", place.kind, place.name);
        match objects.iter().find(is_it).map(|object| (object, field(&object.node, &place.path))) {
            None => {
                let message = format!("no {what} is rendered, which should carry the pods' MTU of {planned}");
                let mut finding = Diagnostic::new(&rules::MTU_MISMATCH, plan.mtu.span, message);
                finding.severity = Severity::Warning;
                findings.push(finding);
            }
            Some((_, Some(node))) => findings.extend(compare(&what, node, planned, &plan.mtu)),
            Some((object, None)) => {
                let message = format!("{what} does not set the pods' MTU any more, which is planned as {planned}");
                let mut finding = Diagnostic::new(&rules::MTU_MISMATCH, object.node.span, message);
                finding.severity = Severity::Warning;
                findings.push(finding.help(format!("it belongs at `{}`", place.path)));
            }
        }
    }
}

/// The largest MTU of pods that fits.
fn limit(plan: &MtuPlan) -> u32 {
    plan.terms.iter().fold(plan.underlay, |rest, term| rest.saturating_sub(term.bytes))
}

fn compare(what: &str, node: &Node, planned: u32, plan: &MtuPlan) -> Option<Diagnostic> {
    let found = match &node.value {
        Value::Int(number) => u32::try_from(*number).ok(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let message = match found {
        Some(found) if found == planned => return None,
        Some(found) if found > limit(plan) => too_large(&format!("the MTU in {what}"), found, plan),
        Some(found) => format!("the MTU in {what} is {found}, but {planned} is planned and stands in the runbook"),
        None => format!("the MTU in {what} is no number of bytes, but {planned} is planned"),
    };
    let mut finding = Diagnostic::new(&rules::MTU_MISMATCH, node.span, message).also(plan.span, "the plan is made here");
    if found.is_some_and(|found| found <= limit(plan)) {
        finding.severity = Severity::Warning;
    }
    Some(finding)
}

/// `8950 is larger than 8914 = 9001 underlay - 50 VXLAN - 37 ESP`.
fn too_large(what: &str, mtu: u32, plan: &MtuPlan) -> String {
    let sum: String = plan.terms.iter().map(|term| format!(" - {} {}", term.bytes, term.name)).collect();
    format!("{what} {mtu} is larger than {} = {} underlay{sum}", limit(plan), plan.underlay)
}

/// The field at a path such as `spec.containers[router].env[MTU].value`: `[name]` is the list item of that name, or a key.
fn field<'a>(node: &'a Node, path: &str) -> Option<&'a Node> {
    let mut steps = path.split(['[', ']']).enumerate();
    steps.try_fold(node, |node, (at, step)| match (at % 2, node.as_list()) {
        (0, _) => step.split('.').filter(|key| !key.is_empty()).try_fold(node, |node, key| node.get(key)),
        (_, Some(items)) => items.iter().find(|item| item.str_at("name") == Some(step)),
        (_, None) => node.get(step),
    })
}

#[cfg(test)]
mod tests;
