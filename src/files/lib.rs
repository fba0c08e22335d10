//! Everything that touches paths, so that no other member can get it wrong: reading a project, Git, writing output, the sandbox.

#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, reason = "tests lay out their own files; without them the library is checked")
)]

pub mod emit;
pub mod git;
pub mod load;
pub mod own;
pub mod paths;
pub mod sandbox;
