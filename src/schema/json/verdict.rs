//! The quick way to a yes: a schema read as it stands, without compiling it.
//!
//! Nearly everything that is checked is valid, and compiling a schema costs more than a hundred small checks. A verdict is yes,
//! no or unknown; the compiled validator is asked for everything that is not yes, and it alone words what is wrong. What stands
//! here may therefore know less than the whole of JSON Schema, but what it says must be true.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use regex_lite::Regex;
use serde_json::{Map as Members, Value as Json};

use tree::{Key, Node, Value};

/// How deep references and nested schemas may lead; deeper ones are unknown.
const DEPTH: usize = 256;

/// What a schema's words refer to.
#[derive(Clone, Copy)]
pub struct Reading<'s> {
    /// Finds what a `$ref` names.
    pub find: &'s (dyn Fn(&str) -> Option<&'s Json> + Sync),
    /// Whether a text has a format; none for a format that is not known.
    pub format: fn(format: &str, text: &str) -> Option<bool>,
}

impl Reading<'_> {
    /// Whether `node` fits `schema`; none where that would take more than this knows.
    #[must_use]
    pub fn verdict(self, schema: &Json, node: &Node) -> Option<bool> {
        self.at(schema, node, 0)
    }

    fn at(self, schema: &Json, node: &Node, depth: usize) -> Option<bool> {
        match schema {
            Json::Bool(all) => Some(*all),
            Json::Object(words) if depth < DEPTH => {
                all(words.iter().map(|(word, value)| self.word(words, word, value, node, depth + 1)))
            }
            _ => None,
        }
    }

    /// A word that says something about any value.
    fn word(self, words: &Members<String, Json>, word: &str, value: &Json, node: &Node, depth: usize) -> Option<bool> {
        match word {
            "type" => has_type(value, &node.value),
            "$ref" => self.at((self.find)(value.as_str()?)?, node, depth),
            "enum" => any(value.as_array()?.iter().map(|one| equal(one, &node.value))),
            "const" => equal(value, &node.value),
            "allOf" => all(value.as_array()?.iter().map(|one| self.at(one, node, depth))),
            "anyOf" => any(value.as_array()?.iter().map(|one| self.at(one, node, depth))),
            "oneOf" => {
                let verdicts: Option<Vec<bool>> = value.as_array()?.iter().map(|one| self.at(one, node, depth)).collect();
                Some(verdicts?.into_iter().filter(|fits| *fits).count() == 1)
            }
            "not" => Some(!self.at(value, node, depth)?),
            "title" | "description" | "default" | "examples" | "$schema" | "$defs" | "definitions" => Some(true),
            _ if word.starts_with("x-kubernetes-") => Some(true),
            _ => self.word_of_type(words, word, value, node, depth),
        }
    }

    /// A word about values of one type; about others it says nothing.
    fn word_of_type(self, words: &Members<String, Json>, word: &str, value: &Json, node: &Node, depth: usize) -> Option<bool> {
        const COLLECTIONS: [&str; 5] = ["properties", "additionalProperties", "propertyNames", "required", "items"];
        const SIZES: [&str; 6] = ["minProperties", "maxProperties", "minItems", "maxItems", "minLength", "maxLength"];
        const SCALARS: [&str; 4] = ["format", "pattern", "minimum", "maximum"];
        match (word, &node.value) {
            ("properties", Value::Map(map)) => {
                // A schema of Kubernetes' has forty of them where an object has four.
                let schemas = value.as_object()?;
                let known = |(key, node): (&Key, &Node)| schemas.get(&*key.text).map(|schema| self.at(schema, node, depth));
                all(map.iter().filter_map(known))
            }
            ("additionalProperties", Value::Map(map)) => {
                if words.contains_key("patternProperties") {
                    return None;
                }
                let known = words.get("properties").and_then(Json::as_object);
                let others = map.iter().filter(|(key, _)| known.is_none_or(|known| !known.contains_key(&*key.text)));
                all(others.map(|(_, node)| self.at(value, node, depth)))
            }
            ("propertyNames", Value::Map(map)) => all(map.keys().map(|key| self.at(value, &key.into(), depth))),
            ("required", Value::Map(map)) => {
                Some(value.as_array()?.iter().all(|name| name.as_str().is_some_and(|name| map.contains(name))))
            }
            ("items", Value::List(items)) => all(items.iter().map(|item| self.at(value, item, depth))),
            ("minProperties", Value::Map(map)) => Some(map.len() as u64 >= value.as_u64()?),
            ("maxProperties", Value::Map(map)) => Some(map.len() as u64 <= value.as_u64()?),
            ("minItems", Value::List(items)) => Some(items.len() as u64 >= value.as_u64()?),
            ("maxItems", Value::List(items)) => Some(items.len() as u64 <= value.as_u64()?),
            ("minLength", Value::String(text)) => Some(text.chars().count() as u64 >= value.as_u64()?),
            ("maxLength", Value::String(text)) => Some(text.chars().count() as u64 <= value.as_u64()?),
            ("format", Value::String(text)) => (self.format)(value.as_str()?, text),
            ("pattern", Value::String(text)) => matches(value.as_str()?, text),
            ("minimum", Value::Int(number)) => Some(*number >= value.as_i64()?),
            ("maximum", Value::Int(number)) => Some(*number <= value.as_i64()?),
            ("minimum" | "maximum", Value::Float(_)) => None,
            _ => (COLLECTIONS.contains(&word) || SIZES.contains(&word) || SCALARS.contains(&word)).then_some(true),
        }
    }
}

