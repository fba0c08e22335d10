//! What tests of several members share: folders, declarations from text, findings as text, plans of small networks.
#![allow(missing_docs, clippy::disallowed_methods, clippy::expect_used, clippy::new_without_default, clippy::unwrap_used)]

mod declarations;
pub mod networks;
mod scratch;

pub use declarations::{Project, network, node};
pub use scratch::Scratch;
