//! Each rule: its code and the place it points at, `LINE:COLUMN`, with other places involved in brackets.

use super::validate;
use findings::Diagnostic;
use testing::network;
use tree::Sources;

fn found(spec: &str) -> (Sources, Vec<Diagnostic>) {
    let (sources, network) = network(spec);
    let mut findings = Vec::new();
    validate(&network, &mut findings);
    (sources, findings)
}

fn places(spec: &str) -> Vec<String> {
    let (sources, findings) = found(spec);
    let place = |span| sources.locate(span).replace("net.yaml:", "");
    let line = |finding: &Diagnostic| {
        let labels: String = finding.labels.iter().map(|label| format!(" ({})", place(label.span))).collect();
        format!("{} {}{labels}", finding.code, place(finding.span))
    };
    findings.iter().map(line).collect()
}

/// A private network of one zone with the subnets `subnets`, which begin in line 5.
fn subnets(subnets: &str) -> String {
    format!(
        "spec: {{aws: {{region: us-test-1, cidr: 10.0.0.0/16, zones: [us-test-1a],\n  topology: private, \n  ipv6: true,\n  subnets: [\n{subnets}\n]}}}}"
    )
}

const UTILITY: &str = "{name: u, zone: us-test-1a, type: utility, cidr: 10.0.0.0/24},";

#[test]
fn a_sound_network_has_no_findings() {
    assert_eq!(places("spec: {aws: {region: us-test-1, zones: [us-test-1a, us-test-1b], topology: private}}"), [""; 0]);
    assert_eq!(
        places("spec: {aws: {region: us-west-2, zones: [us-west-2d], ipv6: true, endpoints: {s3: true, ecr: true}}}"),
        [""; 0]
    );
    assert_eq!(places("spec: {static: {cidr: 192.168.0.0/16, additionalCIDRs: [10.0.0.0/8]}, mtu: 9216}"), [""; 0]);
}

#[test]
fn aws_or_static() {
    assert_eq!(places("spec: {mtu: 1500}"), ["network-form 1:7"]);
    let both = "spec:\n  aws: {region: us-test-1, zones: [us-test-1a]}\n  static: {cidr: 10.0.0.0/8}";
    assert_eq!(places(both), ["network-form 3:3 (2:3)"]);
}

#[test]
fn mtu() {
    assert_eq!(places("spec:\n  mtu: 9002\n  aws: {region: us-test-1, zones: [us-test-1a]}"), ["mtu-invalid 2:8"]);
}

#[test]
fn zones() {
    let zones = |zones: &str| places(&format!("spec:\n  aws:\n    region: us-west-2\n    zones: [{zones}]"));
    assert_eq!(zones(""), ["zone-count 4:12"]);
    assert_eq!(zones("us-west-2a, us-east-1a"), ["zone-region 4:25 (3:13)"]);
    assert_eq!(zones("us-west-2a, us-west-2a"), ["zone-count 4:25 (4:13)"]);
    assert_eq!(zones("us-west-2g"), ["zone-slot 4:13"]);
    assert_eq!(zones("us-west-2-lax-1a"), ["zone-slot 4:13"]);
    let seven = ["a", "b", "c", "d", "e", "f", "g"].map(|letter| format!("us-west-2{letter}")).join(", ");
    assert_eq!(zones(&seven), ["zone-count 4:12", "zone-slot 4:85"]);
}

#[test]
fn vpc_ranges() {
    let vpc = |rest: &str| places(&format!("spec:\n  aws:\n    region: us-test-1\n    zones: [us-test-1a]\n{rest}"));
    assert_eq!(vpc("    cidr: 10.0.0.0/8"), ["cidr-size 5:11"]);
    assert_eq!(vpc("    cidr: 'fd00::/16'"), ["address-invalid 5:11"]);
    let overlap = "    cidr: 10.0.0.0/16\n    additionalCIDRs: [10.1.0.0/16, 10.0.128.0/17, 10.1.0.0/24]";
    assert_eq!(vpc(overlap), ["cidr-overlap 6:36 (5:11)", "cidr-overlap 6:51 (6:23)"]);
    assert_eq!(vpc("    additionalCIDRs: [172.20.0.0/24]"), ["cidr-overlap 5:23 (3:5)"]);
    let premises = "spec:\n  static:\n    cidr: 10.0.0.0/8\n    additionalCIDRs: [10.9.0.0/16]";
    assert_eq!(places(premises), ["cidr-overlap 4:23 (3:11)"]);
}

