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
use serde_json::{Value as Json, json};

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
    let networks = resolve::networks(&mut documents, &mut findings);
    let clusters = resolve::clusters(&documents, &project, &library, &networks, &mut findings);
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

/// Values to try for an option, by its schema.
fn candidates(schema: &Json) -> Vec<Json> {
    let default = schema.get("default");
    let text = |word: &str| schema.get(word).and_then(Json::as_str);
    let types: Vec<&str> = match schema.get("type") {
        Some(Json::String(one)) => vec![one],
        Some(Json::Array(several)) => several.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    };
    let mut values: Vec<Json> = schema.get("enum").and_then(Json::as_array).cloned().unwrap_or_default();
    values.extend(schema.get("examples").and_then(Json::as_array).cloned().unwrap_or_default());
    for kind in types {
        match kind {
            "boolean" => values.extend([json!(true), json!(false)]),
            "integer" | "number" => {
                let number = |word: &str| schema.get(word).and_then(Json::as_i64);
                let near = default.and_then(Json::as_i64).map(|default| [default + 1, default - 1]);
                let low = number("minimum").unwrap_or(1);
                let tried = near.into_iter().flatten().chain([low, low + 1, low + 7, 1400]);
                let fits = |n: &i64| *n >= low && number("maximum").is_none_or(|high| *n <= high);
                values.extend(tried.filter(fits).map(Json::from));
            }
            "string" => values.extend(match text("format") {
                Some("ip") => vec![json!("192.0.2.7")],
                Some("cidr") => vec![json!("192.0.2.0/24")],
                _ => ["x", "300m", "64Mi", "info", "v9.9.9", "10s", "eth1", "mirror.example/image:1"].map(Json::from).to_vec(),
            }),
            "array" => {
                let items = schema.get("items").map(candidates).unwrap_or_default();
                values.extend(items.into_iter().map(|item| json!([item])));
                values.push(json!([]));
            }
            "object" => {
                let inner = schema.get("additionalProperties").map(candidates).unwrap_or_default();
                values.extend(inner.into_iter().map(|value| json!({"a": value})));
                values.extend([Json::Object(required(schema, "")), json!({"a": "b"}), json!({})]);
            }
            _ => {}
        }
    }
    values.retain(|value| Some(value) != default);
    values
}

/// An option: its path, the schemas of the mappings that it is in, from the outermost, and its own.
struct Tried<'s> {
    path: String,
    parents: Vec<&'s Json>,
    schema: &'s Json,
}

/// Every option below a schema of options that is no mapping of others.
fn options<'s>(schema: &'s Json, path: &str, parents: &[&'s Json], found: &mut Vec<Tried<'s>>) {
    for (name, option) in schema.get("properties").and_then(Json::as_object).into_iter().flatten() {
        let (path, parents) = (format!("{path}{name}"), [parents, &[schema]].concat());
        match option.get("properties").and_then(Json::as_object).is_some_and(|inner| !inner.is_empty()) {
            true => options(option, &format!("{path}."), &parents, found),
            false => found.push(Tried { path, parents, schema: option }),
        }
    }
}

