//! `netloom check`: declarations are valid, and the committed output is what they make.

use std::fmt::Write;
use std::sync::Arc;

use clap::Args;
use serde_json::Value;

use super::base::{Extent, Sides, sides};
use super::render::{self, count};
use super::staged::{self, Staged};
use super::{Context, Exit, Outcome, Selection};
use engine::{Compilation, judge};
use files::emit;
use findings::{Diagnostic, has_errors, rules};
use report::diff::{self, Class, Side};
use tree::{Path, Span};

/// Checks declarations and output.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("judged").multiple(true), after_help = "Example:
  netloom check
  netloom check --cluster prod-usw2 --format json
  netloom check --base origin/main
  netloom check --base origin/main --allow-weaker single-nat-gateway
  netloom check --max-class rolling --base origin/main
  netloom check --staged

Writes nothing. Output is reported when it is missing, different, left over or edited by hand.

With --base or --max-class the base judges: its policies, bindings, parameters, rule levels and its overlays' assertions are applied
to what the change makes as well as the change's own, and what the change takes back or weakens of them is an error. No file of the
change can answer that; --allow-weaker CODE does, where the command line is not the change's. The judge is the commit that --base
names, and without it the default branch as it is now.

With --staged, what is checked is the commit that `git commit` would make now: declarations, overlays and output as they are
staged, not as they are in the folder. Rendered and compared is what the commit touches: units that are made from something else
than in HEAD, and units of which a rendered file is staged; what is wrong with the others was so in HEAD. All declarations and
overlays are read nevertheless, so a name that is taken is found wherever the other one is. Nothing staged: everything is checked.
A new version of netloom is no change that is staged; run `netloom check` with it once.

Exit codes: 0 clean, 1 an error among the findings, 2 no project that can be read, or wrong usage.
Warnings and notes are no reason to exit with 1; `spec.rules` of netloom.yaml makes one an error.")]
pub struct Check {
    /// The clusters.
    #[command(flatten)]
    selection: Selection,
    /// Only what the next commit touches, as it is staged: for hooks
    #[arg(long, conflicts_with_all = ["clusters", "max_class"])]
    staged: bool,
    /// Refuse changes against the base that do more than this to running clusters: in-place, rolling, node-replacement,
    /// resource-replacement, downtime or unsupported
    #[arg(long, value_name = "CLASS", value_enum, hide_possible_values = true, group = "judged")]
    max_class: Option<Class>,
    /// What to compare with, also for policies, whose `oldObject` it is [default of --max-class: the merge base of HEAD and the
    /// default branch]
    #[arg(long, value_name = "REV", conflicts_with = "staged", group = "judged")]
    base: Option<String>,
    /// Accept that the change takes back or weakens the base's rule of this code; repeatable
    #[arg(long, value_name = "CODE", value_delimiter = ',', requires = "judged")]
    allow_weaker: Vec<String>,
}

impl Check {
    /// Whether git is asked.
    pub(super) fn asks_git(&self) -> bool {
        self.staged || self.base.is_some() || self.max_class.is_some()
    }
}

pub(super) fn run(command: &Check, context: &Context<'_>) -> Outcome {
    let request = render::request(&command.selection, context);
    if command.staged {
        return match staged::check(&request, context) {
            Ok(Some(Staged { compilation, untouched })) => outcome(compilation, Some(untouched), context.options.verbose),
            Ok(None) => {
                let news = "clean: nothing of the project is staged\n".to_owned();
                Outcome { news, ..outcome(Compilation::default(), Some(0), false) }
            }
            Err(finding) => Outcome::error(finding),
        };
    }
    let progress = context.surroundings.progress;
    let extent = Extent { all: true, ..Extent::default() };
    let (mut compilation, sides) = match command.base.is_some() || command.max_class.is_some() {
        false => (engine::compile(&request, progress), Ok(None)),
        true => sides(&request, command.base.as_deref(), extent, context),
    };
    let sides = sides.unwrap_or_else(|failed| {
        compilation.findings.extend(failed.outside());
        None
    });
    let idle = judge::allow(&mut compilation.objections, &command.allow_weaker);
    let complete = !has_errors(&compilation.findings);
    let mut sources = Arc::clone(&compilation.sources);
    let compared = complete.then(|| {
        let foreign = compilation.foreign(&command.allow_weaker);
        let output = emit::Output { root: &request.root, folder: &compilation.output, foreign };
        let compared = emit::compare(&output, &compilation.units, compilation.scope);
        let attributes = emit::attributes(&output, &compilation.units, &mut sources);
        compared.into_iter().chain(attributes).collect::<Vec<_>>()
    });
    compilation.sources = sources;
    let found = &mut compilation.findings;
    if let Some(compared) = compared {
        found.extend(compared);
        if let Some((sides, allowed)) = sides.zip(command.max_class) {
            found.extend(gate(sides, allowed, &command.selection.clusters));
        }
        found.extend(idle);
    }
    judge::join(found, &compilation.objections);
    if complete || !compilation.objections.is_empty() {
        findings::sort(found, &compilation.sources);
    }
    outcome(compilation, None, context.options.verbose)
}

