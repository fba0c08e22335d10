//! Writing the few files that people own afterwards: a new project, imported declarations, schemas for editors.
//!
//! Rendered output is written by `emit`, which keeps a record of it; these files have none.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustix::io::Errno;

use crate::paths::named::Made;
use crate::paths::{Disk, Failure, Folder, Kind, Mode, Result as Done, cause};
use crate::sandbox;
use findings::{Diagnostic, Rule, rules};
use tree::Span;

/// What happens to a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It is kept, and nothing is written.
    Keep,
    /// It is replaced.
    Replace,
}

/// Why nothing was written.
#[derive(Debug)]
pub enum Refused {
    /// These files are there already.
    Exist(Vec<String>),
    /// The system refused.
    Failed(Diagnostic),
}

impl Refused {
    /// This as a finding under a rule of its own for files that are there.
    pub fn finding(self, exists: &'static Rule) -> Diagnostic {
        match self {
            Refused::Failed(finding) => finding,
            Refused::Exist(paths) => {
                let names: Vec<_> = paths.iter().map(|path| format!("`{path}`")).collect();
                Diagnostic::new(exists, Span::NONE, format!("{} there already", are(&names)))
            }
        }
    }
}

fn are(names: &[String]) -> String {
    format!("{} {}", names.join(", "), if names.len() == 1 { "is" } else { "are" })
}

/// Writes texts to paths below `folder`, all of them or none; folders are made as needed, and none of them may be a link.
pub fn write(folder: &Path, files: &[(String, String)], existing: Existing) -> Result<(), Refused> {
    let made = open(folder).map_err(Refused::Failed)?;
    let root = Arc::clone(&made.folder);
    if existing == Existing::Keep {
        let taken: Vec<_> = files.iter().map(|(path, _)| path).filter(|path| root.has(path.as_bytes())).cloned().collect();
        if !taken.is_empty() {
            return Err(Refused::Exist(taken));
        }
    }
    let mut work = Work { root, made: Vec::new(), staged: Vec::new() };
    work.stage(files).and_then(|()| work.place(existing)).map_err(|failure| {
        work.clear();
        made.undo();
        Refused::Failed(unwritable(folder, &failure))
    })
}

/// Makes a folder that stays empty, with those above it.
pub fn folder(path: &Path) -> Result<(), Diagnostic> {
    open(path).map(drop)
}

/// Opens a folder that the user named, made where it is missing.
fn open(folder: &Path) -> Result<Made, Diagnostic> {
    Made::ensure(folder).map_err(|error| {
        let message = format!("the folder `{}` cannot be made: {}", folder.display(), cause(&error));
        Diagnostic::new(&rules::FILE_UNWRITABLE, Span::NONE, message)
    })
}

fn unwritable(folder: &Path, failure: &Failure) -> Diagnostic {
    let cause = match failure.error {
        Errno::LOOP | Errno::NOTDIR => "a link or a file stands where a folder must be".to_owned(),
        error => cause(&error.into()),
    };
    let message = format!("`{}` cannot be written: {cause}", folder.join(&failure.path).display());
    Diagnostic::new(&rules::FILE_UNWRITABLE, Span::NONE, message)
}

/// Files on their way to their places.
struct Work {
    root: Arc<Folder>,
    /// Folders that were made, outermost first.
    made: Vec<String>,
    /// Files that are written whole beside their places: the path that they have, and the path that they shall have.
    staged: Vec<(String, String)>,
}

impl Work {
    /// Does something with a path. What stands directly in the folder is the broker's: beside it stands `.git`.
    fn at<T: Send + 'static>(&self, path: &str, act: impl FnOnce(&Folder) -> Done<T> + Send + 'static) -> Done<T> {
        if path.contains('/') {
            return act(&self.root);
        }
        let (root, path) = (Arc::clone(&self.root), path.to_owned());
        let failed =
            |error: &io::Error| Failure { doing: "write", path, error: Errno::from_io_error(error).unwrap_or(Errno::IO) };
        sandbox::apart(move || Ok(act(&root))).map_err(|error| failed(&error))?
    }

    /// Writes every file whole beside its place.
    fn stage(&mut self, files: &[(String, String)]) -> Done<()> {
        for (path, text) in files {
            for (end, _) in path.match_indices('/') {
                let above = path.get(..end).unwrap_or_default().to_owned();
                match self.root.kind(above.as_bytes())? {
                    Some(Kind::Folder) => {}
                    Some(_) => return Err(self.root.fail("open", above.as_bytes())(Errno::NOTDIR)),
                    None => {
                        Disk::default().make_closed(&self.root, above.as_bytes(), Mode::empty())?;
                        self.made.push(above);
                    }
                }
            }
            let name = path.rsplit('/').next().unwrap_or(path);
            let above = path.strip_suffix(name).unwrap_or_default();
            let staged = format!("{above}.{name}.netloom-new");
            self.staged.push((staged.clone(), path.clone()));
            let (text, like) = (text.clone(), path.clone());
            self.at(path, move |root| create(root, staged.as_bytes(), &text, like.as_bytes()))?;
        }
        Ok(())
    }

    /// Gives every file its place; one that is to be kept is not replaced, also when it came in this moment.
    fn place(&mut self, existing: Existing) -> Done<()> {
        for (at, (staged, path)) in self.staged.iter().enumerate() {
            let (from, to) = (staged.clone(), path.clone());
            let placed = self.at(path, move |root| put(root, from.as_bytes(), to.as_bytes(), existing));
            if placed.is_err() && existing == Existing::Keep {
                self.staged.iter().take(at).for_each(|(_, path)| self.remove(path));
            }
            placed?;
        }
        self.clear();
        Ok(())
    }

    fn remove(&self, path: &str) {
        let name = path.to_owned();
        _ = self.at(path, move |root| Disk::default().remove(root, name.as_bytes()));
    }

    /// Removes what is staged, and folders that were made and hold nothing.
    fn clear(&self) {
        self.staged.iter().for_each(|(staged, _)| self.remove(staged));
        self.made.iter().rev().for_each(|made| _ = Disk::default().remove_folder(&self.root, made.as_bytes()));
    }
}

