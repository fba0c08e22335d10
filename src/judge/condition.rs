//! What an assertion asks for: its expressions, with everything that they read of their overlay.
//!
//! What they read of a cluster, a network and the options is not the rule but what the rule is about.

use std::collections::BTreeMap;

use super::{Rulebook, levels};
use crate::declare::expression::essence;
use crate::diagnostic::Severity;
use crate::overlay::compiled::Compiled;
use crate::overlay::expression::Expression;
use crate::overlay::library::Overlay;
use crate::overlay::template::Template;
use crate::tree::{Path, Sources};

/// An expression, and what it reads of its overlay: values, facts, and files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) text: String,
    reads: BTreeMap<String, String>,
}

/// A rule of an overlay.
#[derive(Clone, Debug)]
pub(super) struct Asserted<'a> {
    pub(super) overlay: &'a Overlay,
    /// Index in its `assertions`.
    pub(super) index: usize,
    pub(super) code: &'a str,
    pub(super) severity: Severity,
    /// What its project makes of that.
    pub(super) level: Option<Severity>,
    that: Condition,
    when: Option<Condition>,
    /// The condition of the overlay itself.
    applies: Option<Condition>,
}

impl Asserted<'_> {
    /// In what another rule of this code asks for less.
    pub(super) fn loss(&self, own: &Asserted<'_>) -> Option<String> {
        let narrower = |own: &Option<Condition>, base: &Option<Condition>| own.is_some() && own != base;
        if let Some(name) = self.that.reads_otherwise(&own.that) {
            Some(format!("{name}, which its condition reads, is another one"))
        } else if self.that != own.that {
            Some("its condition is another one".to_owned())
        } else if narrower(&own.when, &self.when) {
            Some("it is asked for under another condition".to_owned())
        } else if narrower(&own.applies, &self.applies) {
            Some("its overlay applies under another condition".to_owned())
        } else if own.severity < self.severity && own.level < self.level {
            Some(format!("it is lowered from `{}` to `{}`", self.severity.name(), own.severity.name()))
        } else {
            None
        }
    }
}

impl Condition {
    /// Something that the same text reads, and that is another one.
    fn reads_otherwise<'c>(&'c self, own: &'c Condition) -> Option<&'c str> {
        let differs = |name: &&String| self.reads.get(*name) != own.reads.get(*name);
        let all = self.reads.keys().chain(own.reads.keys());
        all.into_iter().find(differs).filter(|_| self.text == own.text).map(String::as_str)
    }
}

/// The rules of an overlay.
pub(super) fn asserted<'a>(overlay: &'a Overlay, compiled: &Compiled, book: Rulebook<'_>) -> Vec<Asserted<'a>> {
    let sources = book.sources;
    let read = |expression: &Expression| Reading::new(overlay, compiled, sources).condition(expression);
    let applies = compiled.when.as_ref().map(read);
    let rule = |one: &crate::overlay::compiled::CompiledAssertion| {
        let declared = overlay.spec().assertions.get(one.index)?;
        Some(Asserted {
            overlay,
            index: one.index,
            code: &declared.code,
            severity: declared.severity,
            level: levels::level(book, &declared.code, declared.severity),
            that: read(&one.that),
            when: one.when.as_ref().map(read),
            applies: applies.clone(),
        })
    };
    compiled.assertions.iter().filter_map(rule).collect()
}

/// Finds out what an expression reads.
struct Reading<'a> {
    overlay: &'a Overlay,
    compiled: &'a Compiled,
    sources: &'a Sources,
    reads: BTreeMap<String, String>,
    open: Vec<&'a Expression>,
}

impl<'a> Reading<'a> {
    fn new(overlay: &'a Overlay, compiled: &'a Compiled, sources: &'a Sources) -> Self {
        Self { overlay, compiled, sources, reads: BTreeMap::new(), open: Vec::new() }
    }

    fn condition(mut self, expression: &'a Expression) -> Condition {
        let text = essence(expression.text());
        self.expression(expression);
        while let Some(expression) = self.open.pop() {
            self.expression(expression);
        }
        Condition { text, reads: self.reads }
    }

    fn expression(&mut self, expression: &'a Expression) {
        for name in expression.variables() {
            match name.as_str() {
                "template" => self.texts(),
                "file" | "has_file" => self.files(expression.text()),
                name => self.value(name),
            }
        }
    }

    /// A value of the overlay, or its facts; others are not the overlay's.
    fn value(&mut self, name: &str) {
        let found = self.compiled.values.iter().find(|(known, _)| known == name).map(|(_, template)| template);
        let (template, path, shown) = match found {
            Some(template) => (Some(template), Path::dotted("spec.values").child(name), format!("the value `{name}`")),
            None if name == "facts" => (self.compiled.facts.as_ref(), Path::dotted("spec.facts"), "what `facts` says".to_owned()),
            None => return,
        };
        let Some((template, node)) = template.zip(self.overlay.declared.node.at(&path)) else { return };
        if self.reads.insert(shown, node.to_json().to_string()).is_none() {
            self.template(template);
        }
    }

    fn template(&mut self, template: &'a Template) {
        template.expressions(&mut |expression| self.open.push(expression));
    }

    /// The text templates of the folder, which read every value.
    fn texts(&mut self) {
        for (_, source) in self.sources.iter() {
            if let Some(name) = source.path.strip_prefix(&*self.overlay.folder).filter(|name| name.ends_with(".j2")) {
                self.reads.insert(format!("the file `{name}`"), source.text.to_string());
            }
        }
        let names: Vec<&str> = self.compiled.values.iter().map(|(name, _)| name.as_str()).collect();
        names.into_iter().for_each(|name| self.value(name));
    }

    /// The files that an expression opens by their names, or, where it computes one, all of the folder but for the overlay itself.
    fn files(&mut self, text: &str) {
        for argument in text.split("file(").skip(1) {
            let argument = argument.trim_start();
            let quote = argument.chars().next().filter(|c| matches!(c, '"' | '\''));
            let literal = quote.and_then(|quote| argument.get(1..)?.split_once(quote));
            match literal.filter(|(_, rest)| rest.trim_start().starts_with(')')) {
                Some((path, _)) => {
                    let text = self.sources.find(path).map(|(_, source)| source.text.to_string());
                    self.reads.insert(format!("the file `{path}`"), text.unwrap_or_default());
                }
                None => self.folder(),
            }
        }
    }

    fn folder(&mut self) {
        for (_, source) in self.sources.iter() {
            if let Some(name) = source.path.strip_prefix(&*self.overlay.folder).filter(|name| *name != "overlay.yaml") {
                self.reads.insert(format!("the file `{name}`"), source.text.to_string());
            }
        }
    }
}
