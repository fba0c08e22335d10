//! Plans of small networks, written as one line a thing.

use super::validate;
use model::plan::network::plan;
use model::plan::{AwsPlan, Gateway, NatTarget, RouteTarget, Subnet};
use schema::address::Ipv6Range;
use testing::network;

fn gateway(gateway: &Gateway) -> &str {
    match gateway {
        Gateway::Owned => "new",
        Gateway::Existing(id) => id,
        Gateway::Parameter => "parameter",
    }
}

fn subnet(subnet: &Subnet) -> String {
    let cidr = subnet.cidr.map(|cidr| cidr.to_string());
    let ipv6 = subnet.ipv6.map(|range| match range {
        Ipv6Range::Cidr(cidr) => cidr.to_string(),
        Ipv6Range::Slot { prefix, index } => format!("/{prefix}#{index:x}"),
    });
    let roles = subnet.tags.iter().map(|(key, _)| key.replace("kubernetes.io/role/", ""));
    let words: Vec<String> = [cidr, ipv6, subnet.id.clone()].into_iter().flatten().chain(roles).collect();
    format!("subnet {} {:?} {}", subnet.name, subnet.kind, words.join(" "))
}

fn target(target: &RouteTarget) -> String {
    match target {
        RouteTarget::InternetGateway(id) => format!("internet({})", gateway(id)),
        RouteTarget::EgressOnlyGateway(id) => format!("egress-only({})", gateway(id)),
        RouteTarget::NatGateway(NatTarget::Planned(zone)) => format!("nat({zone})"),
        RouteTarget::NatGateway(NatTarget::Existing(id))
        | RouteTarget::TransitGateway(id)
        | RouteTarget::Peering(id)
        | RouteTarget::Instance(id) => id.clone(),
    }
}

/// The plan of the network with this `spec`, after its VPC; zones are written `a` for `us-test-1a`.
fn lines(spec: &str) -> Vec<String> {
    let aws = planned(spec);
    let nat = aws.nat_gateways.iter().map(|nat| {
        let ip = nat.public_ip.as_deref().map(|ip| format!(" {ip}")).unwrap_or_default();
        format!("nat {} in {} with {}{ip}", nat.name, nat.subnet, gateway(&nat.address))
    });
    let tables = aws.route_tables.iter().flat_map(|table| {
        let routes = table.routes.iter().map(|route| format!("  {} → {}", route.destination, target(&route.target)));
        std::iter::once(format!("table {}: {}", table.name, table.subnets.join(" "))).chain(routes)
    });
    let all = aws.subnets.iter().map(subnet).chain(nat).chain(tables);
    all.map(|line| line.replace("us-test-1", "")).collect()
}

fn planned(spec: &str) -> AwsPlan {
    let spec = spec.replace("REGION", "region: us-test-1");
    let (_, network) = network(&spec);
    let mut findings = Vec::new();
    validate(&network, &mut findings);
    findings.retain(|finding| finding.severity == findings::Severity::Error);
    assert_eq!(findings, []);
    plan(&network).aws.unwrap()
}

#[test]
fn public() {
    let expected = [
        "subnet a Public 172.20.32.0/19 elb internal-elb",
        "subnet b Public 172.20.64.0/19 elb internal-elb",
        "table public: a b",
        "  0.0.0.0/0 → internet(new)",
    ];
    assert_eq!(lines("spec: {aws: {REGION, zones: [us-test-1a, us-test-1b]}}"), expected);
}

#[test]
fn private_with_a_nat_gateway_per_zone() {
    let expected = [
        "subnet a Private 172.20.32.0/19 internal-elb",
        "subnet b Private 172.20.64.0/19 internal-elb",
        "subnet utility-a Utility 172.20.0.0/22 elb",
        "subnet utility-b Utility 172.20.4.0/22 elb",
        "nat a in utility-a with new",
        "nat b in utility-b with new",
        "table public: utility-a utility-b",
        "  0.0.0.0/0 → internet(new)",
        "table private-a: a",
        "  0.0.0.0/0 → nat(a)",
        "table private-b: b",
        "  0.0.0.0/0 → nat(b)",
    ];
    assert_eq!(lines("spec: {aws: {REGION, zones: [us-test-1a, us-test-1b], topology: private}}"), expected);
}

#[test]
fn private_with_one_nat_gateway_or_none() {
    let network = |nat: &str| {
        let spec = format!("spec: {{aws: {{REGION, zones: [us-test-1b, us-test-1a], topology: private, natGateways: {nat}}}}}");
        lines(&spec).split_off(4)
    };
    let public = ["table public: utility-b utility-a", "  0.0.0.0/0 → internet(new)"];
    let single = ["table private-b: b", "  0.0.0.0/0 → nat(b)", "table private-a: a", "  0.0.0.0/0 → nat(b)"];
    assert_eq!(network("single"), [&["nat b in utility-b with new"], &public[..], &single[..]].concat());
    assert_eq!(network("none"), [&public[..], &["table private-b: b", "table private-a: a"]].concat());
}

