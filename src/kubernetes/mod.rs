//! Kubernetes objects: identity, order, schemas and kustomization files.

mod object;

pub use object::{Identity, Object};
