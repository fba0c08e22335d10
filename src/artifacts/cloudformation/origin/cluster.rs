//! Why a cluster's template has what it has.

use super::{Reason, keys, tag};
use crate::cloudformation::cluster::{flows_by_rule, policy_machines};
use model::plan::ClusterPlan;
use tree::{Node, Path, Step};

/// Why the field at `path` of a cluster's template is what it is.
#[must_use]
pub fn cluster<'p>(plan: &'p ClusterPlan, template: &Node, path: &Path) -> Reason<'p> {
    let keys = keys(path);
    match keys.as_slice() {
        ["AWSTemplateFormatVersion", ..] => Reason::new("the only version that CloudFormation has").cluster(&["metadata.name"]),
        ["Description", ..] => Reason::new("says what the stack is").cluster(&["metadata.name"]),
        ["Resources", id, rest @ ..] => resource(plan, id, rest, template, path),
        ["Outputs", id, ..] => Reason::new(format!("`{id}`, for whatever makes the machines")).cluster(&["metadata.name"]),
        _ => Reason::new("the cluster's stack").cluster(&["metadata.name"]),
    }
}

fn resource<'p>(plan: &'p ClusterPlan, id: &str, rest: &[&str], template: &Node, path: &Path) -> Reason<'p> {
    if tag(template, path).is_some() {
        return Reason::new("by its tags the cloud controller manager knows what belongs to the cluster")
            .cluster(&["spec.clusterName", "metadata.name"]);
    }
    if let Some((_, flows)) = flows_by_rule(&plan.flows).into_iter().find(|(rule, _)| rule == id) {
        let reason = Reason { flows, ..Reason::new("admits what the cluster's machines have to receive") };
        let range = matches!(rest, ["Properties", "CidrIp" | "CidrIpv6"]).then(|| template.at(path)?.as_str()).flatten();
        let of_network = range.is_some_and(|range| plan.ranges.iter().any(|each| each.to_string() == range));
        return if of_network { reason.network(&["spec.aws.cidr", "spec.aws.additionalCIDRs"]) } else { reason };
    }
    match rest {
        _ if id.ends_with("SecurityGroup") => match rest {
            ["Properties", "VpcId", ..] => {
                Reason::new("the VPC, as its network's stack exports it").cluster(&["spec.network"]).network(&["metadata.name"])
            }
            ["Properties", "SecurityGroupEgress", ..] => {
                Reason::new("everything may leave; with IPv6 that has to be said").network(&["spec.aws.ipv6"])
            }
            _ => {
                Reason::new("the control plane's machines are in one group, all others in the other").cluster(&["metadata.name"])
            }
        },
        ["Properties", "PolicyDocument", "Statement", "*", ..] => {
            let at = path.0.iter().find_map(|step| match step {
                Step::Index(at) => Some(*at),
                Step::Key(_) => None,
            });
            let machines = policy_machines(id);
            let mut own = plan.iam.iter().filter(|statement| Some(statement.role) == machines);
            let statement = at.and_then(|at| own.nth(at)).map(|statement| statement.because.as_str());
            Reason { statement, ..Reason::new("a permission of the machines") }.cluster(&["metadata.name"])
        }
        _ if id.ends_with("Policy") => Reason::new("what the machines may ask of AWS").cluster(&["metadata.name"]),
        _ => Reason::new("the role of the machines, and the profile that gives it to them").cluster(&["metadata.name"]),
    }
}