/// What stands beside an option so that it counts, where switching on what it is in is not enough; and values, where no guess is one.
const BESIDE: &[(&str, &str, &str)] = &[
    (
        "amazonvpc.customNetworking.eniConfigs",
        "",
        "[[{name: us-west-2a, subnet: subnet-0a}], [{name: us-west-2b, subnet: subnet-0b}]]",
    ),
    (
        "amazonvpc.customNetworking.nodeLabel",
        "{customNetworking: {eniConfigs: [{name: us-west-2a, subnet: subnet-0a}]}}",
        "[example.com/a, example.com/b]",
    ),
    ("calico.bgpPeers", "", "[[{name: a, spec: {peerIP: 192.0.2.1, asNumber: 64512}}]]"),
    ("calico.ipPools", "", "[[{name: a, cidr: 100.96.0.0/12}]]"),
    ("calico.ipv4AutoDetectionMethod", "", "[interface=eth1]"),
    ("calico.ipv6AutoDetectionMethod", "", "[interface=eth1]"),
    ("calico.routeReflectors.clusterID", "", "[244.0.0.9]"),
    ("calico.typhaPrometheusMetricsEnabled", "{typhaReplicas: 3}", ""),
    ("calico.typhaPrometheusMetricsPort", "{typhaReplicas: 3, typhaPrometheusMetricsEnabled: true}", ""),
    ("canal.typhaPrometheusMetricsPort", "{typhaReplicas: 3, typhaPrometheusMetricsEnabled: true}", ""),
    ("cilium.agentPrometheusPort", "{enablePrometheusMetrics: true}", ""),
    ("cilium.encryptionKey.existingSecret.key", "{enableEncryption: true, encryptionType: ipsec}", ""),
    ("cilium.encryptionKey.existingSecret.name", "{enableEncryption: true, encryptionType: ipsec}", ""),
    ("cilium.encryptionKey.externalSecret.apiVersion", "{enableEncryption: true, encryptionType: ipsec}", ""),
    ("cilium.encryptionKey.externalSecret.property", "{enableEncryption: true, encryptionType: ipsec}", ""),
    ("cilium.encryptionKey.externalSecret.remoteKey", "{enableEncryption: true, encryptionType: ipsec}", ""),
    ("cilium.encryptionKey.externalSecret.store.kind", "{enableEncryption: true, encryptionType: ipsec}", ""),
    ("cilium.encryptionKey.externalSecret.store.name", "{enableEncryption: true, encryptionType: ipsec}", ""),
    (
        "cilium.encryptionKey.file",
        "{enableEncryption: true, encryptionType: ipsec}",
        "[overlays/sealed.yaml, overlays/clear.yaml]",
    ),
    ("cilium.encryptionKey.generate.image", "{enableEncryption: true, encryptionType: ipsec}", ""),
    ("cilium.encryptionKey.keys", "{enableEncryption: true, encryptionType: ipsec}", "[x]"),
    ("cilium.encryptionKey.value", "{enableEncryption: true, encryptionType: ipsec}", "[x]"),
    ("cilium.metrics", "", "[[+policy_change_total]]"),
    ("cni.iam", "", "[[{role: nodes, actions: ['ec2:DescribeTags'], because: it does}]]"),
    ("cni.manifests", "", "[[{path: overlays/sealed.yaml}]]"),
    (
        "cni.mtuAt",
        "{mtu: 1400, manifests: [{path: overlays/clear.yaml, blake3: PIN}]}",
        "[[{kind: ConfigMap, name: key, path: data.mut}]]",
    ),
    ("external.iam", "", "[[{role: nodes, actions: ['ec2:DescribeTags'], because: it does}]]"),
    ("kuberouter.runtimeEndpoint", "", "['unix:///run/containerd/containerd.sock']"),
    ("weave.encryption.key.file", "", "[overlays/sealed.yaml, overlays/clear.yaml]"),
    ("weave.encryption.key.password", "", "[x]"),
    ("weave.encryption.key.value", "", "[x]"),
    ("weave.encryption.password", "", "[x]"),
];

/// Options that name the default beside others that are not, and so change nothing.
const DEFAULTS: &[&str] = &["weave.encryption.key.generate"];

impl Tried<'_> {
    /// The blocks to compare: without the option and what it is in, without the option, and with each value.
    fn blocks(&self, provider: &str) -> Vec<Json> {
        let beside = BESIDE.iter().find(|(path, _, _)| *path == format!("{provider}.{}", self.path));
        let read = |text: &str| tree::yaml::read(text, Sources::default().add("", ""), &mut Vec::new()).remove(0).to_json();
        let mut values = match beside {
            Some((_, _, values)) if !values.is_empty() => read(values).as_array().cloned().unwrap(),
            _ => candidates(self.schema),
        };
        values.insert(0, Json::Null);
        let mut blocks: Vec<Json> = values.into_iter().map(|value| self.block(value)).collect();
        blocks.insert(0, json!({}));
        if let Some((_, base, _)) = beside.filter(|(_, base, _)| !base.is_empty()) {
            blocks.iter_mut().for_each(|block| merge(block, &read(base)));
        }
        blocks
    }

    /// A block with this value, none for null. What it is in is switched on and has what it requires.
    fn block(&self, value: Json) -> Json {
        let keys: Vec<&str> = self.path.split('.').collect();
        let levels = keys.iter().zip(&self.parents).rev();
        levels.fold(value, |inner, (key, parent)| {
            let mut map = required(parent, key);
            if !inner.is_null() {
                map.insert((*key).to_owned(), inner);
            }
            Json::Object(map)
        })
    }
}

/// What a mapping requires beside a key, and `enabled`.
fn required(schema: &Json, beside: &str) -> serde_json::Map<String, Json> {
    let mut map = serde_json::Map::new();
    let property = |name: &str| schema.get("properties").and_then(|all| all.get(name));
    for name in schema.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str) {
        if let Some(value) = property(name).filter(|_| name != beside).and_then(|schema| candidates(schema).into_iter().next()) {
            map.insert(name.to_owned(), value);
        }
    }
    let switch = property("enabled").is_some_and(|schema| schema.get("type").and_then(Json::as_str) == Some("boolean"));
    if switch && beside != "enabled" {
        map.insert("enabled".to_owned(), true.into());
    }
    map
}

