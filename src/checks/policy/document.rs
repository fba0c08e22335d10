//! The objects that policies are written as: Kubernetes' own, and the cases that test them.

use std::sync::LazyLock;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use model::declare::{Action, Kind, Selector, json_schema};
use schema::json::Schema;
use tree::Node;

/// The API versions of Kubernetes' policies that are read.
pub(super) const API_VERSIONS: [&str; 2] = ["admissionregistration.k8s.io/v1", "admissionregistration.k8s.io/v1beta1"];

macro_rules! kinds {
    ($($kind:ident $name:literal),*) => {$(
        impl Kind for $kind {
            const KIND: &'static str = $name;
            fn schema() -> &'static LazyLock<Schema> {
                static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::of(json_schema::<$kind>()));
                &SCHEMA
            }
        }
    )*};
}
kinds!(Policy "ValidatingAdmissionPolicy", Binding "ValidatingAdmissionPolicyBinding", PolicyTest "PolicyTest");

/// Metadata of an object.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// Its name.
    #[schemars(extend("format" = "dns-name"))]
    pub name: String,
    /// Labels.
    #[serde(default)]
    pub labels: IndexMap<String, String>,
    /// Annotations: `netloom.dev/rationale` and `netloom.dev/source` say why there is the policy, and where it is from;
    /// `netloom.dev/build-only` says why no cluster can enforce it.
    #[serde(default)]
    pub annotations: IndexMap<String, String>,
}

/// `ValidatingAdmissionPolicy`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    /// `admissionregistration.k8s.io/v1`.
    #[schemars(extend("enum" = API_VERSIONS))]
    pub api_version: String,
    /// `ValidatingAdmissionPolicy`.
    pub kind: String,
    /// Its name is the code of its findings.
    pub metadata: Metadata,
    /// What it says.
    pub spec: PolicySpec,
}

/// What a policy says.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicySpec {
    /// The kind of its parameters.
    #[serde(default)]
    pub param_kind: Option<ParamKind>,
    /// What it is about.
    #[serde(default)]
    pub match_constraints: Option<MatchResources>,
    /// What must all be true of an object for the policy to be about it.
    #[serde(default)]
    pub match_conditions: Vec<MatchCondition>,
    /// Named expressions, each seen by those after it.
    #[serde(default)]
    pub variables: Vec<Variable>,
    /// What must be true.
    #[serde(default)]
    pub validations: Vec<Validation>,
    /// What is told of an object, whether or not something is wrong.
    #[serde(default)]
    pub audit_annotations: Vec<AuditAnnotation>,
    /// What an expression without value means.
    #[serde(default)]
    pub failure_policy: FailurePolicy,
}

/// The kind of a policy's parameters.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields are Kubernetes'")]
pub struct ParamKind {
    pub api_version: String,
    pub kind: String,
}

/// What an expression without value means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FailurePolicy {
    /// An error.
    #[default]
    Fail,
    /// A warning: nothing that was not evaluated passes without a word.
    Ignore,
}

/// Which objects a policy or a binding is about.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MatchResources {
    /// Labels of the object's namespace.
    #[serde(default)]
    pub namespace_selector: Option<Selector>,
    /// Labels of the object.
    #[serde(default)]
    pub object_selector: Option<Selector>,
    /// Any of these.
    #[serde(default)]
    pub resource_rules: Vec<ResourceRule>,
    /// None of these.
    #[serde(default)]
    pub exclude_resource_rules: Vec<ResourceRule>,
    /// Whether other versions of a resource count.
    #[serde(default)]
    pub match_policy: MatchPolicy,
}

/// Whether other versions of a resource count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the values are Kubernetes'")]
pub enum MatchPolicy {
    Exact,
    #[default]
    Equivalent,
}

/// Kinds of objects and what is done to them.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields are Kubernetes'")]
pub struct ResourceRule {
    pub api_groups: Vec<String>,
    pub api_versions: Vec<String>,
    pub operations: Vec<Operation>,
    pub resources: Vec<String>,
    #[serde(default)]
    pub resource_names: Vec<String>,
    #[serde(default)]
    pub scope: Scope,
}

