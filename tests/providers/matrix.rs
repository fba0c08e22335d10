//! What becomes of every provider on every kind of cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use netloom::engine::overlay::library::Overlay;
use netloom::findings::{Diagnostic, Severity};
use netloom::tree::Sources;
use netloom::{Compilation, Request, compile, yaml};

use super::{Scratch, cluster, network, nothing_chosen, path, providers, same, stock};

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
        let documents = yaml::read(&fs::read_to_string(&file).unwrap(), Sources::default().add("", ""), &mut Vec::new());
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
