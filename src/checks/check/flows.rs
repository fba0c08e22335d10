//! Flows and the final security groups: what the cluster needs is admitted, and what is admitted is needed.

use std::fmt;

use artifacts::cloudformation::cluster::{group, rule_id};
use artifacts::cloudformation::{Change, Draft};
use findings::{Diagnostic, rules};
use model::declare::Endpoint;
use model::plan::{ClusterPlan, Flow, Peer, Protocol};
use schema::address::Cidr;

use super::ingress::{Rule, Source};

/// Reports every flow of the plan that the final template's security groups do not admit, and every opening that goes beyond
/// what a flow needs.
pub(super) fn check(plan: &ClusterPlan, draft: &Draft, rules: &[Rule], findings: &mut Vec<Diagnostic>) {
    let mut needs = Vec::new();
    for flow in &plan.flows {
        let own: Vec<Need> = flow.pairs().map(|(from, to)| Need::new(from, to, flow.protocol)).collect();
        let missing: Vec<&Need> = own.iter().filter(|need| !need.is_met(rules, &plan.ranges)).collect();
        if !missing.is_empty() {
            let change = missing.iter().find_map(|need| draft.changes.last("Resources", &need.rule()));
            findings.push(blocked(flow, &missing, change));
        }
        needs.extend(own);
    }
    let ours = |rule: &&Rule| needs.iter().any(|need| need.group == rule.group);
    let unneeded = rules.iter().filter(ours).filter(|rule| !needs.iter().any(|need| need.covers(rule)));
    findings.extend(unneeded.map(opening));
}

/// Traffic from one source to one group.
struct Need {
    /// From whom, to whom, by what.
    flow: (Peer, Endpoint, Protocol),
    source: Source,
    group: &'static str,
    /// IANA number.
    protocol: u8,
    ports: Option<(i64, i64)>,
}

impl Need {
    fn new(from: Peer, to: Endpoint, by: Protocol) -> Self {
        let source = match &from {
            Peer::Machines(machines) => Source::Group(group(*machines).to_owned()),
            Peer::Range(range) => Source::Range(*range),
            Peer::PrefixList(id) => Source::PrefixList(id.clone()),
        };
        let v6 = matches!(&from, Peer::Range(range) if range.is_v6());
        let (protocol, ports) = match by {
            Protocol::Tcp(first, last) => (6, Some((first.into(), last.into()))),
            Protocol::Udp(first, last) => (17, Some((first.into(), last.into()))),
            Protocol::Icmp => (if v6 { 58 } else { 1 }, None),
            Protocol::Ip(number) => (number, None),
        };
        Self { flow: (from, to, by), source, group: group(to), protocol, ports }
    }

    /// Logical id of the rule that netloom makes for it.
    fn rule(&self) -> String {
        let (from, to, protocol) = &self.flow;
        rule_id(*to, from, *protocol)
    }

    /// Whether rules admit it: those for its source, or for machines those for all addresses that machines have.
    fn is_met(&self, rules: &[Rule], ranges: &[Cidr]) -> bool {
        let by_address = || {
            let all = |range: &Cidr| self.is_met_from(&Source::Range(*range), rules);
            matches!(self.source, Source::Group(_)) && !ranges.is_empty() && ranges.iter().all(all)
        };
        self.is_met_from(&self.source, rules) || by_address()
    }

    fn is_met_from(&self, source: &Source, rules: &[Rule]) -> bool {
        let admits = |rule: &&Rule| {
            rule.group == self.group
                && rule.protocol.is_none_or(|number| number == self.protocol)
                && contains(&rule.source, source)
        };
        let admitted: Vec<Option<(i64, i64)>> = rules.iter().filter(admits).map(|rule| rule.ports).collect();
        if admitted.contains(&None) {
            return true;
        }
        self.ports.is_some_and(|ports| are_covered(ports, admitted.into_iter().flatten().collect()))
    }

    /// Whether the rule opens nothing beyond this.
    fn covers(&self, rule: &Rule) -> bool {
        let ports = match (self.ports, rule.ports) {
            (None, _) => true,
            (Some((first, last)), Some((from, to))) => first <= from && to <= last,
            (Some(_), None) => false,
        };
        rule.group == self.group && rule.protocol == Some(self.protocol) && contains(&self.source, &rule.source) && ports
    }
}

/// Whether everyone in `inner` is in `outer`. What is in a prefix list is not known here.
fn contains(outer: &Source, inner: &Source) -> bool {
    match (outer, inner) {
        (Source::Range(outer), Source::Range(inner)) => outer.contains(*inner),
        (Source::Unknown, _) => false,
        (outer, inner) => outer == inner,
    }
}

/// Whether `admitted` ranges together hold every port from `first` to `last`.
fn are_covered((first, last): (i64, i64), mut admitted: Vec<(i64, i64)>) -> bool {
    admitted.sort_unstable();
    let mut next = first;
    for (from, to) in admitted {
        if from <= next && to >= next {
            next = to + 1;
        }
    }
    next > last
}

/// A flow that is blocked: by an overlay's change of its rule, where there is one.
fn blocked(flow: &Flow, missing: &[&Need], change: Option<&Change>) -> Diagnostic {
    let span = change.map_or(flow.span, |change| change.place);
    let what = format!("the flow `{}` ({} from {} to {})", flow.name, flow.protocol, flow.from, flow.to);
    let message = format!("{what} is not admitted by the final security groups");
    let finding = match &flow.blocked {
        None => Diagnostic::new(&rules::FLOW_BLOCKED, span, message),
        Some(blocked) => {
            let message = format!("{message}: {}", blocked.consequence);
            Diagnostic::declared(&blocked.code, blocked.severity, span, message)
        }
    };
    let finding = if change.is_some() { finding.also(flow.span, "what needs the flow") } else { finding };
    let missing = missing.iter().map(|need| need.to_string()).collect::<Vec<_>>().join("; ");
    finding.help(format!("missing rules: {missing}. It is needed because: {}", flow.because))
}

fn opening(rule: &Rule) -> Diagnostic {
    let message = format!("the security group rule in `{}` admits more than any planned flow needs", rule.resource);
    Diagnostic::new(&rules::FLOW_OPENING, rule.span, message)
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` from ", self.group)?;
        match &self.source {
            Source::Group(id) | Source::PrefixList(id) => write!(f, "`{id}`"),
            Source::Range(range) => write!(f, "{range}"),
            Source::Unknown => write!(f, "somewhere"),
        }
    }
}

#[cfg(test)]
mod tests;
