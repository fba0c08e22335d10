//! What Git has stored, read by its plumbing alone: no checkout, no hook, no filter, no network.
//!
//! `git` is found once, outside of what a branch brings along ([`executable()`]), and may take only so long and say only so much. It
//! runs with an environment of netloom's own: neither the user's configuration nor the system's takes part, a partial clone
//! fetches nothing, and the commands that are used (`rev-parse`, `for-each-ref`, `merge-base`, `ls-files`, `ls-tree`, `diff-index`,
//! `cat-file --batch`) run no other program. A repository of somebody else's is read like any other, because containers in CI often
//! check out as another user. Which one it is netloom finds out itself and tells `git`, which would take a folder for one that a
//! branch has made to look like it.

mod child;
mod executable;
mod message;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

pub use self::tree::{Kind, Tree};
use crate::paths::checkout::Checkout;
use crate::paths::named as place;
use child::{Batch, Bounds};
pub use executable::{Executable, executable};
use findings::Diagnostic;
use message::{Stopped, Trouble};

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
    git: Executable,
    bounds: Bounds,
    folder: PathBuf,
    checkout: Checkout,
    /// The project's folder in the repository: empty, or with a `/` at its end.
    prefix: String,
    shallow: bool,
}

/// The commit that a working tree is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// What it was asked for as: a revision, or the branch whose merge base it is.
    pub name: String,
    /// The commit of the branch `name` as it is now, where this is the merge base of `HEAD` and the branch.
    pub tip: Option<String>,
    /// The commit's full name.
    pub commit: String,
}

impl Base {
    /// The target of a change as it is now: this commit itself, or the branch whose merge base it is.
    #[must_use]
    pub fn target(&self) -> Self {
        Self { name: self.name.clone(), tip: None, commit: self.tip.as_ref().unwrap_or(&self.commit).clone() }
    }

    /// The commit's name as people write it.
    #[must_use]
    pub fn short(&self) -> &str {
        self.commit.get(..10).unwrap_or(&self.commit)
    }
}

/// The index that `git commit` with `-a` or with paths makes for its hooks.
#[must_use]
pub fn index() -> Option<PathBuf> {
    std::env::var_os("GIT_INDEX_FILE").and_then(|path| std::path::absolute(path).ok())
}

impl Repository {
    /// The repository that `folder` lies in.
    ///
    /// # Errors
    /// When there is none, or no `git`.
    pub fn find(folder: &Path) -> Result<Self, Diagnostic> {
        Self::with(executable(folder)?, Bounds::default(), folder)
    }

