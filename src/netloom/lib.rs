//! netloom compiles networking declarations and overlays into Kubernetes manifests and CloudFormation templates.
//!
//! The command line is all that stands here; the rest are the members of the workspace, each one's dependencies in its `Cargo.toml`:
//!
//! 1. **load** ([`files::load`]): every file of the project, once, confined to its root → [`tree::Sources`];
//! 2. **resolve** ([`engine::resolve`]): documents, layers, declaration patches, defaults → effective declarations, typed and validated;
//! 3. **plan** ([`model::plan`]): addresses, subnets, routes, flows, MTU, IAM → the network plan, which knows no provider;
//! 4. **render** ([`engine::overlay`], [`artifacts`]): objects, templates, sync objects, runbooks;
//! 5. **patch** ([`patch`]): the overlays' changes to objects, in order;
//! 6. **check** ([`checks`]): schemas, rules and cross-checks on the final objects, and policies on those and on the declarations;
//! 7. **emit** ([`files::emit`]): deterministic text, ownership record, atomic swap, prune.
//!
//! Before the first step, `main` has the kernel confine the process to what the command needs ([`files::sandbox`]).
//!
//! A network or a cluster is a [`model::unit::Unit`]: it is compiled by itself, in parallel with the others, and swapped whole.
//! Everything that is wrong becomes a [`findings::Diagnostic`]; stages collect findings and go on.

#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, reason = "tests lay out their own files; without them the library is checked")
)]

pub mod cli;

pub use ::{artifacts, cel, checks, engine, files, findings, import, model, patch, report, schema, tree, yaml};
pub use ::engine::{ClusterSeen, Compilation, NetworkSeen, Request, Witness, compile, witnessed};
