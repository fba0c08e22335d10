//! A manifest's document, and which of its fields an importer has made use of.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::Dropped;
use findings::{Diagnostic, rules};
use schema::address::Cidr;
use tree::{Node, Path, Span, Step, Value};

/// Why fields have no counterpart: dotted paths without indices, each with the reason for it and all below it.
pub(super) type Reasons = &'static [(&'static str, &'static str)];

/// A document whose used fields are remembered, so that the others can be listed.
pub(super) struct Reading<'a> {
    root: &'a Node,
    name: String,
    used: BTreeSet<Path>,
    entered: BTreeSet<Path>,
    reasons: BTreeMap<Path, Cow<'static, str>>,
}

impl<'a> Reading<'a> {
    /// A document of which nothing has been used but what says what it is.
    pub(super) fn new(root: &'a Node, name: impl Into<String>) -> Self {
        let paths = |names: &[&str]| names.iter().map(|name| Path::dotted(name)).collect();
        let (used, entered) = (paths(&["apiVersion", "kind"]), paths(&["metadata", "spec"]));
        Self { root, name: name.into(), used, entered, reasons: BTreeMap::new() }
    }

    /// The field at `path`, which counts as used with all below it; none when it is not there or null.
    pub(super) fn take(&mut self, path: &Path) -> Option<&'a Node> {
        let node = self.root.at(path)?;
        self.used.insert(path.clone());
        (!node.is_null()).then_some(node)
    }

    /// Counts the mapping or list at a dotted path as used, but not what is below it.
    pub(super) fn enter(&mut self, path: &str) {
        self.enter_at(Path::dotted(path));
    }

    /// As [`Reading::enter`], for a path whose keys may have dots in them.
    pub(super) fn enter_at(&mut self, path: Path) {
        self.entered.insert(path);
    }

    /// The first of the fields at these dotted paths that is there; it counts as used.
    pub(super) fn first(&mut self, paths: &[&str]) -> Option<&'a Node> {
        self.find(paths).and_then(|path| self.take(&path))
    }

    /// The first of these dotted paths at which there is something.
    pub(super) fn find(&self, paths: &[&str]) -> Option<Path> {
        paths.iter().map(|path| Path::dotted(path)).find(|path| self.peek(path).is_some())
    }

    /// The field at `path` without using it; none when it is not there or null.
    pub(super) fn peek(&self, path: &Path) -> Option<&'a Node> {
        self.root.at(path).filter(|node| !node.is_null())
    }

    /// The text at the first of these paths; a value of another kind is reported.
    pub(super) fn text(&mut self, paths: &[&str], findings: &mut Vec<Diagnostic>) -> Option<(&'a str, Span)> {
        let node = self.first(paths)?;
        let text = as_text(node, paths.first().unwrap_or(&""), findings)?;
        (!text.is_empty()).then_some((text, node.span))
    }

    /// The address range at the first of these paths; anything else there is reported.
    pub(super) fn cidr(&mut self, paths: &[&str], findings: &mut Vec<Diagnostic>) -> Option<(Cidr, Span)> {
        let (text, span) = self.text(paths, findings)?;
        parse_cidr(text, span, findings).map(|cidr| (cidr, span))
    }

    /// The truth value at the first of these paths; anything else there is reported.
    pub(super) fn flag(&mut self, paths: &[&str], findings: &mut Vec<Diagnostic>) -> Option<bool> {
        let node = self.first(paths)?;
        if node.as_bool().is_none() {
            findings.push(mismatch(node, paths, "true or false"));
        }
        node.as_bool()
    }

    /// The items of the list at the first of these paths; anything else there is reported.
    pub(super) fn list(&mut self, paths: &[&str], findings: &mut Vec<Diagnostic>) -> Option<(&'a [Node], Span)> {
        let node = self.first(paths)?;
        if node.as_list().is_none() {
            findings.push(mismatch(node, paths, "a list"));
        }
        node.as_list().map(|items| (items, node.span))
    }

    /// The mapping at the first of these paths, unless it is empty; anything else there is reported.
    pub(super) fn map(&mut self, paths: &[&str], findings: &mut Vec<Diagnostic>) -> Option<&'a Node> {
        let node = self.first(paths)?;
        if node.as_map().is_none() {
            findings.push(mismatch(node, paths, "a mapping"));
        }
        Some(node).filter(|node| node.as_map().is_some_and(|map| !map.is_empty()))
    }

    /// The whole number from 0 on at the first of these paths; anything else there is reported.
    pub(super) fn number(&mut self, paths: &[&str], findings: &mut Vec<Diagnostic>) -> Option<u32> {
        let node = self.first(paths)?;
        let number = node.as_int().and_then(|number| u32::try_from(number).ok());
        if number.is_none() {
            findings.push(mismatch(node, paths, "a whole number from 0 on"));
        }
        number
    }

    /// The place of the field at a dotted path, or of its nearest ancestor that is there: a mapping's or a list's is its own key, not
    /// the first of the keys in it.
    pub(super) fn span(&self, path: &str) -> Span {
        let mut path = Path::dotted(path);
        while self.root.at(&path).is_none() {
            path.0.pop();
        }
        let node = self.root.nearest(&path);
        let collection = node.as_map().is_some() || node.as_list().is_some();
        self.root.key_at(&path).filter(|_| collection).map_or(node.span, |key| key.span)
    }

    /// Says why the field at `path` is not used.
    pub(super) fn leave(&mut self, path: Path, reason: impl Into<Cow<'static, str>>) {
        self.reasons.insert(path, reason.into());
    }

    /// What has not been used: the highest fields below which nothing has.
    pub(super) fn dropped(&self, reasons: Reasons) -> Vec<Dropped> {
        let mut unused = Vec::new();
        self.collect(self.root, &Path::default(), &mut unused);
        unused.into_iter().map(|(path, span)| self.entry(&path, span, reasons)).collect()
    }

    fn collect(&self, node: &Node, path: &Path, unused: &mut Vec<(Path, Span)>) {
        if self.used.contains(path) {
            return;
        }
        let collection = node.as_map().is_some() || node.as_list().is_some();
        let entered = collection && self.entered.contains(path);
        if !path.0.is_empty() && !entered && !self.used_below(path) {
            let span = self.root.key_at(path).map_or(node.span, |key| key.span);
            return unused.push((path.clone(), span));
        }
        match &node.value {
            Value::Map(map) => map.iter().for_each(|(key, child)| self.collect(child, &path.child(&key.text), unused)),
            Value::List(items) => {
                items.iter().enumerate().for_each(|(at, item)| self.collect(item, &path.item(at), unused));
            }
            _ => {}
        }
    }

    /// Whether something below `path` has been used; paths sort so that all below one stand right after it.
    fn used_below(&self, path: &Path) -> bool {
        let mut after = self.used.range((Bound::Excluded(path), Bound::Unbounded));
        after.next().is_some_and(|used| used.0.starts_with(&path.0))
    }

    fn entry(&self, path: &Path, span: Span, reasons: Reasons) -> Dropped {
        let own = self.reasons.iter().rev().find(|(of, _)| path.0.starts_with(&of.0)).map(|(_, reason)| reason.clone());
        let reason = own.unwrap_or_else(|| Cow::Borrowed(reason(path, reasons)));
        Dropped { path: format!("{}.{path}", self.name), reason, span }
    }
}

