//! A comparison as text: for people, programs, comments on pull requests, and as plain unified text.

pub mod github;
pub mod html;
pub mod human;
pub mod json;
pub mod markdown;
mod objections;
mod page;
pub mod raw;

use similar::{ChangeTag, TextDiff};

use super::{Change, Class, Diff, Field, Group, State, UnitChange};
use files::git::Base;
use tree::{Node, Value};

pub use objections::Objections;

/// What was compared with what.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    /// The base.
    pub base: &'a Base,
    /// What it has against the change.
    objections: Option<Objections<'a>>,
}

impl<'a> Header<'a> {
    /// A comparison with a base that has nothing against it.
    #[must_use]
    pub fn new(base: &'a Base) -> Self {
        Self { base, objections: None }
    }

    /// The same with what the base has against the change.
    #[must_use]
    pub fn objecting(self, objections: Objections<'a>) -> Self {
        Self { objections: Some(objections), ..self }
    }

    /// The base in a few words: `main (merge base 1a2b3c4d5e)`.
    #[must_use]
    pub fn base(&self) -> String {
        let kind = if self.base.tip.is_some() { "merge base " } else { "" };
        format!("{} ({kind}{})", self.base.name, self.base.short())
    }
}

/// `3 clusters: a, b, c`; with networks told apart.
fn units(folders: &[String]) -> String {
    listed(folders, usize::MAX)
}

