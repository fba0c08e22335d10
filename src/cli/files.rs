//! Writing the few files that people own afterwards: a new project, imported declarations, schemas for editors.
//!
//! Rendered output is written by `emit`, which keeps a record of it; these files have none.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::diagnostic::{Diagnostic, Rule, rules};
use crate::load::cause;
use crate::sandbox;
use crate::tree::Span;

/// What happens to a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Existing {
    /// It is kept, and nothing is written.
    Keep,
    /// It is replaced.
    Replace,
}

/// Why nothing was written.
#[derive(Debug)]
pub(super) enum Refused {
    /// These files are there already.
    Exist(Vec<String>),
    /// The system refused.
    Failed(Diagnostic),
}

impl Refused {
    /// This as a finding under a rule of its own for files that are there.
    pub(super) fn finding(self, exists: &'static Rule) -> Diagnostic {
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

/// Writes texts to paths below `folder`, all of them or none; folders are made as needed.
pub(super) fn write(folder: &Path, files: &[(String, String)], existing: Existing) -> Result<(), Refused> {
    if existing == Existing::Keep {
        let taken = files.iter().filter(|(path, _)| folder.join(path).symlink_metadata().is_ok());
        let taken: Vec<_> = taken.map(|(path, _)| path.clone()).collect();
        if !taken.is_empty() {
            return Err(Refused::Exist(taken));
        }
    }
    let mut made: Vec<&str> = Vec::new();
    for (path, text) in files {
        let written = parent(folder, path).and_then(|()| place(folder, path, text, existing));
        if let Err(error) = written {
            made.iter().for_each(|path| _ = remove(folder, path));
            let message = format!("`{}` cannot be written: {}", folder.join(path).display(), cause(&error));
            return Err(Refused::Failed(Diagnostic::new(&rules::FILE_UNWRITABLE, Span::NONE, message)));
        }
        if existing == Existing::Keep {
            made.push(path);
        }
    }
    Ok(())
}

/// Makes a folder that stays empty.
pub(super) fn folder(path: &Path) -> Result<(), Diagnostic> {
    fs::create_dir_all(path).map_err(|error| {
        let message = format!("the folder `{}` cannot be made: {}", path.display(), cause(&error));
        Diagnostic::new(&rules::FILE_UNWRITABLE, Span::NONE, message)
    })
}

/// Makes the folders between `folder` and a file below it; none of them may be a link, which could lead anywhere.
fn parent(folder: &Path, path: &str) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut here = folder.to_owned();
    let Some((parents, _)) = path.rsplit_once('/') else { return Ok(()) };
    for part in parents.split('/') {
        here.push(part);
        match here.symlink_metadata() {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(io::Error::other(format!("`{part}` is no folder"))),
            Err(_) => fs::create_dir(&here)?,
        }
    }
    Ok(())
}

/// Writes a file below `folder`. What stands directly in the folder has the broker write it: beside it stands `.git`.
fn place(folder: &Path, path: &str, text: &str, existing: Existing) -> io::Result<()> {
    let at = folder.join(path);
    if path.contains('/') {
        return put(&at, text, existing);
    }
    let text = text.to_owned();
    sandbox::apart(move || put(&at, &text, existing))
}

/// Removes a file that was written so.
fn remove(folder: &Path, path: &str) -> io::Result<()> {
    let at = folder.join(path);
    if path.contains('/') { fs::remove_file(at) } else { sandbox::apart(move || fs::remove_file(at)) }
}

/// Writes one file, whole or not at all.
fn put(path: &Path, text: &str, existing: Existing) -> io::Result<()> {
    if existing == Existing::Keep {
        return fill(path, text);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let staged = path.with_file_name(format!(".{name}.netloom-new"));
    _ = fs::remove_file(&staged);
    fill(&staged, text)?;
    fs::rename(&staged, path).inspect_err(|_| _ = fs::remove_file(&staged))
}

/// Makes a file that is not there yet.
fn fill(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).open(path)?;
    let filled = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    filled.inspect_err(|_| _ = fs::remove_file(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    fn new(paths: &[&str]) -> Vec<(String, String)> {
        paths.iter().map(|path| ((*path).to_owned(), format!("{path}\n"))).collect()
    }

    #[test]
    fn all_files_or_none_are_written() {
        let folder = Scratch::new();
        folder.write("b/c", "mine");
        let refused = write(folder.path(), &new(&["a", "b/c"]), Existing::Keep).unwrap_err();
        assert!(matches!(&refused, Refused::Exist(paths) if paths == &["b/c"]));
        let refused = write(folder.path(), &new(&["a", "b/c/d"]), Existing::Keep).unwrap_err();
        let finding = refused.finding(&rules::INIT_EXISTS);
        assert!(finding.message.ends_with("b/c/d` cannot be written: `c` is no folder"), "{}", finding.message);
        assert_eq!(folder.tree("").into_iter().collect::<Vec<_>>(), [("b/c".to_owned(), "mine".to_owned())]);
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
        assert!(write(folder.path(), &new(&["declarations/a"]), Existing::Replace).is_err());
        assert!(matches!(write(folder.path(), &new(&["x"]), Existing::Keep), Err(Refused::Exist(_))));
        write(folder.path(), &new(&["x"]), Existing::Replace).unwrap();
        assert_eq!(folder.read("elsewhere/x"), "theirs");
    }
}
