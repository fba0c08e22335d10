//! Plans of small networks.

use model::declare::{Endpoints, SubnetType, Topology};
use model::plan::{AwsPlan, Gateway, NatGateway, NatTarget, NetworkPlan, RoutePlan, RouteTable, RouteTarget, Subnet, Vpc};
use schema::address::Cidr;

pub fn cidr(text: &str) -> Cidr {
    text.parse().unwrap_or_else(|_| panic!("{text}"))
}

pub fn subnet(name: &str, zone: &str, kind: SubnetType, range: &str) -> Subnet {
    Subnet { name: name.into(), zone: zone.into(), kind, cidr: Some(cidr(range)), ipv6: None, id: None, tags: Vec::new() }
}

pub fn table(name: &str, subnets: &[&str], routes: Vec<(&str, RouteTarget)>) -> RouteTable {
    let routes = routes.into_iter().map(|(to, target)| RoutePlan { destination: cidr(to), target }).collect();
    RouteTable { name: name.into(), subnets: subnets.iter().map(ToString::to_string).collect(), routes, tags: Vec::new() }
}

pub fn private(tables: Vec<RouteTable>) -> NetworkPlan {
    let aws = AwsPlan {
        region: "us-west-2".into(),
        topology: Topology::Private,
        vpc: Vpc::Owned {
            cidr: cidr("172.20.0.0/16"),
            additional: Vec::new(),
            ipv6: false,
            dhcp_domain: "us-west-2.compute.internal".into(),
        },
        internet_gateway: Some(Gateway::Owned),
        egress_only_gateway: false,
        subnets: vec![
            subnet("us-west-2a", "us-west-2a", SubnetType::Private, "172.20.32.0/19"),
            subnet("utility-us-west-2a", "us-west-2a", SubnetType::Utility, "172.20.0.0/22"),
        ],
        nat_gateways: vec![NatGateway {
            name: "us-west-2a".into(),
            subnet: "utility-us-west-2a".into(),
            address: Gateway::Owned,
            public_ip: None,
        }],
        route_tables: tables,
        endpoints: Endpoints::default(),
        tags: Vec::new(),
    };
    NetworkPlan { name: "prod".into(), mtu: 9001, cidrs: vec![cidr("172.20.0.0/16")], aws: Some(aws) }
}

/// A network with one private zone.
pub fn vpc() -> NetworkPlan {
    private(Vec::new())
}

/// A private network of this many zones with a NAT gateway in each, or one for all.
pub fn zones(number: u8, shared: bool, name: &str) -> NetworkPlan {
    let mut network = private(Vec::new());
    network.name = name.into();
    let Some(aws) = &mut network.aws else { return network };
    (aws.subnets, aws.nat_gateways) = Default::default();
    let (mut public, mut tables) = (Vec::new(), Vec::new());
    for (at, letter) in (0..number).zip('a'..) {
        let (zone, utility) = (format!("us-west-2{letter}"), format!("utility-us-west-2{letter}"));
        aws.subnets.push(subnet(&zone, &zone, SubnetType::Private, &format!("172.20.{}.0/19", 32 * (at + 1))));
        aws.subnets.push(subnet(&utility, &zone, SubnetType::Utility, &format!("172.20.{}.0/22", 4 * at)));
        let nat = if shared { "us-west-2a".to_owned() } else { zone.clone() };
        if nat == zone {
            let gateway = NatGateway { name: nat.clone(), subnet: utility.clone(), address: Gateway::Owned, public_ip: None };
            aws.nat_gateways.push(gateway);
        }
        let routes = vec![
            ("0.0.0.0/0", RouteTarget::NatGateway(NatTarget::Planned(nat))),
            ("64:ff9b::/96", RouteTarget::TransitGateway("tgw-0123456789abcdef0".into())),
        ];
        tables.push(table(&format!("private-{zone}"), &[&zone], routes));
        public.push(utility);
    }
    let names: Vec<&str> = public.iter().map(String::as_str).collect();
    tables.push(table("public", &names, vec![("0.0.0.0/0", RouteTarget::InternetGateway(Gateway::Owned))]));
    aws.route_tables = tables;
    network
}
