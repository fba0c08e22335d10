//! Roles, policies and instance profiles of the machines.

use super::super::{Template, get_att, properties, reference, resource, sub};
use super::{cluster_tags, output};
use model::declare::{Cluster, Endpoint, Statement};
use tree::{Map, Node};

const ROLES: [(&str, &str); 2] = [("ControlPlane", "control-plane"), ("Nodes", "nodes")];

/// The machines that have a policy, what its logical id begins with, and its name.
pub(super) const POLICIES: [(Endpoint, &str, &str); 3] = [
    (Endpoint::Nodes, "Machines", "every-machine"),
    (Endpoint::ControlPlane, "ControlPlane", "control-plane"),
    (Endpoint::Workers, "Nodes", "nodes"),
];

/// Adds a role with its instance profile for the control plane and one for all other machines, and a policy for each set of
/// machines that has statements. None of them has a name of its own, which would keep CloudFormation from replacing it.
pub(super) fn add(template: &mut Template, cluster: &Cluster, statements: &[Statement]) {
    for (id, part) in ROLES {
        let role = properties([("AssumeRolePolicyDocument", trust()), ("Tags", cluster_tags(cluster, part))]);
        let role = template.resource(format!("{id}Role"), resource("AWS::IAM::Role", role, &[]));
        let profile = properties([("Roles", vec![reference(&role)].into())]);
        template.resource(format!("{id}InstanceProfile"), resource("AWS::IAM::InstanceProfile", profile, &[]));
    }
    for (machines, id, name) in POLICIES {
        let own: Vec<Node> = statements.iter().filter(|statement| statement.role == machines).map(statement_node).collect();
        if !own.is_empty() {
            template.resource(format!("{id}Policy"), policy(machines, name, own));
        }
    }
}

/// Instance profiles, which launch templates name, and roles, which other policies name.
pub(super) fn outputs(template: &mut Template) {
    for ((id, _), machines) in ROLES.into_iter().zip(["control plane machines", "all other machines"]) {
        let profile = format!("{id}InstanceProfile");
        output(template, &format!("{profile}Arn"), format!("Instance profile of {machines}"), get_att(&profile, "Arn"));
        let role = format!("{id}Role");
        output(template, &format!("{role}Arn"), format!("Role of {machines}"), get_att(&role, "Arn"));
    }
}

/// EC2 may give the role to instances. In China the service has another name (`ec2.amazonaws.com.cn`).
fn trust() -> Node {
    let statement = Node::map([
        ("Effect", "Allow".into()),
        ("Principal", Node::map([("Service", sub("ec2.${AWS::URLSuffix}"))])),
        ("Action", "sts:AssumeRole".into()),
    ]);
    document(vec![statement])
}

fn document(statements: Vec<Node>) -> Node {
    Node::map([("Version", "2012-10-17".into()), ("Statement", statements.into())])
}

fn policy(machines: Endpoint, name: &str, statements: Vec<Node>) -> Node {
    let role = |part: &Endpoint| reference(if *part == Endpoint::ControlPlane { "ControlPlaneRole" } else { "NodesRole" });
    let roles: Vec<Node> = machines.parts().iter().map(role).collect();
    let policy = properties([("PolicyName", name.into()), ("PolicyDocument", document(statements)), ("Roles", roles.into())]);
    resource("AWS::IAM::Policy", policy, &[])
}

fn statement_node(statement: &Statement) -> Node {
    let mut node = Map::new();
    node.push("Effect", "Allow");
    node.push("Action", statement.actions.iter().map(|action| action.as_str().into()).collect::<Vec<Node>>());
    match statement.resources.as_slice() {
        [] => node.push("Resource", "*"),
        resources => node.push("Resource", resources.iter().map(|text| arn(text)).collect::<Vec<_>>()),
    }
    if let Some(condition) = &statement.condition {
        node.push("Condition", condition.clone());
    }
    node.into()
}

/// Statements may say `${AWS::Partition}` and the like; IAM's own variables (`${aws:…}`) are left alone.
fn arn(text: &str) -> Node {
    if text.contains("${AWS::") { sub(text.replace("${aws:", "${!aws:")) } else { text.into() }
}
