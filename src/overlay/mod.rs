//! Overlays at work.
pub mod expression;
pub mod template;
