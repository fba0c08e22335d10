//! `kind: Project`: the file `netloom.yaml` at the root of a repository.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Layer, Metadata, PolicySelection};
use findings::Severity;

/// A repository of declarations and how it is rendered.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Project {
    /// `netloom.dev/v1alpha1`.
    #[schemars(extend("const" = "netloom.dev/v1alpha1"))]
    pub api_version: String,
    /// `Project`.
    #[schemars(extend("const" = "Project"))]
    pub kind: String,
    /// The project's name.
    pub metadata: Metadata,
    /// How it is rendered.
    #[serde(default)]
    pub spec: ProjectSpec,
}

/// How a project is rendered.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ProjectSpec {
    /// Where things are.
    pub paths: Paths,
    /// Which overlays apply where; later ones win.
    pub layers: Vec<Layer>,
    /// Which sync objects to write; none unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gitops: Option<GitOps>,
    /// Which policies hold where; stock ones hold nowhere unless they are named here or bound.
    pub policies: Vec<PolicySelection>,
    /// Severity of rules by code: `error`, `warning`, `note` or `off`.
    pub rules: IndexMap<String, RuleLevel>,
    /// Exports of stacks that are not the project's, which templates may import.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub imports: Vec<String>,
}

/// Folders of a project, relative to its root.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Paths {
    /// Declarations, in any layout below.
    pub declarations: String,
    /// Overlays of one's own, one folder each.
    pub overlays: String,
    /// Policies of one's own.
    pub policies: String,
    /// The rendered output.
    pub output: String,
    /// The project's own folder inside its Git repository: sync objects and deployment files name rendered files from the
    /// repository's root.
    #[schemars(regex(pattern = r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$"), extend("examples" = ["clusters/fleet"]))]
    pub repository: String,
    /// What stands in the output folder without being rendered, on purpose: patterns as in a `.gitignore` there. `check` reports
    /// whatever else nothing renders, and none of this is netloom's, whatever a record says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [["OWNERS", "clusters/*/kubernetes/secrets/*.sops.yaml"]]))]
    pub foreign: Vec<String>,
}

impl Paths {
    /// The path of something rendered, from the root of the Git repository.
    #[must_use]
    pub fn rendered(&self, below: &str) -> String {
        let parts = [&self.repository, &self.output, below].into_iter().flat_map(|part| part.split('/'));
        parts.filter(|part| !matches!(*part, "" | ".")).collect::<Vec<_>>().join("/")
    }
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            declarations: "declarations".into(),
            overlays: "overlays".into(),
            policies: "policies".into(),
            output: "rendered".into(),
            repository: ".".into(),
            foreign: Vec::new(),
        }
    }
}

/// Sync objects: exactly one flavour.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum GitOps {
    /// Flux Kustomizations.
    Flux(Flux),
    /// Argo CD Applications.
    Argo(Argo),
}

/// Flux Kustomizations, one per component, ordered by `dependsOn`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Flux {
    /// Name of the `GitRepository` that serves this repository.
    #[schemars(extend("format" = "dns-name"))]
    pub source_name: String,
    /// Namespace of the source and of the Kustomizations.
    #[schemars(extend("format" = "dns-label"))]
    pub namespace: String,
    /// How often Flux reconciles, as a Go duration.
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"), extend("examples" = ["10m"]))]
    pub interval: String,
    /// Whether `postBuild` substitution is used: objects with `${` are then marked `substitute: disabled`.
    pub substitution: bool,
    /// Secret in that namespace with the keys of SOPS; without one Flux asks the cloud's key service.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "dns-name"))]
    pub decryption_secret: Option<String>,
}

impl Default for Flux {
    fn default() -> Self {
        let name = || "flux-system".to_owned();
        Self { source_name: name(), namespace: name(), interval: "10m".into(), substitution: true, decryption_secret: None }
    }
}

/// Argo CD Applications, one per component, ordered by sync wave.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Argo {
    /// URL of the Git repository that holds this project.
    #[serde(rename = "repoURL")]
    pub repo_url: String,
    /// Branch, tag or commit to sync.
    #[serde(default = "head")]
    pub target_revision: String,
    /// Namespace of the Applications.
    #[serde(default = "argocd")]
    #[schemars(extend("format" = "dns-label"))]
    pub namespace: String,
    /// Argo CD project of the Applications.
    #[serde(default = "default_project")]
    #[schemars(extend("format" = "dns-name"))]
    pub project: String,
    /// Name of the cluster in Argo CD, by netloom cluster; a cluster without entry is `in-cluster` by server URL.
    #[serde(default)]
    pub destinations: IndexMap<String, String>,
}

fn head() -> String {
    "HEAD".into()
}

fn argocd() -> String {
    "argocd".into()
}

fn default_project() -> String {
    "default".into()
}

/// What a project makes of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RuleLevel {
    /// Nothing is rendered when it is broken.
    Error,
    /// Reported.
    Warning,
    /// Reported quietly.
    Note,
    /// Not reported. Rules that are errors by default cannot be turned off.
    Off,
}

impl RuleLevel {
    /// How bad it is when the rule is broken; none when nobody hears of it.
    #[must_use]
    pub fn severity(self) -> Option<Severity> {
        match self {
            RuleLevel::Error => Some(Severity::Error),
            RuleLevel::Warning => Some(Severity::Warning),
            RuleLevel::Note => Some(Severity::Note),
            RuleLevel::Off => None,
        }
    }

    /// What the project does to the rule.
    #[must_use]
    pub fn verb(self) -> &'static str {
        match self {
            RuleLevel::Error => "made an error",
            RuleLevel::Warning => "made a warning",
            RuleLevel::Note => "made a note",
            RuleLevel::Off => "turned off",
        }
    }
}
