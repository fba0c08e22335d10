//! A repository with a history of commits, each one kind of change: what `netloom diff` and `netloom check --max-class` say of each.
//!
//! A case below `tests/cases/diff/` is one commit, in the order of the names:
//! ```text
//! # What the commit does.
//! -- declarations/a.yaml --             a file it writes
//! -- declarations/b.yaml (edit) --      texts it replaces in a file: `old => new`, a line each; `=> new` adds a line at the end
//! -- declarations/c.yaml (removed) --
//! -- exit --                            from here on what is expected: of `diff --exit-code` and `check --max-class rolling`,
//!                                       and what the latter finds
//! -- diff --
//! -- markdown --                        what a comment says, if the case asks
//! -- raw --                             the same as plain text, if the case asks
//! -- graph --network a --as dot --      the picture with marks, if the case asks
//! ```
//! `NETLOOM_BLESS=1` rewrites what is expected.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files are laid out here; what cannot be set up has failed")]

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Output;

use repository::{Repository, code};
use similar::TextDiff;

mod repository;
mod sections;

#[test]
fn history() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/diff");
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    names.sort();
    assert!(names.len() >= 20, "{} commits", names.len());
    let bless = std::env::var_os("NETLOOM_BLESS").is_some();
    let repository = Repository::new("history");
    let mut failures = Vec::new();
    for path in names {
        let expected = fs::read_to_string(&path).unwrap();
        let actual = commit(&expected, &repository);
        if actual != expected && bless {
            fs::write(&path, actual).unwrap();
        } else if actual != expected {
            let diff = TextDiff::from_lines(&expected, &actual);
            failures.push(diff.unified_diff().header(&path.to_string_lossy(), "what happened").to_string());
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Makes the commit of a case, and returns the case with what happened.
fn commit(case: &str, repository: &Repository) -> String {
    let (head, sections) = sections::parse(case);
    let mut out = format!("{}\n", head.trim_end());
    for (name, text) in sections.iter().take_while(|(name, _)| *name != "exit") {
        repository.apply(name, text);
        write!(out, "-- {name} --\n{text}").unwrap();
    }
    let wants = |name: &str| sections.iter().any(|(section, _)| *section == name);
    // What does not compile is not rendered; the cases tell.
    repository.netloom(&["render"]);
    let diff = repository.netloom(&["diff", "--base", "HEAD", "--exit-code"]);
    let check = repository.netloom(&["check", "--base", "HEAD", "--max-class", "rolling", "--format", "json"]);
    writeln!(out, "-- exit --\n{} {} {}", code(&diff), code(&check), gate(&check)).unwrap();
    let text = repository.tell(&diff);
    write!(out, "-- diff --\n{text}").unwrap();
    for (section, arguments) in [("markdown", ["--format", "markdown"].as_slice()), ("raw", &["--raw"])] {
        if wants(section) {
            let text = repository.tell(&repository.netloom(&[&["diff", "--base", "HEAD"], arguments].concat()));
            write!(out, "-- {section} --\n{text}").unwrap();
        }
    }
    for (name, _) in sections.iter().filter(|(name, _)| name.starts_with("graph ")) {
        let arguments: Vec<&str> = name.split(' ').chain(["--quiet", "--base", "HEAD"]).collect();
        write!(out, "-- {name} --\n{}", repository.tell(&repository.netloom(&arguments))).unwrap();
    }
    repository.commit(head.lines().next().unwrap_or_default());
    out
}

/// What the gate has to say.
fn gate(check: &Output) -> String {
    let document: serde_json::Value = serde_json::from_slice(&check.stdout).unwrap();
    let findings = document["findings"].as_array().unwrap().iter();
    let stopped: Vec<_> = findings
        .filter(|finding| {
            let code = finding["code"].as_str().unwrap();
            matches!(code, "change-class" | "base-broken") || code.starts_with("acknowledgement-")
        })
        .map(|finding| finding["code"].as_str().unwrap().to_owned())
        .collect();
    if stopped.is_empty() { "nothing".to_owned() } else { stopped.join(" ") }
}

/// A project with one cluster on premises.
fn small(repository: &Repository, networking: &str) {
    let project = "apiVersion: netloom.dev/v1alpha1\nkind: Project\nmetadata: {name: fleet}\n";
    repository.write("netloom.yaml", project);
    let network = "apiVersion: netloom.dev/v1alpha1\nkind: Network\nmetadata: {name: lan}\nspec: {static: {cidr: 10.0.0.0/16}}\n";
    repository.write("declarations/network.yaml", network);
    let head = "apiVersion: netloom.dev/v1alpha1\nkind: Cluster\nmetadata: {name: a}\n";
    let spec = format!("spec: {{network: lan, kubernetesVersion: \"1.33\", networking: {networking}}}\n");
    repository.write("declarations/a.yaml", &format!("{head}{spec}"));
}

#[test]
fn the_base_is_the_merge_base_with_the_default_branch() {
    let repository = Repository::new("base");
    small(&repository, "{kubenet: {}}");
    repository.commit("one");
    repository.git(&["checkout", "-q", "-b", "work"]);
    repository.git(&["checkout", "-q", "main"]);
    small(&repository, "{flannel: {}}");
    repository.commit("main goes on");
    repository.git(&["checkout", "-q", "work"]);
    let text = repository.tell(&repository.netloom(&["diff", "--exit-code"]));
    assert!(text.starts_with("main (merge base [COMMIT]) → working tree\n\nnothing changed\n"), "{text}");
    let changed = repository.netloom(&["diff", "--exit-code", "--base", "main"]);
    assert_eq!(code(&changed), 1);
    assert!(String::from_utf8_lossy(&changed.stdout).contains("networking: flannel → kubenet"));
}

#[test]
fn what_cannot_be_had_is_said_with_what_to_do() {
    let repository = Repository::new("missing");
    small(&repository, "{kubenet: {}}");
    let said = |arguments: &[&str], text: &str| {
        let output = repository.netloom(arguments);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((code(&output), error.contains(text)), (2, true), "{error}");
    };
    said(&["diff", "--base", "--output=x"], "unexpected argument");
    said(&["diff", "--base=--output=x"], "`--output=x` is no revision");
    said(&["diff", "--base=a b"], "`a b` is no revision");
    said(&["diff", "--base", "nowhere"], "there is no commit `nowhere`");
    fs::remove_dir_all(repository.0.join(".git")).unwrap();
    said(&["diff"], "lies in no Git repository");
    repository.git(&["init", "-q", "-b", "main"]);
    said(&["diff"], "there is no commit yet");
}

#[test]
fn a_shallow_clone_says_what_to_fetch() {
    let repository = Repository::new("deep");
    small(&repository, "{kubenet: {}}");
    repository.commit("one");
    repository.git(&["checkout", "-q", "-b", "work"]);
    repository.commit("two");
    repository.git(&["checkout", "-q", "main"]);
    repository.commit("three");
    let clone = Repository::new("shallow");
    let url = format!("file://{}", repository.0.display());
    clone.git(&["fetch", "-q", "--depth=1", &url, "work:refs/heads/work", "main:refs/remotes/origin/main"]);
    clone.git(&["checkout", "-q", "-f", "work"]);
    clone.git(&["branch", "-q", "-D", "main"]);
    let error = String::from_utf8(clone.netloom(&["diff"]).stderr).unwrap();
    assert!(error.contains("the merge base with `origin/main` is not in this clone, which is shallow"), "{error}");
    assert!(error.contains("git fetch --unshallow origin"), "{error}");
    let error = String::from_utf8(clone.netloom(&["diff", "--base", "v1"]).stderr).unwrap();
    assert!(error.contains("git fetch --depth=1 origin v1"), "{error}");
    assert_eq!(code(&clone.netloom(&["diff", "--base", "origin/main"])), 0);
}

/// A link of a commit may lead anywhere inside the project, as it may on the disk, and nowhere else.
#[test]
fn links_of_a_commit_are_confined() {
    let repository = Repository::new("links");
    small(&repository, "{kubenet: {}}");
    fs::rename(repository.0.join("declarations/a.yaml"), repository.0.join("shared.yaml")).unwrap();
    std::os::unix::fs::symlink("../shared.yaml", repository.0.join("declarations/a.yaml")).unwrap();
    repository.commit("inside");
    assert_eq!(code(&repository.netloom(&["diff", "--base", "HEAD", "--exit-code"])), 0);
    std::os::unix::fs::symlink("/etc/passwd", repository.0.join("declarations/b.yaml")).unwrap();
    std::os::unix::fs::symlink("../../c.yaml", repository.0.join("declarations/c.yaml")).unwrap();
    repository.commit("outside");
    fs::remove_file(repository.0.join("declarations/b.yaml")).unwrap();
    fs::remove_file(repository.0.join("declarations/c.yaml")).unwrap();
    let output = repository.netloom(&["diff", "--base", "HEAD"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((code(&output), error.matches("is a symbolic link that leaves the project").count()), (2, 2), "{error}");
}

/// Neither a hook, a filter nor the configuration of the tree runs anything.
#[test]
fn nothing_of_the_repository_is_run() {
    let repository = Repository::new("hostile");
    small(&repository, "{kubenet: {}}");
    let mark = repository.0.join("ran");
    let command = format!("touch {}", mark.display());
    repository.write(".gitattributes", "* filter=evil diff=evil\n");
    repository.commit("attributes");
    for (key, value) in [
        ("filter.evil.smudge", &command),
        ("diff.evil.textconv", &command),
        ("core.fsmonitor", &command),
        ("core.pager", &command),
    ] {
        repository.git(&["config", key, value]);
    }
    small(&repository, "{flannel: {}}");
    assert_eq!(code(&repository.netloom(&["diff", "--exit-code"])), 1);
    assert!(!mark.exists());
}

/// A project below the root of its repository.
#[test]
fn a_project_in_a_folder_of_its_repository() {
    let repository = Repository::new("folder");
    small(&repository, "{kubenet: {}}");
    fs::create_dir_all(repository.0.join("fleet")).unwrap();
    for name in ["netloom.yaml", "declarations"] {
        fs::rename(repository.0.join(name), repository.0.join("fleet").join(name)).unwrap();
    }
    let new = repository.netloom(&["diff", "--project", "fleet", "--base", "HEAD"]);
    assert!(String::from_utf8_lossy(&new.stdout).contains("+ clusters/a"));
    repository.commit("one");
    assert_eq!(code(&repository.netloom(&["diff", "--project", "fleet", "--exit-code"])), 0);
}
