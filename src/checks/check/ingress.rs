//! Security groups of a final template, as EC2 will read them.

use schema::address::Cidr;
use tree::{Node, Span, Value};

/// A rule that admits traffic to the machines in a group.
#[derive(Debug)]
pub(super) struct Rule {
    /// The resource that it stands in.
    pub(super) resource: String,
    /// Logical id of the receiving group; empty when the template does not have it.
    pub(super) group: String,
    /// Who may send.
    pub(super) source: Source,
    /// IANA number of the protocol; none for every protocol.
    pub(super) protocol: Option<u8>,
    /// First and last port, or ICMP type; none when the protocol has no ports, or all are admitted.
    pub(super) ports: Option<(i64, i64)>,
    /// Where it is written.
    pub(super) span: Span,
}

/// Who may send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Machines in a group, by logical id.
    Group(String),
    /// Addresses.
    Range(Cidr),
    /// A prefix list, by id.
    PrefixList(String),
    /// Something that only the stack knows, such as a parameter.
    Unknown,
}

/// Every rule of the template: resources of their own, and lists inside groups.
pub(super) fn ingress(template: &Node) -> Vec<Rule> {
    let resources = template.get("Resources").and_then(Node::as_map);
    let mut rules = Vec::new();
    for (id, resource) in resources.iter().flat_map(|map| map.iter()) {
        let Some(properties) = resource.get("Properties") else { continue };
        match resource.str_at("Type") {
            Some("AWS::EC2::SecurityGroupIngress") => {
                let group = properties.get("GroupId").and_then(group_id).unwrap_or_default();
                rules.extend(rule(&id.text, group, properties));
            }
            Some("AWS::EC2::SecurityGroup") => {
                let list = properties.get("SecurityGroupIngress").and_then(Node::as_list).unwrap_or_default();
                rules.extend(list.iter().filter_map(|entry| rule(&id.text, id.text.to_string(), entry)));
            }
            _ => {}
        }
    }
    rules
}

/// A rule, when EC2 would take it: TCP and UDP rules without ports it would not.
fn rule(resource: &str, group: String, properties: &Node) -> Option<Rule> {
    let name = text(properties.get("IpProtocol")?)?;
    let protocol = match name.to_ascii_lowercase().as_str() {
        "-1" => None,
        "tcp" => Some(6),
        "udp" => Some(17),
        "icmp" => Some(1),
        "icmpv6" => Some(58),
        number => Some(number.parse().ok()?),
    };
    let port = |key| properties.get(key).and_then(text).and_then(|text| text.parse::<i64>().ok());
    let ports = match protocol {
        Some(6 | 17) => Some((port("FromPort")?, port("ToPort")?)),
        Some(1 | 58) => port("FromPort").zip(port("ToPort")),
        _ => None,
    };
    let ports = ports.filter(|(first, _)| *first != -1);
    Some(Rule { resource: resource.to_owned(), group, source: source(properties), protocol, ports, span: properties.span })
}

fn source(properties: &Node) -> Source {
    let range = |key| properties.str_at(key).and_then(|text| text.parse().ok());
    if let Some(range) = range("CidrIp").or_else(|| range("CidrIpv6")) {
        Source::Range(range)
    } else if let Some(id) = properties.str_at("SourcePrefixListId") {
        Source::PrefixList(id.to_owned())
    } else {
        properties.get("SourceSecurityGroupId").and_then(group_id).map_or(Source::Unknown, Source::Group)
    }
}

/// The logical id in a reference to a group: `Ref`, or `Fn::GetAtt` of `GroupId` in either form.
fn group_id(node: &Node) -> Option<String> {
    if let Some(id) = node.str_at("Ref") {
        return Some(id.to_owned());
    }
    let attribute = node.get("Fn::GetAtt")?;
    match attribute.as_list() {
        Some([id, name]) if name.as_str() == Some("GroupId") => id.as_str().map(str::to_owned),
        Some(_) => None,
        None => attribute.as_str()?.strip_suffix(".GroupId").map(str::to_owned),
    }
}

/// Text, or a number as text: YAML authors write `IpProtocol: 50` as they like.
fn text(node: &Node) -> Option<String> {
    match &node.value {
        Value::Int(number) => Some(number.to_string()),
        Value::String(text) => Some(text.to_string()),
        _ => None,
    }
}
