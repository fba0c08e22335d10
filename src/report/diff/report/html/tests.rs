//! Reports of what strangers wrote, of much, and of what is to be drawn.

use std::sync::Arc;

use super::*;
use crate::diff::{Effect, Side};
use artifacts::graph::{Graph, Line};
use files::git::Base;
use testing::networks::{vpc, zones};

const EVIL: &str = "</summary></script><img src=x onerror=alert(1)> `a` \"on=\" '&amp; ##[error]\u{202e}\n::error::x";
const INERT: &str = "&lt;/summary&gt;&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt; `a` &quot;on=&quot; &#39;&amp;amp; \
                     ##\\u{5b}error]\\u{202e}\\u{a}::error::x";

fn page(diff: &Diff, before: &Side, after: &Side) -> String {
    let base = Base { name: "main".to_owned(), tip: Some("fedcba9876543210".to_owned()), commit: "0123456789abcdef".to_owned() };
    render(diff, Header::new(&base), Sides { before, after })
}

/// The picture of a private network of this many zones.
fn drawn(number: u8) -> Graph {
    Graph::new(&zones(number, false, "prod"))
}

fn added(title: &str, unit: &str) -> Group {
    let change = Change::new(title.to_owned(), State::Added, Vec::new());
    Group { units: vec![unit.to_owned()], changes: vec![Arc::new(change)] }
}

fn effect_on(units: Vec<String>, text: &str) -> SharedEffect {
    let effect = Effect::new(Class::Downtime, text, text, text).steps(&[text]).source(text);
    SharedEffect { effect: Effect { acknowledged: Some(text.to_owned()), ..effect }, units, clusters: Vec::new() }
}

/// The tags of a page and their attributes, without its style and its script.
fn tags(page: &str) -> Vec<&str> {
    page.split('<').skip(1).filter_map(|rest| rest.split('>').next()).collect()
}

#[test]
fn hostile_text_is_text() {
    let unit = format!("clusters/{EVIL}");
    let units = vec![UnitChange::Added(unit.clone(), 1), UnitChange::Renamed(EVIL.to_owned(), unit.clone())];
    let mut hostile = Graph::new(&vpc());
    hostile.network = vec![Line::from(EVIL)];
    let side = |picture: Graph| Side { pictures: [(unit.clone(), picture)].into(), ..Side::default() };
    let diff =
        Diff { groups: vec![added(EVIL, &unit)], effects: vec![effect_on(vec![unit.clone()], EVIL)], units, ..Diff::default() };
    let text = page(&diff, &side(Graph::new(&vpc())), &side(hostile));
    for place in [
        format!("<code class=\"plus\">+ {INERT}</code>"),
        format!("data-units=\"clusters/{INERT}\""),
        format!("<option>{}", INERT.split(' ').next().unwrap_or_default()),
        format!("<title>network {INERT} (AWS, us-west-2)</title>"),
    ] {
        assert!(text.contains(&place), "{place} in {text}");
    }
    let clean = page(&Diff { groups: vec![added("A b", "clusters/a")], ..Diff::default() }, &Side::default(), &Side::default());
    let names = |page: &str| -> BTreeSet<String> {
        tags(page).into_iter().filter_map(|tag| tag.split([' ', '\n']).next()).map(ToOwned::to_owned).collect()
    };
    let ours = ["svg", "rect", "text", "polyline", "polygon", "/svg", "/text", "figure", "figcaption", "/figure", "/figcaption"];
    let known: BTreeSet<String> = names(&clean).into_iter().chain(ours.map(ToOwned::to_owned)).collect();
    let new: Vec<String> = names(&text).difference(&known).cloned().collect();
    assert!(!new.iter().any(|name| name.starts_with("img") || name.starts_with("script")), "{new:?}");
    assert_eq!(text.matches("</script>").count(), 1);
    assert!(!text.contains('\u{202e}') && !text.contains("##[") && !text.lines().any(|line| line.starts_with("::")));
}

#[test]
fn code_is_marked_and_lone_backticks_stay() {
    assert_eq!(prose("run `a <b>` then"), "run <code>a &lt;b&gt;</code> then");
    assert_eq!(prose("a ` <b>"), "a ` &lt;b&gt;");
}

/// The policy names the style and the script by their hashes, and the page has nothing else that would be loaded or run.
#[test]
fn nothing_is_asked_for() {
    let diff = Diff { effects: vec![effect_on(vec!["clusters/a".to_owned()], "x")], ..Diff::default() };
    let text = page(&diff, &Side::default(), &Side::default());
    let between =
        |from: &str, to: &str| text.split(from).nth(1).and_then(|rest| rest.split(to).next()).unwrap_or_default().to_owned();
    let (style, script) = (hash::source(&between("<style>", "</style>")), hash::source(&between("<script>", "</script>")));
    let policy = format!("default-src 'none'; style-src '{style}'; script-src '{script}'; base-uri 'none'; form-action 'none'");
    assert!(text.contains(&format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">")), "{text}");
    for tag in tags(&text) {
        let loads = [" href", " src=", " style=", "link ", "base "].iter().any(|word| tag.contains(word));
        assert!(!loads && !tag.split(' ').any(|attribute| attribute.starts_with("on")), "{tag}");
    }
    assert!(!text.contains("url(") && !text.contains("@import"));
}

#[test]
fn what_changes_alike_is_drawn_once() {
    let sides = |names: &[String], network| Side {
        pictures: names.iter().map(|name| (name.clone(), drawn(network))).collect(),
        ..Side::default()
    };
    let names: Vec<String> = (0..1000).map(|at| format!("clusters/c{at:03}")).collect();
    let diff = Diff { effects: vec![effect_on(names.clone(), "x")], ..Diff::default() };
    let text = page(&diff, &sides(&names, 2), &sides(&names, 3));
    assert_eq!(text.matches("<svg ").count(), 2);
    assert!(text.contains("<summary>c000, c001, c002 and 997 more, which change alike</summary>"), "{text}");
    let same = page(&diff, &sides(&names, 2), &sides(&names, 2));
    assert!(!same.contains("<svg ") && !same.contains("Pictures"));
    // Clusters that are new have a picture each, up to a number.
    let new = page(&diff, &Side::default(), &sides(&names, 2));
    assert_eq!(new.matches("<svg ").count(), 16);
    assert!(new.contains("<p>984 more look different: "), "{new}");
}

#[test]
fn a_long_report_is_cut_at_whole_parts() {
    let groups = (0..200).map(|at| added(&format!("ConfigMap {at} {}", "é".repeat(50_000)), "clusters/a")).collect();
    let text = page(&Diff { groups, total: 1, changed: 1, ..Diff::default() }, &Side::default(), &Side::default());
    let shown = text.matches("<details class=\"group\"").count();
    assert!(shown > 100 && text.encode_utf16().count() < CHARACTERS + 20_000, "{shown} {}", text.len());
    assert!(text.contains(&format!("<p><b>{} parts left out</b>", 200 - shown)));
    assert_eq!(text.matches("<details").count(), text.matches("</details>").count());
}
