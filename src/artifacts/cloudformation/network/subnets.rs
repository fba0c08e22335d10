//! Subnets.

use super::{IPV6_BLOCK, Stack, VPC, get_att, logical_id, properties, reference, resource};
use crate::cloudformation::sub;
use model::declare::{SubnetType, Zone};
use model::plan::{Subnet, Vpc};
use schema::address::Ipv6Range;
use tree::Node;

impl Stack<'_> {
    pub(super) fn subnets(&mut self) {
        for subnet in &self.aws.subnets {
            if subnet.id.is_none() {
                let id = subnet_logical_id(&subnet.name);
                self.template.resource(id, self.subnet(subnet));
            }
            let what = format!("Subnet-{}", subnet.name);
            self.export(&subnet_logical_id(&subnet.name), describe(subnet), &what, self.subnet_id(&subnet.name));
        }
    }

    /// The id of a subnet by name: a reference to the one created, or the id of the existing one.
    pub(super) fn subnet_id(&self, name: &str) -> Node {
        let subnet = self.aws.subnets.iter().find(|subnet| subnet.name == name);
        match subnet.and_then(|subnet| subnet.id.as_deref()) {
            Some(id) => id.into(),
            None => reference(&subnet_logical_id(name)),
        }
    }

    fn subnet(&self, subnet: &Subnet) -> Node {
        let mut entries = properties([("VpcId", self.vpc_id()), ("AvailabilityZone", self.zone(&subnet.zone))]);
        if let Some(cidr) = subnet.cidr {
            entries.push("CidrBlock", cidr.to_string());
        }
        if let Some(range) = subnet.ipv6 {
            entries.push("Ipv6CidrBlock", ipv6_range(range));
            entries.push("AssignIpv6AddressOnCreation", true);
        }
        if subnet.cidr.is_none() {
            // Machines here have no IPv4 address; the resolver gives them IPv6 ones for IPv4-only names, which NAT64 serves.
            entries.push("Ipv6Native", true);
            entries.push("EnableDns64", true);
        }
        if subnet.kind == SubnetType::Public {
            entries.push("MapPublicIpOnLaunch", true);
        }
        entries.push("Tags", self.tags(Some(&subnet.name), &subnet.tags));
        resource("AWS::EC2::Subnet", entries, &self.ranges_of(subnet))
    }

    /// The zone, with the region left to the stack: the same text as the declared one, and no literal that cfn-lint minds.
    fn zone(&self, zone: &str) -> Node {
        match Zone::of(&self.aws.region, zone) {
            Some(zone) => sub(format!("${{AWS::Region}}{}", zone.suffix)),
            None => zone.into(),
        }
    }

    /// What must have been added to the VPC before the subnet can have its ranges.
    fn ranges_of(&self, subnet: &Subnet) -> Vec<String> {
        let Vpc::Owned { additional, ipv6, .. } = &self.aws.vpc else { return Vec::new() };
        let holder = additional.iter().find(|range| subnet.cidr.is_some_and(|cidr| range.contains(cidr)));
        let holder = holder.map(|range| logical_id(&["vpc-range", &range.to_string()]));
        let block = (*ipv6 && subnet.ipv6.is_some()).then(|| IPV6_BLOCK.to_owned());
        holder.into_iter().chain(block).collect()
    }
}

pub(in crate::cloudformation) fn subnet_logical_id(name: &str) -> String {
    logical_id(&["subnet", name])
}

fn describe(subnet: &Subnet) -> String {
    let kind = match subnet.kind {
        SubnetType::Public => "Public",
        SubnetType::Private => "Private",
        SubnetType::Utility => "Utility",
        SubnetType::DualStack => "Dual-stack",
    };
    format!("{kind} subnet {} in {}", subnet.name, subnet.zone)
}

/// A range of the VPC's Amazon-provided block, picked by number, or the one written out.
///
/// The list is as long as `Fn::Cidr` makes it (256 at most), so one subnet's number never shows in another one.
fn ipv6_range(range: Ipv6Range) -> Node {
    let (prefix, index) = match range {
        Ipv6Range::Cidr(cidr) => return cidr.to_string().into(),
        Ipv6Range::Slot { prefix, index } => (prefix, index),
    };
    let select = |index: u32, list: Node| Node::map([("Fn::Select", vec![i64::from(index).into(), list].into())]);
    let block = select(0, get_att(VPC, "Ipv6CidrBlocks"));
    let count = i64::from(Ipv6Range::slots(prefix).unwrap_or(1));
    let host_bits = 128 - i64::from(prefix);
    select(index, Node::map([("Fn::Cidr", vec![block, count.into(), host_bits.into()].into())]))
}
