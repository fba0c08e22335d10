//! `netloom explain`: what a code means, where a value comes from, and what a line decides.

mod codes;
mod text;

use std::path::{Component, Path, PathBuf};

use clap::Args;
use serde_json::Value;

use super::{Context, Exit, Outcome};
pub(super) use codes::rules as meanings;
use engine::Request;
use files::load::PROJECT_FILE;
use findings::{Diagnostic, rules};
use model::declare::Paths;
use report::explain::{self, Answered, Subject};
use tree::{Sources, Span};

/// Explains a code, a value or a line.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  netloom explain cidr-host-bits
  netloom explain --list
  netloom explain rendered/clusters/prod/README.md
  netloom explain rendered/clusters/prod/kubernetes/dns/daemonset-node-local-dns.yaml:61
  netloom explain rendered/networks/vpc/cloudformation/network.template.yaml:Resources.Vpc.Properties.CidrBlock
  netloom explain declarations/prod.yaml:12

A code is one of netloom, of its stock overlays, or of the project's own overlays. For a value of a rendered file, by field or by
line: what wrote it, from which values, and where each of those is set, with what was overridden. For a line of a declaration, an
overlay or netloom.yaml: every rendered field that it decides, or takes part in deciding.

Fields: `spec.containers[name=main].env[0].value`; keys with dots in brackets.
Exit codes: 0 explained, 2 there is no such code, file or field, or the declarations are not valid.")]
pub struct Explain {
    /// A code as in `error[cidr-host-bits]`, FILE, FILE:LINE or FILE:FIELD
    #[arg(required_unless_present = "list", conflicts_with = "list", value_name = "CODE|FILE[:LINE|:FIELD]")]
    subject: Option<String>,
    /// List every code
    #[arg(long)]
    list: bool,
}

/// What the paths of stock overlays' files begin with.
const STOCK: &str = "netloom:";

impl Explain {
    /// The folder of the project that the question is about.
    pub(super) fn root(&self, context: &Context<'_>) -> PathBuf {
        let file = self.subject.as_deref().and_then(file);
        file.map_or_else(|| context.root(), |(file, _)| locate(file, context).0)
    }
}

pub(super) fn run(command: &Explain, context: &Context<'_>) -> Outcome {
    match &command.subject {
        None => codes::list(context),
        Some(subject) => match file(subject) {
            Some((file, about)) => about_file(file, &about, context),
            None => codes::meaning(subject, context),
        },
    }
}

/// The file that a subject is about, and what about it; none for a code, which has neither dots nor slashes.
fn file(subject: &str) -> Option<(&str, Subject)> {
    // A stock overlay's file has the path that findings show.
    let start = if subject.starts_with(STOCK) { STOCK.len() } else { 0 };
    let (file, rest) = match subject[start..].find(':').map(|at| subject.split_at(start + at)) {
        Some((file, rest)) => (file, &rest[1..]),
        None => (subject, ""),
    };
    if rest.is_empty() && !subject.contains(['/', '.', ':']) {
        return None;
    }
    // `FILE:LINE:COLUMN`, as compilers and editors write it.
    let line = rest.split(':').next().and_then(|line| line.parse().ok());
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    Some(match line {
        _ if rest.is_empty() => (file, Subject::File),
        Some(line) if digits(rest) => (file, Subject::Line(line)),
        _ => (file, Subject::Field(rest.to_owned())),
    })
}

fn about_file(file: &str, about: &Subject, context: &Context<'_>) -> Outcome {
    let (root, path) = locate(file, context);
    let paths = paths(&root);
    let request = Request { root, clusters: Vec::new(), worker: context.surroundings.executable.clone() };
    let input = path == PROJECT_FILE
        || path.starts_with(STOCK)
        || [&paths.declarations, &paths.overlays, &paths.policies].iter().any(|folder| is_below(&path, folder));
    match (path.strip_prefix(&format!("{}/", paths.output.trim_end_matches('/'))), about) {
        (Some(below), about) => {
            let answered = explain::value(&request, below, about);
            report(answered, |answer, sources| (text::answer(answer, sources), text::answer_data(answer, sources)))
        }
        (None, Subject::Line(line)) if input => {
            let answered = explain::decides(&request, &paths.declarations, &path, *line);
            report(answered, |decisions, sources| {
                (text::decisions(&path, *line, decisions, sources), text::decisions_data(&path, *line, decisions, sources))
            })
        }
        _ if input => Outcome::error(
            Diagnostic::new(&rules::EXPLAIN_OUTSIDE, Span::NONE, format!("`{path}` is input, and no line of it is named"))
                .help(format!("name a line, as in `{path}:1`: netloom tells what it decides")),
        ),
        _ => {
            let message = format!("`{path}` is neither below `{}` nor a file that it is made from", paths.output);
            let folders = [paths.declarations, paths.overlays, paths.policies].map(|folder| format!("`{folder}`")).join(", ");
            let help = format!("those are `{PROJECT_FILE}` and what is below {folders}");
            Outcome::error(Diagnostic::new(&rules::EXPLAIN_OUTSIDE, Span::NONE, message).help(help))
        }
    }
}

fn report<T>(answered: Answered<T>, make: impl FnOnce(&T, &Sources) -> (String, Vec<(String, Value)>)) -> Outcome {
    let Answered { found, findings, sources } = answered;
    let exit = if found.is_some() { Exit::Done } else { Exit::Error };
    let (product, data) = found.map(|found| make(&found, &sources)).unwrap_or_default();
    Outcome { product, data: data.into_iter().collect(), findings, sources, exit, ..Outcome::default() }
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
}

/// The project's folders; what is wrong with it is reported when it is compiled.
fn paths(root: &Path) -> Paths {
    let project = files::load::project(root, &mut Sources::default(), &mut Vec::new());
    project.map_or_else(Paths::default, |(_, project)| project.value.spec.paths)
}

/// The project's folder, and the file's path from there. A file is named from the working directory or from the project; without a
/// project here it may be in another one.
fn locate(file: &str, context: &Context<'_>) -> (PathBuf, String) {
    if file.starts_with(STOCK) {
        return (context.root(), file.to_owned());
    }
    let here = &context.surroundings.folder;
    let absolute = clean(&here.join(file));
    let root = context.root();
    let is_project = |folder: &Path| files::paths::named::has(folder, PROJECT_FILE);
    let root = match absolute.ancestors().skip(1).find(|folder| is_project(folder)) {
        Some(nearest) if context.options.project.is_none() && !is_project(&here.join(&root)) => nearest.to_owned(),
        _ => root,
    };
    let below = absolute.strip_prefix(clean(&here.join(&root))).ok();
    // `--project examples/a rendered/…` names the file from the project.
    let path = below.map_or_else(|| clean(Path::new(file)), Path::to_owned);
    (root, path.to_string_lossy().into_owned())
}

/// A path without `.` and `..`, by its text alone.
fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(out.pop()),
            part => out.push(part),
        }
    }
    out
}
