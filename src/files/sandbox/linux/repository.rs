//! What git reads of the repository that a project lies in, as far as one file of it names another.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::files;

/// Files and folders that one repository may lead to.
const PLACES: usize = 256;

/// The folders and files that git reads for the project in `folder`, by their real paths.
pub(super) fn places(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = Found::default();
    let Ok(folder) = folder.canonicalize() else { return found.0 };
    if let Some(own) = folder.ancestors().find_map(|ancestor| found.repository(&ancestor.join(".git"))) {
        found.folder(&own);
        found.config(&own.join("config.worktree"));
        // A worktree has an index of its own and shares the rest.
        let shared = files::text(&own.join("commondir")).map_or(own.clone(), |shared| own.join(shared.trim_end()));
        found.folder(&shared);
        found.config(&shared.join("config"));
        found.objects(&shared.join("objects"));
    }
    found.0
}

/// What was found.
#[derive(Default)]
struct Found(BTreeSet<PathBuf>);

impl Found {
    /// Adds a place that was not found yet, by its real path; so no circle matters.
    fn add(&mut self, place: &Path) -> Option<PathBuf> {
        let real = place.canonicalize().ok()?;
        (self.0.len() < PLACES && self.0.insert(real.clone())).then_some(real)
    }

    /// The repository's folder, for which `.git` may also be a file that names it.
    fn repository(&mut self, git: &Path) -> Option<PathBuf> {
        if git.join("HEAD").symlink_metadata().is_ok() {
            return Some(git.to_owned());
        }
        let folder = git.with_file_name(files::text(git)?.strip_prefix("gitdir:")?.trim());
        self.add(git);
        Some(folder)
    }

    /// A folder, and what links in it lead to: some tools share a repository's parts that way.
    fn folder(&mut self, folder: &Path) {
        let Some(folder) = self.add(folder) else { return };
        let entries = folder.read_dir().into_iter().flatten().filter_map(Result::ok);
        for link in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_symlink())) {
            self.add(&link.path());
        }
    }

    /// The folders of objects that some are borrowed from.
    fn objects(&mut self, objects: &Path) {
        let borrowed = files::text(&objects.join("info/alternates")).unwrap_or_default();
        for other in borrowed.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(other) = self.add(&objects.join(other.trim_matches('"'))) {
                self.objects(&other);
            }
        }
    }

    /// The files that a file of settings includes.
    fn config(&mut self, config: &Path) {
        let text = files::text(config).unwrap_or_default();
        let mut including = false;
        for mut line in text.lines().map(str::trim) {
            if let Some((section, rest)) = line.strip_prefix('[').and_then(|line| line.rsplit_once(']')) {
                including = section.to_ascii_lowercase().starts_with("include");
                line = rest;
            }
            let Some((key, value)) = line.split_once('=').filter(|_| including) else { continue };
            if key.trim().eq_ignore_ascii_case("path")
                && let Some(included) = self.add(&config.with_file_name(plain(value.trim())))
            {
                self.config(&included);
            }
        }
    }
}

/// A value without its quotes, or without the comment behind it.
fn plain(value: &str) -> &str {
    let end = if value.starts_with('"') { ['"', '"'] } else { ['#', ';'] };
    value.trim_start_matches('"').split(end).next().unwrap_or_default().trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use testing::Scratch;

    fn found(scratch: &Scratch, project: &str) -> Vec<String> {
        let root = scratch.path().canonicalize().unwrap();
        let clean = |place: &PathBuf| place.strip_prefix(&root).unwrap().display().to_string();
        places(&scratch.at(project)).iter().map(clean).collect()
    }

    #[test]
    fn a_clone_is_its_folder() {
        let clone = Scratch::new();
        clone.write(".git/HEAD", "ref: refs/heads/main\n");
        clone.write("sub/netloom.yaml", "");
        assert_eq!(found(&clone, "sub"), [".git"]);
        assert_eq!(found(&clone, "nowhere"), [""; 0]);
    }

    #[test]
    fn a_worktree_names_its_repository() {
        let clone = Scratch::new();
        clone.write("main/.git/HEAD", "");
        clone.write("main/.git/worktrees/a/HEAD", "");
        clone.write("main/.git/worktrees/a/commondir", "../..\n");
        clone.write("a/.git", "gitdir: ../main/.git/worktrees/a\n");
        assert_eq!(found(&clone, "a"), ["a/.git", "main/.git", "main/.git/worktrees/a"]);
    }

    #[test]
    fn parts_may_stand_elsewhere() {
        let clone = Scratch::new();
        clone.write(".git/HEAD", "");
        clone.write(".git/objects/info/alternates", "../../other/objects\n\n# ../../refs\n../../nowhere\n");
        clone.write("other/objects/info/alternates", "../../.git/objects\n");
        clone.write("refs/heads", "");
        clone.link(".git/refs", "../refs");
        assert_eq!(found(&clone, "."), [".git", ".git/objects", "other/objects", "refs"]);
    }

    #[test]
    fn settings_may_be_included() {
        let clone = Scratch::new();
        clone.write(".git/HEAD", "");
        let quoted = "[includeIf \"gitdir:/a]/\"] path = \"../a # b\" # no\n";
        clone.write(".git/config", format!("[core]\npath = x\n{quoted}[INCLUDE]\n\tPath = b ; no\n\tpaths = x\n"));
        for name in [".git/x", ".git/b", "c"] {
            clone.write(name, "");
        }
        clone.write("a # b", "[include]\npath=.git/config\npath=c\npath=~/d\npath\n");
        assert_eq!(found(&clone, "."), [".git", ".git/b", ".git/config", "a # b", "c"]);
    }
}
