//! Settings of a project that say where rules are looked for, and what need not be there.

use serde_json::{Map, Value};

use super::{Judge, Objection, Rulebook};
use model::declare::Project;
use tree::{Node, Path, Span};

/// The code of folders that are others.
pub const PATHS: &str = "paths";
/// The code of files in the output that nobody renders, and that are silent.
pub const FOREIGN: &str = "foreign";
/// The code of imports that nobody checks.
const IMPORTS: &str = "imports";

/// Paths that lead elsewhere, and lists that have grown: each entry of one lets something pass.
pub(super) fn weaker(judge: &Judge<'_>, own: Rulebook<'_>) -> Vec<Objection> {
    let mut objections = Vec::new();
    let (is, was) = (paths(&own.project.value), paths(&judge.rules.project.value));
    let fields = was.keys().chain(is.keys().filter(|key| !was.contains_key(*key)));
    for field in fields {
        let path = Path::dotted("spec.paths").child(field);
        match (was.get(field), is.get(field)) {
            (was, is) if was == is => {}
            (None | Some(Value::Array(_)), None | Some(Value::Array(_))) => objections.extend(added(judge, own, (field, &path))),
            (was, is) => {
                let show = |value: Option<&Value>| match value {
                    Some(Value::String(text)) => format!("`{text}`"),
                    Some(other) => format!("`{other}`"),
                    None => "nothing".to_owned(),
                };
                let message = format!("`paths.{field}` is {}, and {} in `{}`", show(is), show(was), judge.name);
                let objection = Objection::weaker(PATHS, own.project.node.nearest(&path).span, message);
                objections.push(objection.was(judge, written(judge, &path)));
            }
        }
    }
    objections.extend(added(judge, own, (IMPORTS, &Path::dotted("spec").child(IMPORTS))));
    objections
}

/// Entries of a list that the base does not have; the list's name is the code.
fn added(judge: &Judge<'_>, own: Rulebook<'_>, (name, path): (&str, &Path)) -> Vec<Objection> {
    let items = |node: &'_ Node| node.at(path).and_then(Node::as_list).map(<[Node]>::to_vec).unwrap_or_default();
    let was = items(&judge.rules.project.node);
    let new = items(&own.project.node).into_iter().filter(|item| !was.contains(item));
    let objection = |item: Node| {
        let text = item.as_str().map_or_else(|| item.to_json().to_string(), ToOwned::to_owned);
        let message = format!("`{path}` has `{text}`, which it has not in `{}`", judge.name);
        Objection::weaker(name, item.span, message).was(judge, written(judge, path))
    };
    new.map(objection).collect()
}

/// Where the base writes a field; nowhere when it leaves that to the default.
fn written(judge: &Judge<'_>, path: &Path) -> Span {
    judge.rules.project.node.at(path).map_or(Span::NONE, |node| node.span)
}

/// The paths with those that are left to their defaults.
fn paths(project: &Project) -> Map<String, Value> {
    let paths = serde_json::to_value(&project.spec.paths).ok();
    paths.and_then(|paths| paths.as_object().cloned()).unwrap_or_default()
}
