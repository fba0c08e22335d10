//! What the overlays of one cluster make: facts, objects and findings.

mod patching;
mod stacks;

use std::sync::Arc;

use minijinja::Value;

use super::Selected;
use super::compile::{Body, Compiled, CompiledAssertion, CompiledConfigMap, CompiledResource, Manifest};
use super::context::Variables;
use super::expression::{Expression, Outcome, to_value};
use super::jsonnet::Jsonnet;
use super::library::Overlay;
use crate::declare::{Declared, Facts, Stack, Transition};
use crate::diagnostic::{Diagnostic, Label, rules};
use crate::kubernetes::schema::Schemas;
use crate::kubernetes::{Identity, Object};
use crate::limits;
use crate::tree::{Node, Path, Span, from_json};

/// What rendering needs beside the overlays: programs and schemas.
#[derive(Clone, Copy)]
pub struct Tools<'a> {
    /// Runs Jsonnet.
    pub jsonnet: &'a Jsonnet,
    /// Schemas of the cluster's Kubernetes version.
    pub schemas: &'a Schemas,
}

/// What made an object: a resource of an overlay, and what its expressions saw.
#[derive(Clone, Debug)]
pub struct Maker<'a> {
    /// Index in the overlay's `resources`.
    pub index: usize,
    /// The resource.
    pub resource: &'a CompiledResource,
    /// The document; none for a program.
    pub document: Option<&'a Manifest>,
    /// The variables, `item` among them where the resource has a `loop`.
    pub context: Value,
}

/// An overlay on a cluster, with its variables evaluated.
pub struct Instance<'a> {
    /// The overlay.
    pub overlay: &'a Overlay,
    /// The overlay, compiled.
    pub compiled: &'a Compiled,
    variables: Variables,
    /// What its expressions see.
    pub context: Value,
    /// Its facts.
    pub facts: Facts,
    /// The block that selected it, or the place that names it: where its facts are asked for.
    pub place: Span,
    /// What it is on, for messages: "the cluster `a`".
    unit: String,
    /// Whether that is a network, which has no cluster for expressions to see.
    of_network: bool,
}

impl<'a> Instance<'a> {
    /// Evaluates an overlay's values and facts; `None` when it does not apply.
    pub fn new(
        selected: &Selected<'a>,
        compiled: &'a Compiled,
        base: &Variables,
        cluster: &str,
        findings: &mut Vec<Diagnostic>,
    ) -> Option<Self> {
        let unit = format!("the cluster `{cluster}`");
        let work = |findings: &mut Vec<Diagnostic>| Self::evaluate(selected, compiled, base, unit.clone(), findings);
        blame(selected.overlay, selected.place, &unit, findings, work)
    }

    /// An overlay on a network, whichever clusters run in that: without facts, and without the values that ask for a cluster.
    /// Whether it applies is another question.
    pub fn of_network(
        selected: &Selected<'a>,
        compiled: &'a Compiled,
        base: &Variables,
        network: &str,
        findings: &mut Vec<Diagnostic>,
    ) -> Option<Self> {
        let unit = format!("the network `{network}`");
        let work = |findings: &mut Vec<Diagnostic>| Self::evaluate_for_network(selected, compiled, base, unit.clone(), findings);
        blame(selected.overlay, selected.place, &unit, findings, work)
    }

    fn evaluate_for_network(
        selected: &Selected<'a>,
        compiled: &'a Compiled,
        base: &Variables,
        unit: String,
        findings: &mut Vec<Diagnostic>,
    ) -> Option<Self> {
        let variables = Self::variables(selected, compiled, base);
        let context = variables.context();
        let mut unknown = vec!["cluster", "facts"];
        for (name, template) in &compiled.values {
            let mut depends = false;
            template.expressions(&mut |expression| depends |= expression.reads(&unknown));
            if depends {
                unknown.push(name);
                continue;
            }
            variables.set(name, to_value(&template.eval(&context, findings)?));
        }
        let (overlay, place) = (selected.overlay, selected.place);
        Some(Self { overlay, compiled, variables, context, facts: Facts::default(), place, unit, of_network: true })
    }

    /// The overlay's own variables, as far as they are given.
    fn variables(selected: &Selected<'a>, compiled: &Compiled, base: &Variables) -> Variables {
        let variables = base.inner();
        variables.set("options", to_value(&selected.options));
        let names: Vec<String> = compiled.values.iter().map(|(name, _)| name.clone()).collect();
        variables.set_texts(&compiled.texts, &names);
        variables
    }

