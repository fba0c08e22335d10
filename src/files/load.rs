//! All reading of a project's files: the one opener, and the snapshot that everything else works from.
//!
//! netloom runs on pull requests of strangers, so a path out of a declaration, an overlay or a Jsonnet program is never opened:
//! the files of a project are read once, here, into [`Sources`], and every import, template and record is served from there.
//! What is read lies below the project root, is a regular file, and is no larger than [`limits`] allows.
//!
//! Paths are resolved by [`crate::paths`], from the root held open, so there is no moment between check and use; links are
//! followed there one by one, and what they lead to is judged here (`reader`).

mod opened;
mod output;
mod reader;
#[cfg(test)]
mod tests;
mod text;
mod walk;

use std::path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::git::Tree;
use crate::paths::{self, Foreign, cause};
use findings::{Diagnostic, has_errors, rules};
use model::declare::{self, Declared, Paths, Project};
use opened::Place;
use output::overlap;
use rayon::prelude::*;
use reader::Reader;
use rustix::io::Errno;
use text::{Refusal, Text};
use tree::{FileId, Node, Path, Sources, Span, limits};
use walk::Walk;
use yaml::is_hidden;

/// The file that makes a folder a project.
pub const PROJECT_FILE: &str = "netloom.yaml";

/// Opens a project and reads its `netloom.yaml`; what is wrong goes to `findings`.
pub fn project(root: &path::Path, sources: &mut Sources, findings: &mut Vec<Diagnostic>) -> Option<(Root, Declared<Project>)> {
    let root = Root::open(root).map_err(|finding| findings.push(finding)).ok()?;
    described(root, sources, findings)
}

/// The same of a project that is written to: its folders are such as may be written in.
pub fn writable(root: &path::Path, sources: &mut Sources, findings: &mut Vec<Diagnostic>) -> Option<(Root, Declared<Project>)> {
    let mut wrong = Vec::new();
    let opened = project(root, sources, findings)?;
    opened.0.check_folders(&opened.1, &mut wrong);
    let fit = !has_errors(&wrong);
    findings.append(&mut wrong);
    fit.then_some(opened)
}

/// The same of a project as Git has it stored: in a commit, or in the index.
pub fn stored(tree: Arc<Tree>, sources: &mut Sources, findings: &mut Vec<Diagnostic>) -> Option<(Root, Declared<Project>)> {
    described(Root { place: Place::Stored(tree) }, sources, findings)
}

fn described(root: Root, sources: &mut Sources, findings: &mut Vec<Diagnostic>) -> Option<(Root, Declared<Project>)> {
    let file = root.project_file(sources, findings)?;
    let node = yaml::single(&sources.get(file)?.text, file, (PROJECT_FILE, "a project"), findings)?;
    allow_off(&node, findings);
    Some((root, declare::decode(node, findings)?))
}

/// Lets the level `off` of a rule stand without quotes: no reader of YAML 1.1, which takes it for `false`, reads this file.
fn allow_off(project: &Node, findings: &mut Vec<Diagnostic>) {
    let rules = project.at(&Path::dotted("spec.rules")).and_then(Node::as_map);
    let off =
        |span: Span| rules.is_some_and(|map| map.iter().any(|(_, level)| level.span == span && level.as_str() == Some("off")));
    findings.retain(|finding| finding.code != rules::YAML_AMBIGUOUS.code || !off(finding.span));
}

/// A project's root, opened: a folder, or one that Git has stored.
#[derive(Debug)]
pub struct Root {
    place: Place,
}

impl Root {
    /// Opens the project in `path`.
    ///
    /// # Errors
    /// When there is no such folder, or a link that a repository holds leads to it: then whoever writes the link, and not whoever names
    /// the project, says which one it is.
    pub fn open(path: &path::Path) -> Result<Self, Diagnostic> {
        if let Some(link) = paths::named::carried_link(path) {
            let message =
                format!("`{}` is a link in a Git repository, so the repository says what the project is", link.display());
            let finding = Diagnostic::new(&rules::PROJECT_MISSING, Span::NONE, message);
            return Err(finding.help("name the folder that the project is in, without links of the repository"));
        }
        Place::folder(path).map(|place| Self { place }).map_err(|error| {
            let message = format!("the project folder `{}` cannot be opened: {}", path.display(), cause(&error));
            Diagnostic::new(&rules::PROJECT_MISSING, Span::NONE, message)
        })
    }

    /// Reads `netloom.yaml`; none when it is missing or cannot be read.
    pub fn project_file(&self, sources: &mut Sources, findings: &mut Vec<Diagnostic>) -> Option<FileId> {
        match self.reader(None).open(PROJECT_FILE) {
            Err(refusal) if refusal.rule == &rules::PROJECT_MISSING => {
                let folder = self.place.path().map(|path| format!("`{}`", path.display()));
                let folder = folder.unwrap_or_else(|| "the commit".to_owned());
                let message = format!("there is no `{PROJECT_FILE}` in {folder}");
                findings.push(Diagnostic::new(&rules::PROJECT_MISSING, Span::NONE, message));
                None
            }
            Err(refusal) => {
                findings.push(refusal.report(PROJECT_FILE, Span::NONE));
                None
            }
            Ok(opened) => add(PROJECT_FILE, Text::read(opened), sources, findings),
        }
    }

    /// Reads the project's declarations and overlays into `sources`, ordered by path.
    ///
    /// A file that is not text is there with replacement characters, so that the finding can quote it: stop on errors.
    pub fn inputs(&self, project: &Declared<Project>, sources: &mut Sources, findings: &mut Vec<Diagnostic>) {
        let before = findings.len();
        self.check_folders(project, findings);
        if findings.len() > before {
            return;
        }
        let reader = self.reader(Some(&project.value.spec.paths));
        let mut walk = Walk::new(&reader, findings);
        for (field, path) in inputs(&project.value) {
            walk.declarations = field == "declarations";
            let named = project.node.get("spec").and_then(|spec| spec.get("paths")?.get(field));
            walk.start(path, named.map(|node| node.span));
        }
        let files = walk.files;
        reader.read_all(files, sources, findings);
    }

