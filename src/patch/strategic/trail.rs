//! Where a patch is at, for messages.

use std::fmt;

/// A path through an object that costs nothing until a message shows it.
#[derive(Clone, Copy)]
pub(super) struct Trail<'a> {
    parent: Option<&'a Trail<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Key(&'a str),
    /// An element of a merged list: its merge key and that key's value.
    Element(&'a str, &'a str),
}

impl<'a> Trail<'a> {
    /// The object itself.
    pub(super) const ROOT: Trail<'static> = Trail { parent: None, step: Step::Root };

    /// A field or a key of what is here.
    pub(super) fn key(&'a self, key: &'a str) -> Trail<'a> {
        Trail { parent: Some(self), step: Step::Key(key) }
    }

    /// An element of the list that is here.
    pub(super) fn element(&'a self, key: &'a str, value: &'a str) -> Trail<'a> {
        Trail { parent: Some(self), step: Step::Element(key, value) }
    }
}

impl fmt::Display for Trail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.parent.filter(|parent| parent.parent.is_some());
        if let Some(parent) = inner {
            write!(f, "{parent}")?;
        }
        match self.step {
            Step::Root => f.write_str("the object"),
            Step::Element(key, value) => write!(f, "[{key}={value}]"),
            Step::Key(key) if key.contains(['.', '/']) => write!(f, "[{key}]"),
            Step::Key(key) if inner.is_none() => f.write_str(key),
            Step::Key(key) => write!(f, ".{key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_reads_as_a_path() {
        let root = Trail::ROOT;
        let (spec, metadata) = (root.key("spec"), root.key("metadata"));
        let (containers, labels) = (spec.key("containers"), metadata.key("labels"));
        assert_eq!(root.to_string(), "the object");
        assert_eq!(containers.element("name", "agent").key("image").to_string(), "spec.containers[name=agent].image");
        assert_eq!(labels.key("netloom.dev/x").to_string(), "metadata.labels[netloom.dev/x]");
    }
}
