//! An object on its way to a file.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::custom::{Custom, not_structural};
use tree::{Map, Node, Path};
use yaml::to_yaml;

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

/// Where an object is at home: two overlays may write to one component, and only one of them fills a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// The component whose folder it goes to.
    pub component: Arc<str>,
    /// The slot of the overlay that makes it.
    pub slot: Option<Arc<str>>,
}

/// A component of its own, outside of every slot.
impl From<&str> for Home {
    fn from(component: &str) -> Self {
        Self { component: component.into(), slot: None }
    }
}

/// What an object defines, and what is wrong with that: paths, and what stands there.
type Definition = (Option<Custom>, Vec<(Path, String)>);

/// An object with its place in the output. Shared between clusters that render the same one, so its text is made once.
#[derive(Debug)]
pub struct Object {
    /// What it is.
    pub identity: Identity,
    /// Where it is at home.
    pub home: Home,
    /// The object itself.
    pub node: Node,
    text: OnceLock<Arc<str>>,
    /// The object with its annotations; none where it has them all.
    annotated: OnceLock<Option<Arc<Object>>>,
    /// What it defines, if it defines custom resources, and what is wrong with that.
    custom: OnceLock<Definition>,
    /// The minors of Kubernetes, as bits, whose schema this object is known to fit.
    valid: AtomicU64,
}

/// Whether a text is what SOPS makes of a value.
#[must_use]
pub fn is_ciphertext(text: &str) -> bool {
    text.starts_with("ENC[AES256_GCM,data:") && text.ends_with(']')
}

impl Object {
    /// An object of a component.
    #[must_use]
    pub fn new(identity: Identity, home: Home, node: Node) -> Self {
        let (text, annotated, custom) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self { identity, home, node, text, annotated, custom, valid: AtomicU64::new(0) }
    }

    /// The same object after a change; where the change has left it no identity, it keeps its own.
    #[must_use]
    pub fn changed(&self, node: Node) -> Self {
        let identity = Identity::of(&node).unwrap_or_else(|| self.identity.clone());
        Self::new(identity, self.home.clone(), node)
    }

    /// The component whose folder it goes to.
    #[must_use]
    pub fn component(&self) -> &str {
        &self.home.component
    }

    /// The slot of the overlay that makes it.
    #[must_use]
    pub fn slot(&self) -> Option<&str> {
        self.home.slot.as_deref()
    }

    /// Whether SOPS has encrypted it, which leaves a proof of all values behind; the key `sops` alone is nothing that decrypts.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.node.get("sops").and_then(|sops| sops.str_at("mac")).is_some_and(is_ciphertext)
    }

    /// The custom resources that it defines.
    #[must_use]
    pub fn custom(&self) -> Option<&Custom> {
        // Nearly every object is told apart by its kind alone.
        if self.identity.kind == "CustomResourceDefinition" { self.definition().0.as_ref() } else { None }
    }

    /// Why the API server would refuse the schemas of a definition.
    #[must_use]
    pub fn custom_faults(&self) -> &[(Path, String)] {
        &self.definition().1
    }

    fn definition(&self) -> &Definition {
        self.custom.get_or_init(|| (Custom::of(&self.node), not_structural(&self.node)))
    }

    /// Its YAML, made at the first call.
    #[must_use]
    pub fn text(&self) -> &Arc<str> {
        self.text.get_or_init(|| to_yaml(&self.node).into())
    }

    /// The object with annotations that depend on nothing but itself and the project, made at the first call; the same one where
    /// there are none to add.
    #[must_use]
    pub fn annotated(self: &Arc<Self>, annotations: impl FnOnce() -> Vec<(&'static str, String)>) -> Arc<Self> {
        let make = || {
            let annotations = annotations();
            (!annotations.is_empty()).then(|| Arc::new(self.with_annotations(annotations)))
        };
        Arc::clone(self.annotated.get_or_init(make).as_ref().unwrap_or(self))
    }

    fn with_annotations(&self, wanted: Vec<(&'static str, String)>) -> Self {
        let mut node = self.node.clone();
        if let Some(annotations) = child(&mut node, "metadata").and_then(|metadata| child(metadata, "annotations")?.as_map_mut())
        {
            wanted.into_iter().for_each(|(key, value)| _ = annotations.insert(key, value.into()));
        }
        Self::new(self.identity.clone(), self.home.clone(), node)
    }

    /// Whether the object fits the schema of a minor; `check` is asked once for each.
    pub fn fits(&self, minor: u32, check: impl FnOnce() -> bool) -> bool {
        let bit = 1u64 << (minor % 64);
        if self.valid.load(Ordering::Relaxed) & bit != 0 {
            return true;
        }
        let fits = check();
        if fits {
            self.valid.fetch_or(bit, Ordering::Relaxed);
        }
        fits
    }

    /// Its file below the cluster's `kubernetes/` folder: kind and name, and the namespace where it is not the one that a
    /// cluster's network lives in.
    #[must_use]
    pub fn path(&self) -> String {
        let Identity { kind, namespace, name, .. } = &self.identity;
        let namespace = if matches!(namespace.as_str(), "" | "kube-system") { String::new() } else { format!("{namespace}.") };
        format!("{}/{}-{namespace}{}.yaml", self.component(), kind.to_lowercase(), name.replace(':', "-"))
    }
}

/// The mapping under a key, made if it is missing or empty.
fn child<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Node> {
    let map = node.as_map_mut()?;
    if map.get(key).is_none_or(Node::is_null) {
        map.insert(key, Map::new().into());
    }
    map.get_mut(key)
}

/// An object for people: `DaemonSet kube-system/mynet-net`.
#[must_use]
pub fn show_object(identity: &Identity) -> String {
    let slash = if identity.namespace.is_empty() { "" } else { "/" };
    format!("{} {}{slash}{}", identity.kind, identity.namespace, identity.name)
}

/// Where an object of a kind has the `spec` of its pods.
#[must_use]
pub fn pod_spec(kind: &str) -> Option<&'static [&'static str]> {
    match kind {
        "Pod" => Some(&["spec"]),
        "DaemonSet" | "Deployment" | "Job" | "ReplicaSet" | "ReplicationController" | "StatefulSet" => {
            Some(&["spec", "template", "spec"])
        }
        "CronJob" => Some(&["spec", "jobTemplate", "spec", "template", "spec"]),
        _ => None,
    }
}
