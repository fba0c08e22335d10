//! CloudFormation templates, resource by resource, and what an update does to each.

use super::replacing::{Replacing, replacing};
use super::{Change, Class, Effect, Field, State, node};
use tree::{Map, Node};

/// Who says which properties replace a resource.
const SOURCE: &str = "the schemas of the CloudFormation registry";

/// The differences of two templates; a side that is not there is an empty one.
pub(super) fn changes(path: &str, before: Option<&Node>, after: Option<&Node>) -> Vec<Change> {
    let empty = Map::new();
    let part = |node: Option<&'_ Node>, key: &str| node.and_then(|node| node.get(key)?.as_map()).cloned().unwrap_or_default();
    let mut found = resources(&part(before, "Resources"), &part(after, "Resources"));
    for (key, noun) in [("Outputs", "Output"), ("Parameters", "Parameter")] {
        found.extend(entries(noun, &part(before, key), &part(after, key)));
    }
    let rest = |node: Option<&Node>| {
        let mut map = node.and_then(Node::as_map).unwrap_or(&empty).clone();
        map.retain(|key, _| !matches!(&*key.text, "Resources" | "Outputs" | "Parameters"));
        Node::from(map)
    };
    let fields = node::compare(&rest(before), &rest(after), None);
    if !fields.is_empty() {
        found.push(Change::new(path.to_owned(), State::Changed, fields));
    }
    found
}

fn kind(node: &Node) -> &str {
    node.str_at("Type").unwrap_or("resource without a type")
}

fn resources(before: &Map, after: &Map) -> Vec<Change> {
    let mut found = Vec::new();
    let mut come: Vec<_> = after.iter().filter(|(key, _)| !before.contains(&key.text)).collect();
    for (key, old) in before.iter() {
        let id = &*key.text;
        if let Some(new) = after.get(id) {
            found.extend(changed(id, old, new));
            continue;
        }
        let same = |new: &Node| kind(new) == kind(old) && new.get("Properties") == old.get("Properties");
        let renamed = come.iter().position(|(_, new)| same(new)).map(|at| come.remove(at).0.text.clone());
        found.push(match renamed {
            Some(new) => moved(id, &new, old),
            None => removed(id, old),
        });
    }
    for (key, new) in come {
        let title = format!("{} {}", kind(new), key.text);
        let mut one = Change::new(title.clone(), State::Added, Vec::new());
        one.effects.push(effect(Class::InPlace, kind(new), "added", format!("{title} is new"), ADDED));
        found.push(one);
    }
    found
}

const ADDED: &str = "CloudFormation makes a new resource beside the others";

/// An effect on resources of a type; what happens to several of them is one.
fn effect(class: Class, of: &str, verb: &str, what: String, because: impl Into<String>) -> Effect {
    let of = of.rsplit("::").next().unwrap_or(of);
    Effect::new(class, format!("cloudformation.{of}.{verb}"), what, because)
}

fn changed(id: &str, old: &Node, new: &Node) -> Option<Change> {
    let fields = node::compare(old, new, None);
    if fields.is_empty() {
        return None;
    }
    let title = format!("{} {id}", kind(new));
    let mut one = Change::new(title.clone(), State::Changed, fields);
    one.effects.push(updated(id, &title, old, new, &one.fields));
    Some(one)
}

/// What an update of a resource does.
fn updated(id: &str, title: &str, old: &Node, new: &Node, fields: &[Field]) -> Effect {
    if kind(old) != kind(new) {
        let what = format!("{} {id} becomes {}", kind(old), kind(new));
        return effect(Class::ResourceReplacement, kind(new), "replaced", what, "A resource of another type is another resource");
    }
    let names = |wanted: &dyn Fn(&Field) -> bool| -> String {
        let mut names: Vec<&str> = fields.iter().filter(|field| wanted(field)).filter_map(property).collect();
        names.dedup();
        names.join(", ")
    };
    let Some(known) = replacing(kind(new)) else {
        let because = "netloom does not know how AWS updates this type";
        return effect(Class::Unknown, kind(new), "updated", format!("{title}: {}", names(&|_| true)), because);
    };
    let (always, perhaps) = (names(&|field| known.always(field)), names(&|field| known.perhaps(field)));
    if always.is_empty() && perhaps.is_empty() {
        let what = format!("{title}: {}", names(&|_| true));
        return effect(Class::InPlace, kind(new), "updated", what, "AWS updates these properties of the resource as it is")
            .source(SOURCE);
    }
    let what = format!("{title}: {}", if always.is_empty() { perhaps } else { always.clone() });
    replaced(&known, kind(new), what, always.is_empty()).source(SOURCE)
}

