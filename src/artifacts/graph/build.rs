//! The model of what is planned.

use std::sync::Arc;

use super::{
    ClusterView, End, EndKind, Graph, GroupView, Line, Mark, Place, RangeView, RuleView, StepView, SubnetView, TableView,
    VpcView, Way, kind, words,
};
use crate::dns::{self, corefile::Forward};
use model::declare::{Cluster, Endpoint, Endpoints, Facts};
use model::plan::{AwsPlan, ClusterPlan, Gateway, NatTarget, NetworkPlan, RouteTarget, Subnet, Vpc};
use schema::Object;
use schema::address::{Cidr, Ipv6Range};

impl Graph {
    /// The picture of a network.
    #[must_use]
    pub fn new(network: &NetworkPlan) -> Self {
        let place = match &network.aws {
            Some(aws) => Place::Vpc(vpc(network, aws)),
            None => Place::Premises(premises(network)),
        };
        Self { network: vec![network.name.as_str().into()], place, ..Self::default() }
    }

    /// The picture with the ranges of pods and services, which premises show.
    #[must_use]
    pub fn with_ranges(mut self, pods: Cidr, services: Cidr) -> Self {
        let (pods, services) = (vec![pods.to_string().into()], vec![services.to_string().into()]);
        self.cluster = Some(ClusterView { pods, services, ..ClusterView::default() });
        self
    }

    /// The picture with a cluster in it, whose final objects tell of its DNS.
    #[must_use]
    pub fn with_cluster<'f>(
        mut self,
        cluster: &Cluster,
        network: &NetworkPlan,
        plan: &ClusterPlan,
        facts: impl IntoIterator<Item = &'f Facts>,
        objects: &[Arc<Object>],
    ) -> Self {
        let spec = &cluster.spec;
        let facts: Vec<&Facts> = facts.into_iter().collect();
        let encrypted = facts.iter().filter_map(|facts| facts.encrypted).next_back();
        self.cluster = Some(ClusterView {
            name: cluster.metadata.name.clone(),
            mark: Mark::Same,
            pods: vec![if plan.pods_in_network { "addresses of the network".into() } else { spec.pod_cidr.to_string().into() }],
            services: vec![spec.service_cidr.to_string().into()],
            provider: vec![spec.networking.keys().next().cloned().unwrap_or_default().into()],
            encapsulation: encapsulation(plan, encrypted),
            dns: dns(&dns::Way::new(plan, facts, objects), cluster, plan),
            groups: groups(network, plan),
        });
        self
    }
}

/// The ranges, the nodes' first.
fn premises(network: &NetworkPlan) -> Vec<RangeView> {
    let what = |at: usize| if at == 0 { "nodes" } else { "routed" };
    let ranges = network.cidrs.iter().enumerate();
    ranges.map(|(at, range)| RangeView { what: what(at), range: range.to_string().into() }).collect()
}

fn vpc(network: &NetworkPlan, aws: &AwsPlan) -> VpcView {
    let mut zones: Vec<Line> = Vec::new();
    let subnets = aws.subnets.iter().map(|subnet| {
        let zone = zones.iter().position(|zone| zone.text == subnet.zone).unwrap_or_else(|| {
            zones.push(subnet.zone.as_str().into());
            zones.len() - 1
        });
        SubnetView { name: subnet.name.clone(), zone, details: details(subnet), mark: Mark::Same }
    });
    let mut view = VpcView {
        id: match &aws.vpc {
            Vpc::Owned { .. } => Vec::new(),
            Vpc::Existing { id } => vec![id.as_str().into()],
        },
        region: aws.region.clone(),
        ranges: network.cidrs.iter().map(|range| range.to_string().into()).collect(),
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
                view.ways.push(Way { subnet, end: *end, destination, mark: Mark::Same });
            }
        }
        let words = |end: usize| view.ends.get(end).map(|end| words(&end.lines, " ")).unwrap_or_default();
        let routes = routes.iter().map(|(route, end)| format!("{} → {}", route.destination, words(*end)).into()).collect();
        let subnets = table.subnets.iter().map(|name| name.as_str().into()).collect();
        view.tables.push(TableView { name: table.name.clone(), subnets, routes, mark: Mark::Same });
    }
    view
}

