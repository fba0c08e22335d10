//! Runs the real binary on the case files below `tests/cases/`, one readable file with input and expected output each.
//! ```text
//! # What the case shows.
//! $ netloom render
//! $ mv edited.yaml rendered/a.yaml      cmp, cp, git, ln, mkfifo, mv and rm change and compare files
//! $ netloom check --format json
//! -- declarations/cluster.yaml --       input files, in a folder of their own
//! -- bad.yaml (escaped) --              with `\r`, `\xff`, `\u{202e}` and `\\` for what a text file should not hold
//! -- outside (link) --                  a symbolic link to the path in the text
//! -- exit --                            from here on: what is expected
//! 0 1
//! -- stdout --
//! -- stderr --                          under `$ …` lines, when there are several commands; left out when empty
//! -- tree --                            every file there is afterwards, but for the input
//! -- rendered/clusters/a/README.md --   any file afterwards
//! -- rendered/clusters/a/README.md (near MTU) --   its lines that hold a text, each with the one that follows
//! ```
//! `NETLOOM_BLESS=1` rewrites what is expected; `NETLOOM_CASE=text` runs the cases whose path holds the text.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files are laid out here; what cannot be set up has failed")]

use std::ffi::OsString;
use std::fmt::Write;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rayon::prelude::*;
use similar::TextDiff;
use walkdir::WalkDir;

mod sections;

/// Folders whose cases have another form, and a test of their own beside this one.
const OWN_FORM: [&str; 3] = ["cloudformation/", "diff/", "import/"];

#[test]
fn cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let wanted = std::env::var_os("NETLOOM_CASE").map(|text| text.into_string().unwrap()).unwrap_or_default();
    let bless = std::env::var_os("NETLOOM_BLESS").is_some();
    let mut cases = files(&folder);
    cases.retain(|name| {
        name.ends_with(".txt") && name.contains(&wanted) && !OWN_FORM.iter().any(|folder| name.starts_with(folder))
    });
    assert!(!cases.is_empty(), "no case has `{wanted}` in its path");
    let failures: Vec<_> = cases.par_iter().filter_map(|name| run(&folder.join(name), bless).err()).collect();
    assert!(failures.is_empty(), "{} of {} cases failed\n\n{}", failures.len(), cases.len(), failures.join("\n"));
}

/// Runs one case; in case of difference blesses it, or says what differs.
fn run(path: &Path, bless: bool) -> Result<(), String> {
    let expected = fs::read_to_string(path).unwrap();
    if expected.contains("\n=== ") {
        return Ok(()); // the form of tests/import.rs, which runs these
    }
    let actual = Case::parse(&expected).with_outcome().map_err(|error| format!("{}: {error}", path.display()))?;
    if actual == expected {
        return Ok(());
    }
    if bless {
        return fs::write(path, actual).map_err(|error| error.to_string());
    }
    Err(TextDiff::from_lines(&expected, &actual).unified_diff().header(&path.to_string_lossy(), "what happened").to_string())
}

/// Commands that change or compare files between those of netloom.
const CHANGES: [&str; 7] = ["cmp", "cp", "git", "ln", "mkfifo", "mv", "rm"];

/// A case file: its commands, its input, and the names of the files it looks at afterwards.
struct Case<'a> {
    head: &'a str,
    commands: Vec<&'a str>,
    input: Vec<(&'a str, &'a str)>,
    looks_at: Vec<&'a str>,
}

impl<'a> Case<'a> {
    fn parse(text: &'a str) -> Self {
        let (head, mut sections) = sections::parse(text);
        let end = sections.iter().position(|(name, _)| *name == "exit").unwrap_or(sections.len());
        let expected = sections.split_off(end).into_iter().map(|(name, _)| name);
        let commands: Vec<_> = head.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
        assert!(!commands.is_empty(), "no command in: {head}");
        let looks_at = expected.filter(|name| !matches!(*name, "exit" | "stdout" | "stderr")).collect();
        Self { head: head.trim_end(), commands, looks_at, input: sections }
    }

    /// The case file with what happens now as what is expected.
    fn with_outcome(&self) -> Result<String, String> {
        let scratch = Scratch::new();
        let input: Vec<_> = self.input.iter().map(|(name, text)| scratch.put(name, text)).collect();
        let (mut exits, mut stdout, mut stderr) = (Vec::new(), String::new(), String::new());
        for command in &self.commands {
            let Some(output) = scratch.run(command) else { continue };
            exits.push(output.status.code().map_or("killed".to_owned(), |code| code.to_string()));
            for (stream, bytes) in [(&mut stdout, output.stdout), (&mut stderr, output.stderr)] {
                let text = String::from_utf8(bytes).map_err(|_| format!("`{command}` wrote no UTF-8"))?;
                let text = text.replace(&*scratch.0.to_string_lossy(), "[FOLDER]");
                inert(&text, command.contains("--format github"))?;
                let heading = if self.commands.len() > 1 && !text.is_empty() { &format!("$ {command}\n") } else { "" };
                stream.extend([heading, &text]);
            }
        }
        let mut out = format!("{}\n", self.head);
        self.input.iter().for_each(|(name, text)| section(&mut out, name, text));
        let streams = [("exit", exits.join(" ") + "\n"), ("stdout", stdout), ("stderr", stderr)];
        streams.iter().filter(|(_, text)| !text.is_empty()).for_each(|(name, text)| section(&mut out, name, text));
        for name in &self.looks_at {
            let text = match *name {
                "tree" => files(&scratch.0).into_iter().filter(|file| !input.contains(file)).map(|file| file + "\n").collect(),
                file => scratch.look(file),
            };
            section(&mut out, name, &text);
        }
        Ok(out)
    }
}

