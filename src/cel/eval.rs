//! Evaluating an expression within a budget.

mod loops;

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::fault::Fault;
use super::lower::{Expr, Kind, Root};
use super::meter::Meter;
use super::operators;
use super::value::Value;
use tree::{Node, Span, limits};

/// The values that a policy's expressions start from; what is not there is null.
#[derive(Clone, Debug, Default)]
pub struct Bindings<'a> {
    /// The object.
    pub object: Option<&'a Node>,
    /// What it was before.
    pub old_object: Option<&'a Node>,
    /// The request.
    pub request: Option<&'a Node>,
    /// The parameters.
    pub params: Option<&'a Node>,
    /// The namespace that the object is in.
    pub namespace: Option<&'a Node>,
}

/// Evaluates expressions over one object: keeps the policy's variables once they have been asked for.
pub struct Scope<'a> {
    bindings: Bindings<'a>,
    variables: &'a [Expr],
    known: RefCell<Vec<Option<Result<Value<'a>, Fault>>>>,
    pub(super) meter: &'a Meter,
    depth: Cell<usize>,
}

type Outcome<'a> = Result<Value<'a>, Fault>;

impl<'a> Scope<'a> {
    /// A scope with a policy's variables.
    #[must_use]
    pub fn new(bindings: Bindings<'a>, variables: &'a [Expr], meter: &'a Meter) -> Self {
        let known = RefCell::new(vec![None; variables.len()]);
        Self { bindings, variables, known, meter, depth: Cell::new(0) }
    }