    fn with(git: Executable, bounds: Bounds, folder: &Path) -> Result<Self, Diagnostic> {
        let checkout = place::real(folder).ok().and_then(|folder| Checkout::around(&folder));
        let checkout = checkout.ok_or_else(|| Trouble::NoRepository.report(folder))?;
        let mut found = Self { git, bounds, folder: folder.to_path_buf(), checkout, prefix: String::new(), shallow: false };
        let answer = found.ask("rev-parse", &["--is-shallow-repository", "--show-prefix"])?;
        let mut lines = answer.as_deref().ok_or_else(|| Trouble::NoRepository.report(folder))?.lines();
        found.shallow = lines.next() == Some("true");
        found.prefix = lines.next().unwrap_or_default().to_owned();
        match found.prefix.is_empty() || found.prefix.ends_with('/') {
            true => Ok(found),
            false => Err(Stopped::Garbage.report("rev-parse", bounds)),
        }
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
            return Ok(Base { name: short(name).to_owned(), tip: None, commit });
        }
        let head = self.commit("HEAD")?.ok_or_else(|| Trouble::Unborn.report(&self.folder))?;
        let Some((branch, tip)) = self.default_branch()? else {
            let trouble = if self.shallow { Trouble::ShallowMergeBase("main") } else { Trouble::NoDefaultBranch };
            return Err(trouble.report(&self.folder));
        };
        let name = short(branch).to_owned();
        let trouble = if self.shallow { Trouble::ShallowMergeBase(&name) } else { Trouble::NoMergeBase(&name) };
        let commit = self.ask("merge-base", &[&tip, &head])?.ok_or_else(|| trouble.report(&self.folder))?;
        let commit = named(&commit).ok_or_else(|| Stopped::Garbage.report("merge-base", self.bounds))?;
        Ok(Base { name, tip: Some(tip), commit })
    }

    /// The default branch and its commit: the first that there is, and that names one.
    fn default_branch(&self) -> Result<Option<(&'static str, String)>, Diagnostic> {
        let listed = self.ask("for-each-ref", &[&["--format=%(refname)"][..], &DEFAULT_BRANCHES].concat())?;
        let listed = listed.ok_or_else(|| Stopped::Ended.report("for-each-ref", self.bounds))?;
        for branch in DEFAULT_BRANCHES.into_iter().filter(|branch| listed.lines().any(|line| line == *branch)) {
            if let Some(tip) = self.commit(branch)? {
                return Ok(Some((branch, tip)));
            }
        }
        Ok(None)
    }

    /// Where in the repository a commit has files of this name, and whether each is still there.
    #[must_use]
    pub fn named(&self, commit: &str, name: &str) -> Vec<(String, bool)> {
        let listed = self.ask("ls-tree", &["-r", "-z", "--full-tree", "--name-only", commit]).ok().flatten().unwrap_or_default();
        let root = self.folder.join("../".repeat(self.prefix.matches('/').count()));
        let same = listed.split('\0').filter(|path| path.rsplit('/').next() == Some(name));
        same.map(|path| (path.to_owned(), place::has(&root, path))).collect()
    }

    /// The paths of all files in a folder of the project, as a commit has them, below that folder.
    ///
    /// # Errors
    /// When `git` cannot be started, or says too much.
    pub fn files(&self, commit: &str, folder: &str) -> Result<BTreeSet<Vec<u8>>, Diagnostic> {
        let folder = format!("{}{folder}/", self.prefix);
        let arguments = ["-r", "-z", "--full-tree", "--name-only", commit, "--", &folder];
        let listed = self.answer(self.command(), "ls-tree", &arguments)?.unwrap_or_default();
        let paths = listed.split(|byte| *byte == 0).filter_map(|path| path.strip_prefix(folder.as_bytes()));
        Ok(paths.map(<[u8]>::to_vec).collect())
    }

    /// The full name of the commit that a revision stands for.
    fn commit(&self, revision: &str) -> Result<Option<String>, Diagnostic> {
        let plain = |c: char| !c.is_control() && !c.is_whitespace();
        if revision.is_empty() || revision.starts_with('-') || revision.len() > REVISION_BYTES || !revision.chars().all(plain) {
            return Err(Trouble::Malformed(revision).report(&self.folder));
        }
        let answer = self.ask("rev-parse", &["--verify", "--quiet", &format!("{revision}^{{commit}}")])?;
        Ok(answer.as_deref().and_then(named))
    }

    /// The project's files as they are in a commit; none when the commit does not have the project's folder.
    ///
    /// # Errors
    /// When `git` cannot be started, or does not answer.
    pub fn tree(&self, commit: &str) -> Result<Option<Tree>, Diagnostic> {
        let folder = self.prefix.trim_end_matches('/');
        let batch = Batch::start(&mut self.command(), self.bounds)?;
        Tree::new(batch, commit, folder)
    }

    /// The project's files as the next commit will have them: those of the index.
    ///
    /// # Errors
    /// When `git` cannot be started, or a merge is not done.
    pub fn index(&self) -> Result<Tree, Diagnostic> {
        let listed = self.answer(self.command_on_index(), "ls-files", &["--stage", "-z"])?;
        let listed = listed.ok_or_else(|| Stopped::Ended.report("ls-files", self.bounds))?;
        if listed.iter().filter(|byte| **byte == 0).count() > self.bounds.entries {
            return Err(Stopped::Entries.report("ls-files", self.bounds));
        }
        let batch = Batch::start(&mut self.command_on_index(), self.bounds)?;
        Tree::staged(batch, &listed).ok_or_else(|| Trouble::Unmerged.report(&self.folder))
    }

    /// The files, by their paths in the repository, that the next commit will change; none when it will be the first one.
    ///
    /// # Errors
    /// When `git` cannot be started.
    pub fn staged(&self) -> Result<Option<Vec<String>>, Diagnostic> {
        let Some(head) = self.commit("HEAD")? else { return Ok(None) };
        let arguments = ["--cached", "--name-only", "--no-renames", "--ignore-submodules=none", "-z", &head, "--"];
        let names = self.answer(self.command_on_index(), "diff-index", &arguments)?;
        let names = names.ok_or_else(|| Stopped::Ended.report("diff-index", self.bounds))?;
        if names.last().is_some_and(|byte| *byte != 0) {
            return Err(Stopped::Garbage.report("diff-index", self.bounds));
        }
        let names = names.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        Ok(Some(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect()))
    }

    /// What `git` answers; none when it says no.
    fn ask(&self, what: &'static str, arguments: &[&str]) -> Result<Option<String>, Diagnostic> {
        let answer = self.answer(self.command(), what, arguments)?;
        Ok(answer.map(|answer| String::from_utf8_lossy(&answer).into_owned()))
    }

    fn answer(&self, mut command: Command, what: &'static str, arguments: &[&str]) -> Result<Option<Vec<u8>>, Diagnostic> {
        child::ask(command.arg(what).args(arguments), what, self.bounds)
    }

    /// A command that reads the index: `git commit` with `-a` or with paths makes one of its own for its hooks.
    fn command_on_index(&self) -> Command {
        let mut command = self.command();
        command.envs(index().map(|path| ("GIT_INDEX_FILE", path)));
        command
    }

    fn command(&self) -> Command {
        let mut command = self.git.command();
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
        for (option, path) in [("--git-dir=", &self.checkout.dir), ("--work-tree=", &self.checkout.top)] {
            let mut argument = OsString::from(option);
            argument.push(path);
            command.arg(argument);
        }
        for setting in ["core.hooksPath=/dev/null", "core.fsmonitor=false", "safe.directory=*"] {
            command.args(["-c", setting]);
        }
        command
    }
}

/// The full name of an object, if that is what Git has answered.
fn named(answer: &str) -> Option<String> {
    let name = answer.trim();
    let full = matches!(name.len(), 40 | 64) && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    full.then(|| name.to_owned())
}
