//! How many pods kops lets a kubelet run where pods have addresses of the VPC.
//!
//! Unless a manifest says it, kops computes `maxPods` on each machine from its instance type (`nodeup/pkg/model/kubelet.go`):
//! interfaces * (addresses of each - 1) + 2, and 110 at most.

use indexmap::IndexSet;

use crate::options;
use tree::{Node, Sources};

use super::{Work, provider};

/// The kubelet's own default, and a declaration's.
const MOST: i64 = 110;
/// The first minor version of kops that computes it for Cilium with addresses of the VPC, too.
const CILIUM_SINCE: u32 = 28;

/// Writes `nodes.maxPods` as kops computes it for these instance types.
pub(super) fn write(work: &mut Work<'_, '_>, types: &IndexSet<&str>) {
    if !applies(work) {
        return;
    }
    let capacities = capacities();
    let known: Vec<(&str, i64)> = types.iter().filter_map(|name| Some((*name, pods(&capacities, name)?))).collect();
    let Some((least, pods)) = known.iter().min_by_key(|(_, pods)| *pods) else {
        let comment = "kops computes `maxPods` of each kubelet from its machine's type: as many as its interfaces have addresses for, and \
                       110 at most. The types are not known here, so write the least of these numbers.";
        return work.cluster.note("spec.nodes", comment);
    };
    if *pods == MOST {
        return; // as the declaration has it
    }
    work.cluster.set("spec.nodes.maxPods", *pods);
    let others = known.iter().map(|(_, pods)| *pods).max().filter(|most| most != pods);
    let others = others.map_or(String::new(), |most| format!("; machines of other types have up to {most}"));
    let comment = format!("What kops computes from the addresses that a {least} has for pods{others}.");
    work.cluster.note("spec.nodes.maxPods", comment);
}

fn applies(work: &Work<'_, '_>) -> bool {
    let eni = || provider::block(work, "cilium").is_some_and(|block| block.str_at("ipam") == Some("eni"));
    provider::block(work, "amazonvpc").is_some() || work.version.minor >= CILIUM_SINCE && eni()
}

/// The table of instance types of the Amazon VPC provider's overlay.
fn capacities() -> Vec<Node> {
    let text = options::file("cni/amazonvpc", "instance-types.yaml.j2").unwrap_or_default();
    let file = Sources::default().add("instance-types.yaml.j2", text);
    let read = yaml::read(text, file, &mut Vec::new()).pop();
    read.and_then(|node| node.as_list().map(<[Node]>::to_vec)).unwrap_or_default()
}

fn pods(capacities: &[Node], name: &str) -> Option<i64> {
    let has = |row: &&Node| row.str_at("types").is_some_and(|types| types.split_ascii_whitespace().any(|one| one == name));
    let row = capacities.iter().find(has)?;
    let number = |key: &str| row.get(key).and_then(Node::as_int);
    let (interfaces, addresses) = (number("interfaces")?, number("addresses")?);
    Some(interfaces.checked_mul(addresses.checked_sub(1)?)?.checked_add(2)?.min(MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_of_machine_types() {
        let table = capacities();
        for (name, most) in
            [("t3.nano", Some(4)), ("t3.medium", Some(17)), ("m5.large", Some(29)), ("m5.4xlarge", Some(110)), ("x.y", None)]
        {
            assert_eq!(pods(&table, name), most, "{name}");
        }
    }
}
