//! netloom compiles networking declarations and overlays into Kubernetes manifests and CloudFormation templates.

pub mod address;
pub mod cloudformation;
pub mod declare;
pub mod diagnostic;
pub mod import;
pub mod kubernetes;
pub mod limits;
pub mod overlay;
pub mod patch;
pub mod plan;
pub mod resolve;
pub mod tree;
pub mod unit;
