//! Options of network providers, as their overlays declare them.
//!
//! An overlay has the names that kops has, so a block is taken over key by key: what the overlay declares is copied, under its own
//! name or one of the same meaning, and everything else is left out. What the overlay does not take is left out, too, and said.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use serde_json::Value as Json;

use engine::overlay::library::{self, Library};
use findings::{Diagnostic, rules};
use schema::json::Schema;
use tree::{Key, Map, Node, Path, Sources, Span, Value};

/// Two names of one option: provider, and the names, dotted below the provider's block; whether true and false change places.
pub(super) type Names = &'static [(&'static str, &'static str, &'static str, bool)];

/// The stock overlays and their files.
fn stock() -> &'static (Library, Arc<Sources>) {
    static STOCK: OnceLock<(Library, Arc<Sources>)> = OnceLock::new();
    STOCK.get_or_init(|| {
        let mut sources = Sources::default();
        library::embed(&mut sources);
        let sources = Arc::new(sources);
        (Library::read(&sources, "", &mut Vec::new()), sources)
    })
}

/// A file of a stock overlay.
pub(super) fn file(overlay: &str, path: &str) -> Option<&'static str> {
    let (library, sources) = stock();
    library.get(overlay)?.file(path, sources).map(|(_, text)| text)
}

/// What the stock overlay of a provider declares as its options.
pub(super) fn of(provider: &str) -> Option<&'static Json> {
    let block = format!("networking.{provider}");
    let overlay = stock().0.selected(|selected| selected == block).find(|overlay| overlay.spec().slot.is_some())?;
    overlay.options.as_ref().map(Schema::root)
}

/// The schema of an option at a dotted path.
pub(super) fn declared<'s>(options: &'s Json, path: &str) -> Option<&'s Json> {
    path.split('.').try_fold(options, |schema, key| schema.get("properties")?.get(key))
}

/// What became of a provider's block.
#[derive(Default)]
pub(super) struct Taken {
    /// The options as the overlay declares them.
    pub(super) block: Map,
    /// What of the manifest was used.
    pub(super) used: Vec<Path>,
    /// Blocks of which every key is among the others.
    pub(super) entered: Vec<Path>,
    /// What was not used, and why.
    pub(super) left: Vec<(Path, Cow<'static, str>)>,
    /// Values that the overlay does not take: where they stand, and what is wrong with them.
    pub(super) misfits: Vec<(Path, Diagnostic)>,
}

/// Takes a provider's block over.
pub(super) struct Taking<'a> {
    /// The declaration's key of the provider.
    pub(super) provider: &'a str,
    /// What its overlay declares.
    pub(super) options: &'a Json,
    /// Names of the same meaning.
    pub(super) names: Names,
    /// Why a key at a dotted path is not used although the overlay may declare it: dotted path, value.
    pub(super) ignored: &'a dyn Fn(&str, &Node) -> Option<Cow<'static, str>>,
    /// The value that stands for another one: dotted path, value.
    pub(super) value: &'a dyn Fn(&str, &Node) -> Option<Value>,
}

