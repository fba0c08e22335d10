//! A `git` that does not do as it should.
#![allow(clippy::disallowed_methods)] // tests lay out their own files

use std::time::{Duration, Instant};

use super::*;
use findings::inert;
use testing::Scratch;

/// Long enough for a `git` that does as it should on a machine that has much else to do.
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(3), output: 1 << 20, entries: 10 };

/// A repository with a commit of these files, and a `git` that does `instead` where a command of its is `command`.
struct Fake {
    scratch: Scratch,
    real: Executable,
    git: Executable,
}

impl Fake {
    fn new(files: &[(&str, &str)], command: &str, instead: &str) -> Self {
        let scratch = Scratch::new();
        let real = executable(scratch.path()).unwrap();
        scratch.write("work/netloom.yaml", "a: b\n");
        files.iter().for_each(|(path, text)| scratch.write(&format!("work/{path}"), text));
        let fake = Self { git: Executable { path: scratch.at("git"), search: real.search.clone() }, real, scratch };
        fake.run(&["init", "--quiet", "--initial-branch=main"]);
        fake.run(&["add", "--all"]);
        fake.run(&["-c", "user.name=n", "-c", "user.email=e", "commit", "--quiet", "--message=one"]);
        let real = fake.real.path.display();
        let script = format!(
            "#!/bin/sh\nfor word; do\n  case $word in -*|core.*|safe.*|/*) ;; *) break ;; esac\ndone\n\
             if [ \"$word\" = {command} ]; then\n{instead}\nfi\nexec {real} \"$@\"\n"
        );
        fake.scratch.program("git", &script);
        fake
    }

    fn run(&self, arguments: &[&str]) {
        let status = self.real.command().arg("-C").arg(self.scratch.at("work")).args(arguments).status().unwrap();
        assert!(status.success(), "{arguments:?}");
    }

    /// What is said when everything is asked for that a command asks of Git.
    fn said(&self) -> Result<Vec<u8>, Diagnostic> {
        let repository = Repository::with(self.git.clone(), BOUNDS, &self.scratch.at("work"))?;
        let base = repository.base(None)?;
        repository.staged()?;
        let index = repository.index()?;
        let tree = repository.tree(&base.commit)?.unwrap();
        let mut text = Vec::new();
        for tree in [index, tree] {
            for (name, kind) in tree.names(tree.root()).unwrap_or_default() {
                text.extend(format!("{} {kind:?}\n", String::from_utf8_lossy(&name)).into_bytes());
                if let Ok(Some((Kind::File, object))) = tree.entry(tree.root(), &name) {
                    text.extend(tree.file(&object, 1 << 10).unwrap_or_default());
                }
            }
            if let Some(stopped) = tree.stopped() {
                return Err(stopped);
            }
        }
        Ok(text)
    }

    /// The finding, which comes soon.
    fn refused(&self) -> String {
        let began = Instant::now();
        let finding = self.said().map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
        assert_eq!(inert::line(&finding.message), finding.message);
        format!("{}: {}", finding.code, finding.message)
    }
}

const COMMANDS: [&str; 6] = ["rev-parse", "for-each-ref", "merge-base", "diff-index", "ls-files", "cat-file"];

/// What is said of each of Git's commands that does something else.
fn each(instead: &str) -> Vec<String> {
    let refused = |command: &'static str| move || Fake::new(&[], command, instead).refused();
    std::thread::scope(|scope| COMMANDS.map(|command| scope.spawn(refused(command))).map(|said| said.join().unwrap()).to_vec())
}

#[test]
fn what_git_has_is_read() {
    let fake = Fake::new(&[("declarations/a.yaml", "c: d\n")], "nothing", "exit 1");
    let once = "declarations Folder\nnetloom.yaml File\na: b\n";
    assert_eq!(String::from_utf8(fake.said().unwrap()).unwrap(), once.repeat(2));
}

