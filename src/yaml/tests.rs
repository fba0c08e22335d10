use super::{read, to_yaml};
use tree::{Node, Path, Sources};

fn node(text: &str, sources: &mut Sources) -> Node {
    let file = sources.add(format!("{}.yaml", sources.iter().count()), text.to_owned());
    read(text, file, &mut Vec::new()).remove(0)
}

/// A program hands back the whole tree with its keys sorted; only what it changed is its own.
#[test]
fn what_becomes_equal_keeps_the_places_of_what_was_equal() {
    let mut sources = Sources::default();
    let mut old = node("b: 1\na: {x: 1, gone: 2}\nlist: [{name: p, v: 1}, {name: q, v: 1}, 7]\n", &mut sources);
    let new = node("a: {x: 1}\nb: 2\nlist: [7, {name: q, v: 2}, {name: new}]\nc: 3\n", &mut sources);
    old.become_equal(new.clone());
    assert_eq!(to_yaml(&old), "b: 2\na:\n  x: 1\nlist:\n- 7\n- name: q\n  v: 2\n- name: new\nc: 3\n");
    let place = |path: &str| sources.locate(old.at(&Path::dotted(path)).unwrap().span);
    assert_eq!([place("a.x"), place("b"), place("c")], ["0.yaml:2:8", "1.yaml:2:4", "1.yaml:4:4"]);
    assert_eq!(old.get("b").unwrap().overrode.as_ref().unwrap().as_int(), Some(1));
    let items = old.get("list").and_then(Node::as_list).unwrap();
    let places: Vec<_> = items.iter().map(|item| sources.locate(item.span)).collect();
    assert_eq!(places, ["0.yaml:3:42", "0.yaml:3:25", "1.yaml:3:28"]);
    assert_eq!(sources.locate(items[1].get("v").unwrap().span), "1.yaml:3:24");
}
