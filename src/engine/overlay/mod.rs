//! Overlays at work: the library of them, their expressions, and the objects they make.

pub mod clash;
mod compile;
pub mod compiled;
pub mod context;
pub mod expression;
pub mod generate;
pub mod jsonnet;
pub mod library;
pub mod reach;
pub mod render;
mod target;
pub mod template;
mod unused;

use model::declare::Selector;
pub use target::Matcher;
use tree::{Node, Span};

/// An overlay that a cluster or a network has, with its options.
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
    /// Everything that asks for it, in the order of the layers.
    pub reasons: Vec<Reason>,
}

/// Why a cluster or a network has an overlay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What asks for it.
    pub origin: Origin,
    /// Where.
    pub span: Span,
}

/// What asks for an overlay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A layer of the project, with this selector.
    Layer(Selector),
    /// A layer of the project for networks, with this selector.
    NetworkLayer(Selector),
    /// The cluster's own list.
    Cluster,
    /// The overlay with this name, which builds on it.
    UsedBy(String),
    /// The block of the cluster's `spec` that selects it.
    Block,
}
