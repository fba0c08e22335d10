//! What a declaration gives is data in a runbook, too: no markup, and no part of a command that somebody pastes at night.

use super::Authors;
use findings::{Diagnostic, rules};

/// Begins and ends a block of commands.
const FENCE: &str = "```";
/// What a shell takes for itself, anywhere in a word.
const SHELL: &[char] =
    &[' ', '\t', '\n', ';', '&', '|', '<', '>', '(', ')', '{', '}', '$', '`', '\\', '"', '\'', '*', '?', '!', '#', '~'];
/// Shorter texts stand in every runbook.
const BYTES: usize = 3;

/// Reports texts of declarations that are markup or commands of their own in an overlay's `sections` of a runbook; the page around them
/// escapes what it shows.
pub fn check(sections: &[String], authors: &Authors<'_>, findings: &mut Vec<Diagnostic>) {
    let risky = |text: &str| text.len() >= BYTES && (is_markup(text) || text.contains(SHELL));
    for (text, span) in authors.texts().filter(|(text, _)| risky(text)) {
        let text = text.trim();
        for section in sections.iter().filter(|section| section.contains(text)) {
            let what = match commands(section).contains(text) && text.contains(SHELL) {
                true => "would be read by a shell",
                false if is_markup(text) => "would be markup",
                false => continue,
            };
            let message = format!("this text {what} in the runbook, where an overlay shows it");
            findings.push(Diagnostic::new(&rules::RUNBOOK_INJECTION, span, message));
            break;
        }
    }
}

/// Whether a text ends the code span or the line that it stands in, or makes a link or a tag.
fn is_markup(text: &str) -> bool {
    text.trim().contains(['\n', '\r', '`', '<']) || text.contains("](")
}

/// The blocks of commands in a page.
fn commands(page: &str) -> String {
    let mut inside = false;
    let mut lines = String::new();
    for line in page.lines() {
        if line.trim_start().starts_with(FENCE) {
            inside = !inside;
        } else if inside {
            lines.extend([line, "\n"]);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_what_fences_hold() {
        assert_eq!(commands("a\n```sh\nb\nc\n```\nd\n  ```\ne\n"), "b\nc\ne\n");
    }
}
