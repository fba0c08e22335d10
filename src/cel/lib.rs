//! CEL as the API server of Kubernetes has it: compiled once, evaluated within a budget.
//!
//! The `cel` crate parses. Its trees are lowered to ours, where every name and function is known, and evaluated here rather than
//! by the crate, because a policy comes from strangers and a verdict must be sure: an evaluation has a budget ([`Meter`]), every
//! error has its place in the YAML, objects are borrowed as they are, and results have one order. What cannot be evaluated is an
//! error, never a pass.

#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, reason = "tests lay out their own files; without them the library is checked")
)]

mod eval;
mod fault;
mod library;
mod lower;
mod meter;
mod operators;
mod place;
#[cfg(test)]
mod tests;
mod types;
mod value;

pub use eval::{Bindings, Scope};
pub use fault::Fault;
pub use lower::{Expr, compile};
pub use meter::Meter;
pub use place::Place;
pub use value::Value;
