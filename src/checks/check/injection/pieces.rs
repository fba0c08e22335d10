//! The text that functions of CloudFormation put together, as far as a template tells it.

use indexmap::IndexMap;

use tree::{Node, Span, Value};

/// The defaults of a template's parameters by name.
pub(super) type Parameters<'n> = IndexMap<&'n str, &'n Node>;

/// What stands for something that the template does not tell.
pub(super) const HOLE: &str = "\0";

/// Functions below one another that are looked into.
const DEPTH: usize = 32;

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'n> {
    /// Text, with the place of the scalar that it is from.
    Text(&'n str, Span),
    /// What only CloudFormation knows.
    Hole,
}

impl Piece<'_> {
    /// Its text.
    pub(super) fn shown(&self) -> &str {
        match self {
            Piece::Text(text, _) => text,
            Piece::Hole => HOLE,
        }
    }
}

/// The pieces of the text that a value is.
pub(super) fn of<'n>(node: &'n Node, parameters: &Parameters<'n>) -> Vec<Piece<'n>> {
    Reader { parameters }.text(node, DEPTH)
}

struct Reader<'r, 'n> {
    parameters: &'r Parameters<'n>,
}

impl<'n> Reader<'_, 'n> {
    fn text(&self, node: &'n Node, depth: usize) -> Vec<Piece<'n>> {
        match &node.value {
            Value::String(text) => vec![Piece::Text(text, node.span)],
            Value::Map(map) if depth > 0 => {
                let function = map.iter().next().filter(|_| map.len() == 1);
                function.and_then(|(name, argument)| self.function(&name.text, argument, depth - 1)).unwrap_or(vec![Piece::Hole])
            }
            _ => vec![Piece::Hole],
        }
    }

    fn function(&self, name: &str, argument: &'n Node, depth: usize) -> Option<Vec<Piece<'n>>> {
        match (name, argument.as_list()) {
            ("Ref", _) => Some(self.parameter(argument.as_str()?, depth)),
            ("Fn::Base64", _) => Some(self.text(argument, depth)),
            ("Fn::Sub", Some([text, own])) => Some(self.substitution(text, Some(own), depth)),
            ("Fn::Sub", None) => Some(self.substitution(argument, None, depth)),
            ("Fn::Join", Some([between, list])) => {
                let between = Piece::Text(between.as_str()?, between.span);
                Some(self.list(list, depth)?.join(&between))
            }
            ("Fn::Select", Some([index, list])) => {
                let index = index.as_int().or_else(|| index.as_str()?.parse().ok())?;
                self.list(list, depth)?.into_iter().nth(usize::try_from(index).ok()?)
            }
            _ => None,
        }
    }

    fn parameter(&self, name: &str, depth: usize) -> Vec<Piece<'n>> {
        self.parameters.get(name).filter(|_| depth > 0).map_or(vec![Piece::Hole], |default| self.text(default, depth - 1))
    }

    /// The items of a list, or of a text that is split into one.
    fn list(&self, node: &'n Node, depth: usize) -> Option<Vec<Vec<Piece<'n>>>> {
        if let Some(items) = node.as_list() {
            return Some(items.iter().map(|item| self.text(item, depth)).collect());
        }
        let (name, argument) = node.as_map()?.iter().next()?;
        let [at, text] = argument.as_list().filter(|_| &*name.text == "Fn::Split" && depth > 0)? else { return None };
        let at = at.as_str().filter(|at| !at.is_empty())?;
        let mut items = vec![Vec::new()];
        for piece in self.text(text, depth - 1) {
            let Piece::Text(text, span) = piece else {
                items.last_mut()?.push(piece);
                continue;
            };
            for (number, part) in text.split(at).enumerate() {
                if number > 0 {
                    items.push(Vec::new());
                }
                items.last_mut()?.push(Piece::Text(part, span));
            }
        }
        Some(items)
    }

    fn substitution(&self, node: &'n Node, own: Option<&'n Node>, depth: usize) -> Vec<Piece<'n>> {
        let (Some(mut text), span) = (node.as_str(), node.span) else { return vec![Piece::Hole] };
        let mut pieces = Vec::new();
        while let Some((before, (name, rest))) =
            text.split_once("${").and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
        {
            pieces.push(Piece::Text(before, span));
            match own.and_then(|own| own.get(name.trim())) {
                _ if name.starts_with('!') => pieces.push(Piece::Text(name.trim_start_matches('!'), span)),
                Some(value) if depth > 0 => pieces.extend(self.text(value, depth - 1)),
                Some(_) => pieces.push(Piece::Hole),
                None => pieces.extend(self.parameter(name.trim(), depth)),
            }
            text = rest;
        }
        pieces.push(Piece::Text(text, span));
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tree::Sources;

    fn text(template: &str) -> String {
        let node = yaml::read(template, Sources::default().add("", template.to_owned()), &mut Vec::new()).remove(0);
        let default = Node::from("default");
        let parameters = [("P", &default)].into_iter().collect();
        of(&node, &parameters).iter().map(Piece::shown).collect::<String>().replace(HOLE, "_")
    }

    #[test]
    fn functions_put_texts_together() {
        let cases = [
            ("text", "text"),
            ("{Ref: P}", "default"),
            ("{Ref: Vpc}", "_"),
            ("{Fn::Join: ['', [a, {Ref: P}, {Ref: Vpc}, b]]}", "adefault_b"),
            ("{Fn::Join: ['-', [a, 5]]}", "a-_"),
            ("{Fn::Join: ['', {Fn::Split: [x, axbxc]}]}", "abc"),
            ("{Fn::Select: [1, {Fn::Split: [',', {Fn::Join: ['', ['a,b', 'c,d']]}]}]}", "bc"),
            ("{Fn::Select: ['0', [a, b]]}", "a"),
            ("{Fn::Sub: 'a${P}b${Vpc.Id}c${!P}d${'}", "adefaultb_cPd${"),
            ("{Fn::Sub: ['a${x}b', {x: {Fn::Join: ['', [c, d]]}}]}", "acdb"),
            ("{Fn::Base64: {Fn::Sub: 'a${P}'}}", "adefault"),
            ("{Fn::GetAtt: [Vpc, Id]}", "_"),
            ("{Fn::ImportValue: a-b}", "_"),
            ("{Fn::Join: [{Ref: P}, [a]]}", "_"),
            ("{Fn::Sub: 5}", "_"),
            ("{Fn::Sub: []}", "_"),
            ("[a]", "_"),
        ];
        for (template, expected) in cases {
            assert_eq!(text(template), expected, "{template}");
        }
    }

    #[test]
    fn circles_and_depths_end() {
        let (mut node, name) = (Node::from("x"), "Fn::Base64");
        for _ in 0..10_000 {
            node = Node::map([(name, node)]);
        }
        assert_eq!(of(&node, &Parameters::new()), [Piece::Hole]);
        let own = Node::map([("Ref", "P".into())]);
        let parameters = [("P", &own)].into_iter().collect();
        assert_eq!(of(&own, &parameters), [Piece::Hole]);
        std::mem::forget(node);
    }
}
