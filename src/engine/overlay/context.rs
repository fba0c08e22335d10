//! What expressions see: the cluster, its network, an overlay's options and values.

use std::sync::{Arc, PoisonError, RwLock};

use indexmap::IndexMap;
use minijinja::value::{Enumerator, Object, Serde};
use minijinja::{Environment, Error, ErrorKind, State, Value};

use model::declare::{Cluster, Declared};
use model::plan::{AwsPlan, NetworkPlan, Vpc};
use tree::Sources;

/// Variables by name: an object of the template engine, so that what is set later is seen by every expression from then on.
#[derive(Clone, Debug)]
pub struct Variables(Arc<Scope>);

/// The variables of one level; what it lacks is looked up in the level outside of it.
#[derive(Debug, Default)]
struct Scope {
    outer: Option<Arc<Scope>>,
    own: RwLock<Vec<(String, Value)>>,
}

impl Object for Scope {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let own = self.own.read().unwrap_or_else(PoisonError::into_inner);
        let found = own.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.clone());
        found.or_else(|| self.outer.as_ref()?.get_value_by_str(key))
    }

    /// The names, for suggestions.
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.names().into_iter().map(Value::from).collect())
    }
}

impl Scope {
    fn names(&self) -> Vec<String> {
        let mut names = self.outer.as_ref().map(|outer| outer.names()).unwrap_or_default();
        names.extend(self.own.read().unwrap_or_else(PoisonError::into_inner).iter().map(|(name, _)| name.clone()));
        names
    }
}

impl Variables {
    /// The variables that every overlay of a cluster sees, or of a network, which has no cluster of its own; files are those below
    /// the folder `overlays`.
    #[must_use]
    pub fn new(cluster: Option<Value>, network: Value, sources: &Arc<Sources>, overlays: &str) -> Self {
        let below: Arc<str> = format!("{overlays}/").into();
        let find = move |sources: &Sources, path: &str| {
            let found = sources.find(path).filter(|_| path.starts_with(&*below));
            found.map(|(_, source)| source.text.to_string())
        };
        let (of_file, of_test) = (Arc::clone(sources), Arc::clone(sources));
        let test = find.clone();
        let file = Value::from_function(move |path: &str| {
            let missing = || {
                let message = format!("the project has no file `{path}` below its overlays");
                Error::new(ErrorKind::InvalidOperation, message)
            };
            find(&of_file, path).ok_or_else(missing)
        });
        let has_file = Value::from_function(move |path: &str| test(&of_test, path).is_some());
        let variables = Self(Arc::default());
        cluster.into_iter().for_each(|cluster| variables.set("cluster", cluster));
        variables.set("network", network);
        variables.set("file", file);
        variables.set("has_file", has_file);
        // Each overlay adds its own, so that later ones see what they are on: what of NetworkPolicy the provider enforces.
        variables.set("facts", Value::from_pairs([] as [(&str, Value); 0]));
        variables
    }

    /// A level inside of this one.
    #[must_use]
    pub fn inner(&self) -> Self {
        Self(Arc::new(Scope { outer: Some(Arc::clone(&self.0)), own: RwLock::default() }))
    }

    /// Sets a variable.
    pub fn set(&self, name: &str, value: Value) {
        self.0.own.write().unwrap_or_else(PoisonError::into_inner).push((name.to_owned(), value));
    }

    /// Makes `template('name.j2')` render the overlay's text templates over these variables; `values` are the overlay's own.
    pub fn set_texts(&self, texts: &Arc<Environment<'static>>, values: &[String]) {
        let texts = Arc::clone(texts);
        let names: Vec<String> = KNOWN.iter().map(ToString::to_string).chain(values.iter().cloned()).collect();
        let template = Value::from_function(move |state: &State, name: &str| {
            let seen = names.iter().filter_map(|name| Some((name.as_str(), state.lookup(name)?)));
            texts.get_template(name)?.render(Value::from_pairs(seen.collect::<Vec<_>>()))
        });
        self.set("template", template);
    }

    /// The context for evaluating an expression.
    #[must_use]
    pub fn context(&self) -> Value {
        Value::from_dyn_object(Arc::clone(&self.0))
    }
}

/// The variables that netloom sets.
const KNOWN: [&str; 7] = ["cluster", "network", "file", "has_file", "options", "facts", "item"];

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
    for path in ["/nodes/kernel", "/dns/nodeLocalCache", "/controlPlane/apiHost"] {
        or_none(&mut json, path);
    }
    Value::from(Serde(&json))
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

/// A network as expressions see it; one that is not on AWS has no topology, no zones and no subnets.
#[must_use]
pub fn network(plan: &NetworkPlan, labels: &IndexMap<String, String>) -> Value {
    let mut zones: Vec<&str> = plan.aws.iter().flat_map(|aws| &aws.subnets).map(|subnet| subnet.zone.as_str()).collect();
    zones.sort_unstable();
    zones.dedup();
    let subnets =
        plan.aws.iter().flat_map(|aws| &aws.subnets).map(
            |subnet| serde_json::json!({ "name": subnet.name, "zone": subnet.zone, "tier": subnet.kind, "cidr": subnet.cidr }),
        );
    let json = serde_json::json!({
        "name": plan.name,
        "labels": labels,
        "mtu": plan.mtu,
        "cidrs": plan.cidrs,
        "platform": if plan.aws.is_some() { "aws" } else { "static" },
        "region": plan.aws.as_ref().map(|aws| &aws.region),
        // The existing VPC that it is; of one that the stack makes, `Ref: Vpc` gives the id.
        "vpcID": plan.aws.as_ref().and_then(|aws| match &aws.vpc {
            Vpc::Existing { id } => Some(id),
            Vpc::Owned { .. } => None,
        }),
        "zones": zones,
        "topology": plan.aws.as_ref().map(|aws| aws.topology),
        "natGateways": plan.aws.as_ref().map_or(0, AwsPlan::nat_gateways_in_use),
        "subnets": subnets.collect::<Vec<_>>(),
    });
    Value::from(Serde(&json))
}