impl Taking<'_> {
    /// What becomes of the block at `path` of the manifest.
    pub(super) fn take(&self, block: &Map, path: &Path) -> Taken {
        let mut taken = Taken::default();
        self.keys(block, path, "", &mut taken);
        taken
    }

    fn keys(&self, block: &Map, path: &Path, at: &str, taken: &mut Taken) {
        let list = if block.is_empty() { &mut taken.used } else { &mut taken.entered };
        list.push(path.clone());
        for (key, node) in block.iter() {
            let path = path.child(&key.text);
            let name = if at.is_empty() { key.text.to_string() } else { format!("{at}.{}", key.text) };
            if node.is_null() || node.as_str() == Some("") {
                taken.used.push(path); // not set
            } else if let Some(reason) = (self.ignored)(&name, node) {
                taken.left.push((path, reason));
            } else if let Some((name, swapped)) = self.named(&name).filter(|_| !key.text.contains('.')) {
                self.option(&name, swapped, (key.span, node), path, taken);
            } else {
                taken.left.push((path, "its overlay has no such option".into()));
            }
        }
    }

    /// The overlay's name of an option, and whether true and false change places.
    fn named(&self, name: &str) -> Option<(String, bool)> {
        if declared(self.options, name).is_some() {
            return Some((name.to_owned(), false));
        }
        let pairs = self.names.iter().filter(|(provider, ..)| *provider == self.provider);
        let other = pairs.filter_map(|(_, one, other, swapped)| match name {
            _ if name == *one => Some((*other, *swapped)),
            _ if name == *other => Some((*one, *swapped)),
            _ => None,
        });
        let mut known = other.filter(|(name, _)| declared(self.options, name).is_some());
        known.next().map(|(name, swapped)| (name.to_owned(), swapped))
    }

    fn option(&self, name: &str, swapped: bool, (span, node): (Span, &Node), path: Path, taken: &mut Taken) {
        let Some(schema) = declared(self.options, name) else { return };
        if let (Some(_), Some(map)) = (schema.get("properties"), node.as_map()) {
            put(&mut taken.block, name, span, Node::new(Value::Map(Map::new()), node.span));
            return self.keys(map, &path, name, taken);
        }
        let mut node = node.clone();
        if let (true, Value::Bool(flag)) = (swapped, &node.value) {
            node.value = Value::Bool(!flag);
        }
        if let Some(value) = (self.value)(name, &node) {
            node.value = value;
        }
        if let Some(finding) = self.misfit(name, schema, &node) {
            match node.as_int() {
                Some(0) => taken.used.push(path), // not set, for the tools in Go
                _ => taken.misfits.push((path, finding)),
            }
        } else if put(&mut taken.block, name, span, node) {
            taken.used.push(path);
        } else {
            taken.left.push((path, "another key says the same".into()));
        }
    }

    /// What is wrong with the value of an option.
    fn misfit(&self, name: &str, schema: &Json, node: &Node) -> Option<Diagnostic> {
        let mut findings = Vec::new();
        let field = format!("networking.{}.{name}", self.provider);
        Schema::new(schema.clone()).ok()?.check_below(&field, node, &rules::IMPORT_FORM, &mut findings);
        findings.into_iter().next()
    }
}

/// Sets an option at a dotted path; whether it was not there before.
fn put(block: &mut Map, name: &str, span: Span, node: Node) -> bool {
    let (key, rest) = name.split_once('.').map_or((name, None), |(key, rest)| (key, Some(rest)));
    if let Some(rest) = rest {
        return block.get_mut(key).and_then(Node::as_map_mut).is_some_and(|inner| put(inner, rest, span, node));
    }
    if block.contains(key) {
        return false;
    }
    block.push(Key { text: key.into(), span }, node);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use tree::Sources;
    use yaml::to_yaml;

    fn read(text: &str) -> Node {
        let file = Sources::default().add("block.yaml", text.to_owned());
        yaml::read(text, file, &mut Vec::new()).pop().unwrap_or_default()
    }

    #[test]
    fn a_block_becomes_options() {
        let options = serde_json::json!({"type": "object", "properties": {
            "mtu": {"type": "integer", "minimum": 500},
            "quiet": {"type": "boolean"},
            "labels": {"type": "object", "additionalProperties": true},
            "more": {"type": "object", "properties": {"new": {"type": "boolean"}}},
        }});
        let taking = Taking {
            provider: "p",
            options: &options,
            names: &[("p", "quiet", "loud", true), ("other", "quiet", "still", false)],
            ignored: &|option, _| (option == "more.old").then(|| "it is old".into()),
            value: &|_, _| None,
        };
        let text = "{mtu: 0, loud: true, quiet: true, still: true, labels: {a.b: 1}, more: {new: true, old: 1, other: 2}, more.new: false}";
        let block = read(text);
        let taken = taking.take(block.as_map().unwrap(), &Path::default());
        assert_eq!(to_yaml(&taken.block.into()), "quiet: false\nlabels:\n  a.b: 1\nmore:\n  new: true\n");
        let reasons: Vec<&str> = taken.left.iter().map(|(_, reason)| &**reason).collect();
        let none = "its overlay has no such option";
        assert_eq!(reasons, ["another key says the same", none, "it is old", none, none]);
        assert!(taken.misfits.is_empty());
        let misfits = taking.take(read("{mtu: 9}").as_map().unwrap(), &Path::default()).misfits;
        assert!(misfits[0].1.message.contains("`networking.p.mtu`"), "{}", misfits[0].1.message);
    }
}
