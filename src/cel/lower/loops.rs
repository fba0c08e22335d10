//! Macros that go over a list, a map or an optional value.

use cel_parser::common::ast::{Expr as Parsed, IdedExpr};

use super::{Expr, Kind, Loop, LoopKind, Lowered, Lowering};

impl Lowering<'_> {
    /// A macro on `target`; none when the call is none.
    pub(super) fn over(&mut self, id: u64, target: &IdedExpr, name: &str, arguments: &[IdedExpr]) -> Lowered<Option<Kind>> {
        let kind = match name {
            "all" => LoopKind::All,
            "exists" => LoopKind::Exists,
            "exists_one" | "existsOne" => LoopKind::ExistsOne,
            "map" | "transformList" => LoopKind::Map,
            "filter" => LoopKind::Filter,
            "transformMap" => LoopKind::TransformMap,
            "transformMapEntry" => LoopKind::TransformEntry,
            "sortBy" => LoopKind::SortBy,
            "optMap" | "optFlatMap" => return self.opt_map(target, arguments, name == "optFlatMap").map(Some),
            _ => return Ok(None),
        };
        let transforms = name.starts_with("transform");
        let (variables, filter, body) = match (kind, transforms, arguments) {
            (LoopKind::TransformMap | LoopKind::TransformEntry, false, _) => return Ok(None),
            (_, false, [v, body]) => (vec![v], None, body),
            (LoopKind::Map, false, [v, filter, body]) => (vec![v], Some(filter), body),
            (LoopKind::All | LoopKind::Exists | LoopKind::ExistsOne, false, [k, v, body]) => (vec![k, v], None, body),
            (_, true, [k, v, body]) => (vec![k, v], None, body),
            (_, true, [k, v, filter, body]) => (vec![k, v], Some(filter), body),
            _ => return self.fault(id, format!("`{name}` takes other arguments")),
        };
        let range = self.expr(target)?;
        let two = variables.len() == 2;
        let [filter, body] = self.within(&variables, [filter, Some(body)])?;
        let Some(body) = body else { return self.fault(id, "a loop without a body") };
        Ok(Some(Kind::Loop(Box::new(Loop { kind, range, two, filter, body }))))
    }

    fn opt_map(&mut self, target: &IdedExpr, arguments: &[IdedExpr], flat: bool) -> Lowered<Kind> {
        let [variable, body] = arguments else { return self.fault(target.id, "`optMap` takes a variable and an expression") };
        let operand = self.boxed(target)?;
        let [Some(body)] = self.within(&[variable], [Some(body)])? else { return self.fault(target.id, "no expression") };
        Ok(Kind::OptMap { operand, body: Box::new(body), flat })
    }

    /// Expressions that see further variables.
    fn within<const N: usize>(&mut self, variables: &[&IdedExpr], bodies: [Option<&IdedExpr>; N]) -> Lowered<[Option<Expr>; N]> {
        let depth = self.locals.len();
        for variable in variables {
            let Parsed::Ident(name) = &variable.expr else {
                return self.fault(variable.id, "a loop's variable is a plain name");
            };
            self.locals.push(name.clone());
        }
        let mut lowered = [const { None }; N];
        for (place, body) in lowered.iter_mut().zip(bodies) {
            *place = body.map(|body| self.expr(body)).transpose()?;
        }
        self.locals.truncate(depth);
        Ok(lowered)
    }
}
