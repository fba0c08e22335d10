//! What the machines may ask of AWS.
//!
//! The core's part is what kubelets and the AWS cloud controller manager call, without routes: an overlay that needs routes,
//! network interfaces or volumes brings its own statements. Taken from the calls in `pkg/providers/v1` of
//! kubernetes/cloud-provider-aws (v1.36.1) and its `docs/prerequisites.md`; what AWS can restrict by tag is restricted to what
//! carries `kubernetes.io/cluster/NAME: owned`, the tag that the controller puts on everything it makes.

use crate::declare::{Cluster, Endpoint, Facts, Statement};
use tree::{Node, Span};

/// From this minor version on only cloud-provider-aws runs, which tags security groups, listeners and target groups as it makes
/// them (since its v1.23). The providers inside Kubernetes, gone with 1.27, tag them afterwards.
const TAGS_ON_CREATION: u32 = 27;

/// Every statement: the core's, then those of overlays, each once.
pub(super) fn collect(cluster: &Cluster, facts: &[(Facts, Span)]) -> Vec<Statement> {
    let mut statements = vec![machines(), images(), discovery(), owned(cluster)];
    statements.extend(creation(cluster));
    statements.push(service_linked_role());
    for statement in facts.iter().flat_map(|(facts, _)| &facts.iam) {
        if !statements.iter().any(|known| same(known, statement)) {
            statements.push(statement.clone());
        }
    }
    statements
}

fn same(a: &Statement, b: &Statement) -> bool {
    (a.role, &a.actions, &a.resources, &a.condition) == (b.role, &b.actions, &b.resources, &b.condition)
}

fn statement(role: Endpoint, service: &str, actions: &[&str], because: &str) -> Statement {
    let actions = actions.iter().map(|action| format!("{service}:{action}")).collect();
    Statement { role, actions, resources: Vec::new(), condition: None, because: because.to_owned() }
}

fn machines() -> Statement {
    let actions = ["DescribeInstances", "DescribeRegions"];
    statement(Endpoint::Nodes, "ec2", &actions, "machines learn their name, zone and provider id")
}

/// The four actions of a pull; the rest of ECR's read access only lists what is there.
fn images() -> Statement {
    let actions = ["BatchCheckLayerAvailability", "BatchGetImage", "GetAuthorizationToken", "GetDownloadUrlForLayer"];
    statement(Endpoint::Nodes, "ecr", &actions, "machines pull images from ECR")
}

/// AWS has no resource-level permissions for these.
fn discovery() -> Statement {
    let network = [
        "DescribeAvailabilityZones",
        "DescribeInstanceTopology",
        "DescribeRouteTables",
        "DescribeSecurityGroups",
        "DescribeSubnets",
        "DescribeVpcs",
    ];
    let balancers = [
        "DescribeListeners",
        "DescribeLoadBalancerAttributes",
        "DescribeLoadBalancerPolicies",
        "DescribeLoadBalancers",
        "DescribeTargetGroupAttributes",
        "DescribeTargetGroups",
        "DescribeTargetHealth",
    ];
    let because = "the cloud controller manager finds subnets, security groups and load balancers";
    let mut all = statement(Endpoint::ControlPlane, "ec2", &network, because);
    all.actions.extend(statement(Endpoint::ControlPlane, "elasticloadbalancing", &balancers, because).actions);
    all
}

