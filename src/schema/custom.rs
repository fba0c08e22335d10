//! What a `CustomResourceDefinition` says of its objects.
//!
//! The API server takes structural schemas only, and drops fields that they do not name without a word. Here such a field is an
//! error: it is a misspelt one. What a schema leaves open (`x-kubernetes-preserve-unknown-fields`) stays open.

use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use crate::json::Schema;
use tree::{Node, Path};

/// A definition of custom resources.
#[derive(Debug)]
pub struct Custom {
    /// API group of its objects.
    pub group: String,
    /// Their kind.
    pub kind: String,
    /// Its versions.
    pub versions: Vec<Version>,
}

/// A version of a definition.
#[derive(Debug)]
pub struct Version {
    /// Its name.
    pub name: String,
    /// Whether the API server has it.
    pub served: bool,
    source: Value,
    schema: OnceLock<Option<Schema>>,
}

impl Custom {
    /// Reads a `CustomResourceDefinition` of `apiextensions.k8s.io/v1`; none when it is something else, or incomplete.
    #[must_use]
    pub fn of(node: &Node) -> Option<Self> {
        if (node.str_at("apiVersion")?, node.str_at("kind")?) != ("apiextensions.k8s.io/v1", "CustomResourceDefinition") {
            return None;
        }
        let spec = node.get("spec")?;
        let version = |version: &Node| {
            Some(Version {
                name: version.str_at("name")?.to_owned(),
                served: version.get("served")?.as_bool()?,
                source: version.get("schema")?.get("openAPIV3Schema")?.to_json(),
                schema: OnceLock::new(),
            })
        };
        Some(Self {
            group: spec.str_at("group")?.to_owned(),
            kind: spec.get("names")?.str_at("kind")?.to_owned(),
            versions: spec.get("versions")?.as_list()?.iter().filter_map(version).collect(),
        })
    }
}

impl Version {
    /// The schema as it is written, for walking down an object.
    #[must_use]
    pub fn source(&self) -> &Value {
        &self.source
    }

    /// The schema of its objects, closed; none when it cannot be understood, which is not the objects' fault.
    #[must_use]
    pub fn schema(&self) -> Option<&Schema> {
        let make = || {
            let mut schema = self.source.clone();
            closed(&mut schema);
            root(&mut schema);
            // Patterns are Go's; one that only Go reads is left out with the others.
            Schema::new(schema.clone()).or_else(|_| Schema::new(without_patterns(schema))).ok()
        };
        self.schema.get_or_init(make).as_ref()
    }
}

/// What every object has beside what its schema says; `metadata` is Kubernetes' own.
fn root(schema: &mut Value) {
    let Some(words) = schema.as_object_mut() else { return };
    let properties = words.entry("properties").or_insert_with(|| json!({}));
    if let Some(properties) = properties.as_object_mut() {
        properties.insert("apiVersion".into(), json!({"type": "string"}));
        properties.insert("kind".into(), json!({"type": "string"}));
        properties.insert("metadata".into(), json!({"type": "object"}));
    }
}

/// Turns Kubernetes' dialect into JSON Schema, and refuses fields that are not named.
fn closed(schema: &mut Value) {
    let Some(words) = schema.as_object_mut() else { return };
    let flag = |words: &Map<String, Value>, word: &str| words.get(word).and_then(Value::as_bool).unwrap_or_default();
    let open = flag(words, "x-kubernetes-preserve-unknown-fields") || words.contains_key("additionalProperties");
    if flag(words, "x-kubernetes-embedded-resource") {
        root_of_embedded(words);
    }
    if words.get("type").and_then(Value::as_str) == Some("object") && !open {
        words.insert("additionalProperties".into(), false.into());
    }
    if flag(words, "x-kubernetes-int-or-string") {
        words.insert("type".into(), json!(["integer", "string"]));
    }
    if flag(words, "nullable") {
        nullable(words);
    }
    bounds(words);
    // Formats are hints of other tools, and read differently by each.
    for word in ["description", "example", "externalDocs", "format", "nullable", "title"] {
        words.remove(word);
    }
    words.retain(|word, _| !word.starts_with("x-kubernetes-"));
    if let Some(properties) = words.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(closed);
    }
    ["additionalProperties", "items"].iter().for_each(|word| words.get_mut(*word).into_iter().for_each(closed));
    // Inside of these stand conditions on what is named outside of them.
    for word in ["allOf", "anyOf", "oneOf"] {
        words.get_mut(word).and_then(Value::as_array_mut).into_iter().flatten().for_each(condition);
    }
    words.get_mut("not").into_iter().for_each(condition);
}

fn root_of_embedded(words: &mut Map<String, Value>) {
    let mut embedded = Value::Object(std::mem::take(words));
    root(&mut embedded);
    if let Value::Object(map) = embedded {
        *words = map;
    }
}

