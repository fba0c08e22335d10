//! VPC endpoints.

use super::gateways::table_id;
use super::{Stack, logical_id, properties, reference, resource};
use model::plan::Subnet;
use tree::Node;

/// An AWS service with an endpoint.
struct Service {
    /// Its name after the region, as in `com.amazonaws.us-west-2.ecr.api`.
    name: &'static str,
    /// Its name in logical ids.
    id: &'static str,
}

const S3: Service = Service { name: "s3", id: "s-3" };
const DYNAMODB: Service = Service { name: "dynamodb", id: "dynamodb" };
const ECR_API: Service = Service { name: "ecr.api", id: "ecr-api" };
const ECR_DKR: Service = Service { name: "ecr.dkr", id: "ecr-dkr" };
const STS: Service = Service { name: "sts", id: "sts" };
const EC2: Service = Service { name: "ec2", id: "ec-2" };
const ELB: Service = Service { name: "elasticloadbalancing", id: "elasticloadbalancing" };
const AUTOSCALING: Service = Service { name: "autoscaling", id: "autoscaling" };

/// The fields of `spec.aws.endpoints`, by the logical ids of the endpoints that they ask for.
pub(in crate::cloudformation) fn field(id: &str) -> Option<&'static str> {
    let ecr = [(ECR_API, "ecr"), (ECR_DKR, "ecr")];
    let own = [S3, DYNAMODB, STS, EC2, ELB, AUTOSCALING].map(|service| {
        let name = service.name;
        (service, name)
    });
    let mut fields = ecr.into_iter().chain(own);
    fields.find(|(service, _)| id == logical_id(&["endpoint", service.id])).map(|(_, field)| field)
}

impl Stack<'_> {
    pub(super) fn endpoints(&mut self) {
        let wanted = self.aws.endpoints;
        for (service, _) in [(S3, wanted.s3), (DYNAMODB, wanted.dynamodb)].into_iter().filter(|(_, wanted)| *wanted) {
            self.gateway_endpoint(&service);
        }
        let interfaces = [
            (ECR_API, wanted.ecr),
            (ECR_DKR, wanted.ecr),
            (STS, wanted.sts),
            (EC2, wanted.ec2),
            (ELB, wanted.elasticloadbalancing),
            (AUTOSCALING, wanted.autoscaling),
        ];
        let interfaces: Vec<Service> = interfaces.into_iter().filter_map(|(service, wanted)| wanted.then_some(service)).collect();
        if interfaces.is_empty() {
            return;
        }
        let group = self.endpoint_security_group();
        for service in interfaces {
            self.interface_endpoint(&service, &group);
        }
    }

    /// Routes to the service in every table.
    fn gateway_endpoint(&mut self, service: &Service) {
        let tables: Vec<Node> = self.aws.route_tables.iter().map(|table| reference(&table_id(table))).collect();
        let entries = properties([
            ("VpcId", self.vpc_id()),
            ("VpcEndpointType", "Gateway".into()),
            ("ServiceName", service_name(service, &self.aws.region, "com.amazonaws").into()),
            ("RouteTableIds", tables.into()),
            ("Tags", self.tags(Some(service.name), &[])),
        ]);
        self.template.resource(logical_id(&["endpoint", service.id]), resource("AWS::EC2::VPCEndpoint", entries, &[]));
    }

    /// An address of the service in every zone, under the service's usual name.
    fn interface_endpoint(&mut self, service: &Service, group: &str) {
        let subnets = endpoint_subnets(&self.aws.subnets);
        let subnets: Vec<Node> = subnets.iter().map(|subnet| self.subnet_id(&subnet.name)).collect();
        let entries = properties([
            ("VpcId", self.vpc_id()),
            ("VpcEndpointType", "Interface".into()),
            ("ServiceName", service_name(service, &self.aws.region, interface_prefix(service, &self.aws.region)).into()),
            ("PrivateDnsEnabled", true.into()),
            ("SubnetIds", subnets.into()),
            ("SecurityGroupIds", vec![reference(group)].into()),
            ("Tags", self.tags(Some(service.name), &[])),
        ]);
        self.template.resource(logical_id(&["endpoint", service.id]), resource("AWS::EC2::VPCEndpoint", entries, &[]));
    }

    fn endpoint_security_group(&mut self) -> String {
        let rule = |cidr: &schema::address::Cidr| {
            let range = if cidr.is_v6() { "CidrIpv6" } else { "CidrIp" };
            Node::map([
                ("IpProtocol", "tcp".into()),
                ("FromPort", 443.into()),
                ("ToPort", 443.into()),
                (range, cidr.to_string().into()),
                ("Description", "AWS APIs through VPC endpoints".into()),
            ])
        };
        let rules: Vec<Node> = self.plan.cidrs.iter().map(rule).collect();
        let entries = properties([
            ("GroupDescription", format!("VPC endpoints of network {}", self.plan.name).into()),
            ("VpcId", self.vpc_id()),
            ("SecurityGroupIngress", rules.into()),
            ("Tags", self.tags(Some("endpoints"), &[])),
        ]);
        self.template.resource(logical_id(&["endpoint-security-group"]), resource("AWS::EC2::SecurityGroup", entries, &[]))
    }
}

