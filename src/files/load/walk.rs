//! Which files below a folder are a project's.

use std::path::Path;

use super::opened::{Folder, Opened};
use super::reader::{Reader, is_passed_over};
use super::text::Refusal;
use findings::{Diagnostic, rules};
use tree::{Span, limits};
use yaml::is_hidden;

/// What a declaration's file name ends in; other files among the declarations are left alone.
const DECLARATIONS: [&str; 5] = ["yaml", "yml", "json", "jsonnet", "libsonnet"];

/// Collects the files of a project's folders.
pub(super) struct Walk<'a> {
    reader: &'a Reader<'a>,
    /// Whether these are declarations, of which only some file names count.
    pub(super) declarations: bool,
    pub(super) files: Vec<String>,
    /// Files and folders seen so far.
    entries: usize,
    /// The folders that the walk is in, to see links that lead back.
    above: Vec<String>,
    findings: &'a mut Vec<Diagnostic>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(reader: &'a Reader<'a>, findings: &'a mut Vec<Diagnostic>) -> Self {
        Self { reader, declarations: true, files: Vec::new(), entries: 0, above: Vec::new(), findings }
    }

    /// Walks a top folder. One that is missing is empty (Git keeps no empty folders), unless the project names it at `named`.
    pub(super) fn start(&mut self, path: &str, named: Option<Span>) {
        let missing = self.reader.place.kind(path).is_none();
        match self.reader.open(path) {
            Err(_) if missing && named.is_none() => {}
            Err(refusal) => self.findings.push(refusal.report(path, named.unwrap_or_default())),
            Ok(opened) => _ = self.entry(path, opened),
        }
    }

    fn refuse(&mut self, path: &str, refusal: Refusal) {
        self.findings.push(refusal.report(path, Span::NONE));
    }

    /// Takes what was opened at `path`; none when a limit ends the walk.
    fn entry(&mut self, path: &str, opened: Opened) -> Option<()> {
        match opened {
            Opened::Folder(folder) => {
                if self.above.contains(&folder.identity) {
                    let refusal = Refusal::new(&rules::FILE_UNREADABLE, "is a link to a folder that it lies in");
                    self.refuse(path, refusal);
                    return Some(());
                }
                self.above.push(folder.identity.clone());
                let done = self.folder(path, folder);
                self.above.pop();
                done
            }
            Opened::File(_) => {
                self.file(path);
                Some(())
            }
            Opened::Other => {
                self.refuse(path, Refusal::new(&rules::FILE_UNREADABLE, "is no regular file"));
                Some(())
            }
        }
    }

    fn file(&mut self, path: &str) {
        let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
        if self.declarations && !extension.is_some_and(|extension| DECLARATIONS.contains(&extension)) {
            return;
        }
        match self.reader.place.ignored().is_some_and(|git| git.ignores(path.as_bytes(), false)) {
            true => {
                let message = format!("`{path}` is ignored by Git, and therefore by netloom");
                self.findings.push(Diagnostic::new(&rules::FILE_IGNORED, Span::NONE, message));
            }
            false => self.files.push(path.to_owned()),
        }
    }

    fn limit(&mut self, message: String) -> Option<()> {
        self.findings.push(Diagnostic::new(&rules::LIMIT, Span::NONE, message));
        None
    }

    fn folder(&mut self, path: &str, folder: Folder) -> Option<()> {
        if self.above.len() > limits::PATH_DEPTH {
            return self.limit(format!("`{path}` lies more than {} folders deep", limits::PATH_DEPTH));
        }
        let mut entries = Vec::new();
        for entry in folder.names {
            match entry {
                Ok(entry) => entries.push(entry),
                Err(error) => self.refuse(path, Refusal::unreadable(error)),
            }
            if self.entries + entries.len() > limits::PROJECT_FILES {
                return self.limit(format!("the project has more than {} files", limits::PROJECT_FILES));
            }
        }
        self.entries += entries.len();
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        entries.into_iter().try_for_each(|(name, regular)| self.named(path, &name, regular))
    }

    fn named(&mut self, folder: &str, name: &[u8], regular: bool) -> Option<()> {
        if is_passed_over(name) {
            return Some(());
        }
        let Ok(name) = std::str::from_utf8(name) else {
            let path = format!("{folder}/{}", String::from_utf8_lossy(name));
            self.refuse(&path, Refusal::new(&rules::HIDDEN_CHARACTER, "has a name that is not UTF-8"));
            return Some(());
        };
        let path = format!("{folder}/{name}");
        if let Some(bad) = name.chars().find(|c| is_hidden(*c) || matches!(c, '\n' | '\r' | '\t' | '\\')) {
            let path = path.escape_debug().to_string();
            let reason = format!("has the character U+{:04X} in its name", u32::from(bad));
            self.refuse(&path, Refusal::new(&rules::HIDDEN_CHARACTER, reason));
            return Some(());
        }
        if regular {
            self.file(&path);
            return Some(());
        }
        match self.reader.open(&path) {
            Ok(opened) => self.entry(&path, opened),
            Err(refusal) => {
                self.refuse(&path, refusal);
                Some(())
            }
        }
    }
}