#[test]
fn a_git_that_hangs_is_not_waited_for() {
    for instead in ["exec sleep 99", "exec >&-\nexec sleep 99"] {
        let expected = COMMANDS.map(|command| format!("limit: `git {command}` took more than 3 s"));
        let mut said = each(instead);
        if instead != "exec sleep 99" {
            assert_eq!(said.pop().unwrap(), "base-missing: `git cat-file` ended before it had answered");
        }
        assert_eq!(said, expected[..said.len()]);
    }
}

#[test]
fn a_git_that_floods_is_not_listened_to() {
    let mut said = each("exec yes");
    assert_eq!(said.pop().unwrap(), "base-missing: `git cat-file` gave an answer that makes no sense");
    assert_eq!(
        said,
        COMMANDS[..5]
            .iter()
            .map(|command| format!("limit: `git {command}` gave more than 1 MiB for one question"))
            .collect::<Vec<_>>()
    );
    let large = "read line\necho \"$line tree 99999999\"\nexec cat /dev/zero";
    assert_eq!(Fake::new(&[], "cat-file", large).refused(), "limit: `git cat-file` gave more than 1 MiB for one question");
    let endless = "exec cat /dev/zero";
    assert_eq!(Fake::new(&[], "cat-file", endless).refused(), "base-missing: `git cat-file` gave an answer that makes no sense");
}

#[test]
fn a_git_that_ends_is_told() {
    let said = each("kill -KILL $$");
    assert_eq!(said, COMMANDS.map(|command| format!("base-missing: `git {command}` ended before it had answered")));
    let said = each("exit 3");
    let no_repository = said[0].starts_with("base-missing: `/")
        && said[0].ends_with("lies in no Git repository, so there is nothing to compare with");
    assert!(no_repository, "{said:?}");
    let ended = |command: &&str| format!("base-missing: `git {command}` ended before it had answered");
    assert_eq!(said[1], ended(&"for-each-ref"));
    assert_eq!(said[2], "base-missing: `HEAD` and `main` have no commit in common");
    assert_eq!(said[3..], COMMANDS[3..].iter().map(ended).collect::<Vec<_>>());
    let half = "read line\necho \"$line tree 500\"\necho half\nexit 0";
    assert_eq!(Fake::new(&[], "cat-file", half).refused(), "base-missing: `git cat-file` ended before it had answered");
}

#[test]
fn garbage_is_no_answer() {
    let garbage = "printf '\\0\\033[31m\\377\\r\\n::error::x\\n'";
    let said = each(&format!("{garbage}\nexit 0"));
    for (command, said) in COMMANDS.iter().zip(&said) {
        assert!(said.starts_with("base-missing: "), "{command}: {said}");
    }
    for answer in ["x tree", "x tree -1", "x tree 18446744073709551616", "x tree 1 2", "", "x blob 3"] {
        let instead = format!("while read line; do echo \"{answer}\"; done\nexit 0");
        let said = Fake::new(&[], "cat-file", &instead).said();
        assert!(said.is_err(), "{answer}: {said:?}");
    }
}

#[test]
fn entries_and_files_have_limits() {
    let names: Vec<String> = (0..12).map(|number| format!("declarations/{number}.yaml")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "a: b\n")).collect();
    let many = Fake::new(&files, "nothing", "exit 1");
    assert_eq!(many.refused(), "limit: Git has more than 10 entries in the folders of the project");
    let large = "x".repeat(2 << 20);
    let large = Fake::new(&[("large.yaml", &large)], "nothing", "exit 1");
    assert_eq!(large.refused(), "limit: `git cat-file` gave more than 1 MiB for one question");
}

#[test]
fn what_a_clone_lacks_is_not_deleted() {
    let fake = Fake::new(&[], "cat-file", "while read line; do echo \"$line missing\"; done\nexit 0");
    let repository = Repository::with(fake.git.clone(), BOUNDS, &fake.scratch.at("work")).unwrap();
    let tree = repository.tree(&repository.base(None).unwrap().commit).unwrap().unwrap();
    assert!(tree.is_incomplete() && tree.stopped().is_none());
}

