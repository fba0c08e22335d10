//! Looking into a template: what stands where.

use super::{KeyTemplate, Scalar, Template};
use crate::overlay::expression::Expression;
use tree::{Node, Span};

impl Template {
    /// The scalar with expressions that stands at a place.
    #[must_use]
    pub fn scalar_at(&self, span: Span) -> Option<&Scalar> {
        let here = |scalar: &&Scalar| scalar.span == span;
        match self {
            Template::Constant(_) => None,
            Template::Scalar(scalar) => Some(scalar).filter(here),
            Template::Map(entries, _) => entries.iter().find_map(|(key, child)| match key {
                KeyTemplate::Computed(key) if key.span == span => Some(key),
                _ => child.scalar_at(span),
            }),
            Template::List(items, _) => items.iter().find_map(|item| item.scalar_at(span)),
            Template::When(_, rest) => rest.scalar_at(span),
        }
    }

    /// What writes the field at a path, as far down as the template tells: a scalar with expressions may give all that is below it.
    #[must_use]
    pub fn nearest(&self, path: &[&str]) -> &Template {
        self.reach(path).0
    }

    /// As [`Template::nearest`], with what is left of the path.
    #[must_use]
    pub fn reach<'p, 's>(&self, path: &'p [&'s str]) -> (&Template, &'p [&'s str]) {
        let Some((first, rest)) = path.split_first() else { return (self, path) };
        let Template::Map(entries, _) = self else { return (self, path) };
        let named = |key: &KeyTemplate| matches!(key, KeyTemplate::Constant(key) if *key.text == **first);
        entries.iter().find(|(key, _)| named(key)).map_or((self, path), |(_, child)| child.reach(rest))
    }

    /// Where it stands.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Template::Constant(node) => node.span,
            Template::Scalar(scalar) => scalar.span,
            Template::Map(_, span) | Template::List(_, span) => *span,
            Template::When(_, rest) => rest.span(),
        }
    }

    /// The field at a path where it is written without expressions.
    #[must_use]
    pub fn constant(&self, path: &[&str]) -> Option<&Node> {
        match self {
            Template::Constant(node) => path.iter().try_fold(node, |node, key| node.get(key)),
            Template::When(_, rest) => rest.constant(path),
            Template::Map(..) => match self.nearest(path) {
                Template::Constant(node) => Some(node),
                _ => None,
            },
            Template::Scalar(_) | Template::List(..) => None,
        }
    }

    /// Every expression in it.
    pub fn expressions<'t>(&'t self, visit: &mut dyn FnMut(&'t Expression)) {
        match self {
            Template::Constant(_) => {}
            Template::Scalar(scalar) => scalar.expressions().for_each(visit),
            Template::Map(entries, _) => {
                for (key, child) in entries {
                    if let KeyTemplate::Computed(key) = key {
                        key.expressions().for_each(&mut *visit);
                    }
                    child.expressions(visit);
                }
            }
            Template::List(items, _) => items.iter().for_each(|item| item.expressions(visit)),
            Template::When(condition, rest) => {
                visit(condition);
                rest.expressions(visit);
            }
        }
    }
}
