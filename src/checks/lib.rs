//! What must hold of declarations, objects and templates: cross-checks, and policies in CEL.

#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, reason = "tests lay out their own files; without them the library is checked")
)]

pub mod check;
pub mod policy;