fn nullable(words: &mut Map<String, Value>) {
    match words.get_mut("type") {
        Some(Value::Array(types)) => types.push("null".into()),
        Some(one) => *one = json!([one.take(), "null"]),
        None => {}
    }
    if let Some(values) = words.get_mut("enum").and_then(Value::as_array_mut) {
        values.push(Value::Null);
    }
}

/// OpenAPI 3.0 says with a flag that a bound is not part of the range, JSON Schema with a bound of its own.
fn bounds(words: &mut Map<String, Value>) {
    for (bound, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
        if words.remove(exclusive) == Some(Value::Bool(true))
            && let Some(number) = words.remove(bound)
        {
            words.insert(exclusive.into(), number);
        }
    }
}

fn condition(schema: &mut Value) {
    let Some(words) = schema.as_object_mut() else { return };
    bounds(words);
    words.remove("format");
    words.retain(|word, _| !word.starts_with("x-kubernetes-"));
    if let Some(properties) = words.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(condition);
    }
    ["additionalProperties", "items", "not"].iter().for_each(|word| words.get_mut(*word).into_iter().for_each(condition));
    for word in ["allOf", "anyOf", "oneOf"] {
        words.get_mut(word).and_then(Value::as_array_mut).into_iter().flatten().for_each(condition);
    }
}

fn without_patterns(mut schema: Value) -> Value {
    fn strip(schema: &mut Value) {
        match schema {
            Value::Object(words) => {
                if words.get("pattern").is_some_and(Value::is_string) {
                    words.remove("pattern");
                }
                words.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut schema);
    schema
}

/// Words of JSON Schema that a structural schema does not have (Kubernetes documentation, "Specifying a structural schema").
const FOREIGN: [&str; 10] = [
    "$ref",
    "definitions",
    "dependencies",
    "deprecated",
    "discriminator",
    "id",
    "patternProperties",
    "readOnly",
    "writeOnly",
    "xml",
];

/// Why the API server would refuse the schemas of a definition: paths in it, and what is wrong there.
#[must_use]
pub fn not_structural(node: &Node) -> Vec<(Path, String)> {
    let mut found = Vec::new();
    let versions = Path::dotted("spec.versions");
    for (at, version) in node.at(&versions).and_then(Node::as_list).into_iter().flatten().enumerate() {
        let path = versions.item(at).child("schema").child("openAPIV3Schema");
        if let Some(schema) = version.get("schema").and_then(|schema| schema.get("openAPIV3Schema")) {
            structural(schema, &path, &mut found);
        }
    }
    found
}

fn structural(schema: &Node, path: &Path, found: &mut Vec<(Path, String)>) {
    let flag = |word: &str| schema.get(word).and_then(Node::as_bool).unwrap_or_default();
    let typed = schema.get("type").is_some_and(|kind| kind.as_str().is_some_and(|text| !text.is_empty()));
    if !typed && !flag("x-kubernetes-int-or-string") && !flag("x-kubernetes-preserve-unknown-fields") {
        found.push((path.clone(), "has no `type`".to_owned()));
    }
    for word in FOREIGN.iter().filter(|word| schema.get(word).is_some()) {
        found.push((path.child(word), "is no word of a structural schema".to_owned()));
    }
    keys(schema, path, found);
    for (key, child) in schema.get("properties").and_then(Node::as_map).into_iter().flat_map(|map| map.iter()) {
        structural(child, &path.child("properties").child(&key.text), found);
    }
    if let Some(items) = schema.get("items") {
        structural(items, &path.child("items"), found);
    }
    match schema.get("additionalProperties") {
        Some(values) if values.as_bool() == Some(false) => {
            let what = "must not be false: fields that are not named are dropped anyway".to_owned();
            found.push((path.child("additionalProperties"), what));
        }
        Some(_) if schema.get("properties").is_some() => {
            found.push((path.child("additionalProperties"), "excludes `properties`, and both are there".to_owned()));
        }
        Some(values) if values.as_map().is_some() => structural(values, &path.child("additionalProperties"), found),
        _ => {}
    }
}

/// Keys of a list's items have a value in each item.
fn keys(schema: &Node, path: &Path, found: &mut Vec<(Path, String)>) {
    let Some(keys) = schema.get("x-kubernetes-list-map-keys").and_then(Node::as_list) else { return };
    let Some(items) = schema.get("items") else { return };
    let required = |key: &str| {
        items.get("required").and_then(Node::as_list).is_some_and(|names| names.iter().any(|name| name.as_str() == Some(key)))
    };
    let default = |key: &str| items.get("properties").and_then(|all| all.get(key)?.get("default")).is_some();
    for key in keys.iter().filter_map(Node::as_str).filter(|key| !required(key) && !default(key)) {
        let what = format!("names `{key}`, which is neither required nor has a default");
        found.push((path.child("x-kubernetes-list-map-keys"), what));
    }
}