#[test]
fn derived_subnets_need_room() {
    let vpc = |rest: &str| found(&format!("spec:\n  aws: {{region: us-test-1, zones: [us-test-1a], {rest}}}"));
    assert_eq!(vpc("cidr: 10.0.0.0/25").1, []);
    assert_eq!(vpc("cidr: 10.0.0.0/22, topology: private").1, []);
    let (sources, findings) = vpc("cidr: 10.0.0.0/23, topology: private");
    assert_eq!((findings[0].code.as_ref(), sources.locate(findings[0].span).as_str()), ("cidr-no-room", "net.yaml:2:55"));
    assert_eq!(
        findings[0].message,
        "`10.0.0.0/23` has no room: its utility subnets, an eighth of the VPC in eighths, would be /23 + 6 bits = /29; AWS's end at /28"
    );
    assert_eq!(findings[0].help[0], "give the VPC a /22 or larger, or write `subnets` out");
    assert_eq!(vpc("cidr: 10.0.0.0/26").1[0].help[0], "give the VPC a /25 or larger, or write `subnets` out");
}

#[test]
fn subnet_names_and_zones() {
    let two = "{name: a.b, zone: us-test-1a, type: public, cidr: 10.0.0.0/24},\n{name: a.b, zone: us-test-1b, type: public, cidr: 10.0.1.0/24}";
    let expected = ["subnet-name 5:8", "subnet-name 6:8", "subnet-duplicate 6:8 (5:8)", "subnet-zone 6:19 (1:59)"];
    assert_eq!(places(&subnets(two)), expected);
    let idle = "spec:\n  aws: {region: us-test-1, zones: [us-test-1a, us-test-1b], cidr: 10.0.0.0/16, subnets: [\n\
                {name: a, zone: us-test-1a, type: public, cidr: 10.0.0.0/24}]}";
    assert_eq!(places(idle), ["field-unused 2:48"]);
}

#[test]
fn subnet_ranges() {
    let private = "{name: p, zone: us-test-1a, type: private, cidr: 10.0.1.0/24},";
    assert_eq!(places(&subnets(&format!("{UTILITY}\n{private}"))), [""; 0]);
    let cases = [
        ("{name: p, zone: us-test-1a, type: private, cidr: 10.1.0.0/24}", "cidr-outside 6:50 (1:39)"),
        ("{name: p, zone: us-test-1a, type: private, cidr: 10.0.1.0/29}", "cidr-size 6:50"),
        ("{name: p, zone: us-test-1a, type: private, cidr: 10.0.0.0/20}", "cidr-overlap 6:50 (5:50)"),
        ("{name: p, zone: us-test-1a, type: private}", "subnet-cidr-missing 6:1"),
        ("{name: p, zone: us-test-1a, type: utility, ipv6CIDR: '/64#1'}", "subnet-cidr-missing 6:1"),
    ];
    for (subnet, expected) in cases {
        let found = places(&subnets(&format!("{UTILITY}\n{subnet}")));
        assert_eq!(found[0], expected, "{subnet}");
    }
}

#[test]
fn ipv6_ranges() {
    let private =
        |range: &str| places(&subnets(&format!("{UTILITY}\n{{name: p, zone: us-test-1a, type: private, ipv6CIDR: '{range}'}}")));
    assert_eq!(private("/64#ff"), [""; 0]);
    assert_eq!(private("/60#f"), [""; 0]);
    assert_eq!(private("2001:db8::/64"), [""; 0]);
    assert_eq!(private("/64#1F"), ["cidr-invalid 6:54"]);
    assert_eq!(private("/64#"), ["cidr-invalid 6:54"]);
    assert_eq!(private("/64#100"), ["cidr-outside 6:54"]);
    assert_eq!(private("/48#0"), ["cidr-no-room 6:54"]);
    assert_eq!(private("/62#1"), ["cidr-size 6:54"]);
    assert_eq!(private("10.0.0.0/24"), ["address-invalid 6:54"]);
    assert_eq!(private("2001:db8::1/64"), ["cidr-host-bits 6:54"]);
    let two = "{name: p, zone: us-test-1a, type: private, ipv6CIDR: '/60#1'},\n{name: q, zone: us-test-1a, type: private, ipv6CIDR: '/64#1a'}";
    assert_eq!(places(&subnets(&format!("{UTILITY}\n{two}"))), ["cidr-overlap 7:54 (6:54)"]);
}

