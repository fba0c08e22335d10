//! Flows of overlays: that one which security groups must not block is still asked for, and how bad it is when they do.

use super::{Judge, Objection};
use crate::overlay::library::Overlay;
use findings::{Severity, rules};
use tree::{Node, Path};

/// What makes a flow another one.
const FLOW: [&str; 5] = ["protocol", "port", "from", "to", "when"];

/// Flows that are gone or others, or whose being blocked is taken more lightly.
pub(super) fn weaker(judge: &Judge<'_>, was: &Overlay, is: &Overlay) -> Vec<Objection> {
    let told = |base: &Node| {
        let name = base.str_at("name")?;
        let named: Vec<&Node> = ports(is).iter().filter(|port| port.str_at("name") == Some(name)).collect();
        let losses: Option<Vec<_>> = named.iter().map(|own| Some((own.span, loss((was, base), (is, own))?))).collect();
        let gone = || {
            let facts = is.declared.node.nearest(&Path::dotted("spec.facts.ports")).span;
            base.get("blocked").map(|_| (facts, "it is gone".to_owned()))
        };
        // Of flows of one name one that asks for as much is enough.
        let (place, what) = losses?.into_iter().next().or_else(|| if named.is_empty() { gone() } else { None })?;
        let (of, base_name) = (is.name(), judge.name);
        let message = format!(
            "that the flow `{name}` of the overlay `{of}` is blocked is taken more lightly than in `{base_name}`: {what}"
        );
        Some(Objection::weaker(&code(base), place, message).was(judge, base.span))
    };
    ports(was).iter().filter_map(told).collect()
}

fn ports(overlay: &Overlay) -> &[Node] {
    overlay.declared.node.at(&Path::dotted("spec.facts.ports")).and_then(Node::as_list).unwrap_or_default()
}

/// Under which code it is told.
fn code(port: &Node) -> String {
    let own = port.get("blocked").and_then(|blocked| blocked.get("code")).map(text);
    own.unwrap_or_else(|| rules::FLOW_BLOCKED.code.to_owned())
}

fn text(node: &Node) -> String {
    node.as_str().map_or_else(|| node.to_json().to_string(), ToOwned::to_owned)
}

/// In what a flow of one name asks for less than the base's.
fn loss((was, base): (&Overlay, &Node), (is, own): (&Overlay, &Node)) -> Option<String> {
    let written = |port: &Node| port.get("blocked").and_then(|blocked| blocked.get("severity")).map(text);
    let known = |text: &Option<String>| match text {
        Some(text) => text.parse::<Severity>().ok(),
        None => Some(Severity::Error),
    };
    let (before, after) = (written(base), written(own));
    // What an expression gives follows from these, too.
    let read = |overlay: &Overlay| {
        let parts = ["values", "options"].map(|part| overlay.declared.node.at(&Path::dotted("spec").child(part)).cloned());
        parts.map(|node| node.map(|node| node.to_json()))
    };
    let same = before == after && (known(&before).is_some() || read(was) == read(is));
    let (lowest, now) = (known(&before).unwrap_or(Severity::Error), known(&after));
    if !same && now.is_none_or(|now| now < lowest) {
        let text = |written: Option<String>| written.unwrap_or_else(|| Severity::Error.name().to_owned());
        return Some(match before == after {
            true => "what its severity is computed from is another one".to_owned(),
            false => format!("it is lowered from `{}` to `{}`", text(before), text(after)),
        });
    }
    if code(base) != code(own) {
        return Some(format!("it is told as `{}`", code(own)));
    }
    let other = |field: &&&str| base.get(field).map(Node::to_json) != own.get(field).map(Node::to_json);
    if let Some(field) = FLOW.iter().filter(|_| base.get("blocked").is_some()).find(other) {
        return Some(format!("its `{field}` is another one"));
    }
    let when = |overlay: &Overlay| overlay.spec().when.clone();
    (when(is).is_some() && when(is) != when(was)).then(|| "its overlay applies under another condition".to_owned())
}
