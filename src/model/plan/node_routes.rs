//! Routes to nodes: the one route table that a cluster's route controller writes them into.
//!
//! The AWS cloud provider looks for the table by tag: exactly one table of the VPC carries `kubernetes.io/cluster/NAME`, and every
//! subnet with nodes is in it (cloud-provider-aws v1.36.1, `pkg/providers/v1/aws_routes.go`). So
//!
//! - the table belongs to one cluster. A second one cannot share it: `ListRoutes` fails for a route to an instance that is no
//!   node of the cluster, and the controller then does nothing at all;
//! - for the same reason the table has no route to a NAT instance;
//! - zones that leave through one NAT gateway have their tables joined into one; zones with a gateway each cannot.

use super::{AwsPlan, RouteTable, RouteTarget, Subnet};
use crate::declare::SubnetType;
use schema::address::Cidr;

/// The name of the private tables of all zones, joined.
const JOINED: &str = "private";

/// What there is to write routes to nodes into.
#[derive(Debug, PartialEq, Eq)]
pub enum NodeTable {
    /// One table of the plan: the indices of those it consists of, more than one where they are to be joined.
    Planned(Vec<usize>),
    /// The subnets' tables are not netloom's.
    Foreign,
    /// More than one, by name; `None` is what is not netloom's.
    Several(Vec<Option<String>>),
    /// A table with a route to an instance: its name, and the instance.
    Instance(String, String),
}

/// The table that nodes' subnets are in.
#[must_use]
pub fn node_table(aws: &AwsPlan) -> NodeTable {
    let nodes: Vec<&Subnet> = aws.subnets.iter().filter(|subnet| subnet.kind != SubnetType::Utility).collect();
    let holds = |table: &RouteTable| nodes.iter().any(|subnet| table.subnets.contains(&subnet.name));
    let tables: Vec<usize> = (0..).zip(&aws.route_tables).filter(|(_, table)| holds(table)).map(|(at, _)| at).collect();
    let planned = || tables.iter().filter_map(|at| aws.route_tables.get(*at));
    let foreign = nodes.iter().any(|subnet| !planned().any(|table| table.subnets.contains(&subnet.name)));
    if let Some((table, id)) = planned().find_map(|table| Some((table, instance(table)?))) {
        return NodeTable::Instance(table.name.clone(), id.to_owned());
    }
    match (planned().next(), foreign) {
        (None, _) => NodeTable::Foreign,
        (Some(first), false) if planned().all(|table| alike(first, table)) => NodeTable::Planned(tables),
        (Some(_), foreign) => {
            let names = planned().map(|table| Some(table.name.clone()));
            NodeTable::Several(names.chain(foreign.then_some(None)).collect())
        }
    }
}

fn instance(table: &RouteTable) -> Option<&str> {
    table.routes.iter().find_map(|route| match &route.target {
        RouteTarget::Instance(id) => Some(id.as_str()),
        _ => None,
    })
}

/// Whether two tables lead to the same places.
fn alike(a: &RouteTable, b: &RouteTable) -> bool {
    let within = |a: &RouteTable, b: &RouteTable| a.routes.iter().all(|route| b.routes.contains(route));
    within(a, b) && within(b, a)
}

/// How many IPv4 routes the table has without those to nodes. The local ones do not count; a gateway endpoint's prefix list
/// counts as one (Amazon VPC quotas; AWS-managed prefix lists, "weight").
#[must_use]
pub fn other_routes(aws: &AwsPlan, tables: &[usize]) -> usize {
    let table = tables.first().and_then(|at| aws.route_tables.get(*at));
    let v4 = |destination: Cidr| !destination.is_v6();
    let routes = table.map_or(0, |table| table.routes.iter().filter(|route| v4(route.destination)).count());
    routes + usize::from(aws.endpoints.s3) + usize::from(aws.endpoints.dynamodb)
}

