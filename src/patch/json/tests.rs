//! What JSON patches do, and what is said of wrong ones.

use super::*;
use tree::Sources;
use yaml::to_yaml;

const OBJECT: &str = "\
spec:
  replicas: 3
  containers:
  - name: agent
    args: [--a, --b]
  - name: agent-npc
metadata:
  annotations: {netloom.dev/a: x, m~n: z}
";

/// The object after a patch, and what is wrong with the patch: place, code, message and help.
fn patched(object: &str, patch: &str) -> (String, Vec<String>) {
    let (mut sources, mut findings) = (Sources::default(), Vec::new());
    let [mut object, patch] = [("object.yaml", object), ("", patch)].map(|(name, text)| {
        let file = sources.add(name, text.to_owned());
        yaml::read(text, file, &mut findings).remove(0)
    });
    json(&mut object, &patch, &mut findings);
    let describe = |finding: &Diagnostic| {
        let help = finding.help.iter().map(|help| format!(" ({help})")).collect::<String>();
        format!("{} {}: {}{help}", &sources.locate(finding.span)[1..], finding.code, finding.message)
    };
    (to_yaml(&object), findings.iter().map(describe).collect())
}

fn result(object: &str, patch: &str) -> String {
    let (text, findings) = patched(object, patch);
    assert_eq!(findings, [""; 0]);
    text
}

/// The findings of a patch, which must leave the object as it was.
fn refused(patch: &str) -> Vec<String> {
    let (text, findings) = patched(OBJECT, patch);
    assert_eq!(text, result(OBJECT, "[]"));
    findings
}

#[test]
fn add_sets_keys_and_inserts_elements() {
    let patch = "\
- {op: add, path: /a/0, value: x}
- {op: add, path: /a/-, value: z}
- {op: add, path: /b, value: {c: 1}}
- {op: add, path: /b/c, value: null}
- {op: add, path: /b/, value: 2}
";
    assert_eq!(result("a: [v]\n", patch), "a:\n- x\n- v\n- z\nb:\n  c: null\n  \"\": 2\n");
}

#[test]
fn remove_and_replace() {
    let patch = "[{op: remove, path: /a/0}, {op: replace, path: /a/0, value: x}, {op: remove, path: /b}]";
    assert_eq!(result("a: [u, v, w]\nb: 1\n", patch), "a:\n- x\n- w\n");
    assert_eq!(result("a: 1\n", "[{op: replace, path: '', value: {b: 2}}]"), "b: 2\n");
}

#[test]
fn move_and_copy() {
    let patch = "[{op: move, from: /a, path: /d/0}, {op: copy, from: /d/0/b, path: /c}]";
    assert_eq!(result("a: {b: 1}\nc: 0\nd: []\n", patch), "c: 1\nd:\n- b: 1\n");
}

#[test]
fn pointers_are_escaped() {
    let patch = "[{op: remove, path: /a~1b}, {op: replace, path: /c~0d, value: 2}, {op: test, path: /e~01, value: 3}]";
    assert_eq!(result("{a/b: 1, c~d: 1, e~1: 3}", patch), "c~d: 2\ne~1: 3\n");
}

#[test]
fn a_replaced_value_is_remembered() {
    let (mut object, patch) = (node("a: 1\n"), node("[{op: replace, path: /a, value: 2}, {op: add, path: /a, value: 3}]"));
    json(&mut object, &patch, &mut Vec::new());
    let newest = object.get("a").expect("there");
    let older = newest.overrode.as_deref().expect("overridden");
    assert_eq!([newest, older, older.overrode.as_deref().expect("twice")].map(Node::as_int), [Some(3), Some(2), Some(1)]);
}

fn node(text: &str) -> Node {
    yaml::read(text, Sources::default().add("", text.to_owned()), &mut Vec::new()).remove(0)
}