fn section(out: &mut String, name: &str, text: &str) {
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n(no line feed at the end)\n" };
    write!(out, "-- {name} --\n{text}{end}").unwrap();
}

/// Whatever the input was, nothing in the output acts on a terminal or a CI runner, but for annotations that were asked for.
fn inert(text: &str, annotations: bool) -> Result<(), String> {
    let live = |c: char| (c.is_control() && c != '\n' && c != '\t') || netloom::yaml::is_hidden(c);
    let wanted = |line: &str| annotations && ["::error ", "::warning ", "::notice "].iter().any(|head| line.starts_with(head));
    let command = text.lines().any(|line| (line.trim_start().starts_with("::") && !wanted(line)) || line.contains("##["));
    if command || text.contains(live) { Err(format!("the output is not inert: {text:?}")) } else { Ok(()) }
}

/// Paths of all files below a folder, ordered.
fn files(folder: &Path) -> Vec<String> {
    let entries = WalkDir::new(folder).sort_by_file_name().into_iter().map(Result::unwrap);
    let entries = entries.filter(|entry| !entry.file_type().is_dir());
    entries.map(|entry| entry.path().strip_prefix(folder).unwrap().to_string_lossy().into_owned()).collect()
}

/// A folder of its own for a case, gone afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("netloom-case-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path.canonicalize().unwrap())
    }

    /// Writes an input file; returns its path.
    fn put(&self, name: &str, text: &str) -> String {
        let path = name.split(" (").next().unwrap();
        let at = self.0.join(path);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        match &name[path.len()..] {
            " (link)" => std::os::unix::fs::symlink(text.trim_end(), at).unwrap(),
            " (escaped)" => fs::write(at, unescape(text)).unwrap(),
            _ => fs::write(at, text).unwrap(),
        }
        path.to_owned()
    }

    /// The text of a file, or of the lines `(near …)` a text.
    fn look(&self, name: &str) -> String {
        let (path, near) = name.strip_suffix(')').and_then(|name| name.split_once(" (near ")).unwrap_or((name, ""));
        let text = fs::read_to_string(self.0.join(path)).unwrap_or_else(|error| format!("({error})\n"));
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let shown = |at: usize| lines[at].contains(near) || at.checked_sub(1).is_some_and(|above| lines[above].contains(near));
        (0..lines.len()).filter(|at| shown(*at)).map(|at| lines[at]).collect()
    }

    /// Runs a command; what netloom said, if it was netloom.
    fn run(&self, command: &str) -> Option<Output> {
        let mut words = command.split_whitespace().map(|text| OsString::from_vec(unescape(text)));
        let program = words.next()?;
        let netloom = program == "netloom";
        assert!(netloom || CHANGES.iter().any(|known| program == *known), "`{command}` is none of {CHANGES:?}");
        let program = if netloom { env!("CARGO_BIN_EXE_netloom").into() } else { program };
        // So that a commit always has the same name.
        let dates = ["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"].map(|name| (name, "2020-01-01T00:00:00Z"));
        let mut command_line = Command::new(program);
        command_line.args(words).current_dir(&self.0).env_clear().env("GIT_CONFIG_NOSYSTEM", "1").envs(dates);
        let output = command_line.output().unwrap();
        assert!(netloom || output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        netloom.then_some(output)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

/// The bytes that `\r`, `\xff`, `\u{202e}` and `\\` stand for.
fn unescape(text: &str) -> Vec<u8> {
    let mut parts = text.split('\\');
    let mut out = parts.next().unwrap_or_default().as_bytes().to_vec();
    while let Some(part) = parts.next() {
        let (byte, rest) = match part.split_at_checked(1) {
            Some(("x", rest)) => (vec![u8::from_str_radix(&rest[..2], 16).unwrap()], &rest[2..]),
            Some(("r", rest)) => (vec![b'\r'], rest),
            Some(("u", rest)) => {
                let (digits, rest) = rest[1..].split_once('}').unwrap();
                let c = char::from_u32(u32::from_str_radix(digits, 16).unwrap()).unwrap();
                (c.to_string().into_bytes(), rest)
            }
            None => (vec![b'\\'], parts.next().unwrap_or_default()),
            other => panic!("no such escape: {other:?}"),
        };
        out.extend(byte.into_iter().chain(rest.bytes()));
    }
    out
}
