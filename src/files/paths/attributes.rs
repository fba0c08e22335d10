//! By which lines of `.gitattributes` a checkout has other texts than the commit.
//!
//! Three attributes do that: `filter`, `ident` and `working-tree-encoding`. Everything is read here, without a `git` process, and as
//! Git does it: the deepest file counts most, in it the last line that matches, and macros are what the top one says. Where versions
//! of Git read a line in different ways, it sets what it may set, and takes nothing back.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use ignore::gitignore::Gitignore;
use rustix::io::Errno;

use super::Folder;
use super::checkout::{Checkout, text};
use super::pattern;

/// The name of a file with attributes.
pub(crate) const FILE: &str = ".gitattributes";
/// What makes texts other ones.
const CHANGING: [&str; 3] = ["filter", "ident", "working-tree-encoding"];
const MACRO: &[u8] = b"[attr]";
/// From here on Git passes over a line, since some version.
const LINE_BYTES: usize = 2048;
/// Names that some versions of Git take for none.
const RESERVED: &[u8] = b"builtin_";
/// Lines that are looked at.
pub(crate) const LINES: usize = 1_000;

/// The text of a file, where there is one, or why it cannot be read.
type Read = Result<Option<Vec<u8>>, Errno>;

/// The files that speak of what stands in one folder of a repository, outermost first.
#[derive(Debug)]
pub(crate) struct Attributes {
    /// Each with its folder: empty, or with a `/` at its end.
    pub(crate) files: Vec<(Vec<u8>, Read)>,
}

impl Attributes {
    /// Those for a folder with a `/` at its end; `read` reads a file by its path.
    pub(crate) fn of(folder: &[u8], read: impl Fn(&[u8]) -> Read) -> Self {
        let ends = folder.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at + 1);
        let folders = [0].into_iter().chain(ends).filter_map(|end| folder.get(..end));
        Self { files: folders.map(|folder| (folder.to_vec(), read(&[folder, FILE.as_bytes()].concat()))).collect() }
    }

    /// Those for the folder `output` of the project in `root`, a path without links, as they are on the disk; and the project's
    /// folder in the repository. None where there is no repository.
    pub(crate) fn around(root: &Path, output: &str) -> Option<(Vec<u8>, Self)> {
        let checkout = Checkout::around(root)?;
        let mut prefix = root.strip_prefix(&checkout.top).ok()?.as_os_str().as_bytes().to_vec();
        if !prefix.is_empty() {
            prefix.push(b'/');
        }
        let top = Folder::passage(&checkout.top).map_err(|failure| failure.error);
        let read = |path: &[u8]| top.as_ref().map_err(|error| *error).and_then(|top| text(top, path));
        let of = Self::of(&[&prefix, output.as_bytes(), b"/"].concat(), read);
        Some((prefix, of))
    }
}

/// What a line says of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Set,
    Unset,
    Unspecified,
    Text(Vec<u8>),
}

type Said = (Vec<u8>, Value);

/// A line about a pattern, or one of a macro.
struct Line {
    /// Whether versions of Git read it in different ways.
    vague: bool,
    said: Vec<Said>,
}

/// A line about a pattern, and where it stands.
struct Rule {
    /// The file's place in the list.
    file: usize,
    line: Range<usize>,
    matcher: Gitignore,
    it: Line,
}

/// The rules of several files, those that count least first.
pub(crate) struct Rules {
    rules: Vec<Rule>,
    macros: BTreeMap<Vec<u8>, Vec<Line>>,
}

/// A line that makes something of a file's text: the file's place in the list, and the line's bytes.
pub(crate) type Place = (usize, Range<usize>);

impl Rules {
    /// Reads files; none where nothing in them makes texts other ones.
    pub(crate) fn read(files: &Attributes) -> Option<Self> {
        let texts = files.files.iter().map(|(_, read)| read.as_ref().ok().and_then(Option::as_deref).unwrap_or_default());
        let names = |text: &[u8]| CHANGING.iter().any(|name| text.windows(name.len()).any(|found| found == name.as_bytes()));
        if !texts.clone().any(names) {
            return None;
        }
        let mut found = Self { rules: Vec::new(), macros: BTreeMap::new() };
        texts.enumerate().for_each(|(file, text)| found.file(file, text));
        let sets = |line: &Line| line.said.iter().any(|(name, value)| changes(name, value));
        let any = found.rules.iter().map(|rule| &rule.it).chain(found.macros.values().flatten()).any(sets);
        let macros = &found.macros;
        let matters = |(name, _): &Said| CHANGING.iter().any(|known| known.as_bytes() == name) || macros.contains_key(name);
        found.rules.retain(|rule| rule.it.said.iter().any(matters));
        any.then_some(found)
    }

    /// Whether there are more lines than are looked at.
    pub(crate) fn too_many(&self) -> bool {
        self.rules.len() > LINES
    }

