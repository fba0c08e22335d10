//! Jsonnet programs in worker processes: values, errors with their places, and programs that mean harm.

#![allow(clippy::unwrap_used)] // helpers of tests stand outside of `#[test]`

use std::path::Path;
use std::sync::Arc;

use netloom::engine::overlay::jsonnet::Jsonnet;
use netloom::findings::{Diagnostic, Human};
use netloom::tree::Sources;
use serde_json::{Value, json};

fn netloom() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_netloom"))
}

fn sources(files: &[(&str, &str)]) -> Arc<Sources> {
    let mut sources = Sources::default();
    for (path, text) in files {
        sources.add(*path, text.to_string());
    }
    Arc::new(sources)
}

/// Evaluates the first file.
fn eval(files: &[(&str, &str)], args: &[(&str, Value)]) -> Result<Value, String> {
    let sources = sources(files);
    let (file, _) = sources.find(files[0].0).unwrap();
    Jsonnet::new(netloom(), Arc::clone(&sources)).eval(file, args).map_err(|finding| text(&sources, finding))
}

/// A finding as people see it, without the lines of frames and blanks.
fn text(sources: &Sources, finding: Diagnostic) -> String {
    Human { color: false }.render(&[finding], sources).trim_end().to_owned()
}

fn one(program: &str) -> Result<Value, String> {
    eval(&[("p.jsonnet", program)], &[])
}

fn message(program: &str) -> String {
    one(program).unwrap_err().lines().next().unwrap_or_default().to_owned()
}

#[test]
fn a_value_is_used_as_it_is() {
    let value = one("local n = 3; { b: [x * 2 for x in std.range(1, n)], a: 1.5, s: 'ä\\n', t: true, n: null, h:: 1 }").unwrap();
    assert_eq!(value, json!({"b": [2, 4, 6], "a": 1.5, "s": "ä\n", "t": true, "n": null}));
}

#[test]
fn a_function_gets_its_arguments_by_name() {
    let program = "function(object, ctx) object { metadata+: { labels: { cluster: ctx.cluster.name } } }";
    let ctx = json!({"cluster": {"name": "prod"}});
    let object = json!({"kind": "Service", "metadata": {"name": "dns"}});
    let value = eval(&[("p.jsonnet", program)], &[("ctx", ctx.clone()), ("object", object)]).unwrap();
    assert_eq!(value, json!({"kind": "Service", "metadata": {"name": "dns", "labels": {"cluster": "prod"}}}));

    let error = eval(&[("p.jsonnet", "function(cluster) cluster")], &[("ctx", ctx)]).unwrap_err();
    assert!(error.starts_with("error[jsonnet]: the function has no parameter `ctx`"), "{error}");
}

#[test]
fn one_worker_serves_many_programs_also_after_errors() {
    let sources = sources(&[
        ("good.jsonnet", "function(ctx) { n: ctx.n, lib: (import 'lib.libsonnet').x }"),
        ("bad.jsonnet", "{ a: (import 'lib.libsonnet').y }"),
        ("lib.libsonnet", "{ x: 1, y: error 'no y' }"),
    ]);
    let find = |path| sources.find(path).unwrap().0;
    let (good, bad) = (find("good.jsonnet"), find("bad.jsonnet"));
    let jsonnet = Jsonnet::new(netloom(), Arc::clone(&sources));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let jsonnet = &jsonnet;
            scope.spawn(move || {
                for n in 0..20 {
                    let n = thread * 100 + n;
                    assert_eq!(jsonnet.eval(good, &[("ctx", json!({"n": n}))]).unwrap(), json!({"n": n, "lib": 1}));
                    assert_eq!(jsonnet.eval(bad, &[]).unwrap_err().message, "no y");
                }
            });
        }
    });
}

#[test]
fn imports_come_from_the_snapshot() {
    let files = [
        ("declarations/fleet.jsonnet", "local lib = import 'lib/a.libsonnet'; [lib.f(2), importstr '../overlays/x/t.txt']"),
        ("declarations/lib/a.libsonnet", "(import 'b.libsonnet') + { f(n): n * super.k }"),
        ("declarations/lib/b.libsonnet", "{ k: 21 }"),
        ("overlays/x/t.txt", "text\n"),
    ];
    assert_eq!(eval(&files, &[]).unwrap(), json!([42, "text\n"]));
}

