//! Trees against JSON Schemas: one checker for declarations, overlay options and Kubernetes objects.

mod formats;
mod report;

use jsonschema::Validator;
use serde_json::Value as Json;

use super::{Map, Node, Value};
use crate::diagnostic::{Diagnostic, Rule};
use crate::limits;
use formats::FORMATS;
pub(crate) use formats::dns_label;
use report::Report;

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

    /// As [`Schema::check`], for a node that stands at the path `base` of its document.
    pub fn check_below(&self, base: &str, node: &Node, rule: &'static Rule, findings: &mut Vec<Diagnostic>) {
        let report = Report { root: &self.root, node, base, rule };
        all(&self.validator, &report, findings);
    }
}

/// Reports everything about `node` that `validator`, compiled from `root`, refuses.
pub fn report(validator: &Validator, root: &Json, node: &Node, rule: &'static Rule, findings: &mut Vec<Diagnostic>) {
    all(validator, &Report { root, node, base: "", rule }, findings);
}

fn all(validator: &Validator, report: &Report<'_>, findings: &mut Vec<Diagnostic>) {
    let json = report.node.to_json();
    if validator.is_valid(&json) {
        return;
    }
    // More than people are shown would only cost memory; a hostile file has hundreds of thousands.
    let first = findings.len();
    for error in validator.iter_errors(&json).take(limits::DIAGNOSTICS + 1) {
        report.describe(&error, findings);
        findings.truncate(first + limits::DIAGNOSTICS + 1);
    }
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
