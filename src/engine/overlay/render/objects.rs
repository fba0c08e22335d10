//! The objects that the resources of an overlay make.

use std::sync::Arc;

use minijinja::Value;

use super::{Instance, Tools, holds};
use crate::overlay::compiled::{Body, CompiledConfigMap, CompiledResource, Manifest};
use crate::overlay::expression::{Expression, Outcome, to_value};
use findings::{Diagnostic, rules};
use model::declare::Stack;
use schema::{Home, Identity, Object};
use tree::{Node, Span, from_json, limits};

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

impl<'a> Instance<'a> {
    /// The objects of the overlay's resources.
    pub fn objects(&self, tools: Tools<'_>, findings: &mut Vec<Diagnostic>) -> Vec<Arc<Object>> {
        self.blamed(findings, |findings| self.make_objects(tools, findings))
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
        let home = self.overlay.home();
        self.each_resource(None, findings, &mut |mut maker, findings| match &maker.resource.body {
            Body::Manifests(manifests) => {
                for manifest in manifests {
                    maker.document = Some(manifest);
                    match manifest.template.is_scalar() {
                        true => self
                            .computed(manifest, &maker.context, &home, findings)
                            .into_iter()
                            .for_each(|object| take(&maker, object)),
                        false => {
                            make(manifest, &maker.context, &home, findings).into_iter().for_each(|object| take(&maker, object))
                        }
                    }
                }
            }
            Body::Jsonnet(file) => match tools.jsonnet.eval(*file, &[("ctx", self.data(&maker.context))]) {
                Ok(json) => each(from_json(&json, Span::file(*file)), |node| {
                    object(node, &home, findings).into_iter().for_each(|object| take(&maker, object));
                }),
                Err(finding) => findings.push(finding),
            },
        });
    }

    /// Calls `visit` for each resource that applies, as often as its `loop` says: those for a stack, or those that make objects.
    pub(super) fn each_resource(
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
    fn computed(&self, manifest: &Manifest, context: &Value, home: &Home, findings: &mut Vec<Diagnostic>) -> Vec<Arc<Object>> {
        let mut objects = Vec::new();
        if let Some(node) = manifest.template.eval(context, findings) {
            let node = if self.overlay.stock { from_json(&node.to_json(), self.place) } else { node };
            each(node, |node| objects.extend(object(node, home, findings)));
        }
        objects
    }

    /// One context, or one for each item of the resource's `loop`.
    fn contexts(&self, items: Option<&Expression>, findings: &mut Vec<Diagnostic>) -> Vec<Value> {
        let Some(expression) = items else { return vec![self.context.clone()] };
        let hint = |finding: Diagnostic| match expression.text().contains(" in ") {
            true => finding.help("`loop` takes the list alone; each of its items is `item`"),
            false => finding,
        };
        let list = match expression.eval(&self.context) {
            Ok(Outcome::Value(node)) => node,
            Ok(Outcome::Omit) => return Vec::new(),
            Err(finding) => {
                findings.push(hint(finding));
                return Vec::new();
            }
        };
        let items = list.as_list().unwrap_or_default();
        if list.as_list().is_none() || items.len() > limits::LOOP_ITEMS {
            let message = format!("`loop` gives {}; it takes a list of at most {} items", list.kind(), limits::LOOP_ITEMS);
            findings.push(hint(Diagnostic::new(&rules::EXPRESSION, list.span, message)));
            return Vec::new();
        }
        let with = |item: &Node| {
            let variables = self.variables.inner();
            variables.set("item", to_value(item));
            variables.context()
        };
        items.iter().map(with).collect()
    }
}

/// How many objects of one manifest are kept for other clusters: one that differs from cluster to cluster is not worth keeping.
const SHARED: usize = 64;

/// The object of a manifest's document, made anew only for inputs that no cluster had before.
fn make(manifest: &Manifest, context: &Value, home: &Home, findings: &mut Vec<Diagnostic>) -> Option<Arc<Object>> {
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
    let object = node.and_then(|node| object(node, home, findings));
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
pub(super) fn each(node: Node, mut take: impl FnMut(Node)) {
    match node.value {
        tree::Value::List(items) => items.into_iter().for_each(take),
        tree::Value::Null => {}
        _ => take(node),
    }
}

fn object(node: Node, home: &Home, findings: &mut Vec<Diagnostic>) -> Option<Arc<Object>> {
    match Identity::of(&node) {
        Some(identity) => Some(Arc::new(Object::new(identity, home.clone(), node))),
        None => {
            let message = "a resource lacks `apiVersion`, `kind` or `metadata.name`";
            findings.push(Diagnostic::new(&rules::OBJECT_IDENTITY, node.span, message));
            None
        }
    }
}