/// The reason in the table for the longest path that `path` begins with.
fn reason(path: &Path, reasons: Reasons) -> &'static str {
    let keys: Vec<&str> =
        path.0.iter().filter_map(|step| if let Step::Key(key) = step { Some(key.as_str()) } else { None }).collect();
    let begins = |prefix: &str| prefix.split('.').enumerate().all(|(at, key)| keys.get(at) == Some(&key));
    let matching = reasons.iter().filter(|(prefix, _)| begins(prefix));
    matching.max_by_key(|(prefix, _)| prefix.len()).map_or("netloom has no field for it", |(_, reason)| reason)
}

/// The text of `node`; another kind of value is reported.
pub(super) fn as_text<'a>(node: &'a Node, what: &str, findings: &mut Vec<Diagnostic>) -> Option<&'a str> {
    if node.as_str().is_none() {
        let finding = mismatch(node, &[what], "text");
        let collection = node.as_list().is_some() || node.as_map().is_some();
        findings.push(if collection { finding } else { finding.help("put it in quotes") });
    }
    node.as_str()
}

fn mismatch(node: &Node, paths: &[&str], takes: &str) -> Diagnostic {
    let what = paths.first().unwrap_or(&"this");
    Diagnostic::new(&rules::IMPORT_FORM, node.span, format!("`{what}` is {}, but takes {takes}", node.kind()))
}

/// The address range that `text` is; anything else is reported.
pub(super) fn parse_cidr(text: &str, span: Span, findings: &mut Vec<Diagnostic>) -> Option<Cidr> {
    match text.parse() {
        Ok(cidr) => Some(cidr),
        Err(invalid) => {
            let schema::address::Invalid { rule, message, help, .. } = invalid;
            findings.push(help.into_iter().fold(Diagnostic::new(rule, span, message), Diagnostic::help));
            None
        }
    }
}
