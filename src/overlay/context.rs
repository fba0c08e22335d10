//! What expressions see: the cluster, its network, an overlay's options and values.

use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::expression::to_value;
use crate::declare::{Cluster, Declared};
use crate::plan::NetworkPlan;
use crate::tree::{Sources, Span, from_json};

/// The variables of one overlay on one cluster, by name.
#[derive(Clone, Debug, Default)]
pub struct Variables(IndexMap<&'static str, Value>, IndexMap<String, Value>);

impl Variables {
    /// The variables that every overlay of a cluster sees.
    #[must_use]
    pub fn new(cluster: Value, network: Value, sources: &Arc<Sources>) -> Self {
        let sources = Arc::clone(sources);
        let file = Value::from_function(move |path: &str| {
            let found = sources.find(path).filter(|(_, source)| !source.path.starts_with("netloom:"));
            let missing =
                || Error::new(ErrorKind::InvalidOperation, format!("the project has no file `{path}` below its overlays"));
            found.map(|(_, source)| source.text.to_string()).ok_or_else(missing)
        });
        Self(IndexMap::from([("cluster", cluster), ("network", network), ("file", file)]), IndexMap::new())
    }

    /// Sets one of netloom's own variables.
    pub fn set(&mut self, name: &'static str, value: Value) {
        self.0.insert(name, value);
    }

    /// Sets one of the overlay's `values`.
    pub fn define(&mut self, name: &str, value: Value) {
        self.1.insert(name.to_owned(), value);
    }

    /// Makes `template('name.j2')` render the overlay's text templates over these variables.
    pub fn set_texts(&mut self, texts: &Arc<Environment<'static>>) {
        let texts = Arc::clone(texts);
        let names: Vec<String> = self.0.keys().map(ToString::to_string).chain(self.1.keys().cloned()).collect();
        let template = Value::from_function(move |state: &State, name: &str| {
            let known = names.iter().map(String::as_str).chain(["facts", "item"]);
            let seen = known.filter_map(|name| Some((name, state.lookup(name)?)));
            texts.get_template(name)?.render(Value::from_pairs(seen.collect::<Vec<_>>()))
        });
        self.0.insert("template", template);
    }

    /// The context for evaluating an expression.
    #[must_use]
    pub fn context(&self) -> Value {
        let own = self.1.iter().map(|(name, value)| (name.as_str(), value.clone()));
        Value::from_pairs(self.0.iter().map(|(name, value)| (*name, value.clone())).chain(own))
    }
}

/// A cluster as expressions see it: its effective `spec` with defaults, its names, and what is derived from them.
#[must_use]
pub fn cluster(declared: &Declared<Cluster>, dns_ip: std::net::IpAddr) -> Value {
    let cluster = &declared.value;
    let mut json = serde_json::to_value(&cluster.spec).unwrap_or_default();
    if let Some(map) = json.as_object_mut() {
        map.insert("name".into(), cluster.metadata.name.clone().into());
        map.insert("clusterName".into(), cluster.cluster_name().into());
        map.insert("labels".into(), serde_json::to_value(&cluster.metadata.labels).unwrap_or_default());
        map.insert("kubernetesMinor".into(), cluster.kubernetes_minor().into());
        map.insert("cniProvider".into(), cluster.spec.networking.keys().next().cloned().unwrap_or_default().into());
    }
    set_dns(&mut json, dns_ip);
    for path in ["/nodes/kernel", "/dns/nodeLocalCache"] {
        or_none(&mut json, path);
    }
    to_value(&from_json(&json, Span::NONE))
}

fn set_dns(json: &mut serde_json::Value, dns_ip: std::net::IpAddr) {
    if let Some(dns) = json.get_mut("dns").and_then(serde_json::Value::as_object_mut) {
        dns.insert("serviceIP".into(), dns_ip.to_string().into());
    }
}

/// An optional field that is not set is `none`, so that expressions can ask for it.
fn or_none(json: &mut serde_json::Value, path: &str) {
    let Some((parent, key)) = path.rsplit_once('/') else { return };
    if let Some(map) = json.pointer_mut(parent).and_then(serde_json::Value::as_object_mut) {
        map.entry(key).or_insert(serde_json::Value::Null);
    }
}

/// A network as expressions see it.
#[must_use]
pub fn network(plan: &NetworkPlan, labels: &IndexMap<String, String>) -> Value {
    let mut zones: Vec<&str> = plan.aws.iter().flat_map(|aws| &aws.subnets).map(|subnet| subnet.zone.as_str()).collect();
    zones.sort_unstable();
    zones.dedup();
    let json = serde_json::json!({
        "name": plan.name,
        "labels": labels,
        "mtu": plan.mtu,
        "cidrs": plan.cidrs,
        "platform": if plan.aws.is_some() { "aws" } else { "static" },
        "region": plan.aws.as_ref().map(|aws| &aws.region),
        "zones": zones,
    });
    to_value(&from_json(&json, Span::NONE))
}
