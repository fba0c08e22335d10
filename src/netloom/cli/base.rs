//! Both sides of a comparison: a commit of the project's repository, and the files as they are.
//!
//! Both are read and resolved; rendered is what is made from something else in the other. What a change does not reach costs no
//! more than reading it. The commit judges the files, too; where it is the merge base of a branch, the branch's target as it is now
//! does that, because a branch that is old enough would be judged by rules that are gone.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

use super::{Context, Exit, Outcome};
use checks::policy::{self, Role};
use engine::compile::{Inputs, Resolved, Setting, Stage, Wanted, Witness, compile_at, resolve_at};
use engine::judge::{self, Judge, Objection};
use engine::{Compilation, Request};
use files::emit::{self, Listed, Standing, Stored};
use files::git::{Base, Repository, Tree};
use files::load::{self, PROJECT_FILE};
use findings::{Diagnostic, Severity, has_errors, rules};
use report::diff::Side;
use report::diff::subject::{Painter, networks};
use tree::{Sources, Span};

const COMPARED: &str = "nothing was compared";

/// What is wanted of a comparison beside the units that differ.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extent {
    /// All units of the project as it is, and of the base, with which policies compare them.
    pub(super) all: bool,
    /// Pictures of what differs.
    pub(super) pictures: bool,
    /// What stands in the output folder, whatever renders it.
    pub(super) output: bool,
}

/// Both sides of a comparison: the units in which they differ, and what all of them are made from.
pub(super) struct Sides {
    pub(super) base: Base,
    pub(super) repository: Repository,
    pub(super) before: Side,
    pub(super) after: Side,
    /// What stands in the output folder, where that is wanted.
    pub(super) output: Option<Result<Output, Diagnostic>>,
}

/// The files of the output folder: those that stand there, and those that the base has.
#[derive(Default)]
pub(super) struct Output {
    standing: Standing,
    stored: BTreeSet<Vec<u8>>,
}

impl Output {
    fn read(root: &Path, repository: &Repository, base: &Base) -> Result<Self, Diagnostic> {
        // Whoever compiles the project says what is wrong with it.
        let project = load::project(root, &mut Sources::default(), &mut Vec::new());
        let Some((_, project)) = project else { return Ok(Self::default()) };
        let folder = &project.value.spec.paths.output;
        let stored = repository.files(&base.commit, folder)?;
        Ok(Self { standing: Listed::read(root, folder)?.beside(&stored), stored })
    }

    /// Names what nothing renders; `declared` are all units, and `allowed` the codes of objections that are.
    ///
    /// # Errors
    /// When the output cannot be read any more.
    pub(super) fn unrendered(
        self,
        (root, repository, base): (&Path, &Repository, &Base),
        compilation: &Compilation,
        declared: &BTreeSet<&str>,
        allowed: &[String],
    ) -> Result<Vec<Diagnostic>, Diagnostic> {
        let commit = OnceLock::new();
        let commit = || commit.get_or_init(|| repository.tree(&base.commit).ok().flatten().map(Arc::new)).as_ref();
        let unchanged = |path: &[u8]| commit().is_some_and(|commit| emit::unchanged(root, &compilation.output, commit, path));
        let stored = Stored { names: &self.stored, unchanged: &unchanged };
        let units = (compilation.units.as_slice(), declared);
        self.standing.unrendered((root, &compilation.output), units, &stored, compilation.foreign(allowed))
    }
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

    /// What is wrong for whoever has other texts: what points into the base's stands as advice.
    pub(super) fn outside(self) -> Vec<Diagnostic> {
        const SHOWN: usize = 3;
        let (inside, mut findings): (Vec<_>, Vec<_>) = self.findings.into_iter().partition(|finding| finding.span.is_known());
        let told = |finding: &Diagnostic| format!("{}: {}", self.sources.locate(finding.span), finding.message);
        if let Some(finding) = findings.last_mut() {
            finding.help.extend(inside.iter().take(SHOWN).map(told));
        }
        findings
    }

    pub(super) fn outcome(self) -> Outcome {
        let Self { findings, sources, consequence } = self;
        Outcome { findings, sources, consequence, exit: Exit::Error, ..Outcome::default() }
    }
}

