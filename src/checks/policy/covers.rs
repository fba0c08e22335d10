//! Whether a policy in force asks for all that the same policy of a base asks for.
//!
//! Of two expressions that differ nobody can say which asks for more, so one that is another one counts as less. What is only added
//! does not: a validation, a resource, a wider selector, fewer conditions.

use std::collections::BTreeMap;

use super::document::{FailurePolicy, MatchPolicy, MatchResources, Operation, PolicySpec, ResourceRule, Scope};
use super::library::Library;
use super::select::{Active, Params, params};
use findings::Severity;
use model::declare::Selector;
use model::declare::expression::essence_of_cel;
use tree::{Node, Span};

/// In what a policy asks less than the base's, and where that stands in both.
#[derive(Clone, Debug)]
pub struct Loss {
    /// In what, as a clause: `one of its validations is gone`.
    pub what: String,
    /// Where.
    pub own: Span,
    /// Where it stands in the base.
    pub base: Span,
}

/// In what `own` asks less than `base` does.
pub(super) fn loss(own: (&Library, &Active<'_>), base: (&Library, &Active<'_>)) -> Option<Loss> {
    of_text(own.1, base.1)
        .or_else(|| of_force(own.1, base.1))
        .or_else(|| of_binding(own.1, base.1))
        .or_else(|| of_params(own, base))
}

/// What the policy itself says.
fn of_text(own: &Active<'_>, base: &Active<'_>) -> Option<Loss> {
    let (is, was) = (&own.entry.declared.value.spec, &base.entry.declared.value.spec);
    let fails = |spec: &PolicySpec| spec.failure_policy == FailurePolicy::Fail;
    let less = [
        ("validations", "one of its validations is gone or another one", !holds_all(&validations(is), &validations(was))),
        ("matchConditions", "it has another condition under which it holds", !holds_all(&conditions(was), &conditions(is))),
        ("auditAnnotations", "one of its audit annotations is gone or another one", !holds_all(&audits(is), &audits(was))),
        ("failurePolicy", "what it cannot be evaluated on passes with a warning", fails(was) && !fails(is)),
    ];
    let place = |active: &Active<'_>, field: &str| active.entry.declared.span(&format!("spec.{field}"));
    let found = less.iter().find(|(_, _, lost)| *lost).map(|(field, what, _)| (*field, (*what).to_owned()));
    let found = found.or_else(|| {
        let none = MatchResources::default();
        let (is, was) = (is.match_constraints.as_ref().unwrap_or(&none), was.match_constraints.as_ref()?);
        Some(("matchConstraints", narrower(is, was, false)?.to_owned()))
    });
    found.map(|(field, what)| Loss { what, own: place(own, field), base: place(base, field) })
}

/// How bad a violation is, and who looks for it.
fn of_force(own: &Active<'_>, base: &Active<'_>) -> Option<Loss> {
    let renders = |active: &Active<'_>| active.selection.is_some_and(|selection| selection.enforce.renders());
    let name = |severity: Severity| match severity {
        Severity::Error => "an error",
        Severity::Warning => "a warning",
        Severity::Note => "a note",
    };
    let what = if own.severity < base.severity {
        format!("what it finds was {}, and is {}", name(base.severity), name(own.severity))
    } else if base.builds() && !own.builds() {
        "netloom does not evaluate it any more".to_owned()
    } else if renders(base) && !renders(own) {
        "clusters do not enforce it any more".to_owned()
    } else {
        return None;
    };
    // Where the project selects a policy, that is the place.
    let place = |active: &Active<'_>| match (active.selection, active.binding) {
        (None, Some(binding)) => binding.span("spec.validationActions"),
        _ => Span::NONE,
    };
    Some(Loss { what, own: place(own), base: place(base) })
}

/// Which of the objects that the policy is about.
fn of_binding(own: &Active<'_>, base: &Active<'_>) -> Option<Loss> {
    let resources =
        |active: &Active<'_>| active.binding.and_then(|one| one.value.spec.match_resources.clone()).unwrap_or_default();
    let what = format!("its binding is about less: {}", narrower(&resources(own), &resources(base), true)?);
    let place = |active: &Active<'_>| active.binding.map_or(Span::NONE, |one| one.span("spec.matchResources"));
    Some(Loss { what, own: place(own), base: place(base) })
}

/// What it is evaluated with: each of the base's parameters is still there.
fn of_params((library, own): (&Library, &Active<'_>), (before, base): (&Library, &Active<'_>)) -> Option<Loss> {
    let place = |active: &Active<'_>| active.binding.map_or(Span::NONE, |one| one.span("spec.paramRef"));
    let found = |own: Span, base: Span| Some(Loss { what: "its parameters are others".to_owned(), own, base });
    match (params(library, own), params(before, base)) {
        // What could not be evaluated in the base asked for nothing.
        (_, Params::Skip | Params::Missing(_)) | (Params::None, Params::None) | (Params::Missing(_), _) => None,
        (Params::Each(own), Params::Each(base)) => {
            let gone: &Node = base.into_iter().find(|was| !own.contains(was))?;
            let named = |node: &&&Node| node.get("metadata") == gone.get("metadata");
            found(own.iter().find(named).map_or(Span::NONE, |node| node.span), gone.span)
        }
        (Params::None, Params::Each(_)) | (Params::Skip, _) => found(place(own), place(base)),
        // Without parameters its expressions were the same for everything.
        (Params::Each(_), Params::None) => found(place(own), place(base)),
    }
}