    fn file(&mut self, file: usize, text: &[u8]) {
        let mut at = 0;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let range = at..at + line.trim_ascii_end().len();
            at += line.len();
            let line = if range.start == 0 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
            let Some((subject, said)) = parse(line) else { continue };
            let vague = line.len() >= LINE_BYTES
                || line.contains(&0)
                || said.iter().any(|(name, _)| name.starts_with(RESERVED))
                || std::str::from_utf8(&subject).is_err();
            if subject.len() > MACRO.len()
                && let Some(name) = subject.strip_prefix(MACRO)
            {
                if file == 0 && is_name(name) {
                    let known = self.macros.entry(name.to_vec()).or_default();
                    known.retain(|line| vague || line.vague);
                    known.push(Line { vague, said });
                }
            } else if let Some((matcher, exact)) = pattern::attribute(&subject) {
                self.rules.push(Rule { file, line: range, matcher, it: Line { vague: vague || !exact, said } });
            }
        }
    }

    /// The lines that make another text of the file at a path in the repository, each with the attribute.
    pub(crate) fn changing(&self, files: &Attributes, path: &[u8]) -> Vec<(Place, &'static str)> {
        let mut known: BTreeMap<&[u8], bool> = BTreeMap::new();
        let mut found = Vec::new();
        for rule in self.rules.iter().rev() {
            let folder = files.files.get(rule.file).map_or(&b""[..], |(folder, _)| folder);
            let Some(below) = path.strip_prefix(folder) else { continue };
            if rule.matcher.matched(Path::new(OsStr::from_bytes(below)), false).is_ignore() {
                let mut news = Vec::new();
                self.say(&rule.it, false, &mut known, &mut news);
                found.extend(news.into_iter().map(|name| ((rule.file, rule.line.clone()), name)));
            }
        }
        found
    }

    /// Takes what a line says of attributes that nothing was said of yet; a vague one only sets.
    fn say<'s>(&'s self, line: &'s Line, vague: bool, known: &mut BTreeMap<&'s [u8], bool>, news: &mut Vec<&'static str>) {
        let vague = vague || line.vague;
        for (name, value) in line.said.iter().rev() {
            let sets = changes(name, value);
            let expands = *value == Value::Set && self.macros.contains_key(name);
            if known.contains_key(name.as_slice()) || (vague && !sets && !expands) {
                continue;
            }
            known.insert(name, sets);
            if sets {
                news.extend(CHANGING.iter().find(|known| known.as_bytes() == name));
            }
            if expands {
                self.macros.get(name).into_iter().flatten().for_each(|line| self.say(line, vague, known, news));
            }
        }
    }
}

/// Whether an attribute of this value makes a text another one: all but UTF-8 as an encoding, which is Git's own.
fn changes(name: &[u8], value: &Value) -> bool {
    let encoding = name == b"working-tree-encoding";
    CHANGING.iter().any(|known| known.as_bytes() == name)
        && match value {
            Value::Set => true,
            Value::Text(text) => !(encoding && (text.eq_ignore_ascii_case(b"utf-8") || text.eq_ignore_ascii_case(b"utf8"))),
            Value::Unset | Value::Unspecified => false,
        }
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// What a line is about, and what it says of that; none where Git reads nothing in it.
fn parse(line: &[u8]) -> Option<(Vec<u8>, Vec<Said>)> {
    let line = line.get(line.iter().position(|byte| !is_blank(byte))?..)?;
    if line.starts_with(b"#") {
        return None;
    }
    let (subject, rest) = quoted(line).unwrap_or_else(|| {
        let end = line.iter().position(is_blank).unwrap_or(line.len());
        (line.get(..end).unwrap_or_default().to_vec(), line.get(end..).unwrap_or_default())
    });
    if subject.starts_with(b"!") {
        return None;
    }
    let said: Option<Vec<_>> = rest.split(is_blank).filter(|word| !word.is_empty()).map(said).collect();
    Some((subject, said?))
}

/// What a word says of an attribute; none where that has no name, for which Git drops the line.
fn said(word: &[u8]) -> Option<Said> {
    let equals = word.iter().position(|byte| *byte == b'=');
    let (name, text) = word.split_at(equals.unwrap_or(word.len()));
    let (name, value) = match (name.split_first(), equals) {
        (Some((b'-', name)), _) => (name, Value::Unset),
        (Some((b'!', name)), _) => (name, Value::Unspecified),
        (_, Some(_)) => (name, Value::Text(text.get(1..).unwrap_or_default().to_vec())),
        (_, None) => (name, Value::Set),
    };
    is_name(name).then(|| (name.to_vec(), value))
}

fn is_name(name: &[u8]) -> bool {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !name.is_empty() && !name.starts_with(b"-") && name.iter().all(part)
}

/// A text in quotes at the beginning of a line, and the rest of it.
fn quoted(line: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut rest = line.strip_prefix(b"\"")?;
    let mut told = Vec::new();
    loop {
        let (byte, after) = rest.split_first()?;
        rest = after;
        match byte {
            b'"' => return Some((told, rest)),
            b'\\' => {
                let (escape, after) = rest.split_first()?;
                rest = after;
                told.push(match escape {
                    b'a' => 7,
                    b'b' => 8,
                    b't' => b'\t',
                    b'n' => b'\n',
                    b'v' => 11,
                    b'f' => 12,
                    b'r' => b'\r',
                    b'\\' | b'"' => *escape,
                    b'0'..=b'3' => {
                        let digits = [*escape, *rest.first()?, *rest.get(1)?];
                        rest = rest.get(2..)?;
                        u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 8).ok()?
                    }
                    _ => return None,
                });
            }
            byte => told.push(*byte),
        }
    }
}
