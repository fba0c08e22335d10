//! Networks that routes lead to through a peering connection or a transit gateway.

use super::{NetworkPlan, RouteTarget};

/// Largest packet between VPCs of one region (EC2 user guide, "Network maximum transmission unit").
const SAME_REGION: u32 = 9001;
/// Largest packet over a peering connection between regions (ibid.), and through any transit gateway (its guide, "What is AWS
/// Transit Gateway").
const FURTHER: u32 = 8500;

/// Another declared network, and what leads there.
#[derive(Clone, Copy, Debug)]
pub struct Peering<'a> {
    /// The other network.
    pub network: &'a NetworkPlan,
    /// `pcx-…` or `tgw-…`.
    pub through: &'a str,
    /// Largest packet that gets there in bytes.
    pub carries: u32,
}

impl NetworkPlan {
    /// The networks among `all` that this one's routes lead to.
    ///
    /// Ranges may be another's, too: where a network of the destination's range has a route through the same connection, it is the
    /// one that is meant. The way to everywhere leads to no one in particular.
    #[must_use]
    pub fn peerings<'a>(&'a self, all: &'a [NetworkPlan]) -> Vec<Peering<'a>> {
        let mut found: Vec<Peering<'a>> = Vec::new();
        for (destination, target) in self.routes().filter(|(destination, _)| destination.prefix() > 0) {
            let Some(through) = connection(target) else { continue };
            let at = |one: &&NetworkPlan| one.name != self.name && one.cidrs.iter().any(|range| range.overlaps(destination));
            let back = |one: &&NetworkPlan| one.routes().any(|(_, there)| connection(there) == Some(through));
            let certain = all.iter().filter(at).any(|one| back(&one));
            for network in all.iter().filter(at).filter(|one| !certain || back(one)) {
                if !found.iter().any(|one| one.network.name == network.name && one.through == through) {
                    found.push(Peering { network, through, carries: self.carries(target, network) });
                }
            }
        }
        found
    }

    fn routes(&self) -> impl Iterator<Item = (schema::address::Cidr, &RouteTarget)> {
        let tables = self.aws.iter().flat_map(|aws| &aws.route_tables);
        tables.flat_map(|table| &table.routes).map(|route| (route.destination, &route.target))
    }

    fn carries(&self, target: &RouteTarget, other: &NetworkPlan) -> u32 {
        let region = |plan: &NetworkPlan| plan.aws.as_ref().map(|aws| aws.region.clone());
        match target {
            RouteTarget::Peering(_) if region(self) == region(other) => SAME_REGION,
            _ => FURTHER,
        }
    }
}

fn connection(target: &RouteTarget) -> Option<&str> {
    match target {
        RouteTarget::Peering(id) | RouteTarget::TransitGateway(id) => Some(id),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::NetworkPlan;
    use crate::testing::Project;

    /// A network in one zone of a region, whose private subnet has these routes.
    fn plan(name: &str, region: &str, cidr: &str, routes: &str) -> NetworkPlan {
        let subnet = format!("{{name: p, zone: {region}a, type: private, egress: tgw-0, additionalRoutes: [{routes}]}}");
        let aws = format!("  aws: {{region: {region}, cidr: {cidr}, zones: [{region}a], subnets: [{subnet}]}}\n");
        let plan = crate::plan::network::plan(&Project::default().network(&aws));
        NetworkPlan { name: name.to_owned(), ..plan }
    }

    fn peerings(all: &[NetworkPlan]) -> Vec<String> {
        let of_one = |plan: &NetworkPlan| {
            let found = plan.peerings(all).into_iter();
            found.map(|one| format!("{} {} {} {}", plan.name, one.through, one.network.name, one.carries)).collect::<Vec<_>>()
        };
        all.iter().flat_map(of_one).collect()
    }

    /// By ranges, whichever way; what leads everywhere (`egress`) leads to no one.
    #[test]
    fn routes_lead_to_networks() {
        let all = [
            plan("a", "us-test-1", "10.1.0.0/16", "{cidr: 10.2.0.0/16, target: pcx-1}, {cidr: 10.3.0.0/24, target: pcx-2}"),
            plan("b", "us-test-1", "10.2.0.0/16", "{cidr: 10.0.0.0/8, target: tgw-1}, {cidr: 10.1.0.0/16, target: i-1}"),
            plan("c", "us-test-2", "10.3.0.0/16", "{cidr: 192.168.0.0/16, target: pcx-3}"),
        ];
        assert_eq!(peerings(&all), ["a pcx-1 b 9001", "a pcx-2 c 8500", "b tgw-1 a 8500", "b tgw-1 c 8500"]);
    }

    /// Of two networks with one range, the one with a route back is meant; without any, it may be either.
    #[test]
    fn ranges_that_two_have() {
        let a = || plan("a", "us-test-1", "10.1.0.0/16", "{cidr: 10.2.0.0/16, target: pcx-1}");
        let other = |name: &str, routes: &str| plan(name, "us-test-1", "10.2.0.0/16", routes);
        let back = "{cidr: 10.1.0.0/16, target: pcx-1}";
        assert_eq!(peerings(&[a(), other("b", ""), other("c", back)]), ["a pcx-1 c 9001", "c pcx-1 a 9001"]);
        assert_eq!(peerings(&[a(), other("b", ""), other("c", "")]), ["a pcx-1 b 9001", "a pcx-1 c 9001"]);
    }
}
