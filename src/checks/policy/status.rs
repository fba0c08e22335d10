//! Declarations as policies see them: with what they leave to defaults, and a `status` that tells what came of them.

use std::sync::Arc;

use serde_json::json;

use crate::check::{self, Rendered};
use model::declare::{Declared, Network};
use model::plan::{NetworkPlan, Peering};
use schema::Object;
use tree::{Map, Node, Value, from_json};

/// The facts of overlays that a cluster's `status` is made from.
pub const FACTS: [&str; 3] = ["encrypted", "mtu", "networkPolicy"];

/// A cluster: `status` has what its overlays say of themselves, and the namespaces that its objects are in.
pub(super) fn cluster(it: Rendered<'_>) -> Node {
    let last = |read: fn(&model::declare::Facts) -> Option<bool>| it.facts.iter().rev().find_map(|(facts, _)| read(facts));
    let status = json!({
        "provider": it.cluster.value.spec.networking.keys().next(),
        "platform": if it.draft.is_some() { "aws" } else { "static" },
        "encrypted": last(|facts| facts.encrypted).unwrap_or(false),
        "mtu": it.facts.iter().rev().find_map(|(facts, _)| facts.mtu),
        "networkPolicy": {
            "ingress": last(|facts| Some(facts.network_policy.as_ref()?.ingress.instead("").is_none())).unwrap_or(false),
            "egress": last(|facts| Some(facts.network_policy.as_ref()?.egress.instead("").is_none())).unwrap_or(false),
        },
        "namespaces": namespaces(it.objects),
    });
    let typed = serde_json::to_value(&it.cluster.value).unwrap_or_default();
    complete(&it.cluster.node, &typed, &status)
}

/// A network: `status` has its zones and its NAT gateways, the networks among `plans` that its routes lead to, and the resources of
/// its final template.
pub(super) fn network(declared: &Declared<Network>, plan: &NetworkPlan, plans: &[NetworkPlan], template: Option<&Node>) -> Node {
    let subnets = || plan.aws.iter().flat_map(|aws| &aws.subnets);
    let zones = |wanted: &dyn Fn(&model::plan::Subnet) -> bool| {
        let mut zones: Vec<&str> = subnets().filter(|one| wanted(one)).map(|one| one.zone.as_str()).collect();
        zones.sort_unstable();
        zones.dedup();
        zones.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let status = json!({
        "platform": platform(plan),
        "mtu": plan.mtu,
        "zones": zones(&|_| true),
        "privateZones": zones(&|one| one.kind == model::declare::SubnetType::Private),
        "natGateways": plan.aws.as_ref().map_or(0, model::plan::AwsPlan::nat_gateways_in_use),
        "peers": plan.peerings(plans).iter().map(peer).collect::<Vec<_>>(),
    });
    let typed = serde_json::to_value(&declared.value).unwrap_or_default();
    let mut node = complete(&declared.node, &typed, &status);
    let resources = template.and_then(|template| template.get("Resources")).cloned().unwrap_or_else(|| Map::new().into());
    if let Some(status) = node.as_map_mut().and_then(|map| map.get_mut("status")?.as_map_mut()) {
        status.insert("resources", resources);
    }
    node
}

fn peer(one: &Peering<'_>) -> serde_json::Value {
    json!({
        "network": one.network.name,
        "platform": platform(one.network),
        "mtu": one.network.mtu,
        "through": one.through,
        "carries": one.carries,
    })
}

fn platform(plan: &NetworkPlan) -> &'static str {
    if plan.aws.is_some() { "aws" } else { "static" }
}

/// A declaration with its defaults, each at the place of what it completes.
fn complete(node: &Node, typed: &serde_json::Value, status: &serde_json::Value) -> Node {
    let mut node = node.clone();
    fill(&mut node, typed);
    let span = node.span;
    if let Some(map) = node.as_map_mut() {
        map.insert("status", from_json(status, span));
    }
    node
}

fn fill(node: &mut Node, typed: &serde_json::Value) {
    let span = node.span;
    let (Some(map), Some(fields)) = (node.as_map_mut(), typed.as_object()) else { return };
    for (key, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        match map.get_mut(key) {
            Some(child) if child.is_null() => *child = from_json(value, child.span),
            Some(child) => fill(child, value),
            None => map.push(key.as_str(), from_json(value, span)),
        }
    }
}

/// The namespaces that workloads are in, and whether a NetworkPolicy in each selects every pod and admits nothing.
fn namespaces(objects: &[Arc<Object>]) -> Vec<serde_json::Value> {
    let mut names: Vec<&str> = objects
        .iter()
        .filter(|object| {
            matches!(
                object.identity.kind.as_str(),
                "Deployment" | "DaemonSet" | "StatefulSet" | "ReplicaSet" | "ReplicationController" | "Pod" | "Job" | "CronJob"
            )
        })
        .map(|object| object.identity.namespace.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    let denied = |name: &str, direction: &str| {
        let here = objects.iter().filter(|object| check::policies::is_policy(object) && object.identity.namespace == name);
        here.filter_map(|object| object.node.get("spec")).any(|spec| denies(spec, direction))
    };
    let entry = |name: &&str| json!({"name": name, "defaultDeny": {"ingress": denied(name, "Ingress"), "egress": denied(name, "Egress")}});
    names.iter().map(entry).collect()
}

fn denies(spec: &Node, direction: &str) -> bool {
    let empty = |node: Option<&Node>| match node.map(|node| &node.value) {
        None | Some(Value::Null) => true,
        Some(Value::Map(map)) => map.is_empty(),
        Some(Value::List(items)) => items.is_empty(),
        _ => false,
    };
    // The selector itself has to be there, and select everything.
    let all = spec
        .get("podSelector")
        .is_some_and(|selector| ["matchLabels", "matchExpressions"].iter().all(|key| empty(selector.get(key))));
    let rules = spec.get(if direction == "Ingress" { "ingress" } else { "egress" });
    let types = spec.get("policyTypes").and_then(Node::as_list);
    // Without types a policy is one of ingress, and of egress only when it has rules for that.
    let listed = types.map_or(direction == "Ingress", |types| types.iter().any(|one| one.as_str() == Some(direction)));
    all && listed && empty(rules)
}
