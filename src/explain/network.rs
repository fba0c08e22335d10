//! Origins of what is in a network's files.

use super::choice::Choice;
use super::origin::Origin;
use super::{declared, files};
use crate::NetworkSeen;
use crate::cloudformation::origin as stack;
use crate::declare::{Declared, Network};
use crate::tree::Path;

/// The origin of a field of a network's file.
pub(super) fn field(seen: &NetworkSeen<'_>, file: &str, path: &Path) -> Origin {
    if file != "cloudformation/network.template.yaml" {
        return files::network(seen, file, path);
    }
    let reason = stack::network(seen.network, seen.plan, seen.template, path);
    let default = |path: &str| default(seen.network, path);
    let choice = Choice::of_network(seen);
    let inputs = reason.network.iter().map(|path| choice.input(&declared::at(&seen.network.node, path, default(path))));
    Origin::computed(reason.text, inputs.collect())
}

/// What a field of `spec.aws` is when nobody declares it.
pub(super) fn default(network: &Declared<Network>, path: &str) -> Option<serde_json::Value> {
    let name = path.strip_prefix("spec.aws.")?;
    serde_json::to_value(network.value.spec.aws.as_ref()?).ok()?.get(name).cloned()
}
