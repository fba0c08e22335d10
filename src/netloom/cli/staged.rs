//! What `netloom check --staged` looks at: the units that the next commit touches.
//!
//! The commit is read from the index, and its parent, `HEAD`, from Git's objects; both are resolved, and compiled is what is made
//! from something else in the commit than in `HEAD`, together with the units of which a rendered file is staged. So a change counts
//! wherever it has an effect: a cluster counts with its network, an overlay or a program with the clusters that have what they make
//! of it, and what is deleted as well as what is new.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Context;
use super::base::differing;
use engine::compile::{Resolved, Setting, Wanted, compile_at};
use engine::{Compilation, Request};
use files::emit;
use files::git::Repository;
use findings::{Diagnostic, has_errors};

/// What is staged, compiled as far as the commit touches it and compared with what is staged of the output.
pub(super) struct Staged {
    pub(super) compilation: Compilation,
    /// Units that the commit does not touch.
    pub(super) untouched: usize,
}

/// Checks what is staged; none when the commit touches nothing of the project.
///
/// # Errors
/// When Git has no index to read.
pub(super) fn check(request: &Request, context: &Context<'_>) -> Result<Option<Staged>, Diagnostic> {
    let repository = Repository::find(&request.root)?;
    let paths = repository.staged()?.unwrap_or_default();
    // What stands above the project can make other texts of its files.
    let above = |path: &str| path.strip_suffix(emit::ATTRIBUTES).is_some_and(|folder| repository.prefix().starts_with(folder));
    let here = |path: &&String| path.starts_with(repository.prefix()) || above(path);
    if !paths.is_empty() && paths.iter().filter(here).count() == 0 {
        return Ok(None);
    }
    let tree = Arc::new(repository.index()?);
    let (mut compilation, found) =
        compile_at(request, Setting { stored: Some(&tree), ..Setting::default() }, context.surroundings.progress, |commit| {
            let wanted = touched(&repository, &paths, request, &commit, context);
            (wanted, commit.units())
        });
    if let Some(stopped) = tree.stopped() {
        return Err(stopped);
    }
    let declared = found.unwrap_or_default();
    if !has_errors(&compilation.findings) {
        let output = &compilation.output;
        let findings =
            emit::compare_stored(&tree, (output, &compilation.foreign), &compilation.units, &|folder| declared.contains(folder));
        let rendered = |code: &str| code.starts_with("output-") && !code.starts_with("output-unre");
        let staged = |finding: Diagnostic| if rendered(&finding.code) { finding.help(STAGED) } else { finding };
        let (root, foreign) = (&request.root, &compilation.foreign);
        let output = emit::Output { root, folder: output, foreign };
        let attributes = emit::attributes_stored((&tree, &repository), &output, &compilation.units, &mut compilation.sources);
        if let Some(stopped) = tree.stopped() {
            return Err(stopped);
        }
        compilation.findings.extend(findings.into_iter().map(staged).chain(attributes));
        findings::sort(&mut compilation.findings, &compilation.sources);
    }
    let untouched = declared.len().saturating_sub(compilation.units.len());
    Ok(Some(Staged { compilation, untouched }))
}

const STAGED: &str = "what is not staged is not looked at: `git add` what was rendered";

/// The units that a commit touches; all of them when there is nothing to compare with, or nothing is staged.
fn touched(repository: &Repository, paths: &[String], request: &Request, commit: &Resolved<'_>, context: &Context<'_>) -> Wanted {
    let head = repository.base(Some("HEAD")).and_then(|head| repository.tree(&head.commit)).ok().flatten();
    let Some(head) = head.filter(|_| !paths.is_empty()).map(Arc::new) else { return Wanted::All };
    let none = Wanted::Only(BTreeSet::new());
    let (_, before) =
        compile_at(request, Setting { stored: Some(&head), ..Setting::default() }, context.surroundings.progress, |head| {
            (none, (head.inputs(), head.output.to_owned()))
        });
    let Some((before, output)) = before.filter(|(_, output)| output == commit.output) else { return Wanted::All };
    let mut folders = differing(&before, &commit.inputs());
    let output = format!("{}{output}/", repository.prefix());
    let rendered = paths.iter().filter_map(|path| {
        let mut parts = path.strip_prefix(&output)?.splitn(3, '/');
        Some(format!("{}/{}", parts.next()?, parts.next()?))
    });
    folders.extend(rendered);
    Wanted::Only(folders)
}
