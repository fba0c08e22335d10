//! All reading of a project's files: the one opener, and the snapshot that everything else works from.
//!
//! netloom runs on pull requests of strangers, so a path out of a declaration, an overlay or a Jsonnet program is never opened:
//! the files of a project are read once, here, into [`Sources`], and every import, template and record is served from there.
//! What is read lies below the project root, is a regular file, and is no larger than [`limits`](crate::limits) allows.
//!
//! Confinement is the kernel's where it can be: `openat2` with `RESOLVE_BENEATH` (Linux 5.6) resolves a path and every link in it
//! without leaving the root, so there is no moment between check and use. An absolute link counts as leaving, also when it
//! points back inside; it would break in every other checkout. Elsewhere the resolved path is compared with the root.

use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::declare::{Declared, Project};
use crate::diagnostic::{Diagnostic, Rule, rules};
use crate::limits;
use crate::tree::yaml::is_hidden;
use crate::tree::{FileId, Sources, Span};

/// The file that makes a folder a project.
pub const PROJECT_FILE: &str = "netloom.yaml";

/// What a declaration's file name ends in; other files among the declarations are left alone.
const DECLARATIONS: [&str; 5] = ["yaml", "yml", "json", "jsonnet", "libsonnet"];

/// A project folder, opened.
#[derive(Debug)]
pub struct Root {
    path: PathBuf,
    folder: OwnedFd,
}

/// Why something was not read.
struct Refusal {
    rule: &'static Rule,
    reason: String,
    help: Option<&'static str>,
}

impl Refusal {
    fn new(rule: &'static Rule, reason: impl Into<String>) -> Self {
        Self { rule, reason: reason.into(), help: None }
    }

    fn unreadable(error: impl Into<std::io::Error>) -> Self {
        Self::new(&rules::FILE_UNREADABLE, format!("cannot be read: {}", cause(&error.into())))
    }

    fn outside() -> Self {
        let help = "copy the file into the project; a link must be relative and stay inside";
        Self { help: Some(help), ..Self::new(&rules::FILE_OUTSIDE, "is a symbolic link that leaves the project") }
    }

    fn report(self, path: &str, span: Span) -> Diagnostic {
        let finding = Diagnostic::new(self.rule, span, format!("`{path}` {}", self.reason));
        self.help.into_iter().fold(finding, Diagnostic::help)
    }
}

