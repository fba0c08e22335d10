//! Trees and templates, field by field.

use super::node::compare;
use super::{Change, Class, State, objects, stacks};
use schema::kubernetes::{self, Shape};
use testing::node;
use tree::{Node, Sources};

fn yaml(text: &str) -> Node {
    node(text, Sources::default().add("", ""))
}

/// A line for each field that differs.
fn fields(before: &str, after: &str, shape: Option<Shape<'_>>) -> Vec<String> {
    let show = |node: &Option<Node>| node.as_ref().map_or_else(|| "none".to_owned(), |node| node.to_json().to_string());
    let found = compare(&yaml(before), &yaml(after), shape);
    found
        .iter()
        .map(|field| {
            let moved = if field.moved { " (order)" } else { "" };
            format!("{}{moved}: {} → {}", field.path, show(&field.before), show(&field.after))
        })
        .collect()
}

fn pod(before: &str, after: &str) -> Vec<String> {
    let schemas = kubernetes::for_minor(33).unwrap();
    fields(before, after, schemas.merge(schemas.kind("v1", "Pod").unwrap()))
}

#[test]
fn items_are_paired_by_what_kubernetes_knows_them_by() {
    let before = "spec: {containers: [{name: a, image: x:1}, {name: b, image: q}]}\n";
    let after = "spec: {containers: [{name: c, image: z}, {name: a, image: x:2}]}\n";
    let expected = [
        "spec.containers[a].image: \"x:1\" → \"x:2\"",
        "spec.containers[c]: none → {\"name\":\"c\",\"image\":\"z\"}",
        "spec.containers[b]: {\"name\":\"b\",\"image\":\"q\"} → none",
    ];
    assert_eq!(pod(before, after), expected);
    let ports = |protocol: &str| {
        format!(
            "spec: {{containers: [{{name: a, ports: [{{containerPort: 53, protocol: UDP}}, {{containerPort: 53, protocol: {protocol}}}]}}]}}\n"
        )
    };
    let port = |protocol: &str| format!("{{\"containerPort\":53,\"protocol\":\"{protocol}\"}}");
    let expected = [
        format!("spec.containers[a].ports[53/SCTP]: none → {}", port("SCTP")),
        format!("spec.containers[a].ports[53/TCP]: {} → none", port("TCP")),
    ];
    assert_eq!(pod(&ports("TCP"), &ports("SCTP")), expected);
}

#[test]
fn renamed_and_moved_items_are_recognised() {
    let one = "spec: {containers: [{name: a, image: x}, {name: b, image: q}]}\n";
    let renamed = "spec: {containers: [{name: a, image: x}, {name: c, image: q}]}\n";
    let moved = "spec: {containers: [{name: b, image: q}, {name: a, image: x}]}\n";
    assert_eq!(pod(one, renamed), ["spec.containers[b].name: \"b\" → \"c\""]);
    assert_eq!(pod(one, moved), ["spec.containers (order): [\"a\",\"b\"] → [\"b\",\"a\"]"]);
    assert_eq!(fields("a: [1, 2]\n", "a: [2, 1]\n", None), ["a (order): [1,2] → [2,1]"]);
}

#[test]
fn items_without_a_key_are_paired_by_their_sequence() {
    assert_eq!(fields("a: [1, 2, 4]\n", "a: [1, 2, 3, 4]\n", None), ["a[2]: none → 3"]);
    assert_eq!(fields("a: [{x: 1, z: 2}, {x: 5}]\n", "a: [{x: 1, z: 3}, {x: 5}]\n", None), ["a[0].z: 2 → 3"]);
    assert_eq!(fields("a: []\n", "a: [x]\n", None), ["a[0]: none → \"x\""]);
    assert_eq!(fields("a: {b: 1}\n", "a: [x]\n", None), ["a: {\"b\":1} → [\"x\"]"]);
}

fn template(resource: &str) -> Node {
    yaml(&format!("Resources:\n  It: {resource}\n"))
}

/// The class of the only effect of a change of one resource.
fn update(before: &str, after: &str) -> Class {
    let changes = stacks::changes("t", Some(&template(before)), Some(&template(after)));
    changes[0].effects[0].class
}

#[test]
fn resources_are_replaced_by_the_properties_that_aws_says() {
    let vpc = |property: &str| format!("{{Type: \"AWS::EC2::VPC\", Properties: {{{property}}}}}");
    assert_eq!(update(&vpc("CidrBlock: 10.0.0.0/16"), &vpc("CidrBlock: 10.1.0.0/16")), Class::ResourceReplacement);
    assert_eq!(update(&vpc("EnableDnsSupport: true"), &vpc("EnableDnsSupport: false")), Class::InPlace);
    let other = |value: &str| format!("{{Type: \"AWS::S3::Bucket\", Properties: {{BucketName: {value}}}}}");
    assert_eq!(update(&other("a"), &other("b")), Class::Unknown);
    assert_eq!(update(&other("a"), &vpc("EnableDnsSupport: true")), Class::ResourceReplacement);
}

