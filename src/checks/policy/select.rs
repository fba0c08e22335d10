//! Which policies hold for a cluster or a network.

use indexmap::IndexMap;

use super::document::{Binding, NotFound, ParamRef};
use super::library::{Entry, Library, is_of, stock_names};
use super::matching;
use findings::{Diagnostic, Severity, rules};
use model::declare::{Action, Declared, PolicySelection, Project};
use tree::{Node, Path, Sources, Span};

/// The policies of a project.
#[derive(Debug)]
pub struct Policies<'p> {
    pub(super) library: Library,
    pub(super) project: &'p Declared<Project>,
}

/// A binding that is in force: without one among the files, a selection stands for it.
#[derive(Clone, Debug)]
pub struct Active<'a> {
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

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.library.policies.is_empty()
    }

    /// The codes of policies, each with whether its findings are errors wherever it is on.
    #[must_use]
    pub fn codes(&self, sources: &Sources) -> Vec<(String, bool)> {
        let is_error = |name: &str| {
            let denies = |actions: &[Action]| actions.contains(&Action::Deny);
            let bound = self.library.bindings.iter().filter(|(one, _)| one.value.spec.policy_name == name);
            let selections = self.project.value.spec.policies.iter().filter(|one| one.policy == name);
            let chosen: Vec<&[Action]> = selections.map(|one| one.actions.as_slice()).collect();
            let open = chosen.is_empty() || chosen.iter().any(|actions| actions.is_empty());
            let bound = bound.map(|(one, _)| one.value.spec.validation_actions.as_slice()).filter(|_| open);
            self.library.policies.contains_key(name)
                && chosen.iter().copied().filter(|actions| !actions.is_empty()).chain(bound).all(denies)
        };
        let stock = stock_names(sources).filter(|name| !self.library.policies.contains_key(*name));
        let names = self.library.policies.keys().map(String::as_str).chain(stock);
        names.map(|name| (name.to_owned(), is_error(name))).collect()
    }

    /// The bindings that are in force for a declaration with these labels.
    #[must_use]
    pub fn active(&self, labels: &IndexMap<String, String>) -> Vec<Active<'_>> {
        self.library.policies.keys().flat_map(|name| self.active_of(name, labels)).collect()
    }

    /// Those of one policy.
    pub(super) fn active_of(&self, name: &str, labels: &IndexMap<String, String>) -> Vec<Active<'_>> {
        let Some(entry) = self.library.policies.get(name) else { return Vec::new() };
        let selections: Vec<_> = self.selections(name).collect();
        let selection = selections.iter().rev().find(|one| one.clusters.matches(labels)).copied();
        if !selections.is_empty() && selection.is_none() {
            return Vec::new();
        }
        let own = |stock: &bool| selection.is_some() || !*stock;
        let mut bindings: Vec<_> = self.library.bindings.iter().filter(|(one, _)| one.value.spec.policy_name == name).collect();
        if bindings.iter().any(|(_, stock)| !stock) {
            bindings.retain(|(_, stock)| !stock);
        }
        let chosen = selection.map(|one| one.actions.as_slice()).filter(|actions| !actions.is_empty());
        let severity = |actions: &[Action]| {
            chosen.unwrap_or(actions).iter().map(|action| action.severity()).max().unwrap_or(Severity::Error)
        };
        if bindings.is_empty() && selection.is_some() {
            return vec![Active { entry, binding: None, severity: severity(&[]), selection }];
        }
        let mut active = Vec::new();
        for (binding, _) in bindings.into_iter().filter(|(_, stock)| own(stock)) {
            let severity = severity(&binding.value.spec.validation_actions);
            active.push(Active { entry, binding: Some(binding), severity, selection });
        }
        active
    }

    /// How bad findings of a policy are at most; none for one that is not at hand.
    #[must_use]
    pub fn severity(&self, name: &str) -> Option<Severity> {
        let bound = self.library.bindings.iter().filter(|(one, _)| one.value.spec.policy_name == name);
        let bound = bound.flat_map(|(one, _)| &one.value.spec.validation_actions);
        let actions = self.selections(name).flat_map(|one| &one.actions).chain(bound).map(|action| action.severity());
        self.library.policies.contains_key(name).then(|| actions.max().unwrap_or(Severity::Error))
    }

    /// What the project says of a policy.
    pub(super) fn selections(&self, name: &str) -> impl Iterator<Item = &'p PolicySelection> {
        self.project.value.spec.policies.iter().filter(move |one| one.policy == name)
    }
}

impl Active<'_> {
    /// The policy's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.entry.declared.value.metadata.name
    }

    /// Whether it holds at build time.
    pub(super) fn builds(&self) -> bool {
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
