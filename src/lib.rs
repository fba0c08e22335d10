//! netloom compiles networking declarations and overlays into Kubernetes manifests and CloudFormation templates.

pub mod address;
pub mod check;
pub mod cli;
pub mod cloudformation;
pub mod declare;
pub mod diagnostic;
pub mod emit;
pub mod kubernetes;
pub mod limits;
pub mod load;
pub mod overlay;
pub mod patch;
pub mod plan;
pub mod resolve;
#[cfg(test)]
mod scratch;
pub mod tree;
pub mod unit;

#[cfg(test)]
mod testing;
