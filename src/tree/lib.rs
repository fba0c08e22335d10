//! Trees that remember where they were written.
//!
//! Everything netloom reads, computes and writes is a [`Node`]: a JSON-like value with the [`Span`] of the text that set it
//! and, after layering, the value it overrode. Diagnostics point at spans; the emitted text is a function of the values alone.

mod convert;
mod hidden;
pub mod limits;
mod nearest;
pub mod node;
pub mod path;
pub mod source;

pub use convert::from_json;
pub use hidden::{hidden, is_hidden};
pub use nearest::nearest;
pub use node::{Key, Map, Node, Value};
pub use path::{Path, Step};
pub use source::{FileId, Position, Source, Sources, Span};
