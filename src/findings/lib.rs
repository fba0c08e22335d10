//! Findings: what is wrong, where, and what to do.
//!
//! One model feeds every output format. Stages collect findings instead of stopping at the first one.

mod excerpt;
mod finding;
mod format;
pub mod github;
mod human;
pub mod inert;
pub mod json;
pub mod junit;
mod location;
pub mod rules;
pub mod sarif;
mod severity;

pub use finding::{Diagnostic, Label, has_errors, sort};
pub use format::Format;
pub use human::{Human, tally};
pub use location::Places;
pub use rules::Rule;
pub use severity::Severity;
pub use tree::nearest;
