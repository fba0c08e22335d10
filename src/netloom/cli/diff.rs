//! `netloom diff`: what the working tree changes, object by object, and what that does to what runs.

use clap::Args;

use super::base::{Extent, Output, Sides, broken, sides};
use super::{Context, Exit, Outcome, Selection};
use engine::judge::{self, Objection};
use engine::{Compilation, Request};
use findings::{Diagnostic, Format, has_errors, rules};
use report::diff;
use report::diff::report::human::{self, Style};
use report::diff::report::{Header, Objections, github, html, json, markdown, raw};
use tree::Span;

/// Compares the working tree with a commit.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  netloom diff
  netloom diff --base origin/main --format markdown
  netloom diff --base origin/main --format html >change.html
  netloom diff --base HEAD~1 --raw
  netloom diff --base origin/main --exit-code --allow-weaker single-nat-gateway

What the base has against the change comes first: rules of it that the change takes back or weakens (policies, bindings, parameters,
rule levels, overlays' assertions, paths), and what they find in it. The base of that is the commit that --base names, and without it
the default branch as it is now, also where the change is compared with the merge base. --allow-weaker CODE accepts it.
Files in the output folder that nothing renders come next, but those in `spec.paths.foreign` of the base.

Both sides are compiled: the base from what Git has stored, with its own overlays; nothing is checked out or fetched.
`--format markdown` is a comment for a pull request, `github` annotates one, `html` is one file for a browser with pictures of
before and after, `json` is for programs.
Exit codes: 0 shown, 1 with `--exit-code` when anything differs, the base objects or a
file that nothing renders may be applied, 2 error.")]
pub struct Diff {
    /// What to compare with [default: the merge base of HEAD and the default branch]
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// Plain unified text of every file instead of what changes
    #[arg(long)]
    raw: bool,
    /// Exit with 1 when anything differs, the base objects, or what nothing renders may be applied
    #[arg(long)]
    exit_code: bool,
    /// Accept that the change takes back or weakens the base's rule of this code; repeatable
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    allow_weaker: Vec<String>,
    /// The clusters.
    #[command(flatten)]
    selection: Selection,
}

pub(super) fn run(command: &Diff, context: &Context<'_>) -> Outcome {
    let request = Request { root: context.root(), clusters: Vec::new(), worker: context.surroundings.executable.clone() };
    let extent = Extent { pictures: context.options.format == Format::Html && !command.raw, output: true, ..Extent::default() };
    let (mut compilation, sides) = match sides(&request, command.base.as_deref(), extent, context) {
        (compilation, Ok(Some(sides))) => (compilation, sides),
        (Compilation { findings, sources, .. }, Ok(None)) => {
            let message = "the working tree does not compile, so there is nothing to compare";
            return broken(&findings, &sources, message).outcome();
        }
        (_, Err(failed)) => return failed.outcome(),
    };
    let unknown = unknown_clusters(&command.selection.clusters, &sides);
    if !unknown.is_empty() {
        return Outcome { findings: unknown, exit: Exit::Error, ..Outcome::default() };
    }
    let Sides { base, repository, before, after, output } = sides;
    let selected = diff::selected(&command.selection.clusters, &before, &after);
    let wanted = |folder: &str| selected.is_empty() || selected.iter().any(|one| one == folder);
    let compared = diff::compare(&before, &after, &wanted);
    let mut findings = judge::allow(&mut compilation.objections, &command.allow_weaker);
    let declared = after.declared.keys().map(String::as_str).collect();
    let unrendered = output.unwrap_or_else(|| Ok(Output::default())).and_then(|output| {
        output.unrendered((&request.root, &repository, &base), &compilation, &declared, &command.allow_weaker)
    });
    let unrendered = match unrendered {
        Ok(unrendered) => unrendered,
        Err(finding) => return Outcome::error(finding),
    };
    let objections = Objections { list: &compilation.objections, unrendered: &unrendered, sources: &compilation.sources };
    let header = Header::new(&base).objecting(objections);
    let style = Style { color: context.surroundings.color, verbose: context.options.verbose };
    let product = match command.raw {
        true => raw::render(&diff::files(&before, &after, &wanted), &compilation.output),
        false => match context.options.format {
            Format::Markdown => markdown::render(&compared, header),
            Format::Html => html::render(&compared, header, html::Sides { before: &before, after: &after }),
            Format::Github => github::render(&compared, header, (&after, &compilation.sources), repository.prefix()),
            _ => human::render(&compared, header, style),
        },
    };
    let stops = compilation.objections.iter().any(Objection::stops) || has_errors(&unrendered);
    let exit = if command.exit_code && (stops || !compared.is_empty()) { Exit::Findings } else { Exit::Done };
    let (data, summary) = (json::data(&compared, header), json::summary(&compared));
    if command.raw {
        // Plain text of files has no place for it.
        findings.extend(compilation.objections.into_iter().map(|one| one.finding).chain(unrendered));
    }
    Outcome { product, data, summary, findings, sources: compilation.sources, exit, ..Outcome::default() }
}

/// Reports clusters that were asked for and that neither side has.
fn unknown_clusters(wanted: &[String], sides: &Sides) -> Vec<Diagnostic> {
    let known = || {
        let folders = sides.before.declared.keys().chain(sides.after.declared.keys());
        folders.filter_map(|folder| folder.strip_prefix("clusters/"))
    };
    let missing = wanted.iter().filter(|name| known().all(|one| one != name.as_str()));
    let finding = |name: &String| {
        let message = format!("there is no cluster `{name}`, neither here nor in the base");
        Diagnostic::new(&rules::CLUSTER_UNKNOWN, Span::NONE, message).suggest(name, known())
    };
    missing.map(finding).collect()
}
