//! The stock overlays that are no provider and no add-on: what README and their own READMEs say of them, and the mirror's promise.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use netloom::engine::overlay::library::{self, Library};
use netloom::findings::Severity;
use netloom::tree::Sources;
use netloom::{Compilation, Request, compile};
use serde_json::Value as Json;

use super::Scratch;

/// The comments between which README's table stands.
const TABLE: (&str, &str) = ("<!-- overlays: generated from overlays/ -->\n", "<!-- overlays end -->\n");
const MIRROR: &str = "mirror.example.com:5000/k8s";

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Name, description and options of each stock overlay that a layer or a cluster names, instead of a block.
fn named() -> Vec<(String, String, Vec<String>)> {
    let mut sources = Sources::default();
    library::embed(&mut sources);
    let library = Library::read(&Arc::new(sources), "none", &mut Vec::new());
    let overlays = library.iter().filter(|overlay| overlay.spec().selected_by.is_none());
    let mut all: Vec<_> = overlays
        .map(|overlay| {
            let schema = overlay.options.as_ref().map(|schema| schema.root().clone()).unwrap_or_default();
            let options = schema.get("properties").and_then(Json::as_object).map(|map| map.keys().cloned().collect());
            let metadata = &overlay.declared.value.metadata;
            (metadata.name.clone(), metadata.description.clone(), options.unwrap_or_default())
        })
        .collect();
    all.sort();
    all
}

#[test]
fn the_table_in_readme_lists_the_overlays() {
    let mut table = "\n| overlay | what it is for |\n|---|---|\n".to_owned();
    for (name, description, _) in named() {
        _ = writeln!(table, "| [`{name}`](overlays/{name}) | {description} |");
    }
    table.push('\n');
    let readme = fs::read_to_string(path("README.md")).unwrap();
    let (before, rest) = readme.split_once(TABLE.0).expect("README has the table's first comment");
    let (_, after) = rest.split_once(TABLE.1).expect("README has the table's last comment");
    let wanted = format!("{before}{}{table}{}{after}", TABLE.0, TABLE.1);
    if std::env::var_os("NETLOOM_BLESS").is_some() {
        fs::write(path("README.md"), &wanted).unwrap();
    }
    assert!(readme == wanted || std::env::var_os("NETLOOM_BLESS").is_some(), "README.md should have\n{table}");
}

#[test]
fn each_overlay_has_a_readme_that_tells_its_options() {
    for (name, _, options) in named() {
        let text =
            fs::read_to_string(path(&format!("overlays/{name}/README.md"))).unwrap_or_else(|_| panic!("{name} has no README.md"));
        assert!(text.starts_with(&format!("# {name}\n")), "{name}");
        assert!(text.contains("```yaml\n") && text.contains("**On a running cluster**"), "{name}");
        let missing: Vec<_> = options.iter().filter(|option| !text.contains(&format!("| `{option}` |"))).collect();
        assert!(missing.is_empty(), "{name}: {missing:?}");
    }
}

/// The registries that images in the committed output of an example are from.
fn registries(example: &str) -> BTreeSet<String> {
    let files = walkdir::WalkDir::new(path(example)).into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file());
    let mut found = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file.path()).unwrap();
        let images = text.lines().filter_map(|line| line.trim_start().trim_start_matches("- ").strip_prefix("image: "));
        found.extend(images.filter_map(|image| Some(image.trim_matches('"').split_once('/')?.0.to_owned())));
    }
    found
}

/// What comes of examples' declarations, those files whose names `wanted` takes, with these layers.
fn with_layers(layers: &str, wanted: impl Fn(&str) -> bool) -> Compilation {
    let scratch = Scratch::new();
    let project = format!("apiVersion: netloom.dev/v1alpha1\nkind: Project\nmetadata: {{name: p}}\nspec: {{layers: {layers}}}\n");
    scratch.put("netloom.yaml", &project);
    for root in ["examples/providers", "examples/weave-private"].map(path) {
        for folder in ["declarations", "overlays"].map(|folder| root.join(folder)).into_iter().filter(|folder| folder.exists()) {
            let entries = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
            for entry in entries.filter(|entry| entry.file_type().is_file()) {
                let below = entry.path().strip_prefix(&root).unwrap().to_str().unwrap();
                if wanted(below) {
                    scratch.put(below, &fs::read_to_string(entry.path()).unwrap());
                }
            }
        }
    }
    let worker = env!("CARGO_BIN_EXE_netloom").into();
    compile(&Request { root: scratch.0.clone(), clusters: Vec::new(), worker }, &|_, _| {})
}

#[test]
fn overlays_agree_with_every_check_on_clusters_of_the_examples() {
    let names = ["cluster", "network", "calico", "cilium", "networks"];
    let wanted = |path: &str| names.iter().any(|name| path == format!("declarations/{name}.yaml"));
    let layers = ["hardening/default-deny", "nodes/small", "nodes/infra"].map(|name| format!("{{overlay: {name}}}")).join(", ");
    let compiled = with_layers(&format!("[{layers}]"), wanted);
    let said = compiled.findings.iter().filter(|finding| finding.severity > Severity::Note);
    assert_eq!(said.map(|finding| format!("{}: {}", finding.code, finding.message)).collect::<Vec<_>>(), [""; 0]);
    let policies = compiled.units.iter().flat_map(|unit| &unit.artifacts);
    assert_eq!(policies.filter(|file| file.path.ends_with("allow-dns.yaml")).count(), 9);
}

#[test]
fn no_provider_has_an_image_outside_the_mirror() {
    let compiled = with_layers(&format!("[{{overlay: registry/mirror, options: {{registry: \"{MIRROR}\"}}}}]"), |_| true);
    let registries = registries("examples/providers/rendered");
    assert!(registries.len() >= 5, "{registries:?}");
    let mut images = 0;
    for unit in &compiled.units {
        for file in unit.artifacts.iter().filter(|file| file.path.starts_with("kubernetes/")) {
            images += file.text.matches("image: ").count();
            for line in file.text.lines() {
                let outside =
                    |registry: &&String| line.replace(&format!("{MIRROR}/{registry}/"), "").contains(&format!("{registry}/"));
                assert_eq!(registries.iter().find(outside), None, "{}/{}: {line}", unit.folder, file.path);
            }
        }
    }
    assert!(images > 100, "{images} images: {:?}", compiled.findings);
}
