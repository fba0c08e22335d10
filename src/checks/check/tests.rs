use super::*;
use ::testing::Project;
use model::plan::NetworkPlan;
use model::plan::cluster::plan;
use schema::{Identity, kubernetes};

const SPEC: &str = "  network: vpc
  kubernetesVersion: \"1.33\"
  networking: {overlay: {}}
  podCIDR: 172.20.0.0/24
  nonMasqueradeCIDR: 172.16.0.0/12
  kubeProxy: {mode: disabled}
";
const NETWORK: &str = "  aws:
    region: us-test-1
    zones: [us-test-1a]
    topology: private
    subnets:
    - {name: a, zone: us-test-1a, type: private, cidr: 172.20.32.0/19, additionalRoutes: [{cidr: 100.64.0.0/16, target: pcx-1}]}
";
const FACTS: &str = r#"
mtu: 9000
mtuTerms: [{name: VXLAN, bytes: 50}]
nodeRanges: true
kubeProxy: required
kubeletDns: 169.254.20.10
architectures: [s390x]
nodeRoutes: {quota: 1}
addressesPerNode: 1000
networkPolicy: {ingress: false, egress: true, endPort: false, namedPorts: false}
"#;

fn planned(network: &Declared<Network>) -> NetworkPlan {
    let cidrs = network.ranges().into_iter().map(|range| range.cidr).collect();
    NetworkPlan { name: "vpc".into(), mtu: 9001, cidrs, aws: None }
}

/// A cluster that breaks every rule: a check that is no longer in a table is missed here.
#[test]
fn every_check_runs() {
    let mut project = Project::default();
    let cluster = project.cluster(SPEC);
    let network = project.network(NETWORK);
    let facts = [project.facts(FACTS)];
    let policy = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: a}, spec: {podSelector: {}, policyTypes: [Ingress, Egress]}}";
    let mut object = |component: &str, text: &str| {
        let node = project.node(&format!("{component}.yaml"), text);
        Arc::new(Object::new(Identity::of(&node).unwrap(), component.into(), node))
    };
    let policy = object("policies", policy);
    let definition = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: as.b.c}, spec: {group: b.c, \
                      scope: Cluster, names: {kind: A, plural: as}, versions: [{name: v1, served: true, storage: true, \
                      schema: {openAPIV3Schema: {}}}]}}";
    let service = "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {clusterIP: 10.1.2.3}}";
    let objects = [Arc::clone(&policy), policy, object("definitions", definition), object("rest", service)];
    let rule = "      - {IpProtocol: -1, SourceSecurityGroupId: {Ref: Other}}\n".repeat(61);
    let template = format!(
        "Resources:\n  NodesSecurityGroup:\n    Type: AWS::EC2::SecurityGroup\n    Properties:\n      SecurityGroupIngress:\n{rule}"
    );
    let mut template = project.node("template.yaml", &template);
    template.as_map_mut().unwrap().push("Description", "\u{7}{{resolve:ssm:/a}}");

    let mut findings = Vec::new();
    let planned = planned(&network);
    let plan = plan(&cluster, &planned, &facts, &mut findings);
    declarations(&cluster, &network, &facts, &mut findings);
    let schemas = kubernetes::for_minor(37).unwrap();
    let draft = Some(&Draft::new(template));
    let authors = &Authors::new(&project.sources, "overlays", Vec::new());
    let (facts, plan, objects, schemas) = (&facts, &plan, &objects, &schemas);
    artifacts(Rendered { cluster: &cluster, facts, plan, objects, draft, authors, schemas }, &mut findings);
    let mut codes: Vec<&str> = findings.iter().map(|finding| &*finding.code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(
        codes,
        [
            "architecture",
            "cidr-overlap",
            "dns-kubelet",
            "flow-blocked",
            "flow-opening",
            "hidden-character",
            "kube-proxy",
            "kubernetes-schemas",
            "mtu-mismatch",
            "network-policy-feature",
            "node-capacity",
            "node-routes",
            "object-identity",
            "object-schema",
            "policy-dns",
            "route-hidden",
            "security-group-rules",
            "service-address",
            "subnet-capacity",
            "template-injection",
            "template-reference",
        ]
    );
}
