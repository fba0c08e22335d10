//! What users write: [`Project`], [`Network`], [`Cluster`] and [`Overlay`], typed and documented.
//!
//! The doc comments are the field reference: the JSON Schema that `netloom schema` prints, and that every document is checked
//! against, is derived from these types.

mod cluster;
mod egress;
pub mod expression;
mod generate;
pub mod labels;
mod layer;
mod network;
mod overlay;
mod policy;
mod project;
mod range;
mod subnets;

use std::sync::LazyLock;

use indexmap::IndexMap;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use findings::{Diagnostic, rules};
use schema::json::Schema;
use tree::{Node, Path, Span};

pub use cluster::{
    Access, Arch, Cluster, ClusterSpec, ControlPlane, DeclaredFlow, Dns, Endpoint, KubeProxy, KubeProxyMode, Nodes,
};
pub use egress::{Egress, Exits, Way, aws_id, exits, nat_subnet};
pub use generate::{ConfigFile, ConfigMapFiles, KeyedFile};
pub use labels::Labels;
pub use layer::{Layer, Operator, Parameters, Requirement, Selector, Use};
pub use network::{Aws, Endpoints, NatGateways, Network, NetworkSpec, OnPremises, Route, Subnet, SubnetType, Topology};
pub use overlay::{
    Assertion, Blocked, Conditional, DeclarationPatch, DeclaredPort, Facts, Feature, Lifecycle, LifecycleStatus, MtuPlace,
    MtuTerm, NodeRoutes, Overlay, OverlaySpec, Patch, PolicyFeatures, ProxyNeed, Resource, Stack, Statement, Target, Transition,
    TransitionClass,
};
pub use policy::{Action, Enforce, PolicySelection};
pub use project::{Argo, Flux, GitOps, Paths, Project, ProjectSpec, RuleLevel};
pub use range::{Range, reserved};
pub use subnets::{LETTERS, LONGEST_PREFIX, SHORTEST_PREFIX, Tier, Zone};

/// The API version of every declaration.
pub const API_VERSION: &str = "netloom.dev/v1alpha1";

/// Name and labels of a declaration.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// Name: a DNS label. It becomes a folder and a part of stack names.
    #[schemars(extend("format" = "dns-label"))]
    pub name: String,
    /// Labels, which the project's layers select by.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub labels: IndexMap<String, String>,
}

/// A change that somebody has looked at and wants in spite of what it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    /// The change's name, as `netloom diff` shows it: `kubeProxy.mode`.
    pub transition: String,
    /// Why it is wanted, and when it is done.
    #[schemars(length(min = 1))]
    pub because: String,
}

/// A declaration: what it says, and the tree that says where.
#[derive(Clone, Debug)]
pub struct Declared<T> {
    /// The typed declaration.
    pub value: T,
    /// The whole document, from `apiVersion` down, after overlays' declaration patches.
    pub node: Node,
}

impl<T> Declared<T> {
    /// The place of the field at a dotted path, or of its nearest ancestor that was written.
    #[must_use]
    pub fn span(&self, path: &str) -> Span {
        self.node.nearest(&Path::dotted(path)).span
    }
}

/// A kind of declaration that documents can be decoded into.
pub trait Kind: Sized + for<'de> Deserialize<'de> + JsonSchema + Send + Sync + 'static {
    /// The `kind` field's value.
    const KIND: &'static str;
    /// The compiled JSON Schema of the kind.
    fn schema() -> &'static LazyLock<Schema>;
}

macro_rules! kinds {
    ($($kind:ident),*) => {$(
        impl Kind for $kind {
            const KIND: &'static str = stringify!($kind);
            fn schema() -> &'static LazyLock<Schema> {
                static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::of(json_schema::<$kind>()));
                &SCHEMA
            }
        }
    )*};
}
kinds!(Project, Network, Cluster, Overlay);

/// Compiles the schemas of all kinds, side by side; whoever needs one meanwhile finds it there or makes it.
pub fn prepare() {
    let schemas = [Project::schema(), Network::schema(), Cluster::schema(), Overlay::schema()];
    schemas.into_par_iter().for_each(|schema| _ = LazyLock::force(schema));
}

/// The JSON Schema of a kind of declaration, as editors want it.
#[must_use]
pub fn json_schema<T: JsonSchema>() -> serde_json::Value {
    schemars::SchemaGenerator::default().into_root_schema_for::<T>().into()
}

/// Checks a document against its kind and decodes it; everything that is wrong with it goes to `findings`.
pub fn decode<T: Kind>(node: Node, findings: &mut Vec<Diagnostic>) -> Option<Declared<T>> {
    if let Some(kind) = node.get("kind").filter(|kind| kind.as_str().is_some_and(|kind| kind != T::KIND)) {
        // What follows from a document of another kind would be beside the point.
        let message = format!("`kind` is `{}`, but here it is `{}`", kind.as_str().unwrap_or_default(), T::KIND);
        findings.push(Diagnostic::new(&rules::SCHEMA, kind.span, message));
        return None;
    }
    let before = findings.len();
    T::schema().check(&node, &rules::SCHEMA, findings);
    if findings.len() > before {
        return None;
    }
    match serde_path_to_error::deserialize(node.to_json()) {
        Ok(value) => Some(Declared { value, node }),
        Err(error) => {
            let place = node.nearest(&Path::dotted(&error.path().to_string())).span;
            findings.push(Diagnostic::new(&rules::SCHEMA, place, error.into_inner().to_string()));
            None
        }
    }
}
