//! Texts of expressions, of overlays and of policies: what of them counts.

use std::iter::Peekable;
use std::str::Chars;

/// An expression of an overlay without the white space that says nothing.
#[must_use]
pub fn essence(text: &str) -> String {
    shortened(text, false).unwrap_or_else(|| text.trim().to_owned())
}

/// An expression of a policy without comments, and without the white space that says nothing.
#[must_use]
pub fn essence_of_cel(text: &str) -> String {
    shortened(text, true).unwrap_or_else(|| text.trim().to_owned())
}

/// None for literals whose end is not plain: raw ones, and those with three quotes.
fn shortened(text: &str, comments: bool) -> Option<String> {
    let (mut out, mut rest, mut gap) = (String::new(), text.chars().peekable(), false);
    while let Some(c) = rest.next() {
        if c.is_whitespace() {
            gap = true;
            continue;
        }
        if comments && c == '/' && rest.peek() == Some(&'/') {
            while rest.next_if(|c| *c != '\n').is_some() {}
            gap = true;
            continue;
        }
        let (apart, after_word) = (std::mem::take(&mut gap), out.chars().next_back().is_some_and(is_word));
        let quote = matches!(c, '"' | '\'');
        if after_word && quote && !apart {
            return None;
        }
        if after_word && apart && (quote || is_word(c)) {
            out.push(' ');
        }
        out.push(c);
        if quote {
            literal(c, &mut rest, &mut out)?;
        }
    }
    Some(out)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Takes a literal as it is, up to its last quote; none when it has no plain end.
fn literal(quote: char, rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Option<()> {
    let start = out.len();
    loop {
        let c = rest.next()?;
        out.push(c);
        if c == '\\' {
            out.push(rest.next()?);
        } else if c == quote {
            // Two quotes with a third one after them begin a text of several lines.
            return (out.len() > start + 1 || rest.peek() != Some(&quote)).then_some(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_and_comments_do_not_count() {
        let alike = [
            ("a == 1", " a==1\n"),
            ("a in [1, 2]", "a in [1,2] // these two"),
            ("a\n// b\n&& c", "a && c"),
            ("not a", "not  a"),
            ("a in  'b'", "a in 'b'"),
            ("'a  b' == x", "'a  b'==x"),
            ("''== x", "'' == x"),
            (r"r'\' == x", r"r'\' == x"),
        ];
        alike.iter().for_each(|(one, other)| assert_eq!(essence_of_cel(one), essence_of_cel(other)));
        let different = [
            ("a", "b"),
            ("not a", "nota"),
            ("'a  b'", "'a b'"),
            ("'http://a'", "'http://b'"),
            (r"'\'//a' == x", r"'\'//b' == x"),
            (r"r'\' + '//a'", r"r'\' + '//b'"),
            ("'''a' // b'''", "'''a' // c'''"),
            ("a > 12", "a > 1 2"),
        ];
        different.iter().for_each(|(one, other)| assert_ne!(essence_of_cel(one), essence_of_cel(other)));
    }

    #[test]
    fn two_strokes_divide_in_an_overlay() {
        assert_eq!(essence("room  // 4"), "room//4");
        assert_ne!(essence("room // 4"), essence("room // 5"));
    }
}
