//! YAML: reading what people write, writing what machines read, and the normal form of files that people own.

#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, reason = "tests lay out their own files; without them the library is checked")
)]

pub mod fmt;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use read::{hidden, invisible, is_hidden, read, single, visible};
pub use write::to_yaml;
