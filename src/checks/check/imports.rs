//! What stacks export and import: every import of a final template names an export of a stack of the project, or a foreign one that
//! the project lists.

use indexmap::IndexMap;

use artifacts::cloudformation::Draft;
use findings::{Diagnostic, nearest, rules};
use tree::{Map, Node, Path, Span};

/// What a stack exports and imports.
#[derive(Debug, Default)]
pub struct Traded {
    exports: Vec<String>,
    /// Exports that a patch has removed, and where.
    removed: Vec<(String, Span)>,
    imports: Vec<(String, Span)>,
}

/// The name under which an output is exported, where it is written out.
fn export(output: &Node) -> Option<&str> {
    output.at(&Path::dotted("Export.Name"))?.as_str()
}

impl Traded {
    /// What a template exports and imports. Names that only the stack knows are none of either.
    #[must_use]
    pub fn of(draft: &Draft) -> Self {
        let mut traded = Self::default();
        let outputs = draft.template().get("Outputs").and_then(Node::as_map);
        traded
            .exports
            .extend(outputs.into_iter().flat_map(Map::iter).filter_map(|(_, output)| export(output)).map(str::to_owned));
        traded.removed = draft.changes.exports_removed().map(|(name, place)| (name.to_owned(), place)).collect();
        draft.template().each(&mut |node| {
            if let Some(name) = node.get("Fn::ImportValue")
                && let Some(text) = name.as_str()
            {
                traded.imports.push((text.to_owned(), name.span));
            }
        });
        traded
    }
}

/// Reports imports of what no stack exports. `all` says whether these are all stacks of the project; otherwise an import is judged
/// only where the network that it names is among them.
pub fn check(stacks: &[Traded], all: bool, foreign: &[String], findings: &mut Vec<Diagnostic>) {
    let exports: IndexMap<&str, ()> = stacks.iter().flat_map(|stack| &stack.exports).map(|name| (name.as_str(), ())).collect();
    let known = |name: &str| exports.contains_key(name) || foreign.iter().any(|one| one == name);
    let removal =
        |name: &str| stacks.iter().flat_map(|stack| &stack.removed).find(|(one, _)| one == name).map(|(_, place)| *place);
    let mut told: IndexMap<(&str, Span), ()> = IndexMap::new();
    for (name, place) in stacks.iter().flat_map(|stack| &stack.imports).filter(|(name, _)| !known(name)) {
        let removal = removal(name);
        if !all && removal.is_none() || told.insert((name, *place), ()).is_some() {
            continue;
        }
        let finding = match removal {
            Some(removal) if !place.is_known() => {
                let message = format!("the patch removes the export `{name}`, which a stack imports");
                Diagnostic::new(&rules::TEMPLATE_IMPORT, removal, message)
            }
            _ => Diagnostic::new(&rules::TEMPLATE_IMPORT, *place, format!("no stack of the project exports `{name}`")),
        };
        findings.push(match removal {
            Some(removal) if place.is_known() => finding.also(removal, "this patch removes the export"),
            Some(_) => finding,
            None => match nearest(name, exports.keys().copied()) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding,
            },
        });
    }
}
