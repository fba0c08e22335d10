use super::*;
use crate::check::ingress::ingress;
use artifacts::cloudformation::cluster::template;
use model::plan::NetworkPlan;
use model::plan::cluster::plan;
use testing::Project;
use tree::{Map, Path};

const FACTS: &str = r#"
ports:
- {name: tunnel, protocol: udp, port: 6783-6784, from: nodes, to: nodes, because: pods}
- name: esp
  protocol: 50
  from: nodes
  to: nodes
  because: encryption
  blocked: {code: slow-path, severity: warning, consequence: traffic takes the slow path}
"#;

/// A cluster, its plan and template.
struct Case {
    project: Project,
    plan: ClusterPlan,
    draft: Draft,
}

impl Case {
    fn new(spec: &str) -> Self {
        let mut project = Project::default();
        let head = "  network: vpc\n  kubernetesVersion: \"1.33\"\n  networking: {overlay: {}}\n";
        let cluster = project.cluster(&format!("{head}{spec}"));
        let facts = [project.facts(FACTS)];
        let network = NetworkPlan { name: "vpc".into(), mtu: 9001, cidrs: vec!["172.20.0.0/16".parse().unwrap()], aws: None };
        let plan = plan(&cluster, &network, &facts, &mut Vec::new());
        let draft = Draft::new(template(&cluster, &plan, &network));
        Self { project, plan, draft }
    }

    fn resources(&mut self) -> &mut Map {
        self.draft.template_mut().as_map_mut().unwrap().get_mut("Resources").unwrap().as_map_mut().unwrap()
    }

    fn remove(&mut self, containing: &str) {
        self.resources().retain(|key, _| !key.text.contains(containing));
    }

    /// Adds an inbound rule to a group's own list.
    fn admit(&mut self, group: &str, rule: &str) {
        let rule = self.project.node("patch.yaml", rule);
        let properties = self.resources().get_mut(group).unwrap().as_map_mut().unwrap().get_mut("Properties").unwrap();
        let properties = properties.as_map_mut().unwrap();
        if !properties.contains("SecurityGroupIngress") {
            properties.push("SecurityGroupIngress", Vec::new());
        }
        properties.get_mut("SecurityGroupIngress").unwrap().as_list_mut().unwrap().push(rule);
    }

    fn report(&self) -> String {
        let mut findings = Vec::new();
        check(&self.plan, &self.draft, &ingress(self.draft.template()), &mut findings);
        self.project.report(&findings)
    }
}

#[test]
fn what_is_rendered_admits_every_flow_and_no_more() {
    let spec = "  access: {api: [\"::/0\", pl-63a5400a], ssh: [0.0.0.0/0], nodePorts: [10.0.0.0/8]}\n  \
                flows:\n  - {name: ping, protocol: icmp, from: nodes, to: workers, because: probes}\n";
    assert_eq!(Case::new(spec).report(), "");
}

#[test]
fn a_missing_rule_is_found_with_its_consequence() {
    let mut case = Case::new("");
    case.remove("Protocol50");
    assert_eq!(
        case.report(),
        "warning[slow-path] facts.yaml:2:1: the flow `esp` (IP protocol 50 (ESP) from every machine to every machine) \
         is not admitted by the final security groups: traffic takes the slow path\n"
    );
    let mut case = Case::new("");
    case.remove("IngressXControlPlaneXNodesXUdp");
    assert_eq!(
        case.report(),
        "error[flow-blocked] facts.yaml:2:1: the flow `tunnel` (6783-6784/udp from every machine to every machine) \
         is not admitted by the final security groups\n"
    );
    let mut findings = Vec::new();
    check(&case.plan, &case.draft, &ingress(case.draft.template()), &mut findings);
    assert!(findings[0].help[0].contains("`ControlPlaneSecurityGroup` from `NodesSecurityGroup`"), "{:?}", findings[0].help);
}

#[test]
fn removing_a_group_blocks_what_goes_there() {
    let mut case = Case::new("");
    case.remove("NodesSecurityGroup");
    case.remove("IngressXNodes");
    assert!(case.report().contains("error[flow-blocked]"), "{}", case.report());
}

