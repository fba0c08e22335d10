//! Options of overlays: where they are given, or their defaults.

use serde_json::Value as Json;

use super::inputs::{Inputs, Scope};
use super::origin::{Kind, Origin, Overridden, overridden, place};
use engine::overlay::Selected;
use tree::{Node, Path, Span, Step, Value};

impl<'a> Inputs<'a> {
    /// The origin of an overlay's option: where it is given, or its default and where that is declared.
    pub(super) fn option(&self, scope: Scope<'a>, rest: &[&str], value: Option<Json>) -> Origin {
        let Some(selected) = self.selected(scope) else { return Origin::new(Kind::Unset, Span::NONE, String::new()) };
        let path = Path(rest.iter().map(|key| Step::Key((*key).to_owned())).collect());
        let block = selected.overlay.spec().selected_by.as_deref().map(|block| format!("spec.{block}"));
        let field = [block.as_deref().unwrap_or("options")].into_iter().chain(rest.iter().copied()).collect::<Vec<_>>().join(".");
        let schema = &selected.overlay.declared.node;
        let Some(node) = selected.options.at(&path) else {
            return Origin::new(Kind::Unset, schema_place(schema, rest, false), field);
        };
        if self.is_given(selected, &path) {
            let mut overrode = overridden(&selected.options, &path);
            overrode.extend(schema_default(schema, rest).filter(|default| value.as_ref() != Some(&default.value)));
            let origin = Origin::new(Kind::Declared, place(&selected.options, &path), field).with(value);
            return self.choice.chosen(Origin { overrode, ..origin });
        }
        Origin::new(Kind::Default, schema_place(schema, rest, true), field).with(value.or_else(|| Some(node.to_json())))
    }

    /// Whether somebody gave an option. A default has the place of the mapping that it was filled into; the values of a program
    /// all have one place, so there the clusters' documents tell.
    fn is_given(&self, selected: &Selected<'_>, path: &Path) -> bool {
        let Some((last, parents)) = path.0.split_last() else { return true };
        let block = selected.overlay.spec().selected_by.as_deref();
        let block = block.map(|block| Path::dotted(&format!("spec.{block}")));
        let mut nodes = self.choice.nodes();
        if block.is_some_and(|block| nodes.any(|node| node.at(&block).is_some_and(|block| block.at(path).is_some()))) {
            return true;
        }
        let parent = Path(parents.to_vec());
        let Some(node) = selected.options.at(&parent) else { return false };
        let child = selected.options.at(&Path([parents, std::slice::from_ref(last)].concat()));
        child.is_some_and(|child| child.span != node.span) && self.is_given(selected, &parent)
    }
}

/// The default that an option has where nobody gives it: a single value, which is then replaced.
fn schema_default(overlay: &Node, path: &[&str]) -> Option<Overridden> {
    let options = overlay.at(&Path::dotted("spec.options"))?;
    let schema = path.iter().try_fold(options, |schema, name| schema.get("properties")?.get(name))?;
    let default = schema.get("default").filter(|default| default.as_map().is_none() && default.as_list().is_none())?;
    Some(Overridden { value: default.to_json(), place: default.span })
}

/// Where an overlay's schema declares an option, or its default.
fn schema_place(overlay: &Node, path: &[&str], default: bool) -> Span {
    let mut schema = overlay.at(&Path::dotted("spec.options"));
    let mut found = schema.map_or(Span::NONE, |schema| schema.span);
    for name in path {
        let Some(map) = schema.and_then(|schema| schema.get("properties")).and_then(Node::as_map) else { break };
        let Some((key, property)) = map.entry(name) else { break };
        found = match property.get("default").filter(|_| default) {
            Some(value) if !matches!(&value.value, Value::Map(map) if map.is_empty()) => value.span,
            Some(_) | None => key.span,
        };
        schema = Some(property);
    }
    found
}
