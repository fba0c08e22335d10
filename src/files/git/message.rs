//! What is said when there is nothing to compare with.

use std::io;
use std::path::Path;

use super::child::Bounds;
use crate::paths::cause;
use findings::{Diagnostic, rules};
use tree::Span;

/// Why there is no commit to compare with.
pub(super) enum Trouble<'a> {
    /// The folder lies in no repository.
    NoRepository,
    /// The repository has no commit yet.
    Unborn,
    /// What was given cannot be a revision.
    Malformed(&'a str),
    /// There is no such commit.
    Unknown(&'a str),
    /// There is no such commit, but the clone is shallow.
    Shallow(&'a str),
    /// The merge base with this branch lies before what the clone has.
    ShallowMergeBase(&'a str),
    /// `HEAD` and this branch have no commit in common.
    NoMergeBase(&'a str),
    /// A merge is under way whose conflicts are not settled.
    Unmerged,
    /// No branch that could be the default one.
    NoDefaultBranch,
}

impl Trouble<'_> {
    /// This as a finding.
    pub(super) fn report(&self, folder: &Path) -> Diagnostic {
        let (message, help) = match self {
            Trouble::NoRepository => {
                let message = format!("`{}` lies in no Git repository, so there is nothing to compare with", folder.display());
                (message, "run it in a clone; `git init` and a first commit make one")
            }
            Trouble::Unborn => ("there is no commit yet, so there is nothing to compare with".to_owned(), "make a first commit"),
            Trouble::Malformed(name) => {
                (format!("`{name}` is no revision"), "name a branch, a tag or a commit, such as `origin/main` or `HEAD~1`")
            }
            Trouble::Unknown(name) => {
                (format!("there is no commit `{name}`"), "fetch it, or name another one; `git branch --all` lists branches")
            }
            Trouble::Shallow(name) => {
                let message = format!("there is no commit `{name}` in this clone, which is shallow");
                let help = format!("fetch it: `git fetch --depth=1 origin {}`", name.trim_start_matches("origin/"));
                return finding(message).help(help);
            }
            Trouble::ShallowMergeBase(name) => {
                let message = format!("the merge base with `{name}` is not in this clone, which is shallow");
                let help = "fetch the history: `git fetch --unshallow origin`, or `fetch-depth: 0` of actions/checkout, or `GIT_DEPTH: 0` of GitLab";
                (message, help)
            }
            Trouble::NoMergeBase(name) => {
                (format!("`HEAD` and `{name}` have no commit in common"), "name what to compare with: `--base REV`")
            }
            Trouble::Unmerged => {
                let message = "what is staged has conflicts of a merge, so there is no commit to check yet".to_owned();
                (message, "settle them; `netloom render` does that for what is rendered")
            }
            Trouble::NoDefaultBranch => {
                let message = "there is neither `origin/HEAD` nor a branch `main` or `master`".to_owned();
                (message, "name what to compare with: `--base REV`")
            }
        };
        finding(message).help(help)
    }
}

fn finding(message: String) -> Diagnostic {
    Diagnostic::new(&rules::BASE_MISSING, Span::NONE, message)
}

/// Why Git gave no answer, or none that can be used.
#[derive(Clone, Debug)]
pub(super) enum Stopped {
    /// It took too long.
    Late,
    /// It said too much.
    Flood,
    /// There are too many entries.
    Entries,
    /// It ended before it had answered.
    Ended,
    /// What it said is not what Git says.
    Garbage,
}

impl Stopped {
    /// Why nothing more was read.
    pub(super) fn of(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::TimedOut => Stopped::Late,
            io::ErrorKind::InvalidData => Stopped::Garbage,
            _ => Stopped::Ended,
        }
    }

    /// This as a finding; `what` is the command of Git's.
    pub(super) fn report(&self, what: &str, bounds: Bounds) -> Diagnostic {
        let Bounds { time, output, entries } = bounds;
        let limit = |message: String| Diagnostic::new(&rules::LIMIT, Span::NONE, message);
        match self {
            Stopped::Late => limit(format!("`git {what}` took more than {} s", time.as_secs())),
            Stopped::Flood => limit(format!("`git {what}` gave more than {} MiB for one question", output >> 20)),
            Stopped::Entries => limit(format!("Git has more than {entries} entries in the folders of the project")),
            Stopped::Ended => finding(format!("`git {what}` ended before it had answered")),
            Stopped::Garbage => finding(format!("`git {what}` gave an answer that makes no sense")),
        }
    }
}

/// No `git` that may be run.
pub(super) fn not_found() -> Diagnostic {
    let message = "there is no `git` on the PATH; folders in the repository and relative ones are passed over".to_owned();
    finding(message).help("install Git, or put its folder on the PATH by its absolute path")
}

/// `git` itself is not to be had.
pub(super) fn cannot_start(error: &std::io::Error) -> Diagnostic {
    finding(format!("`git` cannot be started: {}", cause(error))).help("the `git` of the PATH has to be one that runs")
}