#[test]
fn a_rule_for_all_protocols_admits_all_and_is_noted() {
    let mut case = Case::new("");
    case.remove("Ingress");
    for group in ["ControlPlaneSecurityGroup", "NodesSecurityGroup"] {
        case.admit(group, "{IpProtocol: -1, CidrIp: 0.0.0.0/0}");
    }
    assert_eq!(
        case.report(),
        "note[flow-opening] patch.yaml:1:1: the security group rule in `ControlPlaneSecurityGroup` admits more than any planned flow needs\n\
         note[flow-opening] patch.yaml:1:1: the security group rule in `NodesSecurityGroup` admits more than any planned flow needs\n"
    );
}

#[test]
fn machines_are_admitted_by_the_networks_range_but_not_by_a_part_of_it() {
    for (range, admitted) in [("172.16.0.0/12", true), ("172.20.0.0/17", false)] {
        let mut case = Case::new("");
        case.remove("IngressXNodesXNodesXUdp");
        case.admit("NodesSecurityGroup", &format!("{{IpProtocol: udp, FromPort: 6783, ToPort: 6784, CidrIp: {range}}}"));
        assert_eq!(!case.report().contains("flow-blocked"), admitted, "{}", case.report());
    }
}

#[test]
fn ports_are_admitted_by_rules_together_when_they_leave_no_gap() {
    for (last, admitted) in [(6782, false), (6783, true), (7000, true)] {
        let mut case = Case::new("");
        case.remove("IngressXNodesXNodesXUdp");
        let source = "SourceSecurityGroupId: {Ref: NodesSecurityGroup}";
        case.admit("NodesSecurityGroup", &format!("{{IpProtocol: \"17\", FromPort: \"6000\", ToPort: {last}, {source}}}"));
        let source = "SourceSecurityGroupId: {\"Fn::GetAtt\": NodesSecurityGroup.GroupId}";
        case.admit("NodesSecurityGroup", &format!("{{IpProtocol: udp, FromPort: 6784, ToPort: 6784, {source}}}"));
        assert_eq!(!case.report().contains("flow-blocked"), admitted, "{}", case.report());
    }
}

#[test]
fn other_protocols_and_what_cannot_be_told_admit_nothing() {
    let api = "IngressXControlPlaneXX172Xd20Xd0Xd0Xs16XTcp443";
    for (property, value) in [("IpProtocol", "udp"), ("CidrIp", "172.20.128.0/17"), ("ToPort", "442"), ("IpProtocol", "http")] {
        let mut case = Case::new("");
        let path = Path::dotted("Resources").child(api).child("Properties");
        assert!(case.draft.template().at(&path).is_some());
        let properties = case.resources().get_mut(api).unwrap().as_map_mut().unwrap().get_mut("Properties").unwrap();
        properties.as_map_mut().unwrap().insert(property, value.into());
        assert!(case.report().contains("api-server-from-172-20-0-0-16"), "{property}: {}", case.report());
    }
    let mut case = Case::new("");
    case.remove(api);
    case.admit("ControlPlaneSecurityGroup", "{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: {Ref: Range}}");
    let report = case.report();
    assert!(report.contains("error[flow-blocked]") && report.contains("note[flow-opening]"), "{report}");
}

#[test]
fn a_prefix_list_is_admitted_by_itself_alone() {
    let mut case = Case::new("  access: {api: [pl-63a5400a]}\n");
    case.remove("Pl63a");
    case.admit("ControlPlaneSecurityGroup", "{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0}");
    assert!(case.report().contains("api-server-from-pl-63a5400a"), "{}", case.report());
}

#[test]
fn an_opening_beyond_a_flow_is_noted() {
    let mut case = Case::new("  access: {ssh: [10.0.0.0/8]}\n");
    case.admit("NodesSecurityGroup", "{IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 10.1.0.0/16}");
    assert_eq!(case.report(), "", "within what is declared");
    case.admit("NodesSecurityGroup", "{IpProtocol: tcp, FromPort: 22, ToPort: 23, CidrIp: 10.1.0.0/16}");
    assert!(case.report().starts_with("note[flow-opening] patch.yaml:1:1"), "{}", case.report());
}
