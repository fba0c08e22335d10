//! What each part of a strategic merge patch means.

use netloom::tree::{Path, Sources};
use netloom::yaml::to_yaml;

use super::{apply, documents};

const HEAD: &str = "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: weave-net}, spec: {template: {spec: ";

/// A pod's `spec` after a patch to it.
fn merged(spec: &str, patch: &str) -> String {
    let mut sources = Sources::default();
    let [object, patch] = [spec, patch].map(|text| documents(&mut sources, text, &format!("{HEAD}{text}}}}}}}")));
    let (result, findings) = apply(&object[0], &patch[0]);
    assert_eq!(findings, []);
    result.at(&Path::dotted("spec.template.spec")).map(to_yaml).unwrap_or_default()
}

/// The whole of an object after a patch, and what is wrong with the patch: place, code, message and help.
pub(crate) fn patched(object: &str, patch: &str) -> (String, Vec<String>) {
    let mut sources = Sources::default();
    let object = documents(&mut sources, "object.yaml", object);
    let patch = documents(&mut sources, "patch.yaml", patch);
    let (result, findings) = apply(&object[0], &patch[0]);
    let describe = |finding: &netloom::findings::Diagnostic| {
        let place = sources.locate(finding.span).replace("patch.yaml:", "");
        let help = finding.help.iter().map(|help| format!(" ({help})")).collect::<String>();
        format!("{place} {}: {}{help}", finding.code, finding.message)
    };
    (to_yaml(&result), findings.iter().map(describe).collect())
}

#[test]
fn mappings_merge_and_null_removes() {
    assert_eq!(
        merged("{hostNetwork: true, nodeSelector: {a: x, b: v}}", "{hostNetwork: null, nodeSelector: {b: z, c: w, d: null}}"),
        "nodeSelector:\n  a: x\n  b: z\n  c: w\n"
    );
    // Removing the last key leaves an empty mapping, and a mapping of nothing but nulls adds one.
    assert_eq!(merged("{nodeSelector: {a: x}}", "{nodeSelector: {a: null}}"), "nodeSelector: {}\n");
    assert_eq!(merged("{}", "{securityContext: {runAsUser: null}}"), "securityContext: {}\n");
}

#[test]
fn lists_without_a_merge_key_are_replaced() {
    assert_eq!(
        merged("{tolerations: [{key: a}, {key: b}]}", "{tolerations: [{operator: Exists, key: null}]}"),
        "tolerations:\n- operator: Exists\n  key: null\n"
    );
    assert_eq!(merged("{tolerations: [{key: a}]}", "{tolerations: []}"), "tolerations: []\n");
}

#[test]
fn elements_merge_by_key_and_the_patch_comes_first() {
    let object = "{containers: [{name: a, image: a:1}, {name: b, image: b:1, args: [x]}, {name: c, image: c:1}]}";
    let patch = "{containers: [{name: new, image: n:1}, {name: c, image: c:2}, {name: b, args: [z]}]}";
    assert_eq!(
        merged(object, patch),
        "\
containers:
- name: new
  image: n:1
- name: c
  image: c:2
- name: b
  image: b:1
  args:
  - z
- name: a
  image: a:1
"
    );
}

#[test]
fn elements_merge_at_every_depth() {
    let object = "{containers: [{name: a, env: [{name: X, value: '1'}, {name: Z, value: '2'}], resources: {limits: {cpu: 1}}}]}";
    let patch = "{containers: [{name: a, env: [{name: Z, value: null, valueFrom: {fieldRef: {fieldPath: p}}}], resources: {limits: {memory: 1Gi}}}]}";
    assert_eq!(
        merged(object, patch),
        "\
containers:
- name: a
  env:
  - name: Z
    valueFrom:
      fieldRef:
        fieldPath: p
  - name: X
    value: \"1\"
  resources:
    limits:
      cpu: 1
      memory: \"1Gi\"
"
    );
}

