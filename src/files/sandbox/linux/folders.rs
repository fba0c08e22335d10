//! Folders that rules are about: opened part by part, never through a link, and made where they are missing.

use std::ffi::OsString;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags};
use rustix::io::Errno;
use rustix::path::Arg;

/// Entries of a project's folder that have a rule each; each is held open.
const ENTRIES: usize = 256;

/// A folder that was not there.
#[derive(Debug)]
pub(super) struct Made {
    parent: OwnedFd,
    name: OsString,
}

impl Made {
    /// Takes it away again when it is still empty.
    fn unmake(&self) {
        _ = rustix::fs::unlinkat(&self.parent, &self.name, AtFlags::REMOVEDIR);
    }

    /// Where it was made.
    pub(super) fn parent(&self) -> &OwnedFd {
        &self.parent
    }
}

/// Takes folders away again, the last one made first.
pub(super) fn unmake(made: &[Made]) {
    made.iter().rev().for_each(Made::unmake);
}

/// What stands under `name`, itself: a link stays closed.
fn entry(at: impl AsFd, name: impl Arg, kind: OFlags) -> Result<OwnedFd, Errno> {
    rustix::fs::openat(at, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC | kind, Mode::empty())
}

/// A folder by a path of the user's, where links are followed.
pub(super) fn open(path: &Path) -> Option<OwnedFd> {
    rustix::fs::openat(CWD, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).ok()
}

/// The same; what is missing of it is made.
pub(super) fn ensure(path: &Path, made: &mut Vec<Made>) -> Option<OwnedFd> {
    let there = path.ancestors().find(|ancestor| ancestor.as_os_str().is_empty() || ancestor.exists())?;
    let start = if there.as_os_str().is_empty() { Path::new(".") } else { there };
    below(&open(start)?, path.strip_prefix(there).ok()?, Some(made))
}

/// The folder `path` below `root`; what is missing of it is made, and noted in `made`.
pub(super) fn below(root: &OwnedFd, path: impl AsRef<Path>, mut made: Option<&mut Vec<Made>>) -> Option<OwnedFd> {
    let mut folder = root.try_clone().ok()?;
    for name in path.as_ref() {
        let mut found = entry(&folder, name, OFlags::DIRECTORY);
        if let (Err(Errno::NOENT), Some(made)) = (&found, made.as_deref_mut()) {
            let new = rustix::fs::mkdirat(&folder, name, Mode::from_raw_mode(0o755));
            found = entry(&folder, name, OFlags::DIRECTORY);
            // Another netloom may have made it meanwhile.
            if new.is_ok() {
                made.push(Made { parent: folder, name: name.to_owned() });
            }
        }
        folder = found.ok()?;
    }
    Some(folder)
}

/// A file that stands directly in a folder.
pub(super) fn file(folder: &OwnedFd, name: &str) -> Option<OwnedFd> {
    entry(folder, name, OFlags::empty()).ok()
}

/// What stands in a folder and is not hidden; none when that is too much.
pub(super) fn visible(folder: &OwnedFd) -> Option<Vec<OwnedFd>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let listed = rustix::fs::openat(folder, ".", flags, Mode::empty()).and_then(Dir::new);
    let names = listed.into_iter().flatten().filter_map(Result::ok).map(|entry| entry.file_name().to_owned());
    let visible = names.filter(|name| !name.to_bytes().starts_with(b"."));
    let visible: Vec<_> = visible.take(ENTRIES + 1).collect();
    let opened = || visible.iter().filter_map(|name| entry(folder, name, OFlags::empty()).ok()).collect();
    (visible.len() <= ENTRIES).then(opened)
}
