//! What makes a `Network` sound: its ranges, zones, subnets and ways out.
//!
//! The rules are kops's (facts: "Addressing and subnets") and AWS's own; each finding points at the field that has to change
//! and at every other place that takes part.

mod exits;
mod ranges;
mod routes;
mod subnets;

use findings::{Diagnostic, Rule, rules};
use model::declare::{Aws, Declared, Network, Subnet};
use tree::{Node, Path, Span, limits};

/// Checks a network; everything that is wrong with it goes to `findings`.
pub fn validate(network: &Declared<Network>, findings: &mut Vec<Diagnostic>) {
    let spec = &network.value.spec;
    let mut check = Check { node: &network.node, findings };
    match (&spec.aws, &spec.on_premises) {
        (Some(aws), None) => check.aws(aws, spec.mtu),
        (None, Some(premises)) => check.distinct(premises.cidr, &premises.additional_cidrs, &Path::dotted("spec.static")),
        (Some(_), Some(_)) => {
            let span = check.key(&Path::dotted("spec.static"));
            let finding = Diagnostic::new(&rules::NETWORK_FORM, span, "a network is either `aws` or `static`, not both");
            check.push(finding.also(check.key(&Path::dotted("spec.aws")), "the other one"));
        }
        (None, None) => {
            let message = "a network needs `aws` (a VPC) or `static` (a network that exists already)";
            check.report(&rules::NETWORK_FORM, &Path::dotted("spec"), message);
        }
    }
}

/// The checks of one network.
struct Check<'a> {
    node: &'a Node,
    findings: &'a mut Vec<Diagnostic>,
}

impl Check<'_> {
    fn aws(&mut self, aws: &Aws, mtu: Option<u32>) {
        if self.too_long(aws) {
            return;
        }
        self.mtu(mtu);
        self.vpc_ranges(aws);
        self.zones(aws);
        if aws.subnets.is_empty() {
            self.slots(aws);
        } else {
            self.written_subnets(aws);
        }
        let subnets = aws.effective_subnets();
        self.ways_out(aws, &subnets);
        self.internet_gateway(aws, &subnets);
        self.endpoints(aws, &subnets);
        self.tags(aws);
    }

    /// Whether a list has more items than the checks, which compare each with each, shall be given.
    fn too_long(&mut self, aws: &Aws) -> bool {
        let routes = aws.subnets.iter().map(|subnet| subnet.additional_routes.len()).sum();
        let lists = [
            ("zones", "`zones` has", aws.zones.len()),
            ("additionalCIDRs", "`additionalCIDRs` has", aws.additional_cidrs.len()),
            ("subnets", "`subnets` has", aws.subnets.len()),
            ("subnets", "the `additionalRoutes` of all subnets have", routes),
        ];
        let before = self.findings.len();
        for (name, what, count) in lists.into_iter().filter(|(_, _, count)| *count > limits::LIST_ITEMS) {
            let span = self.key(&field(name));
            self.push(Diagnostic::new(
                &rules::LIMIT,
                span,
                format!("{what} {count} items; at most {} are read", limits::LIST_ITEMS),
            ));
        }
        self.findings.len() > before
    }

    /// The place of a field, or of its nearest ancestor that was written.
    fn at(&self, path: &Path) -> Span {
        self.node.nearest(path).span
    }

    /// The place of a field's key, or of its nearest ancestor that was written.
    fn key(&self, path: &Path) -> Span {
        self.node.key_at(path).map_or_else(|| self.at(path), |key| key.span)
    }

    /// Whether the field was written, and not only defaulted.
    fn is_written(&self, path: &Path) -> bool {
        self.node.at(path).is_some()
    }

    fn push(&mut self, finding: Diagnostic) {
        self.findings.push(finding);
    }

    fn report(&mut self, rule: &'static Rule, path: &Path, message: impl Into<String>) {
        let finding = Diagnostic::new(rule, self.at(path), message);
        self.push(finding);
    }

    fn unused(&mut self, path: &Path, message: impl Into<String>) {
        let finding = Diagnostic::new(&rules::FIELD_UNUSED, self.key(path), message);
        self.push(finding);
    }
}

/// The path of a field of the VPC.
fn field(name: &str) -> Path {
    Path::dotted("spec.aws").child(name)
}

/// The path of a field of the subnet at an index.
fn of_subnet(index: usize, name: &str) -> Path {
    field("subnets").item(index).child(name)
}

/// The written subnets with their indices; derived ones have no place of their own.
fn written(aws: &Aws) -> impl Iterator<Item = (usize, &Subnet)> {
    aws.subnets.iter().enumerate()
}

#[cfg(test)]
mod plan_tests;
#[cfg(test)]
mod tests;
