mod table;

use super::*;
use testing::Project;
use tree::{FileId, Node, Span};

const OBJECT: &str = "
metadata: {name: web, labels: {app: web, env: prod}, annotations: {a.b/c: x}}
spec:
  replicas: 3
  empty: []
  none: null
  ratio: 0.5
  ports: [{name: http, port: 80}, {name: https, port: 443}]
  hosts: [b.example, a.example]
  x-y: 1
  namespace: 2
";

/// What an expression gives over the object, as text; or what is wrong, with the part that it is about.
fn result(expression: &str) -> String {
    let mut project = Project::default();
    let object: Node = project.node("object.yaml", OBJECT);
    let file: FileId = project.sources.add("policy.yaml", expression.to_owned());
    let span = Span::new(file, 0, expression.len());
    let part = |span: Span| expression.get(span.start as usize..span.end as usize).unwrap_or("?").to_owned();
    let place = Place::new(span, expression, Some(expression));
    let compiled = match compile(expression, &place, &[]) {
        Ok(compiled) => compiled,
        Err(faults) => return format!("cannot: {} at `{}`", faults[0].message, part(faults[0].span)),
    };
    let meter = Meter::default();
    let scope = Scope::new(Bindings { object: Some(&object), ..Bindings::default() }, &[], &meter);
    let value = scope.evaluate(&compiled);
    value.map_or_else(|fault| format!("fault: {} at `{}`", fault.message, part(fault.span)), |value| library::plain(&value))
}

