//! Origins of what is in a network's files.

use super::inputs::Inputs;
use super::origin::Origin;
use super::written::Pieces;
use super::{declared, files};
use artifacts::cloudformation::origin as stack;
use engine::NetworkSeen;
use model::declare::{Declared, Network, Stack};
use tree::Path;

/// A network's unit, with what overlays made of its template.
pub(super) struct OfNetwork<'a> {
    seen: &'a NetworkSeen<'a>,
    inputs: Inputs<'a>,
    pieces: Pieces<'a>,
}

impl<'a> OfNetwork<'a> {
    pub(super) fn new(seen: &'a NetworkSeen<'a>) -> Self {
        let inputs = Inputs::of_network(seen);
        let pieces = Pieces::new(&inputs, Stack::Network, seen.jsonnet);
        Self { seen, inputs, pieces }
    }

    /// The origin of a field of a network's file.
    pub(super) fn field(&self, file: &str, path: &Path) -> Origin {
        let NetworkSeen { network, plan, template, .. } = *self.seen;
        if file != "cloudformation/network.template.yaml" {
            return files::network(self.seen, file, path);
        }
        if let Some(origin) = self.pieces.field(&self.inputs, template, path) {
            return origin;
        }
        let reason = stack::network(network, plan, template, path);
        let declared = reason.network.iter().map(|path| declared::at(&network.node, path, default(network, path)));
        Origin::computed(reason.text, declared.map(|origin| self.inputs.choice.input(&origin)).collect())
    }
}

/// What a field of `spec.aws` is when nobody declares it.
pub(super) fn default(network: &Declared<Network>, path: &str) -> Option<serde_json::Value> {
    let name = path.strip_prefix("spec.aws.")?;
    serde_json::to_value(network.value.spec.aws.as_ref()?).ok()?.get(name).cloned()
}
