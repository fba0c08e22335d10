//! `netloom render`: writes what the declarations make.

use std::fmt::Write;

use clap::Args;
use serde_json::{Map, Value, json};

use super::{Context, Exit, Outcome, Selection};
use engine::{Compilation, Request};
use files::emit::{self, UnitSummary};
use findings::has_errors;

/// Writes the output.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  netloom render
  netloom render --cluster prod-usw2 --verbose

Nothing is written when anything is an error. Exit codes: 0 written or current, 1 something was written (--exit-code), 2 error.")]
pub struct Render {
    /// The clusters.
    #[command(flatten)]
    selection: Selection,
    /// Exit with 1 when anything was written or removed: for hooks, which must not let new output be forgotten
    #[arg(long)]
    exit_code: bool,
}

/// What a command is to compile.
pub(super) fn request(selection: &Selection, context: &Context<'_>) -> Request {
    let worker = context.surroundings.executable.clone();
    Request { root: context.root(), clusters: selection.clusters.clone(), worker }
}

pub(super) fn run(command: &Render, context: &Context<'_>) -> Outcome {
    let request = request(&command.selection, context);
    let Compilation { sources, mut findings, units, output, foreign, scope, .. } =
        engine::compile(&request, context.surroundings.progress);
    let output = emit::Output { root: &request.root, folder: &output, foreign: &foreign };
    let written = if has_errors(&findings) { Err(Vec::new().into()) } else { emit::write(&output, &units, scope) };
    match written {
        Ok(summary) => {
            findings.extend(summary.findings);
            findings::sort(&mut findings, &sources);
            let changes = Changes(summary.units);
            let news = changes.news(context.options.verbose);
            let exit = if command.exit_code && changes.any() { Exit::Findings } else { Exit::Done };
            let data = [("units".to_owned(), changes.data())].into_iter().collect();
            Outcome { news, data, summary: changes.summary(), findings, sources, exit, ..Outcome::default() }
        }
        Err(refused) => {
            findings.extend(refused.findings);
            Outcome { findings, sources, consequence: refused.extent.consequence(), exit: Exit::Error, ..Outcome::default() }
        }
    }
}

/// What a render changed, unit by unit.
struct Changes(Vec<UnitSummary>);

impl Changes {
    /// A line for each unit that changed, and the sum.
    fn news(&self, verbose: bool) -> String {
        let mut text = String::new();
        for unit in &self.0 {
            let changed = counts(&[(unit.written, "written"), (unit.removed, "removed")]);
            if !changed.is_empty() {
                _ = writeln!(text, "{}: {changed}", unit.folder);
            } else if verbose {
                _ = writeln!(text, "{}: unchanged", unit.folder);
            }
        }
        let [written, removed, unchanged] = self.totals();
        let changed = counts(&[(written, "written"), (removed, "removed")]);
        let changed = if changed.is_empty() { "nothing changed" } else { &changed };
        _ = writeln!(text, "{}, {}: {changed}", count(self.0.len(), "unit"), count(written + unchanged, "file"));
        text
    }

    fn any(&self) -> bool {
        let [written, removed, _] = self.totals();
        written + removed > 0
    }

    fn totals(&self) -> [usize; 3] {
        let sum = |count: fn(&UnitSummary) -> usize| self.0.iter().map(count).sum();
        [sum(|unit| unit.written), sum(|unit| unit.removed), sum(|unit| unit.unchanged)]
    }

    fn data(&self) -> Value {
        let unit = |unit: &UnitSummary| json!({"folder": unit.folder, "written": unit.written, "removed": unit.removed, "unchanged": unit.unchanged});
        self.0.iter().map(unit).collect()
    }

    fn summary(&self) -> Map<String, Value> {
        let [written, removed, unchanged] = self.totals();
        let counts = [("units", self.0.len()), ("written", written), ("removed", removed), ("unchanged", unchanged)];
        counts.into_iter().map(|(name, count)| (name.to_owned(), count.into())).collect()
    }
}

/// `1 file` or `2 files`.
pub(super) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// `12 written, 3 removed`: what there is of each.
fn counts(parts: &[(usize, &str)]) -> String {
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    parts.map(|(count, what)| format!("{count} {what}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes() -> Changes {
        let unit = |folder: &str, written, removed, unchanged| UnitSummary { folder: folder.into(), written, unchanged, removed };
        Changes(vec![unit("clusters/a", 2, 1, 7), unit("networks/b", 0, 0, 2)])
    }

    #[test]
    fn units_that_changed_have_a_line() {
        let sum = "2 units, 11 files: 2 written, 1 removed\n";
        assert_eq!(changes().news(false), format!("clusters/a: 2 written, 1 removed\n{sum}"));
        assert_eq!(changes().news(true), format!("clusters/a: 2 written, 1 removed\nnetworks/b: unchanged\n{sum}"));
        assert_eq!(Changes(Vec::new()).news(false), "0 units, 0 files: nothing changed\n");
    }

    #[test]
    fn programs_get_the_numbers() {
        assert_eq!(changes().data()[0], json!({"folder": "clusters/a", "written": 2, "removed": 1, "unchanged": 7}));
        assert_eq!(Value::from(changes().summary()), json!({"units": 2, "written": 2, "removed": 1, "unchanged": 9}));
    }
}
