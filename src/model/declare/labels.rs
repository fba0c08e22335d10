//! Whether one selector selects all that another one does.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::{Requirement, Selector};

/// Labels of a declaration or an object.
pub type Labels = IndexMap<String, String>;

/// Sets of labels that are tried at most.
const MOST: usize = 1 << 12;
/// Stands for a value that no selector names: no label has such a value.
const OTHER: &str = "\0";

/// Every set of labels that some selectors can tell apart: of each label that they name no value, one that they do not name, and each
/// that they do. None when these are too many to try.
#[must_use]
pub fn told_apart<'a>(selectors: impl IntoIterator<Item = &'a Selector>) -> Option<Vec<Labels>> {
    let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for selector in selectors {
        for (key, value) in &selector.match_labels {
            values.entry(key).or_default().insert(value);
        }
        for Requirement { key, values: named, .. } in &selector.match_expressions {
            values.entry(key).or_default().extend(named.iter().map(String::as_str));
        }
    }
    let mut sets = vec![Labels::new()];
    for (key, values) in values {
        let choices: Vec<Option<&str>> = [None].into_iter().chain(values.into_iter().chain([OTHER]).map(Some)).collect();
        if sets.len() * choices.len() > MOST {
            return None;
        }
        let with = |labels: &Labels, value: &Option<&str>| {
            let label = value.map(|value| (key.to_owned(), value.to_owned()));
            labels.clone().into_iter().chain(label).collect()
        };
        sets = sets.iter().flat_map(|labels| choices.iter().map(|value| with(labels, value)).collect::<Vec<_>>()).collect();
    }
    Some(sets)
}

/// Labels of [`told_apart`] in words, with those of the other sets that it lacks: `env=prod and another region and no tier`.
#[must_use]
pub fn describe(labels: &Labels, sets: &[Labels]) -> String {
    let keys: BTreeSet<&String> = sets.iter().flat_map(Labels::keys).collect();
    let word = |key: &String| match labels.get(key).map(String::as_str) {
        None => format!("no `{key}`"),
        Some(OTHER) => format!("another `{key}`"),
        Some(value) => format!("`{key}={value}`"),
    };
    keys.into_iter().map(word).collect::<Vec<_>>().join(" and ")
}

impl Selector {
    /// Whether it selects everything that another one selects. What selectors ask of one label has nothing to do with the others.
    #[must_use]
    pub fn covers(&self, other: &Selector) -> bool {
        let values = |key: &str| (self.only(key), other.only(key));
        let can_match = |key: &String| {
            let (own, others) = values(key);
            told_apart([&own, &others]).into_iter().flatten().any(|labels| others.matches(&labels))
        };
        let covered = |key: &String| {
            let (own, others) = values(key);
            told_apart([&own, &others])
                .is_some_and(|sets| sets.iter().all(|labels| !others.matches(labels) || own.matches(labels)))
        };
        self.keys().all(covered) || !other.keys().all(can_match)
    }

    fn keys(&self) -> impl Iterator<Item = &String> {
        self.match_labels.keys().chain(self.match_expressions.iter().map(|one| &one.key))
    }

    /// What it asks of one label.
    fn only(&self, key: &str) -> Selector {
        let labels = self.match_labels.iter().filter(|(known, _)| *known == key);
        let expressions = self.match_expressions.iter().filter(|one| one.key == key);
        Selector {
            match_labels: labels.map(|(key, value)| (key.clone(), value.clone())).collect(),
            match_expressions: expressions.cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selector(text: &str) -> Selector {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn a_selector_covers_what_asks_for_more() {
        let labels = |text: &str| format!(r#"{{"matchLabels": {{{text}}}}}"#);
        let one = |operator: &str, values: &str| {
            format!(r#"{{"matchExpressions": [{{"key": "env", "operator": "{operator}", "values": [{values}]}}]}}"#)
        };
        let (all, prod) = (labels(""), labels(r#""env": "prod""#));
        let gold = labels(r#""env": "prod", "tier": "gold""#);
        let cases = [
            (&all, &prod, true, false),
            (&prod, &gold, true, false),
            (&one("In", r#""prod""#), &prod, true, true),
            (&one("In", r#""prod", "test""#), &prod, true, false),
            (&one("Exists", ""), &prod, true, false),
            (&one("NotIn", r#""test""#), &prod, true, false),
            (&one("NotIn", r#""test""#), &one("NotIn", r#""test", "dev""#), true, false),
            (&one("NotIn", r#""test""#), &one("DoesNotExist", ""), true, false),
            (&one("DoesNotExist", ""), &prod, false, false),
            (&labels(r#""env": "test""#), &prod, false, false),
            // Nothing is selected by what contradicts itself.
            (&prod, &one("In", ""), true, false),
        ];
        for (wider, narrower, expected, back) in cases {
            let (wide, narrow) = (selector(wider), selector(narrower));
            assert_eq!((wide.covers(&narrow), narrow.covers(&wide)), (expected, back), "{wider} {narrower}");
        }
    }

    #[test]
    fn too_many_labels_are_not_tried() {
        let keys: Vec<String> = (0..9).map(|at| format!(r#""k{at}": "v""#)).collect();
        let many = selector(&format!(r#"{{"matchLabels": {{{}}}}}"#, keys.join(",")));
        let fewer = selector(&format!(r#"{{"matchLabels": {{{}}}}}"#, keys[1..].join(",")));
        assert!(told_apart([&many]).is_none() && fewer.covers(&many) && !many.covers(&fewer));
    }

    #[test]
    fn labels_are_told_in_words() {
        let sets = told_apart([&selector(r#"{"matchLabels": {"env": "prod"}}"#)]).unwrap();
        let words: Vec<String> = sets.iter().map(|labels| describe(labels, &sets)).collect();
        assert_eq!(words, ["no `env`", "`env=prod`", "another `env`"]);
    }
}
