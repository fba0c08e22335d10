use super::*;
use yaml::to_yaml;

/// Compiles and evaluates a template with the variables `x` (5), `name` ("it's") and `list` ([1, 2]).
fn evaluate(text: &str) -> Result<String, Vec<String>> {
    let mut sources = Sources::default();
    let file = sources.add("t.yaml", text.to_owned());
    let mut findings = Vec::new();
    let documents = yaml::read(text, file, &mut findings);
    let template = Compiler { sources: &sources, conditions: true }.compile(&documents[0], &mut findings);
    let variables = [("x", Engine::from(5)), ("name", Engine::from("it's")), ("list", Engine::from(vec![1, 2]))];
    let context = Engine::from_pairs(variables);
    let node = template.eval(&context, &mut findings);
    if findings.is_empty() {
        return Ok(node.map(|node| to_yaml(&node)).unwrap_or_default());
    }
    Err(findings.iter().map(|f| format!("{} {} {}", f.code, sources.locate(f.span), f.message)).collect())
}

#[test]
fn a_scalar_that_is_one_expression_keeps_its_type() {
    let text = "a: '{{ x }}'\nb: \"{{ x > 3 }}\"\nc: '{{ list }}'\nd: '{{ {\"k\": none} }}'\ne: 'no {{ x }}'\n";
    assert_eq!(evaluate(text), Ok("a: 5\nb: true\nc:\n- 1\n- 2\nd:\n  k: null\ne: no 5\n".to_owned()));
}

#[test]
fn text_stays_text_whatever_it_looks_like() {
    assert_eq!(evaluate("a: '{{ \"no\" }}'\nb: '{{ name }}: {{ x }}'\n"), Ok("a: \"no\"\nb: \"it's: 5\"\n".to_owned()));
    assert_eq!(evaluate("a: '{{ \"}}\" }}'"), Ok("a: \"}}\"\n".to_owned()));
}

#[test]
fn omit_removes_keys_and_items() {
    let text = "a: '{{ omit }}'\nb: ['{{ omit if x == 5 else 1 }}', 2]\nc: {d: '{{ omit }}'}\n";
    assert_eq!(evaluate(text), Ok("b:\n- 2\nc: {}\n".to_owned()));
}

#[test]
fn conditions_and_computed_keys() {
    let text = "- {when: x > 7, a: 1}\n- {when: x < 7, 'k{{ x }}': 2}\n";
    assert_eq!(evaluate(text), Ok("- k5: 2\n".to_owned()));
}

#[test]
fn errors_stand_at_the_expression() {
    let text = "a: 1\nb: 'x{{ nothing.here }}'\nc: '{{ 1 + }}'\nd: '{{ x'\ne: '{{ x.y.z }}'\n";
    let found = evaluate(text).unwrap_err();
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found[0].starts_with("expression t.yaml:3:"), "{found:?}");
    assert!(found[1].starts_with("expression t.yaml:4:4 an expression that `{{` opens is not closed"), "{found:?}");
    assert!(found[2].starts_with("expression t.yaml:2:"), "{found:?}");
    assert!(found[3].starts_with("expression t.yaml:5:"), "{found:?}");
}

#[test]
fn limits_hold() {
    let chain = format!("a: \"{{{{ {} }}}}\"", vec!["x"; 2000].join("+"));
    assert!(evaluate(&chain).unwrap_err()[0].starts_with("limit t.yaml:1:4 an expression of more than 1000 operators"));
    let deep = format!("a: \"{{{{ {}x{} }}}}\"", "(".repeat(100), ")".repeat(100));
    assert!(evaluate(&deep).unwrap_err()[0].contains("nested more than 64 deep"));
    assert!(evaluate("a: \"{{ 'x' * 50000000 }}\"").unwrap_err()[0].contains("takes more than 4194304 bytes"));
    assert!(evaluate("a: \"{{ debug() }}\"").is_err());
}