/// What it means that a resource is replaced, or may be.
fn replaced(known: &Replacing, kind: &str, what: String, perhaps: bool) -> Effect {
    let steps: &[&str] = &[
        "Look at the change set before it is executed: it lists every resource that is replaced with it.",
        "See that nothing outside the stacks holds on to the old resource: CloudFormation cannot delete it then.",
    ];
    let (class, because) = if known.deletes_first {
        (Class::Downtime, "AWS deletes the old one before it makes the new one; what it connects is cut off in between")
    } else if perhaps {
        (Class::ResourceReplacement, "Depending on the values AWS replaces the resource when these properties change")
    } else {
        let because =
            "AWS makes a new resource and deletes the old one when these properties change; whatever refers to it follows";
        (Class::ResourceReplacement, because)
    };
    effect(class, kind, "replaced", what, because).steps(steps)
}

/// The property that a field is in.
fn property(field: &Field) -> Option<&str> {
    match (field.path.0.first()?, field.path.0.get(1)) {
        (node::Step::Key(first), Some(node::Step::Key(second))) if first == "Properties" => Some(second),
        (node::Step::Key(first), _) => Some(first),
        _ => None,
    }
}

/// Types of resources that traffic or names take their way through.
const WAYS: [&str; 12] = [
    "AWS::EC2::DHCPOptions",
    "AWS::EC2::EIP",
    "AWS::EC2::EgressOnlyInternetGateway",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::NatGateway",
    "AWS::EC2::Route",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPCCidrBlock",
    "AWS::EC2::VPCDHCPOptionsAssociation",
    "AWS::EC2::VPCEndpoint",
    "AWS::EC2::VPCGatewayAttachment",
];

fn removed(id: &str, old: &Node) -> Change {
    let title = format!("{} {id}", kind(old));
    let (class, because) = match kind(old) {
        "AWS::EC2::SecurityGroupIngress" | "AWS::EC2::SecurityGroupEgress" => {
            (Class::InPlace, "What only this rule admitted is refused from then on")
        }
        "AWS::CloudFormation::WaitConditionHandle" => (Class::InPlace, "It stands for nothing that runs"),
        "AWS::EC2::VPC" | "AWS::EC2::Subnet" | "AWS::EC2::SecurityGroup" => {
            (Class::Downtime, "AWS deletes it only once nothing is left in it: machines and load balancers have to go first")
        }
        "AWS::IAM::Role" | "AWS::IAM::InstanceProfile" | "AWS::IAM::ManagedPolicy" | "AWS::IAM::Policy" => {
            (Class::Downtime, "Machines that have it lose their permissions at once")
        }
        kind if WAYS.contains(&kind) => {
            (Class::Downtime, "Traffic that takes this way stops, unless another way has been put in its place before")
        }
        _ => (Class::Unknown, "netloom does not know what depends on this type"),
    };
    let mut one = Change::new(title.clone(), State::Removed, Vec::new());
    one.effects.push(effect(class, kind(old), "deleted", format!("{title} is deleted"), because));
    one
}

fn moved(old: &str, new: &str, node: &Node) -> Change {
    let kind = kind(node);
    let mut one = Change::new(format!("{kind} {new}"), State::Renamed(format!("{kind} {old}")), Vec::new());
    let because = "To CloudFormation another logical id is another resource: it makes the new one before it deletes the old one, and fails where both cannot be there at once";
    one.effects.push(effect(Class::ResourceReplacement, kind, "renamed", format!("{kind} {old} is now called {new}"), because));
    one
}

/// Outputs and parameters.
fn entries(noun: &str, before: &Map, after: &Map) -> Vec<Change> {
    let title = |key: &str| format!("{noun} {key}");
    let mut found = Vec::new();
    for (key, old) in before.iter() {
        match after.get(&key.text) {
            None => {
                let mut one = Change::new(title(&key.text), State::Removed, Vec::new());
                if let Some(export) = old.get("Export") {
                    one.effects.push(export_deleted(&title(&key.text), export));
                }
                found.push(one);
            }
            Some(new) => {
                let fields = node::compare(old, new, None);
                if !fields.is_empty() {
                    let mut one = Change::new(title(&key.text), State::Changed, fields);
                    if one.fields.iter().any(|field| field.path.begins(&["Export"])) {
                        let because =
                            "Another export name is another export, and CloudFormation does not delete one that a stack imports";
                        let what = format!("{} has another export name", title(&key.text));
                        one.effects.push(effect(Class::Unsupported, "Export", "renamed", what, because));
                    }
                    found.push(one);
                }
            }
        }
    }
    let new = after.iter().filter(|(key, _)| !before.contains(&key.text));
    found.extend(new.map(|(key, _)| Change::new(title(&key.text), State::Added, Vec::new())));
    found
}

/// What it means that an export goes. The clusters' stacks import the VPC; who imports the others is known to AWS alone.
fn export_deleted(title: &str, export: &Node) -> Effect {
    let vpc = export.str_at("Name").is_some_and(|name| name.ends_with("-VpcId"));
    let because = "CloudFormation refuses to delete an export as long as another stack imports it";
    let steps: &[&str] = &["Look with `aws cloudformation list-imports`, and let the importing stacks go first."];
    let class = if vpc { Class::Unsupported } else { Class::Unknown };
    effect(class, "Export", "deleted", format!("{title} is deleted"), because).steps(steps)
}