/// No if one is no, yes if all are yes.
fn all(verdicts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(true);
    for verdict in verdicts {
        match verdict {
            Some(true) => {}
            Some(false) => return Some(false),
            None => result = None,
        }
    }
    result
}

/// Yes if one is yes, no if all are no.
fn any(verdicts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    all(verdicts.map(|verdict| verdict.map(|it| !it))).map(|none| !none)
}

fn has_type(wanted: &Json, value: &Value) -> Option<bool> {
    if let Json::Array(several) = wanted {
        return any(several.iter().map(|one| has_type(one, value)));
    }
    Some(match wanted.as_str()? {
        "null" => matches!(value, Value::Null),
        "boolean" => matches!(value, Value::Bool(_)),
        "integer" => matches!(value, Value::Int(_)) || matches!(value, Value::Float(number) if number.fract() == 0.0),
        "number" => matches!(value, Value::Int(_) | Value::Float(_)),
        "string" => matches!(value, Value::String(_)),
        "array" => matches!(value, Value::List(_)),
        "object" => matches!(value, Value::Map(_)),
        _ => return None,
    })
}

/// Whether two scalars are equal; collections are left to the validator.
fn equal(wanted: &Json, value: &Value) -> Option<bool> {
    match (wanted, value) {
        (Json::Array(_) | Json::Object(_), _) | (Json::Number(_), Value::Float(_)) => None,
        (Json::Null, Value::Null) => Some(true),
        (Json::Bool(wanted), Value::Bool(flag)) => Some(wanted == flag),
        (Json::String(wanted), Value::String(text)) => Some(**wanted == **text),
        (Json::Number(wanted), Value::Int(number)) => Some(wanted.as_i64()? == *number),
        _ => Some(false),
    }
}

/// A pattern, compiled, and some of the texts that match: regions, zones and versions come again with every cluster.
#[derive(Debug)]
struct Pattern {
    regex: Option<Arc<Regex>>,
    matching: BTreeSet<String>,
}

/// Texts that are remembered for each pattern.
const REMEMBERED: usize = 64;
/// Bytes of such a text.
const REMEMBERED_BYTES: usize = 64;

