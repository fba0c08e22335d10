//! Which objects a policy is about; what it is not about is never looked into.

use super::document::{MatchPolicy, MatchResources, Operation, ResourceRule, Scope};
use super::subject::Subject;
use model::declare::{Operator, Requirement, Selector};
use tree::Node;

/// The label that the API server gives each namespace.
pub(super) const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Whether a policy's constraints select a subject. Without rules they select nothing.
pub(super) fn constraints(resources: &MatchResources, subject: &Subject<'_>) -> bool {
    resources.resource_rules.iter().any(|rule| selects(rule, resources.match_policy, subject)) && rest(resources, subject)
}

/// Whether a binding's resources select a subject that the policy is about. Without rules they select all of them.
pub(super) fn binding(resources: Option<&MatchResources>, subject: &Subject<'_>) -> bool {
    let Some(resources) = resources else { return true };
    let rules = &resources.resource_rules;
    (rules.is_empty() || rules.iter().any(|rule| selects(rule, resources.match_policy, subject))) && rest(resources, subject)
}

fn rest(resources: &MatchResources, subject: &Subject<'_>) -> bool {
    let excluded = resources.exclude_resource_rules.iter().any(|rule| selects(rule, resources.match_policy, subject));
    let object = |selector: &Selector| {
        labelled(selector, subject.labels) || subject.old.as_ref().is_some_and(|old| labelled(selector, old.labels))
    };
    !excluded
        && resources.object_selector.as_ref().is_none_or(object)
        && resources.namespace_selector.as_ref().is_none_or(|selector| namespace(selector, subject))
}

fn selects(rule: &ResourceRule, policy: MatchPolicy, subject: &Subject<'_>) -> bool {
    let among = |wanted: &[String], found: &str| wanted.iter().any(|one| one == "*" || one == found);
    let resource = |wanted: &String| wanted == "*" || wanted == "*/*" || *wanted == subject.resource;
    let scope = match rule.scope {
        Scope::Any => true,
        Scope::Namespaced => !subject.namespace.is_empty(),
        Scope::Cluster => subject.namespace.is_empty(),
    };
    // A resource has the same name in all its versions; objects are looked at as they are written.
    let version = policy == MatchPolicy::Equivalent || among(&rule.api_versions, subject.version);
    scope
        && version
        && among(&rule.api_groups, subject.group)
        && rule.resources.iter().any(resource)
        && rule.operations.iter().any(|one| *one == Operation::Any || *one == subject.operation)
        && (rule.resource_names.is_empty() || rule.resource_names.iter().any(|name| name == subject.name))
}

/// Whether labels fit a selector.
pub(super) fn labelled(selector: &Selector, labels: Option<&Node>) -> bool {
    let value = |key: &str| labels.and_then(|labels| labels.str_at(key));
    selector.match_labels.iter().all(|(key, wanted)| value(key) == Some(wanted))
        && selector.match_expressions.iter().all(|one| fits(one, value(&one.key)))
}

fn fits(requirement: &Requirement, value: Option<&str>) -> bool {
    let among = |value: &str| requirement.values.iter().any(|one| one == value);
    match requirement.operator {
        Operator::In => value.is_some_and(among),
        Operator::NotIn => !value.is_some_and(among),
        Operator::Exists => value.is_some(),
        Operator::DoesNotExist => value.is_none(),
    }
}

/// Whether an object's namespace fits a selector: that of a namespace is itself, and what has none always fits.
///
/// Labels of a namespace that is not rendered here are not known, but for its name: a requirement that they could meet counts as
/// met, so that nothing passes because netloom does not know.
fn namespace(selector: &Selector, subject: &Subject<'_>) -> bool {
    if subject.kind == "Namespace" && subject.group.is_empty() {
        return labelled(selector, subject.labels);
    }
    let Some(namespace) = &subject.in_namespace else { return true };
    let labels = namespace.object.get("metadata").and_then(|metadata| metadata.get("labels"));
    if namespace.known {
        return labelled(selector, labels);
    }
    let known = |key: &str| key == NAME_LABEL;
    let value = |key: &str| labels.and_then(|labels| labels.str_at(key));
    selector.match_labels.iter().all(|(key, wanted)| !known(key) || value(key) == Some(wanted))
        && selector.match_expressions.iter().all(|one| !known(&one.key) || fits(one, value(&one.key)))
}