    fn evaluate(
        selected: &Selected<'a>,
        compiled: &'a Compiled,
        base: &Variables,
        unit: String,
        findings: &mut Vec<Diagnostic>,
    ) -> Option<Self> {
        let variables = Self::variables(selected, compiled, base);
        let context = variables.context();
        if !holds(compiled.when.as_ref(), &context, findings) {
            return None;
        }
        for (name, template) in &compiled.values {
            let before = findings.len();
            let value = template.eval(&context, findings);
            if value.is_none() && findings.len() == before {
                let place = selected.overlay.declared.span(&format!("spec.values.{name}"));
                findings.push(Diagnostic::new(
                    &rules::EXPRESSION,
                    place,
                    format!("the value `{name}` is `omit`, which leaves out a key or an item"),
                ));
            }
            variables.set(name, to_value(&value?));
        }
        let node = match &compiled.facts {
            Some(template) => template.eval(&context, findings)?,
            None => Node::map::<&str>([]),
        };
        let facts = decode_facts(&node, findings)?;
        let known = later_wins(&base.context().get_attr("facts").unwrap_or_default(), &to_value(&node));
        base.set("facts", known.clone());
        variables.set("facts", known);
        Some(Self {
            overlay: selected.overlay,
            compiled,
            variables,
            context,
            facts,
            place: selected.place,
            unit,
            of_network: false,
        })
    }

    /// Whether the overlay applies to the network that it is on.
    pub fn applies(&self, findings: &mut Vec<Diagnostic>) -> bool {
        self.blamed(findings, |findings| holds(self.compiled.when.as_ref(), &self.context, findings))
    }