/// The cause of an error, without the number that Rust appends.
pub(crate) fn cause(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

impl Root {
    /// Opens the project in `path`.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn open(path: &Path) -> Result<Self, Diagnostic> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(CWD, path, flags, Mode::empty()).map_err(std::io::Error::from);
        let opened = opened.and_then(|folder| Ok(Self { path: path.canonicalize()?, folder }));
        opened.map_err(|error| {
            let message = format!("the project folder `{}` cannot be opened: {}", path.display(), cause(&error));
            Diagnostic::new(&rules::PROJECT_MISSING, Span::NONE, message)
        })
    }

    /// Reads `netloom.yaml`; none when it is missing or cannot be read.
    pub fn project_file(&self, sources: &mut Sources, findings: &mut Vec<Diagnostic>) -> Option<FileId> {
        match self.open_at(PROJECT_FILE) {
            Err(refusal) if refusal.rule == &rules::PROJECT_MISSING => {
                let message = format!("there is no `{PROJECT_FILE}` in `{}`", self.path.display());
                findings.push(Diagnostic::new(&rules::PROJECT_MISSING, Span::NONE, message));
                None
            }
            Err(refusal) => {
                findings.push(refusal.report(PROJECT_FILE, Span::NONE));
                None
            }
            Ok(opened) => add(PROJECT_FILE, read(opened, limits::FILE_BYTES), sources, findings),
        }
    }

    /// Reads the project's declarations and overlays into `sources`, ordered by path.
    ///
    /// A file that is not text is there with replacement characters, so that the finding can quote it: stop on errors.
    pub fn inputs(&self, project: &Declared<Project>, sources: &mut Sources, findings: &mut Vec<Diagnostic>) {
        let before = findings.len();
        let paths = &project.value.spec.paths;
        let folders = [("declarations", &paths.declarations), ("overlays", &paths.overlays)];
        for (field, path) in folders {
            check_relative(path, project.span(&format!("spec.paths.{field}")), findings);
        }
        if overlap(&paths.declarations, &paths.overlays) {
            let message = "declarations and overlays must be separate folders, neither in the other";
            findings.push(Diagnostic::new(&rules::SCHEMA, project.span("spec.paths.overlays"), message));
        }
        self.check_output(project, findings);
        if findings.len() > before {
            return;
        }
        let mut walk = Walk { root: self, declarations: true, files: Vec::new(), entries: 0, above: Vec::new(), findings };
        for (field, path) in folders {
            walk.declarations = field == "declarations";
            let named = project.node.get("spec").and_then(|spec| spec.get("paths")?.get(field));
            walk.start(path, named.map(|node| node.span));
        }
        let files = walk.files;
        self.read_all(files, sources, findings);
    }

    /// Reads `files`, side by side, and adds them in the order of their paths.
    fn read_all(&self, mut files: Vec<String>, sources: &mut Sources, findings: &mut Vec<Diagnostic>) {
        files.sort();
        let total = AtomicU64::new(0);
        let read_one = |path: &String| {
            if total.load(Ordering::Relaxed) > limits::PROJECT_BYTES {
                return None;
            }
            let read = self.open_at(path).and_then(|opened| read_bytes(opened, limits::FILE_BYTES));
            total.fetch_add(read.as_ref().map_or(0, |bytes| bytes.len() as u64), Ordering::Relaxed);
            Some(read.map(text))
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

    /// Opens what stands at `path` below the root, following links that stay inside.
    fn open_at(&self, path: &str) -> Result<OwnedFd, Refusal> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        self.resolve(path, flags).map_err(|error| match error {
            Errno::XDEV => Refusal::outside(),
            Errno::LOOP => Refusal::new(&rules::FILE_UNREADABLE, "is a symbolic link that goes in a circle"),
            Errno::NXIO => Refusal::new(&rules::FILE_UNREADABLE, "is no regular file"),
            Errno::NOENT if path == PROJECT_FILE => Refusal::new(&rules::PROJECT_MISSING, "is missing"),
            error => Refusal::unreadable(error),
        })
    }

    #[cfg(target_os = "linux")]
    fn resolve(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        use rustix::fs::ResolveFlags;
        let confined = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        match rustix::fs::openat2(&self.folder, path, flags, Mode::empty(), confined) {
            // Kernels before 5.6, and sandboxes that do not know the call.
            Err(Errno::NOSYS | Errno::PERM) => self.resolve_by_path(path, flags),
            result => result,
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn resolve(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        self.resolve_by_path(path, flags)
    }

    fn resolve_by_path(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        let real = self.path.join(path).canonicalize();
        let real = real.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
        if !real.starts_with(&self.path) {
            return Err(Errno::XDEV);
        }
        rustix::fs::openat(CWD, &real, flags | OFlags::NOFOLLOW, Mode::empty())
    }

    /// Refuses an output folder that netloom could do harm in: it deletes there what it wrote earlier.
    fn check_output(&self, project: &Declared<Project>, findings: &mut Vec<Diagnostic>) {
        let paths = &project.value.spec.paths;
        let output = paths.output.as_str();
        let span = project.span("spec.paths.output");
        let mut refuse = |reason: &str| {
            findings.push(Diagnostic::new(&rules::OUTPUT_UNSAFE, span, format!("the output folder `{output}` {reason}")));
        };
        if !output.split('/').all(is_output_part) {
            return refuse("is no plain path below the project (letters, digits, `-`, `_` and inner dots)");
        }
        for inputs in [&paths.declarations, &paths.overlays] {
            if overlap(output, inputs) || self.leads_into(inputs, output) {
                return refuse(&format!("and the input folder `{inputs}` lie in one another"));
            }
        }
        for (end, _) in output.match_indices('/').chain([(output.len(), "")]) {
            let part = output.get(..end).unwrap_or(output);
            let stat = rustix::fs::statat(&self.folder, part, AtFlags::SYMLINK_NOFOLLOW);
            match stat.map(|stat| FileType::from_raw_mode(stat.st_mode)) {
                Ok(FileType::Directory) => {}
                Ok(FileType::Symlink) => return refuse(&format!("is reached through the symbolic link `{part}`")),
                Ok(_) => return refuse(&format!("is not a folder: `{part}` is a file")),
                Err(_) => return,
            }
        }
    }

    /// Whether the input folder is, behind its links, in the output folder.
    fn leads_into(&self, inputs: &str, output: &str) -> bool {
        self.path.join(inputs).canonicalize().is_ok_and(|real| real.starts_with(self.path.join(output)))
    }
}

/// Whether one of two relative paths holds the other; case is ignored, as some file systems do.
fn overlap(a: &str, b: &str) -> bool {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    Path::new(&a).starts_with(&b) || Path::new(&b).starts_with(&a)
}

fn is_output_part(part: &str) -> bool {
    let plain = part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    plain && !part.is_empty() && !part.starts_with('.') && !part.ends_with('.')
}

fn check_relative(path: &str, span: Span, findings: &mut Vec<Diagnostic>) {
    let part_ok = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains(is_hidden) && !part.contains('\\');
    if !path.split('/').all(part_ok) {
        let message = format!("`{path}` is no path of a folder below the project");
        let finding = Diagnostic::new(&rules::FILE_OUTSIDE, span, message);
        findings.push(finding.help("write a relative path without `.` and `..`, such as `declarations`"));
    }
}

/// Collects the files of a project's folders.
struct Walk<'a> {
    root: &'a Root,
    /// Whether these are declarations, of which only some file names count.
    declarations: bool,
    files: Vec<String>,
    /// Files and folders seen so far.
    entries: usize,
    /// Device and inode of the folders that the walk is in, to see links that lead back.
    above: Vec<(u64, u64)>,
    findings: &'a mut Vec<Diagnostic>,
}

impl Walk<'_> {
    /// Walks a top folder. One that is missing is empty (Git keeps no empty folders), unless the project names it at `named`.
    fn start(&mut self, path: &str, named: Option<Span>) {
        let missing = rustix::fs::statat(&self.root.folder, path, AtFlags::SYMLINK_NOFOLLOW).is_err();
        match self.root.open_at(path) {
            Err(_) if missing && named.is_none() => {}
            Err(refusal) => self.findings.push(refusal.report(path, named.unwrap_or_default())),
            Ok(opened) => _ = self.entry(path, opened),
        }
    }

    fn refuse(&mut self, path: &str, refusal: Refusal) {
        self.findings.push(refusal.report(path, Span::NONE));
    }

    /// Takes what was opened at `path`; none when a limit ends the walk.
    fn entry(&mut self, path: &str, opened: OwnedFd) -> Option<()> {
        let stat = match rustix::fs::fstat(&opened) {
            Ok(stat) => stat,
            Err(error) => {
                self.refuse(path, Refusal::unreadable(error));
                return Some(());
            }
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                // The fields' types differ between systems.
                #[allow(clippy::unnecessary_cast, clippy::cast_sign_loss)]
                let identity = (stat.st_dev as u64, stat.st_ino as u64);
                if self.above.contains(&identity) {
                    let refusal = Refusal::new(&rules::FILE_UNREADABLE, "is a link to a folder that it lies in");
                    self.refuse(path, refusal);
                    return Some(());
                }
                self.above.push(identity);
                let done = self.folder(path, opened);
                self.above.pop();
                done
            }
            FileType::RegularFile => {
                self.file(path);
                Some(())
            }
            _ => {
                self.refuse(path, Refusal::new(&rules::FILE_UNREADABLE, "is no regular file"));
                Some(())
            }
        }
    }

    fn file(&mut self, path: &str) {
        let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
        if !self.declarations || extension.is_some_and(|extension| DECLARATIONS.contains(&extension)) {
            self.files.push(path.to_owned());
        }
    }

    fn limit(&mut self, message: String) -> Option<()> {
        self.findings.push(Diagnostic::new(&rules::LIMIT, Span::NONE, message));
        None
    }

    fn folder(&mut self, path: &str, opened: OwnedFd) -> Option<()> {
        if self.above.len() > limits::PATH_DEPTH {
            return self.limit(format!("`{path}` lies more than {} folders deep", limits::PATH_DEPTH));
        }
        let mut entries = Vec::new();
        for entry in Dir::new(opened).into_iter().flatten() {
            match entry {
                Ok(entry) => entries.push((entry.file_name().to_bytes().to_vec(), entry.file_type())),
                Err(error) => self.refuse(path, Refusal::unreadable(error)),
            }
            if self.entries + entries.len() > limits::PROJECT_FILES {
                return self.limit(format!("the project has more than {} files", limits::PROJECT_FILES));
            }
        }
        self.entries += entries.len();
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        entries.into_iter().try_for_each(|(name, kind)| self.named(path, &name, kind))
    }

    fn named(&mut self, folder: &str, name: &[u8], kind: FileType) -> Option<()> {
        if name.starts_with(b".") || name.ends_with(b"~") {
            return Some(());
        }
        let Ok(name) = std::str::from_utf8(name) else {
            let path = format!("{folder}/{}", String::from_utf8_lossy(name));
            self.refuse(&path, Refusal::new(&rules::FILE_ENCODING, "has a name that is not UTF-8"));
            return Some(());
        };
        let path = format!("{folder}/{name}");
        if let Some(bad) = name.chars().find(|c| is_hidden(*c) || matches!(c, '\n' | '\r' | '\t' | '\\')) {
            let path = path.escape_debug().to_string();
            let reason = format!("has the character U+{:04X} in its name", u32::from(bad));
            self.refuse(&path, Refusal { help: Some("rename it"), ..Refusal::new(&rules::HIDDEN_CHARACTER, reason) });
            return Some(());
        }
        if kind == FileType::RegularFile {
            self.file(&path);
            return Some(());
        }
        match self.root.open_at(&path) {
            Ok(opened) => self.entry(&path, opened),
            Err(refusal) => {
                self.refuse(&path, refusal);
                Some(())
            }
        }
    }
}

