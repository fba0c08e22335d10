//! Comparison with kustomize 5, whose results are the reference.
//!
//! `KUSTOMIZE` names the program; without it, the one that `.ci/install-tools` installs is used.
// A test may read and write files and see the environment.
#![allow(clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use netloom::findings::Diagnostic;
use netloom::tree::{Node, Sources, Span, from_json};
use netloom::yaml::to_yaml;
use serde_json::{Value, json};

use super::generate::{Random, pair};
use super::{apply, documents, operations};

/// Pairs of a resource and a strategic merge patch, and of a resource and a JSON patch.
const PAIRS: [usize; 2] = [2000, 1000];

fn program() -> PathBuf {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/bin/kustomize");
    std::env::var_os("KUSTOMIZE").map_or(installed, PathBuf::from)
}

/// What kustomize makes of resources and patches to them, by kind and name.
fn build(name: &str, resources: &str, patches: &str) -> BTreeMap<(String, String), Node> {
    let kustomization = "resources: [resources.yaml]\npatches: [{path: patches.yaml}]\n";
    run(name, &[("resources.yaml", resources), ("patches.yaml", patches), ("kustomization.yaml", kustomization)])
}

/// What kustomize makes of resources and JSON patches, each with its target.
fn build_json(name: &str, pairs: &[(Value, Value)]) -> BTreeMap<(String, String), Node> {
    let resources = stream(pairs.iter().map(|(resource, _)| resource.to_string()));
    let patch = |(resource, patch): &(Value, Value)| {
        let target = json!({"kind": resource["kind"], "name": resource["metadata"]["name"]});
        json!({"target": target, "patch": patch.to_string()})
    };
    let patches: Vec<Value> = pairs.iter().filter(|(_, patch)| patch != &json!([])).map(patch).collect();
    let kustomization = json!({"resources": ["resources.yaml"], "patches": patches}).to_string();
    run(name, &[("resources.yaml", &resources), ("kustomization.yaml", &kustomization)])
}

fn run(name: &str, files: &[(&str, &str)]) -> BTreeMap<(String, String), Node> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).expect("a folder");
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
    let pairs: Vec<(Value, Value)> = (0..PAIRS[0]).map(|number| pair(number, &mut random)).collect();
    let mut theirs = BTreeMap::new();
    // kustomize takes time that grows with the square of the objects in one build.
    for batch in pairs.chunks(200) {
        let resources = stream(batch.iter().map(|(resource, _)| resource.to_string()));
        let patches = stream(batch.iter().map(|(_, patch)| patch.to_string()));
        theirs.append(&mut build("strategic_merge_generated", &resources, &patches));
    }
    compare(&pairs, &theirs, apply);
}

#[test]
#[ignore = "needs kustomize: run by .ci/run"]
fn generated_json_patches_give_what_kustomize_gives() {
    let mut random = Random(0x6e65_746c_6f6f_6d02);
    let pairs: Vec<(Value, Value)> = (0..PAIRS[1]).map(|number| operations::pair(number, &mut random)).collect();
    let mut theirs = BTreeMap::new();
    for batch in pairs.chunks(100) {
        theirs.append(&mut build_json("json_patch_generated", batch));
    }
    compare(&pairs, &theirs, |object, patch| {
        let (mut object, mut findings) = (object.clone(), Vec::new());
        netloom::patch::json(&mut object, patch, &mut findings);
        (object, findings)
    });
}

