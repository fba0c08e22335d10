use super::*;
use model::declare::SubnetType;
use model::plan::cluster::plan;
use model::plan::{AwsPlan, Gateway, Subnet};
use schema::address::Ipv6Range;
use testing::Project;
use yaml::to_yaml;

fn network(ipv6: bool) -> NetworkPlan {
    let cidr = "172.20.0.0/16".parse().unwrap();
    let vpc = Vpc::Owned { cidr, additional: Vec::new(), ipv6, dhcp_domain: "us-test-1.compute.internal".into() };
    let aws = AwsPlan {
        region: "us-test-1".into(),
        topology: model::declare::Topology::Public,
        vpc,
        internet_gateway: Some(Gateway::Owned),
        egress_only_gateway: false,
        subnets: Vec::new(),
        nat_gateways: Vec::new(),
        route_tables: Vec::new(),
        endpoints: Default::default(),
        tags: Vec::new(),
    };
    NetworkPlan { name: "vpc".into(), mtu: 9001, cidrs: vec![cidr], aws: Some(aws) }
}

/// The template of a cluster with this `spec` and these facts.
fn text(spec: &str, facts: &str) -> String {
    to_yaml(&render(spec, facts, &network(false)))
}

fn render(spec: &str, facts: &str, network: &NetworkPlan) -> Node {
    let mut project = Project::default();
    let head = "  network: vpc\n  clusterName: prod.example.com\n  kubernetesVersion: \"1.33\"\n  networking: {overlay: {}}\n";
    let cluster = project.cluster(&format!("{head}{spec}"));
    let facts = [project.facts(facts)];
    let mut findings = Vec::new();
    let plan = plan(&cluster, network, &facts, &mut findings);
    assert_eq!(project.report(&findings), "");
    template(&cluster, &plan, network)
}

fn resource_text(template: &Node, id: &str) -> String {
    let resource = template.get("Resources").and_then(|resources| resources.get(id));
    to_yaml(resource.unwrap_or_else(|| panic!("no {id} in {}", ids(template))))
}

fn ids(template: &Node) -> String {
    let resources = template.get("Resources").and_then(Node::as_map).unwrap();
    resources.keys().map(|key| format!("{key}\n")).collect()
}

/// `NETLOOM_BLESS=1` writes the expected template anew.
#[test]
#[allow(clippy::disallowed_methods, reason = "blessing writes the expected output")]
fn a_small_cluster() {
    let actual = text("", "{}");
    if std::env::var("NETLOOM_BLESS").is_ok() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/cloudformation/cluster/small.template.yaml"), &actual).unwrap();
    } else {
        assert_eq!(actual, include_str!("small.template.yaml"));
    }
}

#[test]
fn a_flow_between_all_machines_is_a_rule_for_each_pair_of_groups() {
    let facts = "ports:\n- {name: control, protocol: tcp, port: 6783, from: nodes, to: nodes, because: peers}\n\
                 - {name: tunnel, protocol: udp, port: 6783-6784, from: nodes, to: nodes, because: pods}\n\
                 - {name: esp, protocol: 50, from: nodes, to: nodes, because: \"kernel's IPsec\"}\n";
    let template = render("", facts, &network(false));
    let own: Vec<_> = ids(&template)
        .lines()
        .filter(|id| id.contains("X6783") || id.contains("p6783") || id.ends_with("Protocol50"))
        .map(str::to_owned)
        .collect();
    assert_eq!(own.len(), 12);
    assert_eq!(
        resource_text(&template, "IngressXNodesXControlPlaneXProtocol50"),
        "Type: AWS::EC2::SecurityGroupIngress\nProperties:\n  GroupId:\n    Fn::GetAtt:\n    - NodesSecurityGroup\n    - GroupId\n  \
         Description: \"esp: kernel-s IPsec\"\n  SourceSecurityGroupId:\n    Fn::GetAtt:\n    - ControlPlaneSecurityGroup\n    - GroupId\n  \
         IpProtocol: \"50\"\n"
    );
    let tunnel = resource_text(&template, "IngressXNodesXNodesXUdp6783To6784");
    assert!(tunnel.ends_with("  IpProtocol: udp\n  FromPort: 6783\n  ToPort: 6784\n"), "{tunnel}");
}

#[test]
fn two_flows_that_make_one_rule_make_it_once() {
    let flows =
        "  flows:\n  - {name: metrics, protocol: tcp, ports: \"10250\", from: nodes, to: nodes, because: metrics-server}\n";
    let template = render(flows, "{}", &network(false));
    let rule = resource_text(&template, "IngressXNodesXControlPlaneXTcp10250");
    assert!(rule.contains("kubelets; metrics: metrics-server"), "{rule}");
    assert!(ids(&template).contains("IngressXNodesXNodesXTcp10250\n"));
}

