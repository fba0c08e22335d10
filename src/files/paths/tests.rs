use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::folder::{beneath, part_by_part};
use super::*;
use testing::Scratch;

fn scratch() -> (Scratch, Scratch) {
    let (folder, elsewhere) = (Scratch::new(), Scratch::new());
    folder.write("a/b/c", "mine");
    elsewhere.write("c", "theirs");
    folder.link("a/out", &elsewhere.path().display().to_string());
    folder.link("a/in", "b");
    folder.link("a/b/file", "c");
    (folder, elsewhere)
}

/// With the kernel's call and without it, nothing is opened through a link, at whatever part of the path it stands.
#[test]
fn no_part_of_a_path_is_a_link() {
    let (scratch, _elsewhere) = scratch();
    let folder = Folder::root(scratch.path()).unwrap();
    type Open = fn(std::os::fd::BorrowedFd<'_>, &[u8], OFlags, Mode) -> rustix::io::Result<std::os::fd::OwnedFd>;
    for open in [beneath as Open, part_by_part] {
        let open = |path: &str| open(folder.handle().as_fd(), path.as_bytes(), OFlags::RDONLY, Mode::empty()).err();
        assert_eq!(open("a/b/c"), None);
        for path in ["a/out/c", "a/in/c", "a/b/file", "a/out"] {
            assert_eq!(open(path), Some(Errno::LOOP), "{path}");
            assert_eq!(open(&format!("{path}/c")), Some(Errno::LOOP), "{path}");
        }
        assert_eq!(open("a/b/c/d"), Some(Errno::NOTDIR));
        for path in ["", "/etc/passwd", "../x", "a/../a/b/c", "a//b", "./a", "a/b/"] {
            assert_eq!(open(path), Some(Errno::INVAL), "{path}");
        }
    }
}

/// Every change is refused when a link stands in the middle of its path, and nothing beyond the link changes.
#[test]
fn nothing_is_changed_through_a_link() {
    let (scratch, elsewhere) = scratch();
    let (folder, disk) = (Folder::root(scratch.path()).unwrap(), Disk::default());
    let before = scratch.tree("");
    for link in ["a/out", "a/in"] {
        let path = format!("{link}/c");
        let (new, path) = (format!("{link}/new"), path.as_bytes());
        let new = new.as_bytes();
        let file = (&folder, b"a/b/c".as_slice());
        assert!(disk.make(&folder, new).is_err());
        assert!(disk.create(&folder, new, b"x").is_err());
        assert!(disk.link(file, (&folder, new)).is_err() && disk.link((&folder, path), (&folder, b"a/new")).is_err());
        assert!(disk.rename(file, (&folder, new)).is_err() && disk.rename((&folder, path), (&folder, b"a/new")).is_err());
        assert!(disk.exchange(file, (&folder, path)).is_err());
        assert!(disk.remove(&folder, path).is_err() && disk.remove_folder(&folder, path).is_err());
        assert!(folder.read(path, 10).is_err() && folder.holds(path, "theirs").is_err() && !folder.has(path));
        assert!(folder.open(link.as_bytes()).is_err());
    }
    assert_eq!(scratch.tree(""), before);
    assert_eq!(elsewhere.tree("").into_iter().collect::<Vec<_>>(), [("c".to_owned(), "theirs".to_owned())]);
}

#[test]
fn new_files_are_nobody_elses_to_write() {
    let scratch = Scratch::new();
    let (folder, disk) = (Folder::root(scratch.path()).unwrap(), Disk::default());
    disk.make(&folder, b"folder").unwrap();
    disk.create(&folder, b"folder/file", b"x").unwrap();
    let mode = |path: &str| scratch.at(path).metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode("folder") & 0o022, mode("folder/file") & 0o133), (0, 0));
    assert!(disk.create(&folder, b"folder/file", b"y").is_err());
}
