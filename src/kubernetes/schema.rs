//! What Kubernetes says of its own objects: which fields there are, and how a patch merges into them.
//!
//! The schemas of each Kubernetes version are embedded, compressed; `.ci/kubernetes-schemas` writes them and
//! `schemas/README.md` tells what is in them. A version is inflated when it is first asked for, a definition is parsed when an
//! object first reaches it, a validator is compiled when an object does not fit, and all are kept for the life of the process.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, OnceLock};

use jsonschema::Validator;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::diagnostic::{Diagnostic, Rule};
use crate::tree::Node;
use crate::tree::schema::{Reading, report};

/// The oldest minor version of Kubernetes whose schemas are embedded; it stands in for older ones.
pub const OLDEST: u32 = 25;

/// The newest minor version of Kubernetes whose schemas are embedded; it stands in for newer ones.
pub const NEWEST: u32 = 37;

const VERSIONS: usize = (NEWEST - OLDEST + 1) as usize;

macro_rules! embedded {
    ($($minor:literal)*) => {
        [$(include_bytes!(concat!("schemas/v1.", $minor, ".json.gz")).as_slice()),*]
    };
}

/// One compressed document a version, oldest first.
const FILES: [&[u8]; VERSIONS] = embedded!(25 26 27 28 29 30 31 32 33 34 35 36 37);

/// How a schema names a definition.
const REFERENCE: &str = "#/definitions/";

/// Returns the schemas of Kubernetes 1.`minor`, or of the nearest version there is; [`Schemas::minor`] says which.
///
/// # Errors
///
/// Only if the binary was built from damaged schemas.
pub fn for_minor(minor: u32) -> Result<Arc<Schemas>, String> {
    static LOADED: [OnceLock<Result<Arc<Schemas>, String>>; VERSIONS] = [const { OnceLock::new() }; VERSIONS];
    let minor = minor.clamp(OLDEST, NEWEST);
    let index = (minor - OLDEST) as usize;
    LOADED[index].get_or_init(|| Schemas::read(minor, FILES[index]).map(Arc::new)).clone()
}

/// The schemas of one version of Kubernetes.
pub struct Schemas {
    minor: u32,
    definitions: BTreeMap<&'static str, Definition>,
    /// The names of the definitions of kinds of objects, by API version and kind.
    kinds: BTreeMap<String, BTreeMap<String, &'static str>>,
}

struct Definition {
    text: &'static str,
    parsed: OnceLock<Value>,
    /// The document that the validator was compiled from, and the validator.
    compiled: OnceLock<(Value, Validator)>,
}

/// A document of schemas, its definitions unparsed.
#[derive(Deserialize)]
struct Document {
    #[serde(borrow)]
    definitions: BTreeMap<&'static str, &'static RawValue>,
}

impl Schemas {
    fn read(minor: u32, compressed: &[u8]) -> Result<Self, String> {
        let damaged = |reason: String| format!("the embedded schemas of Kubernetes 1.{minor} are damaged: {reason}");
        let mut text = String::new();
        flate2::read::GzDecoder::new(compressed).read_to_string(&mut text).map_err(|error| damaged(error.to_string()))?;
        // Kept for the life of the process, as the function that reads it says.
        let document: Document = serde_json::from_str(text.leak()).map_err(|error| damaged(error.to_string()))?;
        let definition =
            |text: &'static RawValue| Definition { text: text.get(), parsed: OnceLock::new(), compiled: OnceLock::new() };
        let definitions: BTreeMap<_, _> = document.definitions.into_iter().map(|(name, text)| (name, definition(text))).collect();
        let kinds = find_kinds(&definitions).map_err(|error| damaged(error.to_string()))?;
        Ok(Self { minor, definitions, kinds })
    }

    /// Returns the minor version of Kubernetes that these schemas are of.
    #[must_use]
    pub fn minor(&self) -> u32 {
        self.minor
    }

    /// Returns every API version and kind of object that this version of Kubernetes has, in order.
    pub fn kinds(&self) -> impl Iterator<Item = (&str, &str)> {
        self.kinds.iter().flat_map(|(version, kinds)| kinds.keys().map(|kind| (version.as_str(), kind.as_str())))
    }