    /// What changes of fields do to a running cluster.
    #[must_use]
    pub fn transitions(&self) -> &'a [Transition] {
        &self.overlay.spec().transitions
    }

    /// The objects of the overlay's resources.
    pub fn objects(&self, tools: Tools<'_>, findings: &mut Vec<Diagnostic>) -> Vec<Arc<Object>> {
        self.blamed(findings, |findings| self.make_objects(tools, findings))
    }

    /// What `work` gives; findings about expressions tell where the overlay is chosen.
    fn blamed<T>(&self, findings: &mut Vec<Diagnostic>, work: impl FnOnce(&mut Vec<Diagnostic>) -> T) -> T {
        let before = findings.len();
        let result = blame(self.overlay, self.place, &self.unit, findings, work);
        if self.of_network {
            let unset =
                |finding: &&mut Diagnostic| ["is undefined", "gives no value"].iter().any(|end| finding.message.ends_with(end));
            for finding in findings.iter_mut().skip(before).filter(unset) {
                finding.help.push(
                    "for the stack of a network there are `network`, `options`, and values that ask for nothing else".to_owned(),
                );
            }
        }
        result
    }

    fn make_objects(&self, tools: Tools<'_>, findings: &mut Vec<Diagnostic>) -> Vec<Arc<Object>> {
        let mut objects = Vec::new();
        self.each_object(tools, findings, &mut |_, object| objects.push(object));
        objects.extend(self.config_maps(findings).map(|map| Arc::clone(&map.object)));
        objects
    }

    /// What made each of the overlay's objects, for `explain`; they are made once more for it.
    #[must_use]
    pub fn makers(&self, tools: Tools<'_>) -> Vec<(Identity, Maker<'a>)> {
        let mut makers = Vec::new();
        self.each_object(tools, &mut Vec::new(), &mut |maker, object| makers.push((object.identity.clone(), maker.clone())));
        makers
    }

    fn each_object(&self, tools: Tools<'_>, findings: &mut Vec<Diagnostic>, take: &mut dyn FnMut(&Maker<'a>, Arc<Object>)) {
        let component: Arc<str> = self.overlay.component().into();
        self.each_resource(None, findings, &mut |mut maker, findings| match &maker.resource.body {
            Body::Manifests(manifests) => {
                for manifest in manifests {
                    maker.document = Some(manifest);
                    match manifest.template.is_scalar() {
                        true => self
                            .computed(manifest, &maker.context, &component, findings)
                            .into_iter()
                            .for_each(|object| take(&maker, object)),
                        false => make(manifest, &maker.context, &component, findings)
                            .into_iter()
                            .for_each(|object| take(&maker, object)),
                    }
                }
            }
            Body::Jsonnet(file) => match tools.jsonnet.eval(*file, &[("ctx", self.data(&maker.context))]) {
                Ok(json) => each(from_json(&json, Span::file(*file)), |node| {
                    object(node, &component, findings).into_iter().for_each(|object| take(&maker, object));
                }),
                Err(finding) => findings.push(finding),
            },
        });
    }

    /// Calls `visit` for each resource that applies, as often as its `loop` says: those for a stack, or those that make objects.
    fn each_resource(
        &self,
        stack: Option<Stack>,
        findings: &mut Vec<Diagnostic>,
        visit: &mut dyn FnMut(Maker<'a>, &mut Vec<Diagnostic>),
    ) {
        for (index, resource) in self.compiled.resources.iter().enumerate().filter(|(_, resource)| resource.stack == stack) {
            if !holds(resource.when.as_ref(), &self.context, findings) {
                continue;
            }
            for context in self.contexts(resource.items.as_ref(), findings) {
                visit(Maker { index, resource, document: None, context }, findings);
            }
        }
    }

    /// The `ConfigMap`s of files that it makes.
    fn config_maps(&self, findings: &mut Vec<Diagnostic>) -> impl Iterator<Item = &CompiledConfigMap> {
        self.compiled.config_maps.iter().filter(|map| holds(map.when.as_ref(), &self.context, findings))
    }

    /// The `ConfigMap`s whose names get a hash.
    #[must_use]
    pub fn hashed(&self) -> Vec<Identity> {
        let mut nothing = Vec::new();
        self.config_maps(&mut nothing).filter(|map| map.hash).map(|map| map.object.identity.clone()).collect()
    }

    /// What a document that is one expression gives: an object, or a list of them. They come from files of the project or from
    /// options, so what is wrong with those of a stock overlay is reported where it is chosen.
    fn computed(
        &self,
        manifest: &Manifest,
        context: &Value,
        component: &Arc<str>,
        findings: &mut Vec<Diagnostic>,
    ) -> Vec<Arc<Object>> {
        let mut objects = Vec::new();
        if let Some(node) = manifest.template.eval(context, findings) {
            let node = if self.overlay.stock { from_json(&node.to_json(), self.place) } else { node };
            each(node, |node| objects.extend(object(node, component, findings)));
        }
        objects
    }

    /// One context, or one for each item of the resource's `loop`.
    fn contexts(&self, items: Option<&Expression>, findings: &mut Vec<Diagnostic>) -> Vec<Value> {
        let Some(expression) = items else { return vec![self.context.clone()] };
        let list = match expression.eval(&self.context) {
            Ok(Outcome::Value(node)) => node,
            Ok(Outcome::Omit) => return Vec::new(),
            Err(finding) => {
                findings.push(finding);
                return Vec::new();
            }
        };
        let items = list.as_list().unwrap_or_default();
        if list.as_list().is_none() || items.len() > limits::LOOP_ITEMS {
            let message = format!("`loop` gives {}; it takes a list of at most {} items", list.kind(), limits::LOOP_ITEMS);
            findings.push(Diagnostic::new(&rules::EXPRESSION, list.span, message));
            return Vec::new();
        }
        let with = |item: &Node| {
            let variables = self.variables.inner();
            variables.set("item", to_value(item));
            variables.context()
        };
        items.iter().map(with).collect()
    }

    /// The context as plain data, for programs.
    fn data(&self, context: &Value) -> serde_json::Value {
        let names = ["cluster", "network", "options", "facts", "item"];
        let own = self.compiled.values.iter().map(|(name, _)| name.as_str());
        let value = |name: &str| serde_json::to_value(context.get_attr(name).ok().filter(|value| !value.is_undefined())?).ok();
        names.into_iter().chain(own).filter_map(|name| Some((name.to_owned(), value(name)?))).collect()
    }

    /// Checks the overlay's own rules.
    pub fn assert(&self, declared: &Declared<crate::declare::Cluster>, findings: &mut Vec<Diagnostic>) {
        self.blamed(findings, |findings| {
            for compiled in &self.compiled.assertions {
                if let Err(finding) = self.assert_one(compiled, declared, findings) {
                    findings.push(finding);
                }
            }
        });
    }

    fn assert_one(
        &self,
        compiled: &CompiledAssertion,
        declared: &Declared<crate::declare::Cluster>,
        findings: &mut Vec<Diagnostic>,
    ) -> Result<(), Diagnostic> {
        let Some(rule) = self.overlay.spec().assertions.get(compiled.index) else { return Ok(()) };
        if !holds(compiled.when.as_ref(), &self.context, findings) || compiled.that.is_true(&self.context)? {
            return Ok(());
        }
        let name = declared.span("metadata.name");
        let place = match &rule.field {
            Some(field) => declared.node.nearest(&Path::dotted(&format!("spec.{field}"))).span,
            None => self.place,
        };
        let text = compiled.message.text(&self.context)?;
        let mut finding = Diagnostic::declared(&rule.code, rule.severity, place, text);
        if place.file != name.file {
            finding = finding.also(name, "for this cluster");
        }
        if let Some(help) = &compiled.help {
            finding = finding.help(help.text(&self.context)?);
        }
        findings.push(finding);
        Ok(())
    }

    /// The overlay's section of the cluster's README.
    pub fn runbook(&self, findings: &mut Vec<Diagnostic>) -> Option<String> {
        let (name, file) = self.overlay.spec().runbook.as_deref().zip(self.compiled.runbook)?;
        let rendered = self.compiled.texts.get_template(name).and_then(|template| template.render(self.context.clone()));
        let report = |error| super::expression::diagnose(&error, Span::file(file), Some(0));
        self.blamed(findings, |findings| rendered.map_err(|error| findings.push(report(error))).ok())
    }
}

