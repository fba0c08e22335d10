//! Trees against JSON Schemas: one checker for declarations, overlay options and Kubernetes objects.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use serde_json::Value as Json;

use super::{Map, Node, Path, Value};
use crate::address::{self, Cidr};
use crate::diagnostic::{Diagnostic, Rule, rules};
use crate::limits;

/// A compiled JSON Schema.
#[derive(Debug)]
pub struct Schema {
    validator: Validator,
    root: Json,
}

impl Schema {
    /// Compiles a schema that a user wrote.
    ///
    /// # Errors
    /// When it is no JSON Schema; the text says why.
    pub fn new(root: Json) -> Result<Self, String> {
        let options = FORMATS.iter().fold(jsonschema::options().should_validate_formats(true), |options, format| {
            options.with_format(format.name, |text: &str| (format.check)(text).is_ok())
        });
        let validator = options.build(&root).map_err(|error| error.to_string())?;
        Ok(Self { validator, root })
    }

    /// Compiles a schema that netloom derived from its own types.
    ///
    /// # Panics
    /// When the derivation made no JSON Schema, which the tests would see.
    #[must_use]
    pub fn of(root: Json) -> Self {
        Self::new(root).unwrap_or_else(|error| unreachable!("derived schema: {error}"))
    }

    /// The schema's text.
    #[must_use]
    pub fn root(&self) -> &Json {
        &self.root
    }

    /// Reports everything about `node` that the schema refuses, under `rule` unless a more telling one exists.
    pub fn check(&self, node: &Node, rule: &'static Rule, findings: &mut Vec<Diagnostic>) {
        report(&self.validator, &self.root, node, rule, findings);
    }
}

/// Reports everything about `node` that `validator`, compiled from `root`, refuses.
pub fn report(validator: &Validator, root: &Json, node: &Node, rule: &'static Rule, findings: &mut Vec<Diagnostic>) {
    let json = node.to_json();
    if validator.is_valid(&json) {
        return;
    }
    // More than people are shown would only cost memory; a hostile file has hundreds of thousands.
    let first = findings.len();
    for error in validator.iter_errors(&json).take(limits::DIAGNOSTICS + 1) {
        describe(root, node, &error, rule, findings);
        findings.truncate(first + limits::DIAGNOSTICS + 1);
    }
}

/// The path that a JSON pointer names in `node`.
fn path_of(node: &Node, pointer: &str) -> Path {
    let mut path = Path::default();
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        let parent = node.at(&path);
        path = match part.parse() {
            Ok(index) if parent.is_some_and(|parent| parent.as_list().is_some()) => path.item(index),
            _ => path.child(&part),
        };
    }
    path
}

fn describe(root: &Json, node: &Node, error: &ValidationError<'_>, rule: &'static Rule, findings: &mut Vec<Diagnostic>) {
    let path = path_of(node, error.instance_path().as_str());
    let place = node.nearest(&path);
    let here = if path.0.is_empty() { "the document".to_owned() } else { format!("`{path}`") };
    let (rule, message, help) = match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            unknown_keys(root, node, error, &path, unexpected, rule, findings);
            return;
        }
        ValidationErrorKind::Required { property } => {
            (rule, format!("{here} lacks `{}`", property.as_str().unwrap_or_default()), None)
        }
        ValidationErrorKind::Type { kind } => {
            (rule, format!("{here} is {}, but takes {}", place.kind(), type_name(kind)), type_help(place, kind))
        }
        ValidationErrorKind::Enum { options } => return one_of(&here, place, options, rule, findings),
        ValidationErrorKind::Constant { expected_value } => (rule, format!("{here} must be {expected_value}"), None),
        ValidationErrorKind::Format { format } => {
            let text = place.as_str().unwrap_or_default();
            match FORMATS.iter().find(|known| known.name == format).map(|known| (known.check)(text)) {
                Some(Err(invalid)) => (invalid.rule, format!("{here}: {}", invalid.message), invalid.help),
                _ => (rule, format!("{here} is no valid {format}"), None),
            }
        }
        ValidationErrorKind::Pattern { pattern } => (rule, format!("{here} does not have the form `{pattern}`"), None),
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            if let Some(form) = meant(error, context) {
                return form.iter().for_each(|inner| describe(root, node, inner, rule, findings));
            }
            (rule, format!("{here} has none of the forms that are allowed here"), None)
        }
        _ => (rule, format!("{here}: {}", error.masked()), None),
    };
    let mut finding = Diagnostic::new(rule, place.span, message);
    if let Some(help) = help {
        finding = finding.help(help);
    }
    findings.push(finding);
}

/// Of several forms, the one that was meant: of those that take this type of value, the one whose complaints lie deepest.
fn meant<'e>(error: &ValidationError<'_>, forms: &'e [Vec<ValidationError<'static>>]) -> Option<&'e [ValidationError<'static>]> {
    let here = error.instance_path().as_str();
    let other_type = |inner: &ValidationError<'_>| {
        inner.instance_path().as_str() == here && matches!(inner.kind(), ValidationErrorKind::Type { .. })
    };
    let depth = |inner: &ValidationError<'_>| inner.instance_path().as_str().matches('/').count();
    let fitting = forms.iter().filter(|form| !form.is_empty() && !form.iter().any(other_type));
    fitting.max_by_key(|form| form.iter().map(depth).max()).map(Vec::as_slice)
}

