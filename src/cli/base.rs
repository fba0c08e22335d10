//! Both sides of a comparison: a commit of the project's repository, and the files as they are.

use std::path::Path;
use std::sync::Arc;

use super::{Context, Exit, Outcome};
use crate::compile::{Resolved, Witness, compile_at};
use crate::diagnostic::{Diagnostic, Severity, has_errors, rules};
use crate::diff::Side;
use crate::diff::subject::{Painter, subjects};
use crate::git::{Base, Repository, Tree};
use crate::tree::{Sources, Span};
use crate::{Compilation, Request};

const COMPARED: &str = "nothing was compared";

/// Both sides, compiled.
pub(super) struct Sides {
    pub(super) base: Base,
    /// The project's folder in the repository: empty, or with a `/` at its end.
    pub(super) prefix: String,
    pub(super) before: Side,
    pub(super) after: Side,
    /// What came of the files as they are; its units are in `after`.
    pub(super) compilation: Compilation,
}

/// What cannot be compared, and the texts that the findings point into.
pub(super) struct Failed {
    pub(super) findings: Vec<Diagnostic>,
    pub(super) sources: Arc<Sources>,
    /// What follows from that.
    pub(super) consequence: &'static str,
}

impl Failed {
    pub(super) fn of(finding: Diagnostic) -> Self {
        Self { findings: vec![finding], sources: Arc::default(), consequence: COMPARED }
    }

    pub(super) fn outcome(self) -> Outcome {
        let Self { findings, sources, consequence } = self;
        Outcome { findings, sources, consequence, exit: Exit::Error, ..Outcome::default() }
    }
}

/// Compiles the files as they are and the project as it is in the base, with pictures if they are to be drawn.
pub(super) fn sides(wanted: Option<&str>, draw: bool, context: &Context<'_>) -> Result<Sides, Failed> {
    let request = Request { root: context.root(), clusters: Vec::new(), worker: context.surroundings.executable.clone() };
    let (mut compilation, after) = side(&request, None, draw, context);
    if has_errors(&compilation.findings) {
        return Err(broken(
            &compilation.findings,
            &compilation.sources,
            "the working tree does not compile, so there is nothing to compare",
        ));
    }
    let (base, prefix, tree) = committed(&request.root, wanted).map_err(Failed::of)?;
    let before = match tree {
        None => Side::default(),
        Some(tree) => {
            let (committed, side) = side(&request, Some(&tree), draw, context);
            readable(&base, &tree, &committed.findings, &committed.sources)?;
            side
        }
    };
    let after = Side { units: std::mem::take(&mut compilation.units), ..after };
    Ok(Sides { base, prefix, before, after, compilation })
}

/// Whether what was made of the base can be compared with anything; a base without the project is an empty one.
pub(super) fn readable(base: &Base, tree: &Tree, findings: &[Diagnostic], sources: &Arc<Sources>) -> Result<(), Failed> {
    if tree.is_incomplete() {
        let message = format!("parts of the commit {} are not in this clone, which is a partial one", base.short());
        let finding = Diagnostic::new(&rules::BASE_MISSING, Span::NONE, message);
        return Err(Failed::of(finding.help("fetch them: `git fetch --refetch --no-filter origin`")));
    }
    let is_new = findings.iter().any(|finding| finding.code == rules::PROJECT_MISSING.code);
    if !is_new && has_errors(findings) {
        let message = format!("the base {} ({}) does not compile, so what changes is not known", base.name, base.short());
        return Err(broken(findings, sources, &message));
    }
    Ok(())
}

/// The base and its files; none when the commit does not have the project's folder.
pub(super) fn committed(root: &Path, wanted: Option<&str>) -> Result<(Base, String, Option<Arc<Tree>>), Diagnostic> {
    let repository = Repository::find(root)?;
    let base = repository.base(wanted)?;
    let tree = repository.tree(&base.commit)?;
    Ok((base, repository.prefix().to_owned(), tree.map(Arc::new)))
}

fn side(request: &Request, tree: Option<&Arc<Tree>>, draw: bool, context: &Context<'_>) -> (Compilation, Side) {
    let look = |resolved: Resolved<'_>| subjects(&resolved);
    let painter = Painter::default();
    let witness = draw.then_some(&painter as &dyn Witness);
    let (mut compilation, subjects) = compile_at(request, (tree, witness), context.surroundings.progress, look);
    let units = if tree.is_some() { std::mem::take(&mut compilation.units) } else { Vec::new() };
    (compilation, Side { units, subjects: subjects.unwrap_or_default(), pictures: painter.pictures() })
}

/// The errors of one side, and what they mean.
fn broken(findings: &[Diagnostic], sources: &Arc<Sources>, message: &str) -> Failed {
    let mut findings: Vec<_> = findings.iter().filter(|finding| finding.severity == Severity::Error).cloned().collect();
    findings.push(Diagnostic::new(&rules::BASE_BROKEN, Span::NONE, message));
    Failed { findings, sources: Arc::clone(sources), consequence: COMPARED }
}
