//! What values hold that Rust has no type for.

pub(crate) mod format;
pub(crate) mod quantity;
pub(crate) mod semver;
pub(crate) mod time;
pub(crate) mod url;