fn one_of(here: &str, place: &Node, options: &Json, rule: &'static Rule, findings: &mut Vec<Diagnostic>) {
    let names: Vec<&str> = options.as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let given = place.as_str().map_or_else(|| place.kind().to_owned(), |text| format!("`{text}`"));
    let message = format!("{here} is {given}, but takes one of: {}", names.join(", "));
    findings.push(Diagnostic::new(rule, place.span, message).suggest(place.as_str().unwrap_or_default(), names));
}

fn unknown_keys(
    root: &Json,
    node: &Node,
    error: &ValidationError<'_>,
    path: &Path,
    unexpected: &[String],
    rule: &'static Rule,
    findings: &mut Vec<Diagnostic>,
) {
    let rule = if rule.code == rules::SCHEMA.code { &rules::UNKNOWN_KEY } else { rule };
    let known = known_keys(root, error);
    for key in unexpected.iter().take(limits::DIAGNOSTICS + 1) {
        let span = node.key_at(&path.child(key)).map_or(node.nearest(path).span, |key| key.span);
        let parent = if path.0.is_empty() { String::new() } else { format!(" in `{path}`") };
        let finding = Diagnostic::new(rule, span, format!("unknown key `{key}`{parent}"));
        let suggestion = crate::diagnostic::nearest(key, known.iter().map(String::as_str));
        findings.push(match suggestion {
            Some(name) => finding.help(format!("did you mean `{name}`?")),
            None if known.is_empty() => finding,
            None => finding.help(format!("known here: {}", known.join(", "))),
        });
    }
}

/// The properties of the schema that refused a key.
fn known_keys(root: &Json, error: &ValidationError<'_>) -> Vec<String> {
    let pointer = error.schema_path().as_str();
    let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
    let properties = root.pointer(parent).and_then(|schema| schema.get("properties")).and_then(Json::as_object);
    properties.map(|properties| properties.keys().cloned().collect()).unwrap_or_default()
}

/// The types that a field takes; `null` goes without saying, because Kubernetes takes it nearly everywhere.
fn type_names(kind: &TypeKind) -> Vec<String> {
    let names: Vec<String> = match kind {
        TypeKind::Single(one) => vec![one.as_str().to_owned()],
        TypeKind::Multiple(many) => many.iter().map(|one| one.as_str().to_owned()).collect(),
    };
    let telling: Vec<String> = names.iter().filter(|name| *name != "null").cloned().collect();
    if telling.is_empty() { names } else { telling }
}

fn type_name(kind: &TypeKind) -> String {
    type_names(kind).iter().map(|name| article(name)).collect::<Vec<_>>().join(" or ")
}

fn article(name: &str) -> String {
    match name {
        "object" => "a mapping".to_owned(),
        "array" => "a list".to_owned(),
        "integer" => "an integer".to_owned(),
        "null" => "nothing".to_owned(),
        other => format!("a {other}"),
    }
}

fn type_help(place: &Node, kind: &TypeKind) -> Option<String> {
    let wants_text = type_names(kind) == ["string"];
    let text = match place.value {
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => return None,
    };
    wants_text.then(|| format!("write it in quotes: \"{text}\"; in an expression, add `|string`"))
}

/// A text format of ours.
struct Format {
    name: &'static str,
    check: fn(&str) -> Result<(), address::Invalid>,
}

const FORMATS: [Format; 4] = [
    Format { name: "cidr", check: |text| text.parse::<Cidr>().map(drop) },
    Format { name: "ip", check: |text| address::parse_ip(text).map(drop) },
    Format { name: "dns-label", check: dns_label },
    Format { name: "kubernetes-version", check: kubernetes_version },
];

/// A DNS label (RFC 1123) that is no device name of Windows.
pub(crate) fn dns_label(text: &str) -> Result<(), address::Invalid> {
    let inner = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let ends = !text.starts_with('-') && !text.ends_with('-');
    let device = matches!(text, "con" | "prn" | "aux" | "nul")
        || (text.len() == 4
            && (text.starts_with("com") || text.starts_with("lpt"))
            && text.ends_with(|c: char| c.is_ascii_digit()));
    if !text.is_empty() && text.len() <= 63 && inner && ends && !device {
        return Ok(());
    }
    Err(address::Invalid { rule: &rules::NAME_INVALID, message: format!("`{text}` is no DNS label"), help: None })
}

fn kubernetes_version(text: &str) -> Result<(), address::Invalid> {
    let numbers: Option<Vec<u32>> = text.split('.').map(|part| part.parse().ok()).collect();
    match numbers.as_deref() {
        Some([1, minor] | [1, minor, _]) if *minor >= 16 => Ok(()),
        Some([1, _] | [1, _, _]) => Err(version_error(format!("Kubernetes {text} is older than 1.16"))),
        _ => Err(version_error(format!("`{text}` is no Kubernetes version such as \"1.33\""))),
    }
}

fn version_error(message: String) -> address::Invalid {
    address::Invalid { rule: &rules::KUBERNETES_VERSION, message, help: None }
}

/// Puts the defaults of `schema` into the mappings of `node`, at every level that is there.
pub fn fill_defaults(schema: &Json, node: &mut Node) {
    let Some(properties) = schema.get("properties").and_then(Json::as_object) else { return };
    if node.is_null() {
        node.value = Value::Map(Map::new());
    }
    let span = node.span;
    let Some(map) = node.as_map_mut() else { return };
    for (name, property) in properties {
        if let Some(default) = property.get("default").filter(|_| !map.contains(name)) {
            map.push(name.as_str(), super::from_json(default, span));
        }
        if let Some(child) = map.get_mut(name) {
            fill_defaults(property, child);
        }
    }
}
