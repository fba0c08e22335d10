//! `netloom policy`: the policies at hand, and their own cases.

use std::fmt::Write;
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::render::count;
use super::{Context, Exit, Outcome};
use checks::policy::{self, Outcome as Case, library};
use findings::inert;
use model::declare::{Declared, Project};
use tree::Sources;

/// Lists and tests policies.
#[derive(Debug, Args)]
pub struct Policy {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the stock policies, and where the project has them on
    List,
    /// Run the cases of policies: objects, and what a policy says of them
    Test(Test),
}

/// Runs cases.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  netloom policy test
  netloom policy test images-pinned

Without names these are the cases of the project's own policies; outside a project, of the stock ones.
Exit codes: 0 every case is as expected, 1 one is not, 2 no project that can be read, or there is no such policy.")]
struct Test {
    /// The policies, stock ones too
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

pub(super) fn run(command: &Policy, context: &Context<'_>) -> Outcome {
    let mut sources = Sources::default();
    let mut findings = Vec::new();
    let root = context.root();
    let mut project: Option<Declared<Project>> = None;
    if context.options.project.is_some() || files::paths::named::has(&root, files::load::PROJECT_FILE) {
        if let Some((root, found)) = files::load::project(&root, &mut sources, &mut findings) {
            root.inputs(&found, &mut sources, &mut findings);
            project = Some(found);
        }
        if findings::has_errors(&findings) {
            return Outcome { findings, sources: Arc::new(sources), exit: Exit::Error, ..Outcome::default() };
        }
    }
    library::embed(&mut sources);
    match &command.what {
        What::List => list(&sources, project.as_ref()),
        What::Test(command) => test(command, sources, project.as_ref()),
    }
}

fn list(sources: &Sources, project: Option<&Declared<Project>>) -> Outcome {
    let selected = |name: &str| project.is_some_and(|it| it.value.spec.policies.iter().any(|one| one.policy == name));
    let mut product = String::new();
    let mut data = Vec::new();
    for (name, rationale) in library::stock(sources) {
        let state = if selected(&name) { "on" } else { "" };
        // Writing to a text cannot fail.
        _ = writeln!(product, "{}", inert::clipped(&format!("{name:32} {state:3} {rationale}"), 140).trim_end());
        data.push(json!({"name": name, "selected": selected(&name), "rationale": rationale}));
    }
    Outcome { product, data: [("policies".to_owned(), Value::from(data))].into_iter().collect(), ..Outcome::default() }
}

fn test(command: &Test, sources: Sources, project: Option<&Declared<Project>>) -> Outcome {
    let mut findings = Vec::new();
    let folder = project.map(|it| it.value.spec.paths.policies.as_str());
    let outcomes = policy::test(&sources, folder, &command.names, &mut findings);
    findings::sort(&mut findings, &sources);
    let failed = outcomes.iter().filter(|one| !one.passed).count();
    let unknown = findings.iter().any(|finding| finding.code == findings::rules::POLICY_UNKNOWN.code && !finding.span.is_known());
    let exit = match (unknown, findings::has_errors(&findings)) {
        (true, _) => Exit::Error,
        (false, true) => Exit::Findings,
        (false, false) => Exit::Done,
    };
    let mut product = String::new();
    for one in &outcomes {
        let verdict = if one.passed { "ok" } else { "FAILED" };
        _ = writeln!(product, "{verdict:6} {}", inert::line(&format!("{}: {}", one.policy, one.case)));
    }
    let news = format!("{}, {failed} failed\n", count(outcomes.len(), "case"));
    let cases = outcomes.iter().map(|one| {
        let Case { policy, case, passed, outcome, messages } = one;
        json!({"policy": policy, "case": case, "passed": passed, "outcome": outcome, "messages": messages})
    });
    let data = [("cases".to_owned(), cases.collect())].into_iter().collect();
    let summary = [("cases".to_owned(), outcomes.len().into()), ("failed".to_owned(), failed.into())].into_iter().collect();
    Outcome { product, news, data, summary, findings, sources: Arc::new(sources), exit, ..Outcome::default() }
}
