//! kURL Installers: the add-ons of a Kubernetes cluster that Replicated's installer sets up with kubeadm.
//!
//! Facts are of replicatedhq/kURL (release v2026.08.06-0) and replicatedhq/kurlkinds: `installer_types.go` for the fields,
//! `kurl_util/cmd/yamltobash` for what they turn into, `scripts/common/kubernetes.sh` for ranges, `scripts/kustomize/kubeadm`
//! for ports and kube-proxy, `addons/weave` and `addons/flannel` for the network providers.

mod provider;
mod ranges;
mod reasons;

use findings::{Diagnostic, rules};
use schema::address::Cidr;
use tree::{FileId, Map, Node, Path, Span, Value};

use super::reading::Reading;
use super::version::Version;
use super::writing::{Choice, Draft, holds, text};
use super::{Dropped, Imported, label};

/// API versions of Installers.
const API_VERSIONS: [&str; 2] = ["cluster.kurl.sh/v1beta1", "kurl.sh/v1beta1"];
/// The newest Kubernetes that kURL carries (`packages/kubernetes`), which is what its test grid takes `latest` for.
const LATEST: Version = Version { minor: 36, patch: None };
/// Where kubeadm's API server listens, and kURL's with it (`scripts/install.sh`).
const API_PORT: i64 = 6443;

/// What an Installer does not say and a user may.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kurl {
    /// The range that the machines' addresses are from. An Installer knows nothing of it.
    pub network_cidr: Option<Cidr>,
}

/// Declarations from the documents of a kURL Installer; none when anything about it is an error.
///
/// `file` is what the documents were read from, `said` what the user adds to them. Errors and choices go to `findings`; what has
/// no counterpart is in the result.
pub fn kurl(documents: &[Node], file: FileId, said: &Kurl, findings: &mut Vec<Diagnostic>) -> Option<Imported> {
    let before = findings.len();
    let installer = only_installer(documents, file, findings)?;
    let mut work = Work::new(installer, findings)?;
    work.version();
    let pods = provider::write(&mut work);
    ranges::write(&mut work, pods, said.network_cidr);
    work.machines();
    let mut dropped = work.spec.dropped(reasons::INSTALLER);
    dropped.extend(strays(documents, installer));
    dropped.sort_by_key(|field| field.span.start);
    let Work { name, network, cluster, .. } = work;
    if !holds(&network, &cluster, before, findings) {
        return None;
    }
    let header = "Imported from a kURL Installer by `netloom import kurl`. What kURL's installer derives is written out here.";
    Some(Imported { name, text: text(header, &[&network, &cluster]), dropped })
}

/// An Installer being imported.
struct Work<'a, 'f> {
    spec: Reading<'a>,
    /// The declared cluster's name.
    name: String,
    network: Draft,
    cluster: Draft,
    findings: &'f mut Vec<Diagnostic>,
}

impl<'a, 'f> Work<'a, 'f> {
    fn new(installer: &'a Node, findings: &'f mut Vec<Diagnostic>) -> Option<Self> {
        let mut spec = Reading::new(installer, "Installer");
        let before = findings.len();
        let found = spec.text(&["metadata.name"], findings);
        let span = spec.span("metadata.name");
        let Some(name) = found.and_then(|(name, _)| label::from_name(name)) else {
            if findings.len() == before {
                let message = "the Installer has no `metadata.name` that a DNS label can be made of";
                findings.push(Diagnostic::new(&rules::IMPORT_FORM, span, message));
            }
            return None;
        };
        let network = Draft::new("Network", &format!("{name}-network"), span);
        let mut cluster = Draft::new("Cluster", &name, span);
        cluster.set("spec.network", Node::new(Value::String(format!("{name}-network").into()), span));
        Some(Self { spec, name, network, cluster, findings })
    }

    /// Notes a choice about a field of the declared network.
    fn choose_network(&mut self, field: &str, span: Span, what: impl Into<String>, help: impl Into<String>) {
        self.network.choose(&Choice { field, span, what: what.into(), help: help.into() }, self.findings);
    }

    /// Notes a choice about a field of the declared cluster.
    fn choose_cluster(&mut self, field: &str, span: Span, what: impl Into<String>, help: impl Into<String>) {
        self.cluster.choose(&Choice { field, span, what: what.into(), help: help.into() }, self.findings);
    }