    /// Returns the name of the definition of a kind, such as `apps/v1`, `DaemonSet`.
    #[must_use]
    pub fn kind(&self, api_version: &str, kind: &str) -> Option<&'static str> {
        self.kinds.get(api_version)?.get(kind).copied()
    }

    /// Returns a definition by its name.
    #[must_use]
    pub fn definition(&self, name: &str) -> Option<&Value> {
        let definition = self.definitions.get(name)?;
        // What was read once as JSON is JSON.
        Some(definition.parsed.get_or_init(|| serde_json::from_str(definition.text).unwrap_or_default()))
    }

    /// Reports everything about `object` that the definition of its kind refuses.
    pub fn check(&self, definition: &str, object: &Node, rule: &'static Rule, findings: &mut Vec<Diagnostic>) {
        let find = |name: &str| self.definition(name.strip_prefix(REFERENCE)?);
        let reading = Reading { find: &find, format: has_format };
        if self.definition(definition).is_some_and(|schema| reading.verdict(schema, object) == Some(true)) {
            return;
        }
        if let Some((document, validator)) = self.compiled(definition) {
            report(validator, document, object, rule, findings);
        }
    }

    /// Compiles what a definition reaches. That this succeeds for every kind there is, a test shows.
    fn compiled(&self, root: &str) -> Option<&(Value, Validator)> {
        let compile = || {
            // A document of its own: the compiler checks and indexes all of the document that it is given.
            let document = json!({ "$ref": format!("{REFERENCE}{root}"), "definitions": self.reachable(root) });
            let options =
                jsonschema::draft7::options().offline().with_format("byte", is_base64).with_format("quantity", is_quantity);
            let validator = options.build(&document).unwrap_or_else(|error| unreachable!("the schema of {root}: {error}"));
            (document, validator)
        };
        Some(self.definitions.get(root)?.compiled.get_or_init(compile))
    }

    fn reachable(&self, root: &str) -> Map<String, Value> {
        let mut found = Map::new();
        let mut waiting = vec![root];
        while let Some(name) = waiting.pop() {
            if let (false, Some(schema)) = (found.contains_key(name), self.definition(name)) {
                found.insert(name.to_owned(), schema.clone());
                collect_references(schema, &mut waiting);
            }
        }
        found
    }

    /// Returns how a patch merges into the objects that a definition describes.
    #[must_use]
    pub fn merge(&self, definition: &str) -> Option<Shape<'_>> {
        let (name, _) = self.definitions.get_key_value(definition)?;
        Some(Shape { schemas: self, definition: Some(name), schema: self.definition(name)?, custom: false })
    }

    /// Returns how a patch merges into custom resources, whose definition has this schema.
    #[must_use]
    pub fn merge_custom<'a>(&'a self, schema: &'a Value) -> Shape<'a> {
        Shape { schemas: self, definition: None, schema, custom: true }
    }

    /// Follows a reference, if `schema` is one. Definitions are never references themselves.
    fn resolve<'a>(&'a self, schema: &'a Value) -> Shape<'a> {
        let inline = Shape { schemas: self, definition: None, schema, custom: false };
        reference(schema).and_then(|name| self.merge(name)).unwrap_or(inline)
    }
}

/// Finds the definitions that describe a kind of object.
fn find_kinds(
    definitions: &BTreeMap<&'static str, Definition>,
) -> serde_json::Result<BTreeMap<String, BTreeMap<String, &'static str>>> {
    #[derive(Deserialize)]
    struct Described {
        #[serde(default, rename = "x-kubernetes-group-version-kind")]
        names: Vec<Names>,
    }
    #[derive(Deserialize)]
    struct Names {
        group: String,
        version: String,
        kind: String,
    }
    let mut found = BTreeMap::<String, BTreeMap<String, &'static str>>::new();
    for (definition, Definition { text, .. }) in definitions.iter().filter(|(_, it)| it.text.contains("group-version-kind")) {
        for Names { group, version, kind } in serde_json::from_str::<Described>(text)?.names {
            let api_version = if group.is_empty() { version } else { format!("{group}/{version}") };
            found.entry(api_version).or_default().insert(kind, definition);
        }
    }
    Ok(found)
}

fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix(REFERENCE)
}

fn collect_references<'a>(schema: &'a Value, names: &mut Vec<&'a str>) {
    names.extend(reference(schema));
    match schema {
        Value::Object(members) => members.values().for_each(|member| collect_references(member, names)),
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, names)),
        _ => {}
    }
}

/// The schema of a value, for walking down an object and a patch to it side by side.
#[derive(Clone, Copy)]
pub struct Shape<'a> {
    schemas: &'a Schemas,
    definition: Option<&'a str>,
    schema: &'a Value,
    custom: bool,
}