/// Compiles the project as it is, judged by its base, and, of that, what differs. Of the project, too, unless all of it is wanted.
/// There are no sides when the project does not compile.
pub(super) fn sides(
    request: &Request,
    revision: Option<&str>,
    extent: Extent,
    context: &Context<'_>,
) -> (Compilation, Result<Option<Sides>, Failed>) {
    let (painter, kept, units) = (Painter::default(), Mutex::default(), OnceLock::new());
    let witness = extent.pictures.then_some(&painter as &dyn Witness);
    let setting = Setting { witness, role: Role::Base(&kept), ..Setting::default() };
    let output = OnceLock::new();
    let look = |repository: &Repository, base: &Base| {
        if extent.output {
            _ = output.set(Output::read(&request.root, repository, base));
        }
    };
    let (compilation, sides) = against(request, revision, (setting, Role::Compared(&units)), &look, |base| match base {
        Err(failed) => {
            let asked = |head: Resolved<'_>| (if extent.all { head.asked(request) } else { Wanted::none() }, ());
            (compile_at(request, Setting::default(), context.surroundings.progress, asked).0, Err(failed))
        }
        Ok(base) => compare(request, &base, &units, extent, context, |wanted, folders| {
            let units = base.compile(wanted, context)?.units;
            let kept = std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner));
            Ok((Side { units, pictures: painter.pictures(), ..base.declared(folders) }, kept))
        }),
    });
    (compilation, sides.map(|sides| sides.map(|sides| Sides { output: output.into_inner(), ..sides })))
}

/// Compiles the project, and of its base what differs, before the project's policies see that.
fn compare(
    request: &Request,
    base: &Against<'_>,
    units: &OnceLock<policy::Units>,
    extent: Extent,
    context: &Context<'_>,
    compile: impl FnOnce(&Wanted, &BTreeSet<String>) -> Result<(Side, policy::Units), Failed>,
) -> (Compilation, Result<Option<Sides>, Failed>) {
    let painter = Painter::default();
    let witness = extent.pictures.then_some(&painter as &dyn Witness);
    let setting = Setting { witness, role: Role::Compared(units), judge: base.judge.as_ref(), ..Setting::default() };
    let (mut compilation, found) = compile_at(request, setting, context.surroundings.progress, |head| {
        let differing = differing(&base.inputs(), &head.inputs());
        let of_base = if extent.all { Wanted::All } else { Wanted::Only(differing.clone()) };
        let mut concerned = differing.clone();
        let stages = base.stage.map(|stage| &stage.resolved).into_iter().chain([&head]);
        concerned.extend(stages.flat_map(|resolved| networks(resolved, &differing)));
        let before = compile(&of_base, &concerned).map(|(mut before, kept)| {
            before.units.retain(|unit| differing.contains(&unit.folder));
            _ = units.set(kept);
            before
        });
        let wanted = match &before {
            _ if extent.all => head.asked(request),
            Ok(_) => Wanted::Only(differing.clone()),
            Err(_) => Wanted::none(),
        };
        (wanted, before.map(|before| (before, Side::declared(&head, &concerned), differing)))
    });
    compilation.objections.extend(base.moved.clone());
    let sides = found.filter(|_| !has_errors(&compilation.findings)).map(|found| {
        let (before, declared, differing) = found?;
        let units = compilation.units.iter().filter(|unit| differing.contains(&unit.folder)).cloned().collect();
        let after = Side { units, pictures: painter.pictures(), ..declared };
        Ok(Sides { base: base.base.clone(), repository: base.repository.clone(), before, after, output: None })
    });
    (compilation, sides.transpose())
}

/// What a project is compared with, and who judges it.
struct Against<'a> {
    base: &'a Base,
    repository: &'a Repository,
    /// The commit's files, resolved; none when it does not have the project.
    stage: Option<&'a Stage<'a>>,
    /// The target of the change as it is now; none when it does not have the project.
    judge: Option<Judge<'a>>,
    /// That the project was elsewhere, where its rules stayed.
    moved: Option<Objection>,
    tree: Option<&'a Tree>,
}

impl Against<'_> {
    /// What its units are made from.
    fn inputs(&self) -> Inputs {
        self.stage.map(|stage| stage.resolved.inputs()).unwrap_or_default()
    }

    /// What it declares, with what the units in these folders are made from.
    fn declared(&self, folders: &BTreeSet<String>) -> Side {
        self.stage.map(|stage| Side::declared(&stage.resolved, folders)).unwrap_or_default()
    }

    /// Compiles units of the base.
    fn compile(&self, wanted: &Wanted, context: &Context<'_>) -> Result<Compilation, Failed> {
        let (Some(stage), Some(tree)) = (self.stage, self.tree) else { return Ok(Compilation::default()) };
        let compilation = stage.compile(wanted, context.surroundings.progress);
        readable(self.base, tree, &compilation.findings, &compilation.sources)?;
        Ok(compilation)
    }
}