    fn version(&mut self) {
        let path = "spec.kubernetes.version";
        let written = self.spec.text(&[path], self.findings);
        let span = self.spec.span(path);
        let version = match written {
            None | Some(("latest", _)) => LATEST,
            Some((text, _)) => {
                let Some(version) = Version::parse(text) else {
                    let message = format!("`{text}` is no Kubernetes version such as `1.32.x` or `latest`");
                    self.findings.push(Diagnostic::new(&rules::IMPORT_FORM, span, message));
                    return;
                };
                version
            }
        };
        let accepted = version.accepted();
        self.cluster.set("spec.kubernetesVersion", Node::new(Value::String(accepted.to_string().into()), span));
        let field = "spec.kubernetesVersion";
        if matches!(written, None | Some(("latest", _))) {
            let what = format!("the Installer does not name a version; {LATEST} is the newest that kURL carries");
            self.choose_cluster(field, span, what, "write the version that the cluster runs: `kubectl version` shows it");
        } else if accepted != version {
            let what = format!("Kubernetes {version} is older than any that netloom knows; {accepted} stands in");
            self.choose_cluster(field, span, what, "objects are checked against the schemas of the oldest it carries");
        }
    }

    /// What kURL's kubeadm configuration says of every cluster.
    fn machines(&mut self) {
        if let Some(pods) = self.spec.number(&["spec.kubernetes.maxPodsPerNode"], self.findings) {
            self.cluster.set("spec.nodes.maxPods", i64::from(pods));
        }
        self.cluster.set("spec.controlPlane.apiPort", API_PORT);
        // Calico's add-on alone patches it (`kubeproxy-config-v1alpha1.yml`).
        if self.spec.peek(&Path::dotted("spec.calico")).is_none() {
            self.cluster.set("spec.kubeProxy.mode", "ipvs");
            self.cluster.note("spec.kubeProxy.mode", "kURL runs kube-proxy with IPVS.");
        }
    }
}

fn only_installer<'a>(documents: &'a [Node], file: FileId, findings: &mut Vec<Diagnostic>) -> Option<&'a Node> {
    let installers: Vec<&Node> = documents.iter().filter(|node| node.str_at("kind") == Some("Installer")).collect();
    let kind = |node: &Node| node.get("kind").unwrap_or(node).span;
    match installers[..] {
        [one] => check_version(one, findings).then_some(one),
        [] => {
            let message = "there is no document of kind `Installer`";
            findings.push(Diagnostic::new(&rules::IMPORT_FORM, Span::file(file), message));
            None
        }
        [first, second, ..] => {
            let message = format!("there are {} documents of kind `Installer`, but a file is one cluster", installers.len());
            let finding = Diagnostic::new(&rules::IMPORT_FORM, kind(second), message);
            findings.push(finding.also(kind(first), "the first one").help("import them one by one"));
            None
        }
    }
}

fn check_version(node: &Node, findings: &mut Vec<Diagnostic>) -> bool {
    let version = node.str_at("apiVersion").unwrap_or_default();
    let known = API_VERSIONS.contains(&version);
    if !known {
        let span = node.get("apiVersion").unwrap_or(node).span;
        let message = match version {
            "" => "this `Installer` has no apiVersion".to_owned(),
            version => format!("`{version}` is no API version of kURL"),
        };
        let help = format!("kURL writes `{}`", API_VERSIONS[0]);
        findings.push(Diagnostic::new(&rules::IMPORT_FORM, span, message).help(help));
    }
    known
}

/// Documents beside the Installer.
fn strays(documents: &[Node], installer: &Node) -> Vec<Dropped> {
    let others = documents.iter().filter(|node| !std::ptr::eq(*node, installer));
    let stray = |node: &Node| {
        let kind = node.str_at("kind").unwrap_or("document");
        let name = node.at(&Path::dotted("metadata.name")).and_then(Node::as_str);
        let path = name.map_or(kind.to_owned(), |name| format!("{kind}[{name}]"));
        Dropped { path, reason: "only the Installer says something about the network".into(), span: node.span }
    };
    others.map(stray).collect()
}

/// An empty block of options.
fn empty(span: Span) -> Node {
    Node::new(Value::Map(Map::new()), span)
}
