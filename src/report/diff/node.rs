//! Two trees, field by field.

use std::fmt;

use super::list;
use schema::kubernetes::{Field as Known, Shape};
use tree::{Node, Value};

/// One step to a field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Into the value of a key.
    Key(String),
    /// To the item of a list that is known by this.
    Item(String),
    /// To the item of a list by where it stands, counted from 0.
    Index(usize),
}

/// The way to a field, with items of lists by what they are known by: `spec.containers[agent].env[MTU].value`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(pub Vec<Step>);

impl Path {
    pub(super) fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// The way to what holds it.
    pub(super) fn parent(&self) -> Self {
        Self(self.0.split_last().map(|(_, parents)| parents.to_vec()).unwrap_or_default())
    }

    /// Whether it begins with these keys.
    #[must_use]
    pub fn begins(&self, keys: &[&str]) -> bool {
        keys.len() <= self.0.len() && self.0.iter().zip(keys).all(|(step, key)| matches!(step, Step::Key(name) if name == key))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Item(name) => write!(f, "[{name}]")?,
                Step::Key(key) if key.contains(['.', '/']) => write!(f, "[{key}]")?,
                Step::Key(key) if at == 0 => write!(f, "{key}")?,
                Step::Key(key) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Where.
    pub path: Path,
    /// What stood there.
    pub before: Option<Node>,
    /// What stands there.
    pub after: Option<Node>,
    /// Whether the same items stand there in another order.
    pub moved: bool,
}

impl Field {
    pub(super) fn new(path: Path, before: Option<&Node>, after: Option<&Node>) -> Self {
        Self { path, before: before.cloned(), after: after.cloned(), moved: false }
    }
}

/// Compares two trees; `shape` is what Kubernetes knows of them.
pub(super) fn compare(before: &Node, after: &Node, shape: Option<Shape<'_>>) -> Vec<Field> {
    let mut found = Vec::new();
    walk(&Path::default(), before, after, shape, &mut found);
    found
}

/// Compares two values that are known to be the same thing.
pub(super) fn walk(path: &Path, before: &Node, after: &Node, shape: Option<Shape<'_>>, found: &mut Vec<Field>) {
    match (&before.value, &after.value) {
        _ if before == after => {}
        (Value::Map(old), Value::Map(new)) => {
            for (key, node) in old.iter() {
                let path = path.with(Step::Key(key.text.to_string()));
                match new.get(&key.text) {
                    Some(now) => value(&path, node, now, shape.and_then(|shape| shape.field(&key.text)), found),
                    None => found.push(Field::new(path, Some(node), None)),
                }
            }
            for (key, node) in new.iter().filter(|(key, _)| !old.contains(&key.text)) {
                found.push(Field::new(path.with(Step::Key(key.text.to_string())), None, Some(node)));
            }
        }
        (Value::List(old), Value::List(new)) => list::compare(path, old, new, None, shape, found),
        _ => found.push(Field::new(path.clone(), Some(before), Some(after))),
    }
}

/// Compares the values of a field.
fn value(path: &Path, before: &Node, after: &Node, known: Option<Known<'_>>, found: &mut Vec<Field>) {
    match (&before.value, &after.value) {
        (Value::List(old), Value::List(new)) => {
            let items = known.as_ref().and_then(|field| field.shape.items());
            list::compare(path, old, new, known.as_ref(), items, found);
        }
        _ => walk(path, before, after, known.map(|field| field.shape), found),
    }
}
