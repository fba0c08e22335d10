//! Paths through a tree: `spec.zones[2]`.

use std::fmt;

use super::{Key, Node, Value};

/// One step down a tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Into the value of a map's key.
    Key(String),
    /// To the item at an index, counted from 0.
    Index(usize),
}

/// A path from the root of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(pub Vec<Step>);

impl Path {
    /// Reads `a.b.c`; keys with dots need [`Path::child`].
    #[must_use]
    pub fn dotted(text: &str) -> Self {
        Self(text.split('.').filter(|part| !part.is_empty()).map(|part| Step::Key(part.to_owned())).collect())
    }

    /// This path and one key more.
    #[must_use]
    pub fn child(&self, key: &str) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Key(key.to_owned()));
        Self(steps)
    }

    /// This path and one index more.
    #[must_use]
    pub fn item(&self, index: usize) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Index(index));
        Self(steps)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if key.contains(['.', '/']) => write!(f, "[{key}]")?,
                Step::Key(key) if at == 0 => write!(f, "{key}")?,
                Step::Key(key) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}

impl Node {
    /// What is one step below.
    #[must_use]
    pub fn step(&self, step: &Step) -> Option<&Node> {
        match step {
            Step::Key(key) => self.get(key),
            Step::Index(index) => self.as_list()?.get(*index),
        }
    }

    /// The descendant at `path`.
    #[must_use]
    pub fn at(&self, path: &Path) -> Option<&Node> {
        path.0.iter().try_fold(self, Node::step)
    }

    /// The descendant at `path`, or the nearest ancestor that exists: the best place to point at.
    #[must_use]
    pub fn nearest(&self, path: &Path) -> &Node {
        let mut node = self;
        for step in &path.0 {
            match node.step(step) {
                Some(child) => node = child,
                None => break,
            }
        }
        node
    }

    /// The key under which the last step of `path` stands, as written.
    #[must_use]
    pub fn key_at(&self, path: &Path) -> Option<&Key> {
        let (last, parents) = path.0.split_last()?;
        let parent = self.at(&Path(parents.to_vec()))?;
        match last {
            Step::Key(key) => parent.as_map()?.entry(key).map(|(key, _)| key),
            Step::Index(_) => None,
        }
    }

    /// Calls `visit` for this node and all below it, parents first.
    pub fn each<'a>(&'a self, visit: &mut impl FnMut(&'a Node)) {
        visit(self);
        match &self.value {
            Value::Map(map) => map.iter().for_each(|(_, node)| node.each(visit)),
            Value::List(items) => items.iter().for_each(|node| node.each(visit)),
            _ => {}
        }
    }

    /// The same, with the path of each.
    pub fn walk<'a>(&'a self, path: &Path, visit: &mut impl FnMut(&Path, &'a Node)) {
        visit(path, self);
        match &self.value {
            Value::Map(map) => map.iter().for_each(|(key, node)| node.walk(&path.child(&key.text), visit)),
            Value::List(items) => items.iter().enumerate().for_each(|(at, node)| node.walk(&path.item(at), visit)),
            _ => {}
        }
    }
}
