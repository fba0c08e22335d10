//! Text from declarations and overlays as Markdown that shows it and does nothing else.

/// Escapes text for a paragraph or a table's cell: no emphasis, link, HTML or column begins in it. What stands between two
/// backticks stays code, which does no harm.
#[must_use]
pub(crate) fn escape(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return plain(text);
    }
    let shown = |(at, part): (usize, &&str)| match (at % 2, part.is_empty()) {
        (1, false) => code(part),
        (1, true) => "\\`\\`".to_owned(),
        _ => plain(part),
    };
    parts.iter().enumerate().map(shown).collect()
}

fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '#' | '$' => {
                out.push('\\');
                out.push(c);
            }
            // `https://` and `www.` become links in GitHub's Markdown.
            ':' if ends_with(&out, "http") || ends_with(&out, "https") => out.push_str("&#58;"),
            '.' if ends_with(&out, "www") => out.push_str("&#46;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// Whether `text` ends with `word`, in either case.
fn ends_with(text: &str, word: &str) -> bool {
    text.as_bytes().iter().rev().zip(word.as_bytes().iter().rev()).filter(|(a, b)| a.eq_ignore_ascii_case(b)).count()
        == word.len()
}

/// Text as a code span that may stand in a table's cell.
#[must_use]
pub(crate) fn code(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{}{pad}{fence}", text.replace('|', "\\|"))
}

/// Text of several lines as a fenced block, whose fence is longer than any in the text.
#[must_use]
pub(crate) fn fenced(language: &str, text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}", text.trim_end())
}

/// Length of the longest run of backticks.
fn longest_run(text: &str) -> usize {
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