/// One subnet with IPv4 addresses for each zone, private before public before utility: an endpoint takes one of a zone.
fn endpoint_subnets(subnets: &[Subnet]) -> Vec<&Subnet> {
    use model::declare::SubnetType::{DualStack, Private, Public, Utility};
    let rank = |subnet: &Subnet| match subnet.kind {
        Private | DualStack => 0,
        Public => 1,
        Utility => 2,
    };
    let mut best: Vec<&Subnet> = Vec::new();
    for subnet in subnets.iter().filter(|subnet| subnet.cidr.is_some() || subnet.id.is_some()) {
        match best.iter_mut().find(|other| other.zone == subnet.zone) {
            Some(other) if rank(subnet) < rank(other) => *other = subnet,
            Some(_) => {}
            None => best.push(subnet),
        }
    }
    best
}

fn service_name(service: &Service, region: &str, prefix: &str) -> String {
    format!("{prefix}.{region}.{}", service.name)
}

/// How names of interface endpoints begin outside the commercial and GovCloud partitions (aws-cdk, `vpc-endpoint.ts`; read
/// 2026-08). Names of gateway endpoints begin with `com.amazonaws` everywhere.
fn interface_prefix(service: &Service, region: &str) -> &'static str {
    let ecr = service.name.starts_with("ecr");
    let early = ecr || matches!(service.name, "ec2" | "autoscaling");
    match region.split_once('-').map_or(region, |(partition, _)| partition) {
        "cn" if service.name != "elasticloadbalancing" => "cn.com.amazonaws",
        "eusc" if ecr => "eu.amazonaws",
        _ if ecr && region.contains("-isof-") => "gov.ic.hci.csp",
        _ if (ecr && region.contains("-isob-")) || (early && region == "us-isob-east-1") => "gov.sgov.sc2s",
        _ if ecr && region.contains("-isoe-") => "uk.adc-e.cloud",
        _ if early && region.contains("-iso-") => "gov.ic.c2s",
        _ => "com.amazonaws",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_names_of_other_partitions() {
        let name = |service: &Service, region| service_name(service, region, interface_prefix(service, region));
        assert_eq!(name(&ECR_API, "us-west-2"), "com.amazonaws.us-west-2.ecr.api");
        assert_eq!(name(&STS, "us-gov-west-1"), "com.amazonaws.us-gov-west-1.sts");
        assert_eq!(name(&ECR_DKR, "cn-north-1"), "cn.com.amazonaws.cn-north-1.ecr.dkr");
        assert_eq!(name(&STS, "cn-northwest-1"), "cn.com.amazonaws.cn-northwest-1.sts");
        assert_eq!(name(&ECR_API, "us-iso-east-1"), "gov.ic.c2s.us-iso-east-1.ecr.api");
        assert_eq!(name(&STS, "us-iso-east-1"), "com.amazonaws.us-iso-east-1.sts");
        assert_eq!(name(&EC2, "us-isob-east-1"), "gov.sgov.sc2s.us-isob-east-1.ec2");
        assert_eq!(name(&EC2, "us-isob-west-1"), "com.amazonaws.us-isob-west-1.ec2");
        assert_eq!(name(&AUTOSCALING, "cn-north-1"), "cn.com.amazonaws.cn-north-1.autoscaling");
        assert_eq!(name(&ELB, "cn-north-1"), "com.amazonaws.cn-north-1.elasticloadbalancing");
    }
}