#[test]
fn sources_have_the_property_of_their_kind() {
    let spec = "  access: {ssh: [10.9.0.0/16, \"2001:db8::/32\", pl-63a5400a]}\n";
    let template = render(spec, "{}", &network(false));
    let sources = text(spec, "{}");
    assert!(sources.contains("CidrIp: \"10.9.0.0/16\""), "{sources}");
    assert!(sources.contains("CidrIpv6: \"2001:db8::/32\""), "{sources}");
    let list = resource_text(&template, "IngressXNodesXPl63aX5400aXTcp22");
    assert!(list.contains("SourcePrefixListId: pl-63a5400a"), "{list}");
}

#[test]
fn icmp_has_a_type_and_a_code() {
    let flows = "  flows:\n  - {name: ping, protocol: icmp, from: workers, to: workers, because: probes}\n";
    let rule = resource_text(&render(flows, "{}", &network(false)), "IngressXNodesXNodesXIcmp");
    assert!(rule.ends_with("  IpProtocol: icmp\n  FromPort: -1\n  ToPort: -1\n"), "{rule}");
}

#[test]
fn descriptions_keep_to_what_ec2_takes() {
    let because = format!("“quoted” <b> {}", "long ".repeat(60));
    let flows = format!("  flows:\n  - {{name: long, protocol: icmp, from: workers, to: workers, because: '{because}'}}\n");
    let template = render(&flows, "{}", &network(false));
    let rule = template.get("Resources").and_then(|resources| resources.get("IngressXNodesXNodesXIcmp")).unwrap();
    let description = rule.get("Properties").and_then(|properties| properties.str_at("Description")).unwrap();
    assert!(description.starts_with("long: -quoted- -b- long long"), "{description}");
    assert!((250..=255).contains(&description.len()), "{}", description.len());
}

#[test]
fn outgoing_ipv6_is_written_out_where_the_network_has_it() {
    let mut with_subnet = network(false);
    if let Some(aws) = &mut with_subnet.aws {
        aws.subnets.push(Subnet {
            name: "a".into(),
            zone: "us-test-1a".into(),
            kind: SubnetType::DualStack,
            cidr: None,
            ipv6: Some(Ipv6Range::Slot { prefix: 64, index: 0 }),
            id: None,
            tags: Vec::new(),
        });
    }
    for network in [network(true), with_subnet] {
        let group = resource_text(&render("", "{}", &network), NODES_GROUP);
        let egress = "  SecurityGroupEgress:\n  - IpProtocol: \"-1\"\n    CidrIp: \"0.0.0.0/0\"\n  - IpProtocol: \"-1\"\n    CidrIpv6: \"::/0\"\n";
        assert!(group.ends_with(egress), "{group}");
    }
    assert!(!text("", "{}").contains("SecurityGroupEgress"));
}

#[test]
fn statements_of_overlays_go_to_the_policies_of_their_machines() {
    let facts = "iam:\n- {role: workers, actions: [\"ec2:AssignPrivateIpAddresses\"], because: pod addresses}\n\
                 - role: controlPlane\n  actions: [\"ec2:CreateRoute\"]\n  resources: [\"arn:${AWS::Partition}:ec2:*:*:route-table/*\"]\n  \
                 condition: {StringEquals: {\"aws:ResourceTag/team\": a}}\n  because: routes\n";
    let template = render("", facts, &network(false));
    let nodes = resource_text(&template, "NodesPolicy");
    assert!(
        nodes.ends_with("      - ec2:AssignPrivateIpAddresses\n      Resource: \"*\"\n  Roles:\n  - Ref: NodesRole\n"),
        "{nodes}"
    );
    let control_plane = resource_text(&template, "ControlPlanePolicy");
    let routes = "      Action:\n      - ec2:CreateRoute\n      Resource:\n      - Fn::Sub: arn:${AWS::Partition}:ec2:*:*:route-table/*\n      \
                  Condition:\n        StringEquals:\n          aws:ResourceTag/team: a\n  Roles:\n  - Ref: ControlPlaneRole\n";
    assert!(control_plane.contains(routes), "{control_plane}");
}

#[test]
fn older_clusters_may_run_providers_that_tag_afterwards() {
    let mut project = Project::default();
    let mut policy = |version: &str| {
        let spec = format!("  network: vpc\n  kubernetesVersion: \"{version}\"\n  networking: {{overlay: {{}}}}\n");
        let cluster = project.cluster(&spec);
        let plan = plan(&cluster, &network(false), &[], &mut Vec::new());
        resource_text(&template(&cluster, &plan, &network(false)), "ControlPlanePolicy")
    };
    assert!(policy("1.27").contains("ec2:CreateAction"));
    assert!(!policy("1.26").contains("ec2:CreateAction"));
}