/// Every type that netloom renders is in the table, so that no change of one is unknown.
#[test]
fn every_type_that_is_rendered_is_known() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let entries = walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok);
    let templates = entries.filter(|entry| entry.path().to_string_lossy().ends_with(".template.yaml"));
    let mut types = std::collections::BTreeSet::new();
    for entry in templates {
        #[allow(clippy::disallowed_methods, reason = "the examples are the test's own input")]
        let text = std::fs::read_to_string(entry.path()).unwrap();
        types.extend(
            text.lines().filter_map(|line| line.strip_prefix("    Type: ")).map(|name| name.trim_matches('"').to_owned()),
        );
    }
    assert!(types.len() > 10, "{types:?}");
    let unknown: Vec<_> = types.iter().filter(|name| super::replacing::replacing(name).is_none()).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// The class of a change of a Kubernetes object.
fn class(before: Option<&str>, after: Option<&str>) -> Class {
    let [before, after] = [before, after].map(|text| text.map(yaml));
    let fields = before.as_ref().zip(after.as_ref()).map(|(before, after)| compare(before, after, None)).unwrap_or_default();
    let change = Change::new(String::new(), State::of(before.as_ref(), after.as_ref()), fields);
    objects::effects(&change, before.as_ref(), after.as_ref())[0].class
}

#[test]
fn objects_tell_what_their_changes_do() {
    let object = |kind: &str, rest: &str| format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: a}}\n{rest}\n");
    let changed = |kind: &str, before: &str, after: &str| class(Some(&object(kind, before)), Some(&object(kind, after)));
    let daemon =
        |strategy: &str, image: &str| format!("spec: {{updateStrategy: {{type: {strategy}}}, template: {{image: {image}}}}}");
    assert_eq!(changed("DaemonSet", &daemon("RollingUpdate", "a"), &daemon("RollingUpdate", "b")), Class::Rolling);
    assert_eq!(changed("DaemonSet", &daemon("OnDelete", "a"), &daemon("OnDelete", "b")), Class::NodeReplacement);
    assert_eq!(changed("DaemonSet", &daemon("OnDelete", "a"), &daemon("RollingUpdate", "a")), Class::InPlace);
    let deployment = |image: &str| format!("spec: {{strategy: {{type: Recreate}}, template: {{image: {image}}}}}");
    assert_eq!(changed("Deployment", &deployment("a"), &deployment("b")), Class::Downtime);
    assert_eq!(changed("Deployment", "spec: {selector: {a: b}}", "spec: {selector: {a: c}}"), Class::Unsupported);
    assert_eq!(changed("ClusterRole", "rules: [{verbs: [get]}]", "rules: [{verbs: [get]}, {verbs: [list]}]"), Class::InPlace);
    assert_eq!(changed("ClusterRole", "rules: [{verbs: [get]}]", "rules: []"), Class::Unknown);
    let named = |names: &str| format!("rules: [{{verbs: [get]{names}}}]");
    assert_eq!(changed("ClusterRole", &named(""), &named(", resourceNames: [a]")), Class::Unknown);
    assert_eq!(changed("ConfigMap", "data: {a: b}", "data: {a: c}"), Class::Unknown);
    assert_eq!(changed("ConfigMap", "immutable: true\ndata: {a: b}", "immutable: true\ndata: {a: c}"), Class::Unsupported);
    assert_eq!(changed("StatefulSet", "spec: {serviceName: a}", "spec: {serviceName: b}"), Class::Unsupported);
    assert_eq!(changed("StatefulSet", "spec: {minReadySeconds: 1}", "spec: {minReadySeconds: 2}"), Class::InPlace);
    assert_eq!(changed("Deployment", "spec: {replicas: 2}", "spec: {replicas: 0}"), Class::Downtime);
    assert_eq!(changed("StorageClass", "provisioner: a", "provisioner: b"), Class::Unsupported);
    let schema = |more: &str| format!("spec: {{schema: {{properties: {{a: {{type: string}}{more}}}}}}}");
    assert_eq!(changed("CustomResourceDefinition", &schema(""), &schema(", b: {type: string}")), Class::InPlace);
    let narrower = schema("").replace("type: string", "type: string, maxLength: 3");
    assert_eq!(changed("CustomResourceDefinition", &schema(""), &narrower), Class::Unknown);
    let labelled = |kind: &str, key: &str| {
        let object =
            |value: &str| format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: a, annotations: {{x: z, {key}: {value}}}}}\n");
        class(Some(&object("one")), Some(&object("two")))
    };
    assert_eq!([labelled("DaemonSet", "a"), labelled("Namespace", "a")], [Class::InPlace, Class::Unknown]);
    assert_eq!(labelled("Service", "argocd.argoproj.io/sync-wave"), Class::InPlace);
    assert_eq!(class(Some(&object("Namespace", "")), None), Class::Downtime);
    assert_eq!(class(Some(&object("CustomResourceDefinition", "")), None), Class::Downtime);
    let kept =
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}}\n";
    assert_eq!(class(Some(kept), None), Class::InPlace);
    assert_eq!(class(None, Some(&object("NetworkPolicy", ""))), Class::Unknown);
    assert_eq!(class(None, Some(&object("ConfigMap", ""))), Class::InPlace);
}

/// A Kustomization that prunes deletes what it applied when it is renamed.
#[test]
fn sync_objects_that_go_prune_or_do_not() {
    let sync = |prune: bool| {
        let old = yaml(&format!("apiVersion: v1\nkind: Kustomization\nmetadata: {{name: a}}\nspec: {{prune: {prune}}}\n"));
        let change = Change::new(String::new(), State::Removed, Vec::new());
        objects::sync_effects(&change, Some(&old))[0].class
    };
    assert_eq!((sync(true), sync(false)), (Class::Downtime, Class::InPlace));
}
