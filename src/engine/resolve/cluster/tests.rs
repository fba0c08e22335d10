use super::*;
use model::declare::decode;
use testing::Project;

const AWS: &str = "  aws: {region: us-test-1, zones: [us-test-1a]}\n";
const STATIC: &str = "  static: {cidr: 10.0.0.0/24}\n";
/// The lines before `spec.networking` in every test, so that a line below is line 8 of the file.
const HEAD: &str = "  network: vpc\n  kubernetesVersion: \"1.33\"\n  networking: {overlay: {}}\n";

fn report(spec: &str, network: &str) -> String {
    let mut project = Project::default();
    let (cluster, network) = (project.cluster(spec), project.network(network));
    let mut findings = Vec::new();
    validate(&cluster, &network, &mut findings);
    project.report(&findings)
}

#[test]
fn defaults_are_valid() {
    assert_eq!(report(HEAD, AWS), "");
    assert_eq!(report(HEAD, STATIC), "");
}

#[test]
fn kubernetes_before_1_16_is_refused() {
    let text = "apiVersion: netloom.dev/v1alpha1\nkind: Cluster\nmetadata: {name: a}\nspec:\n  network: vpc\n  \
                kubernetesVersion: \"1.15\"\n  networking: {overlay: {}}\n";
    let mut project = Project::default();
    let file = project.sources.add("cluster.yaml", text);
    let mut findings = Vec::new();
    let node = yaml::read(text, file, &mut findings).remove(0);
    assert!(decode::<Cluster>(node, &mut findings).is_none());
    assert_eq!(
        project.report(&findings),
        "error[kubernetes-version] cluster.yaml:6:22: `spec.kubernetesVersion`: Kubernetes 1.15 is older than 1.16\n"
    );
}

#[test]
fn a_cluster_has_one_network_provider() {
    let two = "  network: vpc\n  kubernetesVersion: \"1.33\"\n  networking:\n    mynet1: {}\n    mynet: {}\n";
    assert_eq!(
        report(two, AWS),
        "error[provider-choice] cluster.yaml:9:5: `networking` names 2 network providers: `mynet1`, `mynet` \
         | cluster.yaml:8:5: and here\n"
    );
    let none = "  network: vpc\n  kubernetesVersion: \"1.33\"\n  networking: {}\n";
    assert_eq!(report(none, AWS), "error[provider-choice] cluster.yaml:7:15: `networking` names no network provider\n");
}

#[test]
fn pods_and_old_services_lie_inside_what_is_not_masqueraded() {
    let outside = format!("{HEAD}  podCIDR: 10.32.0.0/12\n  serviceCIDR: 10.96.0.0/12\n");
    let pods = "error[cidr-outside] cluster.yaml:8:12: podCIDR 10.32.0.0/12 is not inside nonMasqueradeCIDR 100.64.0.0/10\n";
    assert_eq!(report(&outside, AWS), pods);
    let old = outside.replace("1.33", "1.27");
    let services =
        "error[cidr-outside] cluster.yaml:9:16: serviceCIDR 10.96.0.0/12 is not inside nonMasqueradeCIDR 100.64.0.0/10\n";
    assert_eq!(report(&old, AWS), format!("{pods}{services}"));
    assert_eq!(report(&old.replace("1.27", "1.28"), AWS), pods);

    // Outside AWS the range means something only where it is written.
    assert_eq!(report(&outside, STATIC), "");
    assert_eq!(
        report(&format!("{outside}  nonMasqueradeCIDR: 10.96.0.0/11\n"), STATIC),
        "error[cidr-outside] cluster.yaml:8:12: podCIDR 10.32.0.0/12 is not inside nonMasqueradeCIDR 10.96.0.0/11 \
         | cluster.yaml:10:22: nonMasqueradeCIDR is 10.96.0.0/11\n"
    );
}

#[test]
fn pods_and_services_keep_apart_whichever_holds_the_other() {
    for (pods, services) in [("10.0.0.0/8", "10.96.0.0/12"), ("10.96.0.0/16", "10.96.0.0/12")] {
        let spec = format!("{HEAD}  podCIDR: {pods}\n  serviceCIDR: {services}\n");
        assert_eq!(
            report(&spec, STATIC.replace("10.0.0.0/24", "192.168.0.0/24").as_str()),
            format!(
                "error[cidr-overlap] cluster.yaml:8:12: podCIDR {pods} overlaps serviceCIDR {services} \
                 | cluster.yaml:9:16: serviceCIDR is {services}\n"
            )
        );
    }
}

#[test]
fn services_keep_apart_from_subnets() {
    let subnets = "  aws:\n    region: us-test-1\n    cidr: 100.64.0.0/12\n    zones: [us-test-1a]\n    subnets:\n    \
                   - {name: a, zone: us-test-1a, type: public, cidr: 100.64.32.0/19}\n";
    assert_eq!(
        report(HEAD, subnets),
        "error[cidr-overlap] cluster.yaml:5:3: serviceCIDR 100.64.0.0/13 overlaps the subnet `a` 100.64.32.0/19 \
         | network.yaml:10:55: the subnet `a` is 100.64.32.0/19\n"
    );
}

