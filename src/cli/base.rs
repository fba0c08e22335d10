//! Both sides of a comparison: a commit of the project's repository, and the files as they are.
//!
//! Both are read and resolved; rendered is what is made from something else in the other. What a change does not reach costs no
//! more than reading it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::{Context, Exit, Outcome};
use crate::compile::{Inputs, Setting, Wanted, Witness, compile_at, compile_base};
use crate::diagnostic::{Diagnostic, Severity, has_errors, rules};
use crate::diff::Side;
use crate::diff::subject::{Painter, subjects};
use crate::git::{Base, Repository, Tree};
use crate::policy::{self, Role};
use crate::tree::{Sources, Span};
use crate::{Compilation, Request};

const COMPARED: &str = "nothing was compared";

/// What is wanted of a comparison beside the units that differ.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extent<'a> {
    /// All units of the project as it is.
    pub(super) all: bool,
    /// Pictures of what differs.
    pub(super) pictures: bool,
    /// What policies compare the project with.
    pub(super) policies: Role<'a>,
}

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
    /// What follows from that.
    pub(super) consequence: &'static str,
}

impl Failed {
    pub(super) fn of(finding: Diagnostic) -> Self {
        Self { findings: vec![finding], sources: Arc::default(), consequence: COMPARED }
    }

    /// What is wrong, without what points into other texts than those of the working tree.
    pub(super) fn outside(self) -> Vec<Diagnostic> {
        self.findings.into_iter().filter(|finding| !finding.span.is_known()).collect()
    }

    pub(super) fn outcome(self) -> Outcome {
        let Self { findings, sources, consequence } = self;
        Outcome { findings, sources, consequence, exit: Exit::Error, ..Outcome::default() }
    }
}

/// Compiles the project as it is, and, of its base, what differs. Of the project, too, unless all of it is wanted.
pub(super) fn sides(
    request: &Request,
    revision: Option<&str>,
    extent: Extent<'_>,
    context: &Context<'_>,
) -> (Compilation, Result<Sides, Failed>) {
    let painter = Painter::default();
    let witness = extent.pictures.then_some(&painter as &dyn Witness);
    let setting = Setting { witness, role: extent.policies, ..Setting::default() };
    let (compilation, found) = compile_at(request, setting, context.surroundings.progress, |head| {
        let base = Committed::compile(request, revision, &head.inputs(), extent, context);
        let wanted = match &base {
            _ if extent.all => head.asked(request),
            Ok(base) => Wanted::Only(base.differing.clone()),
            Err(_) => Wanted::Only(BTreeSet::new()),
        };
        (wanted, base.map(|base| (base, subjects(&head))))
    });
    let sides = match found {
        Some(found) if !has_errors(&compilation.findings) => found.map(|(committed, subjects)| {
            let Committed { base, prefix, side, differing } = committed;
            let units = compilation.units.iter().filter(|unit| differing.contains(&unit.folder)).cloned().collect();
            Sides { base, prefix, before: side, after: Side { units, subjects, pictures: painter.pictures() } }
        }),
        _ => {
            let message = "the working tree does not compile, so there is nothing to compare";
            Err(broken(&compilation.findings, &compilation.sources, message))
        }
    };
    (compilation, sides)
}

/// Whether what was made of the base can be compared with anything; a base without the project is an empty one.
pub(super) fn readable(base: &Base, tree: &Tree, findings: &[Diagnostic], sources: &Arc<Sources>) -> Result<(), Failed> {
    if let Some(stopped) = tree.stopped() {
        return Err(Failed::of(stopped));
    }
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

/// What the units of a base were, for policies; `wanted` names the base.
pub(super) fn units(request: &Request, wanted: Option<&str>, context: &Context<'_>) -> Result<policy::Units, Failed> {
    let (base, _, tree) = committed(&request.root, wanted)?;
    let Some(tree) = tree else { return Ok(policy::Units::default()) };
    let all = Request { clusters: Vec::new(), ..request.clone() };
    let (compilation, units) = compile_base(&all, &tree, context.surroundings.progress);
    readable(&base, &tree, &compilation.findings, &compilation.sources)?;
    Ok(units)
}

/// The base and its files; none when the commit does not have the project's folder.
pub(super) fn committed(root: &Path, revision: Option<&str>) -> Result<(Base, String, Option<Arc<Tree>>), Failed> {
    let repository = Repository::find(root).map_err(Failed::of)?;
    let base = repository.base(revision).map_err(Failed::of)?;
    let tree = repository.tree(&base.commit).map_err(Failed::of)?;
    Ok((base, repository.prefix().to_owned(), tree.map(Arc::new)))
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
    fn compile(
        request: &Request,
        revision: Option<&str>,
        head: &Inputs,
        extent: Extent<'_>,
        context: &Context<'_>,
    ) -> Result<Self, Failed> {
        let (base, prefix, tree) = committed(&request.root, revision)?;
        let all = || head.keys().cloned().collect();
        let Some(tree) = tree else {
            return Ok(Self { base, prefix, side: Side::default(), differing: all() });
        };
        let whole = Request { clusters: Vec::new(), ..request.clone() };
        let painter = Painter::default();
        let witness = extent.pictures.then_some(&painter as &dyn Witness);
        let (compilation, found) = compile_at(
            &whole,
            Setting { stored: Some(&tree), witness, ..Setting::default() },
            context.surroundings.progress,
            |resolved| {
                let differing = differing(&resolved.inputs(), head);
                (Wanted::Only(differing.clone()), (differing, subjects(&resolved)))
            },
        );
        readable(&base, &tree, &compilation.findings, &compilation.sources)?;
        let (differing, subjects) = found.unwrap_or_else(|| (all(), BTreeMap::new()));
        let side = Side { units: compilation.units, subjects, pictures: painter.pictures() };
        Ok(Self { base, prefix, side, differing })
    }
}

/// The units that are made from something else on the other side, or not there.
pub(super) fn differing(one: &Inputs, other: &Inputs) -> BTreeSet<String> {
    let folders = one.keys().chain(other.keys());
    folders.filter(|folder| one.get(*folder) != other.get(*folder)).cloned().collect()
}

/// The errors of one side, and what they mean.
fn broken(findings: &[Diagnostic], sources: &Arc<Sources>, message: &str) -> Failed {
    let mut findings: Vec<_> = findings.iter().filter(|finding| finding.severity == Severity::Error).cloned().collect();
    findings.push(Diagnostic::new(&rules::BASE_BROKEN, Span::NONE, message));
    Failed { findings, sources: Arc::clone(sources), consequence: COMPARED }
}
