//! What CloudFormation takes.
//!
//! Figures: "Understand CloudFormation quotas" in the CloudFormation user guide.

use findings::{Diagnostic, rules};
use tree::{Node, Span};

/// Bytes of a template that is sent inline with the request.
const INLINE_BYTES: usize = 51_200;
/// Bytes of a template that comes from S3. The guide says 1 MB; this is the smaller reading of it, which cfn-lint has, too.
const BYTES: usize = 1_000_000;
/// Entries of each section.
const SECTIONS: [(&str, &str, usize); 3] =
    [("Resources", "resources", 500), ("Parameters", "parameters", 200), ("Outputs", "outputs", 200)];

/// Reports what of a template CloudFormation would refuse for its size. `text` is the template as written, `unit` the
/// folder it goes to.
pub fn limits(template: &Node, text: &str, unit: &str, findings: &mut Vec<Diagnostic>) {
    for (section, what, limit) in SECTIONS {
        let count = template.get(section).and_then(Node::as_map).map_or(0, tree::Map::len);
        if count > limit {
            let message = format!("the template of `{unit}` has {count} {what}; CloudFormation takes {limit}");
            findings.push(Diagnostic::new(&rules::TEMPLATE_LIMIT, Span::NONE, message));
        }
    }
    if text.len() > BYTES {
        let message = format!("the template of `{unit}` has {} bytes; CloudFormation takes {BYTES}", text.len());
        findings.push(Diagnostic::new(&rules::TEMPLATE_LIMIT, Span::NONE, message));
    } else if text.len() > INLINE_BYTES {
        let message = format!("the template of `{unit}` has {} bytes; inline ones end at {INLINE_BYTES}", text.len());
        findings.push(Diagnostic::new(&rules::TEMPLATE_INLINE, Span::NONE, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudformation::{Template, logical_id, resource};
    use tree::Map;

    fn codes(resources: usize, bytes: usize) -> Vec<String> {
        let mut template = Template::new("Test");
        for at in 0..resources {
            template.resource(logical_id(&["vpc", &at.to_string()]), resource("AWS::EC2::VPC", Map::new(), &[]));
        }
        let mut findings = Vec::new();
        limits(&template.finish(), &"x".repeat(bytes), "networks/a", &mut findings);
        findings.iter().map(|finding| finding.code.to_string()).collect()
    }

    #[test]
    fn limits_are_inclusive() {
        assert_eq!(codes(500, 51_200), Vec::<String>::new());
        assert_eq!(codes(501, 51_201), ["template-limit", "template-inline"]);
        assert_eq!(codes(1, 1_000_001), ["template-limit"]);
    }
}