/// What is done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the values are Kubernetes'")]
pub enum Operation {
    #[serde(rename = "CREATE")]
    Create,
    #[serde(rename = "UPDATE")]
    Update,
    #[serde(rename = "DELETE")]
    Delete,
    #[serde(rename = "CONNECT")]
    Connect,
    #[serde(rename = "*")]
    Any,
}

impl Operation {
    /// As a request has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
            Self::Any => "*",
        }
    }
}

/// Whether objects with or without namespace are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the values are Kubernetes'")]
pub enum Scope {
    Cluster,
    Namespaced,
    #[default]
    #[serde(rename = "*")]
    Any,
}

/// A condition under which a policy is about an object.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields are Kubernetes'")]
pub struct MatchCondition {
    pub name: String,
    pub expression: String,
}

/// A named expression.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields are Kubernetes'")]
pub struct Variable {
    #[schemars(regex(pattern = r"^[A-Za-z_][A-Za-z0-9_]*$"))]
    pub name: String,
    pub expression: String,
}

/// What must be true.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields are Kubernetes'")]
pub struct Validation {
    pub expression: String,
    #[serde(default)]
    pub message: Option<String>,
    #[serde(default)]
    pub message_expression: Option<String>,
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Why the API server refuses a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the values are Kubernetes'")]
pub enum Reason {
    Unauthorized,
    Forbidden,
    Invalid,
    RequestEntityTooLarge,
}

/// What is told of an object.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields are Kubernetes'")]
pub struct AuditAnnotation {
    pub key: String,
    pub value_expression: String,
}

/// `ValidatingAdmissionPolicyBinding`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Binding {
    /// `admissionregistration.k8s.io/v1`.
    #[schemars(extend("enum" = API_VERSIONS))]
    pub api_version: String,
    /// `ValidatingAdmissionPolicyBinding`.
    pub kind: String,
    /// Its name.
    pub metadata: Metadata,
    /// What it says.
    pub spec: BindingSpec,
}

/// What a binding says.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BindingSpec {
    /// The policy.
    pub policy_name: String,
    /// Its parameters.
    #[serde(default)]
    pub param_ref: Option<ParamRef>,
    /// Which of the objects that the policy is about.
    #[serde(default)]
    pub match_resources: Option<MatchResources>,
    /// What a violation is.
    #[schemars(length(min = 1))]
    pub validation_actions: Vec<Action>,
}

/// Which parameters a binding has: objects among the project's policies.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields are Kubernetes'")]
pub struct ParamRef {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub namespace: Option<String>,
    #[serde(default)]
    pub selector: Option<Selector>,
    pub parameter_not_found_action: NotFound,
}

/// What it means that there are no such parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NotFound {
    /// The binding says nothing.
    Allow,
    /// An error.
    Deny,
}

/// Cases of a policy: objects, and what it says of them.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyTest {
    /// `netloom.dev/v1alpha1`.
    #[schemars(extend("const" = "netloom.dev/v1alpha1"))]
    pub api_version: String,
    /// `PolicyTest`.
    pub kind: String,
    /// The name of the policy.
    pub metadata: Metadata,
    /// The cases.
    pub spec: PolicyTestSpec,
}

/// The cases.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyTestSpec {
    /// The cases.
    #[schemars(length(min = 1))]
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// The object: a declaration, an object of Kubernetes, or a resource of CloudFormation with its type as `kind`. It is deleted
    /// where this is left out.
    #[serde(default)]
    pub object: Option<Node>,
    /// What it was before; it is created where this is left out.
    #[serde(default)]
    pub old_object: Option<Node>,
    /// Labels of its namespace.
    #[serde(default)]
    pub namespace_labels: IndexMap<String, String>,
    /// The parameters.
    #[serde(default)]
    pub params: Option<Node>,
    /// What comes of it.
    pub expected: Expected,
    /// A part of the message.
    #[serde(default)]
    pub message: Option<String>,
}

/// What comes of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Expected {
    /// Nothing is wrong.
    Pass,
    /// A validation is not true.
    Fail,
    /// The policy is not about the object.
    Excluded,
    /// An expression has no value.
    Error,
}
