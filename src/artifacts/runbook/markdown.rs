//! Text from declarations and overlays as Markdown that shows it and does nothing else.

use std::borrow::Cow;

/// Escapes text for a paragraph or a table's cell: no emphasis, link, HTML or column begins in it. What stands between two
/// backticks stays code, which does no harm.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    let ticks = text.bytes().filter(|byte| *byte == b'`').count();
    if ticks == 0 || !ticks.is_multiple_of(2) {
        return plain(text);
    }
    let shown = |(at, part): (usize, &str)| match at % 2 {
        1 if part.is_empty() => "\\`\\`".to_owned(),
        1 => code(part),
        _ => plain(part).into_owned(),
    };
    text.split('`').enumerate().map(shown).collect::<String>().into()
}

fn plain(text: &str) -> Cow<'_, str> {
    let (mut out, mut from) = (String::new(), 0);
    // Runbooks are long, and most of a text is as it is.
    for at in (0..text.len()).filter(|at| may_be_markup(text.as_bytes(), *at)) {
        let (before, rest) = (text.get(from..at).unwrap_or_default(), text.get(at..).unwrap_or_default());
        let Some(c) = rest.chars().next() else { continue };
        out.push_str(before);
        from = at + c.len_utf8();
        match c {
            // `https://` and `www.` become links in GitHub's Markdown.
            ':' if ends_with(&out, "http") || ends_with(&out, "https") => out.push_str("&#58;"),
            '.' if ends_with(&out, "www") => out.push_str("&#46;"),
            ':' | '.' => out.push(c),
            c if c.is_control() => out.push(' '),
            c if c.is_ascii() => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    if from == 0 {
        return text.into();
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out.into()
}

/// Bytes that are markup or a control character, or the first one of such a character (those from U+0080 on begin with 0xC2), or
/// what `http:`, `https:` and `www.` end in.
static CANDIDATES: [bool; 256] = {
    let markup = b"\\`*_[]<>|~&#$:.\x7F\xC2";
    let (mut candidates, mut at) = ([false; 256], 0);
    while at < 256 {
        candidates[at] = at < 0x20;
        at += 1;
    }
    at = 0;
    while at < markup.len() {
        candidates[markup[at] as usize] = true;
        at += 1;
    }
    candidates
};

/// Whether there may be something to escape at `at`.
fn may_be_markup(text: &[u8], at: usize) -> bool {
    let Some(byte) = text.get(at).filter(|byte| CANDIDATES.get(usize::from(**byte)) == Some(&true)) else { return false };
    let before = || at.checked_sub(1).and_then(|before| text.get(before)).map(u8::to_ascii_lowercase);
    match byte {
        b':' => matches!(before(), Some(b'p' | b's')),
        b'.' => before() == Some(b'w'),
        _ => true,
    }
}

/// Whether `text` ends with `word`, in either case.
fn ends_with(text: &str, word: &str) -> bool {
    let end = text.len().checked_sub(word.len()).and_then(|start| text.as_bytes().get(start..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(word.as_bytes()))
}

/// Text as a code span that may stand in a table's cell.
#[must_use]
pub fn code(text: &str) -> String {
    // The first byte of control characters from U+0080 on is 0xC2.
    if !text.bytes().any(|byte| matches!(byte, 0..b' ' | 0x7F | 0xC2 | b'`' | b'|')) {
        return ["`", text, "`"].concat();
    }
    let fence = "`".repeat(longest_run(text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{}{pad}{fence}", text.replace(char::is_control, " ").replace('|', "\\|"))
}

/// Text of several lines as a fenced block, whose fence is longer than any in the text.
#[must_use]
pub fn fenced(language: &str, text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}", text.trim_end())
}

/// Length of the longest run of backticks.
fn longest_run(text: &str) -> usize {
    if !text.contains('`') {
        return 0;
    }
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_shown_rather_than_done() {
        assert_eq!(escape("a | **b** <img src=x> [c](d)"), r"a \| \*\*b\*\* \<img src=x\> \[c\](d)");
        assert_eq!(escape("HTTPS://x WWW.y"), "HTTPS&#58;//x WWW&#46;y");
        assert_eq!(
            escape("see https://example.com, www.example.com\n# no"),
            r"see https&#58;//example.com, www&#46;example.com \# no"
        );
        assert_eq!(escape("a\u{85}b\u{7f}·é→*"), r"a b ·é→\*");
    }

    #[test]
    fn backticks_in_pairs_are_code() {
        assert_eq!(escape("run `a|b *c*`, *then*"), r"run `a\|b *c*`, \*then\*");
        assert_eq!(escape("a ` *b*"), r"a \` \*b\*");
        assert_eq!(escape("``<x>``"), r"\`\`\<x\>\`\`");
    }

    #[test]
    fn ordinary_ranges_and_names_stay_readable() {
        assert_eq!(escape("fd00:90de::/48 of prod-usw2, 172.20.0.0/16"), "fd00:90de::/48 of prod-usw2, 172.20.0.0/16");
    }

    #[test]
    fn code_keeps_backticks_and_columns_inside() {
        assert_eq!(code("a`b|c"), r"``a`b\|c``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(fenced("yaml", "x: ```\n"), "````yaml\nx: ```\n````");
    }
}
