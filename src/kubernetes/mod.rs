//! Kubernetes objects: identity, order, schemas and kustomization files.

mod object;
pub mod schema;

pub use object::{Identity, Object};