/// Makes a file, in place of one that an interrupted run has left, with the permissions of the one that it will replace.
fn create(root: &Folder, path: &[u8], text: &str, like: &[u8]) -> Done<()> {
    let disk = Disk::default();
    if root.has(path) {
        disk.remove(root, path)?;
    }
    let file = disk.create(root, path, text.as_bytes())?;
    if root.kind(like)? == Some(Kind::File)
        && let Some(mode) = root.mode(like)?
    {
        // What everybody may write is nobody's wish.
        rustix::fs::fchmod(&file, mode & Mode::from_raw_mode(0o755)).map_err(root.fail("write", path))?;
    }
    file.sync_all().map_err(|error| root.fail("write", path)(Errno::from_io_error(&error).unwrap_or(Errno::IO)))
}

/// Gives a staged file its place.
fn put(root: &Folder, staged: &[u8], path: &[u8], existing: Existing) -> Done<()> {
    let disk = Disk::default();
    match existing {
        Existing::Replace => disk.rename((root, staged), (root, path)),
        Existing::Keep => disk.link((root, staged), (root, path)).or_else(|failure| match failure.error {
            Errno::EXIST => Err(failure),
            // No hard links here.
            _ => disk.rename((root, staged), (root, path)),
        }),
    }
}

/// Tells of paths below a folder whether they are links, or lead through one.
pub fn linked(folder: &Path) -> impl Fn(&str) -> bool {
    let folder = Folder::root(folder).ok();
    move |path: &str| folder.as_ref().is_some_and(|own| own.reader(path.as_bytes()).is_err_and(|error| error == Errno::LOOP))
}

#[cfg(test)]
mod tests {
    use super::*;
    use testing::Scratch;

    fn new(paths: &[&str]) -> Vec<(String, String)> {
        paths.iter().map(|path| ((*path).to_owned(), format!("{path}\n"))).collect()
    }

    #[test]
    fn all_files_or_none_are_written() {
        let folder = Scratch::new();
        folder.write("b/c", "mine");
        let refused = write(folder.path(), &new(&["a", "b/c"]), Existing::Keep).unwrap_err();
        assert!(matches!(&refused, Refused::Exist(paths) if paths == &["b/c"]));
        let refused = write(folder.path(), &new(&["a", "new/a", "b/c/d"]), Existing::Keep).unwrap_err();
        let finding = refused.finding(&rules::INIT_EXISTS);
        assert!(
            finding.message.ends_with("b/c` cannot be written: a link or a file stands where a folder must be"),
            "{}",
            finding.message
        );
        assert_eq!(folder.tree("").into_iter().collect::<Vec<_>>(), [("b/c".to_owned(), "mine".to_owned())]);
        assert!(!folder.at("new").exists());
    }

    #[test]
    fn a_file_is_replaced_on_request() {
        let folder = Scratch::new();
        folder.write("a", "old");
        write(folder.path(), &new(&["a"]), Existing::Replace).unwrap();
        assert_eq!(folder.tree("").into_iter().collect::<Vec<_>>(), [("a".to_owned(), "a\n".to_owned())]);
    }

    #[test]
    fn nothing_is_written_through_links() {
        let folder = Scratch::new();
        folder.write("elsewhere/x", "theirs");
        folder.link("declarations", "elsewhere");
        folder.link("x", "elsewhere/x");
        folder.link(".x.netloom-new", "elsewhere/x");
        folder.link("deep/er", "../elsewhere");
        assert!(write(folder.path(), &new(&["declarations/a"]), Existing::Replace).is_err());
        assert!(write(folder.path(), &new(&["deep/er/a"]), Existing::Replace).is_err());
        assert!(matches!(write(folder.path(), &new(&["x"]), Existing::Keep), Err(Refused::Exist(_))));
        write(folder.path(), &new(&["x"]), Existing::Replace).unwrap();
        assert_eq!(folder.read("elsewhere/x"), "theirs");
        assert_eq!(folder.tree("").into_keys().collect::<Vec<_>>(), ["declarations", "deep/er", "elsewhere/x", "x"]);
    }
}