impl<'a> Shape<'a> {
    /// Returns the name of the definition; what is described in place, as lists and maps are, has none.
    #[must_use]
    pub fn definition(self) -> Option<&'a str> {
        self.definition
    }

    /// Returns a field of an object, or a value of a map.
    #[must_use]
    pub fn field(self, name: &str) -> Option<Field<'a>> {
        let named = self.schema.get("properties").and_then(|fields| fields.get(name));
        let schema = named.or_else(|| self.schema.get("additionalProperties").filter(|values| values.is_object()))?;
        let text = |keyword: &str| schema.get(keyword).and_then(Value::as_str);
        let list_map_keys = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
        if self.custom {
            return Some(self.custom_field(schema));
        }
        Some(Field {
            shape: self.schemas.resolve(schema),
            strategy: Strategy::parse(text("x-kubernetes-patch-strategy").unwrap_or_default()),
            merge_key: text("x-kubernetes-patch-merge-key"),
            list_type: text("x-kubernetes-list-type"),
            list_map_keys: list_map_keys.into_iter().flatten().filter_map(Value::as_str).collect(),
        })
    }

    /// A field of a custom resource. Definitions say what server-side apply does with a list; a merge does the same: lists of type
    /// `map` merge by their keys, those of type `set` as sets of scalars, and all others are replaced.
    fn custom_field(self, schema: &'a Value) -> Field<'a> {
        let keys = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
        let list_map_keys: Vec<&str> = keys.into_iter().flatten().filter_map(Value::as_str).collect();
        let list_type = schema.get("x-kubernetes-list-type").and_then(Value::as_str);
        let of_objects = schema.get("items").and_then(|items| items.get("type")).and_then(Value::as_str) == Some("object");
        let merge = match list_type {
            Some("map") => !list_map_keys.is_empty(),
            Some("set") => !of_objects,
            _ => false,
        };
        Field {
            shape: Shape { schema, ..self },
            strategy: Strategy { merge, ..Strategy::default() },
            merge_key: list_map_keys.first().copied(),
            list_type,
            list_map_keys,
        }
    }

    /// Returns the names of an object's fields; none for what takes any keys.
    pub fn fields(self) -> impl Iterator<Item = &'a str> {
        self.schema.get("properties").and_then(Value::as_object).into_iter().flat_map(|fields| fields.keys().map(String::as_str))
    }

    /// Returns the shape of a list's items.
    #[must_use]
    pub fn items(self) -> Option<Shape<'a>> {
        let items = self.schema.get("items")?;
        Some(if self.custom { Shape { schema: items, ..self } } else { self.schemas.resolve(items) })
    }
}

/// A field, and how a patch merges into it.
pub struct Field<'a> {
    /// What the field holds.
    pub shape: Shape<'a>,
    /// What a strategic merge does with it.
    pub strategy: Strategy,
    /// The field that tells one item of a merged list from another; scalars merge as a set and have none.
    pub merge_key: Option<&'a str>,
    /// `atomic`, `set` or `map`: what a server-side apply does with the list.
    pub list_type: Option<&'a str>,
    /// The fields that together tell one item of a `map` list from another.
    pub list_map_keys: Vec<&'a str>,
}

/// What a strategic merge does with a field. Without any of these, objects merge and lists are replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strategy {
    /// Items of a list merge by key, or as a set.
    pub merge: bool,
    /// An object is replaced as a whole.
    pub replace: bool,
    /// Fields that the patch does not name are dropped.
    pub retain_keys: bool,
}

impl Strategy {
    fn parse(words: &str) -> Self {
        let has = |word| words.split(',').any(|each| each == word);
        Self { merge: has("merge"), replace: has("replace"), retain_keys: has("retainKeys") }
    }
}

fn has_format(name: &str, text: &str) -> Option<bool> {
    match name {
        "byte" => Some(is_base64(text)),
        "quantity" => Some(is_quantity(text)),
        _ => None,
    }
}

/// Tells whether Kubernetes reads `text` as a quantity: a decimal number and a unit or an exponent.
fn is_quantity(text: &str) -> bool {
    const UNITS: [&str; 16] = ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let unit = unsigned.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    let number = &unsigned[..unsigned.len() - unit.len()];
    let is_number = number.matches('.').count() <= 1 && number.contains(|letter: char| letter.is_ascii_digit());
    is_number && (UNITS.contains(&unit) || is_exponent(unit))
}

fn is_exponent(unit: &str) -> bool {
    let signed = unit.strip_prefix(['e', 'E']).unwrap_or_default();
    let digits = signed.strip_prefix(['+', '-']).unwrap_or(signed);
    !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
}

/// Tells whether `text` is padded base64, which may be wrapped.
fn is_base64(text: &str) -> bool {
    let letters: Vec<u8> = text.bytes().filter(|letter| !b"\r\n".contains(letter)).collect();
    let padding = letters.iter().rev().take_while(|letter| **letter == b'=').count();
    let data = &letters[..letters.len() - padding];
    let is_letter = |letter: &u8| letter.is_ascii_alphanumeric() || b"+/".contains(letter);
    letters.len().is_multiple_of(4) && padding <= 2 && data.iter().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::rules;
    use crate::tree::{Span, from_json};

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
        for good in [json!(1), json!(0.5), json!("100m"), json!("1.5Gi"), json!("-.5"), json!("1e3"), json!("2E-3"), json!("3E")]
        {
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
        object["spec"] =
            json!({"group": "a.b", "scope": "Cluster", "names": {"plural": "cs", "kind": "C"}, "versions": versions});
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
}
