//! Which way questions take, by the final objects.

use super::*;
use model::plan::{NetworkPlan, cluster};
use testing::Project;

const SERVICE: &str = "{apiVersion: v1, kind: Service, metadata: {name: kube-dns, namespace: kube-system}, spec: {clusterIP: 100.64.0.10, selector: {k8s-app: kube-dns}}}";

/// A ConfigMap with a Corefile, which has a line for each part.
fn config(name: &str, corefile: &str) -> String {
    let lines: String = corefile.split('/').map(|line| format!("    {}\n", line.replace('|', "/"))).collect();
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: kube-system}}\ndata:\n  Corefile: |\n{lines}")
}

/// A workload that mounts the ConfigMap of its name.
fn workload(kind: &str, name: &str, label: &str, more: &str) -> String {
    format!(
        "{{apiVersion: apps/v1, kind: {kind}, metadata: {{name: {name}, namespace: kube-system}}, spec: {{template: {{metadata: \
         {{labels: {{k8s-app: {label}}}}}, spec: {{{more}containers: [{{name: dns, args: [-localip, '169.254.20.10,100.64.0.10'], \
         ports: [{{containerPort: 53}}]}}], volumes: [{{name: c, configMap: {{name: {name}}}}}, \
         {{name: k, configMap: {{name: kube-dns}}}}]}}}}}}}}"
    )
}

fn cache(more: &str) -> String {
    workload("DaemonSet", "cache", "cache", more)
}

/// The way in a line.
fn way(facts: &str, objects: &[String]) -> String {
    let mut project = Project::default();
    let cluster = project.cluster(
        "  network: vpc\n  kubernetesVersion: \"1.33\"\n  networking: {overlay: {}}\n  dns: {nodeLocalCache: {enabled: true}}\n",
    );
    let facts = [project.facts(facts)];
    let network = NetworkPlan { name: "vpc".into(), mtu: 9001, cidrs: Vec::new(), aws: None };
    let plan = cluster::plan(&cluster, &network, &facts, &mut Vec::new());
    let nodes: Vec<Node> = objects.iter().enumerate().map(|(at, text)| project.node(&format!("{at}.yaml"), text)).collect();
    let object = |node: Node| Object::new(Identity::of(&node).unwrap_or_else(|| panic!("{node:?}")), "dns".into(), node);
    let objects: Vec<_> = nodes.into_iter().map(|node| Arc::new(object(node))).collect();
    let way = Way::new(&plan, facts.iter().map(|(facts, _)| facts), &objects);
    let forwards = |all: &[Forward]| {
        let all = all.iter().map(|one| format!(" {}={}{}", one.names, one.to.join("+"), if one.tcp { "/tcp" } else { "" }));
        all.collect::<String>()
    };
    let node = way.node.as_ref().map(|node| {
        format!(" > {} at {}:{}", node.object.as_deref().unwrap_or("?"), node.addresses.join("+"), forwards(&node.forwards))
    });
    let of_cluster = way.cluster.as_ref().map(|all| format!(" > cluster:{}", forwards(all)));
    format!("{}{}{}", way.asks, node.unwrap_or_default(), of_cluster.unwrap_or_default())
}

const LOCAL_ONLY: &str = "{kubeletDns: 169.254.20.10, nodeDNS: [169.254.20.10]}";
const BOTH: &str = "nodeDNS: [169.254.20.10, 100.64.0.10]";
const HOST: &str = "hostNetwork: true, ";

#[test]
fn a_cache_that_is_declared_and_not_made_is_not_on_the_way() {
    assert_eq!(way("{}", &[]), "100.64.0.10 > cluster:");
    assert_eq!(way(BOTH, &[]), "100.64.0.10 > cluster:", "the DNS service has its address anyway");
}

#[test]
fn a_cache_with_the_services_address_asks_the_servers_behind_it() {
    let corefile = "cluster.local {/bind 169.254.20.10 100.64.0.10/forward . __PILLAR__CLUSTER__DNS__ {/force_tcp/}/}/. {/bind __PILLAR__LOCAL__DNS__/forward . __PILLAR__UPSTREAM__SERVERS__/}";
    assert_eq!(
        way(BOTH, &[cache(HOST), config("cache", corefile)]),
        "100.64.0.10 > DaemonSet kube-system/cache at 169.254.20.10+100.64.0.10: cluster.local=cluster DNS/tcp \
         .=the servers of ConfigMap kube-dns, or else /etc/resolv.conf > cluster:"
    );
}

