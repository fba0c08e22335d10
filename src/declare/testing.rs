//! Declarations for tests.

use super::{Declared, Network, decode};
use crate::tree::{Sources, yaml};

/// The network with this `spec`, which stands first in its file, so that lines count from its first line.
pub(crate) fn network(spec: &str) -> (Sources, Declared<Network>) {
    let text = format!("{}\napiVersion: netloom.dev/v1alpha1\nkind: Network\nmetadata: {{name: net}}\n", spec.trim());
    let mut sources = Sources::default();
    let file = sources.add("net.yaml", text.to_owned());
    let mut findings = Vec::new();
    let node = yaml::read(&text, file, &mut findings).remove(0);
    let network = decode::<Network>(node, &mut findings);
    assert_eq!(findings, []);
    (sources, network.unwrap())
}
