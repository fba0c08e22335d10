//! What plans and objects are written as: templates, sync objects, kustomizations, pictures, runbooks.

#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, reason = "tests lay out their own files; without them the library is checked")
)]

pub mod cloudformation;
pub mod dns;
pub mod gitops;
pub mod graph;
pub mod kustomization;
pub mod runbook;
