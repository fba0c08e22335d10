//! Every option of every overlay changes what is rendered. What is tried stands in one file for each overlay below
//! `tests/overlays/options`:
//! ```yaml
//! network: aws                        # `aws` (public), `private` or `static`; a line may say another
//! spec: {kubeProxy: {mode: ipvs}}     # the clusters' `spec` beside the overlay's options; a line may add to it
//! options: {networkPolicy: {}}        # options that every cluster has
//! files: {overlays/key.yaml: "…"}     # files of the project
//! each:                               # a line for each option that is no mapping of others; `[]` is the first item of a list
//!   mtu: {to: 1400}                   # a cluster with this value is rendered otherwise than one without it,
//!   peers[].port: {from: 1, to: 2, with: {peers: [{ip: 192.0.2.1}]}}     # or with another one, where these are there, too,
//!   key.generate: {to: {}, instead: {key: {file: overlays/key.yaml}}}    # or with these instead
//!   permissions: {to: true, changes: cloudformation}    # no object, only the stack; or `README.md`, or the `network`'s stack only
//!   password: {to: x, changes: weave-plaintext-key}     # nothing but what is said under this code: it is there to be refused
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use netloom::engine::overlay::library::{self, Library, Overlay};
use netloom::findings::Severity;
use netloom::tree::Sources;
use netloom::{Request, compile, yaml};
use serde::Deserialize;
use serde_json::{Value as Json, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    network: String,
    #[serde(default = "nothing")]
    spec: Json,
    #[serde(default = "nothing")]
    options: Json,
    #[serde(default)]
    files: BTreeMap<String, String>,
    each: BTreeMap<String, Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    network: Option<String>,
    #[serde(default = "nothing")]
    spec: Json,
    #[serde(default = "nothing")]
    with: Json,
    from: Option<Json>,
    to: Json,
    instead: Option<Json>,
    #[serde(default = "objects")]
    changes: String,
}

fn nothing() -> Json {
    json!({})
}

fn objects() -> String {
    "kubernetes".to_owned()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/overlays/options")
}

#[test]
fn every_option_changes_an_output() {
    let mut sources = Sources::default();
    library::embed(&mut sources);
    let library = Library::read(&Arc::new(sources), "none", &mut Vec::new());
    let mut complaints = Vec::new();
    let mut files = files();
    for overlay in library.iter() {
        let Some(schema) = &overlay.options else { continue };
        let name = overlay.name();
        let Some(file) = files.remove(name) else {
            complaints.push(format!("{name}: there is no file"));
            continue;
        };
        let mut declared = BTreeSet::new();
        leaves(schema.root(), "", &mut declared);
        let tried: BTreeSet<String> = file.each.keys().cloned().collect();
        complaints.extend(declared.difference(&tried).map(|option| format!("{name}: `{option}` has no line")));
        complaints.extend(tried.difference(&declared).map(|option| format!("{name}: `{option}` is no option")));
        let (before, after) = (file.compile(overlay, Line::before), file.compile(overlay, Line::after));
        for (at, (option, line)) in file.each.iter().enumerate() {
            complaints.extend(line.complaint(&before[at], &after[at]).map(|what| format!("{name}: `{option}` {what}")));
        }
    }
    complaints.extend(files.into_keys().map(|name| format!("{name}: no overlay with options has this name")));
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// The files by the overlay's name.
fn files() -> BTreeMap<String, File> {
    let entries = walkdir::WalkDir::new(folder()).into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file());
    let read = |entry: walkdir::DirEntry| {
        let name = entry.path().strip_prefix(folder()).unwrap().with_extension("").to_str().unwrap().replace('\\', "/");
        let mut findings = Vec::new();
        let id = Sources::default().add("", "");
        let node = yaml::single(&fs::read_to_string(entry.path()).unwrap(), id, (&name, "options"), &mut findings);
        assert_eq!(findings, [], "{name}");
        let file = serde_json::from_value(node.unwrap().to_json()).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, file)
    };
    entries.map(read).collect()
}

/// The options below a schema that are no mappings or lists of others.
fn leaves(schema: &Json, path: &str, found: &mut BTreeSet<String>) {
    let inner = schema.get("properties").and_then(Json::as_object).filter(|inner| !inner.is_empty());
    if let Some(inner) = inner {
        let gap = if path.is_empty() { "" } else { "." };
        inner.iter().for_each(|(name, option)| leaves(option, &format!("{path}{gap}{name}"), found));
    } else if let Some(items) = schema.get("items").filter(|items| items.get("properties").is_some()) {
        leaves(items, &format!("{path}[]"), found);
    } else {
        // No other word of JSON Schema that options could hide behind is in use.
        assert!(!schema.to_string().replace("\"properties\":{}", "").contains("\"properties\":"), "{path}: {schema}");
        found.insert(path.to_owned());
    }
}

