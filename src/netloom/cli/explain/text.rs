//! Answers for people and for programs.

use std::borrow::Cow;

use serde_json::{Value, json};

use findings::inert;
use report::explain::{Answer, Decision, Kind, Origin};
use tree::{Sources, Span};

/// Bytes of a value that people are shown.
const VALUE: usize = 100;
/// Bytes of an expression that people are shown.
const EXPRESSION: usize = 200;
/// Fields of one file that people are shown.
const FIELDS: usize = 20;
/// Clusters or networks that people are shown for which the same holds.
const NAMES: usize = 12;
/// How deep origins are shown; a chain of values that is longer is cut.
const DEPTH: usize = 24;

/// An answer as text.
pub(super) fn answer(answer: &Answer, sources: &Sources) -> String {
    let line = answer.line.map_or(String::new(), |line| format!(":{line}"));
    let mut text = Tree { sources, text: String::new(), shown: Vec::new() };
    text.line(0, &format!("{}{line}", answer.file));
    if answer.value.is_some() {
        let field = if answer.field.is_empty() { String::new() } else { format!("{} = ", answer.field) };
        text.line(0, &format!("{field}{}", value(answer.value.as_ref())));
    }
    text.text.push('\n');
    text.head(0, &answer.origin);
    text.inside(1, &answer.origin);
    if !answer.reasons.is_empty() {
        text.text.push('\n');
        text.line(0, "The file is there because of");
        answer.reasons.iter().for_each(|reason| text.origin(1, reason));
    }
    text.text
}

struct Tree<'s> {
    sources: &'s Sources,
    text: String,
    /// What was shown in full: names and places.
    shown: Vec<(String, Span)>,
}

