//! Logical ids: letters and digits that stand for a list of names, and never for two of them.
//!
//! kops drops the characters that CloudFormation refuses, so the ranges 10.1.10.0/16 and 10.11.0.0/16 get one id and a
//! resource is lost. Here the id can be read back, hence no two lists of names share one:
//!
//! | in a name | in the id |
//! |---|---|
//! | lower-case letter at the beginning, or after `-` | the capital (`us-test` → `UsTest`) |
//! | other lower-case letter | itself |
//! | digit after a letter and `-`, or after anything but a letter | itself (`test-1a` → `Test1a`) |
//! | digit at the beginning, or after a letter without `-` | `X` and the digit (`10` → `X10`, `a1` → `AX1`) |
//! | `x` where the capital would stand | `Xx` |
//! | `-` elsewhere, `.`, `/`, `:`, `_` | `Xh`, `Xd`, `Xs`, `Xc`, `Xl` |
//! | capital letter | `Xu` and the small one |
//! | any other character | `Xo`, its code point in hexadecimal, `o` |
//! | nothing at all | `Xe` |
//!
//! Every name so begins with a capital, and inside a name `X` is followed by a small letter or a digit; names are joined by
//! an `X`, which a capital follows: `subnet`, `us-test-1a` → `SubnetXUsTest1a`.

use std::fmt::Write;

/// The logical id for a list of names: what the thing is, then which one, as in `["subnet", "us-test-1a"]`.
#[must_use]
pub fn logical_id(parts: &[&str]) -> String {
    let mut id = String::new();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            id.push('X');
        }
        encode(&mut id, part);
    }
    id
}

/// What stood before the character that is being written.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    Nothing,
    Letter,
    /// A letter and the `-` that the next character expresses.
    LetterHyphen,
    Digit,
    /// A digit or other character and the `-` that the next letter expresses.
    Hyphen,
    Other,
}

fn encode(id: &mut String, part: &str) {
    if part.is_empty() {
        id.push_str("Xe");
    }
    let mut before = Before::Nothing;
    let mut rest = part.chars().peekable();
    while let Some(c) = rest.next() {
        before = match c {
            '-' => hyphen(id, before, rest.peek().copied()),
            _ => character(id, before, c),
        };
    }
}

/// Leaves a hyphen to the character after it where that can express it.
fn hyphen(id: &mut String, before: Before, next: Option<char>) -> Before {
    match next {
        Some('0'..='9') if before == Before::Letter => Before::LetterHyphen,
        Some('a'..='z') if before != Before::Nothing => Before::Hyphen,
        _ => {
            id.push_str("Xh");
            Before::Other
        }
    }
}

fn character(id: &mut String, before: Before, c: char) -> Before {
    let word_begins = matches!(before, Before::Nothing | Before::Hyphen | Before::LetterHyphen);
    match c {
        'x' if word_begins => id.push_str("Xx"),
        'a'..='z' if word_begins => id.push(c.to_ascii_uppercase()),
        'a'..='z' => id.push(c),
        '0'..='9' if matches!(before, Before::Nothing | Before::Letter) => id.extend(['X', c]),
        '0'..='9' => id.push(c),
        'A'..='Z' => id.extend(['X', 'u', c.to_ascii_lowercase()]),
        '.' => id.push_str("Xd"),
        '/' => id.push_str("Xs"),
        ':' => id.push_str("Xc"),
        '_' => id.push_str("Xl"),
        _ => _ = write!(id, "Xo{:x}o", u32::from(c)),
    }
    match c {
        'a'..='z' | 'A'..='Z' => Before::Letter,
        '0'..='9' => Before::Digit,
        _ => Before::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_names_read_well() {
        assert_eq!(logical_id(&["vpc"]), "Vpc");
        assert_eq!(logical_id(&["subnet", "us-test-1a"]), "SubnetXUsTest1a");
        assert_eq!(logical_id(&["subnet", "utility-us-west-2-lax-1a"]), "SubnetXUtilityUsWest2Lax1a");
        assert_eq!(logical_id(&["route", "private-us-test-1a", "default"]), "RouteXPrivateUsTest1aXDefault");
        assert_eq!(logical_id(&["cidr", "10.1.0.0/16"]), "CidrXX10Xd1Xd0Xd0Xs16");
    }

    #[test]
    fn names_that_kops_confuses_stay_apart() {
        let pairs: [(&[&str], &[&str]); 7] = [
            (&["10.1.10.0/16"], &["10.11.0.0/16"]),
            (&["0.0.0.0/0"], &["::/0"]),
            (&["us-test-1a"], &["us-test1a"]),
            (&["us-test-1a"], &["ustest-1a"]),
            (&["a", "b-c"], &["a-b", "c"]),
            (&["subnet", "route-table"], &["subnet-route", "table"]),
            (&["Prod"], &["prod"]),
        ];
        for (one, other) in pairs {
            assert_ne!(logical_id(one), logical_id(other));
        }
    }

    /// Reads an id back, which is the proof that no two lists share one.
    fn decode(id: &str) -> Vec<String> {
        let id: Vec<char> = id.chars().collect();
        let mut parts = vec![String::new()];
        let (mut at, mut begins, mut letter) = (0, true, false);
        while let Some(&c) = id.get(at) {
            let next = id.get(at + 1).copied().unwrap_or_default();
            if c == 'X' && next.is_ascii_uppercase() {
                parts.push(String::new());
                (at, begins, letter) = (at + 1, true, false);
                continue;
            }
            let hyphen = if begins { "" } else { "-" };
            let (text, length) = match (c, next) {
                ('X', 'x') => (format!("{hyphen}x"), 2),
                ('X', 'e') => (String::new(), 2),
                ('X', 'h') => ("-".to_owned(), 2),
                ('X', 'd') => (".".to_owned(), 2),
                ('X', 'u') => (id[at + 2].to_uppercase().to_string(), 3),
                ('X', 'o') => {
                    let code: String = id[at + 2..].iter().take_while(|c| **c != 'o').collect();
                    let code_point = u32::from_str_radix(&code, 16).unwrap();
                    (char::from_u32(code_point).unwrap().to_string(), code.len() + 3)
                }
                ('X', digit) => (digit.to_string(), 2),
                ('A'..='Z', _) => (format!("{hyphen}{}", c.to_ascii_lowercase()), 1),
                ('0'..='9', _) if letter => (format!("-{c}"), 1),
                _ => (c.to_string(), 1),
            };
            parts.last_mut().unwrap().push_str(&text);
            (at, begins, letter) = (at + length, false, text.ends_with(|c: char| c.is_ascii_alphabetic()));
        }
        parts
    }

    /// Every name of up to four characters of a small, nasty alphabet, alone and beside others.
    #[test]
    fn ids_can_be_read_back() {
        let alphabet = ['a', 'x', 'X', '1', '-', '.', 'é'];
        let mut names = vec![String::new()];
        let mut from = 0;
        for _ in 0..4 {
            let to = names.len();
            for at in from..to {
                names.extend(alphabet.map(|c| format!("{}{c}", names[at])));
            }
            from = to;
        }
        for name in &names {
            for parts in [vec![name.as_str()], vec!["x", name], vec![name, "a-1"]] {
                let id = logical_id(&parts);
                assert!(id.bytes().all(|b| b.is_ascii_alphanumeric()), "{id}");
                assert_eq!(decode(&id), parts, "{id}");
            }
        }
    }
}