/// Makes the table of nodes' subnets the cluster's, whose name in AWS tags this is; nothing where there is not exactly one.
pub fn give(aws: &mut AwsPlan, cluster: &str) {
    let NodeTable::Planned(tables) = node_table(aws) else { return };
    let Some((first, rest)) = tables.split_first() else { return };
    let subnets: Vec<String> =
        rest.iter().filter_map(|at| aws.route_tables.get(*at)).flat_map(|table| table.subnets.clone()).collect();
    if let Some(table) = aws.route_tables.get_mut(*first) {
        table.subnets.extend(subnets);
        table.tags.push((format!("kubernetes.io/cluster/{cluster}"), "owned".to_owned()));
        if !rest.is_empty() {
            JOINED.clone_into(&mut table.name);
        }
    }
    rest.iter().rev().for_each(|at| drop(aws.route_tables.remove(*at)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::network::plan;
    use crate::testing::network;

    fn planned(spec: &str) -> AwsPlan {
        plan(&network(&format!("spec: {{aws: {{region: us-test-1, {spec}}}}}")).1).aws.unwrap()
    }

    fn tables(aws: &AwsPlan) -> Vec<String> {
        let tags = |table: &RouteTable| table.tags.iter().map(|(key, value)| format!(" {key}={value}")).collect::<String>();
        aws.route_tables.iter().map(|table| format!("{}: {}{}", table.name, table.subnets.join(" "), tags(table))).collect()
    }

    fn given(spec: &str) -> Vec<String> {
        let mut aws = planned(spec);
        give(&mut aws, "prod");
        tables(&aws)
    }

    #[test]
    fn the_table_of_nodes_is_tagged() {
        assert_eq!(given("zones: [us-test-1a, us-test-1b]"), ["public: us-test-1a us-test-1b kubernetes.io/cluster/prod=owned"]);
        assert_eq!(
            given("zones: [us-test-1a], topology: private"),
            ["public: utility-us-test-1a", "private-us-test-1a: us-test-1a kubernetes.io/cluster/prod=owned"]
        );
    }

    #[test]
    fn private_tables_with_one_way_out_are_joined() {
        assert_eq!(
            given("zones: [us-test-1a, us-test-1b, us-test-1c], topology: private, natGateways: single"),
            [
                "public: utility-us-test-1a utility-us-test-1b utility-us-test-1c",
                "private: us-test-1a us-test-1b us-test-1c kubernetes.io/cluster/prod=owned"
            ]
        );
    }

    #[test]
    fn tables_that_differ_are_left_alone() {
        let spec = "zones: [us-test-1a, us-test-1b], topology: private";
        let names = ["private-us-test-1a", "private-us-test-1b"].map(|name| Some(name.to_owned()));
        assert_eq!(node_table(&planned(spec)), NodeTable::Several(names.to_vec()));
        assert_eq!(given(spec), tables(&planned(spec)));
    }

    #[test]
    fn routes_to_instances_stop_the_controller() {
        let subnets = "subnets: [{name: a, zone: us-test-1a, type: private, cidr: 172.20.0.0/20, egress: i-1}]";
        let found = node_table(&planned(&format!("zones: [us-test-1a], topology: private, {subnets}")));
        assert_eq!(found, NodeTable::Instance("private-us-test-1a".into(), "i-1".into()));
    }

    #[test]
    fn existing_subnets_keep_their_table() {
        let subnets = "vpcID: vpc-1, subnets: [{name: a, zone: us-test-1a, type: public, id: subnet-1}]";
        assert_eq!(node_table(&planned(&format!("zones: [us-test-1a], {subnets}"))), NodeTable::Foreign);
    }

    #[test]
    fn routes_besides_those_to_nodes_are_counted() {
        let aws = planned("zones: [us-test-1a], ipv6: true, endpoints: {s3: true}");
        assert_eq!(other_routes(&aws, &[0]), 2);
    }
}
