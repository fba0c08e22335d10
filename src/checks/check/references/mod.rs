//! References in final templates, whoever wrote them: `Ref`, `Fn::GetAtt`, `Fn::Sub` and `DependsOn` name what is there.
//!
//! A finding stands at the reference where an overlay wrote it. Where netloom did, an overlay's patch has removed what it names,
//! and the finding stands there.

mod attributes;
mod circle;

use indexmap::IndexMap;

use artifacts::cloudformation::{Changes, Draft};
use findings::{Diagnostic, nearest, rules};
use tree::{Key, Map, Node, Span, Value};

/// What `Ref` and `Fn::Sub` know in every template ("Pseudo parameters reference" in the CloudFormation guide).
const PSEUDO_PARAMETERS: [&str; 8] = [
    "AWS::AccountId",
    "AWS::NoValue",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];
/// The functions that a template without conditions, mappings and transforms has ("Intrinsic function reference").
const FUNCTIONS: [&str; 11] = [
    "Fn::Base64",
    "Fn::Cidr",
    "Fn::GetAZs",
    "Fn::GetAtt",
    "Fn::GetStackOutput",
    "Fn::ImportValue",
    "Fn::Join",
    "Fn::Select",
    "Fn::Split",
    "Fn::Sub",
    "Fn::Transform",
];
/// Functions that need a section which templates of netloom's do not have.
const CONDITIONAL: [&str; 6] = ["Fn::And", "Fn::Equals", "Fn::If", "Fn::Not", "Fn::Or", "Fn::FindInMap"];

/// Reports references to what is not in the template, and resources that refer to each other in a circle.
pub(super) fn check(draft: &Draft, findings: &mut Vec<Diagnostic>) {
    let section = |name: &str| draft.template().get(name).and_then(Node::as_map).into_iter().flat_map(Map::iter);
    let resources: IndexMap<&str, &Node> = section("Resources").map(|(id, node)| (&*id.text, node)).collect();
    let parameters: Vec<&str> = section("Parameters").map(|(id, _)| &*id.text).collect();
    let mut walk = Walk { resources, parameters, changes: &draft.changes, at: String::new(), refers: Vec::new(), findings };
    for (id, resource) in section("Resources") {
        walk.at = id.text.to_string();
        for (key, node) in resource.as_map().into_iter().flat_map(Map::iter) {
            match &*key.text {
                "DependsOn" => walk.depends_on(node),
                _ => walk.node(node),
            }
        }
    }
    let refers = std::mem::take(&mut walk.refers);
    walk.at = String::new();
    for (_, output) in section("Outputs") {
        walk.node(output);
    }
    circle::check(&refers, findings);
}

/// That a resource refers to another one, and where.
struct Refers {
    from: String,
    to: String,
    place: Span,
}

struct Walk<'a> {
    resources: IndexMap<&'a str, &'a Node>,
    parameters: Vec<&'a str>,
    changes: &'a Changes,
    /// The resource that is looked at; empty for outputs.
    at: String,
    refers: Vec<Refers>,
    findings: &'a mut Vec<Diagnostic>,
}

