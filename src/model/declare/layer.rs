//! Which overlays apply where.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use tree::Node;

/// An overlay, and the clusters or networks that it applies to.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Layer {
    /// The overlay's name.
    pub overlay: String,
    /// The clusters; every cluster when left out, or none where `networks` is there.
    #[serde(default)]
    pub clusters: Option<Selector>,
    /// The networks: what the overlay has for networks applies to them, whichever clusters they have. `{}` is every network.
    #[serde(default)]
    pub networks: Option<Selector>,
    /// Options of the overlay: plain values, for the schema that it declares.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub options: IndexMap<String, Node>,
}

/// An overlay by its name, or by its name with options.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Use {
    /// The overlay's name.
    Name(String),
    /// The overlay's name, and options of it.
    Parameters(Parameters),
}

/// An overlay with options.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Parameters {
    /// The overlay's name.
    pub overlay: String,
    /// Its options: plain values, for the schema that it declares.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub options: IndexMap<String, Node>,
}

/// Selects declarations by label; everything that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Selector {
    /// Labels that must all be there with these values.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub match_labels: IndexMap<String, String>,
    /// Conditions on labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub match_expressions: Vec<Requirement>,
}

/// A condition on one label, with Kubernetes' meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Requirement {
    /// The label.
    pub key: String,
    /// What must hold for it.
    pub operator: Operator,
    /// The values that `In` and `NotIn` compare with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// What must hold for a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Operator {
    /// It is there, with one of the values.
    In,
    /// It is not there, or has none of the values.
    NotIn,
    /// It is there.
    Exists,
    /// It is not there.
    DoesNotExist,
}

impl Layer {
    /// Which clusters it is on; none when it is on networks only.
    #[must_use]
    pub fn of_clusters(&self) -> Option<Selector> {
        self.clusters.clone().or_else(|| self.networks.is_none().then(Selector::default))
    }
}

impl Selector {
    /// Whether a declaration with these labels is selected.
    #[must_use]
    pub fn matches(&self, labels: &IndexMap<String, String>) -> bool {
        self.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self.match_expressions.iter().all(|one| one.matches(labels))
    }

    /// Whether it selects everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Requirement {
    fn matches(&self, labels: &IndexMap<String, String>) -> bool {
        let value = labels.get(&self.key);
        match self.operator {
            Operator::In => value.is_some_and(|value| self.values.contains(value)),
            Operator::NotIn => value.is_none_or(|value| !self.values.contains(value)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }

    /// What is wrong with its form.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        match (self.operator, self.values.is_empty()) {
            (Operator::In, true) => Some("`In` needs `values`: without any it selects nothing"),
            (Operator::NotIn, true) => Some("`NotIn` needs `values`: without any it selects everything"),
            (Operator::Exists, false) => Some("`Exists` takes no `values`; `In` does"),
            (Operator::DoesNotExist, false) => Some("`DoesNotExist` takes no `values`; `NotIn` does"),
            _ => None,
        }
    }
}

impl std::fmt::Display for Selector {
    /// As `kubectl --selector` has it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let labels = self.match_labels.iter().map(|(key, value)| format!("{key}={value}"));
        let conditions = self.match_expressions.iter().map(|one| match one.operator {
            Operator::In => format!("{} in ({})", one.key, one.values.join(",")),
            Operator::NotIn => format!("{} notin ({})", one.key, one.values.join(",")),
            Operator::Exists => one.key.clone(),
            Operator::DoesNotExist => format!("!{}", one.key),
        });
        f.write_str(&labels.chain(conditions).collect::<Vec<_>>().join(","))
    }
}

impl Use {
    /// The overlay's name.
    #[must_use]
    pub fn overlay(&self) -> &str {
        match self {
            Use::Name(name) | Use::Parameters(Parameters { overlay: name, .. }) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selects(selector: &str, labels: &[(&str, &str)]) -> bool {
        let selector: Selector = serde_json::from_str(selector).unwrap_or_else(|error| panic!("{selector}: {error}"));
        selector.matches(&labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn operators_mean_what_they_mean_in_kubernetes() {
        let one = |operator: &str, values: &str| {
            let selector =
                format!(r#"{{"matchExpressions": [{{"key": "env", "operator": "{operator}", "values": [{values}]}}]}}"#);
            [&[("env", "prod")][..], &[("env", "dev")], &[("region", "eu")]].map(|labels| selects(&selector, labels))
        };
        assert_eq!(one("In", r#""prod", "staging""#), [true, false, false]);
        assert_eq!(one("NotIn", r#""prod", "staging""#), [false, true, true]);
        assert_eq!(one("Exists", ""), [true, true, false]);
        assert_eq!(one("DoesNotExist", ""), [false, false, true]);
    }

    #[test]
    fn everything_that_is_given_must_hold() {
        let selector = r#"{"matchLabels": {"env": "prod"}, "matchExpressions": [{"key": "pci", "operator": "DoesNotExist"}]}"#;
        assert!(selects(selector, &[("env", "prod")]));
        assert!(!selects(selector, &[("env", "prod"), ("pci", "yes")]));
        assert!(!selects(selector, &[("env", "dev")]));
        assert!(selects("{}", &[]));
    }
}