#[test]
fn ports_merge_by_number_and_protocol_and_keep_their_places() {
    let object = "{containers: [{name: a, ports: [{containerPort: 53, protocol: UDP}, {containerPort: 53, protocol: TCP}]}]}";
    let patch =
        "{containers: [{name: a, ports: [{containerPort: 53, protocol: TCP, name: tcp}, {containerPort: 9153, protocol: TCP}]}]}";
    let ports = "\
containers:
- name: a
  ports:
  - containerPort: 9153
    protocol: TCP
  - containerPort: 53
    protocol: UDP
  - containerPort: 53
    protocol: TCP
    name: tcp
";
    assert_eq!(merged(object, patch), ports);
    // A protocol that is left out is TCP, as Kubernetes has it.
    assert_eq!(merged(object, &patch.replace(", protocol: TCP, name", ", name")), ports);
    let object = "{containers: [{name: a, ports: [{containerPort: 53}]}]}";
    let patch = "{containers: [{name: a, ports: [{containerPort: 53, protocol: UDP}]}]}";
    let both = "containers:\n- name: a\n  ports:\n  - containerPort: 53\n    protocol: UDP\n  - containerPort: 53\n";
    assert_eq!(merged(object, patch), both);
    // Where the patch leaves it out and there is one port of the number, that one is meant.
    let object = "{containers: [{name: a, ports: [{containerPort: 53, protocol: UDP}]}]}";
    let patch = "{containers: [{name: a, ports: [{containerPort: 53, name: dns}]}]}";
    let one = "containers:\n- name: a\n  ports:\n  - containerPort: 53\n    protocol: UDP\n    name: dns\n";
    assert_eq!(merged(object, patch), one);
}

#[test]
fn scalars_merge_as_a_set() {
    let object = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, finalizers: [x/1, x/2, x/3]}}";
    let patch = "{metadata: {finalizers: [x/4, x/2]}}";
    let expected = "metadata:\n  name: a\n  finalizers:\n  - x/4\n  - x/2\n  - x/1\n  - x/3\n";
    assert_eq!(patched(object, patch), (format!("apiVersion: v1\nkind: ConfigMap\n{expected}"), vec![]));
}

#[test]
fn delete_and_replace_of_elements() {
    let object = "{containers: [{name: a, image: a:1}, {name: b, image: b:1, args: [x]}, {name: c}]}";
    assert_eq!(
        merged(object, "{containers: [{name: a, $patch: delete}, {name: b, $patch: replace, image: b:2}]}"),
        "containers:\n- name: b\n  image: b:2\n- name: c\n"
    );
}

#[test]
fn delete_and_replace_of_lists() {
    let object =
        "{containers: [{name: a, image: a:1}], tolerations: [{key: a}], hostAliases: [{ip: 192.0.2.1}], dnsPolicy: Default}";
    assert_eq!(
        merged(
            object,
            "{containers: [{name: a}, {$patch: replace}], tolerations: [{key: b}, {$patch: replace}], hostAliases: [{$patch: delete}]}"
        ),
        "containers:\n- name: a\ntolerations:\n- key: b\ndnsPolicy: Default\n"
    );
}

#[test]
fn delete_and_replace_of_mappings() {
    let object = "{nodeSelector: {a: x}, securityContext: {runAsUser: 1, fsGroup: 1}, dnsConfig: {options: []}}";
    assert_eq!(
        merged(
            object,
            "{nodeSelector: {$patch: delete}, securityContext: {$patch: replace, runAsUser: 2}, dnsConfig: {$patch: merge}}"
        ),
        "securityContext:\n  runAsUser: 2\ndnsConfig:\n  options: []\n"
    );
}

#[test]
fn retain_keys_drops_the_others() {
    assert_eq!(
        merged(
            "{volumes: [{name: v, configMap: {name: x}}]}",
            "{volumes: [{name: v, $retainKeys: [name, emptyDir], emptyDir: {}}]}"
        ),
        "volumes:\n- name: v\n  emptyDir: {}\n"
    );
}

#[test]
fn delete_from_primitive_list_removes_values() {
    assert_eq!(
        merged(
            "{containers: [{name: a, args: [--x, --y, --z]}]}",
            "{containers: [{name: a, $deleteFromPrimitiveList/args: [--y]}]}"
        ),
        "containers:\n- name: a\n  args:\n  - \"--x\"\n  - \"--z\"\n"
    );
}