#[test]
fn services_keep_apart_from_derived_subnets() {
    let spec = format!("{HEAD}  serviceCIDR: 172.20.0.0/18\n");
    assert_eq!(
        report(&spec, AWS),
        "error[cidr-overlap] cluster.yaml:8:16: serviceCIDR 172.20.0.0/18 overlaps the subnet `us-test-1a` 172.20.32.0/19 \
         | network.yaml:5:8: the subnet `us-test-1a` is 172.20.32.0/19\n"
    );
    assert_eq!(report(&spec.replace("/18", "/19"), AWS), "");
}

#[test]
fn nothing_overlaps_link_local_addresses() {
    let spec = format!("{HEAD}  podCIDR: 169.254.0.0/17\n  serviceCIDR: 10.96.0.0/12\n");
    assert_eq!(
        report(&spec, "  static: {cidr: 169.254.128.0/17}\n"),
        "error[cidr-overlap] cluster.yaml:8:12: podCIDR 169.254.0.0/17 overlaps the link-local range 169.254.0.0/16\n\
         error[cidr-overlap] network.yaml:5:18: the network's range 169.254.128.0/17 overlaps the link-local range 169.254.0.0/16\n"
    );
}

#[test]
fn the_dns_address_is_a_host_of_the_service_range() {
    for (address, why) in [
        ("10.97.0.10", "is not in serviceCIDR 10.96.0.0/24"),
        ("fd00::a", "is not in serviceCIDR 10.96.0.0/24"),
        ("10.96.0.0", "is the first of serviceCIDR 10.96.0.0/24, which names the network"),
        ("10.96.0.1", "is the second of serviceCIDR, which the service `kubernetes` has"),
        ("10.96.0.255", "is the last of serviceCIDR 10.96.0.0/24, which no service gets"),
    ] {
        let spec = format!("{HEAD}  serviceCIDR: 10.96.0.0/24\n  dns: {{serviceIP: \"{address}\"}}\n");
        let expected = format!("error[dns-address] cluster.yaml:9:20: the DNS address {address} {why}\n");
        assert_eq!(report(&spec, STATIC), expected);
    }
    assert_eq!(report(&format!("{HEAD}  serviceCIDR: 10.96.0.0/24\n  dns: {{serviceIP: 10.96.0.2}}\n"), STATIC), "");
    assert_eq!(
        report(&format!("{HEAD}  serviceCIDR: 10.96.0.0/29\n"), STATIC),
        "error[dns-address] cluster.yaml:8:16: serviceCIDR 10.96.0.0/29 has no tenth address for the DNS service\n"
    );
}

#[test]
fn access_lists_hold_ranges_and_prefix_lists() {
    let spec = format!("{HEAD}  access:\n    api: [10.0.0.1/8, pl-63a5400a]\n    ssh:\n    - office\n    nodePorts: [pl-]\n");
    assert_eq!(
        report(&spec, AWS),
        "error[access-invalid] cluster.yaml:9:11: `access.api`: `10.0.0.1/8` has host bits set\n\
         error[access-invalid] cluster.yaml:11:7: `access.ssh`: `office` is no address range such as `10.0.0.0/16`\n\
         error[access-invalid] cluster.yaml:12:17: `access.nodePorts`: `pl-` is no address range such as `10.0.0.0/16`\n"
    );
    assert_eq!(
        report(&format!("{HEAD}  access: {{api: [pl-63a5400a]}}\n"), STATIC),
        "error[access-invalid] cluster.yaml:8:18: `access.api`: `pl-63a5400a` is a prefix list, which only AWS has\n"
    );
}

#[test]
fn access_for_everyone_is_worth_a_warning() {
    let spec = format!("{HEAD}  access:\n    api: [0.0.0.0/0]\n    ssh: [\"::/0\"]\n    nodePorts: [0.0.0.0/0]\n");
    assert_eq!(
        report(&spec, AWS),
        "warning[access-open] cluster.yaml:9:11: the API server is open to the whole internet (0.0.0.0/0)\n\
         warning[access-open] cluster.yaml:10:11: SSH on every machine is open to the whole internet (::/0)\n"
    );
}

#[test]
fn flows_and_etcd_ports_have_the_forms_of_their_protocol() {
    let flow = |name: &str, rest: &str| format!("  - {{name: {name}, from: nodes, to: nodes, because: test, {rest}}}\n");
    let spec = format!(
        "{HEAD}  controlPlane: {{etcdPorts: [\"2379-2380\", \"4001-\"]}}\n  flows:\n{}{}{}{}",
        flow("a", "protocol: tcp, ports: \"0\""),
        flow("b", "protocol: \"50\", ports: \"1\""),
        flow("c", "protocol: sctp"),
        flow("d", "protocol: udp, ports: \"53\"")
    );
    assert_eq!(
        report(&spec, AWS),
        "error[flow-invalid] cluster.yaml:8:43: `etcdPorts`: `4001-` is neither a port from 1 to 65535 nor a range such as `9000-9100`\n\
         error[flow-invalid] cluster.yaml:10:76: the flow `a`: `0` is neither a port from 1 to 65535 nor a range such as `9000-9100`\n\
         error[flow-invalid] cluster.yaml:11:77: the flow `b`: `50` has no ports; tcp and udp have\n\
         error[flow-invalid] cluster.yaml:12:64: the flow `c`: `sctp` is none of tcp, udp, icmp and the IP protocol numbers 0 to 255\n"
    );
}