/// Whether a text matches; unknown when it does not, because the validator's dialect of patterns is another.
fn matches(pattern: &str, text: &str) -> Option<bool> {
    static KNOWN: RwLock<BTreeMap<String, Pattern>> = RwLock::new(BTreeMap::new());
    let write = || KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    // Nothing is compiled or matched while others wait.
    let ask = |known: &Pattern| (known.matching.contains(text), known.matching.len() < REMEMBERED, known.regex.clone());
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner).get(pattern).map(ask);
    let (matched, room, regex) = known.unwrap_or_else(|| {
        let regex = Regex::new(pattern).ok().map(Arc::new);
        let new = Pattern { regex: regex.clone(), matching: BTreeSet::new() };
        write().entry(pattern.to_owned()).or_insert(new);
        (false, true, regex)
    });
    if matched {
        return Some(true);
    }
    let matches = regex?.is_match(text);
    if matches
        && room
        && text.len() <= REMEMBERED_BYTES
        && let Some(known) = write().get_mut(pattern).filter(|known| known.matching.len() < REMEMBERED)
    {
        known.matching.insert(text.to_owned());
    }
    matches.then_some(true)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use tree::{Span, from_json};

    fn verdict(schema: &Json, value: &Json) -> Option<bool> {
        let find = |name: &str| schema.pointer(name.strip_prefix('#')?);
        let reading = Reading { find: &find, format: |format, text| (format == "short").then_some(text.len() < 3) };
        reading.verdict(schema, &from_json(value, Span::NONE))
    }

    #[test]
    fn a_yes_and_a_no_are_the_validator_s() {
        let values = [
            json!(null),
            json!(true),
            json!(3),
            json!(-1),
            json!(2.5),
            json!(4.0),
            json!(""),
            json!("ab"),
            json!("abc"),
            json!([]),
            json!([1]),
            json!([1, "a", null]),
            json!({}),
            json!({"a": 1}),
            json!({"a": "x", "b": [1]}),
            json!({"c": {"a": 1}}),
        ];
        let schemas = [
            json!(true),
            json!(false),
            json!({}),
            json!({"type": "integer"}),
            json!({"type": ["string", "null"]}),
            json!({"enum": ["ab", 3, null]}),
            json!({"const": "ab"}),
            json!({"minimum": 0, "maximum": 3}),
            json!({"minLength": 1, "maxLength": 2}),
            json!({"pattern": "^a.$"}),
            json!({"items": {"type": "integer"}, "minItems": 1}),
            json!({"maxItems": 1}),
            json!({"properties": {"a": {"type": "integer"}}, "additionalProperties": false}),
            json!({"properties": {"a": {}}, "additionalProperties": {"type": "array"}}),
            json!({"required": ["a"]}),
            json!({"minProperties": 1, "maxProperties": 1}),
            json!({"allOf": [{"type": "string"}, {"minLength": 2}]}),
            json!({"anyOf": [{"type": "string"}, {"type": "array"}]}),
            json!({"oneOf": [{"type": "integer"}, {"minimum": 3}]}),
            json!({"not": {"type": "object"}}),
            json!({"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}}),
            json!({"properties": {"c": {"$ref": "#"}, "a": {"type": "integer"}}}),
            json!({"additionalProperties": {"type": "integer"}}),
            json!({"patternProperties": {"^a": {}}, "additionalProperties": false}),
            json!({"exclusiveMinimum": 1}),
            json!({"propertyNames": {"maxLength": 0}}),
        ];
        let mut known = 0;
        for schema in &schemas {
            let validator = jsonschema::validator_for(schema).expect("a schema");
            for value in &values {
                if let Some(verdict) = verdict(schema, value) {
                    assert_eq!(verdict, validator.is_valid(value), "{schema} {value}");
                    known += 1;
                }
            }
        }
        assert!(known > schemas.len() * values.len() * 8 / 10, "{known}");
    }

    #[test]
    fn what_is_not_known_is_not_yes() {
        assert_eq!(verdict(&json!({"format": "short"}), &json!("ab")), Some(true));
        assert_eq!(verdict(&json!({"format": "short"}), &json!("abc")), Some(false));
        assert_eq!(verdict(&json!({"format": "other"}), &json!("ab")), None);
        assert_eq!(verdict(&json!({"uniqueItems": true}), &json!([1])), None);
        assert_eq!(verdict(&json!({"pattern": "^(?=a)"}), &json!("a")), None);
        assert_eq!(verdict(&json!({"$ref": "#"}), &json!(1)), None);
        assert_eq!(verdict(&json!({"$ref": "https://example.com/"}), &json!(1)), None);
    }
}