#[test]
fn ipv6_wants_a_network_with_ipv6() {
    let spec = |subnet: &str, rest: &str| {
        places(&format!(
            "spec: {{aws: {{region: us-test-1, cidr: 10.0.0.0/16, zones: [us-test-1a], {rest}subnets: [\n{subnet}]}}}}"
        ))
    };
    let public = "{name: p, zone: us-test-1a, type: public, cidr: 10.0.1.0/24, ipv6CIDR: '/64#1'}";
    assert_eq!(spec(public, ""), ["ipv6-unsupported 2:72"]);
    let dual = "{name: u, zone: us-test-1a, type: utility, cidr: 10.0.0.0/24},\n{name: p, zone: us-test-1a, type: dualStack, cidr: 10.0.1.0/24}";
    assert_eq!(spec(dual, ""), ["subnet-type 3:35"]);
    assert_eq!(spec(dual, "ipv6: true, "), ["subnet-type 3:35"]);
    let existing = "vpcID: vpc-1, internetGatewayID: igw-1, ipv6: true, ";
    assert_eq!(spec(public, existing), ["ipv6-unsupported 2:72"]);
    assert_eq!(
        places(
            "spec: {aws: {region: us-test-1, zones: [us-test-1a], cidr: 10.0.0.0/16, vpcID: vpc-1, internetGatewayID: igw-1, ipv6: true}}"
        )[0],
        "ipv6-unsupported 1:119"
    );
}

#[test]
fn existing_subnets() {
    let spec = |rest: &str| {
        places(&format!("spec:\n  aws:\n    region: us-test-1\n    cidr: 10.0.0.0/16\n    zones: [us-test-1a]\n{rest}"))
    };
    let all = "    vpcID: vpc-1\n    subnets:\n    - {name: a, zone: us-test-1a, type: private, id: subnet-1}\n    - {name: b, zone: us-test-1a, type: utility, id: subnet-2}";
    assert_eq!(spec(all), [""; 0]);
    assert_eq!(spec(&all.replace(", id: subnet-2", ", cidr: 10.0.0.0/24"))[0], "subnet-mixed-ids 9:7 (8:54)");
    assert_eq!(spec(&all.replace("vpcID: vpc-1", "tagSubnets: true")), ["vpc-existing 8:54"]);
    assert_eq!(spec(&all.replace("id: subnet-1", "id: subnet-1, egress: nat-1")), ["egress-invalid 8:72"]);
    assert_eq!(spec(&all.replace("id: subnet-1", "id: subnet-1, egress: External")), [""; 0]);
    assert_eq!(
        places("spec:\n  aws:\n    region: us-test-1\n    zones: [us-test-1a]\n    vpcID: vpc-1\n    internetGatewayID: igw-1"),
        ["vpc-existing 5:12"]
    );
    let routes = "id: subnet-1, additionalRoutes: [{cidr: 192.168.0.0/16, target: tgw-1}]";
    assert_eq!(spec(&all.replace("id: subnet-1", routes)), ["route-invalid 8:64"]);
    assert_eq!(spec(&format!("    endpoints: {{s3: true, sts: true}}\n{all}")), ["endpoint-invalid 6:21"]);
    assert_eq!(spec(&format!("    natGateways: single\n{all}")), ["field-unused 6:5"]);
}