/// The zone's private subnets keep the egress that is written; the other zone follows `natGateways`.
#[test]
fn egress() {
    let network = |rest: &str| {
        let spec = format!(
            "spec:\n  aws:\n    REGION\n    cidr: 10.0.0.0/16\n    zones: [us-test-1a, us-test-1b]\n    tagSubnets: false\n    subnets:\n\
             \x20   - {{name: a, zone: us-test-1a, type: private, cidr: 10.0.1.0/24, {rest}}}\n\
             \x20   - {{name: ua, zone: us-test-1a, type: utility, cidr: 10.0.2.0/24}}\n\
             \x20   - {{name: b, zone: us-test-1b, type: private, cidr: 10.0.3.0/24}}\n\
             \x20   - {{name: ub, zone: us-test-1b, type: utility, cidr: 10.0.4.0/24}}\n"
        );
        lines(&spec).split_off(4)
    };
    let rest = ["table private-b: b", "  0.0.0.0/0 → nat(b)"];
    let public = ["table public: ua ub", "  0.0.0.0/0 → internet(new)"];
    let with = |nats: &[&'static str], private: &[&'static str]| [nats, &public, private, &rest].concat();
    let here = ["table private-a: a", "  0.0.0.0/0 → nat(a)"];
    assert_eq!(network("egress: eipalloc-1"), with(&["nat a in ua with eipalloc-1", "nat b in ub with new"], &here));
    assert_eq!(network("publicIP: 192.0.2.1"), with(&["nat a in ua with new 192.0.2.1", "nat b in ub with new"], &here));
    let b = ["nat b in ub with new"];
    for target in ["nat-1", "tgw-1", "i-1"] {
        let route = format!("  0.0.0.0/0 → {target}");
        assert_eq!(network(&format!("egress: {target}"))[3..5], ["table private-a: a", &route]);
    }
    assert_eq!(network("egress: External"), with(&b, &[]));
    let routes = "egress: tgw-1, additionalRoutes: [{cidr: 192.168.1.10/32, target: pcx-2}, {cidr: 10.9.0.0/16, target: igw-1}]";
    let table = ["table private-a: a", "  0.0.0.0/0 → tgw-1", "  192.168.1.10/32 → pcx-2", "  10.9.0.0/16 → internet(igw-1)"];
    assert_eq!(network(routes), with(&b, &table));
}

#[test]
fn ipv6_private_and_dual_stack() {
    let spec = "spec:
  aws:
    REGION
    cidr: 10.0.0.0/16
    ipv6: true
    topology: private
    zones: [us-test-1a, us-test-1b]
    subnets:
    - {name: p, zone: us-test-1a, type: private, ipv6CIDR: '/64#0'}
    - {name: d, zone: us-test-1a, type: dualStack, cidr: 10.0.1.0/24, ipv6CIDR: '/64#1'}
    - {name: u, zone: us-test-1a, type: utility, cidr: 10.0.2.0/24, ipv6CIDR: '/64#2'}
    - {name: t, zone: us-test-1b, type: private, cidr: 10.0.3.0/24, ipv6CIDR: '/64#3', egress: tgw-1}
";
    let expected = [
        "subnet p Private /64#0",
        "subnet d DualStack 10.0.1.0/24 /64#1 internal-elb",
        "subnet u Utility 10.0.2.0/24 /64#2 elb",
        "subnet t Private 10.0.3.0/24 /64#3 internal-elb",
        "nat a in u with new",
        "table public: u",
        "  0.0.0.0/0 → internet(new)",
        "  ::/0 → internet(new)",
        "table private-a: p d",
        "  0.0.0.0/0 → nat(a)",
        "  64:ff9b::/96 → nat(a)",
        "  ::/0 → egress-only(new)",
        "table private-b: t",
        "  0.0.0.0/0 → tgw-1",
        "  ::/0 → tgw-1",
    ];
    assert_eq!(lines(spec), expected);
    assert!(planned(spec).egress_only_gateway);
    assert!(
        !planned(
            &spec
                .replace("ipv6CIDR: '/64#1'}", "ipv6CIDR: '/64#1', egress: External}")
                .replace("'/64#0'}", "'/64#0', egress: External}")
        )
        .egress_only_gateway
    );
}

/// As kops has it: IPv6-only pods in public subnets reach IPv4 through a NAT gateway in the public subnet itself.
#[test]
fn ipv6_public() {
    let spec = |nat: &str| format!("spec: {{aws: {{REGION, zones: [us-test-1a], ipv6: true, natGateways: {nat}}}}}");
    let public = "subnet a Public 172.20.32.0/19 /64#20 elb internal-elb";
    let expected = [
        public,
        "nat a in a with new",
        "table public-a: a",
        "  0.0.0.0/0 → internet(new)",
        "  ::/0 → internet(new)",
        "  64:ff9b::/96 → nat(a)",
    ];
    assert_eq!(lines(&spec("perZone")), expected);
    assert_eq!(lines(&spec("none")), [public, "table public: a", "  0.0.0.0/0 → internet(new)", "  ::/0 → internet(new)"]);
}

#[test]
fn existing_vpc_and_subnets() {
    let spec = |rest: &str| format!("spec: {{aws: {{REGION, zones: [us-test-1a], cidr: 172.20.0.0/16, vpcID: vpc-1{rest}}}}}");
    let public = "subnet a Public 172.20.32.0/19 elb internal-elb";
    let parameter = [public, "table public: a", "  0.0.0.0/0 → internet(parameter)"];
    assert_eq!(lines(&spec("")), parameter);
    assert_eq!(lines(&spec(", internetGatewayID: igw-1"))[2], "  0.0.0.0/0 → internet(igw-1)");
    let shared = ", subnets: [{name: p, zone: us-test-1a, type: private, id: subnet-1}]";
    assert_eq!(lines(&spec(shared)), ["subnet p Private subnet-1"]);
    assert_eq!(planned(&spec(shared)).internet_gateway, None);
}
