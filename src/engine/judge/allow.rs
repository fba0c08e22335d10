//! What whoever runs a check accepts: on the command line alone, because every file is the change's.

use std::collections::BTreeMap;

use super::{Key, Objection, key};
use findings::{Diagnostic, Severity, rules};
use tree::Span;

/// Adds objections to the findings of a change. What both have found is said once, as bad as the worse of them has it.
pub fn join(findings: &mut Vec<Diagnostic>, objections: &[Objection]) {
    let known: BTreeMap<Key, Severity> = objections.iter().map(|one| (key(&one.finding), one.finding.severity)).collect();
    if !known.is_empty() {
        findings.retain(|finding| known.get(&key(finding)).is_none_or(|severity| *severity < finding.severity));
    }
    findings.extend(objections.iter().map(|one| one.finding.clone()));
}

/// Marks the objections that some codes allow, and warns of codes that allow nothing.
#[must_use]
pub fn allow(objections: &mut [Objection], codes: &[String]) -> Vec<Diagnostic> {
    for objection in objections.iter_mut().filter(|one| codes.contains(&one.code)) {
        objection.allowed = true;
        objection.finding.severity = Severity::Note;
        objection.finding.help = vec![format!("`--allow-weaker {}` accepts it", objection.code)];
    }
    let idle = codes.iter().filter(|code| objections.iter().all(|one| one.code != **code));
    let known = || objections.iter().map(|one| one.code.as_str());
    let finding = |code: &String| {
        let message = format!("`--allow-weaker {code}` allows nothing: the base has no such objection");
        Diagnostic::new(&rules::ALLOWANCE_UNUSED, Span::NONE, message).suggest(code, known())
    };
    idle.map(finding).collect()
}
