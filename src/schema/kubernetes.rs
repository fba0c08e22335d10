//! What Kubernetes says of its own objects: which fields there are, and how a patch merges into them.
//!
//! The schemas of each Kubernetes version are embedded, compressed; `.ci/kubernetes-schemas` writes them and
//! `schemas/README.md` tells what is in them. A version is inflated when it is first asked for, a definition is parsed when an
//! object first reaches it, a validator is compiled when an object does not fit, and all are kept for the life of the process.

mod formats;
mod shape;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, OnceLock};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

pub use shape::{Field, Shape, Strategy};

use crate::json::{Reading, report};
use findings::{Diagnostic, Rule};
use tree::Node;

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

/// The names of the definitions of kinds of objects, by API version and kind.
type Kinds = BTreeMap<&'static str, BTreeMap<&'static str, &'static str>>;

/// The schemas of one version of Kubernetes.
pub struct Schemas {
    minor: u32,
    kinds: Kinds,
    definitions: BTreeMap<&'static str, Definition>,
}

struct Definition {
    text: &'static str,
    parsed: OnceLock<Value>,
    /// The document that the validator was compiled from, and the validator.
    compiled: OnceLock<Box<(Value, Validator)>>,
}

impl Schemas {
    fn read(minor: u32, compressed: &[u8]) -> Result<Self, String> {
        let damaged = |reason: String| format!("the embedded schemas of Kubernetes 1.{minor} are damaged: {reason}");
        let mut text = String::with_capacity(inflated(compressed));
        flate2::read::GzDecoder::new(compressed).read_to_string(&mut text).map_err(|error| damaged(error.to_string()))?;
        // Kept for the life of the process, as the function that reads it says.
        let text: &'static str = text.leak();
        let kinds = text.lines().next().and_then(|line| line.strip_prefix(r#"{"kinds":"#)?.strip_suffix(r#","definitions":{"#));
        let kinds: Kinds = serde_json::from_str(kinds.unwrap_or_default()).map_err(|error| damaged(error.to_string()))?;
        let definition = |line: &'static str| {
            let (name, text) = line.strip_prefix('"')?.split_once("\":")?;
            let text = text.strip_suffix(',').unwrap_or(text);
            Some((name, Definition { text, parsed: OnceLock::new(), compiled: OnceLock::new() }))
        };
        Ok(Self { minor, kinds, definitions: text.lines().skip(1).filter_map(definition).collect() })
    }

    /// Returns the minor version of Kubernetes that these schemas are of.
    #[must_use]
    pub fn minor(&self) -> u32 {
        self.minor
    }

    /// Returns every API version and kind of object that this version of Kubernetes has, in order.
    pub fn kinds(&self) -> impl Iterator<Item = (&str, &str)> {
        self.kinds.iter().flat_map(|(version, kinds)| kinds.keys().map(|kind| (*version, *kind)))
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
        let reading = Reading { find: &find, format: formats::has_format };
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
            let options = jsonschema::draft7::options()
                .offline()
                .with_format("byte", formats::is_base64)
                .with_format("quantity", formats::is_quantity);
            let validator = options.build(&document).unwrap_or_else(|error| unreachable!("the schema of {root}: {error}"));
            Box::new((document, validator))
        };
        Some(self.definitions.get(root)?.compiled.get_or_init(compile).as_ref())
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
}

/// The number of bytes that a file inflates to, by its last four bytes (RFC 1952, `ISIZE`).
fn inflated(compressed: &[u8]) -> usize {
    compressed.last_chunk().map_or(0, |size| u32::from_le_bytes(*size) as usize)
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
