//! Small files of the system and of Git, read before a project is.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags};

/// Bytes that are read of one file.
pub(super) const CAP: u64 = 1 << 20;

/// The first bytes of a regular file; nothing else is waited for.
pub(super) fn head(path: &Path, bytes: u64) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
    if FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) != FileType::RegularFile {
        return Err(ErrorKind::InvalidInput.into());
    }
    let mut head = Vec::new();
    File::from(file).take(bytes).read_to_end(&mut head)?;
    Ok(head)
}

/// The text of a file.
pub(super) fn text(path: &Path) -> Option<String> {
    String::from_utf8(head(path, CAP).ok()?).ok()
}