/// A project whose folder a branch has made to look like a repository is read from the one that it lies in.
#[test]
fn a_repository_of_the_branchs_own_is_none() {
    let fake = Fake::new(&[("infra/netloom.yaml", "a: b\n")], "nothing", "exit 1");
    let (scratch, infra) = (&fake.scratch, fake.scratch.at("work/infra"));
    fake.run(&["clone", "--quiet", "--bare", ".", "../bare"]);
    fake.run(&["-c", "user.name=n", "-c", "user.email=e", "commit", "--quiet", "--allow-empty", "--message=two"]);
    for name in ["HEAD", "objects", "refs", "packed-refs"] {
        std::fs::rename(scratch.at(&format!("bare/{name}")), infra.join(name)).unwrap();
    }
    scratch.write("work/infra/refs/heads/.keep", "");
    for config in ["", "[core]\nrepositoryformatversion = 0\nbare = false\nworktree = ..\n", "[core]\nbare = true\n"] {
        scratch.write("work/infra/config", config);
        let repository = Repository::with(fake.git.clone(), BOUNDS, &infra).unwrap();
        assert_eq!(repository.prefix(), "infra/");
        let base = repository.base(None).unwrap();
        let own = fake.real.command().arg("-C").arg(scratch.at("work")).args(["rev-parse", "main"]).output().unwrap();
        assert_eq!(base.commit, String::from_utf8_lossy(&own.stdout).trim(), "{config}");
    }
}

/// A work tree of its own, and a submodule, have their Git folder elsewhere.
#[test]
fn a_git_folder_may_stand_elsewhere() {
    let fake = Fake::new(&[("infra/netloom.yaml", "a: b\n")], "nothing", "exit 1");
    fake.run(&["worktree", "add", "--quiet", "-b", "other", "../tree"]);
    fake.run(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../work", "sub"]);
    for (place, prefix) in [("tree", ""), ("tree/infra", "infra/"), ("work/sub", ""), ("work/sub/infra", "infra/")] {
        let repository = Repository::with(fake.git.clone(), BOUNDS, &fake.scratch.at(place)).unwrap();
        assert_eq!(repository.prefix(), prefix, "{place}");
        assert_eq!(repository.staged().unwrap(), Some(Vec::new()), "{place}");
        assert!(repository.index().unwrap().has("netloom.yaml"), "{place}");
    }
}

/// A branch whose object is gone, or is no commit, is passed over like one that is not there.
#[test]
fn a_default_branch_names_a_commit() {
    let fake = Fake::new(&[], "nothing", "exit 1");
    let blob =
        fake.real.command().arg("-C").arg(fake.scratch.at("work")).args(["rev-parse", "main:netloom.yaml"]).output().unwrap();
    for object in ["1".repeat(40), String::from_utf8_lossy(&blob.stdout).trim().to_owned()] {
        fake.scratch.write("work/.git/refs/remotes/origin/HEAD", format!("{object}\n"));
        let repository = Repository::with(fake.git.clone(), BOUNDS, &fake.scratch.at("work")).unwrap();
        assert_eq!(repository.base(None).unwrap().name, "main", "{object}");
    }
}

/// A submodule is staged like anything else, whatever `.gitmodules` has Git pass over.
#[test]
fn a_staged_submodule_is_no_secret() {
    let fake = Fake::new(&[], "nothing", "exit 1");
    let commit = Repository::with(fake.git.clone(), BOUNDS, &fake.scratch.at("work")).unwrap().base(None).unwrap().commit;
    for ignore in ["all", "dirty", "untracked", "none"] {
        fake.scratch.write("work/.gitmodules", format!("[submodule \"x\"]\n\tpath = evil\n\turl = ./x\n\tignore = {ignore}\n"));
        fake.run(&["add", ".gitmodules"]);
        fake.run(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},evil")]);
        let repository = Repository::with(fake.git.clone(), BOUNDS, &fake.scratch.at("work")).unwrap();
        assert_eq!(repository.staged().unwrap().unwrap(), [".gitmodules", "evil"], "{ignore}");
    }
}