/// What was found; `untouched` units of the commit were not looked at.
fn outcome(compilation: Compilation, untouched: Option<usize>, verbose: bool) -> Outcome {
    let Compilation { sources, findings, units, .. } = compilation;
    let exit = exit(&findings);
    let files: usize = units.iter().map(|unit| unit.artifacts.len()).sum();
    let mut news = String::new();
    if verbose && exit == Exit::Done {
        units.iter().for_each(|unit| _ = writeln!(news, "{}: {}", unit.folder, count(unit.artifacts.len(), "file")));
    }
    if exit == Exit::Done {
        // What nothing renders is not clean, be it as harmless as its name.
        let clean = findings.iter().all(|finding| finding.code != rules::OUTPUT_UNRELATED.code);
        let verdict = if clean { "clean" } else { "current" };
        _ = write!(news, "{verdict}: {}, {}", count(units.len(), "unit"), count(files, "file"));
        untouched.iter().for_each(|untouched| _ = write!(news, "; {} as in HEAD", count(*untouched, "unit")));
        news.push('\n');
    }
    let names: Value =
        units.iter().map(|unit| serde_json::json!({"folder": unit.folder, "files": unit.artifacts.len()})).collect();
    let data = [("units".to_owned(), names)].into_iter().collect();
    let counts = [("units", units.len()), ("files", files)].into_iter().chain(untouched.map(|count| ("untouched", count)));
    let summary = counts.map(|(name, count)| (name.to_owned(), count.into())).collect();
    Outcome { news, data, summary, findings, sources, exit, ..Outcome::default() }
}

/// What changes against the base and is worse than allowed, unless somebody has acknowledged it in this change.
fn gate(Sides { before, after, base, .. }: Sides, allowed: Class, clusters: &[String]) -> Vec<Diagnostic> {
    let selected = diff::selected(clusters, &before, &after);
    let wanted = |folder: &str| clusters.is_empty() || selected.iter().any(|one| one == folder);
    let compared = diff::compare(&before, &after, &wanted);
    let refused = compared.effects.iter().filter(|one| one.effect.class > allowed && one.effect.acknowledged.is_none());
    let mut findings: Vec<_> = refused.map(|shared| refusal(shared, &after)).collect();
    findings.extend(idle(&before, &after, &compared, &wanted));
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

/// Acknowledgements that the base has already, and those that name nothing that changes.
fn idle(before: &Side, after: &Side, compared: &diff::Diff, wanted: &dyn Fn(&str) -> bool) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for (folder, subject) in after.subjects.iter().filter(|(folder, _)| wanted(folder)) {
        let old = before.subjects.get(folder).map(|old| old.acknowledged.as_slice()).unwrap_or_default();
        let of_unit = || compared.effects.iter().filter(|shared| shared.units.contains(folder));
        let changes = || of_unit().map(|shared| &*shared.effect.transition);
        for (at, one) in subject.acknowledged.iter().enumerate() {
            let path = Path::dotted("spec.acknowledge").item(at).child("transition");
            let (name, place) = (one.transition.as_str(), subject.node.nearest(&path).span);
            if old.contains(one) {
                let message = format!("the acknowledgement of `{name}` was for an earlier change");
                findings.push(Diagnostic::new(&rules::ACKNOWLEDGEMENT_SPENT, subject.span("acknowledge"), message));
            } else if changes().all(|known| known != name) {
                let message = format!("no change is called `{name}`");
                findings.push(Diagnostic::new(&rules::ACKNOWLEDGEMENT_UNUSED, place, message).suggest(name, changes()));
            }
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
    use tree::Span;

    #[test]
    fn errors_are_findings_and_an_unreadable_project_an_error() {
        let finding = |rule| Diagnostic::new(rule, Span::NONE, "message");
        assert_eq!(exit(&[]), Exit::Done);
        assert_eq!(exit(&[finding(&rules::SINGLE_NAT_GATEWAY)]), Exit::Done);
        assert_eq!(exit(&[finding(&rules::OUTPUT_DIFFERENT)]), Exit::Findings);
        assert_eq!(exit(&[finding(&rules::OUTPUT_DIFFERENT), finding(&rules::FILE_UNREADABLE)]), Exit::Error);
    }
}
