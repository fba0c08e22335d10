//! Which `git` netloom runs, and what it says when that is none.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files are laid out here; what cannot be set up has failed")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Output};

use repository::{Repository, code};

mod repository;

const PROJECT: &str = "apiVersion: netloom.dev/v1alpha1\nkind: Project\nmetadata: {name: fleet}\n";

/// A project in a repository whose branch brings along a `git` at each of some places, which leaves a mark when it runs.
fn hostile(name: &str) -> Repository {
    let repository = Repository::new(name);
    repository.write("project/netloom.yaml", PROJECT);
    fs::create_dir_all(repository.0.join("project/declarations")).unwrap();
    let script = format!("#!/bin/sh\ntouch {}\nexec /usr/bin/git \"$@\"\n", repository.0.join("ran").display());
    for path in ["git", "bin/git", "project/git", "project/.netloom-bin/bin/git"] {
        repository.write(path, &script);
        fs::set_permissions(repository.0.join(path), Permissions::from_mode(0o755)).unwrap();
    }
    repository.commit("one");
    repository
}

fn netloom(repository: &Repository, path: &str, arguments: &[&str]) -> Output {
    let path = path.replace('@', repository.0.to_str().unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_netloom"));
    command.args(arguments).current_dir(repository.0.join("project")).env_clear().env("PATH", path).output().unwrap()
}

#[test]
fn no_git_of_the_branch_runs() {
    let repository = hostile("hostile-git");
    let commands: [&[&str]; 4] = [&["diff", "--base", "HEAD"], &["check", "--staged"], &["check", "--base", "HEAD"], &["diff"]];
    let own = ".:bin:../bin:@:@/bin:@/project:@/project/.netloom-bin/bin";
    for arguments in commands {
        let output = netloom(&repository, &format!("{own}::/usr/bin:/bin"), arguments);
        assert_eq!(code(&output), 0, "{arguments:?}: {}", repository.tell(&output));
        let output = netloom(&repository, own, arguments);
        let text = repository.tell(&output);
        assert_eq!(code(&output), 2, "{arguments:?}: {text}");
        let found = "there is no `git` on the PATH; folders in the repository and relative ones are passed over";
        let help = "install Git, or put its folder on the PATH by its absolute path";
        assert!(text.contains(found) && text.contains(help), "{arguments:?}: {text}");
    }
    assert!(!repository.0.join("ran").exists(), "a program of the branch ran");
}

#[test]
fn a_link_leads_to_the_git_that_runs() {
    let repository = hostile("linked-git");
    let tools = repository.0.with_extension("tools");
    fs::create_dir_all(&tools).unwrap();
    symlink("/usr/bin/git", tools.join("git")).unwrap();
    let output = netloom(&repository, tools.to_str().unwrap(), &["diff", "--base", "HEAD"]);
    fs::remove_file(tools.join("git")).unwrap();
    symlink(repository.0.join("bin/git"), tools.join("git")).unwrap();
    let inward = netloom(&repository, tools.to_str().unwrap(), &["diff", "--base", "HEAD"]);
    fs::remove_dir_all(&tools).unwrap();
    assert_eq!((code(&output), code(&inward)), (0, 2), "{}", repository.tell(&inward));
    assert!(!repository.0.join("ran").exists(), "a program of the branch ran");
}

#[test]
fn what_needs_no_git_asks_for_none() {
    let repository = hostile("no-git");
    for arguments in [&["render"] as &[&str], &["check"], &["fmt", "--check"], &["graph", "--help"]] {
        for path in ["", ".", "@/bin"] {
            let output = netloom(&repository, path, arguments);
            assert_eq!(code(&output), 0, "{arguments:?}: {}", repository.tell(&output));
        }
    }
    assert!(!repository.0.join("ran").exists(), "a program of the branch ran");
}