impl Tree<'_> {
    fn line(&mut self, depth: usize, line: &str) {
        self.text.push_str(&"  ".repeat(depth));
        self.text.push_str(&inert::line(line));
        self.text.push('\n');
    }

    /// An input: its name, its value, where that is written, and what it was made from.
    fn origin(&mut self, depth: usize, origin: &Origin) {
        let name = match (origin.name.as_str(), &origin.value) {
            ("", _) => String::new(),
            (name, Some(found)) => format!("{name} = {}", value(Some(found))),
            (name, None) if origin.kind == Kind::Unset => format!("{name} is not set"),
            (name, None) => name.to_owned(),
        };
        let key = (origin.name.clone(), origin.place);
        let again = !origin.inputs.is_empty() && self.shown.contains(&key);
        self.shown.push(key);
        let parts = [name, self.source(origin), if again { "(see above)".to_owned() } else { String::new() }];
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        self.line(depth, &parts.join("  "));
        if !again {
            self.inside(depth + 1, origin);
        }
    }

    /// Where the value that was asked for is written.
    fn head(&mut self, depth: usize, origin: &Origin) {
        let source = self.source(origin);
        self.line(depth, &source);
    }

    /// Where it is written, by whom, or why it is there.
    fn source(&self, origin: &Origin) -> String {
        let place = locate(origin.place, self.sources);
        let note = match origin.kind {
            Kind::Declared | Kind::Unset | Kind::Default if origin.text == origin.name => None,
            Kind::Declared | Kind::Unset | Kind::Computed | Kind::Program => Some(origin.text.as_str()),
            Kind::Default | Kind::Constant | Kind::Expression => None,
        };
        let by = Some(origin.by.as_str()).filter(|by| !by.is_empty()).map(str::to_owned);
        let (default, by) = match (origin.kind, origin.text == origin.name) {
            (Kind::Default, true) => {
                (Some(["the default".to_owned()].into_iter().chain(by).collect::<Vec<_>>().join(", ")), None)
            }
            (Kind::Default, false) => {
                (Some([format!("the default of {}", origin.text)].into_iter().chain(by).collect::<Vec<_>>().join(", ")), None)
            }
            _ => (None, by),
        };
        let words: Vec<String> =
            [default, by, note.map(str::to_owned)].into_iter().flatten().filter(|word| !word.is_empty()).collect();
        match (place, words.is_empty()) {
            (Some(place), true) => place,
            (Some(place), false) => format!("{place} ({})", words.join(": ")),
            (None, _) => words.join(": "),
        }
    }

    /// The expression, its inputs, and what was overridden.
    fn inside(&mut self, depth: usize, origin: &Origin) {
        // A mapping that is written out would be shown twice.
        let single = !matches!(origin.value, None | Some(Value::Object(_) | Value::Array(_)));
        let written =
            origin.kind == Kind::Expression || (origin.kind == Kind::Constant && (single || !origin.by.contains("overlay")));
        let written = written && !origin.text.is_empty() && origin.text != origin.name;
        let constant = origin.value.as_ref().is_some_and(|found| plain(found) == origin.text.trim_matches(['"', '\'']));
        if written && !constant {
            self.line(depth, &inert::clipped(&origin.text, EXPRESSION));
        }
        if depth > DEPTH {
            return;
        }
        origin.inputs.iter().for_each(|input| self.origin(depth, input));
        for old in &origin.overrode {
            let place = locate(old.place, self.sources).map_or(String::new(), |place| format!("  {place}"));
            self.line(depth, &format!("instead of {}{place}", value(Some(&old.value))));
        }
    }
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// A place; that of a program's result is the program.
fn locate(span: Span, sources: &Sources) -> Option<String> {
    let source = sources.get(span.file)?;
    let whole = span.start == 0 && span.end == 0;
    Some(if whole { source.path.to_string() } else { sources.locate(span) })
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A value in one line.
fn value(value: Option<&Value>) -> String {
    let Some(value) = value else { return "nothing".to_owned() };
    let text = value.to_string();
    if text.len() <= VALUE { text } else { inert::clipped(&text, VALUE).into_owned() }
}

/// An answer for programs.
pub(super) fn answer_data(answer: &Answer, sources: &Sources) -> Vec<(String, Value)> {
    let reasons: Value = answer.reasons.iter().map(|reason| data(reason, sources, 0)).collect();
    [
        ("file", answer.file.clone().into()),
        ("line", answer.line.into()),
        ("field", answer.field.clone().into()),
        ("value", answer.value.clone().unwrap_or_default()),
        ("origin", data(&answer.origin, sources, 0)),
        ("reasons", reasons),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into()
}

fn data(origin: &Origin, sources: &Sources, depth: usize) -> Value {
    let place = |span: Span| locate(span, sources);
    let overrode = origin.overrode.iter().map(|old| json!({"value": old.value, "place": place(old.place)}));
    let inputs = origin.inputs.iter().filter(|_| depth <= DEPTH).map(|input| data(input, sources, depth + 1));
    json!({
        "name": origin.name,
        "kind": origin.kind.name(),
        "value": origin.value,
        "place": place(origin.place),
        "text": origin.text,
        "by": origin.by,
        "inputs": inputs.collect::<Value>(),
        "overrode": overrode.collect::<Value>(),
    })
}

/// What a line decides, as text.
pub(super) fn decisions(file: &str, line: usize, decisions: &[Decision], sources: &Sources) -> String {
    let mut text = Tree { sources, text: String::new(), shown: Vec::new() };
    let source = sources.find(file).map(|(_, source)| source.text[source.line(line)].trim().to_owned());
    text.line(0, &format!("{file}:{line}: {}", source.unwrap_or_default()));
    let fields: usize = decisions.iter().map(|decision| decision.fields.len()).sum();
    match decisions.iter().filter(|decision| decision.exists || !decision.fields.is_empty()).count() {
        0 if decisions.iter().any(|decision| !decision.overridden.is_empty()) => {
            text.line(0, "decides nothing in the output, because it is overridden");
        }
        0 if decisions.is_empty() => text.line(0, "decides nothing in the output"),
        0 => text.line(0, "decides no value of the output by itself"),
        files => text.line(0, &format!("takes part in deciding {} in {}", count(fields, "value"), count(files, "file"))),
    }
    let mut apart = true;
    for (decision, others) in alike(decisions) {
        let lists = !decision.is_short();
        if lists || apart {
            text.text.push('\n');
        }
        apart = lists;
        text.decision(decision);
        text.others(&others);
    }
    text.text
}

/// The decisions, those that are the same in several units as one, with the names of the others.
fn alike(decisions: &[Decision]) -> Vec<(&Decision, Vec<&str>)> {
    let mut groups: Vec<(&Decision, Vec<&str>)> = Vec::new();
    let kind = |decision: &Decision| decision.folder.split('/').next().map(str::to_owned);
    let inner =
        |decision: &Decision| decision.file.rsplit_once(&format!("{}/", decision.folder)).map(|(_, file)| file.to_owned());
    let same = |a: &Decision, b: &Decision| {
        (a.exists, a.may_show, a.is_whole()) == (b.exists, b.may_show, b.is_whole())
            && (&a.fields, &a.overridden) == (&b.fields, &b.overridden)
            && (kind(a), inner(a)) == (kind(b), inner(b))
    };
    for decision in decisions {
        let name = decision.folder.rsplit('/').next().unwrap_or_default();
        match groups.iter_mut().find(|(first, _)| same(first, decision)) {
            Some((_, others)) => others.push(name),
            None => groups.push((decision, Vec::new())),
        }
    }
    groups
}

/// A field, or the number of a line.
fn shown(field: &str) -> Cow<'_, str> {
    if field.bytes().all(|byte| byte.is_ascii_digit()) { format!("line {field}").into() } else { field.into() }
}

impl Tree<'_> {
    fn decision(&mut self, decision: &Decision) {
        let remark = match (decision.exists, decision.is_whole()) {
            (true, true) => " (that there is the file, and all of it)",
            (true, false) => " (that there is the file)",
            (false, true) => " (all of it)",
            (false, false) if decision.is_short() => " (what it says may depend on it)",
            (false, false) => "",
        };
        self.line(0, &format!("{}{remark}", decision.file));
        if decision.is_short() {
            return;
        }
        for (field, found) in decision.fields.iter().take(FIELDS) {
            self.line(1, &format!("{} = {}", shown(field), value(Some(found))));
        }
        if decision.fields.len() > FIELDS {
            self.line(1, &format!("and {} more", decision.fields.len() - FIELDS));
        }
        for (field, by) in decision.overridden.iter().take(FIELDS) {
            let by = locate(*by, self.sources).unwrap_or_else(|| "netloom".to_owned());
            self.line(1, &format!("{} is overridden by {by}", shown(field)));
        }
    }

    /// Other clusters or networks for which the same holds.
    fn others(&mut self, names: &[&str]) {
        if let [first @ .., _, _] = names
            && first.len() >= NAMES
        {
            self.line(1, &format!("the same in {}, … ({} more)", names[..NAMES].join(", "), names.len() - NAMES));
        } else if !names.is_empty() {
            self.line(1, &format!("the same in {}", names.join(", ")));
        }
    }
}

/// What a line decides, for programs.
pub(super) fn decisions_data(file: &str, line: usize, decisions: &[Decision], sources: &Sources) -> Vec<(String, Value)> {
    let field = |(field, value): &(String, Value)| json!({"field": field, "value": value});
    let one = |decision: &Decision| {
        let fields: Value = decision.fields.iter().map(field).collect();
        let by = |(field, by): &(String, Span)| json!({"field": field, "by": locate(*by, sources)});
        let overridden: Value = decision.overridden.iter().map(by).collect();
        json!({"file": decision.file, "exists": decision.exists, "mayShow": decision.may_show, "overridden": overridden, "values": decision.values, "fields": fields})
    };
    let decides: Value = decisions.iter().map(one).collect();
    vec![("file".to_owned(), file.into()), ("line".to_owned(), line.into()), ("decides".to_owned(), decides)]
}
