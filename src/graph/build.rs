//! The model of what is planned.

use super::{ClusterView, End, EndKind, Graph, GroupView, Place, RuleView, SubnetView, TableView, VpcView, Way};
use crate::address::{Cidr, Ipv6Range};
use crate::declare::{Cluster, Endpoint, Endpoints, Facts};
use crate::plan::{AwsPlan, ClusterPlan, Gateway, NatTarget, NetworkPlan, RouteTarget, Subnet, Vpc};

impl Graph {
    /// The picture of a network.
    #[must_use]
    pub fn new(network: &NetworkPlan) -> Self {
        let place = match &network.aws {
            Some(aws) => Place::Vpc(vpc(network, aws)),
            None => Place::Premises(network.cidrs.clone()),
        };
        Self { network: network.name.clone(), place, cluster: None }
    }

    /// The picture with the ranges of pods and services, which premises show.
    #[must_use]
    pub fn with_ranges(mut self, pods: Cidr, services: Cidr) -> Self {
        let (pods, services) = (pods.to_string(), services.to_string());
        self.cluster = Some(ClusterView { pods, services, ..ClusterView::default() });
        self
    }

    /// The picture with a cluster in it.
    #[must_use]
    pub fn with_cluster<'f>(
        mut self,
        cluster: &Cluster,
        network: &NetworkPlan,
        plan: &ClusterPlan,
        facts: impl IntoIterator<Item = &'f Facts>,
    ) -> Self {
        let spec = &cluster.spec;
        let encrypted = facts.into_iter().filter_map(|facts| facts.encrypted).last();
        self.cluster = Some(ClusterView {
            name: cluster.metadata.name.clone(),
            pods: if plan.pods_in_network { "addresses of the network".to_owned() } else { spec.pod_cidr.to_string() },
            services: spec.service_cidr.to_string(),
            provider: spec.networking.keys().next().cloned().unwrap_or_default(),
            encapsulation: encapsulation(plan, encrypted),
            dns: dns(cluster, network, plan),
            groups: groups(network, plan),
        });
        self
    }
}

fn vpc(network: &NetworkPlan, aws: &AwsPlan) -> VpcView {
    let mut zones: Vec<String> = Vec::new();
    let subnets = aws.subnets.iter().map(|subnet| {
        let zone = zones.iter().position(|zone| *zone == subnet.zone).unwrap_or_else(|| {
            zones.push(subnet.zone.clone());
            zones.len() - 1
        });
        SubnetView { name: subnet.name.clone(), zone, kind: subnet.kind, details: details(subnet) }
    });
    let mut view = VpcView {
        id: match &aws.vpc {
            Vpc::Owned { .. } => None,
            Vpc::Existing { id } => Some(id.clone()),
        },
        region: aws.region.clone(),
        ranges: network.cidrs.iter().map(ToString::to_string).collect(),
        ends: ends(aws),
        subnets: subnets.collect(),
        endpoints: endpoints(aws.endpoints),
        ..VpcView::default()
    };
    view.zones = zones;
    for table in &aws.route_tables {
        let routes: Vec<_> = table.routes.iter().map(|route| (route, view.end(&route.target, aws))).collect();
        for (subnet, _) in aws.subnets.iter().enumerate().filter(|(_, subnet)| table.subnets.contains(&subnet.name)) {
            for (route, end) in &routes {
                let everything = route.destination.prefix() == 0 && !route.destination.is_v6();
                let destination = (!everything).then(|| route.destination.to_string());
                view.ways.push(Way { subnet, end: *end, destination });
            }
        }
        let words = |end: usize| view.ends.get(end).map(|end| end.lines.join(" ")).unwrap_or_default();
        let routes = routes.iter().map(|(route, end)| (route.destination.to_string(), words(*end))).collect();
        view.tables.push(TableView { name: table.name.clone(), subnets: table.subnets.clone(), routes });
    }
    view
}

impl VpcView {
    /// The place of a route's target among the ends; one outside of the picture is added when it comes first.
    fn end(&mut self, target: &RouteTarget, aws: &AwsPlan) -> usize {
        let named = |name: &str| End { kind: EndKind::Outside, lines: vec![name.to_owned()] };
        let inside = |kind: EndKind| self.ends.iter().position(|end| end.kind == kind);
        let nat = |name: &str| {
            let at = aws.nat_gateways.iter().position(|nat| nat.name == name)?;
            self.ends.iter().enumerate().filter(|(_, end)| matches!(end.kind, EndKind::Nat(_))).nth(at).map(|(at, _)| at)
        };
        let (known, name) = match target {
            RouteTarget::InternetGateway(gateway) => match (inside(EndKind::Internet), gateway) {
                (None, Gateway::Existing(id)) => (None, named(id)),
                (known, _) => (known, named("internet gateway")),
            },
            RouteTarget::EgressOnlyGateway(gateway) => match (inside(EndKind::EgressOnly), gateway) {
                (None, Gateway::Existing(id)) => (None, named(id)),
                (known, _) => (known, named("egress-only internet gateway")),
            },
            RouteTarget::NatGateway(NatTarget::Planned(name)) => (nat(name), named(name)),
            RouteTarget::NatGateway(NatTarget::Existing(id))
            | RouteTarget::TransitGateway(id)
            | RouteTarget::Peering(id)
            | RouteTarget::Instance(id) => (None, named(id)),
        };
        known.or_else(|| self.ends.iter().position(|end| *end == name)).unwrap_or_else(|| {
            self.ends.push(name);
            self.ends.len() - 1
        })
    }
}

