//! The names in a text, from the engine's own tokens: everything that it may look up, whatever it is evaluated over.

use minijinja::machinery::{Token, tokenize};

use super::engine::syntax;

/// Tags of a text template that bring in another one.
const TAGS: [&str; 4] = ["include", "extends", "import", "from"];
/// What may come after the name of that other one.
const AFTER: [&str; 5] = ["ignore", "with", "without", "import", "as"];

/// A name that is no field, no filter and in no literal.
#[derive(Debug, PartialEq, Eq)]
pub struct Mention {
    /// The name; `template` for a tag that brings in another template.
    pub name: String,
    /// The field of it that is asked for: `size` in `options.size`.
    pub field: Option<String>,
    /// The one literal that it is called with.
    pub argument: Option<String>,
}

/// The names in an expression, or in a text template. What is neither has been reported.
#[must_use]
pub fn mentions(text: &str, is_template: bool) -> Vec<Mention> {
    let tokens: Vec<Token<'_>> = tokenize(text, !is_template, syntax()).map_while(Result::ok).map(|(token, _)| token).collect();
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let Token::Ident(name) = token else { continue };
        let (before, after) = (at.checked_sub(1).and_then(|at| tokens.get(at)), tokens.get(at + 1..).unwrap_or_default());
        if matches!(before, Some(Token::Dot | Token::Pipe)) {
            continue;
        }
        let is_tag = matches!(before, Some(Token::BlockStart)) && TAGS.contains(name);
        let argument = match after {
            [named, Token::BlockEnd, ..] if is_tag => literal(named),
            [named, Token::Ident(word), ..] if is_tag && AFTER.contains(word) => literal(named),
            [Token::ParenOpen, named, Token::ParenClose, ..] if !is_tag => literal(named),
            _ => None,
        };
        let field = match after {
            [Token::Dot, Token::Ident(field), ..] => Some((*field).to_owned()),
            _ => None,
        };
        let name = if is_tag { "template" } else { name };
        found.push(Mention { name: name.to_owned(), field, argument });
    }
    found
}

fn literal(token: &Token<'_>) -> Option<String> {
    match token {
        Token::Str(text) => Some((*text).to_owned()),
        Token::String(text) => Some(text.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, is_template: bool) -> Vec<String> {
        let show = |one: Mention| {
            let field = one.field.map(|field| format!(".{field}")).unwrap_or_default();
            one.name + &field + &one.argument.map(|argument| format!("({argument})")).unwrap_or_default()
        };
        mentions(text, is_template).into_iter().map(show).collect()
    }

    #[test]
    fn names_of_an_expression() {
        for text in ["file('a')", " file ( \"a\" ) ", "file(\n'a'\n)", r"file('\x61')"] {
            assert_eq!(shown(text, false), ["file(a)"], "{text}");
        }
        for text in ["file('a' ~ b)", "file(b)", "file('a', b)", "(file)('a', b)", "file if b"] {
            assert_eq!(shown(text, false).first().map(String::as_str), Some("file"), "{text}");
        }
        assert_eq!(shown("a.file|file('x') == 'file(b)'", false), ["a.file"]);
        assert_eq!(shown("options.size < options['most']", false), ["options.size", "options"]);
    }

    #[test]
    fn names_of_a_text_template() {
        let text = "don't file('x') {# file('y') #}{% raw %}{{ z }}{% endraw %}{{ a.b }}{% include 'c.j2' %}{%- from \"d.j2\" import e -%}";
        assert_eq!(shown(text, true), ["a.b", "template(c.j2)", "template(d.j2)", "import", "e"]);
        assert_eq!(shown("{% include 'c.j2' if a else 'd.j2' %}", true), ["template", "if", "a", "else"]);
        assert_eq!(shown("{% include ['c.j2'] ignore missing %}", true), ["template", "ignore", "missing"]);
    }
}
