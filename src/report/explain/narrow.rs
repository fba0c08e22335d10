//! Expressions that give a whole mapping or list: which of their inputs the value in question comes from.

use std::sync::Arc;

use serde_json::Value as Json;

use super::inputs::{Inputs, Scope, json, lookup};
use super::origin::Origin;
use engine::overlay::template::Scalar;
use tree::{Node, Path, Span, Step};

/// What is asked about the result of an expression.
#[derive(Clone, Copy)]
pub(super) struct Asked<'p> {
    whole: &'p Json,
    wanted: &'p Json,
    below: &'p [Step],
}

impl<'a> Inputs<'a> {
    /// The inputs of a scalar that gives more than the value at `below` it: of those that have the value there, only what leads to
    /// it, and of others only single values, which may decide how the expression puts it together.
    fn narrowed(&self, scope: Scope<'a>, scalar: &'a Scalar, below: &[Step], depth: usize) -> Option<Vec<Arc<Origin>>> {
        let mut expressions = scalar.expressions();
        let expression = expressions.next().filter(|_| !below.is_empty())?;
        let whole = json(&expression.value(scope.context()).ok()?)?;
        // The name of a variable comes from where its value comes from.
        let of_value = below
            .split_last()
            .filter(|(last, _)| **last == Step::Key("name".to_owned()))
            .map(|(_, item)| [item, &[Step::Key("value".to_owned())]].concat());
        let below = of_value.as_deref().filter(|below| at(&whole, below).is_some()).unwrap_or(below);
        let wanted = at(&whole, below).filter(|_| expressions.next().is_none())?;
        let asked = Asked { whole: &whole, wanted, below };
        let names = expression.paths();
        let texts = names.iter().any(|name| name == "template");
        let texts = if texts { self.texts(scope, expression.text(), depth, Some(asked)) } else { Vec::new() };
        let texts: Vec<_> = texts.into_iter().filter(|(_, leads)| *leads).map(|(origin, _)| origin).collect();
        match self.parts(scope, &names, asked, depth) {
            Some(inputs) => Some(inputs.into_iter().chain(texts).collect()),
            None => (!texts.is_empty()).then_some(texts),
        }
    }

    /// What of looked-up names leads to a value; none where no name does.
    pub(super) fn parts(&self, scope: Scope<'a>, names: &[String], asked: Asked<'_>, depth: usize) -> Option<Vec<Arc<Origin>>> {
        let parts: Vec<_> = names.iter().filter_map(|name| self.part(scope, name, asked, depth)).collect();
        let leads = parts.iter().any(|(_, leads)| *leads);
        leads.then(|| parts.into_iter().map(|(origin, _)| origin).collect())
    }

    /// What of an input leads to a value, and whether it does; none for other mappings and lists.
    fn part(&self, scope: Scope<'a>, name: &str, asked: Asked<'_>, depth: usize) -> Option<(Arc<Origin>, bool)> {
        let (name, value) = lookup(scope.context(), name)?;
        let leads = |value: &Json| follow(value, asked.whole, asked.below).filter(|steps| at(value, steps) == Some(asked.wanted));
        match (value.as_ref().and_then(leads), value) {
            (Some(steps), Some(value)) => {
                let keys: Vec<_> =
                    steps.iter().map_while(|step| if let Step::Key(key) = step { Some(&**key) } else { None }).collect();
                let value = keys.iter().try_fold(&value, |value, key| value.get(key)).cloned();
                let parts: Vec<&str> = name.split('.').chain(keys.iter().copied()).collect();
                let shown = Path(parts.iter().map(|key| Step::Key((*key).to_owned())).collect());
                let origin = self.look_up(scope, &parts, &steps[keys.len()..], value, depth)?.named(shown.to_string());
                Some((Arc::new(origin), true))
            }
            (None, Some(Json::Object(_) | Json::Array(_))) => None,
            (_, _) => Some((self.input(scope, &name, depth)?, false)),
        }
    }

    /// The expression's inputs, without what does not lead to the value at `below`.
    pub(super) fn below(
        &self,
        scope: Scope<'a>,
        scalar: &'a Scalar,
        below: &[Step],
        value: Option<Json>,
        depth: usize,
    ) -> Origin {
        let origin = self.scalar(scope, scalar, value, depth);
        match self.narrowed(scope, scalar, below, depth) {
            Some(inputs) => Origin { inputs, ..origin },
            None => origin,
        }
    }
}

/// The part of a path that is below what was set at a place: an expression sets a whole mapping in one.
pub(super) fn below<'p>(root: &Node, path: &'p Path, span: Span) -> &'p [Step] {
    let mut node = Some(root);
    for (depth, step) in path.0.iter().enumerate() {
        let Some(here) = node else { break };
        if here.span == span && span.is_known() {
            return &path.0[depth..];
        }
        node = here.step(step);
    }
    &[]
}

fn at<'j>(value: &'j Json, steps: &[Step]) -> Option<&'j Json> {
    steps.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::Index(index) => value.get(*index),
    })
}

/// The steps in a value that lead where `steps` lead in the whole: the same keys, items that are equal, and for the `value` of an item
/// with a `name` the key of that name.
fn follow(value: &Json, whole: &Json, steps: &[Step]) -> Option<Vec<Step>> {
    let Some((step, rest)) = steps.split_first() else { return Some(Vec::new()) };
    let inner = at(whole, std::slice::from_ref(step))?;
    let (next, rest) = match (step, value) {
        (Step::Key(_), _) => (step.clone(), rest),
        (Step::Index(_), Json::Array(items)) => (Step::Index(items.iter().position(|one| one == inner)?), rest),
        (Step::Index(_), _) => {
            let value = matches!(rest, [Step::Key(key)] if key == "value");
            (Step::Key(inner.get("name").filter(|_| value)?.as_str()?.to_owned()), &[][..])
        }
    };
    let below = follow(at(value, std::slice::from_ref(&next))?, inner, rest)?;
    Some([vec![next], below].concat())
}
