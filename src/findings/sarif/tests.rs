use super::*;
use tree::{Sources, Span};

const CHECK: Invocation<'_> = Invocation { command: "check", exit: 1, done: true };

fn run(findings: &[Diagnostic], rules: &[Rule], sources: &Sources) -> Value {
    render(CHECK, findings, rules, Places { sources, prefix: "fleet/" })["runs"][0].take()
}

fn hashes(text: &str) -> Vec<String> {
    let mut sources = Sources::default();
    let file = sources.add("a.yaml", text.to_owned());
    let starts = text.match_indices("bad").map(|(at, _)| at);
    let findings: Vec<_> =
        starts.map(|at| Diagnostic::declared("code", Severity::Error, Span::new(file, at, at + 3), format!("at {at}"))).collect();
    let run = run(&findings, &[], &sources);
    let hash = |result: &Value| result["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap().to_owned();
    run["results"].as_array().unwrap().iter().map(hash).collect()
}

#[test]
fn a_result_has_place_rule_and_further_places() {
    let mut sources = Sources::default();
    let file = sources.add("declarations/a b.yaml", "name: x\nname: y\n");
    let finding = Diagnostic::declared("twice", Severity::Error, Span::new(file, 8, 12), "the key stands twice");
    let finding = finding.also(Span::new(file, 0, 4), "first [here](9)").also(Span::NONE, "computed").help("keep one");
    let rule = Rule {
        code: "twice".into(),
        severity: Severity::Warning,
        explanation: "One sentence. Another.".into(),
        help: "keep one of the two".into(),
    };
    let run = run(&[finding], &[rule], &sources);
    assert_eq!(
        run["tool"]["driver"]["rules"],
        json!([{
            "id": "twice",
            "defaultConfiguration": {"level": "warning"},
            "shortDescription": {"text": "One sentence."},
            "fullDescription": {"text": "One sentence. Another."},
            "help": {"text": "One sentence. Another.\nWhat to do: keep one of the two."},
        }])
    );
    let place = |line, end| {
        json!({
            "artifactLocation": {"uri": "fleet/declarations/a%20b.yaml"},
            "region": {"startLine": line, "startColumn": 1, "endLine": line, "endColumn": end},
        })
    };
    let mut result = run["results"][0].clone();
    assert!(result["partialFingerprints"].take().is_object());
    assert_eq!(
        result,
        json!({
            "ruleId": "twice",
            "ruleIndex": 0,
            "level": "error",
            "message": {"text": "the key stands twice\n[declarations/a b.yaml:1:1: first here (9)](1)\n(computed): computed\nhelp: keep one"},
            "locations": [{"physicalLocation": place(2, 5)}],
            "partialFingerprints": null,
            "relatedLocations": [{
                "physicalLocation": place(1, 5),
                "id": 1,
                "message": {"text": "declarations/a b.yaml:1:1: first [here] (9)"},
            }],
        })
    );
    assert_eq!(run["invocations"], json!([{"executionSuccessful": true, "exitCode": 1}]));
}

#[test]
fn what_has_no_place_is_the_projects() {
    let run = run(&[Diagnostic::declared("code", Severity::Note, Span::NONE, "message")], &[], &Sources::default());
    let place = json!([{"physicalLocation": {"artifactLocation": {"uri": "fleet/netloom.yaml"}}}]);
    assert_eq!(run["results"][0]["locations"], place);
    assert_eq!(run["tool"]["driver"]["rules"], json!([{"id": "code", "defaultConfiguration": {"level": "note"}}]));
}

#[test]
fn fingerprints_survive_edits_elsewhere() {
    let before = hashes("a: bad\nb: 1\nc: bad\n");
    assert_ne!(before[0], before[1]);
    assert_eq!(before, hashes("# new\n\nx: 2\n  a:   bad\nc: bad\n"));
    assert_eq!(before[1], hashes("c: bad\n")[0]);
    let twice = hashes("a: bad\nb: 1\na: bad\n");
    assert_eq!(twice[0], before[0]);
    assert_eq!(twice[1], before[0].replace(":1", ":2"));
}

#[test]
fn hostile_text_is_neither_link_nor_command() {
    let hostile = "[x](https://example.com) ](1) \u{202e}\u{1b}[31m\r\n::error::y <b> `z`";
    let mut sources = Sources::default();
    let file = sources.add(format!("\u{202e}%:{hostile}"), hostile);
    let mut finding = Diagnostic::declared("code", Severity::Error, Span::new(file, 0, 1), hostile).help(hostile);
    finding = finding.also(Span::new(file, 2, 3), hostile);
    finding.code = hostile.to_owned().into();
    let rule = Rule { code: hostile.into(), severity: Severity::Error, explanation: hostile.into(), help: hostile.into() };
    let run = run(&[finding], &[rule], &sources);
    let text = run.to_string();
    assert_eq!(text.matches("](").count(), 1, "the link to the further place: {text}");
    assert!(!text.contains('\u{202e}') && !text.contains("\\u001b") && !text.contains("\\r"), "{text}");
    let uri = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
    assert!(uri.starts_with("fleet/%E2%80%AE%25%3A%5Bx%5D%28https%3A//example.com%29"), "{uri}");
}