    /// Evaluates an expression.
    ///
    /// # Errors
    /// When it has no value.
    pub fn evaluate(&self, expr: &Expr) -> Outcome<'a> {
        self.eval(expr, &mut Vec::new())
    }

    pub(super) fn eval(&self, expr: &Expr, locals: &mut Vec<Value<'a>>) -> Outcome<'a> {
        let depth = self.depth.get();
        if depth > limits::POLICY_STACK {
            let message = format!("variables and expressions are nested more than {} deep", limits::POLICY_STACK);
            return Err(Fault { message, span: expr.span, fatal: true });
        }
        self.charge(1, expr.span)?;
        self.depth.set(depth + 1);
        let value = self.step(expr, locals);
        self.depth.set(depth);
        value
    }

    fn charge(&self, steps: u64, span: Span) -> Result<(), Fault> {
        self.meter.charge(steps).map_err(|message| Fault { message, span, fatal: true })
    }

    fn step(&self, expr: &Expr, locals: &mut Vec<Value<'a>>) -> Outcome<'a> {
        let fault = |message: String| Fault { message, span: expr.span, fatal: self.meter.is_out() };
        match &expr.kind {
            Kind::Literal(value) => Ok(value.clone()),
            Kind::Root(root) => Ok(self.root(*root)),
            Kind::Variable(index) => self.variable(*index),
            Kind::Local(index) => locals.get(*index).cloned().ok_or_else(|| fault("a variable of a loop is missing".to_owned())),
            Kind::Select { operand, field, optional } => {
                let operand = self.eval(operand, locals)?;
                operators::select(&operand, field, *optional).map_err(fault)
            }
            Kind::Has { operand, field } => operators::has(&self.eval(operand, locals)?, field).map_err(fault),
            Kind::Index { operand, index, optional } => {
                let (operand, index) = (self.eval(operand, locals)?, self.eval(index, locals)?);
                operators::index(&operand, &index, *optional).map_err(fault)
            }
            Kind::Logic { any, left, right } => self.logic(*any, left, right, locals),
            Kind::Not(operand) => match self.eval(operand, locals)? {
                Value::Bool(flag) => Ok(Value::Bool(!flag)),
                other => Err(fault(format!("`!` takes a bool, not {}", other.type_name()))),
            },
            Kind::Conditional(parts) => {
                let [condition, then, otherwise] = &**parts;
                let branch = if self.truth(condition, locals)? { then } else { otherwise };
                self.eval(branch, locals)
            }
            Kind::Binary { operator, left, right } => {
                let (left, right) = (self.eval(left, locals)?, self.eval(right, locals)?);
                operators::binary(*operator, &left, &right, self.meter).map_err(fault)
            }
            Kind::Call { function, arguments } => {
                let values: Vec<_> = arguments.iter().map(|argument| self.eval(argument, locals)).collect::<Result<_, _>>()?;
                (function.call)(self.meter, &values).map_err(fault)
            }
            Kind::OrElse { operand, other, value } => self.or_else(operand, other, *value, locals),
            Kind::List(items) => self.list(items, locals),
            Kind::Map(entries) => self.map(entries, locals),
            Kind::Loop(it) => self.run(it, expr.span, locals),
            Kind::OptMap { operand, body, flat } => self.opt_map((operand, body, *flat), locals),
        }
    }

    fn root(&self, root: Root) -> Value<'a> {
        let Bindings { object, old_object, request, params, namespace } = &self.bindings;
        let bound = match root {
            Root::Object => object,
            Root::OldObject => old_object,
            Root::Request => request,
            Root::Params => params,
            Root::NamespaceObject => namespace,
        };
        bound.map_or(Value::Null, Value::from)
    }

    fn variable(&self, index: usize) -> Outcome<'a> {
        let known = self.known.borrow().get(index).cloned().flatten();
        if let Some(known) = known {
            return known;
        }
        let missing = || Fault { message: "a variable is missing".to_owned(), span: Span::NONE, fatal: false };
        let value = self.eval(self.variables.get(index).ok_or_else(missing)?, &mut Vec::new());
        if let Some(place) = self.known.borrow_mut().get_mut(index) {
            *place = Some(value.clone());
        }
        value
    }

    /// The truth value of an expression.
    fn truth(&self, expr: &Expr, locals: &mut Vec<Value<'a>>) -> Result<bool, Fault> {
        match self.eval(expr, locals)? {
            Value::Bool(flag) => Ok(flag),
            other => Err(Fault { message: format!("this is {}, not bool", other.type_name()), span: expr.span, fatal: false }),
        }
    }

    /// `&&` or `||` (`any`): an operand that decides the result makes up for an error in the other one.
    fn logic(&self, any: bool, left: &Expr, right: &Expr, locals: &mut Vec<Value<'a>>) -> Outcome<'a> {
        let first = self.truth(left, locals);
        match first {
            Ok(flag) if flag == any => return Ok(Value::Bool(any)),
            Err(fault) if fault.fatal => return Err(fault),
            _ => {}
        }
        match self.truth(right, locals) {
            Ok(flag) if flag == any => Ok(Value::Bool(any)),
            Err(fault) if fault.fatal => Err(fault),
            second => first.and(second).map(Value::Bool),
        }
    }

    fn list(&self, items: &[(Expr, bool)], locals: &mut Vec<Value<'a>>) -> Outcome<'a> {
        let mut values = Vec::with_capacity(items.len());
        for (item, optional) in items {
            match (self.eval(item, locals)?, optional) {
                (value, false) => values.push(value),
                (Value::Optional(value), true) => values.extend(value.map(|value| (*value).clone())),
                (other, true) => return Err(not_optional(item, &other)),
            }
        }
        Ok(values.into())
    }

    fn map(&self, entries: &[(Expr, Expr, bool)], locals: &mut Vec<Value<'a>>) -> Outcome<'a> {
        let mut map: Vec<(Value<'a>, Value<'a>)> = Vec::with_capacity(entries.len());
        for (key, value, optional) in entries {
            let found = self.eval(key, locals)?;
            let value = match (self.eval(value, locals)?, optional) {
                (value, false) => value,
                (Value::Optional(Some(value)), true) => (*value).clone(),
                (Value::Optional(None), true) => continue,
                (other, true) => return Err(not_optional(value, &other)),
            };
            self.charge(map.len() as u64, key.span)?;
            insert(&mut map, found, value).map_err(|message| Fault { message, span: key.span, fatal: false })?;
        }
        Ok(Value::Map(Arc::new(map)))
    }

    /// `a.or(b)` and `a.orValue(b)`.
    fn or_else(&self, operand: &Expr, other: &Expr, value: bool, locals: &mut Vec<Value<'a>>) -> Outcome<'a> {
        match self.eval(operand, locals)? {
            Value::Optional(Some(found)) if value => Ok((*found).clone()),
            Value::Optional(Some(found)) => Ok(Value::Optional(Some(found))),
            Value::Optional(None) => self.eval(other, locals),
            found => Err(not_optional(operand, &found)),
        }
    }

    /// `optMap` and `optFlatMap`.
    fn opt_map(&self, (operand, body, flat): (&Expr, &Expr, bool), locals: &mut Vec<Value<'a>>) -> Outcome<'a> {
        let value = match self.eval(operand, locals)? {
            Value::Optional(Some(value)) => value,
            Value::Optional(None) => return Ok(Value::Optional(None)),
            found => return Err(not_optional(operand, &found)),
        };
        locals.push((*value).clone());
        let mapped = self.eval(body, locals);
        locals.pop();
        match mapped? {
            Value::Optional(value) if flat => Ok(Value::Optional(value)),
            value if flat => Err(not_optional(body, &value)),
            value => Ok(value.some()),
        }
    }
}

fn not_optional(expr: &Expr, value: &Value<'_>) -> Fault {
    Fault { message: format!("this is {}, not an optional value", value.type_name()), span: expr.span, fatal: false }
}

/// Adds an entry whose key is new.
fn insert<'a>(map: &mut Vec<(Value<'a>, Value<'a>)>, key: Value<'a>, value: Value<'a>) -> Result<(), String> {
    if !matches!(key, Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::String(_)) {
        return Err(format!("the key of a map is text, a whole number or a bool, not {}", key.type_name()));
    }
    if map.iter().any(|(known, _)| known.equals(&key)) {
        return Err("the map has this key twice".to_owned());
    }
    map.push((key, value));
    Ok(())
}
