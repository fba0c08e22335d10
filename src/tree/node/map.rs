//! Mappings.

use super::{Key, Node};

/// An ordered mapping with unique keys.
///
/// Manifests have few keys per level, so a linear search beats hashing; [`Map::push`] is there for builders of large maps that
/// know their keys to be unique.
#[derive(Clone, Debug, Default)]
pub struct Map {
    entries: Vec<(Key, Node)>,
}

impl Map {
    /// An empty map.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The value under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, node)| node)
    }

    /// The key as written and its value.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<(&Key, &Node)> {
        self.entries.iter().find(|(k, _)| &*k.text == key).map(|(k, n)| (k, n))
    }

    /// The value under `key`, for changing it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.entries.iter_mut().find(|(k, _)| &*k.text == key).map(|(_, n)| n)
    }

    /// Sets `key`, in its old position if it is there already; returns what stood there.
    pub fn insert(&mut self, key: impl Into<Key>, node: Node) -> Option<Node> {
        let key = key.into();
        match self.get_mut(&key.text) {
            Some(old) => Some(std::mem::replace(old, node)),
            None => {
                self.entries.push((key, node));
                None
            }
        }
    }

    /// Appends an entry whose key the caller knows to be new.
    pub fn push(&mut self, key: impl Into<Key>, node: impl Into<Node>) {
        self.entries.push((key.into(), node.into()));
    }

    /// Removes `key` and returns its value.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        let at = self.entries.iter().position(|(k, _)| &*k.text == key)?;
        Some(self.entries.remove(at).1)
    }

    /// Whether `key` is there.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// All entries, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Key, &Node)> + ExactSizeIterator {
        self.entries.iter().map(|(k, n)| (k, n))
    }

    /// All entries, in order, values changeable.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Key, &mut Node)> {
        self.entries.iter_mut().map(|(k, n)| (&*k, n))
    }

    /// All keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(k, _)| &*k.text)
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Keeps only the entries for which `keep` is true.
    pub fn retain(&mut self, mut keep: impl FnMut(&Key, &mut Node) -> bool) {
        self.entries.retain_mut(|(k, n)| keep(k, n));
    }

    /// Orders the entries by key.
    pub fn sort(&mut self) {
        self.entries.sort_by(|(a, _), (b, _)| a.text.cmp(&b.text));
    }
}

/// Equality ignores order: two maps with the same entries are the same object.
impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(k, n)| other.get(&k.text) == Some(n))
    }
}

impl IntoIterator for Map {
    type Item = (Key, Node);
    type IntoIter = std::vec::IntoIter<(Key, Node)>;
    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<K: Into<Key>, N: Into<Node>> FromIterator<(K, N)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, N)>>(entries: I) -> Self {
        Self { entries: entries.into_iter().map(|(k, n)| (k.into(), n.into())).collect() }
    }
}
