use super::*;
use crate::to_yaml;
use tree::Sources;

/// The findings for a text, each as `code line:column message`.
fn findings(text: &str) -> Vec<String> {
    let mut sources = Sources::default();
    let file = sources.add("a.yaml", text.to_owned());
    let mut findings = Vec::new();
    read(text, file, &mut findings);
    let line = |finding: &Diagnostic| {
        let at = sources.position(finding.span).unwrap();
        format!("{} {}:{} {}", finding.code, at.line, at.column, finding.message)
    };
    findings.iter().map(line).collect()
}

fn documents(text: &str) -> Vec<Node> {
    let file = Sources::default().add("a.yaml", text.to_owned());
    let mut findings = Vec::new();
    let documents = read(text, file, &mut findings);
    assert_eq!(findings, []);
    documents
}

#[test]
fn plain_scalars_that_all_readers_agree_on() {
    let node = &documents("[a, 1, -2, 0, 1.5, true, null, ~, v1.22.0, 10.0.0.0/8, 1.32.x, 0x, 5Mi, '014', \"no\", a:b]")[0];
    let json = node.to_json();
    let expected = r#"["a",1,-2,0,1.5,true,null,null,"v1.22.0","10.0.0.0/8","1.32.x","0x","5Mi","014","no","a:b"]"#;
    assert_eq!(json.to_string(), expected);
}

#[test]
fn scalars_that_readers_disagree_on_are_refused() {
    for text in [
        "no",
        "Yes",
        "on",
        "OFF",
        "y",
        "N",
        "014",
        "0644",
        "08",
        "1_000",
        "12:30",
        "12:30:45",
        "2001-12-14",
        "0x1F",
        "0o17",
        "0b1",
        "1e3",
        ".inf",
        "-.INF",
        ".NaN",
        "=",
        "1_0.5",
        "99999999999999999999",
    ] {
        let found = findings(&format!("key: {text}"));
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].starts_with("yaml-ambiguous 1:6 "), "{text}: {found:?}");
    }
}

#[test]
fn everything_wrong_is_reported_in_one_run_with_its_place() {
    let found = findings("a: 1\nb: !Ref x\nc: &anchor {d: no}\na: *anchor\n<<: {}\n");
    assert_eq!(
        found,
        [
            "yaml-tag 2:9 this value has the tag `!Ref`",
            "yaml-alias 3:4 the anchor `&anchor` stands here",
            "yaml-ambiguous 3:16 YAML 1.1 and 1.2 read `no` differently",
            "yaml-duplicate-key 4:1 the key `a` stands twice in one mapping",
            "yaml-merge-key 5:1 a merge key (`<<`) stands here",
        ]
    );
}

#[test]
fn hidden_characters_are_refused_written_or_escaped() {
    assert_eq!(findings("a: \"x\\u202ey\""), ["hidden-character 1:4 the text contains the invisible character U+202E"]);
    assert_eq!(findings("a\u{200b}: 1")[0], "hidden-character 1:1 the text contains the invisible character U+200B");
    assert_eq!(findings("a: \"\\0\"")[0], "hidden-character 1:4 the text contains the invisible character U+0000");
}

#[test]
fn a_hidden_character_is_found_wherever_it_stands() {
    for c in '\0'..=char::MAX {
        let expected = |at: usize| is_hidden(c).then_some((at, c));
        assert_eq!(hidden(&c.to_string()), expected(0), "{c:?}");
        assert_eq!(hidden(&format!("é…{c}\r\n\tb")), expected(5), "{c:?}");
    }
}

#[test]
fn limits_end_the_reading() {
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    assert!(findings(&deep)[0].starts_with("limit 1:65 more than 64 levels of nesting"), "{:?}", findings(&deep));
    let blocks: String = (0..100).map(|depth| format!("{}a:\n", "  ".repeat(depth))).collect();
    assert!(findings(&blocks)[0].starts_with("limit 65:"));
    let wide = format!("[{}]", "1,".repeat(limits::YAML_NODES + 1));
    assert!(findings(&wide)[0].contains("more than 200000 values in one file"));
}

#[test]
fn syntax_errors_have_a_place() {
    assert!(findings("a: [1\nb: 2")[0].starts_with("yaml-syntax 2:"), "{:?}", findings("a: [1\nb: 2"));
    assert!(findings("a:\n\tb: 2")[0].starts_with("yaml-syntax 2:"), "{:?}", findings("a:\n\tb: 2"));
}

#[test]
fn spans_cover_what_was_written() {
    let text = "spec:\n  zones: [a, bc]\n  text: |\n    one\n    two\nnext: 1\n";
    let node = &documents(text)[0];
    let slice = |node: &Node| &text[node.span.start as usize..node.span.end as usize];
    assert_eq!(slice(node.get("spec").unwrap().get("zones").unwrap()), "[a, bc]");
    assert_eq!(slice(&node.get("spec").unwrap().get("zones").unwrap().as_list().unwrap()[1]), "bc");
    assert_eq!(slice(node.get("spec").unwrap()), "zones: [a, bc]\n  text: |\n    one\n    two");
}

/// Texts that some reader takes for something else, or that need an escape.
#[rustfmt::skip]
const TRICKY: [&str; 56] = [
    "", " ", "a", "no", "y", "Null", "~", "1", "-1", "1.0", "1e3", "0x1f", "014", "12:30", "2001-12-14", "=", "<<",
    "- a", "a: b", "a:", "a #b", "#", "&a", "*a", "!a", "%a", "@a", "`a", "'a'", "\"a\"", "{a}", "[a]", "a, b", "a\nb",
    "a\nb\n", "a\nb\n\n", "\na", " a\nb", "a \nb", "a\n\nb\n", "tab\there", "é", "日本", "{{ x }}", "${x}", "| a", "> a",
    "?", "? a", "-", "---", "...", "a\\b", "true", "trailing ", "\u{1f600}",
];

/// Whatever is written is read back as the same value by the strict reader, which refuses what YAML 1.1 reads differently.
#[test]
fn what_is_written_is_read_back() {
    for text in TRICKY {
        let value = Node::map([
            ("key", Node::from(text)),
            ("list", Node::from(vec![Node::from(text), Node::map([(text, Node::from(1))])])),
        ]);
        let written = to_yaml(&value);
        assert_eq!(documents(&written), [value], "{written}");
    }
}

#[test]
fn the_form_of_what_is_written() {
    let text = "b: 1\na:\n- x: [ ]\n  z: { }\n- - 1\n  - 2\nmulti: |\n  one\n    two\n";
    assert_eq!(to_yaml(&documents(text)[0]), "b: 1\na:\n- x: []\n  z: {}\n- - 1\n  - 2\nmulti: |\n  one\n    two\n");
}
