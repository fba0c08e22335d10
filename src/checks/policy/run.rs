//! What a policy says of an object.

use super::compiled::{Compiled, Validation};
use super::document::{FailurePolicy, Policy};
use super::subject::{Old, Subject};
use cel::{Bindings, Expr, Fault, Meter, Scope, Value};
use tree::{Node, Span};

/// What a policy says of an object.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// Whether the conditions of the policy hold.
    pub applies: bool,
    /// What is wrong: the message, and the place of the validation.
    pub violations: Vec<(String, Span)>,
    /// What could not be evaluated.
    pub faults: Vec<Fault>,
    /// What is told: keys and texts.
    pub audits: Vec<(String, String)>,
}

/// Evaluates a policy, with one object of its parameters or none.
#[must_use]
pub(super) fn evaluate(compiled: &Compiled, subject: &Subject<'_>, params: Option<&Node>, meter: &Meter) -> Verdict {
    meter.restart();
    let request = subject.request();
    let bindings = Bindings {
        object: subject.present(),
        old_object: subject.old.as_ref().map(Old::node),
        request: Some(&request),
        params,
        namespace: subject.in_namespace.map(|namespace| &namespace.object),
    };
    let scope = Scope::new(bindings, &compiled.variables, meter);
    let mut verdict = Verdict::default();
    if !conditions(compiled, &scope, &mut verdict) {
        return verdict;
    }
    verdict.applies = true;
    for validation in &compiled.validations {
        match truth(&scope, &validation.that) {
            Ok(true) => {}
            Ok(false) => verdict.violations.push((message(validation, &scope), validation.span)),
            Err(fault) => verdict.faults.push(fault),
        }
    }
    for (key, expr) in &compiled.audits {
        match scope.evaluate(expr) {
            Ok(Value::Null) => {}
            Ok(Value::String(text)) => verdict.audits.push((key.clone(), text.to_string())),
            Ok(other) => verdict.faults.push(Fault {
                message: format!("an annotation is a text or null, not {}", other.type_name()),
                span: expr.span,
                fatal: false,
            }),
            Err(fault) => verdict.faults.push(fault),
        }
    }
    verdict
}

/// Whether the conditions hold: one that does not decides, whatever cannot be evaluated beside it.
fn conditions(compiled: &Compiled, scope: &Scope<'_>, verdict: &mut Verdict) -> bool {
    let mut faults = Vec::new();
    for condition in &compiled.conditions {
        match truth(scope, condition) {
            Ok(true) => {}
            Ok(false) => return false,
            Err(fault) => faults.push(fault),
        }
    }
    let holds = faults.is_empty();
    verdict.faults = faults;
    verdict.applies = !holds;
    holds
}

fn truth(scope: &Scope<'_>, expr: &Expr) -> Result<bool, Fault> {
    match scope.evaluate(expr)? {
        Value::Bool(flag) => Ok(flag),
        other => {
            let message = format!("the expression gives {}, not bool", other.type_name());
            Err(Fault { message, span: expr.span, fatal: false })
        }
    }
}

/// As the API server does it: the expression's text, if it is a line; else the message; else what is not true.
fn message(validation: &Validation, scope: &Scope<'_>) -> String {
    let made = validation.message_expression.as_ref().and_then(|expr| match scope.evaluate(expr) {
        Ok(Value::String(text)) => Some(text.trim().to_owned()).filter(|text| !text.is_empty() && !text.contains('\n')),
        _ => None,
    });
    let said = validation.message.as_ref().map(|message| message.trim().trim_end_matches('.').to_owned());
    made.or(said).unwrap_or_else(|| format!("`{}` is not true", validation.text))
}

/// Whether what cannot be evaluated is an error.
#[must_use]
pub(super) fn fails(policy: &Policy, fault: &Fault) -> bool {
    fault.fatal || policy.spec.failure_policy == FailurePolicy::Fail
}