/// Reads the commit to compare with, and the one that judges: the same one, unless the first is where a branch began. Meanwhile,
/// `meanwhile` does what needs nothing but the commit's name.
fn against<T>(
    request: &Request,
    revision: Option<&str>,
    (setting, role): (Setting<'_>, Role<'_>),
    meanwhile: &(dyn Fn(&Repository, &Base) + Sync),
    then: impl FnOnce(Result<Against<'_>, Failed>) -> T,
) -> T {
    let found = Repository::find(&request.root).and_then(|repository| {
        let base = repository.base(revision)?;
        let tip = base.target();
        Ok((repository, base, tip))
    });
    let (repository, base, tip) = match found {
        Ok(found) => found,
        Err(finding) => return then(Err(Failed::of(finding))),
    };
    let (repository, base) = (&repository, &base);
    beside(&|| meanwhile(repository, base), || {
        commit(request, (repository, &tip), setting, |judging| {
            let (tree, judging) = match judging {
                Ok(judging) => judging,
                Err(failed) => return then(Err(failed)),
            };
            let moved = if judging.is_none() { moved(repository, &tip) } else { None };
            let judge = judging.map(|stage| stage.judge(&tip.name, role));
            if tip.commit == base.commit {
                return then(Ok(Against { base, repository, stage: judging, judge, moved, tree }));
            }
            commit(request, (repository, base), setting, |found| {
                then(found.map(|(tree, stage)| Against { base, repository, stage, judge, moved, tree }))
            })
        })
    })
}

/// Does two things at once, the first on a thread of its own.
fn beside<T>(other: &(dyn Fn() + Sync), work: impl FnOnce() -> T) -> T {
    thread::scope(|scope| {
        if thread::Builder::new().spawn_scoped(scope, other).is_err() {
            other();
        }
        work()
    })
}

/// A commit's files, and the project that was resolved from them.
type Read<'a> = (Option<&'a Tree>, Option<&'a Stage<'a>>);

/// Reads and resolves a commit; there is nothing when it does not have the project.
fn commit<T>(
    request: &Request,
    (repository, base): (&Repository, &Base),
    setting: Setting<'_>,
    then: impl FnOnce(Result<Read<'_>, Failed>) -> T,
) -> T {
    let tree = match repository.tree(&base.commit) {
        Ok(Some(tree)) => Arc::new(tree),
        Ok(None) => return then(Ok((None, None))),
        Err(finding) => return then(Err(Failed::of(finding))),
    };
    let whole = Request { clusters: Vec::new(), ..request.clone() };
    resolve_at(&whole, Setting { stored: Some(&tree), ..setting }, |stage| {
        then(match stage {
            Ok(stage) => readable(base, &tree, &stage.findings, stage.sources()).map(|()| (Some(&*tree), Some(stage))),
            Err(unread) => readable(base, &tree, &unread.findings, &unread.sources).map(|()| (Some(&*tree), None)),
        })
    })
}

/// That a commit has a project elsewhere, and nothing of it is there any more, or this one lies in its folder: its rules stayed there.
fn moved(repository: &Repository, base: &Base) -> Option<Objection> {
    let named = repository.named(&base.commit, PROJECT_FILE);
    let folder = |path: &str| path.strip_suffix(PROJECT_FILE).unwrap_or(path).to_owned();
    let left = named.iter().find(|(_, there)| !there).map(|(path, _)| (folder(path), "which is not there any more"));
    let above = || named.iter().map(|(path, _)| folder(path)).find(|folder| repository.prefix().starts_with(folder));
    let (folder, why) = left.or_else(|| above().map(|folder| (folder, "in which this one lies")))?;
    let folder = folder.trim_end_matches('/');
    let whence = if folder.is_empty() { "the root of the repository".to_owned() } else { format!("`{folder}`") };
    let message = format!("`{}` has a project in {whence}, {why}, and none here: no rule of it judges this one", base.name);
    Some(Objection::weaker(judge::PATHS, Span::NONE, message))
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

/// The base and its files; none when the commit does not have the project's folder.
pub(super) fn committed(root: &Path, revision: Option<&str>) -> Result<(Base, String, Option<Arc<Tree>>), Failed> {
    let repository = Repository::find(root).map_err(Failed::of)?;
    let base = repository.base(revision).map_err(Failed::of)?;
    let tree = repository.tree(&base.commit).map_err(Failed::of)?;
    Ok((base, repository.prefix().to_owned(), tree.map(Arc::new)))
}

/// The units that are made from something else on the other side, or not there.
pub(super) fn differing(one: &Inputs, other: &Inputs) -> BTreeSet<String> {
    let folders = one.keys().chain(other.keys());
    folders.filter(|folder| one.get(*folder) != other.get(*folder)).cloned().collect()
}

/// The errors of one side, and what they mean.
pub(super) fn broken(findings: &[Diagnostic], sources: &Arc<Sources>, message: &str) -> Failed {
    let mut findings: Vec<_> = findings.iter().filter(|finding| finding.severity == Severity::Error).cloned().collect();
    findings.push(Diagnostic::new(&rules::BASE_BROKEN, Span::NONE, message));
    Failed { findings, sources: Arc::clone(sources), consequence: COMPARED }
}