/// The bytes of a regular file, at most `cap`.
fn read_bytes(opened: OwnedFd, cap: u64) -> Result<Vec<u8>, Refusal> {
    let stat = rustix::fs::fstat(opened.as_fd()).map_err(Refusal::unreadable)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Refusal::new(&rules::FILE_UNREADABLE, "is no regular file"));
    }
    let size = u64::try_from(stat.st_size).unwrap_or_default().min(cap);
    read_capped(std::fs::File::from(opened), cap, size)
}

/// Everything that `input` gives; the cap is kept while reading, because a size can lie.
fn read_capped(input: impl Read, cap: u64, size: u64) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::with_capacity(usize::try_from(size + 1).unwrap_or_default());
    input.take(cap + 1).read_to_end(&mut bytes).map_err(Refusal::unreadable)?;
    if bytes.len() as u64 > cap {
        return Err(Refusal::new(&rules::LIMIT, format!("is larger than {} KiB", cap >> 10)));
    }
    Ok(bytes)
}

fn read(opened: OwnedFd, cap: u64) -> Result<Text, Refusal> {
    read_bytes(opened, cap).map(text)
}

/// A file's text, and the first byte that is no UTF-8.
struct Text {
    text: String,
    invalid: Option<usize>,
}

/// Decodes a file: UTF-8, with or without byte order mark, with the line ends of any system.
fn text(mut bytes: Vec<u8>) -> Text {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    if bytes.windows(2).any(|pair| pair == b"\r\n") {
        let mut rest = bytes.as_slice();
        let mut unix = Vec::with_capacity(bytes.len());
        while let Some(at) = rest.windows(2).position(|pair| pair == b"\r\n") {
            unix.extend_from_slice(&rest[..at]);
            rest = &rest[at + 1..];
        }
        unix.extend_from_slice(rest);
        bytes = unix;
    }
    match String::from_utf8(bytes) {
        Ok(text) => Text { text, invalid: None },
        Err(error) => {
            let invalid = Some(error.utf8_error().valid_up_to());
            Text { text: String::from_utf8_lossy(error.as_bytes()).into_owned(), invalid }
        }
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
pub fn file(path: &Path, sources: &mut Sources, findings: &mut Vec<Diagnostic>) -> Option<FileId> {
    let cap = limits::IMPORT_BYTES;
    if path.as_os_str() == "-" {
        let read = read_capped(std::io::stdin().lock(), cap, 0).map(text);
        return add("<stdin>", read, sources, findings);
    }
    let read = std::fs::File::open(path).map_err(Refusal::unreadable);
    let read = read.and_then(|file| read_capped(file, cap, 0)).map(text);
    add(&path.to_string_lossy(), read, sources, findings)
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
