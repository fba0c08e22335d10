//! What Git has stored, read by its plumbing alone: no checkout, no hook, no filter, no network.
//!
//! `git` runs with an environment of netloom's own: neither the user's configuration nor the system's takes part, a partial clone
//! fetches nothing, and the commands that are used (`rev-parse`, `merge-base`, `ls-files`, `ls-tree`, `diff-index`, `cat-file --batch`) run no other program. A
//! repository of somebody else's is read like any other, because containers in CI often check out as another user; one that is
//! hidden in the project as a bare repository is not (`safe.bareRepository`).

mod message;
mod tree;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::diagnostic::Diagnostic;
use message::{Trouble, cannot_start};
pub use tree::{Entry, Kind, Tree};

/// Where the default branch is looked for, in order.
const DEFAULT_BRANCHES: [&str; 5] = [
    "refs/remotes/origin/HEAD",
    "refs/remotes/origin/main",
    "refs/remotes/origin/master",
    "refs/heads/main",
    "refs/heads/master",
];

/// A branch as people call it.
fn short(branch: &str) -> &str {
    branch.trim_start_matches("refs/heads/").trim_start_matches("refs/remotes/")
}

/// Bytes of a revision that are taken from the command line.
const REVISION_BYTES: usize = 256;

/// The repository that a project lies in.
#[derive(Clone, Debug)]
pub struct Repository {
    folder: PathBuf,
    /// The project's folder in the repository: empty, or with a `/` at its end.
    prefix: String,
    shallow: bool,
}

/// The commit that a working tree is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// What it was asked for as: a revision, or the branch whose merge base it is.
    pub name: String,
    /// Whether it is the merge base of `HEAD` and `name`.
    pub merge_base: bool,
    /// The commit's full name.
    pub commit: String,
}

impl Base {
    /// The commit's name as people write it.
    #[must_use]
    pub fn short(&self) -> &str {
        self.commit.get(..10).unwrap_or(&self.commit)
    }
}

impl Repository {
    /// The repository that `folder` lies in.
    ///
    /// # Errors
    /// When there is none, or no `git`.
    pub fn find(folder: &Path) -> Result<Self, Diagnostic> {
        let mut found = Self { folder: folder.to_path_buf(), prefix: String::new(), shallow: false };
        let answer = found.ask(&["rev-parse", "--is-shallow-repository", "--show-prefix"])?;
        let mut lines = answer.as_deref().ok_or_else(|| Trouble::NoRepository.report(folder))?.lines();
        found.shallow = lines.next() == Some("true");
        found.prefix = lines.next().unwrap_or_default().to_owned();
        Ok(found)
    }

    /// The project's folder in the repository: empty, or with a `/` at its end.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The commit to compare with: `wanted`, or the merge base of `HEAD` and the default branch.
    ///
    /// # Errors
    /// When there is no such commit, or it is not in this clone.
    pub fn base(&self, wanted: Option<&str>) -> Result<Base, Diagnostic> {
        if let Some(name) = wanted {
            let trouble = if self.shallow { Trouble::Shallow(name) } else { Trouble::Unknown(name) };
            let commit = self.commit(name)?.ok_or_else(|| trouble.report(&self.folder))?;
            return Ok(Base { name: name.to_owned(), merge_base: false, commit });
        }
        let head = self.commit("HEAD")?.ok_or_else(|| Trouble::Unborn.report(&self.folder))?;
        for branch in DEFAULT_BRANCHES {
            let Some(tip) = self.commit(branch)? else { continue };
            let name = short(branch).to_owned();
            let trouble = if self.shallow { Trouble::ShallowMergeBase(&name) } else { Trouble::NoMergeBase(&name) };
            let commit = self.ask(&["merge-base", &tip, &head])?.ok_or_else(|| trouble.report(&self.folder))?;
            return Ok(Base { name, merge_base: true, commit: commit.trim().to_owned() });
        }
        let trouble = if self.shallow { Trouble::ShallowMergeBase("main") } else { Trouble::NoDefaultBranch };
        Err(trouble.report(&self.folder))
    }

    /// The target of a change as it is now: the base itself, or the branch whose merge base it is.
    ///
    /// # Errors
    /// When `git` cannot be started.
    pub fn tip(&self, base: &Base) -> Result<Base, Diagnostic> {
        let mut tip = Base { merge_base: false, ..base.clone() };
        let branch = DEFAULT_BRANCHES.iter().find(|branch| base.merge_base && short(branch) == base.name);
        if let Some(commit) = branch.map(|branch| self.commit(branch)).transpose()?.flatten() {
            tip.commit = commit;
        }
        Ok(tip)
    }

