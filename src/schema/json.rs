//! Trees against JSON Schemas: one checker for declarations, overlay options and Kubernetes objects.

mod formats;
mod report;
mod verdict;

use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::Value as Json;

use self::report::Report;
use findings::{Diagnostic, Rule};
use formats::FORMATS;
pub use formats::dns_label;
use tree::{Map, Node, Value, limits};
pub use verdict::Reading;

/// A JSON Schema. Its validator is compiled when something does not fit.
#[derive(Debug)]
pub struct Schema {
    validator: OnceLock<Validator>,
    root: Json,
}

impl Schema {
    /// A schema that a user wrote.
    ///
    /// # Errors
    /// When it is no JSON Schema; the text says why.
    pub fn new(root: Json) -> Result<Self, String> {
        let validator = OnceLock::from(compile(&root)?);
        Ok(Self { validator, root })
    }

    /// A schema that came with netloom: derived from its own types, or of a stock overlay. The tests see that it is one.
    #[must_use]
    pub fn of(root: Json) -> Self {
        Self { validator: OnceLock::new(), root }
    }

    fn validator(&self) -> &Validator {
        self.validator.get_or_init(|| compile(&self.root).unwrap_or_else(|error| unreachable!("a schema of netloom: {error}")))
    }

    /// The schema's text.
    #[must_use]
    pub fn root(&self) -> &Json {
        &self.root
    }

    /// Reports everything about `node` that the schema refuses, under `rule` unless a more telling one exists.
    pub fn check(&self, node: &Node, rule: &'static Rule, findings: &mut Vec<Diagnostic>) {
        self.check_below("", node, rule, findings);
    }

    /// As [`Schema::check`], for a node that stands at the path `base` of its document.
    pub fn check_below(&self, base: &str, node: &Node, rule: &'static Rule, findings: &mut Vec<Diagnostic>) {
        let find = |reference: &str| self.root.pointer(reference.strip_prefix('#')?);
        if (Reading { find: &find, format: formats::has }).verdict(&self.root, node) != Some(true) {
            all(self.validator(), &Report { root: &self.root, node, base, rule }, findings);
        }
    }
}

fn compile(root: &Json) -> Result<Validator, String> {
    let options = FORMATS.iter().fold(jsonschema::options().should_validate_formats(true), |options, format| {
        options.with_format(format.name, |text: &str| (format.check)(text).is_ok())
    });
    options.build(root).map_err(|error| error.to_string())
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
            map.push(name.as_str(), tree::from_json(default, span));
        }
        if let Some(child) = map.get_mut(name) {
            fill_defaults(property, child);
        }
    }
}
