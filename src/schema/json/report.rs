//! What a JSON Schema refuses, in the words of whoever wrote the text.

use std::ops::Range;

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value as Json;

use super::formats::{self, FORMATS};
use findings::{Diagnostic, Rule, rules};
use tree::{Node, Path, Span, Value, limits};

/// What is checked against what.
pub(super) struct Report<'a> {
    /// The schema.
    pub(super) root: &'a Json,
    /// The value.
    pub(super) node: &'a Node,
    /// Where in its document the value stands; empty for a whole document.
    pub(super) base: &'a str,
    /// The rule that is broken, unless there is a more telling one.
    pub(super) rule: &'static Rule,
}

impl Report<'_> {
    /// A path for people.
    fn shown(&self, path: &Path) -> String {
        match (self.base, path.0.is_empty()) {
            ("", true) => "the document".to_owned(),
            ("", false) => format!("`{path}`"),
            (base, true) => format!("`{base}`"),
            (base, false) => format!("`{base}.{path}`"),
        }
    }

    /// Says what is wrong, where, and what to write instead.
    pub(super) fn describe(&self, error: &ValidationError<'_>, findings: &mut Vec<Diagnostic>) {
        let path = path_of(self.node, error.instance_path().as_str());
        let place = self.node.nearest(&path);
        let here = self.shown(&path);
        let (mut rule, mut span) = (self.rule, place.span);
        let (message, help) = match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                return self.unknown_keys(error, &path, unexpected, findings);
            }
            ValidationErrorKind::Required { property } => {
                (format!("{here} lacks `{}`", property.as_str().unwrap_or_default()), None)
            }
            ValidationErrorKind::Type { kind } => {
                let help = self.unquotable(error, place).or_else(|| type_help(place, kind, rule));
                (format!("{here} is {}, but takes {}", place.kind(), type_name(kind)), help)
            }
            ValidationErrorKind::Enum { options } => {
                return self.one_of(&here, place, options.as_array().into_iter().flatten(), findings);
            }
            ValidationErrorKind::Constant { expected_value } => (format!("{here} must be {expected_value}"), None),
            ValidationErrorKind::Format { format } => {
                let text = place.as_str().unwrap_or_default();
                match FORMATS.iter().find(|known| known.name == format).map(|known| (known.check)(text)) {
                    Some(Err(invalid)) => {
                        rule = invalid.rule;
                        span = part(place, text, invalid.at);
                        (format!("{here}: {}", invalid.message), invalid.help)
                    }
                    _ => (format!("{here} is no valid {format}"), None),
                }
            }
            // The format says it in words.
            ValidationErrorKind::Pattern { .. } if has_bad_format(self.root, error, place) => return,
            ValidationErrorKind::Pattern { pattern } => (
                format!("{here} does not have the form `{pattern}`"),
                example(self.root, error).map(|text| format!("write it like `{text}`")),
            ),
            ValidationErrorKind::PropertyNames { error: inner } => return self.key_form(inner, &path, findings),
            ValidationErrorKind::MaxProperties { limit } => {
                let keys: Vec<&str> = place.as_map().into_iter().flat_map(|map| map.iter()).map(|(key, _)| &*key.text).collect();
                (format!("{here} takes at most {limit} of its keys, but has {}", keys.join(" and ")), None)
            }
            ValidationErrorKind::MinProperties { .. } => {
                let known = known_keys(self.root, error);
                let help = (!known.is_empty()).then(|| format!("known here: {}", known.join(", ")));
                (format!("{here} is empty"), help)
            }
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
                return self.forms(error, context, &path, findings);
            }
            _ => (format!("{here}: {}", error.masked()), None),
        };
        let finding = Diagnostic::new(rule, span, message);
        findings.push(help.into_iter().fold(finding, Diagnostic::help));
    }

    /// An example of what a field takes, where quotes alone would not make such a text of what stands there.
    fn unquotable(&self, error: &ValidationError<'_>, place: &Node) -> Option<String> {
        let format = format_beside(self.root, error)?;
        let scalar = text_of(place).is_some_and(|text| formats::has(format, &text) != Some(false));
        example(self.root, error).filter(|_| !scalar).map(|text| format!("write it like \"{text}\""))
    }

    /// Where a value may have several forms and has none of them.
    fn forms(
        &self,
        error: &ValidationError<'_>,
        forms: &[Vec<ValidationError<'static>>],
        path: &Path,
        findings: &mut Vec<Diagnostic>,
    ) {
        let place = self.node.nearest(path);
        let here = self.shown(path);
        if let Some(values) = constants(forms) {
            self.one_of(&here, place, values, findings);
        } else if let Some(names) = choice(self.root, error, forms) {
            self.one_key(place, &here, &names, findings);
        } else if let Some(form) = meant(error, forms) {
            form.iter().for_each(|inner| self.describe(inner, findings));
        } else {
            let message = format!("{here} is {}, but takes {}", place.kind(), types_of(forms));
            findings.push(Diagnostic::new(self.rule, place.span, message));
        }
    }

    fn one_of<'v>(&self, here: &str, place: &Node, values: impl IntoIterator<Item = &'v Json>, findings: &mut Vec<Diagnostic>) {
        let names: Vec<&str> = values.into_iter().filter_map(Json::as_str).collect();
        let given = place.as_str().map_or_else(|| place.kind().to_owned(), |text| format!("`{text}`"));
        let message = format!("{here} is {given}, but takes one of: {}", names.join(", "));
        findings.push(Diagnostic::new(self.rule, place.span, message).suggest(place.as_str().unwrap_or_default(), names));
    }

    /// Reports keys that are none of `names`, or else that there is not exactly one of them.
    fn one_key(&self, place: &Node, here: &str, names: &[String], findings: &mut Vec<Diagnostic>) {
        let wanted = format!("{here} takes exactly one of: {}", names.join(", "));
        let keys = place.as_map().into_iter().flat_map(|map| map.iter()).map(|(key, _)| key);
        let unknown: Vec<_> = keys.filter(|key| !names.iter().any(|name| **name == *key.text)).collect();
        for key in &unknown {
            let finding = Diagnostic::new(&rules::UNKNOWN_KEY, key.span, format!("unknown key `{}` in {here}", key.text));
            findings.push(finding.help(&wanted).suggest(&key.text, names.iter().map(String::as_str)));
        }
        if unknown.is_empty() {
            findings.push(Diagnostic::new(self.rule, place.span, wanted));
        }
    }

    /// Reports a key that has not the form that keys have here.
    fn key_form(&self, inner: &ValidationError<'_>, path: &Path, findings: &mut Vec<Diagnostic>) {
        let key = inner.instance().as_str().unwrap_or_default();
        let span = self.node.key_at(&path.child(key)).map_or(self.node.nearest(path).span, |key| key.span);
        let form = match inner.kind() {
            ValidationErrorKind::Pattern { pattern } => format!("does not have the form `{pattern}`"),
            _ => format!("is no key: {}", inner.masked()),
        };
        findings.push(Diagnostic::new(self.rule, span, format!("the key `{key}` in {} {form}", self.shown(path))));
    }

    fn unknown_keys(&self, error: &ValidationError<'_>, path: &Path, unexpected: &[String], findings: &mut Vec<Diagnostic>) {
        let rule = if self.rule.code == rules::SCHEMA.code { &rules::UNKNOWN_KEY } else { self.rule };
        let known = known_keys(self.root, error);
        let whole = self.base.is_empty() && path.0.is_empty();
        let parent = if whole { String::new() } else { format!(" in {}", self.shown(path)) };
        for key in unexpected.iter().take(limits::DIAGNOSTICS + 1) {
            let span = self.node.key_at(&path.child(key)).map_or(self.node.nearest(path).span, |key| key.span);
            let finding = Diagnostic::new(rule, span, format!("unknown key `{key}`{parent}"));
            let suggestion = findings::nearest(key, known.iter().map(String::as_str));
            findings.push(match suggestion {
                Some(name) => finding.help(format!("did you mean `{name}`?")),
                None if known.is_empty() => finding,
                None => finding.help(format!("known here: {}", known.join(", "))),
            });
        }
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

/// The constants of which a value is wanted to be one, where every form is one.
fn constants<'e>(forms: &'e [Vec<ValidationError<'static>>]) -> Option<Vec<&'e Json>> {
    let constant = |form: &'e Vec<ValidationError<'static>>| match form.first()?.kind() {
        ValidationErrorKind::Constant { expected_value } => Some(vec![expected_value.as_ref()]),
        ValidationErrorKind::Enum { options } => Some(options.as_array()?.iter().collect()),
        _ => None,
    };
    Some(forms.iter().map(constant).collect::<Option<Vec<_>>>()?.into_iter().flatten().collect())
}

/// The keys of which exactly one is wanted, where each form is a mapping with a key of its own and none of them fits.
fn choice(root: &Json, error: &ValidationError<'_>, forms: &[Vec<ValidationError<'static>>]) -> Option<Vec<String>> {
    let keys = |inner: &ValidationError<'_>| match inner.kind() {
        _ if inner.instance_path().as_str() != error.instance_path().as_str() => None,
        ValidationErrorKind::AdditionalProperties { .. } => Some(known_keys(root, inner)),
        ValidationErrorKind::Required { property } => Some(property.as_str().map(str::to_owned).into_iter().collect()),
        _ => None,
    };
    let mut names = Vec::new();
    for form in forms {
        let before = names.len();
        names.extend(form.iter().filter_map(keys).flatten());
        if names.len() == before {
            return None;
        }
    }
    names.dedup();
    (forms.len() > 1).then_some(names)
}

