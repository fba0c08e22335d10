//! The READMEs' walk-throughs are run: what a README prints is what its commands say.
//!
//! After `<!-- tests/readme.rs: FOLDER -->` and up to the next heading, blocks are taken in order, in a repository whose one commit is
//! a copy of that folder: a ` ```diff ` block is applied, and the commands of a ` ```console ` block are run. `NETLOOM_BLESS=1` writes
//! what they print, both streams as a terminal shows them.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test that cannot read its examples has failed")]

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Command;

use repository::Repository;

mod repository;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn the_readme() {
    walk("README.md", 3, 0);
}

#[test]
fn the_readme_of_the_example_platform() {
    walk("examples/platform/README.md", 14, 4);
}

/// Compares a README with what its commands print. It must have so many commands and edits at least.
fn walk(readme: &str, commands: usize, edits: usize) {
    let path = Path::new(ROOT).join(readme);
    let text = fs::read_to_string(&path).unwrap();
    let (mut actual, mut rest, mut found) = (String::new(), text.as_str(), (0, 0));
    while let Some(at) = rest.find("<!-- tests/readme.rs: ") {
        let end = rest[at..].find("\n## ").map_or(rest.len(), |length| at + length);
        let section = &rest[at..end];
        let folder = section.split_whitespace().nth(2).unwrap();
        actual += &rest[..at];
        actual += &told(section, &Repository::of(folder, readme), &mut found);
        rest = &rest[end..];
    }
    actual += rest;
    assert!(found.0 >= commands && found.1 >= edits, "{readme}: {found:?} commands and edits");
    if std::env::var_os("NETLOOM_BLESS").is_some() {
        fs::write(&path, actual).unwrap();
    } else {
        assert_eq!(text, actual, "{readme}");
    }
}

/// A section with what its commands print.
fn told(section: &str, repository: &Repository, (commands, edits): &mut (usize, usize)) -> String {
    let mut out = String::new();
    for (number, part) in section.split("```").enumerate() {
        match (number % 2, part.split_once('\n')) {
            (1, Some(("console", block))) => {
                out += "```console\n";
                for command in block.lines().filter_map(|line| line.strip_prefix("$ ")) {
                    out += &format!("$ {command}\n{}", repository.say(command));
                    *commands += 1;
                }
                out += "```";
            }
            (1, Some((language, block))) => {
                out += &format!("```{part}```");
                if language == "diff" {
                    repository.patch(block);
                    *edits += 1;
                }
            }
            _ => out += part,
        }
    }
    out
}

impl Repository {
    /// One whose only content is an example's, as it is committed.
    fn of(folder: &str, readme: &str) -> Self {
        let repository = Self::new(&format!("readme-{}", readme.replace('/', "-")));
        let from = Path::new(ROOT).join(folder);
        for entry in walkdir::WalkDir::new(&from).into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file()) {
            let to = repository.0.join(entry.path().strip_prefix(&from).unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(entry.path(), to).unwrap();
        }
        repository.commit("as it is");
        repository
    }

    /// What a command prints, the commit's number left out.
    fn say(&self, command: &str) -> String {
        let mut words = command.split_whitespace();
        assert_eq!(words.next(), Some("netloom"), "{command}");
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut netloom = Command::new(env!("CARGO_BIN_EXE_netloom"));
        netloom.args(words).current_dir(&self.0).env_remove("GITHUB_BASE_REF");
        let mut child = netloom.stdout(writer.try_clone().unwrap()).stderr(writer).spawn().unwrap();
        drop(netloom);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        let status = child.wait().unwrap();
        assert!(status.code().is_some_and(|code| code < 2), "{command}: {text}");
        text.replace(&self.git(&["rev-parse", "--short=10", "HEAD"]), "8f3ac1d207")
    }

    /// Makes an edit: a line `--- FILE`, then lines of it, those to go behind `-` and those to come behind `+`.
    fn patch(&self, edit: &str) {
        let (head, lines) = edit.split_once('\n').unwrap();
        let path = self.0.join(head.strip_prefix("--- ").unwrap());
        let side = |gone: char| -> String {
            lines.split_inclusive('\n').filter(|line| !line.starts_with(gone)).map(|line| &line[1..]).collect()
        };
        let (old, new) = (side('+'), side('-'));
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(&old).count(), 1, "{head}: {old}");
        fs::write(&path, text.replace(&old, &new)).unwrap();
    }
}
