//! CloudFormation: the plan as templates, and the deployment files of CloudFormation Git sync.
//!
//! A template is a [`Node`] like every other artifact, so overlays patch it and `explain` finds its way back. House style:
//!
//! - intrinsic functions in full (`Ref:`, `Fn::GetAtt:`), because netloom reads no YAML tags;
//! - no `Conditions`: what a network does not have is not in its template, so a diff says what changes;
//! - parameters only for what a declaration cannot know;
//! - logical ids are made of names, never of positions, and two names never share one ([`logical_id()`]);
//! - exports are named by the network, not by the stack: `NETWORK-VpcId` ([`export_name`]).

pub mod cluster;
mod draft;
mod limits;
mod logical_id;
pub mod network;
pub mod origin;
mod template;

use tree::{Map, Node};

pub use draft::{Change, Changes, Draft, is_function};
pub use limits::limits;
pub use logical_id::logical_id;
pub use template::{Output, SECTIONS, Template, export_name, get_att, import_value, properties, reference, resource, sub, tags};

/// The deployment file that CloudFormation Git sync reads: where the template is, and the stack's parameters and tags.
///
/// `template_path` is relative to the root of the repository. Git sync takes these three keys and no other one; tags' values
/// are strings there, whatever they look like (facts: cfn-lint's `git_sync.json`).
#[must_use]
pub fn deployment(template_path: &str, parameters: &[(String, Node)], tags: &[(String, String)]) -> Node {
    let mut file = Map::new();
    file.push("template-file-path", template_path);
    if !parameters.is_empty() {
        file.push("parameters", Node::map(parameters.iter().map(|(name, value)| (name.as_str(), value.clone()))));
    }
    if !tags.is_empty() {
        file.push("tags", Node::map(tags.iter().map(|(key, value)| (key.as_str(), value.as_str().into()))));
    }
    file.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use yaml::to_yaml;

    #[test]
    fn deployment_files_hold_three_keys_and_string_tags() {
        let tags = [("env".to_owned(), "prod".to_owned()), ("revision".to_owned(), "1".to_owned())];
        let file = deployment("rendered/networks/a/cloudformation/network.template.yaml", &[], &tags);
        let expected = "template-file-path: rendered/networks/a/cloudformation/network.template.yaml\n\
                        tags:\n  env: prod\n  revision: \"1\"\n";
        assert_eq!(to_yaml(&file), expected);
        let parameters = [("NodeCount".to_owned(), Node::from(3))];
        assert_eq!(to_yaml(&deployment("t.yaml", &parameters, &[])), "template-file-path: t.yaml\nparameters:\n  NodeCount: 3\n");
    }
}
