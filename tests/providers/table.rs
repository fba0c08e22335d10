//! What README says of every provider.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use netloom::engine::overlay::context::{self, Variables};
use netloom::engine::overlay::library::{self, Library};
use netloom::engine::overlay::render::Instance;
use netloom::engine::resolve;
use netloom::files::load;
use netloom::model::declare::{Facts, Feature, LifecycleStatus, ProxyNeed};
use netloom::model::plan;
use netloom::tree::Sources;

use super::{Scratch, cluster, network, nothing_chosen, path, providers, same, stock};

/// The comments between which README's table stands.
const TABLE: (&str, &str) = ("<!-- providers: generated from the overlays' facts -->\n", "<!-- providers end -->\n");

/// The facts of every provider with nothing chosen, on a cluster of the newest Kubernetes on AWS with this mode of kube-proxy.
fn facts(proxy: &str) -> BTreeMap<String, (Option<LifecycleStatus>, Facts)> {
    let scratch = Scratch::new(&format!("facts-{proxy}"));
    let proxy = format!("  kubeProxy: {{mode: {proxy}}}\n");
    scratch.write("declarations/network.yaml", &network("vpc", "public", 1));
    for provider in providers(&stock()).keys() {
        scratch.write(
            &format!("declarations/{provider}.yaml"),
            &cluster(provider, "vpc", "1.37", &nothing_chosen(provider), &proxy),
        );
    }
    let mut findings = Vec::new();
    let mut sources = Sources::default();
    let (root, project) = load::project(&scratch.0, &mut sources, &mut findings).unwrap();
    root.inputs(&project, &mut sources, &mut findings);
    library::embed(&mut sources);
    let sources = Arc::new(sources);
    let library = Library::read(&sources, "overlays", &mut findings);
    let jsonnet = netloom::engine::overlay::jsonnet::Jsonnet::new(Path::new(""), Arc::clone(&sources));
    let mut documents = resolve::Documents::read(&sources, "declarations", &jsonnet, &mut findings);
    let layered = resolve::layered(&mut documents, &project, &library, &mut findings);
    let networks = resolve::networks(&mut documents, &mut findings);
    let clusters = resolve::clusters(&documents, layered, &project, &library, &networks, &mut findings);
    let of_clusters: Vec<_> = clusters.iter().map(|one| one.overlays.as_slice()).collect();
    let compiled = library.compile(&of_clusters, &[], &mut findings);
    let mut all = BTreeMap::new();
    for effective in &clusters {
        let name = &effective.cluster.value.metadata.name;
        let planned = plan::network::plan(effective.network);
        let dns = plan::cluster::dns_ip(&effective.cluster.value);
        let network = context::network(&planned, &effective.network.value.metadata.labels);
        let base = Variables::new(Some(context::cluster(&effective.cluster, dns)), network, &sources, "overlays");
        let selected = effective.overlays.first().unwrap();
        let before = findings.len();
        let instance = Instance::new(selected, compiled.get(selected.overlay.name()).unwrap(), &base, name, &mut findings);
        let instance = instance.unwrap_or_else(|| panic!("{name}: {:?}", &findings[before..]));
        let status = selected.overlay.spec().lifecycle.as_ref().map(|lifecycle| lifecycle.status);
        all.insert(name.clone(), (status, instance.facts.clone()));
    }
    all
}

fn word(status: LifecycleStatus) -> &'static str {
    match status {
        LifecycleStatus::Active => "active",
        LifecycleStatus::Community => "community",
        LifecycleStatus::Legacy => "legacy",
        LifecycleStatus::Archived => "archived",
        LifecycleStatus::Experimental => "experimental",
    }
}

/// What of NetworkPolicy is enforced.
fn policies(facts: &Facts) -> String {
    let Some(policy) = &facts.network_policy else { return "as declared".to_owned() };
    let features = [
        ("ingress", &policy.ingress),
        ("egress", &policy.egress),
        ("`endPort`", &policy.end_port),
        ("named ports", &policy.named_ports),
    ];
    let enforced: Vec<&str> =
        features.iter().filter(|(_, feature)| matches!(feature, Feature::Enforced(true))).map(|(name, _)| *name).collect();
    // Without either direction the rest means nothing.
    let any = [&policy.ingress, &policy.egress].iter().any(|feature| matches!(feature, Feature::Enforced(true)));
    if any { enforced.join(", ") } else { "–".to_owned() }
}

/// `without` are the facts where kube-proxy is disabled.
fn row(name: &str, status: Option<LifecycleStatus>, facts: &Facts, without: &Facts) -> String {
    let proxy = match (facts.kube_proxy, without.kube_proxy) {
        (Some(ProxyNeed::Required), Some(ProxyNeed::Required)) => "required",
        (Some(ProxyNeed::Replaced), Some(ProxyNeed::Replaced)) => "replaced",
        _ => "with or without",
    };
    let mut architectures: Vec<String> = facts.architectures.iter().map(ToString::to_string).collect();
    architectures.sort_unstable();
    let architectures = if architectures.is_empty() { "any".to_owned() } else { architectures.join(", ") };
    let default = if facts.encrypted == Some(true) { " (on by default)" } else { "" };
    let encryption = if facts.encryption.is_empty() { "–".to_owned() } else { facts.encryption.join(", ") + default };
    let ipv6 = if facts.ipv6 == Some(true) { "yes" } else { "–" };
    let status = status.map_or("yours", word);
    let policies = policies(facts);
    format!("| `{name}` | {status} | {policies} | {proxy} | {encryption} | {ipv6} | {architectures} |\n")
}

#[test]
fn the_table_in_readme_says_what_the_facts_say() {
    let mut table = "\n| provider | lifecycle | NetworkPolicy | kube-proxy | encryption between nodes | IPv6 | architectures |\n\
                     |---|---|---|---|---|---|---|\n"
        .to_owned();
    let without = facts("disabled");
    for (name, (status, facts)) in facts("iptables") {
        table += &row(&name, status, &facts, &without[&name].1);
    }
    table.push('\n');
    let readme = fs::read_to_string(path("README.md")).unwrap();
    let (before, rest) = readme.split_once(TABLE.0).expect("README has the table's first comment");
    let (_, after) = rest.split_once(TABLE.1).expect("README has the table's last comment");
    same("README.md", &readme, &format!("{before}{}{table}{}{after}", TABLE.0, TABLE.1));
}
