//! Instance groups: how many machines there are at most, and of what architecture.

use indexmap::IndexSet;

use crate::reading::Reading;
use findings::{Diagnostic, rules};
use model::declare::Arch;
use tree::{Node, Path};

use super::{Work, pods};

/// Most machines of a group that does not say, by kops (`populate_instancegroup_spec.go`).
const CONTROL_PLANE_SIZE: u32 = 1;
const WORKER_SIZE: u32 = 2;

/// What a group's machines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The control plane, or API servers apart from it.
    ControlPlane,
    Worker,
    /// A way in by SSH; no node of the cluster.
    Bastion,
}

/// An `InstanceGroup`.
pub(super) struct Group<'a> {
    /// The document.
    pub(super) reading: Reading<'a>,
    /// What its machines are.
    pub(super) role: Role,
    /// Most machines that it has; none when the autoscaler Karpenter decides.
    max: Option<u32>,
    /// EC2 types of its machines.
    types: Vec<&'a str>,
    max_pods: Option<u32>,
    /// Names of its subnets.
    pub(super) subnets: Vec<&'a str>,
}

impl<'a> Group<'a> {
    /// Reads a group.
    pub(super) fn read(mut reading: Reading<'a>, findings: &mut Vec<Diagnostic>) -> Self {
        reading.enter("metadata.labels");
        reading.take(&Path::dotted("metadata.labels").child("kops.k8s.io/cluster"));
        reading.take(&Path::dotted("metadata.name"));
        let role = role(&mut reading, findings);
        let karpenter = reading.peek(&Path::dotted("spec.manager")).and_then(Node::as_str) == Some("Karpenter");
        let size = if role == Role::Worker { WORKER_SIZE } else { CONTROL_PLANE_SIZE };
        let max = reading.number(&["spec.maxSize"], findings).or(if karpenter { None } else { Some(size) });
        let max_pods = reading.number(&["spec.kubelet.maxPods"], findings);
        let types = if role == Role::Bastion { Vec::new() } else { machine_types(&mut reading) };
        let subnets = reading.peek(&Path::dotted("spec.subnets")).and_then(Node::as_list).unwrap_or_default();
        let subnets = subnets.iter().filter_map(Node::as_str).collect();
        Self { reading, role, max, types, max_pods, subnets }
    }
}

fn role(reading: &mut Reading<'_>, findings: &mut Vec<Diagnostic>) -> Role {
    let Some((text, span)) = reading.text(&["spec.role"], findings) else { return Role::Worker };
    match text {
        "Master" | "ControlPlane" | "APIServer" => Role::ControlPlane,
        "Node" => Role::Worker,
        "Bastion" => Role::Bastion,
        _ => {
            let roles = ["Master", "ControlPlane", "APIServer", "Node", "Bastion"];
            let message = format!("`{text}` is no role of machines: {}", roles.join(", "));
            findings.push(Diagnostic::new(&rules::IMPORT_FORM, span, message).suggest(text, roles));
            Role::Worker
        }
    }
}

/// The EC2 types of a group: the first ones, and those that a mixed group may fall back to.
fn machine_types<'a>(reading: &mut Reading<'a>) -> Vec<&'a str> {
    let mut types = Vec::new();
    for path in ["spec.machineType", "spec.mixedInstancesPolicy.instances"].map(Path::dotted) {
        let Some(node) = reading.peek(&path) else { continue };
        let one = node.as_str().into_iter().flat_map(|list| list.split(','));
        let named: Vec<&str> = one.chain(node.as_list().into_iter().flatten().filter_map(Node::as_str)).map(str::trim).collect();
        if !named.is_empty() && named.iter().all(|name| is_type(name)) {
            reading.take(&path);
            types.extend(named);
        }
    }
    types
}

/// Whether this has the form of an EC2 instance type: a family and a size.
fn is_type(name: &str) -> bool {
    let plain = |text: &str| text.bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    begins && name.split_once('.').is_some_and(|(family, size)| plain(family) && plain(size) && !size.is_empty())
}

/// The architecture of an AWS instance type.
///
/// Arm types are `a1` and those whose family has a `g` behind the generation (AWS, "Instance type naming conventions":
/// `m7g`, `c6gn`, `im4gn`); in `g4dn` the letter before the digit is the family.
fn architecture(machine: &str) -> Arch {
    let family = machine.trim().split('.').next().unwrap_or_default();
    let attributes = family.trim_start_matches(|c: char| c.is_ascii_lowercase()).trim_start_matches(|c: char| c.is_ascii_digit());
    if family == "a1" || attributes.contains('g') { Arch::Arm64 } else { Arch::Amd64 }
}

/// Writes `nodes`.
pub(super) fn write(work: &mut Work<'_, '_>) {
    let nodes = || work.groups.iter().filter(|group| group.role != Role::Bastion);
    let sizes: Option<Vec<u32>> = nodes().map(|group| group.max).collect();
    let types: IndexSet<&str> = nodes().flat_map(|group| group.types.iter().copied()).collect();
    let architectures: Vec<Arch> = types.iter().map(|name| architecture(name)).collect();
    let group_pods = nodes().filter_map(|group| group.max_pods).max();
    let bounded = nodes().next().is_some();
    match sizes.filter(|_| bounded) {
        Some(sizes) => {
            let total = sizes.iter().fold(0u32, |sum, size| sum.saturating_add(*size));
            work.cluster.set("spec.nodes.max", i64::from(total.max(1)));
        }
        None => {
            let what = "the manifest does not bound the number of nodes, so it is netloom's default of 100";
            let span = work.groups.first().map_or(work.spec.span("kind"), |group| group.reading.span("spec"));
            work.cluster.set("spec.nodes.max", 100i64);
            work.choose_cluster("spec.nodes.max", span, what, "write the most nodes that the cluster will have");
        }
    }
    if let Some(mask) = work.spec.number(&["spec.kubeControllerManager.nodeCIDRMaskSize"], work.findings) {
        work.cluster.set("spec.nodes.podCIDRMask", i64::from(mask));
    }
    let pods = work.spec.number(&["spec.kubelet.maxPods"], work.findings);
    match pods.max(group_pods) {
        Some(pods) => work.cluster.set("spec.nodes.maxPods", i64::from(pods)),
        None => pods::write(work, &types),
    }
    if architectures.contains(&Arch::Arm64) {
        let names = [(Arch::Amd64, "amd64"), (Arch::Arm64, "arm64")];
        let present = names.iter().filter(|(arch, _)| architectures.contains(arch));
        work.cluster.set("spec.nodes.architectures", present.map(|(_, name)| Node::from(*name)).collect::<Vec<Node>>());
    }
    if !types.is_empty() {
        work.cluster.set("spec.nodes.instanceTypes", types.into_iter().map(Node::from).collect::<Vec<Node>>());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn architectures_of_machine_types() {
        for arm in ["a1.large", "m6g.medium", "t4g.small", "c7gn.xlarge", "im4gn.large", "x2gd.large", "r8gb.metal"] {
            assert_eq!(architecture(arm), Arch::Arm64, "{arm}");
        }
        for intel in ["t2.medium", "m3.medium", "g4dn.xlarge", "g5.xlarge", "p4de.24xlarge", "m7i-flex.large", "gr6.4xlarge"] {
            assert_eq!(architecture(intel), Arch::Amd64, "{intel}");
        }
    }
}