    /// Checks the folders that the project names: they lie below it, apart from one another.
    pub fn check_folders(&self, project: &Declared<Project>, findings: &mut Vec<Diagnostic>) {
        for (field, path) in inputs(&project.value) {
            check_relative(path, project.span(&format!("spec.paths.{field}")), findings);
        }
        let paths = &project.value.spec.paths;
        if overlap(&paths.declarations, &paths.overlays) {
            let message = "declarations and overlays must be separate folders, neither in the other";
            findings.push(Diagnostic::new(&rules::SCHEMA, project.span("spec.paths.overlays"), message));
        }
        if [&paths.declarations, &paths.overlays].iter().any(|other| overlap(&paths.policies, other)) {
            let message = "policies must be in a folder of their own, apart from declarations and overlays";
            findings.push(Diagnostic::new(&rules::SCHEMA, project.span("spec.paths.policies"), message));
        }
        check_repository(&paths.repository, project.span("spec.paths.repository"), findings);
        self.check_output(project, findings);
        for (at, reason) in Foreign::new(&paths.foreign).err().into_iter().flatten() {
            let span = project.node.at(&Path::dotted("spec.paths.foreign").item(at)).map_or(Span::NONE, |node| node.span);
            findings.push(Diagnostic::new(&rules::SCHEMA, span, format!("this is no pattern as in a `.gitignore`: {reason}")));
        }
    }

    fn reader<'a>(&'a self, paths: Option<&'a Paths>) -> Reader<'a> {
        Reader { place: &self.place, paths }
    }
}

impl Reader<'_> {
    /// Reads `files`, side by side, and adds them in the order of their paths.
    fn read_all(&self, mut files: Vec<String>, sources: &mut Sources, findings: &mut Vec<Diagnostic>) {
        files.sort();
        self.place.expect(&files);
        let total = AtomicU64::new(0);
        let read_one = |path: &String| {
            if total.load(Ordering::Relaxed) > limits::PROJECT_BYTES {
                return None;
            }
            let read = self.open(path).and_then(Text::read);
            total.fetch_add(read.as_ref().map_or(0, |read| read.text.len() as u64), Ordering::Relaxed);
            Some(read)
        };
        let read: Vec<_> = files.par_iter().map(read_one).collect();
        if total.into_inner() > limits::PROJECT_BYTES {
            let message = format!("declarations and overlays are more than {} MiB together", limits::PROJECT_BYTES >> 20);
            findings.push(Diagnostic::new(&rules::LIMIT, Span::NONE, message));
            return;
        }
        for (path, read) in files.iter().zip(read) {
            if let Some(read) = read {
                add(path, read, sources, findings);
            }
        }
    }
}

/// The folders that are read, by the fields that name them.
fn inputs(project: &Project) -> [(&'static str, &str); 3] {
    let paths = &project.spec.paths;
    [("declarations", &paths.declarations), ("overlays", &paths.overlays), ("policies", &paths.policies)]
}

fn check_relative(path: &str, span: Span, findings: &mut Vec<Diagnostic>) {
    let part_ok = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains(is_hidden) && !part.contains('\\');
    if !path.split('/').all(part_ok) {
        let message = format!("`{path}` is no path of a folder below the project");
        let finding = Diagnostic::new(&rules::FILE_OUTSIDE, span, message);
        findings.push(finding.help("write a relative path without `.` and `..`, such as `declarations`"));
    }
}

/// The project's folder in its repository is no file that is read, but sync objects name it.
fn check_repository(path: &str, span: Span, findings: &mut Vec<Diagnostic>) {
    if path != "." && path.split('/').any(|part| matches!(part, "." | "..")) {
        let message = format!("`{path}` is no path of a folder below the repository");
        let finding = Diagnostic::new(&rules::FILE_OUTSIDE, span, message);
        findings.push(finding.help("write it from the repository's root, or `.` if the project is the root"));
    }
}

/// Adds what was read at `path` to the sources.
fn add(path: &str, read: Result<Text, Refusal>, sources: &mut Sources, findings: &mut Vec<Diagnostic>) -> Option<FileId> {
    let read = match read {
        Ok(read) => read,
        Err(refusal) => {
            findings.push(refusal.report(path, Span::NONE));
            return None;
        }
    };
    let file = sources.add(path, read.text);
    if let Some(at) = read.invalid {
        let span = Span::new(file, at, at + char::REPLACEMENT_CHARACTER.len_utf8());
        findings.push(Diagnostic::new(&rules::FILE_ENCODING, span, format!("`{path}` is not UTF-8 text")));
    }
    Some(file)
}

/// Reads one file that the user named on the command line, wherever it is; `-` is the standard input.
pub fn file(path: &path::Path, sources: &mut Sources, findings: &mut Vec<Diagnostic>) -> Option<FileId> {
    if path.as_os_str() == "-" {
        return add("<stdin>", Text::from(std::io::stdin().lock(), limits::IMPORT_BYTES), sources, findings);
    }
    let opened = paths::named::file(path).map_err(|error| match error {
        Errno::INVAL => Refusal::new(&rules::FILE_UNREADABLE, "is no regular file"),
        error => Refusal::unreadable(error),
    });
    let read = opened.and_then(|file| Text::from(file, limits::IMPORT_BYTES));
    add(&path.to_string_lossy(), read, sources, findings)
}