fn all_true(expressions: &[&str]) {
    let wrong: Vec<_> = expressions.iter().map(|one| (one, result(one))).filter(|(_, result)| result != "true").collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn operators_and_macros() {
    all_true(&[
        "object.spec.replicas == 3 && object.spec.replicas < 4.5 && 3u == 3 && 1 != '1'",
        "object.metadata.annotations['a.b/c'] == 'x' && 'app' in object.metadata.labels",
        "has(object.spec.replicas) && !has(object.spec.missing) && !has(object.spec.none)",
        "object.spec.ports.all(p, p.port > 0) && object.spec.ports.exists(p, p.name == 'http')",
        "object.spec.ports.exists_one(p, p.port == 80) && object.spec.empty.all(x, x > 1)",
        "object.spec.ports.map(p, p.port) == [80, 443] && object.spec.ports.map(p, p.port > 80, p.name) == ['https']",
        "object.spec.ports.filter(p, p.name.endsWith('s')).size() == 1",
        "[1, 2].all(i, v, v == i + 1) && {'a': 1}.exists(k, v, k == 'a' && v == 1)",
        "[3, 4].transformList(i, v, i * v) == [0, 4] && {'a': 1}.transformMap(k, v, v + 1) == {'a': 2}",
        "['x'].transformMapEntry(i, v, {v: i}) == {'x': 0} && [1, 2].existsOne(i, v, v == 2)",
        "object.?spec.?missing.orValue(7) == 7 && object.spec[?'replicas'].value() == 3",
        "object.spec.ports[?9].hasValue() == false && optional.of(1).optMap(x, x + 1).value() == 2",
        "[1, ?optional.none(), 2] == [1, 2] && {?'a': optional.of(1)} == {'a': 1}",
        "object.spec.`x-y` == 1 && object.spec['x-y'] == 1 && object.spec.namespace == 2",
        "false && object.missing.x == 1 || true",
        "[0, 1].exists(x, 1 / x == 1) && ![0, 1].all(x, 1 / x == 2)",
        "object.spec.ratio == 0.5 && -object.spec.replicas == -3 && 7 % 4 == 3 && 7 / 2 == 3",
        "type(object.spec.replicas) == int && type(object.spec) == map && type('') == string",
        "dyn(1) == 1 && int('7') == 7 && string(1.5) == '1.5' && bool('true') && double(2) == 2.0",
        "(object.spec.replicas > 5 ? 'many' : 'few') == 'few'",
    ]);
}

#[test]
fn libraries_of_kubernetes() {
    all_true(&[
        "[1, 2, 2].isSorted() && [1, 2].sum() == 3 && [2, 1].min() == 1 && [2, 5].max() == 5 && [0].sum() == 0",
        "[1, 2, 1].indexOf(1) == 0 && [1, 2, 1].lastIndexOf(1) == 2 && ['a'].indexOf('b') == -1",
        "[3, 1, 2].sort() == [1, 2, 3] && [[1], [2]].flatten() == [1, 2] && [1, 1].distinct() == [1]",
        "[1, 2, 3].slice(1, 3) == [2, 3] && [1, 2].reverse() == [2, 1] && lists.range(3) == [0, 1, 2]",
        "sets.contains([1, 2], [1]) && sets.equivalent([1, 1], [1]) && sets.intersects([1], [1, 2]) && !sets.contains([1], [2])",
        "'abc 123'.find('[0-9]+') == '123' && '1 2 3'.findAll('[0-9]', 2) == ['1', '2'] && 'abc'.matches('^a.c$')",
        "'TacoCat'.lowerAscii() == 'tacocat' && 'a'.upperAscii() == 'A' && ' x '.trim() == 'x' && 'é!'.size() == 2",
        "'a-b-c'.split('-') == ['a', 'b', 'c'] && 'a-b-c'.split('-', 2) == ['a', 'b-c'] && ['a', 'b'].join('/') == 'a/b'",
        "'tacocat'.substring(4) == 'cat' && 'tacocat'.substring(0, 4) == 'taco' && 'abc'.charAt(1) == 'b' && 'abc'.charAt(3) == ''",
        "'hello'.indexOf('l') == 2 && 'hello'.lastIndexOf('l') == 3 && 'hello'.indexOf('l', 3) == 3 && 'x'.indexOf('yy') == -1",
        "'a,a'.replace(',', ';') == 'a;a' && 'aaa'.replace('a', 'b', 1) == 'baa'",
        "'%s has %d of %.1f, %x'.format(['x', 2, 2.25, 255]) == 'x has 2 of 2.2, ff' && '100%%'.format([]) == '100%'",
        "url('https://u@example.com:80/p%20q?a=1&a=2').getHost() == 'example.com:80' && isURL('/x') && !isURL('x y')",
        "url('https://example.com:80/').getPort() == '80' && url('https://[::1]:80/').getHostname() == '::1'",
        "url('https://example.com/a%20b?k=v').getEscapedPath() == '/a%20b' && url('https://e.com/?k=v&k=w').getQuery()['k'] == ['v', 'w']",
        "isIP('10.0.0.1') && !isIP('10.0.0.01') && ip('::1').isLoopback() && ip('10.0.0.1').family() == 4",
        "ip('fe80::1').isLinkLocalUnicast() && ip('8.8.8.8').isGlobalUnicast() && !ip.isCanonical('0:0::1')",
        "cidr('10.0.0.0/8').containsIP('10.1.2.3') && cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')",
        "!cidr('10.0.0.0/16').containsCIDR('10.0.0.0/8') && cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8')",
        "cidr('10.0.0.0/8').prefixLength() == 8 && !isCIDR('10.0.0.0/33') && cidr('::/0').containsIP(ip('::2'))",
        "cidr('0.0.0.0/0').containsIP('255.255.255.255') && string(cidr('10.0.0.0/8').ip()) == '10.0.0.0'",
        "quantity('1Gi').isGreaterThan(quantity('1G')) && quantity('500m').compareTo(quantity('0.5')) == 0 && isQuantity('1.5Ki')",
        "quantity('1k').asInteger() == 1000 && !quantity('0.5').isInteger() && sign(quantity('-1')) == -1 && !isQuantity('1Q')",
        "quantity('1').add(quantity('500m')) == quantity('1500m') && quantity('2').sub(1) == quantity('1')",
        "semver('1.2.3').isLessThan(semver('1.10.0')) && semver('1.0.0-rc.1').isLessThan(semver('1.0.0')) && !isSemver('1.2')",
        "semver('v1.2', true).minor() == 2 && semver('2.0.0').compareTo(semver('2.0.0+x')) == 0",
        "format.dns1123Label().validate('Not-OK').hasValue() && !format.named('uuid').value().validate('123e4567-e89b-12d3-a456-426614174000').hasValue()",
        "!format.named('nonsense').hasValue() && format.labelValue().validate('').hasValue() == false",
        "duration('1h30m') > duration('5400s') - duration('1s') && duration('90s').getMinutes() == 1",
        "timestamp('2026-02-28T23:00:00Z') + duration('2h') == timestamp('2026-03-01T01:00:00Z')",
        "timestamp('2026-11-21T14:00:00Z').getDayOfWeek() == 6 && timestamp('2026-01-31T00:00:00Z').getMonth('-01:00') == 0",
        "string(timestamp('2026-01-31T00:00:00.5Z')) == '2026-01-31T00:00:00.5Z' && timestamp('1970-01-02T00:00:00Z').getFullYear() == 1970",
    ]);
}

#[test]
fn what_cannot_be_compiled_is_named_with_its_place() {
    let table = [
        ("object.spec.(", "cannot: not valid CEL: no viable alternative at input '.(' at `(`"),
        ("objct.spec == 1", "cannot: there is no `objct`; did you mean `object`? at `objct`"),
        ("variables.x == 1", "cannot: there is no variable `x` before this expression at `x`"),
        (
            "object.name.upperASCII() == 'x'",
            "cannot: netloom does not know the function `upperASCII`; did you mean `upperAscii`? at `upperASCII`",
        ),
        (
            "authorizer.group('').check('get')",
            "cannot: `authorizer` asks a running API server, which there is none of here at `authorizer`",
        ),
        ("request.userInfo.username == 'x'", "cannot: `request.userInfo` is known to a running API server only at `userInfo`"),
        ("has(object)", "cannot: `has` takes a field: `has(object.spec.field)` at `object`"),
        ("'a'.split()", "cannot: `split` is not called like this, with 0 arguments at `split`"),
        ("[1].all(1, true)", "cannot: a loop's variable is a plain name at `1`"),
        ("Pod{}", "cannot: netloom cannot make a `Pod`: policies read objects and make none at `{`"),
        ("", "cannot: the expression is empty at ``"),
    ];
    for (expression, expected) in table {
        assert_eq!(result(expression), expected, "{expression}");
    }
}

#[test]
fn what_has_no_value_is_named_with_its_place() {
    let table = [
        (
            "true && object.spec.missing == 1",
            "fault: there is no field `missing` here; `has(…)` asks whether there is one at `missing`",
        ),
        ("object.spec.hosts[7] == ''", "fault: there is no item here at this index; there are 2 at `[`"),
        ("object.metadata.labels['x'] == ''", "fault: there is no key `x` here at `[`"),
        ("object.spec.replicas + 'x' == ''", "fault: `+` does not take int and string at `+`"),
        ("9223372036854775807 + 1 > 0", "fault: the result of `+` is out of range at `+`"),
        ("1 / 0 == 1", "fault: division by zero at `/`"),
        ("'x'.matches('(')", "fault: not a regular expression of RE2: unclosed group at `matches`"),
        ("quantity('x') == quantity('1')", "fault: `x` is no quantity at `quantity`"),
        ("object.spec.replicas ? true : false", "fault: this is int, not bool at `replicas`"),
        ("oldObject.spec == 1", "fault: null has no field `spec` at `spec`"),
        (
            "timestamp('2026-01-01T00:00:00Z').getHours('Mars/Base') == 1",
            "fault: the time zone `Mars/Base` is not known; `UTC` and offsets such as `+02:00` are at `getHours`",
        ),
    ];
    for (expression, expected) in table {
        assert_eq!(result(expression), expected, "{expression}");
    }
}

#[test]
fn costs_are_bounded() {
    let costly = [
        "lists.range(1000).all(a, lists.range(1000).all(b, lists.range(1000).all(c, true)))",
        "lists.range(9000000000).size() > 0",
        "lists.range(2000).map(x, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx').join('').split('').map(x, 'yyyyyyyyyy').join('').size() > 0",
        "lists.range(100000).exists(x, lists.range(100000).exists(y, false)) || true",
        // Texts and lists that grow by what is made of them.
        "lists.range(9).map(x, 'aaaaaaaaaa').map(a, a.replace('a', a).replace('a', a).replace('a', a).replace('a', a)).size() > 0",
        "'aaaa'.replace('', 'aaaaaaaaaaaaaaaa').replace('', 'aaaaaaaaaaaaaaaa').replace('', 'aaaaaaaaaaaaaaaa').replace('', 'aaaaaaaaaaaaaaaa').replace('', 'aaaaaaaaaaaaaaaa').size() > 0",
        "[['a', 'b']].map(l, l+l+l+l+l+l+l+l+l+l).map(l, l+l+l+l+l+l+l+l+l+l).map(l, l+l+l+l+l+l+l+l+l+l).map(l, l+l+l+l+l+l+l+l+l+l).map(l, l+l+l+l+l+l+l+l+l+l).map(l, l+l+l+l+l+l+l+l+l+l).size() > 0",
    ];
    for expression in costly {
        let result = result(expression);
        assert!(result.starts_with("fault: it costs more than the 1000000 steps"), "{expression}: {result}");
    }
    let deep = format!("{}1{}", "(".repeat(4000), ")".repeat(4000));
    assert!(result(&deep).contains("brackets more than 128 deep"));
    let long = vec!["1"; 3000].join("+");
    assert!(result(&long).contains("levels deep") || result(&long).contains("recursion"), "{}", result(&long));
    let selects = format!("object{}", ".a".repeat(5000));
    assert!(result(&selects).starts_with("cannot: "), "{}", result(&selects));
    let nots = format!("{}true", "!".repeat(4001));
    assert!(result(&nots) == "false" || result(&nots).starts_with("cannot: "), "{}", result(&nots));
    let minus = format!("{}1 == 1", "- ".repeat(4000));
    assert!(!result(&minus).is_empty());
}

/// Values that share their parts look small and are large.
#[test]
fn shared_values_cost_what_they_hold() {
    let texts: Vec<String> =
        std::iter::once("['x', 'y']".to_owned()).chain((0..40).map(|at| format!("[variables.v{at}, variables.v{at}]"))).collect();
    let names: Vec<String> = (0..texts.len()).map(|at| format!("v{at}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let place = Place::new(Span::NONE, "", None);
    let compiled: Vec<_> = texts.iter().enumerate().map(|(at, text)| compile(text, &place, &names[..at]).unwrap()).collect();
    let last = compile("variables.v40 == variables.v40", &place, &names).unwrap();
    let meter = Meter::default();
    let scope = Scope::new(Bindings::default(), &compiled, &meter);
    let fault = scope.evaluate(&last).unwrap_err();
    assert!(fault.fatal && fault.message.starts_with("it costs more than"), "{}", fault.message);
}
