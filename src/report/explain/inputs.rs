//! What expressions of overlays look up, and where that comes from.

use std::cell::RefCell;
use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::Value as Engine;
use minijinja::value::ValueKind;
use serde_json::Value as Json;

use super::choice::Choice;
use super::declared;
use super::narrow::Asked;
use super::origin::{Kind, Origin};
use engine::overlay::Selected;
use engine::overlay::compiled::{Body, CompiledPatch};
use engine::overlay::expression::Expression;
use engine::overlay::render::{Instance, Maker};
use engine::overlay::template::{Scalar, Template};
use engine::{ClusterSeen, NetworkSeen};
use model::declare::{Cluster, Declared, Network};
use tree::{FileId, Path, Sources, Span, Step};

/// Expressions inside expressions: values of overlays build on each other, but no deeper.
const DEPTH: usize = 32;

/// What overlays are on: a cluster, or a network.
#[derive(Clone, Copy)]
pub(super) struct Unit<'a> {
    pub(super) sources: &'a Sources,
    /// None for a network, whose overlays see no cluster.
    pub(super) cluster: Option<&'a Declared<Cluster>>,
    pub(super) network: &'a Declared<Network>,
    pub(super) overlays: &'a [Selected<'a>],
    pub(super) instances: &'a [Instance<'a>],
}

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
    pub(super) fn context(&self) -> &'a Engine {
        self.maker.map_or(&self.instance.context, |maker| &maker.context)
    }
}

/// What an input is known by: the overlay, the resource's own variables where `item` is among them, and the name.
type Known = (usize, usize, String);

/// Finds the origins of inputs, each once.
pub(super) struct Inputs<'a> {
    pub(super) unit: Unit<'a>,
    pub(super) choice: Choice<'a>,
    known: RefCell<IndexMap<Known, Arc<Origin>>>,
}

impl<'a> Inputs<'a> {
    pub(super) fn of_cluster(seen: &'a ClusterSeen<'a>) -> Self {
        let (effective, instances) = (seen.effective, seen.instances);
        let unit = Unit {
            sources: seen.sources,
            cluster: Some(&effective.cluster),
            network: effective.network,
            overlays: &effective.overlays,
            instances,
        };
        Self { unit, choice: Choice::of_cluster(seen), known: RefCell::default() }
    }

