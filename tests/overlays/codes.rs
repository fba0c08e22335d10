//! Every rule has a code, and a test that shows it broken: an assertion of an overlay in a case file below `tests/cases`, with what it
//! says there; a rule of the core in a case file or in a unit test.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use netloom::engine::overlay::library::{self, Library};
use netloom::findings::rules;
use netloom::tree::Sources;

/// The texts of the files below a folder of the repository.
fn texts(folder: &str, ending: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file());
    let named = files.map(|file| (file.path().to_str().unwrap().to_owned(), file));
    named
        .filter(|(name, _)| name.ends_with(ending))
        .map(|(name, file)| (name, fs::read_to_string(file.path()).unwrap()))
        .collect()
}

/// Code and message of a finding, as a line of a case file says it: `error[CODE]: MESSAGE`. In JSON the code has a line of its own.
fn finding(line: &str) -> Option<(&str, &str)> {
    if let Some(code) = line.trim_start().strip_prefix("\"code\": \"") {
        return Some((code.trim_end_matches("\","), ""));
    }
    let (_, rest) = ["error[", "warning[", "note["].iter().find_map(|severity| line.split_once(severity))?;
    let (code, message) = rest.split_once(']')?;
    Some((code, message.trim_start_matches(':').trim_start()))
}

/// Whether a message can have come of a template: it has the template's own words, in their order.
fn comes_of(message: &str, template: &str) -> bool {
    let words = template.split("{{").enumerate().map(|(at, part)| if at == 0 { part } else { part.split("}}").last().unwrap() });
    let find = |rest: &str, part: &str| rest.find(part.trim()).map(|at| at + part.trim().len());
    let mut rest = message;
    words.into_iter().all(|part| find(rest, part).map(|end| rest = &rest[end..]).is_some())
}

#[test]
fn every_assertion_is_shown_broken_by_a_case() {
    let cases = texts("tests/cases", ".txt");
    let shown: Vec<_> = cases.iter().flat_map(|(_, text)| text.lines()).filter_map(finding).collect();
    let mut sources = Sources::default();
    library::embed(&mut sources);
    let library = Library::read(&Arc::new(sources), "none", &mut Vec::new());
    let mut missing: Vec<String> = Vec::new();
    for overlay in library.iter() {
        let is_shown = |code: &str, message: &str| shown.iter().any(|one| one.0 == code && comes_of(one.1, message));
        let assertions = overlay.spec().assertions.iter().filter(|rule| !is_shown(&rule.code, &rule.message));
        missing.extend(assertions.map(|rule| format!("{}: {}", rule.code, rule.message)));
        missing.extend(overlay.codes().filter(|code| !is_shown(code, "")).map(ToOwned::to_owned));
    }
    assert!(missing.is_empty(), "in no case:\n{}", missing.join("\n"));
}

#[test]
fn every_rule_of_the_core_is_shown_broken_by_a_test() {
    let cases = texts("tests/cases", ".txt");
    let shown: Vec<&str> = cases.iter().flat_map(|(_, text)| text.lines()).filter_map(finding).map(|(code, _)| code).collect();
    let mut tests = texts("src", ".rs");
    for (name, text) in &mut tests {
        if !name.ends_with("tests.rs") {
            *text = text.split_once("#[cfg(test)]").map(|(_, tests)| tests.to_owned()).unwrap_or_default();
        }
    }
    let in_test = |code: &str| {
        let forms = [format!("\"{code}\""), format!("\"{code}:"), format!("\"{code} "), format!("[{code}]")];
        tests.iter().any(|(_, text)| forms.iter().any(|form| text.contains(form)))
    };
    // The cases of `netloom diff` have a form of their own, which lists codes as words.
    let differences = texts("tests/cases/diff", ".txt");
    let in_diff = |code: &str| differences.iter().any(|(_, text)| text.split_whitespace().any(|word| word == code));
    let codes = rules::ALL.iter().map(|rule| rule.code);
    let missing: Vec<&str> = codes.filter(|code| !shown.contains(code) && !in_test(code) && !in_diff(code)).collect();
    assert_eq!(missing, [""; 0], "in no case and no unit test");
}
