//! Findings as GitHub workflow commands: annotations of a pull request's files.

use std::fmt::Write;

use super::location::Places;
use super::{Diagnostic, Severity, inert};
use tree::limits;

/// Annotations of each severity that GitHub shows of one step; further ones are dropped without a word (GitHub's documentation,
/// "Workflow commands", and the limits of the Checks service that runners report to).
const SHOWN: usize = 10;

/// The annotations, most important first, and a line about those that GitHub would not show.
#[must_use]
pub fn render(findings: &[&Diagnostic], places: Places<'_>) -> String {
    let mut out = String::new();
    let mut left_out = Vec::new();
    for (severity, noun) in [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "notice")] {
        let of_severity = || findings.iter().filter(|finding| finding.severity == severity);
        of_severity().take(SHOWN).for_each(|finding| annotation(noun, finding, places, &mut out));
        match of_severity().count().saturating_sub(SHOWN) {
            0 => {}
            1 => left_out.push(format!("1 {noun}")),
            more => left_out.push(format!("{more} {noun}s")),
        }
    }
    if !left_out.is_empty() {
        let sum = left_out.join(", ");
        _ = writeln!(out, "Not annotated: {sum}. GitHub shows {SHOWN} of each kind for one step; the others stand in the log.");
    }
    out
}

fn annotation(command: &str, finding: &Diagnostic, places: Places<'_>, out: &mut String) {
    _ = write!(out, "::{command} ");
    if let Some(at) = places.anchor(finding) {
        let (path, line) = (property(&at.path), at.line);
        _ = write!(out, "file={path},line={line},endLine={line},col={},endColumn={},", at.column, at.end_column);
    }
    _ = writeln!(out, "title={}::{}", property(&finding.code), data(&message(finding, places)));
}

/// The message, further places and advice, a line each.
fn message(finding: &Diagnostic, places: Places<'_>) -> String {
    let mut lines = vec![inert::clipped(&finding.message, limits::MESSAGE_BYTES).into_owned()];
    lines.extend(places.related(finding).into_iter().map(|(text, _)| text));
    let advice = finding.help.iter().take(limits::DIAGNOSTIC_PLACES);
    lines.extend(advice.map(|help| format!("help: {}", inert::clipped(help, limits::MESSAGE_BYTES))));
    lines.join("\n")
}

/// Text after the second `::`, as the runner decodes it.
pub fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Text of a property, which ends at a comma or colon.
pub fn property(text: &str) -> String {
    data(&inert::clipped(text, limits::MESSAGE_BYTES)).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tree::{Sources, Span};

    fn render_all(findings: &[Diagnostic], sources: &Sources) -> String {
        render(&findings.iter().collect::<Vec<_>>(), Places { sources, prefix: "fleet/" })
    }

    #[test]
    fn an_annotation_has_place_title_and_text() {
        let mut sources = Sources::default();
        let file = sources.add("declarations/a.yaml", "name: x\nname: y\n");
        let finding = Diagnostic::declared("twice", Severity::Error, Span::new(file, 8, 12), "the key stands twice");
        let finding = finding.also(Span::new(file, 0, 4), "first here").help("keep one");
        assert_eq!(
            render_all(&[finding], &sources),
            "::error file=fleet/declarations/a.yaml,line=2,endLine=2,col=1,endColumn=5,title=twice::the key stands twice\
             %0Adeclarations/a.yaml:1:1: first here%0Ahelp: keep one\n"
        );
        let finding = Diagnostic::declared("nowhere", Severity::Note, Span::NONE, "message");
        assert_eq!(render_all(&[finding], &sources), "::notice title=nowhere::message\n");
    }

    #[test]
    fn hostile_text_stays_in_its_annotation() {
        let hostile = "a::b%0A,c\r\n::error::x\u{1b}[31m ##[group]";
        let mut sources = Sources::default();
        let file = sources.add(hostile, "x\n");
        let mut finding = Diagnostic::declared("code", Severity::Warning, Span::new(file, 0, 1), hostile).help(hostile);
        finding.code = hostile.to_owned().into();
        let text = render_all(&[finding], &sources);
        assert_eq!(text.lines().count(), 1);
        let (head, data) = text.trim_end()["::warning ".len()..].split_once("::").unwrap();
        let spelt = r"a%3A%3Ab%250A%2Cc\u{d}\u{a}%3A%3Aerror%3A%3Ax\u{1b}[31m ##\u{5b}group]";
        assert_eq!(head, format!("file=fleet/{spelt},line=1,endLine=1,col=1,endColumn=2,title={spelt}"));
        let spelt = r"a::b%250A,c\u{d}\u{a}::error::x\u{1b}[31m ##\u{5b}group]";
        assert_eq!(data, format!("{spelt}%0Ahelp: {spelt}"));
    }

    #[test]
    fn what_github_drops_is_counted() {
        let of = |severity, count| vec![Diagnostic::declared("code", severity, Span::NONE, "message"); count];
        let findings = [of(Severity::Note, 12), of(Severity::Warning, 10), of(Severity::Error, 11)].concat();
        let text = render_all(&findings, &Sources::default());
        let count = |command: &str| text.lines().filter(|line| line.starts_with(command)).count();
        assert_eq!([count("::error "), count("::warning "), count("::notice ")], [10, 10, 10]);
        assert!(text.starts_with("::error "));
        assert!(text.lines().last().unwrap().starts_with("Not annotated: 1 error, 2 notices. "), "{text}");
    }
}
