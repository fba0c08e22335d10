//! What expressions of overlays look up, and where that comes from.

use std::cell::RefCell;
use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::Value as Engine;
use minijinja::value::ValueKind;
use serde_json::Value as Json;

use super::declared;
use super::origin::{Kind, Origin, overridden, place};
use crate::ClusterSeen;
use crate::overlay::compile::{Body, CompiledPatch};
use crate::overlay::expression::Expression;
use crate::overlay::render::{Instance, Maker};
use crate::overlay::template::{Scalar, Template};
use crate::overlay::{self, Selected};
use crate::tree::{FileId, Node, Path, Span, Step, Value};

/// Expressions inside expressions: values of overlays build on each other, but no deeper.
const DEPTH: usize = 32;

/// Where an expression stands: which overlay's it is, and what it sees.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    /// Index among the cluster's instances.
    pub(super) index: usize,
    pub(super) instance: &'a Instance<'a>,
    /// For the expressions of a resource.
    pub(super) maker: Option<&'a Maker<'a>>,
}

impl<'a> Scope<'a> {
    fn context(&self) -> &'a Engine {
        self.maker.map_or(&self.instance.context, |maker| &maker.context)
    }
}

/// What an input is known by: the overlay, the resource's own variables where `item` is among them, and the name.
type Known = (usize, usize, String);

/// Finds the origins of inputs, each once.
pub(super) struct Inputs<'a> {
    pub(super) seen: &'a ClusterSeen<'a>,
    known: RefCell<IndexMap<Known, Arc<Origin>>>,
}

impl<'a> Inputs<'a> {
    pub(super) fn new(seen: &'a ClusterSeen<'a>) -> Self {
        Self { seen, known: RefCell::default() }
    }

    /// The origin of what a scalar with expressions gives.
    pub(super) fn scalar(&self, scope: Scope<'a>, scalar: &'a Scalar, value: Option<Json>, depth: usize) -> Origin {
        let mut inputs = Vec::new();
        scalar.expressions().for_each(|expression| self.expression(scope, expression, depth, &mut inputs));
        self.made(scope, Kind::Expression, scalar.span(), inputs).with(value)
    }

    /// The origin of a condition, or of another bare expression.
    pub(super) fn bare(&self, scope: Scope<'a>, expression: &'a Expression, name: &str) -> Origin {
        let mut inputs = Vec::new();
        self.expression(scope, expression, 0, &mut inputs);
        let value = expression.value(scope.context()).ok().and_then(|value| json(&value));
        self.made(scope, Kind::Expression, expression.span(), inputs).with(value).named(name)
    }

    fn made(&self, scope: Scope<'a>, kind: Kind, span: Span, inputs: Vec<Arc<Origin>>) -> Origin {
        let mut seen = Vec::new();
        let inputs = inputs.into_iter().filter(|input| {
            let new = !seen.contains(&input.name);
            seen.push(input.name.clone());
            new
        });
        let by = format!("the overlay {}", scope.instance.overlay.name());
        Origin { inputs: inputs.collect(), by, ..Origin::new(kind, span, self.written(span)) }
    }

