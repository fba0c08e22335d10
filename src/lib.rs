//! netloom compiles networking declarations and overlays into Kubernetes manifests and CloudFormation templates.
//!
//! # The pipeline
//!
//! [`compile`] is the whole of it, a line a step; each step is a module named by its verb, and data flows one way:
//!
//! 1. **load** ([`load`]): every file of the project, once, confined to its root → [`tree::Sources`];
//! 2. **resolve** ([`resolve`]): documents, layers, declaration patches, defaults → effective declarations, typed and validated;
//! 3. **plan** ([`plan`]): addresses, subnets, routes, flows, MTU, IAM → the network plan, which knows no provider;
//! 4. **render** ([`overlay`], [`cloudformation`], [`gitops`], [`runbook`]): objects, templates, sync objects, runbooks;
//! 5. **patch** ([`patch`]): the overlays' changes to objects, in order;
//! 6. **check** ([`check`]): schemas, rules and cross-checks on the final objects,
//!    and policies ([`policy`]) on those and on the declarations;
//! 7. **emit** ([`emit`]): deterministic text, ownership record, atomic swap, prune.
//!
//! Before the first step, `main` has the kernel confine the process to what the command needs ([`sandbox`]).
//!
//! A network or a cluster is a [`unit::Unit`]: it is compiled by itself, in parallel with the others, and swapped whole.
//! Everything that is wrong becomes a [`diagnostic::Diagnostic`]; stages collect findings and go on.

#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, reason = "tests lay out their own files; without them the library is checked")
)]

pub mod address;
pub mod check;
pub mod cli;
pub mod cloudformation;
pub mod declare;
pub mod diagnostic;
pub mod diff;
pub mod emit;
pub mod explain;
pub mod files;
pub mod git;
pub mod gitops;
pub mod graph;
pub mod import;
pub mod judge;
pub mod kubernetes;
pub mod limits;
pub mod load;
pub mod overlay;
pub mod own;
pub mod patch;
pub mod plan;
pub mod policy;
pub mod resolve;
pub mod runbook;
pub mod sandbox;
pub mod tree;
pub mod unit;

mod compile;

pub use compile::{ClusterSeen, Compilation, NetworkSeen, Request, Witness, compile, witnessed};

#[cfg(test)]
mod scratch;
#[cfg(test)]
mod testing;
