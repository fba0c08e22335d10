//! Facts that overlays state, and that policies find in the status of a cluster.

use super::assertions::Side;
use super::{Judge, Objection};
use crate::overlay::library::Overlay;
use checks::policy;
use tree::Path;

/// The code of facts that are others.
const FACTS: &str = "facts";

/// Facts that the change's overlays state anew, or otherwise than the base's overlays of their names. Where the base has no policy,
/// none is answered by them.
pub(super) fn weaker<'a>(judge: &Judge<'_>, base: &mut Side<'a>, own: &mut Side<'a>) -> Vec<Objection> {
    let mut objections = Vec::new();
    if judge.rules.policies.is_empty() {
        return objections;
    }
    for overlay in own.book.library.own() {
        let before = base.book.library.get(overlay.name());
        for fact in policy::FACTS {
            let (is, was) = (own.fact(overlay, fact), before.and_then(|before| base.fact(before, fact)));
            if is == was {
                continue;
            }
            let place = |overlay: &Overlay| overlay.declared.node.nearest(&Path::dotted("spec.facts").child(fact)).span;
            let (name, base) = (overlay.name(), judge.name);
            let what = match (is, was) {
                (Some(_), Some(_)) => format!("states the fact `{fact}` otherwise than in `{base}`"),
                (Some(_), None) => format!("states the fact `{fact}`, and does not in `{base}`"),
                _ => format!("does not state the fact `{fact}`, and does in `{base}`"),
            };
            let message = format!("the overlay `{name}` {what}: policies find it in the status of a cluster");
            let objection = Objection::weaker(FACTS, place(overlay), message);
            objections.push(match before {
                Some(before) => objection.was(judge, place(before)),
                None => objection,
            });
        }
    }
    objections
}
