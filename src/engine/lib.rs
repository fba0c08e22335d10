//! The pipeline: declarations are resolved, overlays make objects, the base judges, and a unit is compiled.

#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, reason = "tests lay out their own files; without them the library is checked")
)]

pub mod compile;
pub mod judge;
pub mod overlay;
pub mod resolve;

pub use compile::{ClusterSeen, Compilation, NetworkSeen, Request, Witness, compile, witnessed};
