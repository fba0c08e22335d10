//! The way of a pod's question for a name, as final objects and facts have it.
//!
//! Nothing is taken from what was declared: an overlay of the project's own may stand in the place of a stock one, and a patch may
//! change either. Where objects say nothing, neither does this: a cluster's DNS is often installed by somebody else.

pub mod corefile;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use corefile::{Corefile, Forward};
use model::declare::Facts;
use model::plan::ClusterPlan;
use schema::{Identity, Object, pod_spec, show_object};
use tree::Node;

const DNS_PORT: i64 = 53;
/// What installers give the pods of a cluster's DNS as a label, and its Service as a name.
const KUBE_DNS: &str = "kube-dns";
/// The namespace of a cluster's DNS.
const NAMESPACE: &str = "kube-system";
/// What the cache puts the address of the cluster's DNS servers in for.
const CLUSTER_DNS: &str = "__PILLAR__CLUSTER__DNS__";
/// What the cache puts the servers of a ConfigMap in for, or else those of the node.
const UPSTREAM: &str = "__PILLAR__UPSTREAM__SERVERS__";
/// What the cache puts the addresses of its option `-localip` in for.
const LOCAL: &str = "__PILLAR__LOCAL__DNS__";

/// The way of a question, from the pod outwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Whom pods ask.
    pub asks: IpAddr,
    /// What answers on the node, where anything does.
    pub node: Option<Cache>,
    /// What the cluster's DNS forwards, as far as it is known; none where no question comes there.
    pub cluster: Option<Vec<Forward>>,
}

/// What answers on every node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cache {
    /// Its object; none where only facts tell of it.
    pub object: Option<String>,
    /// What it listens on.
    pub addresses: Vec<String>,
    /// What it forwards, in words for people: [`Cache::CLUSTER`] stands for the cluster's DNS.
    pub forwards: Vec<Forward>,
}

impl Cache {
    /// The cluster's DNS as a server.
    pub const CLUSTER: &str = "cluster DNS";

    fn asks_cluster(&self) -> bool {
        self.forwards.iter().any(|forward| forward.to.iter().any(|to| to == Self::CLUSTER))
    }
}

impl Way {
    /// Finds the way among the final objects of a cluster.
    #[must_use]
    pub fn new<'f>(plan: &ClusterPlan, facts: impl IntoIterator<Item = &'f Facts>, objects: &[Arc<Object>]) -> Self {
        let (asks, here) = (plan.kubelet_dns, Here { objects, ip: plan.dns_ip });
        let of_nodes: Vec<IpAddr> = facts.into_iter().flat_map(|facts| facts.node_dns.iter().copied()).collect();
        let (of_cluster, others): (Vec<Server<'_>>, Vec<Server<'_>>) =
            objects.iter().filter_map(|object| here.server(object)).partition(|server| here.is_clusters(server));
        let mut caches = others.iter().filter(|server| server.identity.kind == "DaemonSet");
        let direct = asks == plan.dns_ip;
        // Facts alone tell of what is no object of netloom's; that something has the DNS service's address they cannot.
        let told = || (!direct && of_nodes.contains(&asks)).then(|| Cache { addresses: words(&of_nodes), ..Cache::default() });
        let node = match caches.clone().next() {
            None => told(),
            Some(_) => caches.find_map(|server| here.cache(server, asks, &of_nodes)),
        };
        let arrives = node.as_ref().map_or(direct, Cache::asks_cluster);
        Self { asks, node, cluster: arrives.then(|| here.forwards(&of_cluster)) }
    }
}

/// The pods of a workload that answers DNS.
struct Server<'a> {
    identity: &'a Identity,
    pod: &'a Node,
    labels: Option<&'a Node>,
    corefiles: Vec<Corefile>,
}

impl Server<'_> {
    fn is_labelled(&self, labels: &Node) -> bool {
        let same = |key: &str, value: &Node| self.labels.and_then(|labels| labels.str_at(key)) == value.as_str();
        labels.as_map().is_some_and(|labels| !labels.is_empty() && labels.iter().all(|(key, value)| same(&key.text, value)))
    }

    fn on_host(&self) -> bool {
        self.pod.get("hostNetwork").and_then(Node::as_bool) == Some(true)
    }
}

/// Whether a container of these pods has the port of DNS.
#[must_use]
pub fn has_port(pod: &Node) -> bool {
    let ports = list(pod, "containers").iter().flat_map(|container| list(container, "ports"));
    ports.into_iter().any(|port| port.get("containerPort").and_then(Node::as_int) == Some(DNS_PORT))
}

/// The final objects, and the DNS service's address.
struct Here<'a> {
    objects: &'a [Arc<Object>],
    ip: IpAddr,
}

