//! Gateways and the routes to them.

use super::{Stack, logical_id, properties, reference, resource};
use crate::cloudformation::get_att;
use model::plan::{Gateway, NatGateway, NatTarget, RoutePlan, RouteTable, RouteTarget};
use schema::address::Cidr;
use tree::Node;

const INTERNET: &str = "InternetGateway";
const ATTACHMENT: &str = "InternetGatewayAttachment";
const EGRESS_ONLY: &str = "EgressOnlyGateway";
/// The parameter for an internet gateway that no declaration names.
const PARAMETER: &str = "InternetGatewayId";

impl Stack<'_> {
    pub(super) fn gateways(&mut self) {
        match &self.aws.internet_gateway {
            Some(Gateway::Owned) => self.internet_gateway(),
            Some(Gateway::Parameter) => self.template.parameter(
                PARAMETER,
                Node::map([
                    ("Type", "String".into()),
                    ("Description", "Internet gateway that is attached to the VPC".into()),
                    ("AllowedPattern", "^igw-[0-9a-z]+$".into()),
                ]),
            ),
            Some(Gateway::Existing(_)) | None => {}
        }
        if self.aws.egress_only_gateway {
            let gateway = properties([("VpcId", self.vpc_id()), ("Tags", self.tags(None, &[]))]);
            self.template.resource(EGRESS_ONLY.to_owned(), resource("AWS::EC2::EgressOnlyInternetGateway", gateway, &[]));
        }
    }

    fn internet_gateway(&mut self) {
        let gateway = properties([("Tags", self.tags(None, &[]))]);
        self.template.resource(INTERNET.to_owned(), resource("AWS::EC2::InternetGateway", gateway, &[]));
        let attachment = properties([("VpcId", self.vpc_id()), ("InternetGatewayId", reference(INTERNET))]);
        self.template.resource(ATTACHMENT.to_owned(), resource("AWS::EC2::VPCGatewayAttachment", attachment, &[]));
    }

    /// What must be there before anything uses the internet gateway.
    fn attachment(&self) -> Vec<String> {
        let owned = self.aws.internet_gateway == Some(Gateway::Owned);
        owned.then(|| ATTACHMENT.to_owned()).into_iter().collect()
    }

    pub(super) fn nat_gateways(&mut self) {
        for gateway in &self.aws.nat_gateways {
            let allocation = match &gateway.address {
                Gateway::Existing(id) => id.as_str().into(),
                Gateway::Owned | Gateway::Parameter => self.elastic_ip(gateway),
            };
            let entries = properties([
                ("SubnetId", self.subnet_id(&gateway.subnet)),
                ("AllocationId", allocation),
                ("Tags", self.tags(Some(&gateway.name), &[])),
            ]);
            let id = logical_id(&["nat-gateway", &gateway.name]);
            self.template.resource(id, resource("AWS::EC2::NatGateway", entries, &self.attachment()));
        }
    }

    fn elastic_ip(&mut self, gateway: &NatGateway) -> Node {
        let address = gateway.public_ip.as_deref().map(|ip| ("Address", ip.into()));
        let rest = [("Domain", "vpc".into()), ("Tags", self.tags(Some(&gateway.name), &[]))];
        let entries = properties(address.into_iter().chain(rest));
        let id = logical_id(&["elastic-ip", &gateway.name]);
        let id = self.template.resource(id, resource("AWS::EC2::EIP", entries, &self.attachment()));
        get_att(&id, "AllocationId")
    }

    pub(super) fn route_tables(&mut self) {
        for table in &self.aws.route_tables {
            let entries = properties([("VpcId", self.vpc_id()), ("Tags", self.tags(Some(&table.name), &table.tags))]);
            let id = self.template.resource(table_id(table), resource("AWS::EC2::RouteTable", entries, &[]));
            let what = format!("RouteTable-{}", table.name);
            self.export(&id, format!("Route table {}", table.name), &what, reference(&id));
            for route in &table.routes {
                self.route(table, route);
            }
            for subnet in &table.subnets {
                let association = properties([("RouteTableId", reference(&id)), ("SubnetId", self.subnet_id(subnet))]);
                let association = resource("AWS::EC2::SubnetRouteTableAssociation", association, &[]);
                self.template.resource(logical_id(&["route-table-association", subnet]), association);
            }
        }
    }

    fn route(&mut self, table: &RouteTable, route: &RoutePlan) {
        let family = if route.destination.is_v6() { "DestinationIpv6CidrBlock" } else { "DestinationCidrBlock" };
        let entries = properties([
            ("RouteTableId", reference(&table_id(table))),
            (family, route.destination.to_string().into()),
            target(&route.target),
        ]);
        let owned = route.target == RouteTarget::InternetGateway(Gateway::Owned);
        let depends_on = if owned { self.attachment() } else { Vec::new() };
        let id = logical_id(&["route", &table.name, &destination(route.destination)]);
        self.template.resource(id, resource("AWS::EC2::Route", entries, &depends_on));
    }
}

pub(in crate::cloudformation) fn table_id(table: &RouteTable) -> String {
    logical_id(&["route-table", &table.name])
}

/// The name of a destination in logical ids; no range is written like one of these words.
pub(in crate::cloudformation) fn destination(cidr: Cidr) -> String {
    match cidr {
        Cidr::ANY_V4 => "default".to_owned(),
        Cidr::ANY_V6 => "default-ipv-6".to_owned(),
        Cidr::NAT64 => "nat-64".to_owned(),
        _ => cidr.to_string(),
    }
}

fn target(target: &RouteTarget) -> (&'static str, Node) {
    let gateway = |gateway: &Gateway, owned: &str| match gateway {
        Gateway::Owned => reference(owned),
        Gateway::Existing(id) => id.as_str().into(),
        Gateway::Parameter => reference(PARAMETER),
    };
    match target {
        RouteTarget::InternetGateway(id) => ("GatewayId", gateway(id, INTERNET)),
        RouteTarget::EgressOnlyGateway(id) => ("EgressOnlyInternetGatewayId", gateway(id, EGRESS_ONLY)),
        RouteTarget::NatGateway(NatTarget::Planned(zone)) => ("NatGatewayId", reference(&logical_id(&["nat-gateway", zone]))),
        RouteTarget::NatGateway(NatTarget::Existing(id)) => ("NatGatewayId", id.as_str().into()),
        RouteTarget::TransitGateway(id) => ("TransitGatewayId", id.as_str().into()),
        RouteTarget::Peering(id) => ("VpcPeeringConnectionId", id.as_str().into()),
        RouteTarget::Instance(id) => ("InstanceId", id.as_str().into()),
    }
}
