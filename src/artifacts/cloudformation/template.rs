//! Building blocks of templates: intrinsic functions, resources, outputs.

use tree::{Map, Node};

/// The sections that hold entries by logical id, in their order.
pub const SECTIONS: [&str; 3] = ["Parameters", "Resources", "Outputs"];

/// `Ref`: the id of a resource, or the value of a parameter or pseudo parameter such as `AWS::Region`.
#[must_use]
pub fn reference(id: &str) -> Node {
    Node::map([("Ref", id.into())])
}

/// `Fn::GetAtt`: an attribute of a resource.
#[must_use]
pub fn get_att(id: &str, attribute: &str) -> Node {
    Node::map([("Fn::GetAtt", vec![id.into(), attribute.into()].into())])
}

/// `Fn::Sub`: text in which CloudFormation replaces `${NAME}`. Text from a declaration must not come here: its `${` would be
/// replaced, too.
#[must_use]
pub fn sub(text: impl Into<String>) -> Node {
    Node::map([("Fn::Sub", text.into().into())])
}

/// `Fn::ImportValue`: what the stack of `network` exports as `what`, such as `VpcId` or `Subnet-us-west-2a`.
#[must_use]
pub fn import_value(network: &str, what: &str) -> Node {
    Node::map([("Fn::ImportValue", export_name(network, what).into())])
}

/// The name of a network's export. Names of networks have no upper-case letters and `what` begins with one, so no two
/// networks share a name. CloudFormation takes letters, digits, `:` and `-` here.
#[must_use]
pub fn export_name(network: &str, what: &str) -> String {
    format!("{network}-{what}")
}

/// `Tags`: the name that the console shows, then further ones.
#[must_use]
pub fn tags(name: &str, more: &[(String, String)]) -> Node {
    let tag = |key: &str, value: &str| Node::map([("Key", key.into()), ("Value", value.into())]);
    let more = more.iter().map(|(key, value)| tag(key, value));
    std::iter::once(tag("Name", name)).chain(more).collect::<Vec<_>>().into()
}

/// Properties of a resource.
pub fn properties<'a>(entries: impl IntoIterator<Item = (&'a str, Node)>) -> Map {
    entries.into_iter().collect()
}

/// A resource of a type such as `AWS::EC2::VPC`. `depends_on` names what must be there first although no property refers
/// to it.
#[must_use]
pub fn resource(kind: &str, properties: Map, depends_on: &[String]) -> Node {
    let mut resource = Map::new();
    resource.push("Type", kind);
    if !depends_on.is_empty() {
        resource.push("DependsOn", depends_on.iter().map(|id| id.as_str().into()).collect::<Vec<Node>>());
    }
    if !properties.is_empty() {
        resource.push("Properties", properties);
    }
    resource.into()
}

/// An output of a stack.
#[derive(Clone, Debug)]
pub struct Output {
    /// What it is, for people.
    pub description: String,
    /// The value.
    pub value: Node,
    /// The name under which other stacks import it.
    pub export: Option<String>,
}

/// A template under construction. Resources and outputs keep the order in which they are added.
#[derive(Clone, Debug)]
pub struct Template {
    description: String,
    parameters: Map,
    resources: Map,
    outputs: Map,
}

impl Template {
    /// An empty template with a description.
    #[must_use]
    pub fn new(description: impl Into<String>) -> Self {
        Self { description: description.into(), parameters: Map::new(), resources: Map::new(), outputs: Map::new() }
    }

    /// Adds a parameter: `Type`, `Description` and so on.
    pub fn parameter(&mut self, name: &str, parameter: Node) {
        self.parameters.insert(name, parameter);
    }

    /// Adds a resource and hands its logical id back.
    pub fn resource(&mut self, id: String, resource: Node) -> String {
        self.resources.insert(id.clone(), resource);
        id
    }

    /// Adds an output.
    pub fn output(&mut self, id: &str, output: Output) {
        let mut entry = Map::new();
        entry.push("Description", output.description);
        entry.push("Value", output.value);
        if let Some(name) = output.export {
            entry.push("Export", Node::map([("Name", name.into())]));
        }
        self.outputs.insert(id, entry.into());
    }

    /// The template. One without resources gets a handle that costs and does nothing, because CloudFormation wants one at
    /// least and the exports have to come from somewhere.
    #[must_use]
    pub fn finish(mut self) -> Node {
        if self.resources.is_empty() {
            self.resources.push("Nothing", resource("AWS::CloudFormation::WaitConditionHandle", Map::new(), &[]));
        }
        let mut template = Map::new();
        template.push("AWSTemplateFormatVersion", "2010-09-09");
        template.push("Description", self.description);
        for (section, entries) in SECTIONS.into_iter().zip([self.parameters, self.resources, self.outputs]) {
            if !entries.is_empty() {
                template.push(section, entries);
            }
        }
        template.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yaml::to_yaml;

    #[test]
    fn a_template_has_its_sections_in_order() {
        let mut template = Template::new("A test");
        let vpc = template
            .resource("Vpc".to_owned(), resource("AWS::EC2::VPC", properties([("CidrBlock", "10.0.0.0/16".into())]), &[]));
        let gateway = properties([("Tags", tags("a", &[("env".into(), "prod".into())]))]);
        template.resource("Gateway".to_owned(), resource("AWS::EC2::InternetGateway", gateway, std::slice::from_ref(&vpc)));
        let export = Some(export_name("a", "VpcId"));
        template.output("VpcId", Output { description: "The VPC".into(), value: reference(&vpc), export });
        let expected = r#"AWSTemplateFormatVersion: "2010-09-09"
Description: A test
Resources:
  Vpc:
    Type: AWS::EC2::VPC
    Properties:
      CidrBlock: "10.0.0.0/16"
  Gateway:
    Type: AWS::EC2::InternetGateway
    DependsOn:
    - Vpc
    Properties:
      Tags:
      - Key: Name
        Value: a
      - Key: env
        Value: prod
Outputs:
  VpcId:
    Description: The VPC
    Value:
      Ref: Vpc
    Export:
      Name: a-VpcId
"#;
        assert_eq!(to_yaml(&template.finish()), expected);
    }

    #[test]
    fn a_stack_that_owns_nothing_still_exports() {
        let text = to_yaml(&Template::new("Empty").finish());
        assert!(text.contains("Type: AWS::CloudFormation::WaitConditionHandle"), "{text}");
    }
}
