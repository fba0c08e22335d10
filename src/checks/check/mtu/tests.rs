use super::*;
use model::plan::NetworkPlan;
use model::plan::cluster::plan;
use schema::Identity;
use testing::Project;

const FACTS: &str = r#"
mtu: 8912
mtuTerms: [{name: VXLAN, bytes: 50}, {name: ESP, bytes: 37}]
mtuAt: [{kind: DaemonSet, name: net, path: "spec.template.spec.containers[router].env[MTU].value"}]
"#;

fn report(facts: &str, environment: &str, underlay: u32) -> String {
    let mut project = Project::default();
    let cluster = project.cluster("  network: vpc\n  kubernetesVersion: \"1.33\"\n  networking: {overlay: {}}\n");
    let facts = [project.facts(facts)];
    let cidrs = vec!["10.0.0.0/16".parse().unwrap()];
    let network = NetworkPlan { name: "vpc".into(), mtu: underlay, cidrs, aws: None };
    let plan = plan(&cluster, &network, &facts, &mut Vec::new());
    let text = format!(
        "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{name: net}}\nspec:\n  template:\n    spec:\n      containers:\n      \
         - name: other\n      - name: router\n        env:\n        - {{name: A, value: b}}\n        {environment}\n"
    );
    let node = project.node("net.yaml", &text);
    let object = Arc::new(Object::new(Identity::of(&node).unwrap(), "cni".into(), node));
    let mut findings = Vec::new();
    check(&plan, &[object], &mut findings);
    project.report(&findings)
}

#[test]
fn the_planned_mtu_fits_under_the_underlay() {
    let environment = "- {name: MTU, value: \"8912\"}";
    assert_eq!(report(FACTS, environment, 9001), "");
    assert_eq!(
        report(FACTS, environment, 8998),
        "error[mtu-mismatch] facts.yaml:2:1: the pods' MTU 8912 is larger than 8911 = 8998 underlay - 50 VXLAN - 37 ESP\n"
    );
    assert!(report("mtu: 1501", environment, 1500).contains("1501 is larger than 1500 = 1500 underlay\n"));
    assert_eq!(report("{}", environment, 1280), "", "a provider that finds it out by itself");
}

#[test]
fn the_final_object_is_read_again() {
    assert_eq!(
        report(FACTS, "- {name: MTU, value: \"9001\"}", 9001),
        "error[mtu-mismatch] net.yaml:12:30: the MTU in DaemonSet net 9001 is larger than 8914 = 9001 underlay - 50 VXLAN - 37 ESP \
         | facts.yaml:2:1: the plan is made here\n"
    );
    assert_eq!(
        report(FACTS, "- {name: MTU, value: 1376}", 9001),
        "warning[mtu-mismatch] net.yaml:12:30: the MTU in DaemonSet net is 1376, but 8912 is planned and stands in the runbook \
         | facts.yaml:2:1: the plan is made here\n"
    );
    assert!(
        report(FACTS, "- {name: MTU, value: auto}", 9001)
            .starts_with("error[mtu-mismatch] net.yaml:12:30: the MTU in DaemonSet net is no number")
    );
    assert_eq!(
        report(FACTS, "- {name: B, value: c}", 9001),
        "warning[mtu-mismatch] net.yaml:1:1: DaemonSet net does not set the pods' MTU any more, which is planned as 8912\n"
    );
}
