//! The ownership record: which files of a unit netloom wrote, and what it wrote.
//!
//! Anybody who can open a pull request can edit it, so its paths are checked like any other name before they are used, and what
//! it says about a file counts only while the file still has the recorded hash.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::names;
use model::unit::Artifact;

/// Name of the record in a unit's folder.
pub(super) const FILE: &str = ".netloom.json";
/// Bytes of a record that are read: 5,000 files with paths of 700 bytes.
pub(super) const BYTES: usize = 4 << 20;

/// Paths below a unit's folder, with the BLAKE3 hash of each file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    pub(super) files: BTreeMap<String, String>,
}

impl Record {
    /// The record of a unit that consists of these files.
    pub(super) fn of(artifacts: &[Artifact]) -> Self {
        Self { files: artifacts.iter().map(|artifact| (artifact.path.clone(), hash(artifact.text.as_bytes()))).collect() }
    }

    /// Reads a record.
    ///
    /// # Errors
    /// When it is not of this form, or names a path that netloom would not write; the text says which.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
        let record = serde_json::from_str(text).or_else(|error| merged(text).ok_or_else(|| error.to_string()));
        let record: Self = record?;
        match record.files.iter().find(|(path, hash)| !names::is_artifact_path(path) || !is_hash(hash)) {
            Some((path, _)) => Err(format!("it lists `{}`, which netloom cannot have written", path.escape_debug())),
            None => Ok(record),
        }
    }

    /// The text of the file: one line a path, so that Git can merge it.
    pub(super) fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Whether netloom wrote `path`.
    pub(super) fn lists(&self, path: &[u8]) -> bool {
        std::str::from_utf8(path).is_ok_and(|path| self.files.contains_key(path))
    }

    /// Whether the file is as netloom wrote it.
    pub(super) fn matches(&self, path: &str, bytes: &[u8]) -> bool {
        self.files.get(path).is_some_and(|recorded| *recorded == hash(bytes))
    }
}

/// The record that Git left with conflict markers: the files of both sides, so that a render settles the conflict.
fn merged(text: &str) -> Option<Record> {
    if !text.lines().any(|line| line.starts_with("<<<<<<< ")) {
        return None;
    }
    let entry = |line: &str| {
        let (path, hash) = line.trim().trim_end_matches(',').split_once(": ")?;
        let quoted = |text: &str| Some(text.strip_prefix('"')?.strip_suffix('"')?.to_owned());
        Some((quoted(path)?, quoted(hash)?))
    };
    Some(Record { files: text.lines().filter_map(entry).collect() })
}

fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record::of(&[Artifact::new("b.yaml", "b: 1\n"), Artifact::new("a/x.yaml", "a: 1\n")])
    }

    #[test]
    fn a_record_reads_back_and_does_not_depend_on_order() {
        let (a, b) = (blake3::hash(b"a: 1\n").to_hex(), blake3::hash(b"b: 1\n").to_hex());
        let text = record().text();
        assert_eq!(text, format!("{{\n  \"files\": {{\n    \"a/x.yaml\": \"{a}\",\n    \"b.yaml\": \"{b}\"\n  }}\n}}\n"));
        assert_eq!(Record::parse(text.as_bytes()).unwrap(), record());
    }

    #[test]
    fn paths_that_netloom_would_not_write_are_refused() {
        for path in ["../x", "/etc/passwd", "a/../b", "a//b", ".git/config", "a\\b", "", ".netloom.json"] {
            let text = record().text().replace("b.yaml", &path.replace('\\', "\\\\"));
            assert!(Record::parse(text.as_bytes()).unwrap_err().contains("cannot have written"), "{path}");
        }
    }

    #[test]
    fn anything_else_is_no_record() {
        for text in ["", "[]", "{}", "{\"files\": {\"a\": \"zz\"}}", "{\"files\": {}, \"version\": 1}", "{\"files\": {\"a\": 1}}"]
        {
            assert!(Record::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Record::parse(b"\xff").is_err());
    }

    #[test]
    fn a_merge_conflict_reads_as_both_sides() {
        let ours = Record::of(&[Artifact::new("a.yaml", "a"), Artifact::new("ours.yaml", "o")]).text();
        let theirs = Record::of(&[Artifact::new("a.yaml", "a"), Artifact::new("theirs.yaml", "t")]).text();
        let line = |text: &str, name: &str| text.lines().find(|line| line.contains(name)).unwrap().to_owned();
        let conflict = format!(
            "{{\n  \"files\": {{\n{}\n<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> branch\n  }}\n}}\n",
            line(&ours, "a.yaml"),
            line(&ours, "ours"),
            line(&theirs, "theirs")
        );
        let merged = Record::parse(conflict.as_bytes()).unwrap();
        assert_eq!(merged.files.keys().collect::<Vec<_>>(), ["a.yaml", "ours.yaml", "theirs.yaml"]);
        assert!(merged.matches("theirs.yaml", b"t"));
    }
}
