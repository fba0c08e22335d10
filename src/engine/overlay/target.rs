//! Which objects a patch is for.

use regex_lite::Regex;

use findings::{Diagnostic, rules};
use model::declare::{Selector, Target};
use schema::{Identity, show_object};
use tree::{Node, Path};

/// The fields of a target that are regular expressions, in the order in which they are told.
const FIELDS: [&str; 5] = ["kind", "name", "namespace", "group", "version"];
/// How like the target an object must be to be worth telling, from 0 to 1.
const LIKE: f64 = 0.6;
/// How much less like the target than the nearest object another one may be, to be told with it.
const SPREAD: f64 = 0.15;
/// Objects that are told.
const TOLD: usize = 3;

/// Selects objects: each pattern matches the whole of a field, as in kustomize, and the labels fit.
#[derive(Debug, Default)]
pub struct Matcher {
    patterns: Vec<(usize, Pattern)>,
    labels: Selector,
}

#[derive(Debug)]
enum Pattern {
    Text(String),
    Regex(String, Regex),
}

impl Pattern {
    fn matches(&self, text: &str) -> bool {
        match self {
            Pattern::Text(wanted) => wanted == text,
            Pattern::Regex(_, regex) => regex.is_match(text),
        }
    }

    fn text(&self) -> &str {
        match self {
            Pattern::Text(text) | Pattern::Regex(text, _) => text,
        }
    }
}

/// A field of an object's identity.
fn field(identity: &Identity, index: usize) -> &str {
    match FIELDS.get(index) {
        Some(&"kind") => &identity.kind,
        Some(&"name") => &identity.name,
        Some(&"namespace") => &identity.namespace,
        Some(&"group") => identity.group(),
        _ => identity.version(),
    }
}

impl Matcher {
    /// Compiles a target; `node` is its text, for what is wrong with patterns. An empty pattern asks for nothing, except for the
    /// group: there it is the core group.
    pub fn new(target: &Target, node: &Node, findings: &mut Vec<Diagnostic>) -> Self {
        let texts = [&target.kind, &target.name, &target.namespace, &target.group, &target.version];
        let mut patterns = Vec::new();
        for (index, text) in texts.into_iter().enumerate().filter_map(|(index, text)| Some((index, text.as_deref()?))) {
            let place = node.nearest(&Path::default().child(FIELDS[index])).span;
            if text.is_empty() && FIELDS[index] != "group" {
                continue;
            }
            if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
                patterns.push((index, Pattern::Text(text.to_owned())));
                continue;
            }
            match Regex::new(&format!("^(?:{text})$")) {
                Ok(regex) => patterns.push((index, Pattern::Regex(text.to_owned(), regex))),
                Err(error) => {
                    let message = format!("`{text}` is no regular expression: {error}");
                    findings.push(Diagnostic::new(&rules::PATCH_INVALID, place, message));
                }
            }
        }
        Self { patterns, labels: target.labels.clone() }
    }

    /// The object that a strategic merge patch names itself; without a namespace, one of any.
    #[must_use]
    pub fn named(change: &Node) -> Option<Self> {
        let identity = Identity::of(change)?;
        let wanted = [
            Some(&*identity.kind),
            Some(&*identity.name),
            Some(&*identity.namespace).filter(|it| !it.is_empty()),
            Some(identity.group()),
        ];
        let patterns = wanted.into_iter().enumerate().filter_map(|(index, text)| Some((index, Pattern::Text(text?.to_owned()))));
        Some(Self { patterns: patterns.collect(), labels: Selector::default() })
    }

    /// Whether an object is one of those.
    #[must_use]
    pub fn matches(&self, identity: &Identity, node: &Node) -> bool {
        self.patterns.iter().all(|(index, pattern)| pattern.matches(field(identity, *index)))
            && (self.labels.is_empty() || self.labels.matches(&labels(node)))
    }

    /// What differs in an object, and how like the wanted it is.
    fn differences(&self, identity: &Identity, node: &Node) -> (f64, Vec<String>) {
        let mut differences = Vec::new();
        let mut score = 0.0;
        for (index, pattern) in &self.patterns {
            let actual = field(identity, *index);
            if pattern.matches(actual) {
                score += 1.0;
                continue;
            }
            score += strsim::jaro_winkler(&pattern.text().to_lowercase(), &actual.to_lowercase());
            differences.push(FIELDS[*index].to_owned());
        }
        if !self.labels.is_empty() && !self.labels.matches(&labels(node)) {
            differences.push("labels".to_owned());
        }
        let parts = u32::try_from(self.patterns.len()).unwrap_or(1).max(1);
        (score / f64::from(parts), differences)
    }

    /// The objects most like what is wanted, with what differs, for a patch that matches none.
    #[must_use]
    pub fn nearest<'o>(&self, objects: impl IntoIterator<Item = (&'o Identity, &'o Node)>) -> Option<String> {
        let scored = objects.into_iter().map(|(identity, node)| (self.differences(identity, node), identity));
        let mut near: Vec<_> = scored.filter(|((score, _), _)| *score >= LIKE).collect();
        near.sort_by(|((a, x), _), ((b, y), _)| b.total_cmp(a).then(x.len().cmp(&y.len())));
        let best = near.first().map_or(0.0, |((score, _), _)| *score);
        near.retain(|((score, _), _)| *score > best - SPREAD);
        let tell = |((_, differences), identity): &((f64, Vec<String>), &Identity)| {
            let (but, differ) = match differences.as_slice() {
                [] => (String::new(), ""),
                [one] if one == "labels" => (one.clone(), " differ"),
                [one] => (one.clone(), " differs"),
                many => (many.join(" and "), " differ"),
            };
            let why = if but.is_empty() { but } else { format!(" ({but}{differ})") };
            format!("`{}`{why}", show_object(identity))
        };
        let told: Vec<String> = near.iter().take(TOLD).map(tell).collect();
        match told.as_slice() {
            [] => None,
            [one] => Some(format!("the nearest is {one}")),
            many => Some(format!("the nearest are {}", many.join(", "))),
        }
    }
}

