//! `kind: Overlay`: a folder that contributes resources, patches, facts and checks.

mod changes;
mod facts;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ConfigMapFiles, Use};
pub use changes::{Conditional, DeclarationPatch, Patch, Resource, Stack, Target};
pub use facts::{Blocked, DeclaredPort, Facts, Feature, MtuPlace, MtuTerm, NodeRoutes, PolicyFeatures, ProxyNeed, Statement};
use findings::Severity;
use schema::version::VersionRange;
use tree::Node;

/// An overlay: the only way to extend netloom. Stock ones and a user's own have the same form and the same powers.
///
/// Scalars that contain `{{ … }}` are expressions over `cluster`, `network`, `options`, `values` and `facts` (its own and, where it
/// has none, those of the overlays before it, such as the provider's); `when`, `loop` and `that` are expressions without braces.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Overlay {
    /// `netloom.dev/v1alpha1`.
    #[schemars(extend("const" = "netloom.dev/v1alpha1"))]
    pub api_version: String,
    /// `Overlay`.
    #[schemars(extend("const" = "Overlay"))]
    pub kind: String,
    /// Name: the folder's path below `overlays/`.
    pub metadata: OverlayMetadata,
    /// What it does.
    #[serde(default)]
    pub spec: OverlaySpec,
}

/// An overlay's name.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OverlayMetadata {
    /// The folder's path below `overlays/`, such as `cni/kubenet`.
    #[schemars(regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(/[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"), extend("examples" = ["cni/kubenet"]))]
    pub name: String,
    /// One line on what it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// What an overlay contributes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OverlaySpec {
    /// At most one overlay of a slot is on a cluster: `cni`, `dns`.
    pub slot: Option<String>,
    /// Folder of its objects below the cluster's `kubernetes/`; the slot, or the last part of the name.
    #[schemars(extend("format" = "dns-label"))]
    pub component: Option<String>,
    /// The block of a cluster's `spec` that selects the overlay and holds its options: `networking.kubenet`.
    pub selected_by: Option<String>,
    /// Overlays that it builds on, by name or with options: they are on every cluster that it is on, and apply before it.
    pub uses: Vec<Use>,
    /// Expression: whether a selected overlay applies.
    pub when: Option<String>,
    /// Kubernetes versions it runs on, in quotes: `">=1.16"` or `">=1.16 <1.25"`; any, when left out.
    ///
    /// One term or two, with a blank or a comma in between, and both have to hold. A term is an operator (`>=`, `>`, `<=`, `<`
    /// or `=`, which may be left out) and MAJOR.MINOR or MAJOR.MINOR.PATCH, with or without a `v`. Without a patch it stands for
    /// all of them: `<=1.33` and `1.33` admit 1.33.4, `>1.33` does not. A cluster whose `kubernetesVersion` names no patch counts
    /// as its first, 1.33 as 1.33.0, the least that is known of it: `<=1.33.9` admits it, `>=1.33.2` does not.
    pub kubernetes: Option<VersionRange>,
    /// The state of the software it installs.
    pub lifecycle: Option<Lifecycle>,
    /// JSON Schema of its options, with defaults; unknown keys are refused unless it says otherwise.
    pub options: Option<Node>,
    /// Named intermediate results, in order; each sees the ones before it.
    pub values: IndexMap<String, Node>,
    /// What the network plan and the checks need to know about it: a template of [`Facts`].
    pub facts: Option<Node>,
    /// Patches on declarations, applied before anything else.
    pub declarations: Vec<DeclarationPatch>,
    /// Manifests and programs that make objects, and pieces of template for stacks.
    pub resources: Vec<Resource>,
    /// `ConfigMap`s of files.
    pub config_maps: Vec<ConfigMapFiles>,
    /// Changes to objects that were made before, and to templates of stacks.
    pub patches: Vec<Patch>,
    /// Rules of its own.
    pub assertions: Vec<Assertion>,
    /// What a change of a field does to a running cluster.
    pub transitions: Vec<Transition>,
    /// Template of the section that it adds to the cluster's README.
    pub runbook: Option<String>,
}

/// The state of the software that an overlay installs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lifecycle {
    /// Its state.
    pub status: LifecycleStatus,
    /// Since when (a date).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// What a user should know.
    pub note: String,
}

/// States of software.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LifecycleStatus {
    /// Maintained by its makers.
    Active,
    /// Kept alive by volunteers.
    Community,
    /// Works, but superseded.
    Legacy,
    /// Not maintained any more.
    Archived,
    /// Never declared ready.
    Experimental,
}

/// A rule of an overlay.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Assertion {
    /// Stable code in kebab case.
    pub code: String,
    /// Expression that must be true.
    pub that: String,
    /// Expression: whether the rule applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// How bad it is when it is broken.
    pub severity: Severity,
    /// What is wrong; may contain expressions.
    pub message: String,
    /// What to do; may contain expressions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Field of the cluster's `spec` to point at; the selecting block when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What the rule is about and why: what `netloom explain CODE` prints.
    pub explanation: String,
}

/// What a change of a field does to a running cluster.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Transition {
    /// Field of the cluster's `spec`.
    pub field: String,
    /// What the change does.
    pub class: TransitionClass,
    /// Why.
    pub because: String,
    /// What to do, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<String>,
}

/// What a change does to a running system, from harmless to impossible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TransitionClass {
    /// Takes effect without a restart.
    InPlace,
    /// Pods restart one node after the other.
    Rolling,
    /// Nodes must be replaced.
    NodeReplacement,
    /// Traffic stops for a while.
    Downtime,
    /// Cannot be done on a running cluster.
    Unsupported,
}
