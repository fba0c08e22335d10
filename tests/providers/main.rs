//! Every network provider of the stock overlays: what README says of it, and what becomes of it on every kind of cluster.
//!
//! `NETLOOM_BLESS=1` rewrites README's table and `tests/providers/matrix.txt`.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test that cannot lay out its projects has failed")]

mod matrix;
mod table;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use netloom::engine::overlay::library::{self, Library, Overlay};
use netloom::tree::Sources;

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