#[test]
fn egress_forms_and_places() {
    let private = |rest: &str| {
        places(&subnets(&format!("{UTILITY}\n{{name: p, zone: us-test-1a, type: private, cidr: 10.0.1.0/24, {rest}}}")))
    };
    for egress in ["nat-1", "eipalloc-0ab", "tgw-123456", "i-1", "External"] {
        assert_eq!(private(&format!("egress: {egress}")), [""; 0], "{egress}");
    }
    for egress in ["igw-1", "nat-", "nat", "external", "vgw-1", "NAT-1"] {
        assert_eq!(private(&format!("egress: {egress}")), ["egress-invalid 6:71"], "{egress}");
    }
    let public =
        |rest: &str| places(&subnets(&format!("\n{{name: p, zone: us-test-1a, type: public, cidr: 10.0.1.0/24, {rest}}}")));
    assert_eq!(public("egress: nat-1"), ["egress-invalid 6:70"]);
    assert_eq!(public("ipv6CIDR: '/64#1', egress: nat-1"), [""; 0]);
    assert_eq!(public("ipv6CIDR: '/64#1', egress: tgw-1"), ["egress-invalid 6:89"]);
    assert_eq!(private("publicIP: 192.0.2.1"), [""; 0]);
    assert_eq!(private("publicIP: 192.0.2"), ["address-invalid 6:73"]);
    assert_eq!(private("publicIP: '2001:db8::1'"), ["address-invalid 6:73"]);
    assert_eq!(private("publicIP: 192.0.2.1, egress: tgw-1"), ["egress-conflict 6:73"]);
    assert_eq!(public("publicIP: 192.0.2.1"), ["egress-conflict 6:72"]);
}

#[test]
fn egress_of_a_zone_agrees() {
    let two = |one: &str, other: &str| {
        let subnet =
            |name, third, rest| format!("{{name: {name}, zone: us-test-1a, type: private, cidr: 10.0.{third}.0/24{rest}}}");
        places(&subnets(&format!("{UTILITY}\n{},\n{}", subnet("p", 1, one), subnet("q", 2, other))))
    };
    assert_eq!(two(", egress: nat-1", ", egress: nat-1"), [""; 0]);
    assert_eq!(two(", egress: nat-1", ", egress: nat-2"), ["egress-conflict 7:71 (6:71)"]);
    assert_eq!(two("", ", egress: External"), ["egress-conflict 7:71 (6:1)"]);
    assert_eq!(two(", publicIP: 192.0.2.1", ", publicIP: 192.0.2.2"), ["egress-conflict 7:73 (6:73)"]);
    let public = "{name: p, zone: us-test-1a, type: public, cidr: 10.0.1.0/24, ipv6CIDR: '/64#1', egress: nat-1},\n\
                  {name: q, zone: us-test-1a, type: private, cidr: 10.0.2.0/24, egress: nat-2}";
    assert_eq!(places(&subnets(public)), ["egress-conflict 6:71 (5:89)"]);
}

#[test]
fn nat_gateways_stand_in_one_subnet() {
    let private = "{name: p, zone: us-test-1a, type: private, cidr: 10.0.1.0/24},";
    let second = "{name: v, zone: us-test-1a, type: utility, cidr: 10.0.2.0/24},";
    let public = "{name: q, zone: us-test-1a, type: public, cidr: 10.0.3.0/24},";
    assert_eq!(places(&subnets(private)), ["nat-subnet 5:1"]);
    assert_eq!(places(&subnets(&format!("{public}\n{private}"))), [""; 0]);
    assert_eq!(places(&subnets(&format!("{UTILITY}\n{private}{public}"))), [""; 0]);
    assert_eq!(places(&subnets(&format!("{UTILITY}{second}\n{private}"))), ["nat-subnet 6:1"]);
    let none = subnets(private).replace("topology: private", "natGateways: none");
    assert_eq!(places(&none), [""; 0]);
}

#[test]
fn a_single_nat_gateway_is_a_warning() {
    let spec = |zones: &str, rest: &str| places(&format!("spec:\n  aws:\n    region: us-test-1\n    zones: [{zones}]\n{rest}"));
    let single = "    topology: private\n    natGateways: single";
    assert_eq!(spec("us-test-1a, us-test-1b", single), ["single-nat-gateway 6:18"]);
    assert_eq!(spec("us-test-1a", single), [""; 0]);
    assert_eq!(spec("us-test-1a", "    natGateways: single"), ["field-unused 5:5"]);
    assert_eq!(spec("us-test-1a", "    natGateways: none"), [""; 0]);
    assert_eq!(spec("us-test-1a", "    natGateways: single\n    ipv6: true"), [""; 0]);
}

