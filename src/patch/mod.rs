//! Stand-in until patches land.
use crate::declare::Target;
use crate::diagnostic::Diagnostic;
use crate::kubernetes::{Identity, schema::Schemas};
use crate::tree::Node;
/// Merge patch.
pub fn merge(target: &mut Node, patch: &Node) {
    _ = (target, patch);
}
/// JSON 6902.
pub fn json(object: &mut Node, patch: &Node, findings: &mut Vec<Diagnostic>) {
    _ = (object, patch, findings);
}
/// Strategic.
pub fn strategic(object: &mut Node, patch: &Node, schemas: &Schemas, findings: &mut Vec<Diagnostic>) {
    _ = (object, patch, schemas, findings);
}
/// Targets.
#[must_use]
pub fn targets(target: &Target, identity: &Identity) -> bool {
    _ = (target, identity);
    true
}
