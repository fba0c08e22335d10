//! A policy with its expressions compiled; what is wrong with them is found before they have seen an object.

use super::document::{Policy, PolicySpec};
use cel::{Expr, Place};
use findings::{Diagnostic, rules};
use model::declare::Declared;
use tree::{Node, Path, Sources, Span, limits};

/// A policy, ready to be evaluated.
#[derive(Debug)]
pub struct Compiled {
    /// Conditions under which it is about an object.
    pub conditions: Vec<Expr>,
    /// Named expressions.
    pub variables: Vec<Expr>,
    /// What must be true.
    pub validations: Vec<Validation>,
    /// Keys, and what is told under them.
    pub audits: Vec<(String, Expr)>,
}

/// What must be true.
#[derive(Debug)]
pub struct Validation {
    /// The expression.
    pub that: Expr,
    /// Its text.
    pub text: String,
    /// What is wrong when it is not true.
    pub message: Option<String>,
    /// What is wrong, with the object's values in it.
    pub message_expression: Option<Expr>,
    /// Where it stands.
    pub span: Span,
}

/// Compiles every expression of a policy; none when one of them cannot be.
pub(super) fn compile(policy: &Declared<Policy>, sources: &Sources, findings: &mut Vec<Diagnostic>) -> Option<Compiled> {
    let spec = &policy.value.spec;
    let before = findings.len();
    form(policy, spec, findings);
    let mut compiler = Compiler { node: &policy.node, sources, variables: Vec::new(), findings };
    let conditions = spec.match_conditions.iter().enumerate();
    let conditions: Vec<_> =
        conditions.map(|(at, one)| compiler.expr("matchConditions", at, "expression", &one.expression)).collect();
    let mut variables = Vec::new();
    for (at, variable) in spec.variables.iter().enumerate() {
        variables.push(compiler.expr("variables", at, "expression", &variable.expression));
        compiler.variables.push(&variable.name);
    }
    let mut validations = Vec::new();
    for (at, one) in spec.validations.iter().enumerate() {
        let that = compiler.expr("validations", at, "expression", &one.expression);
        let message_expression = one.message_expression.as_ref();
        let message_expression = message_expression.map(|text| compiler.expr("validations", at, "messageExpression", text));
        let span = policy.node.nearest(&item("validations", at).child("expression")).span;
        let text = one.expression.split_whitespace().collect::<Vec<_>>().join(" ");
        let message = one.message.clone();
        let message_expression = message_expression.flatten();
        validations.push(that.map(|that| Validation { that, text, message, message_expression, span }));
    }
    let audits = spec.audit_annotations.iter().enumerate();
    let audits: Vec<_> = audits
        .map(|(at, one)| {
            let value = compiler.expr("auditAnnotations", at, "valueExpression", &one.value_expression)?;
            Some((one.key.clone(), value))
        })
        .collect();
    if findings.len() > before {
        return None;
    }
    Some(Compiled {
        conditions: conditions.into_iter().flatten().collect(),
        variables: variables.into_iter().flatten().collect(),
        validations: validations.into_iter().flatten().collect(),
        audits: audits.into_iter().flatten().collect(),
    })
}

fn item(list: &str, at: usize) -> Path {
    Path::dotted("spec").child(list).item(at)
}

/// What the API server asks of a policy beyond its schema.
fn form(policy: &Declared<Policy>, spec: &PolicySpec, findings: &mut Vec<Diagnostic>) {
    let mut refuse = |path: &str, message: String| {
        findings.push(Diagnostic::new(&rules::POLICY_INVALID, policy.span(path), message));
    };
    if spec.match_constraints.as_ref().is_none_or(|resources| resources.resource_rules.is_empty()) {
        refuse("spec.matchConstraints", "the policy has no `resourceRules`, so it is about nothing".to_owned());
    }
    if spec.validations.is_empty() && spec.audit_annotations.is_empty() {
        refuse("spec", "the policy has neither `validations` nor `auditAnnotations`".to_owned());
    }
    let lists = [
        ("matchConditions", spec.match_conditions.len()),
        ("variables", spec.variables.len()),
        ("validations", spec.validations.len()),
        ("auditAnnotations", spec.audit_annotations.len()),
    ];
    for (name, length) in lists.iter().filter(|(_, length)| *length > limits::POLICY_EXPRESSIONS) {
        let most = limits::POLICY_EXPRESSIONS;
        refuse(&format!("spec.{name}"), format!("there are {length} `{name}`; the limit is {most}"));
    }
    for (at, variable) in spec.variables.iter().enumerate() {
        if spec.variables.iter().take(at).any(|earlier| earlier.name == variable.name) {
            let place = policy.node.nearest(&item("variables", at).child("name")).span;
            let message = format!("there are two variables `{}`", variable.name);
            findings.push(Diagnostic::new(&rules::POLICY_INVALID, place, message));
        }
    }
}

struct Compiler<'a, 'f> {
    node: &'a Node,
    sources: &'a Sources,
    variables: Vec<&'a str>,
    findings: &'f mut Vec<Diagnostic>,
}

impl Compiler<'_, '_> {
    fn expr(&mut self, list: &str, at: usize, field: &str, text: &str) -> Option<Expr> {
        let span = self.node.nearest(&item(list, at).child(field)).span;
        let source = self.sources.get(span.file);
        let raw = source.and_then(|source| source.text.get(span.start as usize..span.end as usize));
        match cel::compile(text, &Place::new(span, text, raw), &self.variables) {
            Ok(expr) => Some(expr),
            Err(faults) => {
                for fault in faults {
                    self.findings.push(Diagnostic::new(&rules::POLICY_EXPRESSION, fault.span, fault.message));
                }
                None
            }
        }
    }
}
