use super::*;
use findings::rules;
use tree::{Span, from_json};

fn schemas(minor: u32) -> Arc<Schemas> {
    for_minor(minor).expect("embedded")
}

/// What is wrong with `object`: a path and a message each.
fn errors(minor: u32, object: &Value) -> Vec<String> {
    let name = |field: &str| object[field].as_str().expect("identity").to_owned();
    let schemas = schemas(minor);
    let kind = schemas.kind(&name("apiVersion"), &name("kind")).expect("known kind");
    let (_, validator) = schemas.compiled(kind).expect("a definition");
    let errors: Vec<_> = validator.iter_errors(object).map(|error| format!("{}: {error}", error.instance_path())).collect();
    // The quick verdict is the same.
    let mut findings = Vec::new();
    schemas.check(kind, &from_json(object, Span::NONE), &rules::OBJECT_SCHEMA, &mut findings);
    assert_eq!(findings.is_empty(), errors.is_empty(), "{object}");
    errors
}

fn deployment(field: &str, value: Value) -> Value {
    let mut container = json!({"name": "web", "image": "nginx:1"});
    container[field] = value;
    let labels = json!({"app": "web"});
    let template = json!({"metadata": {"labels": labels}, "spec": {"containers": [container]}});
    let spec = json!({"replicas": 2, "selector": {"matchLabels": labels}, "template": template});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})
}

/// Walks fields down from a definition, through the items of lists, to the last field.
fn field<'a>(schemas: &'a Schemas, definition: &str, path: &[&str]) -> Field<'a> {
    let mut shape = schemas.merge(definition).expect(definition);
    let (last, parents) = path.split_last().expect("a path");
    for name in parents {
        let inner = shape.field(name).expect(name).shape;
        shape = inner.items().unwrap_or(inner);
    }
    shape.field(last).expect(last)
}

#[test]
fn every_version_loads_and_every_kind_compiles() {
    for minor in OLDEST..=NEWEST {
        let schemas = schemas(minor);
        assert_eq!(schemas.minor(), minor);
        assert!(schemas.kinds().count() > 60, "1.{minor}");
        for (api_version, kind) in schemas.kinds() {
            let definition = schemas.kind(api_version, kind).expect("listed");
            assert!(schemas.compiled(definition).is_some(), "1.{minor} {api_version} {kind}");
        }
    }
}

#[test]
fn the_nearest_version_stands_in() {
    assert_eq!((schemas(16).minor(), schemas(99).minor()), (OLDEST, NEWEST));
}

#[test]
fn a_version_and_a_validator_are_made_once() {
    assert!(Arc::ptr_eq(&schemas(33), &schemas(33)));
    let schemas = schemas(33);
    let validator = || schemas.compiled("io.k8s.api.core.v1.Service").expect("known kind");
    assert!(std::ptr::eq(validator(), validator()));
}

#[test]
fn a_kind_is_known_by_api_version() {
    let policy = |minor| schemas(minor).kind("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy").is_some();
    assert_eq!((policy(29), policy(30)), (false, true));
    assert_eq!(schemas(33).kind("v1", "Service"), Some("io.k8s.api.core.v1.Service"));
    assert_eq!(schemas(33).kind("apps/v1", "Service"), None);
    assert_eq!(schemas(33).kind("v1", "DeleteOptions"), None);
}

#[test]
fn a_misspelt_field_is_refused_where_it_is() {
    assert_eq!(errors(33, &deployment("imagePullPolicy", json!("Always"))), [""; 0]);
    let place = "/spec/template/spec/containers/0";
    assert_eq!(
        errors(33, &deployment("imagePulPolicy", json!("Always"))),
        [format!("{place}: Additional properties are not allowed ('imagePulPolicy' was unexpected)")]
    );
}

#[test]
fn the_schema_path_of_an_error_leads_to_its_schema() {
    let (schemas, object) = (schemas(33), json!({"apiVersion": "v1", "kind": "Service", "metdata": {}}));
    let (document, validator) = schemas.compiled("io.k8s.api.core.v1.Service").expect("known kind");
    let error = validator.iter_errors(&object).next().expect("an error");
    assert_eq!(document.pointer(error.schema_path().as_str()), Some(&json!(false)));
}

#[test]
fn a_value_of_another_type_or_out_of_range_is_refused() {
    for (value, at) in [(json!("80"), "type"), (json!(1_i64 << 31), "maximum")] {
        let object = deployment("ports", json!([{"containerPort": value}]));
        assert!(errors(33, &object)[0].contains("/ports/0/containerPort: "), "{at}");
    }
    let missing = errors(33, &json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "spec": {"selector": {}}}));
    assert_eq!(missing, ["/spec: \"template\" is a required property"]);
}

