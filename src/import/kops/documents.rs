//! Which of a file's documents are the cluster and its groups.

use crate::Dropped;
use crate::reading::Reading;
use findings::{Diagnostic, rules};
use tree::{FileId, Node, Path, Span};

/// API versions of kops; `kops/v1alpha2` is the group's first name.
const API_VERSIONS: [&str; 3] = ["kops.k8s.io/v1alpha2", "kops.k8s.io/v1alpha3", "kops/v1alpha2"];
/// The label by which an instance group names its cluster.
const CLUSTER_LABEL: &str = "kops.k8s.io/cluster";

/// A file's documents.
pub(super) struct Manifest<'a> {
    /// The one `Cluster`.
    pub(super) cluster: Reading<'a>,
    /// Its `InstanceGroup`s.
    pub(super) groups: Vec<Reading<'a>>,
    /// Documents of other kinds or of other clusters.
    pub(super) strays: Vec<Dropped>,
}

/// Finds the cluster and its groups; none, with a finding, when there is not exactly one cluster.
pub(super) fn sort<'a>(documents: &'a [Node], file: FileId, findings: &mut Vec<Diagnostic>) -> Option<Manifest<'a>> {
    let of_kind = |kind: &str| -> Vec<&Node> { documents.iter().filter(|node| node.str_at("kind") == Some(kind)).collect() };
    let cluster = only_cluster(&of_kind("Cluster"), file, findings)?;
    let versions_hold = documents.iter().filter(|node| is_ours(node)).all(|node| check_version(node, findings));
    if !versions_hold {
        return None;
    }
    let name = cluster.at(&Path::dotted("metadata.name")).and_then(Node::as_str);
    let mut manifest = Manifest { cluster: Reading::new(cluster, "Cluster"), groups: Vec::new(), strays: Vec::new() };
    for node in documents.iter().filter(|node| !std::ptr::eq(*node, cluster)) {
        match stray(node, name) {
            Some(reason) => manifest.strays.push(Dropped { path: title(node), reason: reason.into(), span: node.span }),
            None => manifest.groups.push(Reading::new(node, title(node))),
        }
    }
    Some(manifest)
}

fn only_cluster<'a>(clusters: &[&'a Node], file: FileId, findings: &mut Vec<Diagnostic>) -> Option<&'a Node> {
    match clusters {
        [one] => Some(one),
        [] => {
            let finding = Diagnostic::new(&rules::IMPORT_FORM, Span::file(file), "there is no document of kind `Cluster`");
            findings.push(finding.help("`kops get NAME -o yaml` prints a cluster and its instance groups"));
            None
        }
        [first, second, ..] => {
            let message = format!("there are {} documents of kind `Cluster`, but a file is one cluster", clusters.len());
            let finding = Diagnostic::new(&rules::IMPORT_FORM, field(second, "kind"), message);
            findings.push(finding.also(field(first, "kind"), "the first one").help("import them one by one"));
            None
        }
    }
}

/// Whether the document is of a kind that is imported.
fn is_ours(node: &Node) -> bool {
    matches!(node.str_at("kind"), Some("Cluster" | "InstanceGroup"))
}

fn check_version(node: &Node, findings: &mut Vec<Diagnostic>) -> bool {
    let version = node.str_at("apiVersion").unwrap_or_default();
    if API_VERSIONS.contains(&version) {
        return true;
    }
    let kind = node.str_at("kind").unwrap_or_default();
    let message = match version {
        "" => format!("this `{kind}` has no apiVersion"),
        version => format!("`{version}` is no API version of kops"),
    };
    let finding = Diagnostic::new(&rules::IMPORT_FORM, field(node, "apiVersion"), message);
    findings.push(finding.help(format!("kops writes one of: {}", API_VERSIONS.join(", "))));
    false
}

/// Why a document is no group of the cluster; none when it is one.
fn stray(node: &Node, cluster: Option<&str>) -> Option<String> {
    let kind = node.str_at("kind").unwrap_or_default();
    if kind != "InstanceGroup" {
        return Some(format!("the kind `{kind}` says nothing about the network"));
    }
    let label = Path::dotted("metadata.labels").child(CLUSTER_LABEL);
    let of = node.at(&label).and_then(Node::as_str)?;
    (Some(of) != cluster).then(|| format!("it is of the cluster `{of}`"))
}

/// What to call a document in lists.
fn title(node: &Node) -> String {
    let kind = node.str_at("kind").unwrap_or("document");
    match node.at(&Path::dotted("metadata.name")).and_then(Node::as_str) {
        Some(name) => format!("{kind}[{name}]"),
        None => kind.to_owned(),
    }
}

fn field(node: &Node, key: &str) -> Span {
    node.get(key).unwrap_or(node).span
}