#[test]
fn nothing_else_can_be_imported() {
    for (path, reason) in [
        ("/etc/passwd", "`/etc/passwd` is outside of the project"),
        ("../../x", "`../../x` is outside of the project"),
        ("/proc/self/environ", "`/proc/self/environ` is outside of the project"),
        ("../.git/config", "`.git/config` is not among the files that netloom reads"),
        ("fifo", "`declarations/fifo` is not among the files that netloom reads"),
    ] {
        for import in ["import", "importstr", "importbin"] {
            let error = eval(&[("declarations/p.jsonnet", &format!("{import} '{path}'"))], &[]).unwrap_err();
            assert!(error.starts_with(&format!("error[jsonnet]: {reason}\n")), "{error}");
            assert!(error.contains("declarations/p.jsonnet:1:1"), "{error}");
        }
    }
}

#[test]
fn programs_see_no_environment() {
    assert_eq!(message("std.extVar('HOME')"), "error[jsonnet]: there are no external variables here, so no `HOME`");
    assert_eq!(one("std.thisFile").unwrap(), json!("p.jsonnet"));
}

#[test]
fn errors_point_to_where_they_arise() {
    let files = [
        ("main.jsonnet", "local lib = import 'lib.libsonnet';\n{\n  a: lib.twice({ port: 1 }),\n}\n"),
        ("lib.libsonnet", "{\n  twice(service): service.prot * 2,\n}\n"),
    ];
    let error = eval(&files, &[]).unwrap_err();
    let expected = "\
error[jsonnet]: the object has no field `prot`
 --> lib.libsonnet:2:19
  |
2 |   twice(service): service.prot * 2,
  |                   ^^^^^^^^^^^^
  |
 --> main.jsonnet:3:6
  |
3 |   a: lib.twice({ port: 1 }),
  |      ---------------------- in this call";
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn syntax_errors_point_into_the_imported_file() {
    let error = eval(&[("a.jsonnet", "{ x: import 'b.libsonnet' }"), ("b.libsonnet", "{\n  y: [1 2],\n}")], &[]).unwrap_err();
    assert!(error.starts_with("error[jsonnet]: expected"), "{error}");
    assert!(error.contains("found a number") && error.contains("b.libsonnet:2:9"), "{error}");
    assert!(error.contains("imported here") && error.contains("a.jsonnet:1:6"), "{error}");
}

/// Every kind of error that a program can cause has words of its own.
#[test]
#[allow(clippy::too_many_lines)] // one line an error
fn errors_are_told_in_words() {
    let cases = [
        ("local f(x) = f(x + 1) + 1; f(0)", "more than 500 calls or values inside one another"),
        ("local x = x; x", "the value depends on itself"),
        ("null.x", "only objects have fields"),
        ("null['x']", "null has no fields or items"),
        ("(1)[0:1]", "a number cannot be sliced"),
        ("[1]['a':]", "a slice is made with numbers, not a string"),
        ("'a'['b']", "a string is indexed by a number, not a string"),
        ("[1]['b']", "an array is indexed by a number, not a string"),
        ("[1][0.5]", "0.5 is no index: a whole number from 0 on"),
        ("[1][3]", "there is no item 3: the length is 1"),
        ("{}[1]", "a field's name is a string, not a number"),
        ("{ ['a']: 1, ['a']: 2 }", "the field `a` is defined twice"),
        ("{ [1]: 1 }", "a field's name is a string, not a number"),
        ("{}.a", "the object has no field `a`"),
        ("{ a: super.b }", "`super` is used in an object that extends nothing"),
        ("[x for x in 1]", "`for` takes an array, not a number"),
        ("if 1 then 2", "a condition is true or false, not a number"),
        ("(1)()", "a number cannot be called"),
        ("(function(a) a)(1, 2)", "too many arguments: the function takes 1"),
        ("(function(a) a)(1, b=2)", "the function has no parameter `b`"),
        ("(function(a) a)(1, a=2)", "the parameter `a` is given twice"),
        ("(function(a) a)()", "the parameter `a` is not given"),
        ("-'a'", "`-` cannot be applied to a string"),
        ("[] - {}", "`-` cannot be applied to an array and an object"),
        ("1e300 & 1", "the number is too large for operations on bits (at most 2^53)"),
        ("1e300 * 1e300", "the number is too large"),
        ("1 / 0", "division by zero"),
        ("1 << -1", "a shift by a negative number"),
        ("std.length(1)", "argument 1 of `std.length` is a string or an array or an object or a function, not a number"),
        ("assert 1 == 2 : 'sums'; 1", "assertion failed: sums"),
        ("assert false; 1", "assertion failed"),
        ("std.assertEqual(1, 2)", "`std.assertEqual` failed: 1 is not 2"),
        ("error 'my own words'", "my own words"),
        ("{ a: [function() 1] }", "the result holds a function at `a[0]`, which JSON does not have"),
        ("null < null", "nulls have no order"),
        ("true < false", "booleans have no order"),
        ("{} < {}", "objects have no order"),
        ("(function() 1) == (function() 1)", "functions cannot be compared"),
        ("1 < 'a'", "a number and a string have no order"),
        ("[1] < ['a']", "a number and a string have no order"),
        ("std.primitiveEquals([], [])", "`std.primitiveEquals` does not compare arrays"),
        ("x", "there is no variable `x` here"),
        ("self.x", "`self` stands outside of any object"),
        ("local a = 1, a = 2; a", "the variable `a` is defined twice"),
        ("{ a: 1, a: 2 }", "the field `a` is defined twice"),
        ("import 'a' + 'b'", "an import's path is a plain string; it cannot be computed"),
        ("'abc", "the string has no end"),
        ("1 ;;", "expected the end"),
        ("§", "the character '§' means nothing in Jsonnet"),
        ("\u{1}", "the program contains the invisible character U+0001"),
        ("", "expected an expression, found the end of the file"),
    ];
    let files: Vec<_> = cases.iter().enumerate().map(|(n, (program, _))| (format!("{n}.jsonnet"), *program)).collect();
    let files: Vec<_> = files.iter().map(|(path, program)| (path.as_str(), *program)).collect();
    let sources = sources(&files);
    let jsonnet = Jsonnet::new(netloom(), Arc::clone(&sources));
    let mut wrong = Vec::new();
    for ((file, _), (program, expected)) in sources.iter().zip(cases) {
        match jsonnet.eval(file, &[]) {
            Err(finding) if finding.message.starts_with(expected) && finding.span.file == file => {}
            other => wrong.push(format!("{program}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Programs that end an evaluator without limits; see the limits in `src/tree/limits.rs`.
#[test]
fn hostile_programs_end_in_an_error() {
    let deep = format!("{}1{}", "(".repeat(5000), ")".repeat(5000));
    let chain = format!("{}1", "local a=1;".repeat(5000));
    let ifs = format!("{}1", "if ".repeat(80_000));
    let doubling = "local d(n) = if n == 0 then 'x' else local s = d(n - 1); s + s; std.length(d(40))";
    let cases = [
        ("{ assert self.x, x: self.x }", "the value depends on itself"),
        (&deep, "more than 200 nested brackets"),
        (&chain, "more than 1000 chained"),
        (&ifs, "more than 1000 chained"),
        ("std.makeArray(2e9, function(i) i)", "evaluation of `p.jsonnet` stopped: memory limit 1 GiB"),
        ("std.foldl(function(a, b) a + b, std.range(1, 2e9), 0)", "evaluation of `p.jsonnet` stopped: memory limit 1 GiB"),
        (doubling, "evaluation of `p.jsonnet` stopped: memory limit 1 GiB"),
        ("std.repeat('0123456789', 2e6)", "a Jsonnet program gives at most 8 MiB"),
        ("local f(n) = f(n + 1) + 1; f(0)", "more than 500 calls or values inside one another"),
        ("local x = { a: x }; x", "more than 500 calls or values inside one another"),
        ("local x = [x]; x == x", "more than 500 calls or values inside one another"),
    ];
    for (program, expected) in cases {
        let message = message(program);
        let start: String = program.chars().take(60).collect();
        assert!(message.contains(expected), "{start}: {message}");
    }
}

#[test]
fn endless_programs_are_stopped() {
    let message = message("local f(n) = if n == 0 then 0 else f(n - 1) + f(n - 1); f(400)");
    let stopped = "error[jsonnet]: evaluation of `p.jsonnet` stopped: ";
    let reason = message.strip_prefix(stopped).unwrap_or(&message);
    assert!(matches!(reason, "processor limit 10 s" | "time limit 15 s"), "{message}");
}

#[test]
fn a_worker_that_cannot_be_started_is_told() {
    let sources = sources(&[("p.jsonnet", "1")]);
    let (file, _) = sources.find("p.jsonnet").unwrap();
    let finding = Jsonnet::new(Path::new("/nowhere/netloom"), sources.clone()).eval(file, &[]).unwrap_err();
    let expected = "evaluation of `p.jsonnet` stopped: the worker process cannot be started: no such file or directory";
    assert_eq!(finding.message, expected);
}
