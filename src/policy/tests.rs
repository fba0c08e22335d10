use super::document::Expected;
use super::library::{Library, embed, stock_names};
use super::*;
use crate::tree::Sources;

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
