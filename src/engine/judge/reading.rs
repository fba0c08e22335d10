//! What an expression reads: the values, options, facts and files that it names, and what these read in turn.

use std::collections::BTreeMap;

use super::Rulebook;
use super::condition::Condition;
use super::given::{Given, statement};
use crate::overlay::compiled::Compiled;
use crate::overlay::expression::{Expression, Mention, mentions};
use crate::overlay::library::Overlay;
use crate::overlay::template::Template;
use model::declare::expression::essence;
use tree::{Node, Path};

/// Where overlays of one side stand.
#[derive(Clone, Copy)]
pub(super) struct Room<'a> {
    pub(super) book: Rulebook<'a>,
    pub(super) given: &'a Given,
}

/// Finds out what something of an overlay reads.
pub(super) struct Reading<'a> {
    overlay: &'a Overlay,
    compiled: &'a Compiled,
    room: Room<'a>,
    reads: BTreeMap<String, String>,
    /// Texts whose names are to be looked at: expressions, and text templates.
    open: Vec<(&'a str, bool)>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(overlay: &'a Overlay, compiled: &'a Compiled, room: Room<'a>) -> Self {
        Self { overlay, compiled, room, reads: BTreeMap::new(), open: Vec::new() }
    }

    /// An expression, and what it reads.
    pub(super) fn expression(mut self, expression: &'a Expression) -> Condition {
        self.open.push((expression.text(), false));
        self.condition(essence(expression.text()))
    }

    /// What the overlay states as a fact, and what that reads.
    pub(super) fn fact(mut self, fact: &str) -> Option<Condition> {
        let text = statement(self.overlay.declared.node.at(&Path::dotted("spec.facts"))?, Some(fact))?;
        self.facts(Some(fact));
        Some(self.condition(text))
    }

    fn condition(mut self, text: String) -> Condition {
        while let Some((text, is_template)) = self.open.pop() {
            mentions(text, is_template).iter().for_each(|mention| self.mention(mention));
        }
        Condition { text, reads: self.reads }
    }

    /// A value can have the name of anything else.
    fn mention(&mut self, mention: &Mention) {
        let (name, field, argument) = (mention.name.as_str(), mention.field.as_deref(), mention.argument.as_deref());
        self.value(name);
        match name {
            "options" => self.option(field),
            "facts" => {
                let what = field.map_or_else(|| "what `facts` says".to_owned(), |field| format!("the fact `{field}`"));
                let own = self.overlay.declared.node.at(&Path::dotted("spec.facts")).and_then(|facts| statement(facts, field));
                if self.note(what, format!("{own:?} {}", self.room.given.fact(field))) {
                    self.facts(field);
                }
            }
            "template" => self.texts(argument),
            "file" => self.file(argument, false),
            "has_file" => self.file(argument, true),
            _ => {}
        }
    }

    /// Notes something that is read; whether it is new.
    fn note(&mut self, what: String, text: String) -> bool {
        self.reads.insert(what, text).is_none()
    }

    fn value(&mut self, name: &str) {
        let Some((_, template)) = self.compiled.values.iter().find(|(known, _)| known == name) else { return };
        let node = self.overlay.declared.node.at(&Path::dotted("spec.values").child(name));
        let text = node.map(Node::to_json).unwrap_or_default().to_string();
        if self.note(format!("the value `{name}`"), text) {
            self.template(template);
        }
    }

    /// What the overlay's own facts read.
    fn facts(&mut self, fact: Option<&str>) {
        if let Some(template) = &self.compiled.facts {
            self.template(fact.map_or(template, |fact| template.nearest(&[fact])));
        }
    }

    fn template(&mut self, template: &'a Template) {
        template.expressions(&mut |expression| self.open.push((expression.text(), false)));
    }

    /// An option that the schema does not name may be read in another way.
    fn option(&mut self, option: Option<&str>) {
        let known = |name: &&str| self.overlay.declared.node.at(&Path::dotted("spec.options.properties").child(name)).is_some();
        let option = option.filter(known);
        let what = option.map_or_else(|| "what `options` says".to_owned(), |option| format!("the option `{option}`"));
        let text = self.room.given.option(self.overlay, option);
        self.note(what, text);
    }

    /// One text template of the folder, or all that there are.
    fn texts(&mut self, name: Option<&str>) {
        let folder = &*self.overlay.folder;
        for (_, source) in self.room.book.sources.iter() {
            let Some(path) = source.path.strip_prefix(folder).filter(|path| path.ends_with(".j2")) else { continue };
            let wanted = name.is_none_or(|name| name == path);
            if wanted && self.note(format!("the file `{path}`"), source.text.to_string()) {
                self.open.push((&source.text, true));
            }
        }
    }

    /// One file, or all below the folder of overlays; what is asked of it may be no more than whether it is there.
    fn file(&mut self, path: Option<&str>, only_whether: bool) {
        let sources = self.room.book.sources;
        if let Some(path) = path {
            let source = sources.find(path).map(|(_, source)| &source.text);
            let what = format!("the file `{path}`");
            match (source, only_whether) {
                (source, true) => _ = self.reads.entry(what).or_insert_with(|| format!("{}", source.is_some())),
                (source, false) => _ = self.note(what, format!("{source:?}")),
            }
            return;
        }
        let below = format!("{}/", self.room.book.project.value.spec.paths.overlays);
        for (_, source) in sources.iter().filter(|(_, source)| source.path.starts_with(&below)) {
            self.note(format!("the file `{}`", source.path), format!("{:?}", Some(&source.text)));
        }
    }
}