#[test]
fn a_cache_with_an_address_of_its_own_asks_the_service() {
    let corefile =
        |bind: &str| format!(". {{/bind {bind}/forward . 100.64.0.10:53/}}/b.test {{/bind {bind}/forward . 10.1.1.1/}}");
    let cached = |bind: &str, more: &str| way(LOCAL_ONLY, &[cache(more), config("cache", &corefile(bind))]);
    assert_eq!(
        cached("169.254.20.10", HOST),
        "169.254.20.10 > DaemonSet kube-system/cache at 169.254.20.10: .=cluster DNS b.test=10.1.1.1 > cluster:"
    );
    assert_eq!(cached("169.254.20.11", HOST), "169.254.20.10", "a patch has moved it away from where kubelets send pods");
    assert_eq!(cached("169.254.20.10", ""), "169.254.20.10", "a pod like others has another address");
}

#[test]
fn a_cache_that_asks_others_for_everything_leaves_the_service_out() {
    let corefile = ". {/bind 169.254.20.10/forward . 10.1.1.1/}";
    assert_eq!(
        way(LOCAL_ONLY, &[cache(HOST), config("cache", corefile)]),
        "169.254.20.10 > DaemonSet kube-system/cache at 169.254.20.10: .=10.1.1.1"
    );
    assert_eq!(way(LOCAL_ONLY, &[cache(HOST)]), "169.254.20.10 > DaemonSet kube-system/cache at 169.254.20.10:");
}

#[test]
fn pods_that_ask_the_service_pass_by_a_cache_that_does_not_have_its_address() {
    let corefile = ". {/bind 169.254.20.10/forward . 100.64.0.10/}";
    assert_eq!(way("{}", &[cache(HOST), config("cache", corefile)]), "100.64.0.10 > cluster:");
    assert_eq!(way("{}", &[cache(HOST), config("cache", ". {/forward . 100.64.0.10/}")]), "100.64.0.10 > cluster:");
}

#[test]
fn facts_alone_tell_of_dns_on_the_node_and_not_whom_it_asks() {
    assert_eq!(way(LOCAL_ONLY, &[]), "169.254.20.10 > ? at 169.254.20.10:");
    assert_eq!(way("kubeletDns: 169.254.20.10", &[]), "169.254.20.10");
}

#[test]
fn pods_that_are_caches_are_found_by_redirection() {
    let redirect = |label: &str| {
        format!(
            "{{apiVersion: x/v1, kind: Redirect, metadata: {{name: r, namespace: kube-system}}, spec: {{redirectFrontend: \
             {{serviceMatcher: {{serviceName: kube-dns, namespace: kube-system}}}}, redirectBackend: {{localEndpointSelector: \
             {{matchLabels: {{k8s-app: {label}}}}}}}}}}}"
        )
    };
    let corefile = ". {/bind 0.0.0.0/forward . __PILLAR__CLUSTER__DNS__/}";
    let redirected = |label: &str| way("{}", &[cache(""), config("cache", corefile), redirect(label)]);
    assert_eq!(redirected("cache"), "100.64.0.10 > DaemonSet kube-system/cache at : .=cluster DNS > cluster:");
    assert_eq!(redirected("other"), "100.64.0.10 > cluster:");
}

#[test]
fn the_clusters_dns_forwards_what_its_corefile_says() {
    let stubs =
        ".:53 {/kubernetes cluster.local/forward . |etc|resolv.conf/}/example.corp:53 {/forward . 10.1.1.1 {/force_tcp/}/}";
    let known = "100.64.0.10 > cluster: .=/etc/resolv.conf example.corp=10.1.1.1/tcp";
    assert_eq!(way("{}", &[config("coredns", stubs)]), known, "the one that installers mount");
    assert_eq!(way("{}", &[config("coredns", stubs), SERVICE.into()]), known);
    let pods = |kind: &str, label: &str| workload(kind, "names", label, "");
    assert_eq!(way("{}", &[config("names", stubs), pods("Deployment", "kube-dns")]), known, "whatever it is called");
    assert_eq!(way("{}", &[config("names", stubs), pods("DaemonSet", "kube-dns"), SERVICE.into()]), known);
    assert_eq!(way("{}", &[config("names", stubs), pods("Deployment", "other")]), "100.64.0.10 > cluster:");
    assert_eq!(way("{}", &[config("coredns", ".:53 {/kubernetes cluster.local/}")]), "100.64.0.10 > cluster:");
    let other = SERVICE.replace("k8s-app: kube-dns", "app: names");
    assert_eq!(way("{}", &[config("coredns", stubs), other]), "100.64.0.10 > cluster:", "the service leads to others");
}
