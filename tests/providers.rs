//! Every network provider of the stock overlays: what README says of it, and what becomes of it on every kind of cluster.
//!
//! `NETLOOM_BLESS=1` rewrites README's table and `tests/providers/matrix.txt`.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test that cannot lay out its projects has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use netloom::declare::{Facts, Feature, LifecycleStatus, ProxyNeed};
use netloom::diagnostic::{Diagnostic, Severity};
use netloom::overlay::context::{self, Variables};
use netloom::overlay::library::{self, Library, Overlay};
use netloom::overlay::render::Instance;
use netloom::tree::{self, Sources};
use netloom::{Compilation, Request, compile, load, plan, resolve};

/// The comments between which README's table stands.
const TABLE: (&str, &str) = ("<!-- providers: generated from the overlays' facts -->\n", "<!-- providers end -->\n");

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Compares a text with what it should be, or rewrites it.
fn same(name: &str, found: &str, expected: &str) {
    if found != expected {
        if std::env::var_os("NETLOOM_BLESS").is_some() {
            return fs::write(path(name), expected).unwrap();
        }
        let diff = similar::TextDiff::from_lines(found, expected).unified_diff().header(name, "what it should be").to_string();
        panic!("{diff}");
    }
}

/// The stock overlays that are network providers, by the key that selects them.
fn providers(library: &Library) -> BTreeMap<&str, &Overlay> {
    let cni = library.iter().filter(|overlay| overlay.spec().slot.as_deref() == Some("cni"));
    cni.filter_map(|overlay| Some((overlay.spec().selected_by.as_deref()?.strip_prefix("networking.")?, overlay))).collect()
}

/// The library of stock overlays.
fn stock() -> Library {
    let mut sources = Sources::default();
    library::embed(&mut sources);
    let mut findings = Vec::new();
    let library = Library::read(&Arc::new(sources), "none", &mut findings);
    assert_eq!(findings, []);
    library
}

/// A project in a folder of its own, gone afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("netloom-providers-{}-{name}", std::process::id()));
        fs::create_dir_all(root.join("declarations")).unwrap();
        let scratch = Self(root);
        scratch.write("netloom.yaml", "apiVersion: netloom.dev/v1alpha1\nkind: Project\nmetadata: {name: p}\n");
        scratch
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

fn network(name: &str, topology: &str, zones: usize) -> String {
    let zones = ["us-west-2a", "us-west-2b", "us-west-2c"].get(..zones).unwrap().join(", ");
    let aws = format!("aws: {{region: us-west-2, zones: [{zones}], topology: {topology}}}");
    format!("apiVersion: netloom.dev/v1alpha1\nkind: Network\nmetadata: {{name: {name}}}\nspec: {{{aws}}}\n")
}

/// A cluster whose `networking` is this block.
fn cluster(name: &str, network: &str, version: &str, networking: &str, rest: &str) -> String {
    format!(
        "apiVersion: netloom.dev/v1alpha1\nkind: Cluster\nmetadata: {{name: {name}}}\nspec:\n  network: {network}\n  \
         kubernetesVersion: \"{version}\"\n  nodes: {{max: 20, kernel: \"6.1\", instanceTypes: [m7i.large]}}\n  \
         networking: {networking}\n{rest}"
    )
}

