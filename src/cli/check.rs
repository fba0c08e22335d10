//! `netloom check`: declarations are valid, and the committed output is what they make.

use clap::Args;
use serde_json::Value;

use super::base::{self, Sides, sides};
use super::render::{self, count};
use super::{Context, Exit, Outcome, Selection};
use crate::compile::compile_compared;
use crate::diagnostic::{self, Diagnostic, has_errors, rules};
use crate::diff::{self, Class, Side};
use crate::tree::Span;
use crate::{Compilation, Request, emit};

/// Checks declarations and output.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  netloom check
  netloom check --cluster prod-usw2 --format json
  netloom check --base origin/main
  netloom check --max-class rolling --base origin/main

Writes nothing. Output is reported when it is missing, different, left over or edited by hand.
Exit codes: 0 clean, 1 an error among the findings, 2 no project that can be read, or wrong usage.
Warnings and notes are no reason to exit with 1; `spec.rules` of netloom.yaml makes one an error.")]
pub struct Check {
    /// The clusters.
    #[command(flatten)]
    selection: Selection,
    /// Refuse changes against the base that do more than this to running clusters: in-place, rolling, node-replacement,
    /// resource-replacement, downtime or unsupported
    #[arg(long, value_name = "CLASS", value_enum, hide_possible_values = true)]
    max_class: Option<Class>,
    /// What to compare with, also for policies, whose `oldObject` it is [default of --max-class: the merge base of HEAD and the
    /// default branch]
    #[arg(long, value_name = "REV")]
    base: Option<String>,
}

pub(super) fn run(command: &Check, context: &Context<'_>) -> Outcome {
    let (request, compilation) = match &command.base {
        Some(base) => compared(command, base, context),
        None => render::compile(&command.selection, context),
    };
    let Compilation { sources, mut findings, units, output, scope } = compilation;
    if !has_errors(&findings) {
        let output = emit::Output { root: &request.root, folder: &output };
        findings.extend(emit::compare(&output, &units, scope));
        if let Some(allowed) = command.max_class {
            findings.extend(gate(command, allowed, context));
        }
        diagnostic::sort(&mut findings, &sources);
    }
    let exit = exit(&findings);
    let files: usize = units.iter().map(|unit| unit.artifacts.len()).sum();
    let news = if exit == Exit::Done {
        format!("clean: {}, {}\n", count(units.len(), "unit"), count(files, "file"))
    } else {
        String::new()
    };
    let names: Value =
        units.iter().map(|unit| serde_json::json!({"folder": unit.folder, "files": unit.artifacts.len()})).collect();
    let data = [("units".to_owned(), names)].into_iter().collect();
    let summary = [("units".to_owned(), units.len().into()), ("files".to_owned(), files.into())].into_iter().collect();
    Outcome { news, data, summary, findings, sources, exit, ..Outcome::default() }
}

/// Compiles the project with policies that compare it with a base.
fn compared(command: &Check, base: &str, context: &Context<'_>) -> (Request, Compilation) {
    let request = render::request(&command.selection, context);
    match base::units(&request, Some(base), context) {
        Ok(units) => {
            let compilation = compile_compared(&request, &units, context.surroundings.progress);
            (request, compilation)
        }
        Err(failed) => {
            let (request, mut compilation) = render::compile(&command.selection, context);
            compilation.findings.extend(failed.outside());
            (request, compilation)
        }
    }
}

/// What changes against the base and is worse than allowed, unless somebody has acknowledged it in this change.
fn gate(command: &Check, allowed: Class, context: &Context<'_>) -> Vec<Diagnostic> {
    let Sides { before, after, base, .. } = match sides(command.base.as_deref(), context) {
        Ok(sides) => sides,
        // What is wrong here has been reported.
        Err(failed) => return failed.outside(),
    };
    let clusters = &command.selection.clusters;
    let selected = diff::selected(clusters, &before, &after);
    let wanted = |folder: &str| clusters.is_empty() || selected.iter().any(|one| one == folder);
    let compared = diff::compare(&before, &after, &wanted);
    let refused = compared.effects.iter().filter(|one| one.effect.class > allowed && one.effect.acknowledged.is_none());
    let mut findings: Vec<_> = refused.map(|shared| refusal(shared, &after)).collect();
    findings.extend(spent(&before, &after, &wanted));
    findings.iter_mut().for_each(|finding| finding.help.push(format!("compared with {} ({})", base.name, base.short())));
    findings
}

/// One change that is worse than allowed, at the fields that it is about.
fn refusal(shared: &diff::SharedEffect, after: &Side) -> Diagnostic {
    let effect = &shared.effect;
    let mut places = shared.units.iter().filter_map(|unit| {
        let subject = after.subjects.get(unit)?;
        Some((unit, subject.span(&effect.transition)))
    });
    let span = places.next().map_or(Span::NONE, |(_, span)| span);
    let message = format!("{}: {}", effect.class.name(), effect.changes.join("; "));
    let finding = Diagnostic::new(&rules::CHANGE_CLASS, span, message);
    let finding = places.fold(finding, |finding, (unit, span)| finding.also(span, format!("also in {unit}")));
    let acknowledge = format!(
        "or say in the declaration that it is wanted: `acknowledge: [{{transition: {}, because: …}}]`",
        effect.transition
    );
    let finding = finding.help(acknowledge);
    effect.steps.iter().rev().fold(finding, |finding, step| finding.help(step.clone())).help(effect.because.clone())
}

/// Acknowledgements that the base has already.
fn spent(before: &Side, after: &Side, wanted: &dyn Fn(&str) -> bool) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for (folder, subject) in after.subjects.iter().filter(|(folder, _)| wanted(folder)) {
        let Some(old) = before.subjects.get(folder) else { continue };
        for one in subject.acknowledged.iter().filter(|one| old.acknowledged.contains(one)) {
            let message = format!("the acknowledgement of `{}` was for an earlier change", one.transition);
            findings.push(Diagnostic::new(&rules::ACKNOWLEDGEMENT_SPENT, subject.span("acknowledge"), message));
        }
    }
    findings
}

/// Findings that say that nothing could be checked, rather than what is wrong with what was.
const UNCHECKED: [&str; 5] = [
    rules::PROJECT_MISSING.code,
    rules::FILE_UNREADABLE.code,
    rules::CLUSTER_UNKNOWN.code,
    rules::BASE_MISSING.code,
    rules::BASE_BROKEN.code,
];

fn exit(findings: &[Diagnostic]) -> Exit {
    if findings.iter().any(|finding| UNCHECKED.contains(&&*finding.code)) {
        Exit::Error
    } else if has_errors(findings) {
        Exit::Findings
    } else {
        Exit::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Span;

    #[test]
    fn errors_are_findings_and_an_unreadable_project_an_error() {
        let finding = |rule| Diagnostic::new(rule, Span::NONE, "message");
        assert_eq!(exit(&[]), Exit::Done);
        assert_eq!(exit(&[finding(&rules::SINGLE_NAT_GATEWAY)]), Exit::Done);
        assert_eq!(exit(&[finding(&rules::OUTPUT_DIFFERENT)]), Exit::Findings);
        assert_eq!(exit(&[finding(&rules::OUTPUT_DIFFERENT), finding(&rules::FILE_UNREADABLE)]), Exit::Error);
    }
}
