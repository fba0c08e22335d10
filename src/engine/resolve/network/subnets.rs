//! Subnets that are written out.

use super::{Check, field, of_subnet, written};
use findings::{Diagnostic, rules};
use model::declare::{Aws, Subnet, SubnetType};
use schema::address::{Cidr, Ipv6Range};

impl Check<'_> {
    pub(super) fn written_subnets(&mut self, aws: &Aws) {
        self.subnet_names(aws);
        self.subnet_zones(aws);
        self.subnet_ids(aws);
        for (at, subnet) in written(aws) {
            self.subnet_cidr(at, subnet, aws);
            self.subnet_ipv6(at, subnet, aws);
        }
        self.subnets_distinct(aws);
    }

    /// Names become logical ids and exports, which take letters, digits and hyphens.
    fn subnet_names(&mut self, aws: &Aws) {
        for (at, subnet) in written(aws) {
            let name = &subnet.name;
            let inner = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            if name.is_empty() || name.len() > 63 || !inner || name.starts_with('-') || name.ends_with('-') {
                self.report(&rules::SUBNET_NAME, &of_subnet(at, "name"), format!("`{name}` is no name for a subnet"));
            }
            if let Some(first) = aws.subnets[..at].iter().position(|other| other.name == *name) {
                let message = format!("two subnets are named `{name}`");
                let finding = Diagnostic::new(&rules::SUBNET_DUPLICATE, self.at(&of_subnet(at, "name")), message);
                self.push(finding.also(self.at(&of_subnet(first, "name")), "the first one"));
            }
        }
    }

    fn subnet_zones(&mut self, aws: &Aws) {
        for (at, subnet) in written(aws) {
            if !aws.zones.contains(&subnet.zone) {
                let message = format!("the subnet `{}` stands in `{}`, which is not in `zones`", subnet.name, subnet.zone);
                let finding = Diagnostic::new(&rules::SUBNET_ZONE, self.at(&of_subnet(at, "zone")), message);
                let finding = finding.suggest(&subnet.zone, aws.zones.iter().map(String::as_str));
                self.push(finding.also(self.at(&field("zones")), "the network's zones"));
            }
        }
        for (at, zone) in aws.zones.iter().enumerate() {
            if !aws.subnets.iter().any(|subnet| subnet.zone == *zone) {
                let message = format!("no subnet stands in the zone `{zone}`");
                let finding = Diagnostic::new(&rules::FIELD_UNUSED, self.at(&field("zones").item(at)), message);
                self.push(finding);
            }
        }
    }

    /// Existing subnets: all or none, and in an existing VPC.
    fn subnet_ids(&mut self, aws: &Aws) {
        let Some(existing) = aws.subnets.iter().position(|subnet| subnet.id.is_some()) else { return };
        if let Some(owned) = aws.subnets.iter().position(Subnet::is_owned) {
            let message =
                format!("the subnet `{}` has no `id`, but `{}` has one", aws.subnets[owned].name, aws.subnets[existing].name);
            let place = self.at(&field("subnets").item(owned));
            let finding = Diagnostic::new(&rules::SUBNET_MIXED_IDS, place, message);
            self.push(finding.also(self.at(&of_subnet(existing, "id")), "an existing subnet"));
        }
        if aws.vpc_id.is_none() {
            let message = format!("the subnet `{}` exists already, but no `vpcID` says in which VPC", aws.subnets[existing].name);
            let finding = Diagnostic::new(&rules::VPC_EXISTING, self.at(&of_subnet(existing, "id")), message);
            self.push(finding.help("write `vpcID`, and the VPC's `cidr`"));
        }
    }

    fn subnet_cidr(&mut self, at: usize, subnet: &Subnet, aws: &Aws) {
        let path = of_subnet(at, "cidr");
        let Some(cidr) = subnet.cidr else {
            let ipv6_only = subnet.kind == SubnetType::Private && subnet.ipv6_cidr.is_some();
            if subnet.is_owned() && !ipv6_only {
                let message = format!("the subnet `{}` has no `cidr`", subnet.name);
                let finding = Diagnostic::new(&rules::SUBNET_CIDR_MISSING, self.at(&path), message);
                self.push(finding.help("only a subnet with an `id`, or a private one with an `ipv6CIDR`, goes without"));
            }
            return;
        };
        self.ipv4_of_size(cidr, &path, "a subnet's `cidr`");
        if !aws.ranges().any(|range| range.contains(cidr)) {
            let ranges: Vec<String> = aws.ranges().map(|range| format!("`{range}`")).collect();
            let message = format!("`{cidr}` of the subnet `{}` lies outside the VPC", subnet.name);
            let finding = Diagnostic::new(&rules::CIDR_OUTSIDE, self.at(&path), message);
            let finding = finding.help(format!("the VPC has {}", ranges.join(", ")));
            self.push(finding.also(self.at(&field("cidr")), "the VPC's range"));
        }
    }

    fn subnet_ipv6(&mut self, at: usize, subnet: &Subnet, aws: &Aws) {
        if subnet.kind == SubnetType::DualStack && subnet.is_owned() && (!aws.ipv6 || subnet.ipv6_cidr.is_none()) {
            let lacks = if aws.ipv6 { "an `ipv6CIDR`" } else { "a network with `ipv6: true`" };
            let message = format!("the dual-stack subnet `{}` needs {lacks}", subnet.name);
            self.report(&rules::SUBNET_TYPE, &of_subnet(at, "type"), message);
        }
        let Some(text) = &subnet.ipv6_cidr else { return };
        let path = of_subnet(at, "ipv6CIDR");
        if !aws.ipv6 {
            let message = format!("the subnet `{}` has an IPv6 range, but the network has no `ipv6: true`", subnet.name);
            self.report(&rules::IPV6_UNSUPPORTED, &path, message);
        }
        match text.parse::<Ipv6Range>() {
            Err(invalid) => {
                let finding = Diagnostic::new(invalid.rule, self.at(&path), invalid.message);
                self.push(match invalid.help {
                    Some(help) => finding.help(help),
                    None => finding,
                });
            }
            Ok(range) => self.ipv6_range(range, &path, aws),
        }
    }

    fn ipv6_range(&mut self, range: Ipv6Range, path: &tree::Path, aws: &Aws) {
        // VPC user guide, "Subnet sizing for IPv6".
        if !(44..=64).contains(&range.prefix()) || !range.prefix().is_multiple_of(4) {
            let message = format!("a subnet's IPv6 range is a /44, /48, … or /64, not a /{}", range.prefix());
            self.report(&rules::CIDR_SIZE, path, message);
        }
        if matches!(range, Ipv6Range::Slot { .. }) && aws.vpc_id.is_some() {
            let message = "the IPv6 block of an existing VPC is not known, so nothing can be counted in it";
            let finding = Diagnostic::new(&rules::IPV6_UNSUPPORTED, self.at(path), message);
            self.push(finding.help("write the range out, as in `2001:db8:0:1::/64`"));
        }
    }

    fn subnets_distinct(&mut self, aws: &Aws) {
        let ipv4 = |subnet: &Subnet| subnet.cidr;
        self.distinct_ranges(aws, "cidr", ipv4, Cidr::overlaps, |cidr| cidr.to_string());
        let ipv6 = |subnet: &Subnet| subnet.ipv6_cidr.as_deref()?.parse().ok();
        let text = |range| match range {
            Ipv6Range::Cidr(cidr) => cidr.to_string(),
            Ipv6Range::Slot { prefix, index } => format!("/{prefix}#{index:x}"),
        };
        self.distinct_ranges(aws, "ipv6CIDR", ipv6, Ipv6Range::overlaps, text);
    }

    fn distinct_ranges<R: Copy>(
        &mut self,
        aws: &Aws,
        field: &str,
        range_of: impl Fn(&Subnet) -> Option<R>,
        overlaps: impl Fn(R, R) -> bool,
        text: impl Fn(R) -> String,
    ) {
        let ranges: Vec<Option<R>> = aws.subnets.iter().map(range_of).collect();
        for (at, subnet) in written(aws) {
            let Some(range) = ranges[at] else { continue };
            let clashes = |other: &Option<R>| other.is_some_and(|other| overlaps(range, other));
            let Some(first) = ranges[..at].iter().position(clashes) else { continue };
            let message =
                format!("`{}` of the subnet `{}` shares addresses with `{}`", text(range), subnet.name, aws.subnets[first].name);
            let finding = Diagnostic::new(&rules::CIDR_OVERLAP, self.at(&of_subnet(at, field)), message);
            self.push(finding.also(self.at(&of_subnet(first, field)), "the other subnet's range"));
        }
    }
}
