//! `netloom fmt`: declarations and overlays in their normal form.

use clap::Args;

use super::{Context, Exit, Outcome};
use files::load;
use files::own::{self, Existing};
use findings::{Diagnostic, has_errors, rules};
use tree::{FileId, Sources, Span};
use yaml::fmt::{Formatted, format};

/// Brings declarations and overlays into their normal form.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  netloom fmt
  netloom fmt --check

Steps of two, no spaces at the end of a line, one empty line at most. Comments, quotes and order stay as they are, and what a
file says never changes. Exit codes: 0 done or clean, 1 a file is not in normal form (--check), 2 error.")]
pub struct Fmt {
    /// Change nothing; say which files are not in normal form
    #[arg(long)]
    check: bool,
}

impl Fmt {
    /// Whether files are written.
    pub(super) fn writes(&self) -> bool {
        !self.check
    }
}

pub(super) fn run(command: &Fmt, context: &Context<'_>) -> Outcome {
    let (mut findings, mut sources) = (Vec::new(), Sources::default());
    let root = context.root();
    if let Some((folder, project)) = load::writable(&root, &mut sources, &mut findings) {
        folder.inputs(&project, &mut sources, &mut findings);
    }
    let mut new = Vec::new();
    if !has_errors(&findings) {
        // What is reached through a link is left alone; it has a name of its own.
        let linked = own::linked(&root);
        for (file, source) in sources.iter().filter(|(_, source)| is_yaml(&source.path) && !linked(&source.path)) {
            match format(&source.text, file) {
                Ok(Formatted::Same) => {}
                Ok(Formatted::New(text)) => new.push((file, source.path.to_string(), text)),
                Ok(Formatted::Kept) => findings.push(kept(file, &source.path)),
                Err(mut wrong) => findings.append(&mut wrong),
            }
        }
    }
    let mut outcome = if command.check { report(&new, &sources) } else { write(&root, new) };
    outcome.findings.append(&mut findings);
    if has_errors(&outcome.findings) {
        outcome.exit = Exit::Error;
    }
    Outcome { sources: sources.into(), ..outcome }
}

fn is_yaml(path: &str) -> bool {
    [".yaml", ".yml"].iter().any(|end| path.ends_with(end))
}

fn kept(file: FileId, path: &str) -> Diagnostic {
    Diagnostic::new(&rules::FORMAT_KEPT, Span::file(file), format!("`{path}` stays as it is"))
}

fn write(root: &std::path::Path, new: Vec<(FileId, String, String)>) -> Outcome {
    let new: Vec<_> = new.into_iter().map(|(_, path, text)| (path, text)).collect();
    match own::write(root, &new, Existing::Replace) {
        Ok(()) => Outcome::written(new.into_iter().map(|(path, _)| path)),
        Err(refused) => Outcome::error(refused.finding(&rules::FILE_UNWRITABLE)),
    }
}

fn report(new: &[(FileId, String, String)], sources: &Sources) -> Outcome {
    let finding = |(file, path, text): &(FileId, String, String)| {
        let old = sources.get(*file).map(|source| &*source.text).unwrap_or_default();
        let same = old.split_inclusive('\n').zip(text.split_inclusive('\n')).take_while(|(old, new)| old == new);
        let at: usize = same.map(|(line, _)| line.len()).sum();
        let end = old.get(at..).and_then(|rest| rest.split_inclusive('\n').next()).map_or(0, |line| line.trim_end().len());
        Diagnostic::new(&rules::FORMAT, Span::new(*file, at, at + end), format!("`{path}` is not in normal form"))
    };
    let exit = if new.is_empty() { Exit::Done } else { Exit::Findings };
    Outcome { findings: new.iter().map(finding).collect(), exit, ..Outcome::default() }
}
