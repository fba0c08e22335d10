//! The options of an overlay, from everywhere that gives some.
//!
//! The nearest wins, option by option: what other overlays give it, then the project's layers, then the cluster's own list, then
//! the block of the cluster's `spec` that selects it. Two places of equal standing that differ are an error: neither is meant to
//! win.

use super::layers::Choice;
use crate::overlay::Origin;
use crate::overlay::library::Overlay;
use findings::{Diagnostic, rules};
use schema::json::fill_defaults;
use tree::{Node, Path, Span, Value};

/// An overlay's options with the schema's defaults filled in; what is wrong with them goes to `findings`.
pub(super) fn options(choice: &Choice<'_>, place: Span, findings: &mut Vec<Diagnostic>) -> Node {
    let overlay = choice.overlay;
    let mut options = merged(choice, place, findings);
    let block = overlay.spec().selected_by.as_deref().filter(|_| {
        let plain = |(reason, given): &(crate::overlay::Reason, Option<Node>)| reason.origin == Origin::Block || given.is_none();
        choice.reasons.iter().all(plain)
    });
    let base = block.map_or_else(|| format!("options of {}", overlay.name()), |block| format!("spec.{block}"));
    match &overlay.options {
        Some(schema) => {
            fill_defaults(schema.root(), &mut options);
            schema.check_below(&base, &options, &rules::SCHEMA, findings);
        }
        None => {
            for (key, _) in options.as_map().into_iter().flat_map(|map| map.iter()) {
                let message = format!("unknown key `{}` in `{base}`", key.text);
                let finding = Diagnostic::new(&rules::UNKNOWN_KEY, key.span, message);
                findings.push(finding.help(format!("the overlay `{}` has no `options`", overlay.name())));
            }
        }
    }
    options
}

fn standing(origin: &Origin) -> u8 {
    match origin {
        Origin::UsedBy(_) => 0,
        Origin::Layer(_) | Origin::NetworkLayer(_) => 1,
        Origin::Cluster => 2,
        Origin::Block => 3,
    }
}

fn merged(choice: &Choice<'_>, place: Span, findings: &mut Vec<Diagnostic>) -> Node {
    let mut given: Vec<(u8, &Node)> = choice
        .reasons
        .iter()
        .filter_map(|(reason, options)| Some((standing(&reason.origin), options.as_ref().filter(|node| !node.is_null())?)))
        .collect();
    given.sort_by_key(|(standing, _)| *standing);
    for (at, (standing, later)) in given.iter().enumerate() {
        for (_, earlier) in given.iter().take(at).filter(|(other, _)| other == standing) {
            differ(choice.overlay, earlier, later, &Path::default(), findings);
        }
    }
    let mut rest = given.into_iter().map(|(_, node)| node);
    match rest.next() {
        Some(first) => {
            let mut options = first.clone();
            rest.for_each(|node| patch::merge(&mut options, node));
            options
        }
        None => Node::new(Value::Map(tree::Map::new()), place),
    }
}

/// Reports options that two places of equal standing give different values.
fn differ(overlay: &Overlay, earlier: &Node, later: &Node, path: &Path, findings: &mut Vec<Diagnostic>) {
    if let (Some(a), Some(b)) = (earlier.as_map(), later.as_map()) {
        for (key, b) in b.iter() {
            if let Some(a) = a.get(&key.text) {
                differ(overlay, a, b, &path.child(&key.text), findings);
            }
        }
    } else if earlier != later {
        let message = format!("the option `{path}` of `{}` has two values", overlay.name());
        let finding = Diagnostic::new(&rules::OPTIONS_CONFLICT, later.span, message);
        findings.push(finding.also(earlier.span, "the other one"));
    }
}