fn compare(
    pairs: &[(Value, Value)],
    theirs: &BTreeMap<(String, String), Node>,
    apply: impl Fn(&Node, &Node) -> (Node, Vec<Diagnostic>),
) {
    let mut wrong = Vec::new();
    for (resource, patch) in pairs {
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
    assert!(wrong.is_empty(), "{} of {} differ; the shortest:\n{}", wrong.len(), pairs.len(), {
        wrong.sort_by_key(String::len);
        wrong[..wrong.len().min(6)].join("=====\n")
    });
}

/// A patch for which netloom gives something else than kustomize.
struct Difference {
    why: &'static str,
    /// The pod's `spec` in a `DaemonSet`.
    object: &'static str,
    patch: &'static str,
    /// What kustomize makes of it.
    theirs: &'static str,
    /// What netloom makes of it, or the code of its finding.
    ours: Result<&'static str, &'static str>,
}

/// Every known difference. Beside these, kustomize drops `metadata.annotations` when they are empty, and keys without any value,
/// from every object; and netloom refuses a JSON patch that moves a value into itself, as RFC 6902 has it.
const DIFFERENCES: [Difference; 15] = [
    Difference {
        why: "a patch element that matches nothing is an error",
        object: "{containers: [{name: a}]}",
        patch: "{containers: [{name: b, $patch: delete}]}",
        theirs: "{containers: [{name: a}]}",
        ours: Err("patch-no-match"),
    },
    Difference {
        why: "so is a mapping that is to be deleted and is not there",
        object: "{dnsPolicy: Default}",
        patch: "{nodeSelector: {$patch: delete}}",
        theirs: "{dnsPolicy: Default}",
        ours: Err("patch-no-match"),
    },
    Difference {
        why: "null for a key that no object of the kind has is a typing error",
        object: "{dnsPolicy: Default}",
        patch: "{dnsPolcy: null}",
        theirs: "{dnsPolicy: Default}",
        ours: Err("patch-no-match"),
    },
    Difference {
        why: "without its merge key, an element deletes elements that it does not name",
        object: "{containers: [{name: a, image: x}, {name: b, image: z}]}",
        patch: "{containers: [{image: w}]}",
        theirs: "{containers: []}",
        ours: Err("patch-invalid"),
    },
    Difference {
        why: "of two elements with one merge key, the second is lost",
        object: "{containers: [{name: a, image: x}]}",
        patch: "{containers: [{name: a, image: v}, {name: a, image: w}]}",
        theirs: "{containers: [{name: a, image: v}]}",
        ours: Err("patch-invalid"),
    },
    Difference {
        why: "elements of the object that share a merge key are collapsed, whatever the patch is about",
        object: "{containers: [{name: a, env: [{name: E, value: v}, {name: E, value: w}]}]}",
        patch: "{dnsPolicy: Default}",
        theirs: "{containers: [{name: a, env: [{name: E, value: w}]}], dnsPolicy: Default}",
        ours: Ok("{containers: [{name: a, env: [{name: E, value: v}, {name: E, value: w}]}], dnsPolicy: Default}"),
    },
    Difference {
        why: "`$patch: replace` of an element has no effect, because prepending puts the old element back; in the append mode of \
              the same code it replaces the element",
        object: "{containers: [{name: a, image: x, args: [v]}]}",
        patch: "{containers: [{name: a, image: w, $patch: replace}]}",
        theirs: "{containers: [{name: a, image: x, args: [v]}]}",
        ours: Ok("{containers: [{name: a, image: w}]}"),
    },
    Difference {
        why: "a port that leaves out the protocol, which is TCP then, is lost when another one names it",
        object: "{containers: [{name: a, ports: [{containerPort: 53, protocol: TCP}]}]}",
        patch: "{containers: [{name: a, ports: [{containerPort: 53, name: dns}]}]}",
        theirs: "{containers: [{name: a, ports: [{containerPort: 53, protocol: TCP}]}]}",
        ours: Ok("{containers: [{name: a, ports: [{containerPort: 53, protocol: TCP, name: dns}]}]}"),
    },
    Difference {
        why: "and so is one that names it, when the object leaves it out",
        object: "{containers: [{name: a, ports: [{containerPort: 53}]}]}",
        patch: "{containers: [{name: a, ports: [{containerPort: 53, protocol: UDP}]}]}",
        theirs: "{containers: [{name: a, ports: [{containerPort: 53}]}]}",
        ours: Ok("{containers: [{name: a, ports: [{containerPort: 53, protocol: UDP}, {containerPort: 53}]}]}"),
    },
    Difference {
        why: "`$retainKeys` stays in the object; the API server obeys it",
        object: "{volumes: [{name: v, hostPath: {path: /x}}]}",
        patch: "{volumes: [{name: v, $retainKeys: [name, emptyDir], emptyDir: {}}]}",
        theirs: "{volumes: [{name: v, hostPath: {path: /x}, $retainKeys: [name, emptyDir], emptyDir: {}}]}",
        ours: Ok("{volumes: [{name: v, emptyDir: {}}]}"),
    },
    Difference {
        why: "so does `$setElementOrder`",
        object: "{containers: [{name: a}, {name: b}]}",
        patch: "{$setElementOrder/containers: [{name: b}, {name: a}]}",
        theirs: "{containers: [{name: a}, {name: b}], $setElementOrder/containers: [{name: b}, {name: a}]}",
        ours: Ok("{containers: [{name: b}, {name: a}]}"),
    },
    Difference {
        why: "so does `$deleteFromPrimitiveList`",
        object: "{containers: [{name: a, args: [v, w]}]}",
        patch: "{containers: [{name: a, $deleteFromPrimitiveList/args: [v]}]}",
        theirs: "{containers: [{name: a, args: [v, w], $deleteFromPrimitiveList/args: [v]}]}",
        ours: Ok("{containers: [{name: a, args: [w]}]}"),
    },
    Difference {
        why: "so does `$patch` for a list that is replaced anyway",
        object: "{tolerations: [{key: a}]}",
        patch: "{tolerations: [{$patch: replace}, {key: b}]}",
        theirs: "{tolerations: [{$patch: replace}, {key: b}]}",
        ours: Ok("{tolerations: [{key: b}]}"),
    },
    Difference {
        why: "so does `$patch` for an element of such a list, which cannot be obeyed",
        object: "{tolerations: [{key: a}]}",
        patch: "{tolerations: [{key: a, $patch: delete}]}",
        theirs: "{tolerations: [{key: a, $patch: delete}]}",
        ours: Err("patch-invalid"),
    },
    Difference {
        why: "kustomize 5 has the schemas of Kubernetes 1.21, so lists of later versions do not merge",
        object: "{resourceClaims: [{name: a, resourceClaimName: x}]}",
        patch: "{resourceClaims: [{name: b, resourceClaimName: z}]}",
        theirs: "{resourceClaims: [{name: b, resourceClaimName: z}]}",
        ours: Ok("{resourceClaims: [{name: b, resourceClaimName: z}, {name: a, resourceClaimName: x}]}"),
    },
];

fn daemonset(number: usize, spec: &str) -> String {
    format!("{{apiVersion: apps/v1, kind: DaemonSet, metadata: {{name: case-{number}}}, spec: {{template: {{spec: {spec}}}}}}}\n")
}

fn node(text: &str) -> Node {
    documents(&mut Sources::default(), "case", text).remove(0)
}

#[test]
#[ignore = "needs kustomize: run by .ci/run"]
fn differences_from_kustomize_are_as_listed() {
    let resources = stream(DIFFERENCES.iter().enumerate().map(|(number, case)| daemonset(number, case.object)));
    let patches = stream(DIFFERENCES.iter().enumerate().map(|(number, case)| daemonset(number, case.patch)));
    let built = build("strategic_merge_differences", &resources, &patches);
    for (number, case) in DIFFERENCES.iter().enumerate() {
        let theirs = node(&daemonset(number, case.theirs));
        assert_eq!(built.get(&key(&theirs)), Some(&theirs), "kustomize: {}", case.why);
        let (object, findings) = apply(&node(&daemonset(number, case.object)), &node(&daemonset(number, case.patch)));
        match case.ours {
            Ok(ours) => {
                assert_eq!((object, findings.as_slice()), (node(&daemonset(number, ours)), [].as_slice()), "{}", case.why)
            }
            Err(code) => assert_eq!(findings.iter().map(|finding| &*finding.code).collect::<Vec<_>>(), [code], "{}", case.why),
        }
    }
}