    /// The path in a commit of a file of this name that is not there any more; none where each is.
    #[must_use]
    pub fn left(&self, commit: &str, name: &str) -> Option<String> {
        let listed = self.ask(&["ls-tree", "-r", "-z", "--full-tree", "--name-only", commit]).ok()??;
        let root = self.folder.join("../".repeat(self.prefix.matches('/').count()));
        let named = |path: &&str| path.rsplit('/').next() == Some(name);
        listed.split('\0').filter(named).find(|path| !root.join(path).exists()).map(ToOwned::to_owned)
    }

    /// The full name of the commit that a revision stands for.
    fn commit(&self, revision: &str) -> Result<Option<String>, Diagnostic> {
        let plain = |c: char| !c.is_control() && !c.is_whitespace();
        if revision.is_empty() || revision.starts_with('-') || revision.len() > REVISION_BYTES || !revision.chars().all(plain) {
            return Err(Trouble::Malformed(revision).report(&self.folder));
        }
        let answer = self.ask(&["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")])?;
        let named = |name: &&str| matches!(name.len(), 40 | 64) && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        Ok(answer.as_deref().map(str::trim).filter(named).map(ToOwned::to_owned))
    }

    /// The project's files as they are in a commit; none when the commit does not have the project's folder.
    ///
    /// # Errors
    /// When `git` cannot be started.
    pub fn tree(&self, commit: &str) -> Result<Option<Tree>, Diagnostic> {
        let folder = self.prefix.trim_end_matches('/');
        Ok(Tree::new(self.batch()?, commit, folder))
    }

    /// The project's files as the next commit will have them: those of the index.
    ///
    /// # Errors
    /// When `git` cannot be started, or a merge is not done.
    pub fn index(&self) -> Result<Tree, Diagnostic> {
        let listed = Self::answer(self.command_on_index().args(["ls-files", "--stage", "-z"]))?;
        let tree = listed.map(|listed| Ok(Tree::staged(self.batch()?, &listed))).transpose()?.flatten();
        tree.ok_or_else(|| Trouble::Unmerged.report(&self.folder))
    }

    /// The files, by their paths in the repository, that the next commit will change; none when it will be the first one.
    ///
    /// # Errors
    /// When `git` cannot be started.
    pub fn staged(&self) -> Result<Option<Vec<String>>, Diagnostic> {
        let Some(head) = self.commit("HEAD")? else { return Ok(None) };
        let arguments = ["diff-index", "--cached", "--name-only", "--no-renames", "-z", &head, "--"];
        let names = Self::answer(self.command_on_index().args(arguments))?.unwrap_or_default();
        let names = names.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        Ok(Some(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect()))
    }

    /// What `git` answers; none when it says no.
    fn ask(&self, arguments: &[&str]) -> Result<Option<String>, Diagnostic> {
        let answer = Self::answer(self.command().args(arguments))?;
        Ok(answer.map(|answer| String::from_utf8_lossy(&answer).into_owned()))
    }

    fn answer(command: &mut Command) -> Result<Option<Vec<u8>>, Diagnostic> {
        let output = command.stdin(Stdio::null()).output().map_err(|error| cannot_start(&error))?;
        Ok(output.status.success().then_some(output.stdout))
    }

    /// A process that gives objects by their names.
    fn batch(&self) -> Result<Child, Diagnostic> {
        let mut command = self.command();
        command.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.spawn().map_err(|error| cannot_start(&error))
    }

    /// A command that reads the index: `git commit` with `-a` or with paths makes one of its own for its hooks.
    fn command_on_index(&self) -> Command {
        let mut command = self.command();
        if let Some(index) = std::env::var_os("GIT_INDEX_FILE").and_then(|path| std::path::absolute(path).ok()) {
            command.env("GIT_INDEX_FILE", index);
        }
        command
    }

    fn command(&self) -> Command {
        let mut command = Command::new("git");
        command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.envs([
            ("LC_ALL", "C"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_SYSTEM", "/dev/null"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_ATTR_NOSYSTEM", "1"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
            ("GIT_NO_LAZY_FETCH", "1"),
            // Older versions know no such thing; without a protocol they fetch nothing either.
            ("GIT_ALLOW_PROTOCOL", ""),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_TERMINAL_PROMPT", "0"),
        ]);
        command.arg("--no-pager").arg("-C").arg(&self.folder);
        for setting in ["core.hooksPath=/dev/null", "core.fsmonitor=false", "safe.directory=*", "safe.bareRepository=explicit"] {
            command.args(["-c", setting]);
        }
        command.stderr(Stdio::null());
        command
    }
}
