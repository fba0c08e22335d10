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
mod containers;
mod pieces;
pub mod runbook;

use indexmap::IndexMap;

use artifacts::cloudformation::Draft;
pub use authors::Authors;
pub(super) use containers::check as containers;
use findings::{Diagnostic, rules};
use pieces::{Parameters, Piece};
use tree::{Key, Map, Node, Span, Value};

/// Whether there can be anything to report of the template of which this is the YAML. Most have neither two braces in a row, in a
/// text or where two are put together, nor a variable, nor a function of a declaration, and this is quicker than going through them.
pub(super) fn possible(yaml: &str, authors: &Authors<'_>) -> bool {
    let can_be = |(at, _): (usize, &str)| match (yaml[..at].bytes().next_back(), &yaml[at + 1..]) {
        (Some(b'$'), variable) => !["!", "AWS::"].iter().any(|begin| variable.starts_with(begin)),
        // An empty mapping, or a line that looks like one, after which no brace follows.
        (Some(b' '), rest) => !rest.starts_with("}\n"),
        _ => true,
    };
    // What stands between two braces can be split off.
    yaml.contains("Fn::Split") || yaml.match_indices('{').any(can_be) || authors.gave_functions()
}

/// Reports every text and function of a template that a declaration, and no overlay, has made one.
pub(super) fn check(draft: &Draft, authors: &Authors<'_>, findings: &mut Vec<Diagnostic>) {
    let parameters = draft.template().get("Parameters").and_then(Node::as_map);
    let defaults = parameters.into_iter().flat_map(Map::iter).filter_map(|(id, node)| Some((&*id.text, node.get("Default")?)));
    let mut walk = Walk { authors, parameters: defaults.collect(), at: "", found: IndexMap::new() };
    for (section, node) in draft.template().as_map().into_iter().flat_map(Map::iter) {
        walk.at = &section.text;
        let Some(entries) = node.as_map() else {
            walk.node(node);
            continue;
        };
        for (id, entry) in entries.iter() {
            walk.at = &id.text;
            walk.key(id);
            walk.node(entry);
        }
    }
    findings.extend(walk.found.into_iter().map(|(what, places)| what.report(&places)));
}

/// What CloudFormation would do with something that a declaration gives.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct What {
    /// Where the declaration gives it; where it gets into the template when no declaration does.
    span: Span,
    kind: Kind,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Reference,
    Variable,
    Function,
}

/// The entries of a template that something gets into, and where.
type Places<'n> = Vec<(&'n str, Span)>;

impl What {
    fn report(&self, places: &Places<'_>) -> Diagnostic {
        const SHOWN: usize = 3;
        let mut names: Vec<&str> = places.iter().map(|(name, _)| *name).collect();
        names.dedup();
        let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
        let more = names.len().saturating_sub(SHOWN);
        let entries = if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(" and ") };
        let text = &self.text;
        let (message, help) = match self.kind {
            Kind::Reference => (
                format!("CloudFormation would put a stored value into {entries} in the place of `{text}`"),
                "a reference is written out in full in the resource or patch of an overlay; what differs from stack to stack can be \
                 `${AWS::StackName}` in `Fn::Sub`",
            ),
            Kind::Variable => (
                format!("CloudFormation would replace `{text}` in {entries}"),
                "write `${!NAME}` for a text that stays `${NAME}`",
            ),
            Kind::Function => (
                format!("CloudFormation would evaluate `{text}` in {entries}"),
                "let the overlay take a name or a value as its option, and write the function itself",
            ),
        };
        let finding = Diagnostic::new(&rules::TEMPLATE_INJECTION, self.span, message).help(help);
        let into = places.iter().map(|(_, span)| *span).find(|span| span.is_known() && *span != self.span);
        into.into_iter().fold(finding, |finding, span| finding.also(span, "it gets into the template here"))
    }
}

struct Walk<'f, 'a> {
    authors: &'f Authors<'a>,
    parameters: Parameters<'f>,
    /// The entry that is walked.
    at: &'f str,
    found: IndexMap<What, Places<'f>>,
}

