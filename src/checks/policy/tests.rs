use super::document::Expected;
use super::evaluation::Evaluation;
use super::library::{Library, embed, stock_names};
use super::subject::Subject;
use super::*;
use model::declare;
use tree::{Sources, Span};

/// Every stock policy is a file of its name that says why it is there and where it is from, is off unless it is selected, and has
/// cases for both outcomes, which come out as they expect.
#[test]
fn stock_policies_are_complete() {
    let mut sources = Sources::default();
    embed(&mut sources);
    let mut findings = Vec::new();
    let outcomes = test(&sources, None, &[], &mut findings);
    assert!(findings.is_empty() && outcomes.iter().all(|one| one.passed), "{findings:#?}");
    let library = Library::read(&sources, "policies", |_| true, &mut findings);
    let names: Vec<&str> = stock_names(&sources).collect();
    assert_eq!(library.policies.keys().map(String::as_str).collect::<Vec<_>>(), names);
    for (name, entry) in &library.policies {
        let annotations = &entry.declared.value.metadata.annotations;
        assert!(annotations.contains_key("netloom.dev/rationale") && annotations.contains_key("netloom.dev/source"), "{name}");
        assert!(library.bindings.iter().any(|(one, stock)| *stock && one.value.spec.policy_name == *name), "{name}");
        let expected = |wanted| {
            let mut cases = library
                .tests
                .iter()
                .filter(|(one, _)| one.value.metadata.name == *name)
                .flat_map(|(one, _)| &one.value.spec.cases);
            cases.any(|case| case.expected == wanted)
        };
        assert!(expected(Expected::Pass) && expected(Expected::Fail), "{name}");
    }
}

#[test]
fn resources_are_kinds_in_the_plural() {
    let plural = |kind| super::subject::plural(kind);
    assert_eq!(plural("NetworkPolicy"), "networkpolicies");
    assert_eq!(plural("Ingress"), "ingresses");
    assert_eq!(plural("Endpoints"), "endpoints");
    assert_eq!(plural("Gateway"), "gateways");
    assert_eq!(plural("DaemonSet"), "daemonsets");
}

/// What no policy is about is never converted, and neither is what was before; what one is about is converted once.
#[test]
fn what_a_match_excludes_is_never_converted() {
    const PROJECT: &str = "apiVersion: netloom.dev/v1alpha1\nkind: Project\nmetadata: {name: fleet}\n";
    const POLICY: &str = "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: POLICY}\nspec:\n  \
        matchConstraints:\n    objectSelector: {matchLabels: {env: ENV}}\n    resourceRules:\n    - {apiGroups: [netloom.dev], \
        apiVersions: [v1alpha1], operations: [CREATE], resources: [RESOURCE]}\n  validations: [{expression: object.kind == 'Cluster'}]\n---\n\
        apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {name: POLICY}\n\
        spec: {policyName: POLICY, validationActions: [Deny]}\n";
    let cases = [("networks", "prod", 0), ("clusters", "test", 0), ("clusters", "prod", 1)];
    for (resource, env, expected) in cases {
        let mut project = testing::Project::default();
        let fleet = declare::decode(project.node("netloom.yaml", PROJECT), &mut Vec::new()).unwrap();
        for name in ["one", "two"] {
            let text = POLICY.replace("POLICY", name).replace("ENV", env).replace("RESOURCE", resource);
            project.sources.add(format!("policies/{name}.yaml"), text);
        }
        let cluster = "apiVersion: netloom.dev/v1alpha1\nkind: Cluster\nmetadata: {name: a, labels: {env: prod}}\n";
        let node = project.node("a.yaml", cluster);
        let mut findings = Vec::new();
        let policies = Policies::read(&project.sources, &fleet, &mut findings);
        let active = policies.active(&indexmap::IndexMap::new());
        assert_eq!(active.len(), 2, "{findings:#?}");
        let count = std::cell::Cell::new(0);
        let subject = Subject::declaration("Cluster", &node, || {
            count.set(count.get() + 1);
            node.clone()
        });
        Evaluation::new(&policies, &active, Span::NONE, &mut findings).subject(&subject);
        assert_eq!((count.get(), findings.len()), (expected, 0), "{resource} of {env}");
    }
}