/// The types that forms take, of which a value has none.
fn types_of(forms: &[Vec<ValidationError<'static>>]) -> String {
    let kinds = forms.iter().flatten().filter_map(|inner| match inner.kind() {
        ValidationErrorKind::Type { kind } => Some(type_names(kind)),
        _ => None,
    });
    let mut names: Vec<String> = kinds.flatten().filter(|name| name != "null").map(|name| article(&name)).collect();
    names.dedup();
    names.join(" or ")
}

/// The properties of the schema that refused a key.
fn known_keys(root: &Json, error: &ValidationError<'_>) -> Vec<String> {
    let pointer = error.schema_path().as_str();
    let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
    let properties = root.pointer(parent).and_then(|schema| schema.get("properties")).and_then(Json::as_object);
    properties.map(|properties| properties.keys().cloned().collect()).unwrap_or_default()
}

/// An example of what the schema that refused a text takes.
fn example<'r>(root: &'r Json, error: &ValidationError<'_>) -> Option<&'r str> {
    let (parent, _) = error.schema_path().as_str().rsplit_once('/')?;
    root.pointer(parent)?.get("examples")?.get(0)?.as_str()
}

/// The format that the schema that refused a value names as well.
fn format_beside<'r>(root: &'r Json, error: &ValidationError<'_>) -> Option<&'r str> {
    let (parent, _) = error.schema_path().as_str().rsplit_once('/')?;
    root.pointer(parent)?.get("format")?.as_str()
}

/// Whether the schema that refused a text by its pattern refuses it by a format of ours as well.
fn has_bad_format(root: &Json, error: &ValidationError<'_>, place: &Node) -> bool {
    let format = format_beside(root, error).zip(place.as_str());
    format.is_some_and(|(format, text)| formats::has(format, text) == Some(false))
}

/// A scalar that is not nothing, as text.
fn text_of(place: &Node) -> Option<String> {
    match &place.value {
        Value::Int(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::String(text) => Some(text.to_string()),
        _ => None,
    }
}

/// The place of some bytes of a text; that of the whole, where the text does not stand in its file byte for byte.
fn part(place: &Node, text: &str, at: Option<Range<usize>>) -> Span {
    let Span { file, start, end } = place.span;
    // Escapes and folded lines are longer than what they stand for, so the length tells whether there is a quote on either side. (A
    // text without quotes that is folded in braces, and two bytes longer by that, passes for one with; then a column is missed.)
    let quote = match (end - start).checked_sub(u32::try_from(text.len()).unwrap_or(u32::MAX)) {
        Some(0) => Some(0),
        Some(2) => Some(1),
        _ => None,
    };
    match (at, quote.filter(|_| text.is_ascii() && place.span.is_known())) {
        (Some(at), Some(quote)) => {
            let start = start as usize + quote;
            Span::new(file, start + at.start, start + at.end)
        }
        _ => place.span,
    }
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

fn type_help(place: &Node, kind: &TypeKind, rule: &Rule) -> Option<String> {
    let expression = if *rule == rules::OBJECT_SCHEMA { "; in an expression, add `|string`" } else { "" };
    let text = text_of(place)?;
    match (type_names(kind).first()?.as_str(), &place.value) {
        ("string", Value::String(_)) => None,
        // `1.30` is the number 1.3, and what was written is not known here.
        ("string", Value::Float(_)) if place.span.is_known() && (place.span.end - place.span.start) as usize != text.len() => {
            Some(format!("write it in quotes: without them it is the number {text}{expression}"))
        }
        ("string", _) => Some(format!("write it in quotes: \"{text}\"{expression}")),
        ("integer", Value::String(_)) if text.parse::<u64>().is_ok() => Some(format!("write it without quotes: {text}")),
        ("boolean", Value::String(_)) if matches!(&*text, "true" | "false") => Some(format!("write it without quotes: {text}")),
        ("array", _) => Some("write it as a list, in brackets".to_owned()),
        _ => None,
    }
}
