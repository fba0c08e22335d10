//! Text from files, made harmless for terminals, logs and reviews.
//!
//! Names, messages and quoted lines come from strangers' pull requests. Escape sequences drive a terminal (CVE-2021-25743),
//! text-direction characters show another order than the one compiled (CVE-2021-42574), and CI runners take commands out of
//! the log: GitHub those that begin a line with `::` and any `##[`, Azure any `##vso[`, TeamCity any `##teamcity[`.

use std::borrow::Cow;

use tree::is_hidden;

/// One line of text for people: whatever does not print as itself stands as `\u{…}`.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    let start = text.len() - text.trim_start().len();
    let command = text[start..].starts_with("::");
    if !command && !text.contains("##") && !text.chars().any(is_live) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for (at, c) in text.char_indices() {
        if is_live(c) || opens_command(text, at, c) || (command && at == start) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// [`line()`], cut to `limit` bytes of the text; names in hostile input can be a megabyte long.
#[must_use]
pub fn clipped(text: &str, limit: usize) -> Cow<'_, str> {
    let end = boundary(text, limit);
    if end == text.len() { line(text) } else { Cow::Owned(line(&text[..end]).into_owned() + "…") }
}

/// [`line()`] as text of an element, or as the value of a quoted attribute, in HTML, SVG and XML: nothing of it is markup.
#[must_use]
pub fn markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in line(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Characters that text may hold and XML has no way to write.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Text in lines of up to `width` characters where words allow it, each as [`line()`] has it.
#[must_use]
pub fn wrapped(text: &str, width: usize) -> String {
    let (mut out, mut row) = (String::new(), String::new());
    for paragraph in text.lines() {
        for word in paragraph.split(' ') {
            if !row.is_empty() && row.chars().count() + 1 + word.chars().count() > width {
                out.extend([&*line(&row), "\n"]);
                row.clear();
            } else if !row.is_empty() {
                row.push(' ');
            }
            row.push_str(word);
        }
        out.extend([&*line(&row), "\n"]);
        row.clear();
    }
    out
}

/// The last boundary between characters up to byte `at`, or the text's end.
pub(super) fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// One line of source, character for character, so that columns stay what they are.
pub(super) fn quoted(text: &str) -> impl Iterator<Item = char> + '_ {
    text.char_indices().map(move |(at, c)| match c {
        '\t' => c,
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER),
        _ if is_live(c) || opens_command(text, at, c) => char::REPLACEMENT_CHARACTER,
        _ => c,
    })
}

/// Whether a character does something to what shows it, other than being seen.
fn is_live(c: char) -> bool {
    c.is_control()
        || is_hidden(c)
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether the bracket at `at` ends a `##[` or `##name[`.
fn opens_command(text: &str, at: usize, c: char) -> bool {
    c == '[' && text[..at].trim_end_matches(|c: char| c.is_ascii_alphabetic()).ends_with("##")
}

/// JSON text with what could be live in a terminal or log written as JSON escapes: the same document.
pub(super) fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        if c != '\n' && (is_live(c) || opens_command(text, at, c)) {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_direction_characters_are_spelt_out() {
        assert_eq!(line("a\u{1b}[31mb\u{9b}c\u{202e}d\r\ne"), r"a\u{1b}[31mb\u{9b}c\u{202e}d\u{d}\u{a}e");
        assert_eq!(line("größe — 名前"), "größe — 名前");
    }

    #[test]
    fn commands_of_ci_runners_are_broken() {
        assert_eq!(line("##[error]x"), r"##\u{5b}error]x");
        assert_eq!(line("a ##vso[task.complete]"), r"a ##vso\u{5b}task.complete]");
        assert_eq!(line("## a [link]"), "## a [link]");
        assert_eq!(line(" ::error::x"), r" \u{3a}:error::x");
        assert_eq!(line("a::b"), "a::b");
    }

    #[test]
    fn markup_is_text() {
        let evil = "</title><script>alert('x')</script>\n::error::&amp; \"on=\" `a` ##[error]\u{202e}\u{ffff}";
        let expected = "&lt;/title&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;\\u{a}::error::&amp;amp; &quot;on=&quot; `a` \
                        ##\\u{5b}error]\\u{202e}\u{fffd}";
        assert_eq!(markup(evil), expected);
        assert_eq!(markup("::error::x"), "\\u{3a}:error::x");
    }

    #[test]
    fn long_text_is_wrapped_at_words() {
        assert_eq!(wrapped("one two three\n\nfour ::x", 7), "one two\nthree\n\nfour\n\\u{3a}:x\n");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(clipped("aäb", 2), "a…");
        assert_eq!(clipped("aäb", 4), "aäb");
    }

    #[test]
    fn a_quoted_line_keeps_its_columns() {
        let text = "a: \u{1b}[0m \u{202e}x ##[group]";
        let shown: String = quoted(text).collect();
        assert_eq!(shown, "a: ␛[0m �x ##�group]");
        assert_eq!(shown.chars().count(), text.chars().count());
    }

    #[test]
    fn json_is_the_same_document() {
        let value = serde_json::json!({"a": "##[x] \u{202e}\u{9b}\u{e0041}"});
        let text = json(&value.to_string());
        assert_eq!(text, r###"{"a":"##\u005bx] \u202e\u009b\udb40\udc41"}"###);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