impl<'f> Walk<'f, '_> {
    fn node(&mut self, node: &'f Node) {
        match &node.value {
            Value::String(text) => self.text(&[Piece::Text(text, node.span)]),
            Value::List(items) => items.iter().for_each(|item| self.node(item)),
            Value::Map(map) => {
                for (key, child) in map.iter() {
                    self.key(key);
                    if &*key.text == "Fn::Sub" {
                        self.substitution(child);
                    } else {
                        self.node(child);
                    }
                    if is_function(&key.text) {
                        self.function(&key.text, node);
                        self.text(&pieces::of(node, &self.parameters));
                    }
                }
            }
            _ => {}
        }
    }

    fn key(&mut self, key: &'f Key) {
        self.text(&[Piece::Text(&key.text, key.span)]);
    }

    /// The text that some pieces make, if it holds a reference.
    fn text(&mut self, pieces: &[Piece<'f>]) {
        // Most texts have no brace at all.
        if !pieces.iter().any(|piece| piece.shown().as_bytes().contains(&b'{')) {
            return;
        }
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
                    self.found(Kind::Reference, whole[open..close].replace(pieces::HOLE, "…"), self.authors.giver(part), *span);
                    break;
                }
            }
            from = close;
        }
    }

    /// `Fn::Sub`: the variables in its text. The account, the region and the like are nobody's secret.
    fn substitution(&mut self, argument: &'f Node) {
        let own = argument.as_list().and_then(|items| items.get(1..)).unwrap_or_default();
        own.iter().for_each(|own| self.node(own));
        let Some(node) = argument.as_list().map_or(Some(argument), <[Node]>::first) else { return };
        let text = node.as_str().unwrap_or_default();
        for (open, _) in text.match_indices("${") {
            let Some(length) = text[open..].find('}') else { continue };
            let variable = &text[open..=open + length];
            let data = ["${!", "${AWS::"].iter().any(|begin| variable.starts_with(begin));
            if !data && self.authors.gave(variable) && !self.authors.stands(variable, node.span) {
                self.found(Kind::Variable, variable.to_owned(), self.authors.giver(variable), node.span);
            }
        }
    }

    /// A function that a declaration gives as a whole.
    fn function(&mut self, name: &str, node: &'f Node) {
        let given = self.authors.gave_function(node).filter(|_| !self.authors.stands(name, node.span));
        if given.is_some() {
            self.found(Kind::Function, name.to_owned(), given, node.span);
        }
    }

    fn found(&mut self, kind: Kind, text: String, given: Option<Span>, into: Span) {
        let what = What { span: given.unwrap_or(into), kind, text };
        self.found.entry(what).or_default().push((self.at, into));
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
    use tree::Sources;
    use yaml::to_yaml;

    #[test]
    fn what_is_looked_into_holds_every_kind() {
        let sources = Sources::default();
        let authors = Authors::new(&sources, "overlays", Vec::new());
        let possible = |texts: &[&str]| {
            let texts: Vec<Node> = texts.iter().map(|text| Node::from(*text)).collect();
            super::possible(&to_yaml(&Node::map([("Fn::Join", Node::from(texts))])), &authors)
        };
        let reference = "{{{ resolve:ssm:/a}}";
        for at in 0..reference.len() {
            let (begin, end) = reference.split_at(at);
            assert!(possible(&[begin, end]) && possible(&[&format!("a\n${begin}"), &format!("{end}\nb\n")]), "{at}");
        }
        assert!(possible(&["${Password}"]) && possible(&["a\n${ Password}\n"]) && possible(&["$", "{", "{resolve:ssm:/a}}"]));
        assert!(possible(&["${!{}${!{}resolve:ssm:/a}}"]) && possible(&["{}-{}-resolve:ssm:/a}}"]));
        assert!(!possible(&["${AWS::Region} ${!a} $", "a"]));
        let split = |text: &str| to_yaml(&Node::map([("Fn::Split", Node::from(vec!["!$".into(), text.into()]))]));
        assert!(super::possible(&split("x${!${!resolve:ssm:/a}}"), &authors));
        assert!(!super::possible("a: {}\nb:\n- {}\n", &authors));
    }

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
