//! kops manifests: a `Cluster` with its `InstanceGroup`s, as `kops get -o yaml` prints them.
//!
//! Both shapes of the API are read, v1alpha2 and v1alpha3, by the fields that are there and not by the version that is claimed:
//! manifests of the one shape with the version of the other exist. What kops would fill in is filled in as kops does it
//! (`upup/pkg/fi/cloudup/defaults.go`, `populate_cluster_spec.go` and `subnets.go` of kubernetes/kops).

mod allocate;
mod cluster;
mod defaults;
mod documents;
mod etcd;
mod groups;
mod ignored;
mod network;
mod pods;
mod provider;
mod reasons;
mod subnets;

use findings::{Diagnostic, rules};
use tree::{FileId, Node, Span};

use super::reading::Reading;
use super::version::Version;
use super::writing::{Choice, Draft, holds, text};
use super::{Imported, label};

/// What a kops manifest does not say and a user may.
#[derive(Clone, Debug, Default)]
pub struct Kops {
    /// The internet gateway (`igw-…`) of an existing VPC; kops looks it up in AWS.
    pub internet_gateway_id: Option<String>,
}

/// Declarations from the documents of a kops manifest; none when anything about it is an error.
///
/// `file` is what the documents were read from, `said` what the user adds to them. Errors and choices go to `findings`; what has
/// no counterpart is in the result.
pub fn kops(documents: &[Node], file: FileId, said: &Kops, findings: &mut Vec<Diagnostic>) -> Option<Imported> {
    let before = findings.len();
    let manifest = documents::sort(documents, file, findings)?;
    let mut work = Work::new(manifest.cluster, manifest.groups, findings)?;
    network::write(&mut work, said);
    cluster::write(&mut work);
    let mut dropped = work.dropped();
    dropped.extend(manifest.strays);
    dropped.sort_by_key(|field| (field.span.file, field.span.start));
    let Work { name, network, cluster, .. } = work;
    if !holds(&network, &cluster, before, findings) {
        return None;
    }
    let header =
        "Imported from a kops manifest by `netloom import kops`. What kops derives is written out here, so that nothing moves.";
    Some(Imported { name, text: text(header, &[&network, &cluster]), dropped })
}

/// A manifest being imported.
struct Work<'a, 'f> {
    /// The `Cluster` document.
    spec: Reading<'a>,
    /// The `InstanceGroup` documents.
    groups: Vec<groups::Group<'a>>,
    /// The cluster's name in kops, a domain name.
    full_name: &'a str,
    /// The declared cluster's name.
    name: String,
    /// The cluster's Kubernetes version, as it is there.
    version: Version,
    network: Draft,
    cluster: Draft,
    findings: &'f mut Vec<Diagnostic>,
}

impl<'a, 'f> Work<'a, 'f> {
    fn new(mut spec: Reading<'a>, groups: Vec<Reading<'a>>, findings: &'f mut Vec<Diagnostic>) -> Option<Self> {
        let (full_name, span) = required(&mut spec, "metadata.name", "the cluster's name", findings)?;
        let Some(name) = label::from_name(full_name) else {
            findings.push(Diagnostic::new(
                &rules::IMPORT_FORM,
                span,
                format!("no DNS label can be made of the name `{full_name}`"),
            ));
            return None;
        };
        let version = kubernetes_version(&mut spec, findings)?;
        let groups = groups.into_iter().map(|group| groups::Group::read(group, findings)).collect();
        let network = Draft::new("Network", &format!("{name}-network"), span);
        let cluster = Draft::new("Cluster", &name, span);
        Some(Self { spec, groups, full_name, name, version, network, cluster, findings })
    }

    /// Everything that was not used, document by document.
    fn dropped(&self) -> Vec<super::Dropped> {
        let groups = self.groups.iter().flat_map(|group| group.reading.dropped(reasons::GROUP));
        self.spec.dropped(reasons::CLUSTER).into_iter().chain(groups).collect()
    }

    /// Notes a choice about a field of the declared network.
    fn choose_network(&mut self, field: &str, span: Span, what: impl Into<String>, help: impl Into<String>) {
        self.network.choose(&Choice { field, span, what: what.into(), help: help.into() }, self.findings);
    }

    /// Notes a choice about a field of the declared cluster.
    fn choose_cluster(&mut self, field: &str, span: Span, what: impl Into<String>, help: impl Into<String>) {
        self.cluster.choose(&Choice { field, span, what: what.into(), help: help.into() }, self.findings);
    }

    /// Reports what keeps the manifest from being imported.
    fn refuse(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.findings.push(Diagnostic::new(&rules::IMPORT_FORM, span, message).help(help));
    }
}

fn required<'a>(spec: &mut Reading<'a>, path: &str, what: &str, findings: &mut Vec<Diagnostic>) -> Option<(&'a str, Span)> {
    let before = findings.len();
    let found = spec.text(&[path], findings);
    if found.is_none() && findings.len() == before {
        findings.push(Diagnostic::new(&rules::IMPORT_FORM, spec.span(path), format!("`{path}`, {what}, is missing")));
    }
    found
}

fn kubernetes_version(spec: &mut Reading<'_>, findings: &mut Vec<Diagnostic>) -> Option<Version> {
    let path = "spec.kubernetesVersion";
    let (text, span) = required(spec, path, "which kops takes from its channel when it is left out", findings)?;
    let version = Version::parse(text);
    if version.is_none() {
        let message = format!("`{text}` is no Kubernetes version such as `v1.33.2`");
        findings.push(Diagnostic::new(&rules::IMPORT_FORM, span, message));
    }
    version
}
