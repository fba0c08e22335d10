//! An object on its way to a file.

use std::sync::{Arc, OnceLock};

use crate::tree::{Node, to_yaml};

/// What makes an object the same object: API version, kind, namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// `apiVersion`.
    pub api_version: String,
    /// `kind`.
    pub kind: String,
    /// `metadata.namespace`; empty for objects without one.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

impl Identity {
    /// The identity of an object; none when it lacks `apiVersion`, `kind` or a name.
    #[must_use]
    pub fn of(node: &Node) -> Option<Self> {
        let metadata = node.get("metadata")?;
        Some(Self {
            api_version: node.str_at("apiVersion")?.to_owned(),
            kind: node.str_at("kind")?.to_owned(),
            namespace: metadata.str_at("namespace").unwrap_or_default().to_owned(),
            name: metadata.str_at("name")?.to_owned(),
        })
    }

    /// The API group; empty for the core group.
    #[must_use]
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// The version within the group.
    #[must_use]
    pub fn version(&self) -> &str {
        self.api_version.rsplit('/').next().unwrap_or_default()
    }
}

/// An object with its place in the output. Shared between clusters that render the same one, so its text is made once.
#[derive(Debug)]
pub struct Object {
    /// What it is.
    pub identity: Identity,
    /// The component whose folder it goes to.
    pub component: Arc<str>,
    /// The object itself.
    pub node: Node,
    text: OnceLock<Arc<str>>,
}

impl Object {
    /// An object of a component.
    #[must_use]
    pub fn new(identity: Identity, component: Arc<str>, node: Node) -> Self {
        Self { identity, component, node, text: OnceLock::new() }
    }

    /// Its YAML, made at the first call.
    #[must_use]
    pub fn text(&self) -> &Arc<str> {
        self.text.get_or_init(|| to_yaml(&self.node).into())
    }

    /// Its file below the cluster's `kubernetes/` folder.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}/{}-{}.yaml", self.component, self.identity.kind.to_lowercase(), self.identity.name.replace(':', "-"))
    }
}