    /// The text at a place.
    pub(super) fn written(&self, span: Span) -> String {
        let text = self.seen.sources.get(span.file).and_then(|source| source.text.get(span.start as usize..span.end as usize));
        text.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn expression(&self, scope: Scope<'a>, expression: &'a Expression, depth: usize, inputs: &mut Vec<Arc<Origin>>) {
        let paths = expression.paths();
        inputs.extend(paths.iter().filter_map(|path| self.input(scope, path, depth)));
        if paths.iter().any(|path| path == "template") {
            inputs.extend(self.texts(scope, expression.text(), depth));
        }
    }

    /// The text templates that an expression renders, by the names it gives them.
    fn texts(&self, scope: Scope<'a>, expression: &str, depth: usize) -> Vec<Arc<Origin>> {
        let mut found = Vec::new();
        for name in expression.split(['\'', '"']).filter(|name| name.ends_with(".j2")) {
            let Ok(template) = scope.instance.compiled.texts.get_template(name) else { continue };
            let mut paths: Vec<String> = template.undeclared_variables(true).into_iter().collect();
            paths.sort();
            let inputs = paths.iter().filter_map(|path| self.input(scope, path, depth)).collect();
            let file = scope.instance.overlay.file(name, self.seen.sources).map_or(Span::NONE, |(id, _)| Span::file(id));
            let origin = Origin { inputs, ..Origin::new(Kind::Program, file, "a text template") };
            found.push(Arc::new(Origin { by: format!("the overlay {}", scope.instance.overlay.name()), ..origin.named(name) }));
        }
        found
    }

    /// The origin of what is looked up under a dotted name; none for functions.
    fn input(&self, scope: Scope<'a>, name: &str, depth: usize) -> Option<Arc<Origin>> {
        let (name, value) = lookup(scope.context(), name)?;
        let item = if name == "item" || name.starts_with("item.") {
            scope.maker.map_or(0, |maker| std::ptr::from_ref(maker).addr())
        } else {
            0
        };
        let key = (scope.index, item, name.clone());
        if let Some(known) = self.known.borrow().get(&key) {
            return Some(Arc::clone(known));
        }
        let origin = Arc::new(self.look_up(scope, &name, value, depth)?.named(name));
        self.known.borrow_mut().insert(key, Arc::clone(&origin));
        Some(origin)
    }

    fn look_up(&self, scope: Scope<'a>, name: &str, value: Option<Json>, depth: usize) -> Option<Origin> {
        if depth > DEPTH {
            return None;
        }
        let parts: Vec<&str> = name.split('.').collect();
        let (first, rest) = parts.split_first()?;
        let values = &scope.instance.compiled.values;
        match *first {
            "options" => Some(self.option(scope, rest, value)),
            "cluster" => Some(self.chosen(declared::cluster(&self.seen.effective.cluster, rest, value))),
            "network" => Some(declared::network(self.seen.effective.network, rest, value)),
            "facts" => self.fact(scope, rest, value, depth),
            "item" => {
                let items = scope.maker?.resource.items.as_ref()?;
                let outer = Scope { maker: None, ..scope };
                Some(self.bare(outer, items, "loop").with(value))
            }
            first => {
                let (_, template) = values.iter().find(|(name, _)| name == first)?;
                Some(self.template(Scope { maker: None, ..scope }, template, rest, value, depth + 1))
            }
        }
    }

    /// The origin of a fact: of the overlay itself, or of the last one before it that says something.
    fn fact(&self, scope: Scope<'a>, rest: &[&str], value: Option<Json>, depth: usize) -> Option<Origin> {
        let field = rest.get(..1).unwrap_or_default();
        let says = |facts: &&Template| facts.constant(field).is_some() || !std::ptr::eq(facts.nearest(field), *facts);
        let before = self.seen.instances.iter().enumerate().take(scope.index + 1).rev();
        let (index, instance, facts) =
            before.filter_map(|(index, one)| Some((index, one, one.compiled.facts.as_ref()?))).find(|(.., facts)| says(facts))?;
        Some(self.template(Scope { index, instance, maker: None }, facts, rest, value, depth + 1))
    }

    /// The origin of a field of a template such as an overlay's `values`.
    fn template(&self, scope: Scope<'a>, template: &'a Template, rest: &[&str], value: Option<Json>, depth: usize) -> Origin {
        match template.nearest(rest) {
            Template::Scalar(scalar) => self.scalar(scope, scalar, value, depth),
            Template::Constant(node) => {
                let span = node.nearest(&Path(rest.iter().map(|key| Step::Key((*key).to_owned())).collect())).span;
                self.made(scope, Kind::Constant, span, Vec::new()).with(value)
            }
            other => {
                let (mut expressions, mut inputs) = (Vec::new(), Vec::new());
                other.expressions(&mut |expression| expressions.push(expression));
                expressions.into_iter().for_each(|expression| self.expression(scope, expression, depth, &mut inputs));
                self.made(scope, Kind::Expression, other.span(), inputs).with(value)
            }
        }
    }

    /// The origin of an overlay's option: where it is given, or its default and where that is declared.
    fn option(&self, scope: Scope<'a>, rest: &[&str], value: Option<Json>) -> Origin {
        let Some(selected) = self.selected(scope) else { return Origin::new(Kind::Unset, Span::NONE, String::new()) };
        let path = Path(rest.iter().map(|key| Step::Key((*key).to_owned())).collect());
        let block = selected.overlay.spec().selected_by.as_deref().map(|block| format!("spec.{block}"));
        let field = [block.as_deref().unwrap_or("options")].into_iter().chain(rest.iter().copied()).collect::<Vec<_>>().join(".");
        let schema = &selected.overlay.declared.node;
        let Some(node) = selected.options.at(&path) else {
            return Origin::new(Kind::Unset, schema_place(schema, rest, false), field);
        };
        if self.is_given(selected, &path) {
            let overrode = overridden(&selected.options, &path);
            let origin = Origin::new(Kind::Declared, place(&selected.options, &path), field).with(value);
            return self.chosen(Origin { overrode, ..origin });
        }
        Origin::new(Kind::Default, schema_place(schema, rest, true), field).with(value.or_else(|| Some(node.to_json())))
    }

    /// Whether somebody gave an option. A default has the place of the mapping that it was filled into; the values of a program
    /// all have one place, so there the cluster's document tells.
    fn is_given(&self, selected: &Selected<'_>, path: &Path) -> bool {
        let Some((last, parents)) = path.0.split_last() else { return true };
        let block = selected.overlay.spec().selected_by.as_deref();
        if let Some(block) = block.and_then(|block| self.seen.effective.cluster.node.at(&Path::dotted(&format!("spec.{block}"))))
            && block.at(path).is_some()
        {
            return true;
        }
        let parent = Path(parents.to_vec());
        let Some(node) = selected.options.at(&parent) else { return false };
        let child = selected.options.at(&Path([parents, std::slice::from_ref(last)].concat()));
        child.is_some_and(|child| child.span != node.span) && self.is_given(selected, &parent)
    }

    /// A declared value, with why the overlay applies that declares it, if it is one that does.
    fn chosen(&self, origin: Origin) -> Origin {
        let by = |selected: &&'a Selected<'a>| selected.overlay.declared.node.span.file == origin.place.file;
        match self.seen.effective.overlays.iter().find(by).filter(|_| origin.kind == Kind::Declared) {
            Some(selected) => {
                let inputs = origin.inputs.iter().cloned().chain(self.selections(selected)).collect();
                Origin { inputs, ..origin }
            }
            None => origin,
        }
    }

    /// Why the cluster has an overlay.
    pub(super) fn selections(&self, selected: &Selected<'_>) -> Vec<Arc<Origin>> {
        let block = selected.overlay.spec().selected_by.as_deref().unwrap_or_default();
        let reason = |reason: &overlay::Reason| {
            let (text, place) = match &reason.origin {
                overlay::Origin::Layer(selector) if selector.is_empty() => ("a layer of every cluster".to_owned(), reason.span),
                overlay::Origin::Layer(selector) => (format!("a layer of clusters with {selector}"), reason.span),
                overlay::Origin::Cluster => ("the cluster's own list".to_owned(), reason.span),
                overlay::Origin::UsedBy(name) => (format!("the overlay {name} builds on it"), reason.span),
                overlay::Origin::Block => {
                    let path = Path::dotted(&format!("spec.{block}"));
                    (format!("selected by spec.{block}"), place(&self.seen.effective.cluster.node, &path))
                }
            };
            Arc::new(Origin::new(Kind::Declared, place, text).named(format!("overlay {}", selected.overlay.name())))
        };
        selected.reasons.iter().map(reason).collect()
    }

    pub(super) fn selected(&self, scope: Scope<'a>) -> Option<&'a Selected<'a>> {
        let name = scope.instance.overlay.name();
        self.seen.effective.overlays.iter().find(|selected| selected.overlay.name() == name)
    }

    /// The overlay in whose folder a place is.
    pub(super) fn owner(&self, span: Span) -> Option<Scope<'a>> {
        let path = &self.seen.sources.get(span.file)?.path;
        let instances = self.seen.instances.iter().enumerate();
        let own = instances.filter(|(_, instance)| path.starts_with(&instance.overlay.folder));
        // Overlays may stand in folders of others.
        let (index, instance) = own.max_by_key(|(_, instance)| instance.overlay.folder.len())?;
        Some(Scope { index, instance, maker: None })
    }

