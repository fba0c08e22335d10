//! Routes to nodes in the network's route table: one table, with room for all of them.

use super::PlacedFacts;
use findings::{Diagnostic, rules};
use model::declare::{Cluster, Declared, Network};
use model::plan;
use model::plan::node_routes::{NodeTable, node_table, other_routes};

/// Of a quota, what is still no reason for a warning: past four fifths it is time to think of another provider.
const COMFORTABLE: (usize, usize) = (4, 5);

/// Reports networks on AWS without the one route table that a route controller needs, and node counts beyond what it holds.
pub fn check(cluster: &Declared<Cluster>, network: &Declared<Network>, facts: &PlacedFacts, findings: &mut Vec<Diagnostic>) {
    let Some((routes, place)) = super::last(facts, |facts| facts.node_routes) else { return };
    let Some(aws) = plan::network::plan(network).aws else { return };
    let name = &network.value.metadata.name;
    let tag = format!("kubernetes.io/cluster/{}", cluster.value.cluster_name());
    let other = match node_table(&aws) {
        NodeTable::Planned(tables) => other_routes(&aws, &tables),
        NodeTable::Foreign => {
            let message =
                format!("the route table of the nodes' subnets is not made by netloom, and has to carry the tag `{tag}`");
            let help = format!("tag it `{tag}: owned` by hand, and no other table with it");
            findings.push(Diagnostic::new(&rules::NODE_ROUTES_TABLE, place, message).help(help));
            0
        }
        NodeTable::Several(tables) => {
            findings.push(several(network, tables).also(place, "each node needs a route in the one table"));
            return;
        }
        NodeTable::Instance(table, id) => {
            let message = format!("the route table `{table}` of the network `{name}` leads to the instance `{id}`");
            let finding = Diagnostic::new(&rules::NODE_ROUTES, place, message);
            findings.push(finding.help("give the subnets a NAT gateway instead of a NAT instance"));
            return;
        }
    };
    let (nodes, quota) = (cluster.value.spec.nodes.max as usize, routes.quota as usize);
    let taken = nodes + other;
    let sum = match other {
        0 => format!("nodes.max {nodes} makes {taken} routes"),
        1 => format!("nodes.max {nodes} makes {taken} routes with the table's other one"),
        _ => format!("nodes.max {nodes} makes {taken} routes with the table's {other} others"),
    };
    let span = cluster.span("spec.nodes.max");
    if taken > quota {
        findings.push(Diagnostic::new(&rules::NODE_ROUTES, span, format!("{sum}, and the table takes {quota}")));
    } else if taken * COMFORTABLE.1 >= quota * COMFORTABLE.0 {
        findings.push(Diagnostic::new(&rules::NODE_ROUTES_QUOTA, span, format!("{sum}, of {quota} that the table takes")));
    }
}

fn several(network: &Declared<Network>, tables: Vec<Option<String>>) -> Diagnostic {
    let names =
        tables.into_iter().map(|table| table.map_or("others that netloom does not make".to_owned(), |name| format!("`{name}`")));
    let names: Vec<String> = names.collect();
    let message =
        format!("nodes of the network `{}` are in several route tables: {}", network.value.metadata.name, names.join(", "));
    let finding = Diagnostic::new(&rules::NODE_ROUTES, network.span("spec.aws.natGateways"), message);
    finding.help("use one zone, `topology: public` or `natGateways: single`; or a provider without routes to nodes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use testing::Project;

    fn report(network: &str, nodes: u32, quota: u32) -> String {
        let mut project = Project::default();
        let spec = format!(
            "  network: vpc\n  kubernetesVersion: \"1.33\"\n  networking: {{overlay: {{}}}}\n  nodes: {{max: {nodes}}}\n"
        );
        let (cluster, network) = (project.cluster(&spec), project.network(&format!("  {network}\n")));
        let facts = [project.facts(&format!("nodeRoutes: {{quota: {quota}}}"))];
        let mut findings = Vec::new();
        check(&cluster, &network, &facts, &mut findings);
        project.report(&findings)
    }

    #[test]
    fn a_table_has_room_for_every_node() {
        let network = "aws: {region: us-test-1, zones: [us-test-1a]}";
        assert_eq!(report(network, 38, 50), "");
        assert_eq!(
            report(network, 39, 50),
            "warning[node-routes-quota] cluster.yaml:8:16: nodes.max 39 makes 40 routes with the table's other one, \
             of 50 that the table takes\n"
        );
        assert!(report(network, 49, 50).starts_with("warning"));
        assert_eq!(
            report(network, 50, 50),
            "error[node-routes] cluster.yaml:8:16: nodes.max 50 makes 51 routes with the table's other one, and the table takes 50\n"
        );
        assert_eq!(report(network, 50, 100), "");
    }

    #[test]
    fn nodes_are_in_one_table() {
        let network = "aws: {region: us-test-1, zones: [us-test-1a, us-test-1b], topology: private, natGateways: WAY}";
        assert_eq!(
            report(&network.replace("WAY", "perZone"), 5, 50),
            "error[node-routes] network.yaml:5:93: nodes of the network `vpc` are in several route tables: `private-us-test-1a`, \
             `private-us-test-1b` | facts.yaml:1:1: each node needs a route in the one table\n"
        );
        assert_eq!(report(&network.replace("WAY", "single"), 5, 50), "");
    }

    #[test]
    fn tables_that_exist_are_tagged_by_hand() {
        let network = "aws: {region: us-test-1, vpcID: vpc-1, zones: [us-test-1a], subnets: \
                       [{name: a, zone: us-test-1a, type: public, id: subnet-1}]}";
        assert_eq!(
            report(network, 5, 50),
            "warning[node-routes-table] facts.yaml:1:1: the route table of the nodes' subnets is not made by netloom, and has to \
             carry the tag `kubernetes.io/cluster/prod`\n"
        );
    }

    #[test]
    fn nothing_is_known_of_other_networks() {
        assert_eq!(report("static: {cidr: 10.0.0.0/16}", 500, 50), "");
    }
}
