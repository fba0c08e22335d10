//! Trees that remember where they were written.
//!
//! Everything netloom reads, computes and writes is a [`Node`]: a JSON-like value with the [`Span`] of the text that set it
//! and, after layering, the value it overrode. Diagnostics point at spans; the emitted text is a function of the values alone.

mod convert;
pub mod fmt;
mod hidden;
mod nearest;
mod node;
mod path;
pub mod schema;
mod source;
#[cfg(test)]
mod tests;
mod write;
pub mod yaml;

pub use convert::from_json;
pub use hidden::{hidden, is_hidden};
pub use nearest::nearest;
pub use node::{Key, Map, Node, Value};
pub use path::{Path, Step};
pub use source::{FileId, Position, Source, Sources, Span};
pub use write::to_yaml;
