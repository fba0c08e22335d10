//! Comparison with kustomize 5, whose results are the reference.
//!
//! `KUSTOMIZE` names the program; without it, the one that `.ci/install-tools` installs is used.
// A test may read and write files and see the environment.
#![allow(clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use netloom::tree::{Node, Sources, Span, from_json, to_yaml};
use serde_json::Value;

use super::generate::{Random, pair};
use super::{apply, documents};

const PAIRS: usize = 1000;

fn program() -> PathBuf {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/bin/kustomize");
    std::env::var_os("KUSTOMIZE").map_or(installed, PathBuf::from)
}

/// What kustomize makes of resources and patches to them, by kind and name.
fn build(name: &str, resources: &str, patches: &str) -> BTreeMap<(String, String), Node> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).expect("a folder");
    let files = [
        ("resources.yaml", resources),
        ("patches.yaml", patches),
        ("kustomization.yaml", "resources: [resources.yaml]\npatches: [{path: patches.yaml}]\n"),
    ];
    for (file, text) in files {
        fs::write(folder.join(file), text).expect("written");
    }
    let output = Command::new(program()).arg("build").arg(&folder).output().expect("kustomize (see .ci/install-tools)");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    documents(&mut Sources::default(), "kustomize", &text).into_iter().map(|node| (key(&node), node)).collect()
}

fn key(node: &Node) -> (String, String) {
    let name = node.get("metadata").and_then(|metadata| metadata.str_at("name")).unwrap_or_default();
    (node.str_at("kind").unwrap_or_default().to_owned(), name.to_owned())
}

/// kustomize drops empty annotations of every object that it reads, patched or not.
fn drop_empty_annotations(object: &mut Node) {
    if let Some(metadata) = object.as_map_mut().and_then(|object| object.get_mut("metadata")).and_then(Node::as_map_mut) {
        metadata.retain(|key, node| &*key.text != "annotations" || node.as_map().is_none_or(|map| !map.is_empty()));
    }
}

fn stream(documents: impl Iterator<Item = String>) -> String {
    documents.collect::<Vec<_>>().join("\n---\n")
}

#[test]
#[ignore = "needs kustomize: run by .ci/run"]
fn generated_patches_give_what_kustomize_gives() {
    let mut random = Random(0x6e65_746c_6f6f_6d01);
    let pairs: Vec<(Value, Value)> = (0..PAIRS).map(|number| pair(number, &mut random)).collect();
    let mut theirs = BTreeMap::new();
    // kustomize takes time that grows with the square of the objects in one build.
    for batch in pairs.chunks(200) {
        let resources = stream(batch.iter().map(|(resource, _)| resource.to_string()));
        let patches = stream(batch.iter().map(|(_, patch)| patch.to_string()));
        theirs.append(&mut build("strategic_merge_generated", &resources, &patches));
    }
    let mut wrong = Vec::new();
    for (resource, patch) in &pairs {
        let (object, change) = (from_json(resource, Span::NONE), from_json(patch, Span::NONE));
        let (mut ours, findings) = apply(&object, &change);
        drop_empty_annotations(&mut ours);
        let expected = theirs.get(&key(&object)).cloned().unwrap_or_default();
        if ours != expected || !findings.is_empty() {
            let texts = [&object, &change, &expected, &ours].map(to_yaml);
            wrong.push(format!(
                "# resource\n{}# patch\n{}# kustomize\n{}# netloom\n{}{findings:?}",
                texts[0], texts[1], texts[2], texts[3]
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {PAIRS} differ; the shortest:\n{}", wrong.len(), {
        wrong.sort_by_key(String::len);
        wrong[..wrong.len().min(6)].join("=====\n")
    });
}