#[test]
fn set_element_order_decides_the_order() {
    let object = "{containers: [{name: a}, {name: b}, {name: c}, {name: d}]}";
    let names = |text: &str| text.lines().filter_map(|line| line.strip_prefix("- name: ")).collect::<Vec<_>>().join(" ");
    let ordered = |patch: &str| names(&merged(object, patch));
    assert_eq!(ordered("{$setElementOrder/containers: [{name: d}, {name: a}, {name: c}, {name: b}]}"), "d a c b");
    // The results of the API server (`strategicpatch` of Kubernetes 1.34): an element that is not named stays before those that it was before.
    assert_eq!(ordered("{$setElementOrder/containers: [{name: d}, {name: b}]}"), "a c d b");
    assert_eq!(ordered("{$setElementOrder/containers: [{name: e}, {name: b}], containers: [{name: e}]}"), "e a b c d");
    assert_eq!(ordered("{$setElementOrder/containers: [{name: a}], containers: [{name: b, $patch: delete}]}"), "a c d");
    let patch = "{$setElementOrder/containers: [{name: e}, {name: d}, {name: a}], containers: [{name: e}, {name: d}]}";
    assert_eq!(ordered(patch), "e b c d a");
    let object = "{apiVersion: v1, kind: ConfigMap, metadata: {name: m, finalizers: [a, b, c, d]}}";
    let order = "$setElementOrder/finalizers: [d, e, a]";
    let patch = format!("{{metadata: {{$deleteFromPrimitiveList/finalizers: [c], {order}, finalizers: [e]}}}}");
    assert!(patched(object, &patch).0.ends_with("finalizers:\n  - b\n  - d\n  - e\n  - a\n"));
}

#[test]
fn an_added_part_of_a_patch_keeps_no_nulls_and_no_directives() {
    assert_eq!(
        merged(
            "{}",
            "{volumes: [{name: v, $patch: replace, hostPath: {path: /x, type: null}}], nodeSelector: {$patch: merge, a: x}}"
        ),
        "volumes:\n- name: v\n  hostPath:\n    path: /x\nnodeSelector:\n  a: x\n"
    );
}

#[test]
fn custom_resources_merge_mappings_and_replace_lists() {
    let object = "{apiVersion: net.example.com/v1, kind: Pool, metadata: {name: a}, spec: {x: {b: 1}, containers: [{name: a}]}}";
    let patch =
        "{apiVersion: net.example.com/v1, kind: Pool, metadata: {name: a}, spec: {x: {c: 2, b: null}, containers: [{name: b}]}}";
    let spec = "spec:\n  x:\n    c: 2\n  containers:\n  - name: b\n";
    let expected = format!("apiVersion: net.example.com/v1\nkind: Pool\nmetadata:\n  name: a\n{spec}");
    assert_eq!(patched(object, patch), (expected, vec![]));
}

#[test]
fn identity_survives_whatever_the_patch_does() {
    let object = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: b, labels: {x: z}}, data: {k: v}}";
    let head = "apiVersion: v1\nkind: ConfigMap\n";
    let metadata = "metadata:\n  name: a\n  namespace: b\n";
    assert_eq!(patched(object, "{metadata: null, data: null}"), (format!("{head}{metadata}"), vec![]));
    assert_eq!(patched(object, "{metadata: {$patch: delete}, data: null}"), (format!("{head}{metadata}"), vec![]));
    let (replaced, findings) = patched(object, "{$patch: replace, data: {m: w}}");
    assert_eq!((replaced, findings), (format!("{head}{metadata}data:\n  m: w\n"), vec![]));
}

#[test]
fn deleting_the_object_leaves_null() {
    let patch = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, $patch: delete}";
    assert_eq!(patched("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}", patch), ("null\n".to_owned(), vec![]));
}

#[test]
fn what_was_overridden_is_remembered() {
    let mut sources = Sources::default();
    let object = documents(&mut sources, "object.yaml", &format!("{HEAD}{{containers: [{{name: a, image: a:1}}]}}}}}}}}"));
    let patch = documents(&mut sources, "patch.yaml", &format!("{HEAD}{{containers: [{{name: a, image: a:2}}]}}}}}}}}"));
    let (result, _) = apply(&object[0], &patch[0]);
    let containers = result.at(&Path::dotted("spec.template.spec.containers")).and_then(|list| list.as_list());
    let image = containers.and_then(|list| list[0].get("image")).expect("an image");
    let old = image.overrode.as_deref().expect("an older image");
    assert_eq!((image.as_str(), old.as_str()), (Some("a:2"), Some("a:1")));
    assert_eq!([image.span, old.span].map(|span| sources.locate(span)), ["patch.yaml:1:124", "object.yaml:1:124"]);
}