/// What `work` gives; adds to its findings about expressions where the overlay is chosen. Nobody can mend an expression of a stock overlay: there the
/// choice, with its options, comes first.
fn blame<T>(
    overlay: &Overlay,
    place: Span,
    unit: &str,
    findings: &mut Vec<Diagnostic>,
    work: impl FnOnce(&mut Vec<Diagnostic>) -> T,
) -> T {
    let before = findings.len();
    let result = work(findings);
    let expressions = findings.iter_mut().skip(before).filter(|finding| finding.code == rules::EXPRESSION.code);
    for finding in expressions.filter(|_| place.is_known()) {
        if overlay.stock {
            let label = Label { span: finding.span, text: "in this expression".to_owned() };
            finding.labels.push(label);
            finding.span = place;
        } else {
            finding.labels.push(Label { span: place, text: format!("chosen here for {unit}") });
        }
    }
    result
}

/// Whether a condition holds; one that cannot be evaluated is reported and does not.
fn holds(condition: Option<&Expression>, context: &Value, findings: &mut Vec<Diagnostic>) -> bool {
    condition.is_none_or(|condition| {
        condition.is_true(context).unwrap_or_else(|finding| {
            findings.push(finding);
            false
        })
    })
}

/// The facts of the overlays so far, with those of one more: of two that say something the later one counts.
fn later_wins(known: &Value, own: &Value) -> Value {
    let keys = |map: &Value| map.try_iter().into_iter().flatten().collect::<Vec<_>>();
    let fields = [known, own].into_iter().flat_map(|map| keys(map).into_iter().map(move |key| (key.clone(), map.get_item(&key))));
    Value::from_pairs(fields.filter_map(|(key, value)| Some((key, value.ok()?))))
}

fn decode_facts(node: &Node, findings: &mut Vec<Diagnostic>) -> Option<Facts> {
    match serde_path_to_error::deserialize(node.to_json()) {
        Ok(facts) => Some(facts),
        Err(error) => {
            let place = node.nearest(&Path::dotted(&error.path().to_string())).span;
            findings.push(Diagnostic::new(&rules::SCHEMA, place, format!("facts: {}", error.into_inner())));
            None
        }
    }
}

/// How many objects of one manifest are kept for other clusters: one that differs from cluster to cluster is not worth keeping.
const SHARED: usize = 64;

/// The object of a manifest's document, made anew only for inputs that no cluster had before.
fn make(manifest: &Manifest, context: &Value, component: &Arc<str>, findings: &mut Vec<Diagnostic>) -> Option<Arc<Object>> {
    let (mut inputs, before) = (Vec::new(), findings.len());
    manifest.template.inputs(context, &mut inputs, findings);
    if findings.len() > before {
        return None;
    }
    let key = fingerprint(&inputs);
    if let Some(known) = manifest.made().get(&key) {
        return known.clone();
    }
    let node = manifest.template.build(&mut inputs.into_iter());
    let object = node.and_then(|node| object(node, component, findings));
    let mut made = manifest.made();
    if made.len() >= SHARED {
        return object;
    }
    made.entry(key).or_insert(object).clone()
}

/// A text that is equal exactly for equal inputs.
fn fingerprint(inputs: &[Outcome]) -> String {
    let mut key = String::new();
    for input in inputs {
        match input {
            Outcome::Omit => key.push('-'),
            Outcome::Value(node) => key.push_str(&serde_json::to_string(node).unwrap_or_default()),
        }
        key.push('\n');
    }
    key
}

/// Calls `take` for a node, or for each item of a list.
fn each(node: Node, mut take: impl FnMut(Node)) {
    match node.value {
        crate::tree::Value::List(items) => items.into_iter().for_each(take),
        crate::tree::Value::Null => {}
        _ => take(node),
    }
}

fn object(node: Node, component: &Arc<str>, findings: &mut Vec<Diagnostic>) -> Option<Arc<Object>> {
    match Identity::of(&node) {
        Some(identity) => Some(Arc::new(Object::new(identity, Arc::clone(component), node))),
        None => {
            let message = "a resource lacks `apiVersion`, `kind` or `metadata.name`";
            findings.push(Diagnostic::new(&rules::OBJECT_IDENTITY, node.span, message));
            None
        }
    }
}