    pub(super) fn of_network(seen: &'a NetworkSeen<'a>) -> Self {
        let NetworkSeen { sources, network, overlays, instances, .. } = *seen;
        let unit = Unit { sources, cluster: None, network, overlays, instances };
        Self { unit, choice: Choice::of_network(seen), known: RefCell::default() }
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
        let text = self.unit.sources.get(span.file).and_then(|source| source.text.get(span.start as usize..span.end as usize));
        text.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn expression(&self, scope: Scope<'a>, expression: &'a Expression, depth: usize, inputs: &mut Vec<Arc<Origin>>) {
        let paths = expression.paths();
        inputs.extend(paths.iter().filter_map(|path| self.input(scope, path, depth)));
        if paths.iter().any(|path| path == "template") {
            inputs.extend(self.texts(scope, expression.text(), depth, None).into_iter().map(|(origin, _)| origin));
        }
    }

    /// The text templates that an expression renders, by the names it gives them, and whether one of their inputs has what is asked.
    pub(super) fn texts(
        &self,
        scope: Scope<'a>,
        expression: &str,
        depth: usize,
        asked: Option<Asked<'_>>,
    ) -> Vec<(Arc<Origin>, bool)> {
        let mut found = Vec::new();
        for name in expression.split(['\'', '"']).filter(|name| name.ends_with(".j2")) {
            let Ok(template) = scope.instance.compiled.texts.get_template(name) else { continue };
            let mut paths: Vec<String> = template.undeclared_variables(true).into_iter().collect();
            paths.sort();
            let parts = asked.and_then(|asked| self.parts(scope, &paths, asked, depth));
            let leads = parts.is_some();
            let inputs = parts.unwrap_or_else(|| paths.iter().filter_map(|path| self.input(scope, path, depth)).collect());
            let file = scope.instance.overlay.file(name, self.unit.sources).map_or(Span::NONE, |(id, _)| Span::file(id));
            let origin = Origin { inputs, ..Origin::new(Kind::Program, file, "a text template") };
            let by = format!("the overlay {}", scope.instance.overlay.name());
            found.push((Arc::new(Origin { by, ..origin.named(name) }), leads));
        }
        found
    }

    /// The origin of what is looked up under a dotted name; none for functions.
    pub(super) fn input(&self, scope: Scope<'a>, name: &str, depth: usize) -> Option<Arc<Origin>> {
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
        let parts: Vec<&str> = name.split('.').collect();
        let origin = Arc::new(self.look_up(scope, &parts, &[], value, depth)?.named(name));
        self.known.borrow_mut().insert(key, Arc::clone(&origin));
        Some(origin)
    }

    /// The origin of what is looked up under a name in parts; `after` leads on to what is asked about it.
    pub(super) fn look_up(
        &self,
        scope: Scope<'a>,
        parts: &[&str],
        after: &[Step],
        value: Option<Json>,
        depth: usize,
    ) -> Option<Origin> {
        if depth > DEPTH {
            return None;
        }
        let (first, rest) = parts.split_first()?;
        let values = &scope.instance.compiled.values;
        match *first {
            "options" => Some(self.option(scope, rest, value)),
            "cluster" => Some(self.choice.chosen(declared::cluster(self.unit.cluster?, rest, value))),
            "network" => Some(self.choice.chosen(declared::network(self.unit.network, rest, value))),
            "facts" => self.fact(scope, (rest, after), value, depth),
            "item" => {
                let items = scope.maker?.resource.items.as_ref()?;
                let outer = Scope { maker: None, ..scope };
                Some(self.bare(outer, items, "loop").with(value))
            }
            first => {
                let (_, template) = values.iter().find(|(name, _)| name == first)?;
                Some(self.template(Scope { maker: None, ..scope }, template, (rest, after), value, depth + 1))
            }
        }
    }

    /// The origin of a fact: of the overlay itself, or of the last one before it that says something.
    fn fact(&self, scope: Scope<'a>, (rest, after): (&[&str], &[Step]), value: Option<Json>, depth: usize) -> Option<Origin> {
        let field = rest.get(..1).unwrap_or_default();
        let says = |facts: &&Template| facts.constant(field).is_some() || !std::ptr::eq(facts.nearest(field), *facts);
        let before = self.unit.instances.iter().enumerate().take(scope.index + 1).rev();
        let (index, instance, facts) =
            before.filter_map(|(index, one)| Some((index, one, one.compiled.facts.as_ref()?))).find(|(.., facts)| says(facts))?;
        Some(self.template(Scope { index, instance, maker: None }, facts, (rest, after), value, depth + 1))
    }

    /// The origin of a field of a template such as an overlay's `values`.
    fn template(
        &self,
        scope: Scope<'a>,
        template: &'a Template,
        (rest, after): (&[&str], &[Step]),
        value: Option<Json>,
        depth: usize,
    ) -> Origin {
        let (template, left) = template.reach(rest);
        match template {
            Template::Scalar(scalar) => {
                let left = left.iter().map(|key| Step::Key((*key).to_owned()));
                let below: Vec<_> = left.chain(after.iter().cloned()).collect();
                self.below(scope, scalar, &below, value, depth)
            }
            Template::Constant(node) => {
                let span = node.nearest(&Path(left.iter().map(|key| Step::Key((*key).to_owned())).collect())).span;
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

    pub(super) fn selected(&self, scope: Scope<'a>) -> Option<&'a Selected<'a>> {
        let name = scope.instance.overlay.name();
        self.unit.overlays.iter().find(|selected| selected.overlay.name() == name)
    }

    /// The overlay in whose folder a place is.
    pub(super) fn owner(&self, span: Span) -> Option<Scope<'a>> {
        let path = &self.unit.sources.get(span.file)?.path;
        let instances = self.unit.instances.iter().enumerate();
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
        self.unit.instances.iter().enumerate().find_map(|(index, instance)| {
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
pub(super) fn lookup(context: &Engine, name: &str) -> Option<(String, Option<Json>)> {
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