#[test]
fn additional_routes() {
    let routes = |kind: &str, routes: &str, rest: &str| {
        let subnet =
            format!("{{name: p, zone: us-test-1a, type: {kind}, cidr: 10.0.1.0/24, additionalRoutes: [\n{routes}]{rest}}}");
        places(&subnets(&format!("{UTILITY}\n{subnet}")))
    };
    let one = |cidr: &str, target: &str| routes("private", &format!("{{cidr: '{cidr}', target: {target}}}"), "");
    for target in ["pcx-1", "i-1", "nat-1", "tgw-1", "igw-1"] {
        assert_eq!(one("192.168.1.10/32", target), [""; 0], "{target}");
    }
    assert_eq!(one("2001:db8::/32", "eigw-1"), [""; 0]);
    assert_eq!(one("192.168.0.0/16", "vgw-1"), ["route-invalid 7:34"]);
    assert_eq!(one("192.168.0.0/16", "eigw-1"), ["route-invalid 7:34"]);
    assert_eq!(one("2001:db8::/32", "nat-1"), ["route-invalid 7:33"]);
    assert_eq!(one("10.0.7.0/24", "pcx-1"), ["route-invalid 7:8"]);
    assert_eq!(one("0.0.0.0/0", "tgw-1"), ["route-invalid 7:8"]);
    assert_eq!(one("::/0", "tgw-1"), [""; 0]);
    let twice = "{cidr: 192.168.0.0/16, target: tgw-1},\n{cidr: 192.168.0.0/16, target: tgw-1}";
    assert_eq!(routes("private", twice, ""), ["route-invalid 8:8 (7:8)"]);
    let route = "{cidr: 192.168.0.0/16, target: tgw-1}";
    assert_eq!(routes("public", route, ""), ["route-invalid 6:62"]);
    assert_eq!(routes("private", route, ", egress: External"), ["route-invalid 6:63"]);
    let beside = |target: &str| {
        let second = format!(
            "}},\n{{name: q, zone: us-test-1a, type: private, cidr: 10.0.2.0/24, additionalRoutes: [{{cidr: 192.168.0.0/16, target: {target}}}]"
        );
        routes("private", route, &second)
    };
    assert_eq!(beside("tgw-1"), [""; 0]);
    assert_eq!(beside("tgw-2"), ["route-invalid 8:89 (7:8)"]);
}

#[test]
fn internet_gateways_of_existing_vpcs() {
    let spec = |rest: &str| {
        places(&format!("spec:\n  aws:\n    region: us-test-1\n    zones: [us-test-1a]\n    cidr: 10.0.0.0/16\n{rest}"))
    };
    assert_eq!(spec("    vpcID: vpc-1"), ["internet-gateway-unknown 6:12"]);
    assert_eq!(spec("    vpcID: vpc-1\n    internetGatewayID: igw-1"), [""; 0]);
    assert_eq!(spec("    internetGatewayID: igw-1"), ["field-unused 6:5"]);
    let private = "    vpcID: vpc-1\n    internetGatewayID: igw-1\n    subnets: [{name: p, zone: us-test-1a, type: private, cidr: 10.0.0.0/24, egress: tgw-1}]";
    assert_eq!(spec(private), ["field-unused 7:5"]);
}

#[test]
fn tags() {
    let tag =
        |tag: &str| places(&format!("spec:\n  aws:\n    region: us-test-1\n    zones: [us-test-1a]\n    tags:\n      {tag}"));
    assert_eq!(tag("env: prod"), [""; 0]);
    for key in ["aws:x", "AWS:x", "Name", "kubernetes.io/role/elb", "''"] {
        assert_eq!(tag(&format!("{key}: a")), ["tag-invalid 6:7"], "{key}");
    }
    assert_eq!(tag(&format!("env: {}", "v".repeat(257))), ["tag-invalid 6:7"]);
    let many = |count: usize| (0..count).map(|at| format!("t{at}: v\n      ")).collect::<String>();
    assert_eq!(tag(&many(47)), [""; 0]);
    assert_eq!(tag(&many(48)), ["tag-invalid 5:5"]);
}

#[test]
fn lists_end() {
    let zones = "us-test-1a, ".repeat(1001);
    assert_eq!(places(&format!("spec: {{aws: {{region: us-test-1, zones: [{zones}]}}}}")), ["limit 1:33"]);
    let route = "{cidr: 192.168.0.0/16, target: tgw-1}, ".repeat(1001);
    let subnet = format!("{{name: p, zone: us-test-1a, type: private, cidr: 10.0.1.0/24, additionalRoutes: [{route}]}}");
    assert_eq!(places(&subnets(&subnet)), ["limit 4:3"]);
}