impl Walk<'_> {
    fn node(&mut self, node: &Node) {
        match &node.value {
            Value::Map(map) => match map.iter().find(|(key, _)| is_name(&key.text)) {
                Some((key, argument)) => {
                    if map.len() > 1 {
                        let message = format!("`{}` stands alone in its mapping", key.text);
                        self.form(key, message, "a mapping holds one function, and nothing else");
                    }
                    self.function(key, argument);
                }
                None => map.iter().for_each(|(_, child)| self.node(child)),
            },
            Value::List(items) => items.iter().for_each(|item| self.node(item)),
            Value::String(text) if text.contains("${AWS::") => {
                let message = "CloudFormation replaces `${…}` inside of `Fn::Sub` only";
                let finding = Diagnostic::new(&rules::TEMPLATE_REFERENCE, node.span, message);
                self.findings.push(finding.help("write it as `Fn::Sub: …`"));
            }
            _ => {}
        }
    }

    fn function(&mut self, key: &Key, argument: &Node) {
        match &*key.text {
            "Ref" => match argument.as_str() {
                Some(name) => self.reference(name, argument.span),
                None => self.form(key, format!("`Ref` takes a name, not {}", argument.kind()), ""),
            },
            "Fn::GetAtt" => self.get_att(key, argument),
            "Fn::Sub" => self.substitution(key, argument),
            name if CONDITIONAL.contains(&name) => {
                let message = format!("`{name}` needs a section that templates of netloom's do not have");
                self.form(key, message, "say `when` in overlay.yaml, or use an expression: `\"{{ … }}\"`");
            }
            name if !FUNCTIONS.contains(&name) => {
                let transformed = ["Fn::Length", "Fn::ToJsonString"].contains(&name) || name.starts_with("Fn::ForEach");
                let near = nearest(name, FUNCTIONS).filter(|_| !transformed).map(|name| format!("did you mean `{name}`?"));
                let help = near.unwrap_or_else(|| "expressions can do it: `\"{{ … }}\"`, and `loop` in overlay.yaml".to_owned());
                self.form(key, format!("CloudFormation has no function `{name}` without a transform"), &help);
            }
            _ => self.node(argument),
        }
    }

    fn form(&mut self, key: &Key, message: String, help: &str) {
        let finding = Diagnostic::new(&rules::TEMPLATE_FORM, key.span, message);
        self.findings.push(if help.is_empty() { finding } else { finding.help(help) });
    }

    /// `Ref`, or a name in `Fn::Sub`.
    fn reference(&mut self, name: &str, place: Span) {
        if self.resources.contains_key(name) {
            self.refers(name, place);
        } else if !self.parameters.contains(&name) && !PSEUDO_PARAMETERS.contains(&name) {
            let known = self.resources.keys().copied().chain(self.parameters.iter().copied()).chain(PSEUDO_PARAMETERS);
            let near = nearest(name, known).map(str::to_owned);
            self.missing(name, place, "resource or parameter", near);
        }
    }

    fn resource(&mut self, name: &str, place: Span) -> bool {
        let known = self.resources.contains_key(name);
        match known {
            true => self.refers(name, place),
            false => {
                let near = nearest(name, self.resources.keys().copied()).map(str::to_owned);
                self.missing(name, place, "resource", near);
            }
        }
        known
    }

    fn refers(&mut self, to: &str, place: Span) {
        if !self.at.is_empty() {
            self.refers.push(Refers { from: self.at.clone(), to: to.to_owned(), place });
        }
    }

    fn missing(&mut self, name: &str, place: Span, what: &str, near: Option<String>) {
        let removal = self.changes.removal(name);
        let by = if self.at.is_empty() { "an output".to_owned() } else { format!("`{}`", self.at) };
        let finding = match removal {
            // Where netloom refers to it itself, the patch is all that there is to point at.
            Some(removal) if !place.is_known() => {
                let message = format!("the patch removes `{name}`, to which {by} refers");
                let finding = Diagnostic::new(&rules::TEMPLATE_REFERENCE, removal, message);
                finding.help("remove what refers to it as well, or leave it")
            }
            _ => {
                let message = format!("{by} refers to `{name}`, which is no {what} of the template");
                let finding = Diagnostic::new(&rules::TEMPLATE_REFERENCE, place, message);
                match removal {
                    Some(removal) => finding.also(removal, "this patch removes it"),
                    None => near.into_iter().fold(finding, |finding, name| finding.help(format!("did you mean `{name}`?"))),
                }
            }
        };
        self.findings.push(finding);
    }

    fn depends_on(&mut self, node: &Node) {
        let single = std::slice::from_ref(node);
        for item in node.as_list().unwrap_or(single) {
            match item.as_str() {
                Some(name) => drop(self.resource(name, item.span)),
                None => {
                    let message = format!("`DependsOn` takes logical ids of resources, not {}", item.kind());
                    self.findings.push(Diagnostic::new(&rules::TEMPLATE_FORM, item.span, message));
                }
            }
        }
    }

    fn get_att(&mut self, key: &Key, argument: &Node) {
        let parts = match (&argument.value, argument.as_list()) {
            (Value::String(text), _) => text.split_once('.').map(|(id, name)| (id, Some(name), argument.span)),
            (_, Some([id, name])) => {
                // The attribute may be a function of its own.
                self.node(name);
                id.as_str().map(|text| (text, name.as_str(), if name.span.is_known() { name.span } else { id.span }))
            }
            _ => None,
        };
        let Some((id, name, place)) = parts else {
            let help = "write `Fn::GetAtt: [Vpc, CidrBlock]`";
            return self.form(key, "`Fn::GetAtt` takes a logical id and the name of an attribute".to_owned(), help);
        };
        let of = argument.as_list().and_then(|items| items.first()).map_or(argument.span, |id| id.span);
        if self.resource(id, of)
            && let Some(name) = name
        {
            self.attribute(id, name, place);
        }
    }

    fn attribute(&mut self, id: &str, name: &str, place: Span) {
        let kind = self.resources.get(id).and_then(|resource| resource.str_at("Type")).unwrap_or_default();
        let Some(known) = attributes::of(kind) else { return };
        if known.contains(&name.split('.').next().unwrap_or_default()) {
            return;
        }
        let message = format!("`{id}` has no attribute `{name}`: {kind} gives {}", list(known));
        let finding = Diagnostic::new(&rules::TEMPLATE_REFERENCE, place, message);
        self.findings.push(match nearest(name, known.iter().copied()) {
            Some(name) => finding.help(format!("did you mean `{name}`?")),
            None => finding.help(format!("its id is `Ref: {id}`")),
        });
    }

    fn substitution(&mut self, key: &Key, argument: &Node) {
        let (text, own) = match (&argument.value, argument.as_list()) {
            (Value::String(_), _) => (argument, None),
            (_, Some([text, own])) if text.as_str().is_some() && own.as_map().is_some() => (text, own.as_map()),
            _ => {
                let help = "write `Fn::Sub: \"…${Vpc}…\"`, or a list of the text and a mapping of names";
                return self.form(key, "`Fn::Sub` takes a text".to_owned(), help);
            }
        };
        own.into_iter().flat_map(Map::iter).for_each(|(_, value)| self.node(value));
        for name in names(text.as_str().unwrap_or_default()) {
            if own.is_some_and(|own| own.contains(name)) {
                continue;
            }
            match name.split_once('.') {
                Some((id, attribute)) => {
                    if self.resource(id, text.span) {
                        self.attribute(id, attribute, text.span);
                    }
                }
                None if name.starts_with("aws:") => {
                    let message = format!("`${{{name}}}` is for IAM, and CloudFormation would replace it");
                    let finding = Diagnostic::new(&rules::TEMPLATE_REFERENCE, text.span, message);
                    self.findings.push(finding.help(format!("write `${{!{name}}}`")));
                }
                None => self.reference(name, text.span),
            }
        }
    }
}

/// Whether a key names a function.
fn is_name(key: &str) -> bool {
    key == "Ref" || key.starts_with("Fn::")
}

/// The names that `Fn::Sub` replaces in a text; `${!…}` is left as it is.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let inside = text.split("${").skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name));
    inside.filter(|name| !name.starts_with('!')).map(str::trim)
}

/// `A`, `B` and `C`; no more than a line holds.
fn list(names: &[&str]) -> String {
    const SHOWN: usize = 6;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match names.len() {
        0 => "none".to_owned(),
        more if more > SHOWN => format!("{}, …", shown.join(", ")),
        _ => shown.join(", "),
    }
}
