//! Policies: Kubernetes' `ValidatingAdmissionPolicy`, evaluated at build time.
//!
//! They are about effective declarations (`apiGroups: [netloom.dev]`, resources `networks` and `clusters`), about rendered objects
//! of Kubernetes, and about resources of CloudFormation (`apiGroups: [cloudformation.netloom.dev]`, the resource is the type). A
//! policy is on where the project selects it (`spec.policies`), or where a binding among the project's policies names it.
//! What matches nothing is never looked into; what cannot be evaluated is an error with its place.

pub mod base;
pub mod cases;
mod cluster;
mod compiled;
mod covers;
mod document;
mod evaluation;
pub mod library;
mod matching;
mod run;
mod select;
mod status;
mod subject;
#[cfg(test)]
mod tests;
mod weaker;

pub use base::{Before, Role, Units};
pub use cases::{Outcome, test};
pub use cluster::COMPONENT;
pub use covers::Loss;
pub use document::Expected;
pub use evaluation::NetworkSubject;
pub use library::{Described, described};
pub use select::{Active, Policies};
pub use status::FACTS;
