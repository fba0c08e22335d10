//! Kubernetes objects: identity, order, schemas and kustomization files.

pub mod custom;
pub mod kustomization;
mod object;
pub mod schema;

pub use object::{Identity, Object, is_ciphertext, pod_spec, show_object};