impl VpcView {
    /// The place of a route's target among the ends; one outside of the picture is added when it comes first.
    fn end(&mut self, target: &RouteTarget, aws: &AwsPlan) -> usize {
        let named = |name: &str| end(EndKind::Outside, [name.to_owned()]);
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

fn end(kind: EndKind, lines: impl IntoIterator<Item = String>) -> End {
    End { kind, lines: lines.into_iter().map(Line::from).collect(), mark: Mark::Same }
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
        ends.push(end(EndKind::Internet, std::iter::once("internet gateway".to_owned()).chain(id)));
    }
    if aws.egress_only_gateway {
        ends.push(end(EndKind::EgressOnly, ["egress-only internet gateway".to_owned()]));
    }
    ends.extend(aws.nat_gateways.iter().map(|nat| {
        let subnet = aws.subnets.iter().position(|subnet| subnet.name == nat.subnet).unwrap_or_default();
        end(EndKind::Nat(subnet), ["NAT gateway".to_owned(), format!("in {}", nat.subnet)])
    }));
    ends
}

fn details(subnet: &Subnet) -> Vec<Line> {
    let ipv6 = subnet.ipv6.as_ref().map(|range| match range {
        Ipv6Range::Cidr(range) => range.to_string(),
        Ipv6Range::Slot { prefix, .. } => format!("an IPv6 /{prefix}"),
    });
    let known = [Some(kind(subnet.kind).to_owned()), subnet.cidr.map(|range| range.to_string()), ipv6, subnet.id.clone()];
    known.into_iter().flatten().map(Line::from).collect()
}

fn endpoints(endpoints: Endpoints) -> Vec<Line> {
    let all = [
        (endpoints.s3, "S3"),
        (endpoints.dynamodb, "DynamoDB"),
        (endpoints.ecr, "ECR"),
        (endpoints.sts, "STS"),
        (endpoints.ec2, "EC2"),
        (endpoints.elasticloadbalancing, "Elastic Load Balancing"),
        (endpoints.autoscaling, "Auto Scaling"),
    ];
    all.into_iter().filter(|(there, _)| *there).map(|(_, name)| name.into()).collect()
}

fn encapsulation(plan: &ClusterPlan, encrypted: Option<bool>) -> Vec<Line> {
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
    lines.into_iter().map(Line::from).collect()
}

/// From the pod outwards, as far as it is known.
fn dns(way: &dns::Way, cluster: &Cluster, plan: &ClusterPlan) -> Vec<StepView> {
    let step = |title, details: Vec<String>| StepView {
        title,
        details: details.into_iter().map(Line::from).collect(),
        mark: Mark::Same,
    };
    let mut path = vec![step("pod", vec![format!("asks {}", way.asks)])];
    if let Some(node) = &way.node {
        let at = (!node.addresses.is_empty()).then(|| format!("at {}", node.addresses.join(", ")));
        let title = if node.object.is_some() { "cache on the node" } else { "DNS on the node" };
        path.push(step(title, node.object.iter().cloned().chain(at).chain(node.forwards.iter().map(forward)).collect()));
    }
    if let Some(forwards) = &way.cluster {
        let place = format!("{}, {}", plan.dns_ip, cluster.spec.dns.domain);
        path.push(step("cluster DNS", std::iter::once(place).chain(forwards.iter().map(forward)).collect()));
    }
    path
}

/// Names, and whom they are asked of.
fn forward(forward: &Forward) -> String {
    let names = if forward.names == "." { "other names" } else { &forward.names };
    let except = if forward.except.is_empty() { String::new() } else { format!(" but {}", forward.except.join(", ")) };
    let means = if forward.tcp { " over TCP" } else { "" };
    format!("{names}{except} → {}{means}", forward.to.join(", "))
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
            mark: Mark::Same,
        });
        GroupView { title: title.to_owned(), rules: rules.collect(), mark: Mark::Same }
    };
    titles.into_iter().zip([Endpoint::ControlPlane, Endpoint::Workers]).map(group).collect()
}
