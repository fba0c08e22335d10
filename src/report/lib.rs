//! What people are told of compilations: what changed between two, and where a value of one is from.

#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, reason = "tests lay out their own files; without them the library is checked")
)]

pub mod diff;
pub mod explain;