impl<'a> Here<'a> {
    fn of_kind(&self, kind: &'static str) -> impl Iterator<Item = &'a Object> + use<'a> {
        self.objects.iter().map(Arc::as_ref).filter(move |object| object.identity.kind == kind)
    }

    fn server(&self, object: &'a Object) -> Option<Server<'a>> {
        let (_, template) = pod_spec(&object.identity.kind)?.split_last()?;
        let template = template.iter().try_fold(&object.node, |node, key| node.get(key))?;
        let (identity, pod) = (&object.identity, template.get("spec")?);
        let labels = template.get("metadata").and_then(|metadata| metadata.get("labels"));
        let corefiles = self.corefiles(pod, &identity.namespace);
        (has_port(pod) || !corefiles.is_empty()).then_some(Server { identity, pod, labels, corefiles })
    }

    /// The Corefiles that pods mount.
    fn corefiles(&self, pod: &Node, namespace: &str) -> Vec<Corefile> {
        let mut found = Vec::new();
        for mounted in list(pod, "volumes").iter().filter_map(|volume| volume.get("configMap")) {
            let Some(data) = mounted.str_at("name").and_then(|name| self.config(namespace, name)) else { continue };
            let items = list(mounted, "items").iter().filter_map(|item| item.str_at("key").zip(item.str_at("path")));
            let all = data.as_map().into_iter().flat_map(|data| data.iter()).map(|(key, _)| (&*key.text, &*key.text));
            let files: Vec<_> = if mounted.get("items").is_some() { items.collect() } else { all.collect() };
            let keys = files.into_iter().filter(|(_, path)| is_corefile(path, pod)).map(|(key, _)| key);
            found.extend(keys.filter_map(|key| data.str_at(key)).map(Corefile::read));
        }
        found
    }

    /// The data of a ConfigMap.
    fn config(&self, namespace: &str, name: &str) -> Option<&'a Node> {
        let wanted = |object: &&Object| object.identity.namespace == namespace && object.identity.name == name;
        self.of_kind("ConfigMap").find(wanted)?.node.get("data")
    }

    /// The cluster's DNS service, where it is among the objects.
    fn service(&self) -> Option<&'a Object> {
        let named = |object: &&Object| object.identity.namespace == NAMESPACE && object.identity.name == KUBE_DNS;
        let all = || self.of_kind("Service");
        all().find(|service| address(service) == Some(self.ip)).or_else(|| all().find(named))
    }

    /// Whether the cluster's DNS service leads to these pods: by its selector, or by the label that installers give them.
    fn is_clusters(&self, server: &Server<'_>) -> bool {
        match self.service() {
            Some(service) => {
                let selector = service.node.get("spec").and_then(|spec| spec.get("selector"));
                service.identity.namespace == server.identity.namespace
                    && selector.is_some_and(|labels| server.is_labelled(labels))
            }
            None => {
                server.identity.namespace == NAMESPACE
                    && server.labels.and_then(|labels| labels.str_at("k8s-app")) == Some(KUBE_DNS)
            }
        }
    }

    /// Whether an address is that of a Service that leads to the cluster's DNS.
    fn leads_to_cluster(&self, ip: IpAddr) -> bool {
        let selector = |service: &'a Object| service.node.get("spec")?.get("selector");
        let of_cluster = self.service().and_then(selector);
        let same = |service: &'a Object| match (selector(service), of_cluster) {
            (Some(one), Some(other)) => one == other,
            (one, None) => one.and_then(|labels| labels.str_at("k8s-app")) == Some(KUBE_DNS),
            (None, _) => false,
        };
        ip == self.ip || self.of_kind("Service").any(|service| address(service) == Some(ip) && same(service))
    }

    /// What the cluster's DNS forwards: its servers' Corefiles, or the one that installers mount in them.
    fn forwards(&self, servers: &[Server<'_>]) -> Vec<Forward> {
        let theirs = servers.iter().flat_map(|server| &server.corefiles).flat_map(Corefile::forwards);
        let mut seen = BTreeSet::new();
        let mut all: Vec<Forward> = theirs.filter(|one| seen.insert(one.clone())).collect();
        let installed = || {
            self.service().is_none_or(|service| {
                service.node.get("spec").and_then(|spec| spec.get("selector")?.str_at("k8s-app")) == Some(KUBE_DNS)
            })
        };
        if servers.is_empty() && installed() {
            let text = self.config(NAMESPACE, "coredns").and_then(|data| data.str_at("Corefile"));
            all = text.map(|text| Corefile::read(text).forwards()).unwrap_or_default();
        }
        all
    }

    /// What answers on the node, if a question to `asks` comes to it.
    fn cache(&self, server: &Server<'_>, asks: IpAddr, of_nodes: &[IpAddr]) -> Option<Cache> {
        let binds: Option<Vec<&str>> = server.corefiles.iter().map(Corefile::binds).try_fold(Vec::new(), |mut all, one| {
            all.extend(one?);
            Some(all)
        });
        let binds = binds.filter(|binds| !binds.is_empty());
        let local = || options(server.pod, "-localip").into_iter().flat_map(|text| text.split(','));
        let addresses: Vec<String> = match (&binds, server.on_host()) {
            (Some(binds), true) => {
                let all = binds.iter().flat_map(|bind| if *bind == LOCAL { local().collect() } else { vec![*bind] });
                let mut seen = BTreeSet::new();
                all.filter(|one| seen.insert(*one)).map(ToOwned::to_owned).collect()
            }
            (None, true) => words(of_nodes),
            // Each has an address of its own, which nobody knows.
            (_, false) => Vec::new(),
        };
        let listens = |ip: IpAddr| addresses.iter().any(|address| address.parse() == Ok(ip));
        // One that listens on whatever the node has is asked there if kubelets name it, and not the service.
        let reached = self.redirected(server) || (server.on_host() && (listens(asks) || (binds.is_none() && asks != self.ip)));
        if !reached {
            return None;
        }
        let mut forwards: Vec<Forward> = server.corefiles.iter().flat_map(Corefile::forwards).collect();
        for to in forwards.iter_mut().flat_map(|forward| &mut forward.to) {
            let ip = host(to).filter(|ip| !listens(*ip));
            if *to == CLUSTER_DNS || ip.is_some_and(|ip| self.leads_to_cluster(ip)) {
                *to = Cache::CLUSTER.to_owned();
            } else if *to == UPSTREAM {
                *to = upstream(server.pod);
            }
        }
        Some(Cache { object: Some(show_object(server.identity)), addresses, forwards })
    }

    /// Whether an object of the provider's sends questions for the DNS service to these pods.
    fn redirected(&self, server: &Server<'_>) -> bool {
        let service = self.service().map_or((NAMESPACE, KUBE_DNS), |it| (&*it.identity.namespace, &*it.identity.name));
        self.objects.iter().filter(|object| object.identity.namespace == server.identity.namespace).any(|object| {
            let Some(spec) = object.node.get("spec") else { return false };
            let from = spec.get("redirectFrontend");
            let from = from.and_then(|from| from.get("serviceMatcher"));
            let from = from.and_then(|from| from.str_at("namespace").zip(from.str_at("serviceName")));
            let to = spec.get("redirectBackend").and_then(|to| to.get("localEndpointSelector")?.get("matchLabels"));
            from == Some(service) && to.is_some_and(|labels| server.is_labelled(labels))
        })
    }
}

