//! What the overlays of one cluster make: facts, objects and findings.

mod objects;
mod patching;
mod stacks;

use minijinja::Value;

use super::Selected;
use super::compiled::{Compiled, CompiledAssertion};
use super::context::Variables;
use super::expression::{Expression, to_value};
use super::jsonnet::Jsonnet;
use super::library::Overlay;
use findings::{Diagnostic, Label, rules};
use model::declare::{Declared, Facts, Transition};
pub use objects::Maker;
use schema::kubernetes::Schemas;
use tree::{Node, Path, Span};

/// What rendering needs beside the overlays: programs and schemas.
#[derive(Clone, Copy)]
pub struct Tools<'a> {
    /// Runs Jsonnet.
    pub jsonnet: &'a Jsonnet,
    /// Schemas of the cluster's Kubernetes version.
    pub schemas: &'a Schemas,
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

    /// The context as plain data, for programs.
    fn data(&self, context: &Value) -> serde_json::Value {
        let names = ["cluster", "network", "options", "facts", "item"];
        let own = self.compiled.values.iter().map(|(name, _)| name.as_str());
        let value = |name: &str| serde_json::to_value(context.get_attr(name).ok().filter(|value| !value.is_undefined())?).ok();
        names.into_iter().chain(own).filter_map(|name| Some((name.to_owned(), value(name)?))).collect()
    }

    /// Checks the overlay's own rules.
    pub fn assert(&self, declared: &Declared<model::declare::Cluster>, findings: &mut Vec<Diagnostic>) {
        self.blamed(findings, |findings| {
            self.compiled.assertions.iter().for_each(|one| self.assert_one(one, declared, findings));
        });
    }

    /// Checks the rule with this index among the overlay's `assertions`.
    pub fn assert_at(&self, index: usize, declared: &Declared<model::declare::Cluster>, findings: &mut Vec<Diagnostic>) {
        let rules = self.compiled.assertions.iter().filter(|one| one.index == index);
        self.blamed(findings, |findings| rules.for_each(|one| self.assert_one(one, declared, findings)));
    }

    fn assert_one(
        &self,
        compiled: &CompiledAssertion,
        declared: &Declared<model::declare::Cluster>,
        findings: &mut Vec<Diagnostic>,
    ) {
        if let Err(finding) = self.broken(compiled, declared, findings) {
            findings.push(finding);
        }
    }

    fn broken(
        &self,
        compiled: &CompiledAssertion,
        declared: &Declared<model::declare::Cluster>,
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
        let text = self.blamed(findings, |findings| rendered.map_err(|error| findings.push(report(error))).ok())?;
        findings.extend(yaml::hidden(&text).map(|(_, bad)| yaml::invisible(bad, Span::file(file))));
        Some(text)
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
