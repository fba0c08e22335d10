//! The number of rules that AWS takes in a security group.

use artifacts::cloudformation::cluster::{CONTROL_PLANE_GROUP, NODES_GROUP};
use findings::{Diagnostic, rules};
use tree::Span;

use super::ingress::{Rule, Source};

/// Inbound rules of one group, for each address family, unless AWS Support raised the quota (Amazon VPC quotas). A rule for a
/// group counts in both families, one for a prefix list as often as the list may have entries.
const RULES: usize = 60;

/// Reports groups with more rules than an account takes by default. The entries of prefix lists are not known here.
pub(super) fn check(all: &[Rule], findings: &mut Vec<Diagnostic>) {
    for group in [CONTROL_PLANE_GROUP, NODES_GROUP] {
        for v6 in [false, true] {
            let counts = |source: &Source| !matches!(source, Source::Range(range) if range.is_v6() != v6);
            let count = all.iter().filter(|rule| rule.group == group && counts(&rule.source)).count();
            if count > RULES {
                let family = if v6 { "IPv6" } else { "IPv4" };
                let message = format!("`{group}` has {count} rules for {family}; AWS takes {RULES} unless the quota is raised");
                findings.push(Diagnostic::new(&rules::SECURITY_GROUP_RULES, Span::NONE, message));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::ingress::ingress;
    use testing::Project;

    fn report(v4: usize, v6: usize, groups: usize) -> String {
        let rule = |source: String| format!("      - {{IpProtocol: tcp, FromPort: 22, ToPort: 22, {source}}}\n");
        let mut text = "Resources:\n  NodesSecurityGroup:\n    Type: AWS::EC2::SecurityGroup\n    Properties:\n      \
                        SecurityGroupIngress:\n"
            .to_owned();
        text.extend((0..v4).map(|at| rule(format!("CidrIp: 10.0.{at}.0/24"))));
        text.extend((0..v6).map(|at| rule(format!("CidrIpv6: \"2001:db8:{at}::/48\""))));
        text.extend((0..groups).map(|_| rule("SourceSecurityGroupId: {Ref: NodesSecurityGroup}".to_owned())));
        let mut project = Project::default();
        let template = project.node("template.yaml", &text);
        let mut findings = Vec::new();
        check(&ingress(&template), &mut findings);
        project.report(&findings)
    }

    #[test]
    fn a_group_has_60_rules_in_each_family_and_groups_count_in_both() {
        assert_eq!(report(60, 60, 0), "");
        assert_eq!(report(50, 60, 10).lines().count(), 1);
        let message = "(computed): `NodesSecurityGroup` has 61 rules for IPv4; AWS takes 60 unless the quota is raised";
        assert_eq!(report(61, 0, 0), format!("warning[security-group-rules] {message}\n"));
    }
}
