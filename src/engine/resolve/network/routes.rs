//! Additional routes.

use super::{Check, of_subnet, written};
use findings::{Diagnostic, rules};
use model::declare::{Aws, Exits, Route, Subnet, Way, aws_id};
use schema::address::Cidr;
use tree::Path;

impl Check<'_> {
    pub(super) fn routes(&mut self, aws: &Aws, exits: &[Exits]) {
        for (at, subnet) in written(aws).filter(|(_, subnet)| !subnet.additional_routes.is_empty()) {
            let path = of_subnet(at, "additionalRoutes");
            let problem = match () {
                () if !subnet.is_owned() => "exists already and keeps the routes it has",
                () if !subnet.is_private() => "is not private",
                () if subnet.is_external() => "has the routes that somebody else makes (`egress: External`)",
                () => "",
            };
            if !problem.is_empty() {
                let span = self.key(&path);
                self.push(Diagnostic::new(&rules::ROUTE_INVALID, span, format!("the subnet `{}` {problem}", subnet.name)));
            }
            for (index, route) in subnet.additional_routes.iter().enumerate() {
                self.route_target(route, &path.item(index), aws);
                self.route_egress(subnet, route, &path.item(index), aws, exits);
                self.route_twice(at, index, aws);
            }
        }
    }

    fn route_target(&mut self, route: &Route, path: &Path, aws: &Aws) {
        let target = &route.target;
        let kind = aws_id(target).unwrap_or_default();
        let (problem, field) = match kind {
            "pcx" if aws.ranges().any(|range| range.contains(route.cidr)) => {
                (format!("`{}` lies inside the VPC, where no peer is", route.cidr), "cidr")
            }
            "eigw" if !route.cidr.is_v6() => (format!("`{target}` carries IPv6, and `{}` is IPv4", route.cidr), "target"),
            "nat" if route.cidr.is_v6() && !Cidr::NAT64.contains(route.cidr) => {
                (format!("`{target}` carries IPv4, and `{}` is IPv6", route.cidr), "target")
            }
            "pcx" | "i" | "nat" | "tgw" | "igw" | "eigw" => return,
            _ => (format!("`{target}` is no target of a route"), "target"),
        };
        self.report(&rules::ROUTE_INVALID, &path.child(field), problem);
    }

    /// Whether the zone's egress already goes where the route goes.
    fn route_egress(&mut self, subnet: &Subnet, route: &Route, path: &Path, aws: &Aws, exits: &[Exits]) {
        let way = exits.iter().find(|zone| zone.zone == subnet.zone).and_then(|zone| zone.private.as_ref());
        let Some(way) = way.filter(|way| !matches!(way, Way::Isolated | Way::External)) else { return };
        let in_table = |other: &&Subnet| other.zone == subnet.zone && other.is_private() && other.is_owned();
        let ipv6 = aws.subnets.iter().filter(in_table).any(|subnet| subnet.ipv6_cidr.is_some());
        let translated = matches!(way, Way::Planned(_) | Way::NatGateway(_));
        let taken = match route.cidr {
            Cidr::ANY_V4 => true,
            Cidr::ANY_V6 => ipv6,
            Cidr::NAT64 => ipv6 && translated,
            _ => false,
        };
        if taken {
            let message = format!("`{}` is where the zone's egress goes already", route.cidr);
            let finding = Diagnostic::new(&rules::ROUTE_INVALID, self.at(&path.child("cidr")), message);
            self.push(finding.help("set `egress` instead"));
        }
    }

    /// Two routes of one table with the same destination. Subnets of a zone may name the same route each.
    fn route_twice(&mut self, at: usize, index: usize, aws: &Aws) {
        let subnet = &aws.subnets[at];
        let route = &subnet.additional_routes[index];
        let earlier = aws.subnets[..=at].iter().enumerate().filter(|(_, other)| other.zone == subnet.zone);
        let mut earlier = earlier
            .flat_map(|(at, other)| other.additional_routes.iter().enumerate().map(move |(index, route)| (at, index, route)));
        let clash = |(other, i, earlier): &(usize, usize, &Route)| {
            let before = *other < at || *i < index;
            before && earlier.cidr == route.cidr && (*other == at || earlier.target != route.target)
        };
        if let Some((other, i, _)) = earlier.find(clash) {
            let message = format!("two routes of the zone `{}` go to `{}`", subnet.zone, route.cidr);
            let place = |at, index| of_subnet(at, "additionalRoutes").item(index).child("cidr");
            let finding = Diagnostic::new(&rules::ROUTE_INVALID, self.at(&place(at, index)), message);
            self.push(finding.also(self.at(&place(other, i)), "the other one"));
        }
    }
}