/// Changes to what carries the cluster's tag.
fn owned(cluster: &Cluster) -> Statement {
    let groups = ["AuthorizeSecurityGroupIngress", "DeleteSecurityGroup", "RevokeSecurityGroupIngress"];
    let balancers = [
        "AddTags",
        "ApplySecurityGroupsToLoadBalancer",
        "AttachLoadBalancerToSubnets",
        "ConfigureHealthCheck",
        "CreateLoadBalancerListeners",
        "CreateLoadBalancerPolicy",
        "DeleteListener",
        "DeleteLoadBalancer",
        "DeleteLoadBalancerListeners",
        "DeleteTargetGroup",
        "DeregisterInstancesFromLoadBalancer",
        "DeregisterTargets",
        "DetachLoadBalancerFromSubnets",
        "ModifyListener",
        "ModifyLoadBalancerAttributes",
        "ModifyTargetGroup",
        "ModifyTargetGroupAttributes",
        "RegisterInstancesWithLoadBalancer",
        "RegisterTargets",
        "SetLoadBalancerPoliciesForBackendServer",
        "SetLoadBalancerPoliciesOfListener",
        "SetSecurityGroups",
    ];
    let because = "the cloud controller manager changes load balancers and security groups of this cluster only";
    let mut all = statement(Endpoint::ControlPlane, "ec2", &groups, because);
    all.actions.extend(statement(Endpoint::ControlPlane, "elasticloadbalancing", &balancers, because).actions);
    all.condition = Some(string_equals([(tag(cluster, "ResourceTag"), "owned".into())]));
    all
}

/// Making security groups and load balancers, with the cluster's tag wherever the controller sends it along.
fn creation(cluster: &Cluster) -> Vec<Statement> {
    let strict = cluster.kubernetes_minor() >= TAGS_ON_CREATION;
    let tagged = || (tag(cluster, "RequestTag"), Node::from("owned"));
    let mut balancers = making("elasticloadbalancing", &CREATIONS);
    let mut group = making("ec2", &["CreateSecurityGroup"]);
    let mut group_tags = making("ec2", &["CreateTags"]);
    group_tags.resources = vec![arn("security-group/*")];
    // Tags that come with a new load balancer are checked against this action, before the load balancer has any.
    let mut balancer_tags = making("elasticloadbalancing", &["AddTags"]);
    if !strict {
        balancers.actions.extend(["DeleteListener", "ModifyListener"].map(|action| format!("elasticloadbalancing:{action}")));
        group_tags.condition = Some(string_equals([tagged()]));
        balancer_tags.condition = Some(string_equals([tagged()]));
        return vec![balancers, group, group_tags, balancer_tags];
    }
    balancers.condition = Some(string_equals([tagged()]));
    group.condition = Some(string_equals([tagged()]));
    group.resources = vec![arn("security-group/*")];
    // The VPC takes part in the same call, and no request tag reaches it (EC2 actions and condition keys).
    let mut vpc = making("ec2", &["CreateSecurityGroup"]);
    vpc.resources = vec![arn("vpc/*")];
    let action = ("ec2:CreateAction".to_owned(), Node::from("CreateSecurityGroup"));
    group_tags.condition = Some(string_equals([tagged(), action]));
    let actions = CREATIONS.into_iter().map(Node::from).collect::<Vec<_>>();
    let actions = ("elasticloadbalancing:CreateAction".to_owned(), Node::from(actions));
    balancer_tags.condition = Some(string_equals([tagged(), actions]));
    vec![balancers, group, vpc, group_tags, balancer_tags]
}

const CREATIONS: [&str; 3] = ["CreateListener", "CreateLoadBalancer", "CreateTargetGroup"];

fn making(service: &str, actions: &[&str]) -> Statement {
    let because = "the cloud controller manager makes load balancers and their security groups with the tag of this cluster";
    statement(Endpoint::ControlPlane, service, actions, because)
}

fn service_linked_role() -> Statement {
    let because = "the first load balancer of an account makes the role that load balancing works with";
    let mut role = statement(Endpoint::ControlPlane, "iam", &["CreateServiceLinkedRole"], because);
    role.condition = Some(string_equals([("iam:AWSServiceName".to_owned(), "elasticloadbalancing.amazonaws.com".into())]));
    role
}

/// The condition key for the cluster's tag on a resource or in a request.
fn tag(cluster: &Cluster, place: &str) -> String {
    format!("aws:{place}/kubernetes.io/cluster/{}", cluster.cluster_name())
}

fn string_equals(keys: impl IntoIterator<Item = (String, Node)>) -> Node {
    Node::map([("StringEquals", Node::map(keys))])
}

/// An EC2 resource in any region and account of the partition; CloudFormation fills the partition in.
fn arn(resource: &str) -> String {
    format!("arn:${{AWS::Partition}}:ec2:*:*:{resource}")
}
