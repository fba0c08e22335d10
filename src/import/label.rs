//! Names of declarations from names of other tools' clusters.

/// Longest name, such that a suffix still makes a DNS label of at most 63 characters.
const LONGEST: usize = 50;

/// A DNS label for a name: lower-case letters, digits and `-`; none when nothing is left of it.
pub(super) fn from_name(name: &str) -> Option<String> {
    let mut label = String::new();
    for c in name.chars().map(|c| c.to_ascii_lowercase()) {
        match c {
            'a'..='z' | '0'..='9' => label.push(c),
            _ if label.is_empty() || label.ends_with('-') => {}
            _ => label.push('-'),
        }
    }
    label.truncate(LONGEST);
    let label = label.trim_end_matches('-');
    (!label.is_empty()).then(|| label.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_labels() {
        assert_eq!(from_name("prod.k8s.Example.com").as_deref(), Some("prod-k8s-example-com"));
        assert_eq!(from_name("..a__b..").as_deref(), Some("a-b"));
        assert_eq!(from_name(&format!("{}-b", "a".repeat(49))).as_deref(), Some("a".repeat(49).as_str()));
        assert_eq!(from_name("…"), None);
    }
}
