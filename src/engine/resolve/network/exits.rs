//! Ways out: egress, NAT gateways, the internet gateway, endpoints.

use super::{Check, field, of_subnet, written};
use findings::{Diagnostic, rules};
use model::declare::{self, Aws, Egress, Exits, NatGateways, Subnet, SubnetType, Way};
use schema::address::parse_ip;

/// Tags of one's own: 50 that AWS takes on a resource (EC2 user guide, "Tag restrictions"), less a subnet's name and roles.
const MOST_TAGS: usize = 47;

impl Check<'_> {
    pub(super) fn ways_out(&mut self, aws: &Aws, subnets: &[Subnet]) {
        for (at, subnet) in written(aws) {
            self.egress(at, subnet);
            self.public_ip(at, subnet);
        }
        self.egress_agrees(aws);
        let exits = declare::exits(aws, subnets);
        self.nat_gateways(aws, subnets, &exits);
        self.routes(aws, &exits);
    }

    fn egress(&mut self, at: usize, subnet: &Subnet) {
        let Some(text) = &subnet.egress else { return };
        let path = of_subnet(at, "egress");
        let Ok(egress) = text.parse::<Egress>() else {
            let message = format!("`{text}` is no egress");
            let finding = Diagnostic::new(&rules::EGRESS_INVALID, self.at(&path), message);
            self.push(finding.help("write `nat-…`, `eipalloc-…`, `tgw-…`, `i-…` or `External`").suggest(text, ["External"]));
            return;
        };
        let gateway = matches!(egress, Egress::NatGateway(_) | Egress::Address(_) | Egress::External);
        let allowed = subnet.is_private() || (subnet.is_public_ipv6() && gateway);
        if !subnet.is_owned() && egress != Egress::External {
            let message = format!("the subnet `{}` exists already and keeps the routes it has", subnet.name);
            let finding = Diagnostic::new(&rules::EGRESS_INVALID, self.at(&path), message);
            self.push(finding.help("leave `egress` out, or write `External`"));
        } else if !allowed {
            let message = format!("the {} subnet `{}` reaches the internet by the internet gateway", kind(subnet), subnet.name);
            let finding = Diagnostic::new(&rules::EGRESS_INVALID, self.at(&path), message);
            self.push(
                finding.help("`egress` is for private and dual-stack subnets and, as a NAT gateway, for public ones with IPv6"),
            );
        }
    }

    fn public_ip(&mut self, at: usize, subnet: &Subnet) {
        let Some(text) = &subnet.public_ip else { return };
        let path = of_subnet(at, "publicIP");
        match parse_ip(text) {
            Err(invalid) => self.report(invalid.rule, &path, invalid.message),
            Ok(address) if address.is_ipv6() => {
                self.report(&rules::ADDRESS_INVALID, &path, format!("`{text}` is an IPv6 address; a NAT gateway's is IPv4"));
            }
            Ok(_) => {}
        }
        let has_gateway = subnet.is_owned() && subnet.egress.is_none() && (subnet.is_private() || subnet.is_public_ipv6());
        if !has_gateway {
            let message = format!("no NAT gateway is made for the subnet `{}`, so none can have this address", subnet.name);
            self.report(&rules::EGRESS_CONFLICT, &path, message);
        }
    }

    /// The private subnets of a zone share a route table, so they say the same; a public one beside them may say nothing.
    fn egress_agrees(&mut self, aws: &Aws) {
        let owned = |subnet: &Subnet| subnet.is_owned() && (subnet.is_private() || subnet.is_public_ipv6());
        for (at, subnet) in written(aws).filter(|(_, subnet)| owned(subnet)) {
            let same_table =
                |other: &Subnet| other.zone == subnet.zone && owned(other) && other.is_private() == subnet.is_private();
            let Some(first) = aws.subnets[..at].iter().position(same_table) else { continue };
            let other = &aws.subnets[first];
            for (name, differs) in [("egress", subnet.egress != other.egress), ("publicIP", subnet.public_ip != other.public_ip)]
            {
                if differs {
                    let message = format!("`{name}` of the subnets `{}` and `{}` of one zone differ", other.name, subnet.name);
                    let finding = Diagnostic::new(&rules::EGRESS_CONFLICT, self.at(&of_subnet(at, name)), message);
                    self.push(finding.also(self.at(&of_subnet(first, name)), "the other one"));
                }
            }
        }
        self.one_gateway_a_zone(aws);
    }

    /// Two NAT gateways for one zone: a private subnet names one and a public IPv6 subnet another.
    fn one_gateway_a_zone(&mut self, aws: &Aws) {
        for (at, subnet) in written(aws) {
            let Some((field, gateway)) = named_gateway(subnet) else { continue };
            let other = |other: &Subnet| {
                let differs = named_gateway(other).is_some_and(|(_, other)| other != gateway);
                differs && other.zone == subnet.zone && other.is_private() != subnet.is_private()
            };
            let Some(first) = aws.subnets[..at].iter().position(other) else { continue };
            let message = format!("the zone `{}` has one NAT gateway, but two are named", subnet.zone);
            let finding = Diagnostic::new(&rules::EGRESS_CONFLICT, self.at(&of_subnet(at, field)), message);
            let place = named_gateway(&aws.subnets[first]).map_or(field, |(field, _)| field);
            self.push(finding.also(self.at(&of_subnet(first, place)), "the other one"));
        }
    }

    fn nat_gateways(&mut self, aws: &Aws, subnets: &[Subnet], exits: &[Exits]) {
        for zone in exits.iter().filter(|zone| zone.has_nat_gateway(exits)) {
            if let Err(candidates) = declare::nat_subnet(&zone.zone, subnets) {
                self.nat_subnet(aws, &zone.zone, &candidates);
            }
        }
        let path = field("natGateways");
        let serves = |zone: &&Exits| {
            let out = [&zone.private, &zone.nat64];
            out.into_iter().flatten().any(|way| matches!(way, Way::Planned(other) if *other != zone.zone))
        };
        let others = exits.iter().filter(serves).count();
        if aws.nat_gateways == NatGateways::Single && others > 0 {
            let message = format!("one NAT gateway serves {} zones", others + 1);
            self.report(&rules::SINGLE_NAT_GATEWAY, &path, message);
        }
        let needed = exits.iter().any(|zone| zone.private.is_some() || zone.nat64.is_some());
        if !needed && aws.nat_gateways != NatGateways::None && self.is_written(&path) {
            self.unused(&path, "no subnet of this network needs a NAT gateway");
        }
    }

    fn nat_subnet(&mut self, aws: &Aws, zone: &str, candidates: &[&Subnet]) {
        let first = written(aws).find(|(_, subnet)| subnet.zone == zone && (subnet.is_private() || subnet.is_public_ipv6()));
        let place = first.map_or_else(|| field("zones"), |(at, _)| field("subnets").item(at));
        let names: Vec<String> = candidates.iter().map(|subnet| format!("`{}`", subnet.name)).collect();
        let message = match names.as_slice() {
            [] => format!("the zone `{zone}` needs a NAT gateway, but has no utility or public subnet for it"),
            _ => format!("the zone `{zone}` needs a NAT gateway, but has {} subnets for it: {}", names.len(), names.join(", ")),
        };
        let help = "write one utility subnet in this zone, name an `egress`, or set `natGateways`";
        let finding = Diagnostic::new(&rules::NAT_SUBNET, self.at(&place), message).help(help);
        self.push(finding);
    }

    pub(super) fn internet_gateway(&mut self, aws: &Aws, subnets: &[Subnet]) {
        let path = field("internetGatewayID");
        let public = |subnet: &Subnet| matches!(subnet.kind, SubnetType::Public | SubnetType::Utility);
        let used = subnets.iter().any(|subnet| subnet.is_owned() && public(subnet) && !subnet.is_external());
        match (&aws.vpc_id, &aws.internet_gateway_id) {
            (None, Some(_)) => self.unused(&path, "a VPC that netloom creates gets an internet gateway of its own"),
            (Some(_), Some(_)) if !used => self.unused(&path, "no public or utility subnet is created that would use it"),
            (Some(_), None) if used => {
                let message = "the existing VPC's internet gateway is not declared, so the stack asks for it as a parameter";
                self.report(&rules::INTERNET_GATEWAY, &field("vpcID"), message);
            }
            _ => {}
        }
    }

    pub(super) fn endpoints(&mut self, aws: &Aws, subnets: &[Subnet]) {
        let gateways = [("s3", aws.endpoints.s3), ("dynamodb", aws.endpoints.dynamodb)];
        let interfaces = [("ecr", aws.endpoints.ecr), ("sts", aws.endpoints.sts)];
        let routed = subnets.iter().any(|subnet| subnet.is_owned() && !subnet.is_external());
        let ipv4 = subnets.iter().any(|subnet| subnet.cidr.is_some() || subnet.id.is_some());
        let missing = [(gateways, routed, "route table of netloom's own"), (interfaces, ipv4, "subnet with IPv4 addresses")];
        for (services, there, what) in missing {
            for (name, _) in services.iter().filter(|(_, wanted)| *wanted && !there) {
                let message = format!("the endpoint for `{name}` has no {what} to be in");
                self.report(&rules::ENDPOINT_INVALID, &field("endpoints").child(name), message);
            }
        }
    }

    /// Tags that AWS would refuse, or that netloom writes itself.
    pub(super) fn tags(&mut self, aws: &Aws) {
        if aws.tags.len() > MOST_TAGS {
            let message = format!("{} tags; AWS takes 50 on a resource, of which netloom writes 3", aws.tags.len());
            let span = self.key(&field("tags"));
            self.push(Diagnostic::new(&rules::TAG_INVALID, span, message));
        }
        for (key, value) in &aws.tags {
            let reserved = key.to_ascii_lowercase().starts_with("aws:");
            let own = key == "Name" || key.starts_with("kubernetes.io/role/");
            let problem = match () {
                () if reserved => "begins with `aws:`, which is Amazon's".to_owned(),
                () if own => "is one that netloom writes itself".to_owned(),
                () if key.is_empty() || key.chars().count() > 128 => "has not 1 to 128 characters".to_owned(),
                () if value.chars().count() > 256 => {
                    format!("has a value of {} characters; AWS takes 256", value.chars().count())
                }
                () => continue,
            };
            let span = self.key(&field("tags").child(key));
            self.push(Diagnostic::new(&rules::TAG_INVALID, span, format!("the tag `{key}` {problem}")));
        }
    }
}

/// The field by which a subnet names its zone's NAT gateway, and what it says.
fn named_gateway(subnet: &Subnet) -> Option<(&'static str, &str)> {
    match subnet.written_egress() {
        Some(Egress::NatGateway(_) | Egress::Address(_)) => Some(("egress", subnet.egress.as_deref()?)),
        Some(_) => None,
        None => Some(("publicIP", subnet.public_ip.as_deref()?)),
    }
}

fn kind(subnet: &Subnet) -> &'static str {
    match subnet.kind {
        SubnetType::Public => "public",
        SubnetType::Private => "private",
        SubnetType::Utility => "utility",
        SubnetType::DualStack => "dual-stack",
    }
}
