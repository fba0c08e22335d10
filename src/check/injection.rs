//! What a declaration gives is data: in a template it becomes no reference to a secret, no variable and no function.
//!
//! CloudFormation puts a secret or a parameter wherever a text says `{{resolve:SERVICE:KEY}}` ("Get values stored in other services
//! using dynamic references" in its guide), also where `Fn::Join` and `Fn::Sub` put the text together; `Fn::Sub` replaces `${NAME}`,
//! and a mapping with a key such as `Fn::GetAtt` is a function. In the resources and patches of an overlay these are its author's
//! program. In a tag, a label or an option they are not, whoever reads a review of YAML takes them for text, and the text of a
//! declaration is what everybody may write.
//!
//! A reference has to be written out where it stands, or at least in a file of an overlay; where an expression or a program has put
//! it together, no part of it may be what a declaration or a layer gives.

mod authors;
mod pieces;

use crate::cloudformation::Draft;
use crate::diagnostic::{Diagnostic, rules};
use crate::tree::{Key, Map, Node, Span, Value};
pub use authors::Authors;
use pieces::{Parameters, Piece};

/// Reports every text and function of a template that a declaration, and no overlay, has made one.
pub(super) fn check(draft: &Draft, authors: &Authors<'_>, findings: &mut Vec<Diagnostic>) {
    let parameters = draft.template.get("Parameters").and_then(Node::as_map);
    let defaults = parameters.into_iter().flat_map(Map::iter).filter_map(|(id, node)| Some((&*id.text, node.get("Default")?)));
    let mut walk = Walk { authors, parameters: defaults.collect(), at: String::new(), findings };
    for (section, node) in draft.template.as_map().into_iter().flat_map(Map::iter) {
        walk.at = format!("`{}`", section.text);
        let Some(entries) = node.as_map() else {
            walk.node(node);
            continue;
        };
        for (id, entry) in entries.iter() {
            walk.at = format!("`{}`", id.text);
            walk.key(id);
            walk.node(entry);
        }
    }
}

struct Walk<'f, 'a> {
    authors: &'f Authors<'a>,
    parameters: Parameters<'f>,
    /// The entry that is walked.
    at: String,
    findings: &'f mut Vec<Diagnostic>,
}

impl<'f> Walk<'f, '_> {
    fn node(&mut self, node: &'f Node) {
        match &node.value {
            Value::String(text) => self.text(&[Piece::Text(text, node.span)]),
            Value::List(items) => items.iter().for_each(|item| self.node(item)),
            Value::Map(map) => {
                for (key, child) in map.iter() {
                    self.key(key);
                    match &*key.text {
                        "Fn::Sub" => self.substitution(child),
                        name if is_function(name) => self.function(name, node),
                        _ => {}
                    }
                }
                if map.keys().any(is_function) {
                    self.text(&pieces::of(node, &self.parameters));
                }
                map.iter().for_each(|(_, child)| self.node(child));
            }
            _ => {}
        }
    }

    fn key(&mut self, key: &'f Key) {
        self.text(&[Piece::Text(&key.text, key.span)]);
    }

    /// The text that some pieces make, if it holds a reference.
    fn text(&mut self, pieces: &[Piece<'f>]) {
        let whole: String = pieces.iter().map(Piece::shown).collect();
        let mut from = 0;
        while let Some(open) = whole[from..].find("{{").map(|at| from + at) {
            from = open + 1;
            if !opens_reference(&whole[open..]) {
                continue;
            }
            let close = whole[open..].find("}}").map_or(whole.len(), |at| open + at + 2);
            let mut at = 0;
            for piece in pieces {
                let (begin, end) = (at, at + piece.shown().len());
                at = end;
                let part = whole.get(begin.max(open)..end.min(close)).unwrap_or_default();
                if let Piece::Text(_, span) = piece
                    && !part.is_empty()
                    && !self.authors.wrote(part, *span)
                {
                    self.reference(&whole[open..close].replace(pieces::HOLE, "…"), part, *span);
                    break;
                }
            }
            from = close.max(from);
        }
    }

    fn reference(&mut self, reference: &str, part: &str, span: Span) {
        let message = format!("CloudFormation would put a stored value into {} in the place of `{reference}`", self.at);
        let help = "a reference is written out in full in the resource or patch of an overlay; what differs from stack to stack can \
                    be `${AWS::StackName}` in `Fn::Sub`";
        self.report(message, part, span, help);
    }

    /// `Fn::Sub`: the variables in its text.
    fn substitution(&mut self, argument: &'f Node) {
        let Some(node) = argument.as_list().map_or(Some(argument), <[Node]>::first) else { return };
        let text = node.as_str().unwrap_or_default();
        for (open, _) in text.match_indices("${") {
            let Some(length) = text[open..].find('}') else { continue };
            let variable = &text[open..=open + length];
            if !variable.starts_with("${!") && self.authors.gave(variable) && !self.authors.stands(variable, node.span) {
                let message = format!("CloudFormation would replace `{variable}` in {}", self.at);
                self.report(message, variable, node.span, "write `${!NAME}` for a text that stays `${NAME}`");
            }
        }
    }

    /// A function that a declaration gives as a whole.
    fn function(&mut self, name: &str, node: &'f Node) {
        let Some(span) = self.authors.gave_function(node).filter(|_| !self.authors.stands(name, node.span)) else { return };
        let message = format!("CloudFormation would evaluate `{name}` in {}", self.at);
        let finding = Diagnostic::new(&rules::TEMPLATE_INJECTION, span, message);
        let finding = if node.span.is_known() { finding.also(node.span, "it gets into the template here") } else { finding };
        self.findings.push(finding.help("let the overlay take a name or a value as its option, and write the function itself"));
    }

    /// Reports a text at the place in a declaration that has a part of it, or else where the template has it.
    fn report(&mut self, message: String, part: &str, span: Span, help: &str) {
        let given = self.authors.giver(part);
        let finding = Diagnostic::new(&rules::TEMPLATE_INJECTION, given.unwrap_or(span), message);
        let finding = match given {
            Some(_) if span.is_known() => finding.also(span, "it gets into the template here"),
            _ => finding,
        };
        self.findings.push(finding.help(help));
    }
}

/// Whether a text that begins with `{{` begins with a reference. Nothing says what of spaces and of upper case CloudFormation takes.
fn opens_reference(text: &str) -> bool {
    let rest = text.trim_start_matches('{').trim_start();
    let word = rest.get(..7).is_some_and(|word| word.eq_ignore_ascii_case("resolve"));
    word && rest.get(7..).is_some_and(|rest| rest.trim_start().starts_with(':'))
}

/// Whether a key names a function of CloudFormation.
fn is_function(key: &str) -> bool {
    key == "Ref" || key.starts_with("Fn::")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_known_by_its_beginning() {
        for text in ["{{resolve:ssm:a}}", "{{ resolve : ssm", "{{RESOLVE:x", "{{{resolve:x", "{{\nresolve:"] {
            assert!(opens_reference(text), "{text}");
        }
        for text in ["{{resolved:x", "{{resolve}}", "{{ x.resolve:", "{{", "{{resolvé:"] {
            assert!(!opens_reference(text), "{text}");
        }
    }
}
