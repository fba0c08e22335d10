//! Both sides of a comparison: a commit of the project's repository, and the files as they are.

use std::path::Path;
use std::sync::Arc;

use super::{Context, Exit, Outcome};
use crate::compile::{Resolved, compile_at, compile_base};
use crate::diagnostic::{Diagnostic, Severity, has_errors, rules};
use crate::diff::Side;
use crate::diff::subject::subjects;
use crate::git::{Base, Repository, Tree};
use crate::tree::{Sources, Span};
use crate::{Compilation, Request, policy};

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
}

impl Failed {
    fn of(finding: Diagnostic) -> Self {
        Self { findings: vec![finding], sources: Arc::default() }
    }

    /// What is wrong, without what points into other texts than those of the working tree.
    pub(super) fn outside(self) -> Vec<Diagnostic> {
        self.findings.into_iter().filter(|finding| !finding.span.is_known()).collect()
    }

    pub(super) fn outcome(self) -> Outcome {
        let Self { findings, sources } = self;
        Outcome { findings, sources, consequence: "nothing was compared", exit: Exit::Error, ..Outcome::default() }
    }
}

/// Compiles the files as they are and the project as it is in the base.
pub(super) fn sides(wanted: Option<&str>, context: &Context<'_>) -> Result<Sides, Failed> {
    let request = Request { root: context.root(), clusters: Vec::new(), worker: context.surroundings.executable.clone() };
    let (mut compilation, after) = side(&request, None, context);
    if has_errors(&compilation.findings) {
        return Err(broken(compilation, "the working tree does not compile, so there is nothing to compare"));
    }
    let (base, prefix, tree) = committed(&request.root, wanted).map_err(Failed::of)?;
    let before = match tree {
        None => Side::default(),
        Some(tree) => {
            let (committed, side) = side(&request, Some(&tree), context);
            sound(&base, &tree, committed)?;
            side
        }
    };
    let after = Side { units: std::mem::take(&mut compilation.units), ..after };
    Ok(Sides { base, prefix, before, after, compilation })
}

/// What the units of a base were, for policies; `wanted` names the base.
pub(super) fn units(request: &Request, wanted: Option<&str>, context: &Context<'_>) -> Result<policy::Units, Failed> {
    let (base, _, tree) = committed(&request.root, wanted).map_err(Failed::of)?;
    let Some(tree) = tree else { return Ok(policy::Units::default()) };
    let all = Request { clusters: Vec::new(), ..request.clone() };
    let (committed, units) = compile_base(&all, &tree, context.surroundings.progress);
    sound(&base, &tree, committed)?;
    Ok(units)
}

/// Refuses a base that could not be read or does not compile; one without project is none of these.
fn sound(base: &Base, tree: &Tree, committed: Compilation) -> Result<(), Failed> {
    if tree.is_incomplete() {
        let message = format!("parts of the commit {} are not in this clone, which is a partial one", base.short());
        let finding = Diagnostic::new(&rules::BASE_MISSING, Span::NONE, message);
        return Err(Failed::of(finding.help("fetch them: `git fetch --refetch --no-filter origin`")));
    }
    let is_new = committed.findings.iter().any(|finding| finding.code == rules::PROJECT_MISSING.code);
    if !is_new && has_errors(&committed.findings) {
        let message = format!("the base {} ({}) does not compile, so what changes is not known", base.name, base.short());
        return Err(broken(committed, &message));
    }
    Ok(())
}

/// The base and its files; none when the commit does not have the project's folder.
fn committed(root: &Path, wanted: Option<&str>) -> Result<(Base, String, Option<Arc<Tree>>), Diagnostic> {
    let repository = Repository::find(root)?;
    let base = repository.base(wanted)?;
    let tree = repository.tree(&base.commit)?;
    Ok((base, repository.prefix().to_owned(), tree.map(Arc::new)))
}

fn side(request: &Request, tree: Option<&Arc<Tree>>, context: &Context<'_>) -> (Compilation, Side) {
    let look = |resolved: Resolved<'_>| subjects(&resolved);
    let (mut compilation, subjects) = compile_at(request, tree, context.surroundings.progress, look);
    let units = if tree.is_some() { std::mem::take(&mut compilation.units) } else { Vec::new() };
    (compilation, Side { units, subjects: subjects.unwrap_or_default() })
}

/// The errors of one side, and what they mean.
fn broken(compilation: Compilation, message: &str) -> Failed {
    let mut findings = compilation.findings;
    findings.retain(|finding| finding.severity == Severity::Error);
    findings.push(Diagnostic::new(&rules::BASE_BROKEN, Span::NONE, message));
    Failed { findings, sources: compilation.sources }
}
