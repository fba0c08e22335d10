//! Which `git` is run: a program that no branch has brought along.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::message::not_found;
use crate::paths::named;
use findings::Diagnostic;

/// Where programs are looked for when there is no PATH, as by the C library.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// The `git` that is run, and the PATH that it gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executable {
    /// Its absolute path, without links.
    pub path: PathBuf,
    /// The folders of netloom's own PATH, without those that are relative or lie in the repository.
    pub search: OsString,
}

impl Executable {
    /// A command that sees this PATH, and nothing else of netloom's environment.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.env_clear().env("PATH", &self.search);
        command
    }
}

/// The first `git` on the PATH that lies outside of the project in `folder` and of every repository around it.
///
/// # Errors
/// When there is none.
pub fn executable(folder: &Path) -> Result<Executable, Diagnostic> {
    find(folder, env::var_os("PATH").as_deref().unwrap_or(OsStr::new(DEFAULT_PATH)))
}

fn find(folder: &Path, path: &OsStr) -> Result<Executable, Diagnostic> {
    let untrusted = untrusted(folder);
    let outside = |path: &Path| named::real(path).ok().filter(|real| !real.starts_with(&untrusted));
    let folders: Vec<PathBuf> = env::split_paths(path).filter(|entry| entry.is_absolute() && outside(entry).is_some()).collect();
    let found = folders.iter().find_map(|folder| outside(&folder.join("git")).filter(|real| named::is_program(real)));
    // None of them has the separator in it: they come from splitting at it.
    let search = env::join_paths(&folders).unwrap_or_default();
    found.map(|path| Executable { path, search }).ok_or_else(not_found)
}

/// The folder whose files a branch may bring along: that of the outermost repository around the project, or the project's own.
fn untrusted(folder: &Path) -> PathBuf {
    let folder = named::real(folder).unwrap_or_else(|_| folder.to_path_buf());
    let outermost = folder.ancestors().filter(|ancestor| named::has(ancestor, ".git")).last();
    outermost.unwrap_or(&folder).to_path_buf()
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)] // tests lay out their own files
mod tests {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use testing::Scratch;

    /// A scratch folder with programs in it, and a repository `work` with the project `work/project`.
    fn scratch(programs: &[&str]) -> Scratch {
        let scratch = Scratch::new();
        scratch.write("work/.git/HEAD", "");
        scratch.write("work/project/netloom.yaml", "");
        for program in programs {
            scratch.program(program, "#!/bin/sh\n");
        }
        scratch
    }

    /// Which `git` is found, and with which PATH; `@` is the scratch folder.
    fn found(scratch: &Scratch, path: &str) -> Option<(String, String)> {
        let root = scratch.path().canonicalize().unwrap();
        let root = root.to_str().unwrap();
        let found = find(&scratch.at("work/project"), OsStr::new(&path.replace('@', root))).ok()?;
        let show = |text: &OsStr| text.to_str().unwrap().replace(root, "@");
        Some((show(found.path.as_os_str()), show(&found.search)))
    }

    #[test]
    fn a_git_of_the_branch_is_none() {
        let programs = ["git", "bin/git", "work/git", "work/bin/git", "work/project/git", "work/project/.netloom-bin/bin/git"];
        let scratch = scratch(&programs);
        let bin = |search: &str| Some(("@/bin/git".to_owned(), search.to_owned()));
        assert_eq!(found(&scratch, "@/bin"), bin("@/bin"));
        for first in
            ["", ".", "bin", "./bin", "..", "work", "@/work", "@/work/bin", "@/work/project", "@/work/../work/bin", "@/gone"]
        {
            assert_eq!(found(&scratch, &format!("{first}:@/bin")), bin("@/bin"), "{first}");
        }
        for path in ["", ":", ".", "@/work:@/work/project/.netloom-bin/bin", "@/gone", "relative:@/work/bin"] {
            assert_eq!(found(&scratch, path), None, "{path}");
        }
    }

    #[test]
    fn a_link_is_what_it_leads_to() {
        let scratch = scratch(&["real/git-2", "bin/git", "work/bin/git"]);
        scratch.link("linked/git", "../real/git-2");
        scratch.link("inward/git", "../work/bin/git");
        scratch.link("inner", "work/bin");
        scratch.link("work/outer", "../bin");
        scratch.link("work/one/git", "../../real/git-2");
        scratch.link("circle/git", "git");
        let git = |path: &str, search: &str| Some((path.to_owned(), search.to_owned()));
        assert_eq!(found(&scratch, "@/linked"), git("@/real/git-2", "@/linked"));
        assert_eq!(found(&scratch, "@/inward:@/bin"), git("@/bin/git", "@/inward:@/bin"));
        assert_eq!(found(&scratch, "@/inner:@/bin"), git("@/bin/git", "@/bin"));
        assert_eq!(found(&scratch, "@/work/outer"), git("@/bin/git", "@/work/outer"));
        assert_eq!(found(&scratch, "@/work/one:@/circle"), None);
    }

    #[test]
    fn what_cannot_be_run_is_passed_over() {
        let scratch = scratch(&["bin/git", "plain/git"]);
        set_permissions(scratch.at("plain/git"), Permissions::from_mode(0o644)).unwrap();
        scratch.write("folder/git/x", "");
        assert_eq!(found(&scratch, "@/plain:@/folder:@/bin").unwrap().0, "@/bin/git");
        assert_eq!(found(&scratch, "@/plain:@/folder"), None);
    }

    #[test]
    fn every_repository_around_a_project_is_a_branchs() {
        let scratch = scratch(&["bin/git", "work/bin/git", "work/project/sub/bin/git"]);
        scratch.write("work/project/.git", "gitdir: ../.git/modules/project\n");
        assert_eq!(found(&scratch, "@/work/bin:@/bin").unwrap().0, "@/bin/git");
        std::fs::remove_dir_all(scratch.at("work/.git")).unwrap();
        assert_eq!(found(&scratch, "@/work/project/sub/bin:@/work/bin:@/bin").unwrap().0, "@/work/bin/git");
    }
}
