//! Changes to trees: strategic merge patches, JSON patches and merge patches.
//!
//! Whatever a patch replaces is remembered in [`Node::overrode`](tree::Node::overrode). A patch that asks for something that is not there is an
//! error with the nearest candidates, never a silent no-op; so is one that leaves no object, or another one ([`kept`]).

mod json;
pub mod kept;
mod merge;
mod pointer;
mod strategic;
mod words;

pub use json::json;
pub use merge::merge;
pub use strategic::{plain, strategic};