/// The servers that the cache puts in for its placeholder.
fn upstream(pod: &Node) -> String {
    let mut mounted = list(pod, "volumes").iter().filter_map(|volume| volume.get("configMap")?.str_at("name"));
    match mounted.find(|name| *name == KUBE_DNS) {
        Some(name) => format!("the servers of ConfigMap {name}, or else /etc/resolv.conf"),
        None => "/etc/resolv.conf".to_owned(),
    }
}

/// Whether a file is a Corefile: it is called so, or an argument names it.
fn is_corefile(path: &str, pod: &Node) -> bool {
    let file = path.rsplit('/').next().unwrap_or_default();
    file.starts_with("Corefile") || options(pod, "-conf").iter().any(|conf| conf.rsplit('/').next() == Some(file))
}

/// The values of an option of the containers, behind `=` or as the next argument.
fn options<'a>(pod: &'a Node, option: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    for container in list(pod, "containers") {
        let given = ["command", "args"].into_iter().flat_map(|key| list(container, key));
        let given: Vec<&str> = given.filter_map(Node::as_str).collect();
        for (at, argument) in given.iter().enumerate() {
            match argument.strip_prefix(option) {
                Some("") => found.extend(given.get(at + 1)),
                Some(rest) => found.extend(rest.strip_prefix('=')),
                None => {}
            }
        }
    }
    found
}

/// The address of a Service.
fn address(service: &Object) -> Option<IpAddr> {
    service.node.get("spec")?.str_at("clusterIP")?.parse().ok()
}

/// The address of a server as a Corefile has it, with a port or without.
fn host(server: &str) -> Option<IpAddr> {
    let server = server.strip_prefix("dns://").unwrap_or(server);
    server.parse().ok().or_else(|| server.parse().map(|socket: std::net::SocketAddr| socket.ip()).ok())
}

fn list<'a>(node: &'a Node, key: &str) -> &'a [Node] {
    node.get(key).and_then(Node::as_list).unwrap_or_default()
}

fn words(addresses: &[IpAddr]) -> Vec<String> {
    addresses.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests;
