//! `netloom check`: declarations are valid, and the committed output is what they make.

use clap::Args;
use serde_json::Value;

use super::render::{self, count};
use super::{Context, Exit, Outcome, Selection};
use crate::diagnostic::{self, Diagnostic, has_errors, rules};
use crate::{Compilation, emit};

/// Checks declarations and output.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  netloom check
  netloom check --cluster prod-usw2 --format json

Writes nothing. Output is reported when it is missing, different, left over or edited by hand.
Exit codes: 0 clean, 1 an error among the findings, 2 no project that can be read, or wrong usage.
Warnings and notes are no reason to exit with 1; `spec.rules` of netloom.yaml makes one an error.")]
pub struct Check {
    /// The clusters.
    #[command(flatten)]
    selection: Selection,
}

pub(super) fn run(command: &Check, context: &Context<'_>) -> Outcome {
    let (request, compilation) = render::compile(&command.selection, context);
    let Compilation { sources, mut findings, units, output, scope } = compilation;
    if !has_errors(&findings) {
        let output = emit::Output { root: &request.root, folder: &output };
        findings.extend(emit::compare(&output, &units, scope));
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

/// Findings that say that nothing could be checked, rather than what is wrong with what was.
const UNCHECKED: [&str; 3] = [rules::PROJECT_MISSING.code, rules::FILE_UNREADABLE.code, rules::CLUSTER_UNKNOWN.code];

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