    /// The patch that is written in a file and applies, with the overlay that has it.
    pub(super) fn patching(&self, file: FileId) -> Option<(Scope<'a>, &'a CompiledPatch)> {
        let written = |patch: &&CompiledPatch| match &patch.body {
            Body::Manifests(documents) => documents.iter().any(|document| document.template.span().file == file),
            Body::Jsonnet(program) => *program == file,
        };
        self.seen.instances.iter().enumerate().find_map(|(index, instance)| {
            let applies = |patch: &&CompiledPatch| {
                patch.when.as_ref().is_none_or(|condition| condition.is_true(&instance.context).unwrap_or_default())
            };
            let patch = instance.compiled.patches.iter().filter(applies).find(written)?;
            Some((Scope { index, instance, maker: None }, patch))
        })
    }
}

/// What a context has under a dotted name; the value is none where nothing is set. The name ends early where the rest of it is a
/// method; functions have no origin.
fn lookup(context: &Engine, name: &str) -> Option<(String, Option<Json>)> {
    let mut at = context.clone();
    let mut known: Vec<&str> = Vec::new();
    for part in name.split('.') {
        let next = at.get_attr(part).unwrap_or(Engine::UNDEFINED);
        if next.is_undefined() {
            return match at.kind() {
                // A name that nobody sets is one of the engine's, such as `omit`.
                _ if known.is_empty() => None,
                ValueKind::Map => Some((name.to_owned(), None)),
                _ => Some((known.join("."), json(&at))),
            };
        }
        known.push(part);
        at = next;
    }
    json(&at).map(|value| (name.to_owned(), Some(value)))
}

/// An engine's value as data; none for functions and what is undefined.
pub(super) fn json(value: &Engine) -> Option<Json> {
    match value.kind() {
        ValueKind::Undefined | ValueKind::Invalid | ValueKind::Plain => None,
        _ => serde_json::to_value(value).ok(),
    }
}

/// Where an overlay's schema declares an option, or its default.
fn schema_place(overlay: &Node, path: &[&str], default: bool) -> Span {
    let mut schema = overlay.at(&Path::dotted("spec.options"));
    let mut found = schema.map_or(Span::NONE, |schema| schema.span);
    for name in path {
        let Some(map) = schema.and_then(|schema| schema.get("properties")).and_then(Node::as_map) else { break };
        let Some((key, property)) = map.entry(name) else { break };
        found = match property.get("default").filter(|_| default) {
            Some(value) if !matches!(&value.value, Value::Map(map) if map.is_empty()) => value.span,
            Some(_) | None => key.span,
        };
        schema = Some(property);
    }
    found
}
