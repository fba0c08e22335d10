//! Generated JSON patches to generated resources. Each operation fits what those before it made of the resource.

use serde_json::{Value, json};

use super::generate::{Random, resource, word};

const KEYS: [&str; 4] = ["alpha", "beta", "example.com/gamma", "til~de"];

/// A resource and a JSON patch to it.
pub(crate) fn pair(number: usize, random: &mut Random) -> (Value, Value) {
    let mut resource = resource(number, random);
    // kustomize drops them before it looks at patches.
    if let Some(metadata) = resource["metadata"].as_object_mut() {
        metadata.retain(|_, value| value.as_object().is_none_or(|map| !map.is_empty()));
    }
    let mut current = resource.clone();
    let count = 1 + random.below(5);
    let mut operations = Vec::new();
    for _ in 0..count {
        let mut next = current.clone();
        if let Some(operation) = operation(&mut next, random) {
            operations.push(operation);
            current = next;
        }
    }
    (resource, Value::Array(operations))
}

/// Whether what stands here may be anything: not what says which object it is, nor labels as a whole, which kustomize reads itself.
fn changeable(path: &str) -> bool {
    match path.strip_prefix("/metadata") {
        Some(below) => below.matches('/').count() > 1,
        None => path != "/apiVersion" && path != "/kind",
    }
}

/// An operation that can be applied, which it is.
fn operation(current: &mut Value, random: &mut Random) -> Option<Value> {
    let paths = paths(current);
    let changeable: Vec<&String> = paths.iter().filter(|path| changeable(path)).collect();
    if changeable.is_empty() {
        return None;
    }
    let path = (*random.pick(&changeable)).clone();
    let value = current.pointer(&path)?.clone();
    // Forms stay as they are: kustomize looks for references to names in every result, and refuses what it cannot read.
    match random.below(6) {
        0 if !value.is_object() && !value.is_array() => {
            *current.pointer_mut(&path)? = word(random);
            Some(json!({"op": "replace", "path": path, "value": current.pointer(&path)?}))
        }
        1 => {
            remove(current, &path)?;
            Some(json!({"op": "remove", "path": path}))
        }
        2 => Some(json!({"op": "test", "path": path, "value": value})),
        3 => {
            let from = remove(current, &path)?;
            // Into itself: RFC 6902 forbids what kustomize then does by index.
            let to = key(current, random).filter(|to| !to.starts_with(&format!("{path}/")))?;
            add(current, &to, from)?;
            Some(json!({"op": "move", "from": path, "path": to}))
        }
        4 => {
            let to = key(current, random)?;
            add(current, &to, value)?;
            Some(json!({"op": "copy", "from": path, "path": to}))
        }
        _ if random.chance(50) => {
            let (to, written, value) = element(current, random)?;
            add(current, &to, value.clone())?;
            Some(json!({"op": "add", "path": written, "value": value}))
        }
        _ => {
            let to = key(current, random)?;
            let value = if random.chance(50) { word(random) } else { json!({"x": [word(random), 1, true], "z": {}}) };
            add(current, &to, value.clone())?;
            Some(json!({"op": "add", "path": to, "value": value}))
        }
    }
}

/// What may take a new value.
fn parents(current: &Value, test: impl Fn(&Value) -> bool) -> Vec<String> {
    let fits = |path: &String| !path.starts_with("/metadata") && current.pointer(path).is_some_and(&test);
    paths(current).into_iter().filter(fits).collect()
}

/// A key of a mapping, there already or not.
fn key(current: &Value, random: &mut Random) -> Option<String> {
    let parents = parents(current, Value::is_object);
    let parent = if parents.is_empty() { return None } else { random.pick(&parents) };
    Some(format!("{parent}/{}", random.pick(&KEYS).replace('~', "~0").replace('/', "~1")))
}

/// A place in a list, the same with `-` for its end, and a value of the form that the list has.
fn element(current: &Value, random: &mut Random) -> Option<(String, String, Value)> {
    let parents = parents(current, |value| value.as_array().is_some_and(|items| !items.is_empty()));
    let parent = if parents.is_empty() { return None } else { random.pick(&parents).clone() };
    let items = current.pointer(&parent)?.as_array()?;
    let at = random.below(items.len() + 1);
    let last = if at == items.len() && random.chance(50) { "-".to_owned() } else { at.to_string() };
    Some((format!("{parent}/{at}"), format!("{parent}/{last}"), random.pick(items).clone()))
}

/// The pointers to all that is in a value.
fn paths(value: &Value) -> Vec<String> {
    fn walk(value: &Value, here: &str, found: &mut Vec<String>) {
        let mut visit = |key: &str, value: &Value| {
            let path = format!("{here}/{}", key.replace('~', "~0").replace('/', "~1"));
            found.push(path.clone());
            walk(value, &path, found);
        };
        match value {
            Value::Object(map) => map.iter().for_each(|(key, value)| visit(key, value)),
            Value::Array(items) => items.iter().enumerate().for_each(|(at, value)| visit(&at.to_string(), value)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(value, "", &mut found);
    found
}

fn split(path: &str) -> Option<(&str, String)> {
    let (parent, last) = path.rsplit_once('/')?;
    Some((parent, last.replace("~1", "/").replace("~0", "~")))
}

fn remove(current: &mut Value, path: &str) -> Option<Value> {
    let (parent, last) = split(path)?;
    match current.pointer_mut(parent)? {
        Value::Object(map) => map.remove(&last),
        Value::Array(items) => Some(items.remove(last.parse().ok()?)),
        _ => None,
    }
}

fn add(current: &mut Value, path: &str, value: Value) -> Option<()> {
    let (parent, last) = split(path)?;
    match current.pointer_mut(parent)? {
        Value::Object(map) => _ = map.insert(last, value),
        Value::Array(items) => items.insert(last.parse().ok()?, value),
        _ => return None,
    }
    Some(())
}
