//! JSON merge patches (RFC 7386).

use tree::{Map, Node, Value};

/// Applies a merge patch: mappings merge, `null` removes a key, and everything else replaces what was there.
pub fn merge(target: &mut Node, patch: &Node) {
    let Some(change) = patch.as_map() else {
        target.replace(patch.clone());
        return;
    };
    match target.as_map_mut() {
        Some(map) => merge_entries(map, change),
        None => target.replace(without_nulls(patch, change)),
    }
}

fn merge_entries(target: &mut Map, change: &Map) {
    for (key, patch) in change.iter() {
        if patch.is_null() {
            target.remove(&key.text);
            continue;
        }
        match target.get_mut(&key.text) {
            Some(old) => merge(old, patch),
            None => target.push(key.clone(), patch.as_map().map_or_else(|| patch.clone(), |change| without_nulls(patch, change))),
        }
    }
}

/// A patch's mapping as a value of its own: its nulls have nothing to remove.
fn without_nulls(patch: &Node, change: &Map) -> Node {
    let mut map = Map::new();
    merge_entries(&mut map, change);
    Node::new(Value::Map(map), patch.span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tree::Sources;
    use yaml::to_yaml;

    fn node(text: &str) -> Node {
        let file = Sources::default().add("test.yaml", text.to_owned());
        yaml::read(text, file, &mut Vec::new()).into_iter().next().unwrap_or_default()
    }

    fn merged(target: &str, patch: &str) -> String {
        let mut target = node(target);
        merge(&mut target, &node(patch));
        to_yaml(&target)
    }

    #[test]
    fn mappings_merge_and_everything_else_is_replaced() {
        let result = merged("a: {b: 1, c: [1, 2]}\nd: x\n", "a: {c: [3], e: {f: 1}}\nd: {g: z}\n");
        assert_eq!(result, "a:\n  b: 1\n  c:\n  - 3\n  e:\n    f: 1\nd:\n  g: z\n");
    }

    #[test]
    fn null_removes_and_never_stays() {
        assert_eq!(merged("a: 1\nb: {c: 1}\n", "a: null\nb: {c: null}\nd: null\n"), "b: {}\n");
        assert_eq!(merged("a: 1\n", "a: {b: null}\nc: {d: {e: null, f: 1}}\n"), "a: {}\nc:\n  d:\n    f: 1\n");
    }

    #[test]
    fn nulls_in_lists_are_values() {
        assert_eq!(merged("a: [1]\n", "a: [null, {b: null}]\n"), "a:\n- null\n- b: null\n");
    }

    #[test]
    fn what_was_overridden_is_remembered() {
        let mut target = node("mtu: 9001\n");
        merge(&mut target, &node("mtu: 1500\n"));
        merge(&mut target, &node("mtu: 1400\n"));
        let mtu = target.get("mtu").expect("there");
        let first = mtu.overrode.as_deref().expect("overridden");
        let zeroth = first.overrode.as_deref().expect("overridden twice");
        assert_eq!([mtu.as_int(), first.as_int(), zeroth.as_int()], [Some(1400), Some(1500), Some(9001)]);
    }
}