/// An expression with the variables that it asks for, and that these ask for.
type Condition = (String, BTreeMap<String, String>);

fn condition(expression: &str, spec: &PolicySpec) -> Condition {
    let text = essence_of_cel(expression);
    let (mut variables, mut open) = (BTreeMap::new(), asked(&text));
    while let Some(name) = open.pop() {
        let Some(variable) = spec.variables.iter().find(|one| one.name == name && !variables.contains_key(&name)) else {
            continue;
        };
        let text = essence_of_cel(&variable.expression);
        open.extend(asked(&text));
        variables.insert(name, text);
    }
    (text, variables)
}

/// The variables that an expression names.
fn asked(text: &str) -> Vec<String> {
    let word = |rest: &str| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    text.split("variables.").skip(1).map(word).collect()
}

fn validations(spec: &PolicySpec) -> Vec<Condition> {
    spec.validations.iter().map(|one| condition(&one.expression, spec)).collect()
}

fn conditions(spec: &PolicySpec) -> Vec<Condition> {
    spec.match_conditions.iter().map(|one| condition(&one.expression, spec)).collect()
}

fn audits(spec: &PolicySpec) -> Vec<(&str, Condition)> {
    spec.audit_annotations.iter().map(|one| (one.key.as_str(), condition(&one.value_expression, spec))).collect()
}

fn holds_all<T: PartialEq>(all: &[T], wanted: &[T]) -> bool {
    wanted.iter().all(|one| all.contains(one))
}

/// In what resources are fewer. Without rules a binding is about everything, a policy about nothing.
fn narrower(own: &MatchResources, base: &MatchResources, open: bool) -> Option<&'static str> {
    let everything = ResourceRule {
        api_groups: vec!["*".to_owned()],
        api_versions: vec!["*".to_owned()],
        operations: vec![Operation::Any],
        resources: vec!["*".to_owned()],
        resource_names: Vec::new(),
        scope: Scope::Any,
    };
    let rules = |resources: &MatchResources| match resources.resource_rules.is_empty() && open {
        true => vec![everything.clone()],
        false => resources.resource_rules.clone(),
    };
    let among =
        |wanted: &ResourceRule, all: &[ResourceRule]| atoms(wanted).iter().all(|atom| all.iter().any(|one| admits(one, atom)));
    let (is, was) = (rules(own), rules(base));
    let covers = |own: &Option<Selector>, base: &Option<Selector>| {
        own.as_ref().is_none_or(|own| own.covers(&base.clone().unwrap_or_default()))
    };
    if !was.iter().all(|rule| among(rule, &is)) {
        Some("it is about fewer resources or operations")
    } else if !own.exclude_resource_rules.iter().all(|rule| among(rule, &base.exclude_resource_rules)) {
        Some("it leaves more resources out")
    } else if !covers(&own.namespace_selector, &base.namespace_selector) {
        Some("it is about fewer namespaces")
    } else if !covers(&own.object_selector, &base.object_selector) {
        Some("it is about fewer objects, by their labels")
    } else if base.match_policy == MatchPolicy::Equivalent && own.match_policy == MatchPolicy::Exact {
        Some("it is about the versions alone that it names")
    } else {
        None
    }
}

/// A rule taken apart: one group, version, operation, resource and name each.
fn atoms(rule: &ResourceRule) -> Vec<ResourceRule> {
    let names: Vec<Vec<String>> = match rule.resource_names.is_empty() {
        true => vec![Vec::new()],
        false => rule.resource_names.iter().map(|name| vec![name.clone()]).collect(),
    };
    let mut atoms = Vec::new();
    for (group, version) in rule.api_groups.iter().flat_map(|group| rule.api_versions.iter().map(move |version| (group, version)))
    {
        for (operation, resource) in
            rule.operations.iter().flat_map(|one| rule.resources.iter().map(move |resource| (one, resource)))
        {
            atoms.extend(names.iter().map(|names| ResourceRule {
                api_groups: vec![group.clone()],
                api_versions: vec![version.clone()],
                operations: vec![*operation],
                resources: vec![resource.clone()],
                resource_names: names.clone(),
                scope: rule.scope,
            }));
        }
    }
    atoms
}

/// Whether a rule is about all that one which was taken apart is about.
fn admits(rule: &ResourceRule, atom: &ResourceRule) -> bool {
    let among = |all: &[String], wanted: &[String]| wanted.iter().all(|one| all.iter().any(|known| known == "*" || known == one));
    let any = |all: &[String]| all.iter().any(|known| known == "*" || known == "*/*");
    among(&rule.api_groups, &atom.api_groups)
        && among(&rule.api_versions, &atom.api_versions)
        && (any(&rule.resources) || (!any(&atom.resources) && among(&rule.resources, &atom.resources)))
        && atom.operations.iter().all(|one| rule.operations.contains(one) || rule.operations.contains(&Operation::Any))
        && (rule.resource_names.is_empty()
            || (!atom.resource_names.is_empty() && among(&rule.resource_names, &atom.resource_names)))
        && (rule.scope == Scope::Any || rule.scope == atom.scope)
}
