//! Networks that routes lead to, and the cluster's own ranges, behind which they would disappear.

use findings::{Diagnostic, rules};
use model::declare::{Cluster, Declared, Network, Range};
use tree::Path;

use super::PlacedFacts;

/// Reports additional routes to ranges that share addresses with pods or services: a peered VPC, premises behind a transit gateway.
pub fn check(cluster: &Declared<Cluster>, network: &Declared<Network>, facts: &PlacedFacts, findings: &mut Vec<Diagnostic>) {
    let spec = &cluster.value.spec;
    let range = |field: &str, cidr| Range { what: field.to_owned(), cidr, span: cluster.span(&format!("spec.{field}")) };
    let mut ranges = vec![range("serviceCIDR", spec.service_cidr)];
    if !super::last(facts, |facts| facts.pods_in_network).is_some_and(|(shared, _)| shared) {
        ranges.push(range("podCIDR", spec.pod_cidr));
    }
    let subnets = network.value.spec.aws.iter().flat_map(|aws| &aws.subnets);
    for (at, subnet) in subnets.enumerate() {
        let list = Path::dotted("spec.aws.subnets").item(at).child("additionalRoutes");
        // The way to everywhere is a way to what nobody else has.
        for (index, route) in subnet.additional_routes.iter().enumerate().filter(|(_, route)| route.cidr.prefix() > 0) {
            let place = network.node.nearest(&list.item(index).child("cidr")).span;
            for own in ranges.iter().filter(|own| own.cidr.overlaps(route.cidr)) {
                let message = format!("{} {} hides addresses of {}, where a route leads to", own.what, own.cidr, route.cidr);
                let finding = Diagnostic::new(&rules::ROUTE_HIDDEN, own.span, message);
                findings.push(finding.also(place, format!("the route to `{}`", route.target)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testing::Project;

    fn report(route: &str, facts: &str) -> String {
        let mut project = Project::default();
        let cluster = project.cluster("  network: vpc\n  kubernetesVersion: \"1.33\"\n  networking: {overlay: {}}\n");
        let network = project.network(&format!(
            "  aws:\n    region: us-test-1\n    zones: [us-test-1a]\n    topology: private\n    subnets:\n    \
             - {{name: a, zone: us-test-1a, type: private, cidr: 172.20.32.0/19, additionalRoutes: [{{cidr: {route}, target: pcx-1}}]}}\n"
        ));
        let facts = [project.facts(facts)];
        let mut findings = Vec::new();
        check(&cluster, &network, &facts, &mut findings);
        project.report(&findings)
    }

    #[test]
    fn what_a_route_leads_to_is_not_the_clusters() {
        assert_eq!(report("10.0.0.0/8", "{}"), "");
        assert_eq!(report("0.0.0.0/0", "{}"), "");
        assert_eq!(
            report("100.100.0.0/16", "{}"),
            "warning[route-hidden] cluster.yaml:5:3: podCIDR 100.96.0.0/11 hides addresses of 100.100.0.0/16, where a route leads to \
             | network.yaml:10:98: the route to `pcx-1`\n"
        );
        assert_eq!(report("100.64.0.0/10", "{}").lines().count(), 2, "wider than both");
        assert_eq!(report("100.100.0.0/16", "podsInNetwork: true"), "");
    }
}
