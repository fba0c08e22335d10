//! Folders for tests, removed when the test is over.
#![allow(clippy::disallowed_methods)] // tests lay out their own files

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder of one test's own.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("netloom-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn at(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.at(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// A program. Another process writes it: a test beside this one that starts a child while the file is open here would
    /// leave the child with a handle of it, and Linux runs no program that is open for writing.
    pub fn program(&self, path: &str, script: &str) {
        let path = self.at(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let write = "printf %s \"$1\" > \"$0\" && chmod 755 \"$0\"";
        let status = std::process::Command::new("sh").args(["-c", write]).arg(path).arg(script).status().unwrap();
        assert!(status.success(), "{status}");
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.at(path)).unwrap()
    }

    pub fn link(&self, path: &str, target: &str) {
        std::fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        symlink(target, self.at(path)).unwrap();
    }

    /// Every file and link below `folder` with its text; empty when there is no such folder.
    pub fn tree(&self, folder: &str) -> BTreeMap<String, String> {
        let base = self.at(folder);
        let entries = walkdir::WalkDir::new(&base).into_iter().filter_map(Result::ok).filter(|entry| !entry.file_type().is_dir());
        let text = |path: &Path| match std::fs::read_link(path) {
            Ok(target) => format!("-> {}", target.display()),
            Err(_) => std::fs::read_to_string(path).unwrap(),
        };
        entries.map(|entry| (entry.path().strip_prefix(&base).unwrap().display().to_string(), text(entry.path()))).collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}
