//! Resources that refer to each other in a circle, so that none of them can be made first.

use indexmap::IndexMap;

use super::Refers;
use findings::{Diagnostic, rules};
use tree::Span;

/// A reference, and the number of the resource that it is to.
type Step<'a> = (&'a Refers, usize);

/// Reports each circle once, at a reference in it that an overlay wrote.
pub(super) fn check<'a>(refers: &'a [Refers], findings: &mut Vec<Diagnostic>) {
    let mut resources: IndexMap<&str, Vec<&Refers>> = IndexMap::new();
    for one in refers {
        resources.entry(&one.from).or_default().push(one);
    }
    // A resource that refers to none is in no circle.
    let number = |one: &Refers| resources.get_index_of(one.to.as_str());
    let steps = |all: &Vec<&'a Refers>| all.iter().filter_map(|one| Some((*one, number(one)?))).collect();
    let next: Vec<Vec<Step<'a>>> = resources.values().map(steps).collect();
    let mut done = vec![false; next.len()];
    for start in 0..next.len() {
        // Resources, each with the number of its steps that were taken.
        let mut trail = vec![(start, 0)];
        while let Some((at, taken)) = trail.last_mut() {
            let step = next.get(*at).filter(|_| !done[*at]).and_then(|steps| steps.get(*taken));
            *taken += 1;
            let Some((_, to)) = step else {
                done[*at] = true;
                trail.pop();
                continue;
            };
            match trail.iter().position(|(at, _)| at == to) {
                Some(first) => {
                    let circle = trail[first..].iter().filter_map(|(at, taken)| next.get(*at)?.get(taken.saturating_sub(1)));
                    findings.push(report(&circle.map(|(refers, _)| *refers).collect::<Vec<_>>()));
                }
                None => trail.push((*to, 0)),
            }
        }
    }
}

fn report(circle: &[&Refers]) -> Diagnostic {
    const SHOWN: usize = 8;
    let place = circle.iter().map(|step| step.place).find(|place| place.is_known()).unwrap_or(Span::NONE);
    let mut names: Vec<String> = circle.iter().take(SHOWN).map(|step| format!("`{}`", step.from)).collect();
    if circle.len() > SHOWN {
        names.push("…".to_owned());
    }
    names.extend(circle.first().map(|step| format!("`{}`", step.from)));
    let message = format!("resources refer to each other in a circle: {}", names.join(" → "));
    Diagnostic::new(&rules::TEMPLATE_CIRCLE, place, message)
}
