//! Both sides of a comparison: a commit of the project's repository, and the files as they are.
//!
//! Both are read and resolved; rendered is what is made from something else in the other. What a change does not reach costs no
//! more than reading it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Context, Exit, Outcome};
use crate::compile::{Inputs, Wanted, compile_at};
use crate::diagnostic::{Diagnostic, Severity, has_errors, rules};
use crate::diff::Side;
use crate::diff::subject::subjects;
use crate::git::{Base, Repository};
use crate::tree::{Sources, Span};
use crate::{Compilation, Request};

/// Both sides of a comparison: the units in which they differ, and what all of them are made from.
pub(super) struct Sides {
    pub(super) base: Base,
    /// The project's folder in the repository: empty, or with a `/` at its end.
    pub(super) prefix: String,
    pub(super) before: Side,
    pub(super) after: Side,
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

    pub(super) fn outcome(self) -> Outcome {
        let Self { findings, sources } = self;
        Outcome { findings, sources, consequence: "nothing was compared", exit: Exit::Error, ..Outcome::default() }
    }
}

/// Compiles the project as it is, and, of its base, what differs. Of the project, too, unless `all` of it is wanted.
pub(super) fn sides(
    request: &Request,
    revision: Option<&str>,
    all: bool,
    context: &Context<'_>,
) -> (Compilation, Result<Sides, Failed>) {
    let (compilation, found) = compile_at(request, None, context.surroundings.progress, |head| {
        let base = Committed::compile(request, revision, &head.inputs(), context);
        let wanted = match &base {
            _ if all => head.asked(request),
            Ok(base) => Wanted::Only(base.differing.clone()),
            Err(_) => Wanted::Only(BTreeSet::new()),
        };
        (wanted, base.map(|base| (base, subjects(&head))))
    });
    let sides = match found {
        Some(found) if !has_errors(&compilation.findings) => found.map(|(committed, subjects)| {
            let Committed { base, prefix, side, differing } = committed;
            let units = compilation.units.iter().filter(|unit| differing.contains(&unit.folder)).cloned().collect();
            Sides { base, prefix, before: side, after: Side { units, subjects } }
        }),
        _ => Err(broken(&compilation, "the working tree does not compile, so there is nothing to compare")),
    };
    (compilation, sides)
}

/// A commit, and what of its units differs from those that are made from something else.
struct Committed {
    base: Base,
    prefix: String,
    side: Side,
    /// The folders of these units, on either side.
    differing: BTreeSet<String>,
}

impl Committed {
    fn compile(request: &Request, revision: Option<&str>, head: &Inputs, context: &Context<'_>) -> Result<Self, Failed> {
        let repository = Repository::find(&request.root).map_err(Failed::of)?;
        let base = repository.base(revision).map_err(Failed::of)?;
        let prefix = repository.prefix().to_owned();
        let all = || head.keys().cloned().collect();
        let Some(tree) = repository.tree(&base.commit).map_err(Failed::of)?.map(Arc::new) else {
            return Ok(Self { base, prefix, side: Side::default(), differing: all() });
        };
        let whole = Request { clusters: Vec::new(), ..request.clone() };
        let (compilation, found) = compile_at(&whole, Some(&tree), context.surroundings.progress, |resolved| {
            let differing = differing(&resolved.inputs(), head);
            (Wanted::Only(differing.clone()), (differing, subjects(&resolved)))
        });
        if tree.is_incomplete() {
            let message = format!("parts of the commit {} are not in this clone, which is a partial one", base.short());
            let finding = Diagnostic::new(&rules::BASE_MISSING, Span::NONE, message);
            return Err(Failed::of(finding.help("fetch them: `git fetch --refetch --no-filter origin`")));
        }
        let is_new = compilation.findings.iter().any(|finding| finding.code == rules::PROJECT_MISSING.code);
        if !is_new && has_errors(&compilation.findings) {
            let message = format!("the base {} ({}) does not compile, so what changes is not known", base.name, base.short());
            return Err(broken(&compilation, &message));
        }
        let (differing, subjects) = found.unwrap_or_else(|| (all(), BTreeMap::new()));
        Ok(Self { base, prefix, side: Side { units: compilation.units, subjects }, differing })
    }
}

/// The units that are made from something else on the other side, or not there.
pub(super) fn differing(one: &Inputs, other: &Inputs) -> BTreeSet<String> {
    let folders = one.keys().chain(other.keys());
    folders.filter(|folder| one.get(*folder) != other.get(*folder)).cloned().collect()
}

/// The errors of one side, and what they mean.
fn broken(compilation: &Compilation, message: &str) -> Failed {
    let mut findings = compilation.findings.clone();
    findings.retain(|finding| finding.severity == Severity::Error);
    findings.push(Diagnostic::new(&rules::BASE_BROKEN, Span::NONE, message));
    Failed { findings, sources: Arc::clone(&compilation.sources) }
}