#[test]
fn what_is_not_there_is_named_with_the_nearest_key() {
    let patch = "\
- {op: replace, path: /spec/replcas, value: 1}
- {op: remove, path: /spec/contaners/0/args}
- {op: remove, path: /spec/containers/2}
- {op: remove, path: /spec/containers/agent-npc}
- {op: add, path: /spec/containers/0/args/5, value: x}
- {op: add, path: /spec/replicas/x, value: x}
- {op: add, path: /status/x, value: x}
- {op: copy, from: /spec/containers/1/args, path: /spec/x}
- {op: remove, path: /spec/containers/01}
";
    assert_eq!(
        refused(patch),
        [
            "1:23 patch-no-match: `/spec/replcas` does not exist: `/spec` has no `replcas` (did you mean `replicas`?)",
            "2:22 patch-no-match: `/spec/contaners/0/args` does not exist: `/spec` has no `contaners` (did you mean `containers`?)",
            "3:22 patch-no-match: `/spec/containers/2` does not exist: `/spec/containers` has the elements 0 to 1",
            "4:22 patch-no-match: `/spec/containers/agent-npc` does not exist: `/spec/containers` has the elements 0 to 1 \
                 (the element with `name: agent-npc` is 1)",
            "5:19 patch-no-match: `/spec/containers/0/args/5` does not exist: `/spec/containers/0/args` has the elements 0 to 1",
            "6:19 patch-no-match: `/spec/replicas/x` does not exist: `/spec/replicas` is an integer",
            "7:19 patch-no-match: `/status/x` does not exist: the object has no `status`",
            "8:20 patch-no-match: `/spec/containers/1/args` does not exist: `/spec/containers/1` has no `args`",
            "9:22 patch-no-match: `/spec/containers/01` does not exist: `/spec/containers` has the elements 0 to 1",
        ]
    );
}

#[test]
fn what_only_fails_because_of_an_earlier_operation_is_not_reported() {
    let patch = "\
- {op: replace, path: /spec/strategy, value: {type: x}}
- {op: add, path: /spec/strategy/rollingUpdate, value: {}}
- {op: test, path: /spec/replicas, value: 4}
";
    assert_eq!(
        refused(patch),
        [
            "1:23 patch-no-match: `/spec/strategy` does not exist: `/spec` has no `strategy`",
            "3:43 patch-no-match: the test fails: `/spec/replicas` is `3`, not `4`",
        ]
    );
}

#[test]
fn a_test_compares_whole_values() {
    assert_eq!(result("a: {b: [1, x]}\n", "[{op: test, path: /a, value: {b: [1, x]}}]"), "a:\n  b:\n  - 1\n  - x\n");
    assert_eq!(
        refused("[{op: test, path: /spec, value: {}}, {op: test, path: /metadata/x, value: null}]"),
        [
            "1:33 patch-no-match: the test fails: `/spec` has another value",
            "1:55 patch-no-match: `/metadata/x` does not exist: `/metadata` has no `x`",
        ]
    );
}

#[test]
fn the_form_of_operations_is_checked_before_any_is_applied() {
    let patch = "\
- {op: replace, path: /spec/replicas, value: 1}
- {op: replce, path: /a, value: 1}
- {op: add, path: /a}
- {op: add, path: a.b, value: 1}
- {op: add, path: /a~b, value: 1}
- {op: add, path: 5, value: 1}
- {op: move, from: /spec, path: /spec/x}
- {op: remove, path: ''}
- {op: add, path: /a, vale: 1}
- remove
";
    assert_eq!(
        refused(patch),
        [
            "2:8 patch-invalid: `replce` is no operation (did you mean `replace`?)",
            "3:3 patch-invalid: the operation lacks `value`",
            "4:19 patch-invalid: `a.b` is no JSON pointer (write `/a/b`)",
            "5:19 patch-invalid: `/a~b`: after `~` stands 0 (for `~`) or 1 (for `/`)",
            "6:19 patch-invalid: a JSON pointer is a string, and this is an integer",
            "7:33 patch-invalid: `/spec` cannot move into itself",
            "8:22 patch-invalid: the whole object cannot be removed or be the goal of a move (an object is removed by a merge patch \
             with `$patch: delete`, or by a program that gives `null`)",
            "9:23 patch-invalid: an operation has no `vale` (did you mean `value`?)",
            "10:3 patch-invalid: an operation is a mapping, and this is a string",
        ]
    );
    let nothing = "1:22 patch-invalid: the whole object cannot be removed (an object is removed by a merge patch with \
                   `$patch: delete`, or by a program that gives `null`)";
    assert_eq!(refused("[{op: replace, path: '', value: null}, {op: test, path: '', value: null}]"), [nothing]);
    assert_eq!(refused("a: 1\n"), ["1:1 patch-invalid: a JSON patch is a list of operations, and this is a mapping"]);
}
