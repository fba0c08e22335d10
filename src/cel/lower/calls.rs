//! Calls: operators, macros and functions.

use cel_parser::common::ast::{CallExpr, Expr as Parsed, IdedExpr, LiteralValue, operators};

use super::{Kind, Lowered, Lowering, dotted};
use crate::library::{self, Function, Style};
use crate::operators::Operator;
use tree::nearest;

impl Lowering<'_> {
    pub(super) fn call(&mut self, id: u64, call: &CallExpr) -> Lowered<Kind> {
        match (&call.target, call.func_name.as_str(), call.args.as_slice()) {
            (None, operators::LOGICAL_AND, [left, right]) => self.logic(false, left, right),
            (None, operators::LOGICAL_OR, [left, right]) => self.logic(true, left, right),
            (None, operators::LOGICAL_NOT, [operand]) => Ok(Kind::Not(self.boxed(operand)?)),
            (None, operators::CONDITIONAL, [condition, then, otherwise]) => {
                Ok(Kind::Conditional(Box::new([self.expr(condition)?, self.expr(then)?, self.expr(otherwise)?])))
            }
            (None, operators::INDEX, [operand, index]) => self.index(operand, index, false),
            (None, operators::OPT_INDEX, [operand, index]) => self.index(operand, index, true),
            (None, operators::OPT_SELECT, [operand, field]) => self.optional_select(id, operand, field),
            (None, operators::NEGATE, [_]) => self.function(id, "-_", None, &call.args),
            (None, operators::HAS, [field]) => self.has(field),
            (None, name, [left, right]) if Operator::of(name).is_some() => {
                let Some(operator) = Operator::of(name) else { return self.fault(id, "no operator") };
                Ok(Kind::Binary { operator, left: self.boxed(left)?, right: self.boxed(right)? })
            }
            (Some(target), "or" | "orValue", [other]) => {
                let value = call.func_name == "orValue";
                Ok(Kind::OrElse { operand: self.boxed(target)?, other: self.boxed(other)?, value })
            }
            (Some(target), name, arguments) => match self.over(id, target, name, arguments)? {
                Some(kind) => Ok(kind),
                None => self.method(id, target, name, arguments),
            },
            (None, name, arguments) => self.function(id, name, None, arguments),
        }
    }

    fn logic(&mut self, any: bool, left: &IdedExpr, right: &IdedExpr) -> Lowered<Kind> {
        Ok(Kind::Logic { any, left: self.boxed(left)?, right: self.boxed(right)? })
    }

    fn index(&mut self, operand: &IdedExpr, index: &IdedExpr, optional: bool) -> Lowered<Kind> {
        Ok(Kind::Index { operand: self.boxed(operand)?, index: self.boxed(index)?, optional })
    }

    /// `a.?b`: the parser gives the field as a text.
    fn optional_select(&mut self, id: u64, operand: &IdedExpr, field: &IdedExpr) -> Lowered<Kind> {
        let Parsed::Literal(LiteralValue::String(field)) = &field.expr else { return self.fault(id, "no field") };
        let field = field.inner().into();
        Ok(Kind::Select { operand: self.boxed(operand)?, field, optional: true })
    }

    fn has(&mut self, field: &IdedExpr) -> Lowered<Kind> {
        match &field.expr {
            Parsed::Select(select) => {
                // Whether something is known that only an API server knows cannot be asked for either.
                self.qualified(field.id, &select.operand, &select.field)?;
                Ok(Kind::Has { operand: self.boxed(&select.operand)?, field: select.field.as_str().into() })
            }
            _ => self.fault(field.id, "`has` takes a field: `has(object.spec.field)`"),
        }
    }

    /// `a.f(b)`; or the function `a.f` of a library, such as `sets.contains`.
    fn method(&mut self, id: u64, target: &IdedExpr, name: &str, arguments: &[IdedExpr]) -> Lowered<Kind> {
        let library = dotted(target).map(|library| format!("{library}.{name}"));
        match library.filter(|long| library::named(long).next().is_some()) {
            Some(long) => self.function(id, &long, None, arguments),
            None => self.function(id, name, Some(target), arguments),
        }
    }

    fn function(&mut self, id: u64, name: &str, target: Option<&IdedExpr>, arguments: &[IdedExpr]) -> Lowered<Kind> {
        let style = if target.is_some() { Style::Method } else { Style::Function };
        let mut all: Vec<_> = target.map(|target| self.expr(target)).transpose()?.into_iter().collect();
        let function = self.known(id, name, style, arguments.len())?;
        for argument in arguments {
            all.push(self.expr(argument)?);
        }
        Ok(Kind::Call { function, arguments: all })
    }

    fn known(&self, id: u64, name: &str, style: Style, count: usize) -> Lowered<&'static Function> {
        let mut named = library::named(name).peekable();
        if named.peek().is_none() {
            let near = nearest(name, library::names());
            let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return self.fault(id, format!("netloom does not know the function `{name}`{hint}"));
        }
        let fits = |function: &&Function| function.style.allows(style) && function.arguments.contains(&count);
        match named.find(fits) {
            Some(function) => Ok(function),
            None => self.fault(id, format!("`{name}` is not called like this, with {count} arguments")),
        }
    }
}
