//! The one opener of a project's files, and what it lets a link lead to.
//!
//! A link is judged by what it leads to, as if that had been named: it stays in the project, and leads neither to anything hidden
//! (`.git` has the token of a checkout, `.env` whatever its owner put there), nor to what Git ignores, nor into the output. Outside
//! of the folders that netloom reads anyway it leads only to what Git tracks, where there is a repository: files that lie about in
//! a checkout, such as credentials that a job has written, are nobody's input.

use rustix::io::Errno;

use super::opened::{Opened, Place};
use super::text::Refusal;
use super::{PROJECT_FILE, overlap};
use findings::rules;
use model::declare::Paths;

/// Opens files of a project.
pub(super) struct Reader<'a> {
    pub(super) place: &'a Place,
    /// The folders; none while `netloom.yaml` is not read yet.
    pub(super) paths: Option<&'a Paths>,
}

/// Whether a name is one that netloom passes over: hidden, or an editor's backup.
pub(super) fn is_passed_over(name: &[u8]) -> bool {
    name.starts_with(b".") || name.ends_with(b"~")
}

impl Reader<'_> {
    /// Opens what stands at `path` below the root, following links that lead to what could be named.
    pub(super) fn open(&self, path: &str) -> Result<Opened, Refusal> {
        let (opened, real) = self.place.open(path).map_err(|lost| match lost.error {
            // What the kernel refuses is hidden, as a rule; say so.
            Errno::ACCESS => {
                let refused = lost.path.as_deref().and_then(|path| self.refused(path, false));
                refused.unwrap_or_else(|| Refusal::unreadable(Errno::ACCESS))
            }
            Errno::XDEV => Refusal::outside(lost.link.as_deref()),
            Errno::LOOP => Refusal::new(&rules::FILE_UNREADABLE, "is a symbolic link that goes in a circle"),
            Errno::NXIO => Refusal::new(&rules::FILE_UNREADABLE, "is no regular file"),
            Errno::NOENT if path == PROJECT_FILE => Refusal::new(&rules::PROJECT_MISSING, "is missing"),
            error => Refusal::unreadable(error),
        })?;
        match real.and_then(|real| self.refused(&real, matches!(opened, Opened::Folder(_)))) {
            Some(refusal) => Err(refusal),
            None => Ok(opened),
        }
    }

    /// Why a link must not lead to `real`, the path of a file or a folder.
    fn refused(&self, real: &[u8], folder: bool) -> Option<Refusal> {
        let shown = String::from_utf8_lossy(real).escape_debug().to_string();
        let refuse = |what: &str| Some(Refusal::link(format!("is a symbolic link to `{shown}`, {what}")));
        let Ok(path) = std::str::from_utf8(real) else { return refuse("whose name is not UTF-8") };
        if path.is_empty() {
            return Some(Refusal::link("is a symbolic link to the project's own folder".to_owned()));
        }
        if path.split('/').any(|part| is_passed_over(part.as_bytes())) {
            return refuse("which is hidden");
        }
        let inputs = self.paths.map(|paths| [&paths.declarations, &paths.overlays, &paths.policies]);
        if self.paths.is_some_and(|paths| overlap(path, &paths.output)) {
            return refuse("in the output folder");
        }
        let git = self.place.ignored()?;
        if git.ignores(real, folder) {
            return refuse("which Git ignores");
        }
        let read_anyway = inputs.is_some_and(|inputs| inputs.iter().any(|input| within(path, input)));
        if read_anyway || git.tracks(real, folder) == Some(true) {
            return None;
        }
        refuse("which Git does not track")
    }
}

/// Whether a path is a folder, or below it.
fn within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
