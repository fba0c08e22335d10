//! A Git repository of its own, gone afterwards.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// The repository's folder.
pub(crate) struct Repository(pub(crate) PathBuf);

impl Repository {
    /// An empty one, with one commit on `main`.
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
}

impl Drop for Repository {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}
