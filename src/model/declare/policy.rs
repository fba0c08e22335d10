//! Which policies a project has on, and where they are enforced.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Selector;
use findings::Severity;

/// A policy and what it holds for.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicySelection {
    /// The policy's name.
    pub policy: String,
    /// The clusters, and the networks, by their labels; all of them when left out.
    #[serde(default)]
    pub clusters: Selector,
    /// What a violation is, whatever the policy's binding says: `Deny` an error, `Warn` a warning, `Audit` a note.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
    /// Where it is enforced.
    #[serde(default)]
    pub enforce: Enforce,
}

/// Where a policy is enforced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Enforce {
    /// When netloom renders and checks.
    #[default]
    Build,
    /// By the cluster's API server: the policy is rendered with the cluster's objects.
    Cluster,
    /// By both.
    Both,
}

impl Enforce {
    /// Whether netloom evaluates the policy.
    #[must_use]
    pub fn builds(self) -> bool {
        self != Self::Cluster
    }

    /// Whether the policy is rendered for the cluster.
    #[must_use]
    pub fn renders(self) -> bool {
        self != Self::Build
    }
}

/// What a violation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Action {
    /// An error.
    Deny,
    /// A warning.
    Warn,
    /// A note.
    Audit,
}

impl Action {
    /// How bad a finding is.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::Deny => Severity::Error,
            Self::Warn => Severity::Warning,
            Self::Audit => Severity::Note,
        }
    }
}
