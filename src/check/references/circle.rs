//! Resources that refer to each other in a circle, so that none of them can be made first.

use indexmap::IndexMap;

use super::Refers;
use crate::diagnostic::{Diagnostic, rules};
use crate::tree::Span;

/// Reports each circle once, at a reference in it that an overlay wrote.
pub(super) fn check(refers: &[Refers], findings: &mut Vec<Diagnostic>) {
    let mut next: IndexMap<&str, Vec<&Refers>> = IndexMap::new();
    for one in refers {
        next.entry(&one.from).or_default().push(one);
    }
    let mut done: IndexMap<&str, ()> = IndexMap::new();
    for start in next.keys() {
        let mut trail: Vec<(&str, usize)> = vec![(*start, 0)];
        while let Some((at, turn)) = trail.last_mut() {
            let (here, step) = (*at, next.get(at).and_then(|all| all.get(*turn)));
            *turn += 1;
            let Some(step) = step.filter(|_| !done.contains_key(here)) else {
                done.insert(here, ());
                trail.pop();
                continue;
            };
            match trail.iter().position(|(id, _)| *id == step.to) {
                Some(first) => findings.push(report(&trail[first..], &next)),
                None => trail.push((&step.to, 0)),
            }
        }
    }
}

fn report(trail: &[(&str, usize)], next: &IndexMap<&str, Vec<&Refers>>) -> Diagnostic {
    const SHOWN: usize = 8;
    let steps = trail.iter().filter_map(|(id, turn)| next.get(id)?.get(turn.saturating_sub(1)));
    let place = steps.map(|step| step.place).find(|place| place.is_known()).unwrap_or(Span::NONE);
    let mut names: Vec<String> = trail.iter().take(SHOWN).map(|(id, _)| format!("`{id}`")).collect();
    if trail.len() > SHOWN {
        names.push("…".to_owned());
    }
    names.extend(trail.first().map(|(id, _)| format!("`{id}`")));
    let message = format!("resources refer to each other in a circle: {}", names.join(" → "));
    Diagnostic::new(&rules::TEMPLATE_CIRCLE, place, message)
}