fn nothing_chosen(provider: &str) -> String {
    format!("{{{provider}: {{}}}}")
}

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
    let jsonnet = netloom::overlay::jsonnet::Jsonnet::new(Path::new(""), Arc::clone(&sources));
    let mut documents = resolve::Documents::read(&sources, "declarations", &jsonnet, &mut findings);
    let layered = resolve::layered(&mut documents, &project, &library, &mut findings);
    let networks = resolve::networks(&mut documents, &mut findings);
    let clusters = resolve::clusters(&documents, layered, &project, &library, &networks, &mut findings);
    let compiled = library.compile(&clusters, &mut findings);
    let mut all = BTreeMap::new();
    for effective in &clusters {
        let name = &effective.cluster.value.metadata.name;
        let planned = plan::network::plan(effective.network);
        let dns = plan::cluster::dns_ip(&effective.cluster.value);
        let network = context::network(&planned, &effective.network.value.metadata.labels);
        let base = Variables::new(context::cluster(&effective.cluster, dns), network, &sources);
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

/// Rules of the core that may refuse a cell: the provider does not go with this cluster. Any other error of the core is a mistake
/// of the overlay.
const REFUSALS: [&str; 5] = ["architecture", "kube-proxy", "node-routes", "overlay-kubernetes", "pod-ipv6"];
/// Every version that there are schemas of; for further variants of a provider the oldest, the newest and one between them.
const MINORS: [&[u32]; 2] = [&[25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37], &[25, 31, 37]];

/// The clusters of one provider, as lines of a table: topology, zones, kube-proxy, NodeLocal DNSCache, Kubernetes.
fn cells(minors: &[u32]) -> Vec<[String; 5]> {
    let mut cells = Vec::new();
    for topology in ["public", "private"] {
        for zones in ["1", "3"] {
            for proxy in ["iptables", "ipvs", "disabled"] {
                for cache in ["on", "off"] {
                    let cell = |minor: &u32| [topology, zones, proxy, cache, &minor.to_string()].map(ToOwned::to_owned);
                    cells.extend(minors.iter().map(cell));
                }
            }
        }
    }
    cells
}

/// The clusters of the example project: name, provider, and `networking` as text.
fn variants() -> Vec<(String, String, String)> {
    let folder = path("examples/providers/declarations");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut variants = Vec::new();
    for file in files {
        let documents = tree::yaml::read(&fs::read_to_string(&file).unwrap(), Sources::default().add("", ""), &mut Vec::new());
        for document in documents.iter().filter(|document| document.str_at("kind") == Some("Cluster")) {
            let name = document.at(&tree::Path::dotted("metadata.name")).and_then(tree::Node::as_str).unwrap();
            let networking = document.at(&tree::Path::dotted("spec.networking")).unwrap();
            let provider = networking.as_map().unwrap().keys().next().unwrap();
            variants.push((name.to_owned(), provider.to_owned(), networking.to_json().to_string()));
        }
    }
    variants
}

/// Lays the files of the example project's overlays out.
fn example_files(scratch: &Scratch) {
    let folder = path("examples/providers/overlays");
    for entry in walkdir::WalkDir::new(&folder).into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file()) {
        let to = scratch.0.join("overlays").join(entry.path().strip_prefix(&folder).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(entry.path(), to).unwrap();
    }
}

/// Compiles the cells of a provider with this `networking`.
fn matrix(name: &str, networking: &str, overlay: &Overlay, cells: &[[String; 5]]) -> Compilation {
    let scratch = Scratch::new(name);
    example_files(&scratch);
    // A cluster with routes to nodes has its network for itself.
    let own = overlay.declared.node.at(&tree::Path::dotted("spec.facts.nodeRoutes")).is_some();
    let mut networks: BTreeMap<String, String> = BTreeMap::new();
    for (at, [topology, zones, proxy, cache, minor]) in cells.iter().enumerate() {
        let name = if own { format!("net-{at}") } else { format!("{topology}-{zones}") };
        let rest = format!("  kubeProxy: {{mode: {proxy}}}\n  dns: {{nodeLocalCache: {{enabled: {}}}}}\n", cache == "on");
        let rest = format!("{rest}  controlPlane: {{apiHost: api.example.com}}\n");
        let text = cluster(&format!("cell-{at}"), &name, &format!("1.{minor}"), networking, &rest);
        scratch.write(&format!("declarations/cell-{at}.yaml"), &text);
        networks.entry(name.clone()).or_insert_with(|| network(&name, topology, zones.parse().unwrap()));
    }
    scratch.write("declarations/networks.yaml", &networks.into_values().collect::<Vec<_>>().join("---\n"));
    compile(&Request { root: scratch.0.clone(), clusters: Vec::new(), worker: PathBuf::new() }, &|_, _| {})
}

/// The cells that a finding is about.
fn about(finding: &Diagnostic, sources: &Sources) -> Vec<usize> {
    let spans = std::iter::once(finding.span).chain(finding.labels.iter().map(|label| label.span));
    let files = spans.filter_map(|span| sources.get(span.file)).map(|source| source.path.to_string());
    files.filter_map(|path| path.strip_prefix("declarations/cell-")?.strip_suffix(".yaml")?.parse().ok()).collect()
}

#[test]
fn every_provider_on_every_kind_of_cluster_is_valid_or_refused() {
    let library = stock();
    let mut text = "# What becomes of each provider with nothing chosen, and of each cluster's provider in examples/providers, on AWS: public and\n\
                    # private subnets, one and three zones, kube-proxy in its modes and without, NodeLocal DNSCache on and off, Kubernetes\n\
                    # 1.25 to 1.37 (for examples three versions of them). Codes of errors, or `valid`; and how often.\n"
        .to_owned();
    let [all, some] = MINORS.map(cells);
    let providers = providers(&library);
    let plain = providers.keys().map(|key| ((*key).to_owned(), (*key).to_owned(), nothing_chosen(key), &all));
    let variants = variants().into_iter().map(|(name, key, networking)| (format!("example {name}"), key, networking, &some));
    for (provider, key, networking, cells) in plain.chain(variants) {
        let overlay = providers.get(&*key).unwrap();
        let compilation = matrix(&provider.replace(' ', "-"), &networking, overlay, cells);
        let own: BTreeSet<&str> = overlay.codes().collect();
        let mut errors: Vec<BTreeSet<&str>> = vec![BTreeSet::new(); cells.len()];
        for finding in compilation.findings.iter().filter(|finding| finding.severity == Severity::Error) {
            let code: &str = &finding.code;
            let expected = REFUSALS.contains(&code) || own.contains(code);
            assert!(expected, "{provider}: {finding:?}");
            let about = about(finding, &compilation.sources);
            assert!(!about.is_empty(), "{provider}: {finding:?}");
            about.into_iter().for_each(|at| _ = errors[at].insert(code));
        }
        // A cluster without errors was rendered, and its objects fit the schemas: check::objects would have said so.
        let rendered: BTreeSet<&str> =
            compilation.units.iter().filter_map(|unit| unit.folder.strip_prefix("clusters/")).collect();
        for (at, _) in errors.iter().enumerate().filter(|(_, errors)| errors.is_empty()) {
            assert!(rendered.contains(&*format!("cell-{at}")), "{provider}: {:?} is neither rendered nor refused", cells[at]);
        }
        let mut outcomes: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, errors) in errors.iter().enumerate() {
            let outcome =
                if errors.is_empty() { "valid".to_owned() } else { errors.iter().copied().collect::<Vec<_>>().join(" ") };
            outcomes.entry(outcome).or_default().push(at);
        }
        _ = writeln!(text, "\n{provider}");
        for (outcome, at) in outcomes {
            _ = writeln!(text, "  {outcome}: {}{}", at.len(), common(cells, &at));
        }
    }
    let name = "tests/providers/matrix.txt";
    same(name, &fs::read_to_string(path(name)).unwrap_or_default(), &text);
}

/// What some cells have in common that not all of them have.
fn common(cells: &[[String; 5]], some: &[usize]) -> String {
    let names = ["topology", "zones", "kube-proxy", "cache", "Kubernetes 1."];
    let mut parts = Vec::new();
    for (field, name) in names.iter().enumerate() {
        let all: BTreeSet<&String> = cells.iter().map(|cell| &cell[field]).collect();
        let here: BTreeSet<&String> = some.iter().map(|at| &cells[*at][field]).collect();
        if here.len() < all.len() {
            let values: Vec<&str> = here.into_iter().map(String::as_str).collect();
            let gap = if name.ends_with('.') { "" } else { " " };
            parts.push(format!("{name}{gap}{}", values.join(" or ")));
        }
    }
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}