/// The same with so many names of each kind at most.
fn listed(folders: &[String], most: usize) -> String {
    let of = |group: &str, noun: &str| {
        let names: Vec<&str> = folders.iter().filter_map(|folder| folder.strip_prefix(group)).collect();
        let left = names.len().saturating_sub(most);
        let more = if left > 0 { format!(" and {left} more") } else { String::new() };
        let shown: Vec<&str> = names.iter().take(most).copied().collect();
        (!names.is_empty()).then(|| format!("{}: {}{more}", count(names.len(), noun), shown.join(", ")))
    };
    [of("clusters/", "cluster"), of("networks/", "network")].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// The beginning of a long list of names.
fn brief(names: &str) -> String {
    const TITLE: usize = 120;
    match names.char_indices().nth(TITLE) {
        Some((end, _)) => format!("{}…", names.get(..end).unwrap_or_default()),
        None => names.to_owned(),
    }
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// `2 fields, 1 new object`: what a group holds.
fn contents(changes: &[std::sync::Arc<Change>]) -> String {
    let real = || changes.iter().filter(|change| !change.derived);
    let fields: usize = real().map(|change| change.fields.len()).sum();
    let of = |state: &dyn Fn(&State) -> bool| real().filter(|change| state(&change.state)).count();
    let mut parts = Vec::new();
    if fields > 0 {
        parts.push(count(fields, "field"));
    }
    for (number, noun) in [
        (of(&|state| *state == State::Added), "new object"),
        (of(&|state| *state == State::Removed), "removed object"),
        (of(&|state| matches!(state, State::Renamed(_))), "renamed object"),
    ] {
        if number > 0 {
            parts.push(count(number, noun));
        }
    }
    if parts.is_empty() {
        parts.push(count(changes.len(), "derived file"));
    }
    parts.join(", ")
}

/// Groups with changes of their own, and those with nothing but what follows from others: lists of files, runbooks.
fn parts(diff: &Diff) -> (Vec<&Group>, Vec<&Group>) {
    diff.groups.iter().partition(|group| group.changes.iter().any(|change| !change.derived))
}

/// What groups of derived files are about in one title: `4 derived files, 3 clusters: a, b, c`.
fn derived(groups: &[&Group]) -> String {
    let folders: std::collections::BTreeSet<&String> = groups.iter().flat_map(|group| &group.units).collect();
    let files = groups.iter().map(|group| group.changes.len() * group.units.len()).sum();
    format!("{}, {}", count(files, "derived file"), units(&folders.into_iter().cloned().collect::<Vec<_>>()))
}

/// How many changes there are of each class, the worst first: `downtime 1, rolling 3`.
fn classes(diff: &Diff) -> String {
    let of = |class: Class| diff.effects.iter().filter(|one| one.effect.class == class).count();
    let parts = Class::ALL.iter().rev().map(|class| (class, of(*class))).filter(|(_, number)| *number > 0);
    parts.map(|(class, number)| format!("{} {number}", class.name())).collect::<Vec<_>>().join(", ")
}

/// What it all comes to: `downtime (traffic stops for a while)`.
fn verdict(diff: &Diff) -> String {
    match diff.worst() {
        _ if diff.is_empty() => "nothing changes".to_owned(),
        None => "changes".to_owned(),
        Some(class) => format!("{} ({})", class.name(), class.meaning()),
    }
}

/// The last line: `2 of 5 units changed; downtime 1, rolling 3`.
fn summary(diff: &Diff) -> String {
    let (counts, classes) = (counts(diff), classes(diff));
    if classes.is_empty() { counts } else { format!("{counts}; {classes}") }
}

/// How many units there are, and what happened to how many: `2 of 5 units changed, 1 added`.
fn counts(diff: &Diff) -> String {
    let mut text = format!("{} of {} changed", diff.changed, count(diff.total, "unit"));
    for (number, what) in whole(diff) {
        if number > 0 {
            text += &format!(", {number} {what}");
        }
    }
    text
}

fn whole(diff: &Diff) -> [(usize, &'static str); 3] {
    let of = |state: fn(&UnitChange) -> bool| diff.units.iter().filter(|unit| state(unit)).count();
    [
        (of(|unit| matches!(unit, UnitChange::Added(..))), "added"),
        (of(|unit| matches!(unit, UnitChange::Removed(..))), "removed"),
        (of(|unit| matches!(unit, UnitChange::Renamed(..))), "renamed"),
    ]
}

/// The sign of a line and its text.
type Row = (char, String);

/// A field in lines.
fn field(field: &Field) -> Vec<Row> {
    if field.moved {
        return vec![('~', format!("{}: the same items in another order", field.path))];
    }
    match (&field.before, &field.after) {
        (Some(before), Some(after)) => match (lines(before), lines(after)) {
            (Some(before), Some(after)) => texts(field, before, after),
            _ => vec![('~', format!("{}: {} → {}", field.path, value(before), value(after)))],
        },
        (None, Some(after)) => vec![('+', format!("{}: {}", field.path, value(after)))],
        (Some(before), None) => vec![('-', format!("{}: {}", field.path, value(before)))],
        (None, None) => Vec::new(),
    }
}

/// The text of a value with several lines, or that stands beside one.
fn lines(node: &Node) -> Option<&str> {
    node.as_str().filter(|text| text.trim_end().contains('\n'))
}

fn texts(field: &Field, before: &str, after: &str) -> Vec<Row> {
    let mut rows = vec![('~', format!("{}:", field.path))];
    for change in TextDiff::from_lines(before, after).iter_all_changes() {
        let sign = match change.tag() {
            ChangeTag::Insert => '+',
            ChangeTag::Delete => '-',
            ChangeTag::Equal => continue,
        };
        rows.push((sign, format!("  {}", change.value().trim_end_matches('\n'))));
    }
    rows
}

/// A value in one line.
fn value(node: &Node) -> String {
    const CHARACTERS: usize = 300;
    let text = match &node.value {
        Value::String(text) if !text.is_empty() && !text.contains('\n') => text.to_string(),
        _ => node.to_json().to_string(),
    };
    match text.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// A change in lines: the object, then its fields, indented.
fn change(change: &Change) -> Vec<Row> {
    let (sign, title) = match &change.state {
        State::Added => ('+', change.title.clone()),
        State::Removed => ('-', change.title.clone()),
        State::Changed => ('~', change.title.clone()),
        State::Renamed(old) => ('~', format!("{old} is now called {}", change.title)),
    };
    let lines =
        change.lines.map(|(added, removed)| format!(": {} more, {removed} less", count(added, "line"))).unwrap_or_default();
    let mut rows = vec![(sign, title + &lines)];
    for one in &change.fields {
        rows.extend(field(one).into_iter().map(|(sign, text)| (sign, format!("  {text}"))));
    }
    rows
}

/// What happens to a whole unit.
fn unit(unit: &UnitChange) -> Row {
    match unit {
        UnitChange::Added(folder, files) => ('+', format!("{folder}: {}", count(*files, "file"))),
        UnitChange::Removed(folder, files) => ('-', format!("{folder}: {}", count(*files, "file"))),
        UnitChange::Renamed(old, new) => ('~', format!("{old} is now called {new}")),
    }
}