impl std::fmt::Display for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let patterns = self.patterns.iter().map(|(index, pattern)| match pattern.text() {
            "" => format!("{}: \"\"", FIELDS[*index]),
            text => format!("{}: {text}", FIELDS[*index]),
        });
        let labels = (!self.labels.is_empty()).then(|| format!("labels: {}", self.labels));
        f.write_str(&patterns.chain(labels).collect::<Vec<_>>().join(", "))
    }
}

fn labels(node: &Node) -> indexmap::IndexMap<String, String> {
    let map = node.at(&Path::dotted("metadata.labels")).and_then(Node::as_map);
    let text = |(key, value): (&tree::Key, &Node)| Some((key.text.to_string(), value.as_str()?.to_owned()));
    map.into_iter().flat_map(|map| map.iter()).filter_map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tree::Sources;

    const DAEMONSET: &str = "{apiVersion: apps/v1, kind: DaemonSet, \
         metadata: {name: mynet-net, namespace: kube-system, labels: {app: mynet}}}";

    fn node(text: &str) -> Node {
        yaml::read(text, Sources::default().add("", text.to_owned()), &mut Vec::new()).remove(0)
    }

    fn matches(target: &str) -> bool {
        let (target, object) = (node(target), node(DAEMONSET));
        let typed: Target = serde_json::from_value(target.to_json()).expect("a target");
        let mut findings = Vec::new();
        let matcher = Matcher::new(&typed, &target, &mut findings);
        assert_eq!(findings, []);
        matcher.matches(&Identity::of(&object).expect("an object"), &object)
    }

    #[test]
    fn every_field_that_is_given_must_match() {
        for target in [
            "{}",
            "{kind: DaemonSet, name: mynet-net}",
            "{group: apps, version: v1, namespace: kube-system}",
            "{name: '', labels: {matchLabels: {app: mynet}}}",
        ] {
            assert!(matches(target), "{target}");
        }
        for target in ["{group: ''}", "{version: v1beta1}", "{kind: DaemonSet, name: mynet}", "{namespace: default}"] {
            assert!(!matches(target), "{target}");
        }
        assert!(!matches("{kind: DaemonSet, labels: {matchExpressions: [{key: app, operator: DoesNotExist}]}}"));
    }

    #[test]
    fn a_pattern_matches_the_whole_field() {
        assert!(matches("{name: mynet.*}") && matches("{name: 'a|mynet-net'}") && matches("{kind: (Daemon|Stateful)Set}"));
        assert!(!matches("{name: 'mynet|net'}") && !matches("{name: 'ynet.*'}") && !matches("{kind: Daemon}"));
    }
}
