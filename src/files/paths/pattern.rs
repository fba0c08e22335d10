//! Patterns as Git has them in `.gitignore` and `.gitattributes`.

use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// Patterns as a `.gitignore` has them.
///
/// # Errors
/// Every line that is no pattern, with what is wrong with it.
pub(crate) fn patterns<'t>(lines: impl Iterator<Item = &'t str>) -> Result<Gitignore, Vec<(usize, String)>> {
    let mut builder = GitignoreBuilder::new("");
    let add = |(at, line): (usize, &str)| builder.add_line(None, &dialect(line)).err().map(|error| (at, error.to_string()));
    let wrong: Vec<_> = lines.enumerate().filter_map(add).collect();
    match builder.build() {
        Ok(patterns) if wrong.is_empty() => Ok(patterns),
        Ok(_) => Err(wrong),
        Err(error) => Err(vec![(0, error.to_string())]),
    }
}

/// Like [`patterns`], without the lines that are none; Git passes over those, too.
pub(super) fn lenient(text: &[u8]) -> Gitignore {
    let mut builder = GitignoreBuilder::new("");
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    for line in text.split(|byte| *byte == b'\n') {
        // What is excepted by a pattern that is no text cannot be told.
        let line: String = match std::str::from_utf8(line) {
            Ok(line) => line.to_owned(),
            Err(_) if line.starts_with(b"!") => continue,
            Err(_) => text_of(line),
        };
        _ = builder.add_line(None, &dialect(line.trim_end_matches('\r')));
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

/// A pattern as text, in which a byte that is none is any.
fn text_of(pattern: &[u8]) -> String {
    pattern.utf8_chunks().map(|chunk| format!("{}{}", chunk.valid(), "?".repeat(chunk.invalid().len()))).collect()
}

/// A pattern of a `.gitattributes`, and whether it matches exactly what Git matches by it: otherwise it matches more. None where it
/// matches nothing.
pub(super) fn attribute(pattern: &[u8]) -> Option<(Gitignore, bool)> {
    let (mut told, mut exact) = (String::new(), true);
    let pattern = text_of(pattern);
    let mut rest = pattern.as_str();
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '\\' => 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
            '[' => end_of_class(rest)?,
            c => c.len_utf8(),
        };
        match c {
            '[' => {
                told.push('?');
                exact = false;
            }
            // What would begin a comment, or be cut off at the end of a line.
            '#' | ' ' | '\t' => told.extend(['\\', c]),
            _ => told.push_str(rest.get(..taken)?),
        }
        rest = rest.get(taken..)?;
    }
    let mut builder = GitignoreBuilder::new("");
    builder.add_line(None, &dialect(&told)).ok()?;
    Some((builder.build().ok()?, exact))
}

/// Where the brackets at the beginning of a text end for Git; none when they do not.
fn end_of_class(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1 + usize::from(matches!(bytes.get(1), Some(b'!' | b'^')));
    let begin = at;
    loop {
        at += match bytes.get(at)? {
            b']' if at > begin => return Some(at + 1),
            b'\\' => 2,
            b'[' if bytes.get(at + 1) == Some(&b':') => text.get(at..)?.find(":]")? + 2,
            _ => 1,
        };
    }
}

/// Classes of characters by their names in brackets.
const CLASSES: [(&str, &str); 12] = [
    ("alnum", "0-9A-Za-z"),
    ("alpha", "A-Za-z"),
    ("blank", " \t"),
    ("cntrl", "\u{1}-\u{1f}\u{7f}"),
    ("digit", "0-9"),
    ("graph", "!-~"),
    ("lower", "a-z"),
    ("print", " -~"),
    ("punct", "!-/:-@[-`{-~"),
    ("space", " \t\n\r\u{b}\u{c}"),
    ("upper", "A-Z"),
    ("xdigit", "0-9A-Fa-f"),
];

/// A pattern of Git's in the words of our matcher, which takes braces for alternatives and knows no names of classes.
fn dialect(line: &str) -> String {
    let mut told = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let class = if c == '[' { class(rest) } else { None };
        let taken = match (c, class) {
            (_, Some((text, length))) => {
                told.push_str(&text);
                length
            }
            ('\\', None) => {
                let length = 1 + rest.chars().nth(1).map_or(0, char::len_utf8);
                told.extend(rest.get(..length));
                length
            }
            ('*', None) => {
                let length = rest.len() - rest.trim_start_matches('*').len();
                // More of them are no more.
                told.extend(rest.get(..length.min(2)));
                length
            }
            ('{' | '}', None) => {
                told.extend(['\\', c]);
                1
            }
            _ => {
                told.push(c);
                c.len_utf8()
            }
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    told
}

/// The brackets at the beginning of a text with the names of classes written out, and how long they were; none when they do not end.
fn class(text: &str) -> Option<(String, usize)> {
    let mut told = String::from("[");
    let mut at = 1;
    for first in ['!', '^'] {
        if at == 1 && text.get(at..)?.starts_with(first) {
            told.push('!');
            at += 1;
        }
    }
    let begin = at;
    loop {
        let rest = text.get(at..)?;
        let named = rest.strip_prefix("[:").and_then(|rest| rest.split_once(":]")).map(|(name, _)| name);
        if let Some((name, members)) = named.and_then(|name| CLASSES.iter().find(|(known, _)| *known == name)) {
            told.push_str(members);
            at += name.len() + 4;
            continue;
        }
        let c = rest.chars().next()?;
        told.push(c);
        at += c.len_utf8();
        if c == ']' && at > begin + 1 {
            return Some((told, at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored(patterns: &str, path: &str) -> bool {
        lenient(patterns.as_bytes()).matched(path, false).is_ignore()
    }

    #[test]
    fn patterns_are_gits() {
        for (patterns, path) in [
            ("\u{feff}key.txt\n", "key.txt"),
            ("key.txt\r\n", "key.txt"),
            ("key{1.txt\n", "key{1.txt"),
            ("key}\n", "key}"),
            ("key{1,2}.txt\n", "key{1,2}.txt"),
            ("\\{a\n", "{a"),
            ("[{a]\n", "{"),
            ("key[[:digit:]].txt\n", "key1.txt"),
            ("[^[:alpha:]_]\n", "1"),
            ("[]1]\n", "]"),
            ("[!a]\n", "b"),
            ("k[a-c]\n", "kb"),
            ("**/a/{b}\n", "x/a/{b}"),
            ("a/***\n", "a/b/c"),
        ] {
            assert!(ignored(patterns, path), "{patterns:?} {path}");
        }
        for (patterns, path) in [
            ("key{1,2}.txt\n", "key1.txt"),
            ("[^[:alpha:]_]\n", "a"),
            ("[[:digit:]]\n", "d"),
            ("[[:wrong:]]x\n", "x"),
            ("#\u{feff}key\n", "key"),
            ("a\n\u{feff}key\n", "key"),
        ] {
            assert!(!ignored(patterns, path), "{patterns:?} {path}");
        }
    }

    #[test]
    fn what_is_no_text_matches_more() {
        let matches = |patterns: &[u8], path: &str| lenient(patterns).matched(path, false).is_ignore();
        assert!(matches(b"k\xffy\n", "kay"));
        assert!(matches(b"*\n!k\xffy\n", "kay"));
    }
}
