//! The form of final templates: what CloudFormation would refuse before it looks at any resource.

use artifacts::cloudformation::{Draft, SECTIONS};
use findings::{Diagnostic, nearest, rules};
use tree::{Key, Map, Node, Span};

/// Characters of a logical id (CloudFormation quotas).
const ID_CHARACTERS: usize = 255;
/// What a resource may say beside its type ("Resource attribute reference" in the CloudFormation guide).
const ATTRIBUTES: [&str; 8] =
    ["Type", "Properties", "DependsOn", "Metadata", "CreationPolicy", "DeletionPolicy", "UpdatePolicy", "UpdateReplacePolicy"];

/// Reports sections, ids and entries that CloudFormation would refuse.
pub(super) fn check(draft: &Draft, findings: &mut Vec<Diagnostic>) {
    let template = draft.template();
    let mut form = Form { findings };
    for (key, node) in template.as_map().into_iter().flat_map(Map::iter) {
        match &*key.text {
            "AWSTemplateFormatVersion" | "Description" => {}
            section if SECTIONS.contains(&section) => {
                for (id, entry) in node.as_map().into_iter().flat_map(Map::iter) {
                    form.id(id, entry);
                    form.entry(section, id, entry);
                }
            }
            other => {
                let message = format!("a template of netloom's has no `{other}`");
                form.report(
                    place(key, node),
                    message,
                    "what a stack does not have is not in its template: say `when` in overlay.yaml",
                );
            }
        }
    }
    let entries = |section: &str| template.get(section).and_then(Node::as_map);
    if entries("Resources").is_none_or(Map::is_empty) {
        let message = "the patch leaves no resource in the template, and CloudFormation wants one at least".to_owned();
        form.report(draft.changes.last_place(), message, "");
    }
    for (id, entry) in entries("Parameters").into_iter().flat_map(Map::iter) {
        if entries("Resources").is_some_and(|resources| resources.contains(&id.text)) {
            let message = format!("`{}` is a parameter and a resource", id.text);
            form.report(place(id, entry), message, "`Ref` could mean both; give one of them another name");
        }
    }
}

/// Where an entry is written.
fn place(key: &Key, node: &Node) -> Span {
    if key.span.is_known() { key.span } else { node.span }
}

struct Form<'f> {
    findings: &'f mut Vec<Diagnostic>,
}

impl Form<'_> {
    fn report(&mut self, span: Span, message: String, help: &str) {
        let finding = Diagnostic::new(&rules::TEMPLATE_FORM, span, message);
        self.findings.push(if help.is_empty() { finding } else { finding.help(help) });
    }

    fn id(&mut self, id: &Key, entry: &Node) {
        let alphanumeric = !id.text.is_empty() && id.text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !alphanumeric || id.text.len() > ID_CHARACTERS {
            let message = format!("`{}` is no logical id: those are of letters and digits, {ID_CHARACTERS} at most", id.text);
            let help = "`logical_id('subnet', name)` makes one of names, and never the same one of different names";
            self.report(place(id, entry), message, help);
        }
    }

    fn entry(&mut self, section: &str, id: &Key, entry: &Node) {
        let what = match section {
            "Resources" => "resource",
            "Outputs" => "output",
            _ => "parameter",
        };
        let Some(fields) = entry.as_map() else {
            let message = format!("the {what} `{}` is {}; it has to be a mapping", id.text, entry.kind());
            return self.report(place(id, entry), message, "");
        };
        let needed = if section == "Outputs" { "Value" } else { "Type" };
        match fields.get(needed) {
            None => self.report(place(id, entry), format!("the {what} `{}` has no `{needed}`", id.text), ""),
            Some(kind) if section == "Resources" && !kind.as_str().is_some_and(is_type) => {
                let message = format!("`{}` has no type such as `AWS::EC2::Subnet`", id.text);
                self.report(kind.span, message, "");
            }
            Some(_) => {}
        }
        if section == "Resources" {
            self.attributes(id, fields);
        } else if let Some((key, _)) = fields.entry("Condition") {
            self.condition(key);
        }
    }

    fn attributes(&mut self, id: &Key, fields: &Map) {
        for (key, node) in fields.iter().filter(|(key, _)| !ATTRIBUTES.contains(&&*key.text)) {
            if &*key.text == "Condition" {
                self.condition(key);
                continue;
            }
            let help = match nearest(&key.text, ATTRIBUTES) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("what `{}` shall be stands below `Properties`", id.text),
            };
            self.report(place(key, node), format!("a resource has no attribute `{}`", key.text), &help);
        }
    }

    fn condition(&mut self, key: &Key) {
        let help = "say `when` in overlay.yaml: what a stack does not have is not in its template, so that a diff shows it";
        self.report(key.span, "templates of netloom's have no `Conditions`".to_owned(), help);
    }
}

/// `AWS::EC2::Subnet`, `Custom::Thing`.
fn is_type(text: &str) -> bool {
    let parts: Vec<&str> = text.split("::").collect();
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_@-".contains(&byte));
    (2..=4).contains(&parts.len()) && parts.iter().all(word)
}
