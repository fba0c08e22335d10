//! What texts and trees must be: strict addresses, JSON Schemas, Kubernetes objects and what Kubernetes says of them.

pub mod address;
pub mod custom;
pub mod json;
pub mod kubernetes;
mod object;
mod text;
pub mod version;

pub use object::{Home, Identity, Object, is_ciphertext, pod_spec, show_object};
