//! What an overlay adds and changes: resources, patches of objects and stacks, patches of declarations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::declare::Selector;
use tree::Node;

/// A patch on the declarations of the clusters that the overlay is on, and of the networks that these run in.
///
/// A mapping is merged into the declaration's `spec` (RFC 7386): mappings merge, `null` removes a field, everything else replaces
/// what was there. A list is JSON 6902 operations on it, with paths from `spec` on (`/nodes/max`); `test` requires a value.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeclarationPatch {
    /// Which of the clusters that the overlay is on; all of them when left out.
    #[serde(default, skip_serializing_if = "Selector::is_empty")]
    pub clusters: Selector,
    /// Patch on the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Node>,
    /// Which of these clusters' networks; all of them when left out.
    #[serde(default, skip_serializing_if = "Selector::is_empty")]
    pub networks: Selector,
    /// Patch on the network, applied once however many clusters run in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Node>,
}

/// A CloudFormation stack that an overlay has a share in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Stack {
    /// The network's, which all its clusters share.
    Network,
    /// The cluster's.
    Cluster,
}

impl Stack {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Stack::Network => "network",
            Stack::Cluster => "cluster",
        }
    }
}

/// A manifest or program that makes objects: its path, or its path with conditions.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Resource {
    /// Always rendered.
    Path(String),
    /// Rendered when and as often as it says.
    Conditional(Conditional),
}

/// A resource with conditions.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Conditional {
    /// File in the overlay's folder, or in another overlay's (`../shared/crds.yaml`): YAML, or Jsonnet (`function(ctx)` that
    /// returns an object or a list).
    pub path: String,
    /// The stack to whose template it adds: the file then holds `Resources`, `Outputs` or `Parameters` as CloudFormation has them,
    /// with functions in full (`Ref: Vpc`). What is for the network's stack sees `network`, `options` and values that depend on
    /// nothing else, because many clusters may share the network.
    #[serde(default)]
    pub stack: Option<Stack>,
    /// Pin of a manifest from elsewhere, which `netloom vendor` writes: BLAKE3 of its text. It is taken as it is, without
    /// expressions, and refused when it is not the one that was pinned.
    #[serde(default)]
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    pub blake3: Option<String>,
    /// Expression: whether it is rendered.
    #[serde(default)]
    pub when: Option<String>,
    /// Expression: a list; rendered once for each `item`.
    #[serde(default, rename = "loop")]
    pub items: Option<String>,
}

impl Resource {
    /// The file, relative to the overlay's folder.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Resource::Path(path) | Resource::Conditional(Conditional { path, .. }) => path,
        }
    }

    /// The stack that it is for; none for objects.
    #[must_use]
    pub fn stack(&self) -> Option<Stack> {
        match self {
            Resource::Path(_) => None,
            Resource::Conditional(one) => one.stack,
        }
    }

    /// Its pin.
    #[must_use]
    pub fn pin(&self) -> Option<&str> {
        match self {
            Resource::Path(_) => None,
            Resource::Conditional(one) => one.blake3.as_deref(),
        }
    }
}

/// A change to objects. One that matches no object is an error, unless it says how many it expects.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Patch {
    /// File in the overlay's folder, or in another overlay's: a strategic merge patch (a mapping), JSON 6902 (a list) or Jsonnet
    /// (`function(ctx, object)`).
    pub path: String,
    /// The stack whose template it changes: a mapping is then merged (RFC 7386: `null` removes, lists are replaced; so are
    /// functions such as `Ref`). Without `target` it is for the template as a whole, and what it names has to be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<Stack>,
    /// Expression: whether it is applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Which objects; for a strategic merge patch the object it names itself, when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// How many objects each document of it must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<usize>,
    /// How many objects each document of it must match at least; 1 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<usize>,
}

/// Selects objects; every field that is given must match. The texts are regular expressions for the whole of the field, as in
/// kustomize: `node.*` matches `node-agent`, and `node` does not. A resource of a stack has its type as `kind` (`AWS::EC2::Subnet`),
/// its logical id as `name`, and nothing else, as policies see it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Target {
    /// API group; `""` is the core group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// API version within the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Namespace, as written in the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Labels of the object.
    #[serde(skip_serializing_if = "Selector::is_empty")]
    pub labels: Selector,
}
