//! A Git repository with a project in it, for tests.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

/// The exit code.
pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// A repository of its own, gone afterwards.
pub(crate) struct Repository(pub(crate) PathBuf);

impl Repository {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("netloom-{name}-{}", std::process::id()));
        _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        let repository = Self(path.canonicalize().unwrap());
        repository.git(&["init", "-q", "-b", "main"]);
        repository.git(&["commit", "-q", "--allow-empty", "-m", "empty"]);
        repository
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=n", "-c", "user.email=n@example.com", "-c", "commit.gpgsign=false"]).args(arguments);
        let dates = [("GIT_AUTHOR_DATE", "2020-01-01T00:00:00Z"), ("GIT_COMMITTER_DATE", "2020-01-01T00:00:00Z")];
        command.current_dir(&self.0).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").envs(dates);
        let output = command.output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let at = self.0.join(path);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::write(at, text).unwrap();
    }

    pub(crate) fn apply(&self, name: &str, text: &str) {
        let path = name.split(" (").next().unwrap();
        let at = self.0.join(path);
        match &name[path.len()..] {
            " (removed)" => fs::remove_file(at).unwrap(),
            " (edit)" => {
                let mut file = fs::read_to_string(&at).unwrap();
                for line in text.lines() {
                    let (old, new) = line.split_once("=>").unwrap_or_else(|| panic!("no edit: {line}"));
                    let (old, new) = (old.trim_end(), new.strip_prefix(' ').unwrap_or(new).replace("\\n", "\n"));
                    assert!(file.contains(old), "{path} has no `{old}`");
                    file = if old.is_empty() { format!("{file}{new}\n") } else { file.replace(old, &new) };
                }
                fs::write(at, file).unwrap();
            }
            _ => self.write(path, text),
        }
    }

    pub(crate) fn netloom(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_netloom")).args(arguments).current_dir(&self.0).env_clear().output().unwrap()
    }

    /// What a command printed, with the base's name in the place of its number.
    pub(crate) fn tell(&self, output: &Output) -> String {
        let text = String::from_utf8([output.stdout.as_slice(), &output.stderr].concat()).unwrap();
        let commit = self.git(&["rev-parse", "HEAD"]);
        let text = text.replace(&commit, "[COMMIT]").replace(&commit[..10], "[COMMIT]");
        let live = |c: char| (c.is_control() && c != '\n' && c != '\t') || netloom::yaml::is_hidden(c);
        assert!(!text.contains(live), "not inert: {text:?}");
        text.replace(&*self.0.to_string_lossy(), "[FOLDER]")
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}
