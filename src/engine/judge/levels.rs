//! What projects make of rules: the levels of the base hold for the change as well.

use super::{Judge, Objection, Rulebook, of_judge};
use crate::overlay::library::Overlay;
use crate::resolve;
use findings::{Diagnostic, Severity, rules};
use model::declare::RuleLevel;
use tree::{Path, Span};

/// Levels that the change lowers.
pub(super) fn weaker(judge: &Judge<'_>, own: Rulebook<'_>) -> Vec<Objection> {
    let (is, was) = (&own.project.value.spec.rules, &judge.rules.project.value.spec.rules);
    let codes = was.keys().chain(is.keys().filter(|code| !was.contains_key(*code)));
    let lowered = |code: &String| {
        let plain = severity(code, judge.rules)?;
        let effective = |level: Option<&RuleLevel>| level.map_or(Some(plain), |level| level.severity());
        let (before, after) = (effective(was.get(code)), effective(is.get(code)));
        (after < before).then(|| {
            let name = |level: Option<Severity>| level.map_or("off", Severity::name);
            let message = format!("`{code}` is lowered from `{}` to `{}`", name(before), name(after));
            let place = |rules: Rulebook<'_>| rules.project.node.nearest(&Path::dotted("spec.rules").child(code)).span;
            let objection = Objection::weaker(code, place(own), message);
            if was.contains_key(code) { objection.was(judge, place(judge.rules)) } else { objection }
        })
    };
    codes.filter_map(lowered).collect()
}

/// How bad findings of a code can be where nothing is said of its level; none for a code that nothing has.
fn severity(code: &str, book: Rulebook<'_>) -> Option<Severity> {
    let core = || rules::find(code).map(|rule| rule.severity);
    let policy = || book.policies.severity(code);
    let overlays = || {
        let all = book.library.iter().flat_map(Overlay::severities);
        all.filter(|(known, _)| *known == code).map(|(_, severity)| severity).max()
    };
    core().or_else(policy).or_else(overlays)
}

/// What a project makes of findings of a code that are as bad as this; none when nobody hears of them.
pub(super) fn level(book: Rulebook<'_>, code: &str, severity: Severity) -> Option<Severity> {
    resolve::level(book.project, &Diagnostic::declared(code, severity, Span::NONE, ""))
}

/// Findings of the change that the base takes more seriously. Codes that the base does not have are the change's own affair.
pub(super) fn raised(judge: &Judge<'_>, own: Rulebook<'_>, findings: &[Diagnostic]) -> Vec<Objection> {
    let (is, was) = (&own.project.value.spec.rules, &judge.rules.project.value.spec.rules);
    let told = |finding: &&Diagnostic| is.get(&*finding.code) != was.get(&*finding.code);
    let raised = |finding: &Diagnostic| {
        let base = resolve::level(judge.rules.project, finding)?;
        let higher = Some(base) > resolve::level(own.project, finding) && severity(&finding.code, judge.rules).is_some();
        higher.then(|| of_judge(judge, &finding.code, Diagnostic { severity: base, ..finding.clone() }))
    };
    findings.iter().filter(told).filter_map(raised).collect()
}

/// What a rule of the base found, as bad as the base has it; none where the base has turned the rule off.
pub(super) fn of_base(judge: &Judge<'_>, mut objection: Objection) -> Option<Objection> {
    objection.finding.severity = resolve::level(judge.rules.project, &objection.finding)?;
    Some(objection)
}