impl File {
    /// What comes of each line's cluster, every one in a network of its own, with these options.
    fn compile(&self, overlay: &Overlay, options: impl Fn(&Line, &str) -> Json) -> Vec<Outcome> {
        let scratch = super::Scratch::new();
        scratch.put("netloom.yaml", "apiVersion: netloom.dev/v1alpha1\nkind: Project\nmetadata: {name: p}\n");
        self.files.iter().for_each(|(path, text)| scratch.put(path, text));
        for (at, (option, line)) in self.each.iter().enumerate() {
            let mut own = self.options.clone();
            merge(&mut own, options(line, option));
            let mut spec = json!({"kubernetesVersion": "1.33", "network": format!("n{at}"), "networking": {}});
            merge(&mut spec, self.spec.clone());
            merge(&mut spec, line.spec.clone());
            match overlay.spec().selected_by.as_deref() {
                Some(block) => set(&mut spec, block, own),
                None => spec["overlays"] = json!([{"overlay": overlay.name(), "options": own}]),
            }
            let network = network(line.network.as_ref().unwrap_or(&self.network));
            let document = |kind: &str, name: String, spec: Json| {
                json!({"apiVersion": "netloom.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}).to_string()
            };
            let (network, cluster) =
                (document("Network", format!("n{at}"), network), document("Cluster", format!("c{at}"), spec));
            scratch.put(&format!("declarations/{at}.yaml"), &format!("{network}\n---\n{cluster}\n"));
        }
        let request = Request { root: scratch.0.clone(), clusters: Vec::new(), worker: env!("CARGO_BIN_EXE_netloom").into() };
        let compiled = compile(&request, &|_, _| {});
        let mut outcomes: Vec<Outcome> = self.each.iter().map(|_| Outcome::default()).collect();
        for unit in &compiled.units {
            let below = |folder: &str| unit.folder.strip_prefix(folder)?.parse::<usize>().ok();
            let (at, folder) = match below("clusters/c") {
                Some(at) => (at, ""),
                None => (below("networks/n").unwrap(), "network/"),
            };
            let files = unit.artifacts.iter().map(|file| (format!("{folder}{}", file.path), file.text.to_string()));
            outcomes[at].files.extend(files);
        }
        for finding in compiled.findings.iter().filter(|finding| finding.severity > Severity::Note) {
            let spans = std::iter::once(finding.span).chain(finding.labels.iter().map(|label| label.span));
            let paths = spans.filter_map(|span| compiled.sources.get(span.file)).map(|source| source.path.to_string());
            let at = |path: String| path.strip_prefix("declarations/")?.strip_suffix(".yaml")?.parse::<usize>().ok();
            let about: BTreeSet<usize> = paths.filter_map(at).collect();
            assert!(!about.is_empty() || finding.severity < Severity::Error, "{}: {finding:?}", overlay.name());
            for at in about {
                outcomes[at].codes.insert(finding.code.to_string());
                outcomes[at].errors.extend((finding.severity == Severity::Error).then(|| finding.message.clone()));
            }
        }
        outcomes
    }
}

/// A network's `spec`.
fn network(name: &str) -> Json {
    let zones = ["us-west-2a", "us-west-2b", "us-west-2c"];
    match name {
        "aws" => json!({"aws": {"region": "us-west-2", "zones": zones, "topology": "public"}}),
        "private" => json!({"aws": {"region": "us-west-2", "zones": zones, "topology": "private"}}),
        "static" => json!({"static": {"cidr": "10.0.0.0/16"}, "mtu": 9001}),
        _ => panic!("`{name}` is no network"),
    }
}

impl Line {
    fn before(&self, option: &str) -> Json {
        if let Some(instead) = &self.instead {
            return instead.clone();
        }
        let mut options = self.with.clone();
        if let Some(from) = &self.from {
            set(&mut options, option, from.clone());
        }
        options
    }

    fn after(&self, option: &str) -> Json {
        let mut options = self.with.clone();
        set(&mut options, option, self.to.clone());
        options
    }

    /// What is wrong with what came of the two clusters.
    fn complaint(&self, before: &Outcome, after: &Outcome) -> Option<String> {
        if !before.errors.is_empty() {
            return Some(format!("cannot be compared with its absence or `from`: {:?}", before.errors));
        }
        if after.codes.contains(&self.changes) && !before.codes.contains(&self.changes) {
            return None;
        }
        if !after.errors.is_empty() {
            return Some(format!("is refused: {:?}", after.errors));
        }
        let differ = |part: &&&str| before.part(part) != after.part(part);
        match ["kubernetes", "cloudformation", "README.md", "network"].iter().find(differ) {
            None => Some("changes nothing".to_owned()),
            Some(part) if *part == self.changes => None,
            Some(part) => Some(format!("changes {part}; its line says {}", self.changes)),
        }
    }
}

/// What a cluster came to: files by path below its folder, codes of errors and warnings, and what the errors say.
#[derive(Default)]
struct Outcome {
    files: BTreeMap<String, String>,
    codes: BTreeSet<String>,
    errors: Vec<String>,
}

impl Outcome {
    fn part(&self, name: &str) -> Vec<(&String, &String)> {
        self.files.iter().filter(|(path, _)| path.starts_with(name)).collect()
    }
}

/// Sets what is at a path such as `a.b[].c`, in the first item of a list.
fn set(json: &mut Json, path: &str, value: Json) {
    let mut place = json;
    for key in path.split('.') {
        place = &mut place[key.trim_end_matches("[]")];
        if key.ends_with("[]") {
            if place.is_null() {
                *place = json!([{}]);
            }
            place = &mut place[0];
        }
    }
    *place = value;
}

/// Adds fields to a mapping, or takes them out of it where they are null; whatever is no mapping is replaced.
fn merge(json: &mut Json, more: Json) {
    match (json, more) {
        (Json::Object(map), Json::Object(more)) => {
            for (key, value) in more {
                merge(map.entry(key.as_str()).or_insert(json!({})), value);
                map.retain(|_, value| !value.is_null());
            }
        }
        (json, more) => *json = more,
    }
}
