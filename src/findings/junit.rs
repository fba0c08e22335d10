//! Findings as JUnit XML, which most CI systems show as test results.

use std::fmt::Write;

use indexmap::IndexMap;

use super::location::Places;
use super::{Diagnostic, Human, Severity, inert};
use tree::limits;

/// The suite of findings that no file of the repository has a part in.
const ELSEWHERE: &str = "netloom";

/// A test suite for what a command did, with a case for each of `parts` (where there are neither parts nor findings, one for the
/// whole, because a report without a test counts as broken), and a suite for each file with findings in it.
///
/// Errors and warnings are failures; a note passes, and is what its test printed.
#[must_use]
pub fn render(command: &str, parts: &[&str], findings: &[Diagnostic], places: Places<'_>) -> String {
    let mut suites: IndexMap<String, Vec<&Diagnostic>> = IndexMap::new();
    for finding in findings {
        let path = places.anchor(finding).map_or_else(|| ELSEWHERE.to_owned(), |at| at.path);
        suites.entry(path).or_default().push(finding);
    }
    let whole = [command];
    let parts = if parts.is_empty() && findings.is_empty() { &whole } else { parts };
    let name = attribute(&format!("netloom {command}"));
    let (tests, failures) = (parts.len() + findings.len(), findings.iter().filter(|finding| fails(finding)).count());
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">\n"
    );
    if !parts.is_empty() {
        open(&name, parts.len(), 0, &mut out);
        let case = |part: &&str| format!("    <testcase name=\"{}\" classname=\"{name}\"/>\n", attribute(part));
        out.extend(parts.iter().map(case));
        out.push_str("  </testsuite>\n");
    }
    for (path, findings) in suites {
        let path = attribute(&path);
        open(&path, findings.len(), findings.iter().filter(|finding| fails(finding)).count(), &mut out);
        findings.iter().for_each(|finding| case(&path, finding, places, &mut out));
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn fails(finding: &Diagnostic) -> bool {
    finding.severity > Severity::Note
}

fn open(name: &str, tests: usize, failures: usize, out: &mut String) {
    _ = writeln!(out, "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\">");
}

/// One finding: its code and place are the name, the text for people is what the test says.
fn case(path: &str, finding: &Diagnostic, places: Places<'_>, out: &mut String) {
    let place = places.anchor(finding).map_or_else(String::new, |at| format!(" at {}:{}", at.line, at.column));
    let name = attribute(&format!("{}{place}", finding.code));
    let text = element(Human { color: false }.render([finding], places.sources).trim_end());
    _ = writeln!(out, "    <testcase name=\"{name}\" classname=\"{path}\">");
    let kind = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => {
            _ = writeln!(out, "      <system-out>{text}</system-out>\n    </testcase>");
            return;
        }
    };
    let message = attribute(&finding.message);
    _ = writeln!(out, "      <failure type=\"{kind}\" message=\"{message}\">{text}</failure>\n    </testcase>");
}

/// The value of an attribute.
fn attribute(text: &str) -> String {
    element(&inert::clipped(text, limits::MESSAGE_BYTES)).replace('"', "&quot;")
}

/// Text of an element. `>` is escaped for the sake of `]]>`; XML has no way at all to write two characters that Rust's text may hold.
fn element(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    escaped.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tree::{Sources, Span};

    #[test]
    fn findings_stand_by_file_beside_what_was_done() {
        let mut sources = Sources::default();
        let file = sources.add("declarations/a.yaml", "name: x\n");
        let of = |severity, span| Diagnostic::declared("code", severity, span, "it's <this> & \"that\"");
        let findings = [of(Severity::Error, Span::new(file, 6, 7)), of(Severity::Note, Span::NONE)];
        let places = Places { sources: &sources, prefix: "" };
        assert_eq!(
            render("check", &["clusters/a", "networks/b"], &findings, places),
            r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="netloom check" tests="4" failures="1" errors="0">
  <testsuite name="netloom check" tests="2" failures="0" errors="0" skipped="0">
    <testcase name="clusters/a" classname="netloom check"/>
    <testcase name="networks/b" classname="netloom check"/>
  </testsuite>
  <testsuite name="declarations/a.yaml" tests="1" failures="1" errors="0" skipped="0">
    <testcase name="code at 1:7" classname="declarations/a.yaml">
      <failure type="error" message="it's &lt;this&gt; &amp; &quot;that&quot;">error[code]: it's &lt;this&gt; &amp; "that"
 --&gt; declarations/a.yaml:1:7
  |
1 | name: x
  |       ^</failure>
    </testcase>
  </testsuite>
  <testsuite name="netloom" tests="1" failures="0" errors="0" skipped="0">
    <testcase name="code" classname="netloom">
      <system-out>note[code]: it's &lt;this&gt; &amp; "that"</system-out>
    </testcase>
  </testsuite>
</testsuites>
"#
        );
        let text = render("import", &[], &[], places);
        assert!(text.contains("<testcase name=\"import\" classname=\"netloom import\"/>"), "{text}");
    }

    #[test]
    fn hostile_text_is_text() {
        let hostile = "]]></failure><!-- \u{0}\u{1b}[31m \u{fffe}\u{ffff} &quot; \r\n::error::x ##[group]";
        let mut sources = Sources::default();
        let file = sources.add(hostile, hostile);
        let mut finding = Diagnostic::declared("code", Severity::Error, Span::new(file, 0, 1), hostile).help(hostile);
        finding.code = hostile.to_owned().into();
        let text = render(hostile, &[hostile], &[finding], Places { sources: &sources, prefix: "" });
        assert_eq!(text.matches("</failure>").count(), 1);
        let dead = |c: char| matches!(c, '\u{fffe}' | '\u{ffff}') || (c.is_control() && c != '\n');
        assert!(!text.contains(dead) && !text.contains("]]>") && !text.contains("<!--"), "{text}");
        assert!(!text.lines().any(|line| line.trim_start().starts_with("::")) && !text.contains("##["), "{text}");
    }
}