/// What stands in the VPC for routes to lead to.
fn ends(aws: &AwsPlan) -> Vec<End> {
    let mut ends = Vec::new();
    if let Some(gateway) = &aws.internet_gateway {
        let id = match gateway {
            Gateway::Owned => None,
            Gateway::Existing(id) => Some(id.clone()),
            Gateway::Parameter => Some("there already".to_owned()),
        };
        ends.push(End { kind: EndKind::Internet, lines: std::iter::once("internet gateway".to_owned()).chain(id).collect() });
    }
    if aws.egress_only_gateway {
        ends.push(End { kind: EndKind::EgressOnly, lines: vec!["egress-only internet gateway".to_owned()] });
    }
    ends.extend(aws.nat_gateways.iter().map(|nat| {
        let subnet = aws.subnets.iter().position(|subnet| subnet.name == nat.subnet).unwrap_or_default();
        End { kind: EndKind::Nat(subnet), lines: vec!["NAT gateway".to_owned(), format!("in {}", nat.subnet)] }
    }));
    ends
}

fn details(subnet: &Subnet) -> Vec<String> {
    let ipv6 = subnet.ipv6.as_ref().map(|range| match range {
        Ipv6Range::Cidr(range) => range.to_string(),
        Ipv6Range::Slot { prefix, .. } => format!("an IPv6 /{prefix}"),
    });
    [subnet.cidr.map(|range| range.to_string()), ipv6, subnet.id.clone()].into_iter().flatten().collect()
}

fn endpoints(endpoints: Endpoints) -> Vec<&'static str> {
    let all = [
        (endpoints.s3, "S3"),
        (endpoints.dynamodb, "DynamoDB"),
        (endpoints.ecr, "ECR"),
        (endpoints.sts, "STS"),
        (endpoints.ec2, "EC2"),
        (endpoints.elasticloadbalancing, "Elastic Load Balancing"),
        (endpoints.autoscaling, "Auto Scaling"),
    ];
    all.into_iter().filter_map(|(there, name)| there.then_some(name)).collect()
}

fn encapsulation(plan: &ClusterPlan, encrypted: Option<bool>) -> Vec<String> {
    let terms = plan
        .mtu
        .terms
        .iter()
        .filter(|term| term.bytes > 0)
        .map(|term| format!("{}: {} {}", term.name, term.bytes, if term.bytes == 1 { "byte" } else { "bytes" }));
    let mut lines: Vec<String> = terms.collect();
    if lines.is_empty() {
        lines.push("no encapsulation".to_owned());
    }
    if encrypted == Some(true) {
        lines.push("traffic between nodes is encrypted".to_owned());
    }
    let underlay = plan.mtu.underlay;
    lines.push(match plan.mtu.pod {
        Some(pod) => format!("MTU of pods: {pod} of {underlay}"),
        None => format!("MTU of pods: found out by the provider, from {underlay}"),
    });
    lines
}

/// From the pod outwards.
fn dns(cluster: &Cluster, network: &NetworkPlan, plan: &ClusterPlan) -> Vec<[String; 2]> {
    let spec = &cluster.spec;
    let mut path = vec![["pod".to_owned(), format!("asks {}", plan.kubelet_dns)]];
    if spec.dns.node_local_cache.is_some() {
        path.push(["cache on the node".to_owned(), "NodeLocal DNSCache".to_owned()]);
    }
    path.push(["cluster DNS".to_owned(), format!("{}, {}", plan.dns_ip, spec.dns.domain)]);
    let beyond = if network.aws.is_some() { "Amazon's, of the VPC" } else { "the nodes' resolvers" };
    path.push(["other names".to_owned(), beyond.to_owned()]);
    path
}

/// What each group admits: the rules are those of the templates, or of hosts' firewalls on premises.
fn groups(network: &NetworkPlan, plan: &ClusterPlan) -> Vec<GroupView> {
    let titles = match network.aws.is_some() {
        true => ["Security group: control plane", "Security group: other machines"],
        false => ["Host firewall: control plane", "Host firewall: other machines"],
    };
    let group = |(title, to): (&str, Endpoint)| {
        let flows = plan.flows.iter().filter(|flow| flow.to.parts().contains(&to));
        let rules = flows.map(|flow| RuleView {
            protocol: flow.protocol.to_string(),
            from: flow.from.to_string(),
            name: flow.name.clone(),
        });
        GroupView { title: title.to_owned(), rules: rules.collect() }
    };
    titles.into_iter().zip([Endpoint::ControlPlane, Endpoint::Workers]).map(group).collect()
}