fn merge(block: &mut Json, more: &Json) {
    match (block, more) {
        (Json::Object(block), Json::Object(more)) => {
            more.iter().for_each(|(key, value)| merge(block.entry(key.as_str()).or_insert(Json::Null), value));
        }
        (block, more) => *block = more.clone(),
    }
}

#[test]
fn every_option_changes_something() {
    let library = stock();
    let mut silent = Vec::new();
    for (provider, overlay) in providers(&library) {
        let Some(schema) = &overlay.options else { continue };
        let mut found = Vec::new();
        options(schema.root(), "", &[], &mut found);
        let blocks: Vec<(usize, Json)> = (0..)
            .zip(&found)
            .flat_map(|(at, option)| option.blocks(provider).into_iter().map(move |block| (at, block)))
            .collect();
        let outcomes = outcomes(provider, &blocks.iter().map(|(_, block)| block).collect::<Vec<_>>());
        for (at, option) in found.iter().enumerate() {
            let of_option: Vec<_> =
                blocks.iter().zip(&outcomes).filter(|((of, _), _)| *of == at).map(|(_, outcome)| outcome).collect();
            let [outside, without, with @ ..] = &of_option[..] else { unreachable!("two blocks without the option") };
            let with: BTreeSet<_> = with.iter().filter_map(|outcome| outcome.as_ref()).collect();
            let counts = match without {
                Some(without) => with.iter().any(|outcome| *outcome != without),
                // What it is in cannot be without it: its values have to differ, or the one value there is from nothing at all.
                None if with.len() == 1 => outside.as_ref() != with.first().copied(),
                None => with.len() > 1,
            };
            if !counts && !DEFAULTS.contains(&&*format!("{provider}.{}", option.path)) {
                silent.push(format!("{provider}.{}", option.path));
            }
        }
    }
    assert_eq!(silent, [""; 0], "options without effect, or without a line in BESIDE that shows it");
}

const SEALED: &str = "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: key, namespace: kube-system}\n\
                      spec: {encryptedData: {keys: AgA}}\n";
const CLEAR: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: key, namespace: kube-system}\ndata: {mtu: '1400'}\n";

/// What comes of each block on a cluster of its own: files, and findings. None where the schema of the options refuses it.
#[allow(clippy::type_complexity)]
fn outcomes(provider: &str, blocks: &[&Json]) -> Vec<Option<(Vec<(String, String)>, BTreeSet<String>)>> {
    let scratch = Scratch::new(&format!("options-{provider}"));
    scratch.write("declarations/network.yaml", &network("vpc", "public", 3));
    fs::create_dir_all(scratch.0.join("overlays")).unwrap();
    scratch.write("overlays/clear.yaml", CLEAR);
    scratch.write("overlays/sealed.yaml", SEALED);
    let name = |at: usize| format!("zq{at:04}q");
    for (at, block) in blocks.iter().enumerate() {
        let networking = json!({ provider: block }).to_string().replace("PIN", blake3::hash(CLEAR.as_bytes()).to_hex().as_str());
        scratch.write(&format!("declarations/cell-{at}.yaml"), &cluster(&name(at), "vpc", "1.33", &networking, ""));
    }
    let compilation = compile(&Request { root: scratch.0.clone(), clusters: Vec::new(), worker: PathBuf::new() }, &|_, _| {});
    let mut said: Vec<BTreeSet<String>> = vec![BTreeSet::new(); blocks.len()];
    for finding in &compilation.findings {
        let text = format!("{} {}", finding.code, finding.message);
        about(finding, &compilation.sources).into_iter().for_each(|at| _ = said[at].insert(text.clone()));
    }
    let units: BTreeMap<&str, _> = compilation.units.iter().map(|unit| (unit.folder.as_str(), &unit.artifacts)).collect();
    let outcome = |(at, said): (usize, BTreeSet<String>)| {
        let refused = said.iter().any(|text| text.starts_with("schema ") || text.starts_with("unknown-key "));
        let files = units.get(&*format!("clusters/{}", name(at))).into_iter().flat_map(|files| files.iter());
        let file = |file: &netloom::unit::Artifact| (file.path.replace(&name(at), ""), file.text.replace(&name(at), ""));
        (!refused).then(|| (files.map(file).collect(), said))
    };
    said.into_iter().enumerate().map(outcome).collect()
}