#[test]
fn a_quantity_is_a_number_or_a_string_with_a_known_unit() {
    let limit = |cpu: Value| errors(33, &deployment("resources", json!({"limits": {"cpu": cpu}}))).len();
    for good in [json!(1), json!(0.5), json!("100m"), json!("1.5Gi"), json!("-.5"), json!("1e3"), json!("2E-3"), json!("3E")] {
        assert_eq!(limit(good.clone()), 0, "{good}");
    }
    for bad in [json!("100Mb"), json!("1K"), json!(""), json!("."), json!("1.2.3"), json!("1 Gi"), json!(true), json!(null)] {
        assert_eq!(limit(bad.clone()), 1, "{bad}");
    }
}

#[test]
fn a_port_is_a_number_or_a_name() {
    let policy = |port: Value| {
        let spec = json!({"podSelector": {}, "ingress": [{"ports": [{"protocol": "TCP", "port": port}]}]});
        errors(37, &json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "spec": spec})).len()
    };
    assert_eq!((policy(json!(80)), policy(json!("http")), policy(json!(8.5)), policy(json!([]))), (0, 0, 1, 1));
}

#[test]
fn a_secret_is_base64() {
    let secret = |value: &str| errors(25, &json!({"apiVersion": "v1", "kind": "Secret", "data": {"key": value}})).len();
    assert_eq!([secret(""), secret("aGk="), secret("aGVs\nbG8h"), secret("+/+/")], [0; 4]);
    assert_eq!([secret("plain text"), secret("aGk"), secret("a==="), secret("a=Gk")], [1; 4]);
}

#[test]
fn a_free_form_value_is_open() {
    let schema = json!({"type": "object", "default": {"any": ["thing"]}, "additionalProperties": true});
    let versions = json!([{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]);
    let mut object = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"});
    object["spec"] = json!({"group": "a.b", "scope": "Cluster", "names": {"plural": "cs", "kind": "C"}, "versions": versions});
    assert_eq!(errors(33, &object), [""; 0]);
    object["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["tpye"] = json!("object");
    assert_eq!(errors(33, &object).len(), 1);
}

#[test]
fn a_patch_merges_lists_by_their_keys() {
    let schemas = schemas(33);
    let pod = |path: &[&str]| field(&schemas, "io.k8s.api.core.v1.PodSpec", path);
    let merge = Strategy { merge: true, ..Strategy::default() };
    for (path, strategy, key) in [
        (&["containers"][..], merge, Some("name")),
        (&["containers", "env"], merge, Some("name")),
        (&["containers", "ports"], merge, Some("containerPort")),
        (&["volumes"], Strategy { retain_keys: true, ..merge }, Some("name")),
        (&["tolerations"], Strategy::default(), None),
        (&["containers", "resources", "limits", "cpu"], Strategy::default(), None),
    ] {
        assert_eq!((pod(path).strategy, pod(path).merge_key), (strategy, key), "{path:?}");
    }
    assert_eq!(pod(&["tolerations"]).list_type, Some("atomic"));
    assert_eq!(pod(&["containers"]).shape.items().and_then(Shape::definition), Some("io.k8s.api.core.v1.Container"));
}

#[test]
fn the_ports_of_a_service_merge_by_number_and_apply_by_number_and_protocol() {
    let schemas = schemas(33);
    let ports = field(&schemas, "io.k8s.api.core.v1.Service", &["spec", "ports"]);
    assert_eq!((ports.merge_key, ports.list_map_keys), (Some("port"), vec!["port", "protocol"]));
}

#[test]
fn the_update_strategies_of_deployments_and_daemonsets_differ() {
    let schemas = schemas(33);
    let of = |kind: &str, name: &str| field(&schemas, schemas.kind("apps/v1", kind).expect(kind), &["spec", name]);
    let daemonset = of("DaemonSet", "updateStrategy");
    assert_eq!(daemonset.shape.definition(), Some("io.k8s.api.apps.v1.DaemonSetUpdateStrategy"));
    assert!(of("Deployment", "strategy").strategy.retain_keys && !daemonset.strategy.retain_keys);
}

#[test]
fn an_unknown_field_has_no_shape() {
    let schemas = schemas(33);
    assert!(schemas.merge("io.k8s.api.core.v1.PodSpec").expect("known").field("contianers").is_none());
    assert!(schemas.merge("io.k8s.api.core.v1.Pods").is_none());
}
