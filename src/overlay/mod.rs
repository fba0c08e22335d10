//! Overlays at work: the library of them, their expressions, and the objects they make.

pub mod compile;
pub mod context;
pub mod expression;
pub mod jsonnet;
pub mod library;
pub mod render;
pub mod template;
mod unused;

use crate::tree::{Node, Span};

/// An overlay that a cluster has, with its options.
#[derive(Clone, Debug)]
pub struct Selected<'a> {
    /// The overlay.
    pub overlay: &'a library::Overlay,
    /// The block that selected it with the schema's defaults filled in; an empty mapping for one without options.
    pub options: Node,
    /// Whether the options are what the overlay takes; expressions over others would only fail.
    pub sound: bool,
    /// The block, or the place that names the overlay.
    pub place: Span,
}
