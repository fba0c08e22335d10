//! Origins of files that netloom makes itself: runbooks, kustomizations, sync objects, deployment files and records.

use std::sync::Arc;

use serde_json::Value as Json;

use super::cluster::key;
use super::declared;
use super::origin::{Kind, Origin};
use crate::declare::{Declared, Project};
use crate::tree::{Node, Path, Span, Step};
use crate::{ClusterSeen, NetworkSeen};

/// The name of a unit's record.
pub(super) const RECORD: &str = ".netloom.json";

/// The origin of a part of a cluster's file that is neither an object nor a template.
pub(super) fn cluster(seen: &ClusterSeen<'_>, file: &str, path: &Path, value: Option<Json>) -> Origin {
    let name = declared::at(&seen.effective.cluster.node, "metadata.name", None);
    match file.split('/').collect::<Vec<_>>().as_slice() {
        ["README.md"] => {
            let network = declared::at(&seen.effective.network.node, "metadata.name", None);
            let network = Arc::new(Origin::clone(&network).named("the network's metadata.name"));
            Origin::computed("the cluster's runbook, which netloom writes from its plan", vec![name, network])
        }
        ["kubernetes", _, "kustomization.yaml"] => {
            Origin::computed("the component's objects, in the order in which they can be applied", vec![name])
        }
        ["gitops", "kustomization.yaml"] => {
            Origin::computed("the sync objects of the cluster's components, in order", vec![name, gitops(seen.project)])
        }
        ["gitops", _] => sync(seen.project, path, value, name),
        _ => common(seen.project, file, path, name),
    }
}

/// The origin of a part of a network's file that is no template.
pub(super) fn network(seen: &NetworkSeen<'_>, file: &str, path: &Path) -> Origin {
    common(seen.project, file, path, declared::at(&seen.network.node, "metadata.name", None))
}

/// Deployment files and records, which networks have as well.
fn common(project: &Declared<Project>, file: &str, path: &Path, name: Arc<Origin>) -> Origin {
    if file == RECORD {
        let text = "netloom's record of what it wrote, by the BLAKE3 hash of each file";
        return Origin::computed(text, vec![name]);
    }
    let paths = || ["spec.paths.repository", "spec.paths.output"].map(|path| declared::at(&project.node, path, None));
    match key(path, 0) {
        Some("tags") => Origin::computed("the stack's tags", vec![declared::at(&project.node, "metadata.name", None)]),
        Some("template-file-path") => {
            let inputs = paths().into_iter().filter(|origin| origin.kind == Kind::Declared).chain([name]).collect();
            Origin::computed("where CloudFormation Git sync finds the template, from the repository's root", inputs)
        }
        _ => Origin::computed("for CloudFormation Git sync, which reads this file", vec![name]),
    }
}

/// The item of a list of files that a path leads to.
pub(super) fn listed<'n>(path: &Path, text: &'n Node) -> Option<&'n str> {
    let index = matches!(path.0.last(), Some(Step::Index(_)));
    text.at(path).filter(|_| index)?.as_str()
}

/// The project's choice of a sync tool.
fn gitops(project: &Declared<Project>) -> Arc<Origin> {
    declared::at(&project.node, flavour(project), None)
}

fn flavour(project: &Declared<Project>) -> &'static str {
    let has = |path| project.node.at(&Path::dotted(path)).is_some();
    if has("spec.gitops.argo") { "spec.gitops.argo" } else { "spec.gitops.flux" }
}

/// The settings of a sync tool, by the field of the sync object that shows them.
const SETTINGS: [(&str, &str); 9] = [
    ("spec.interval", "interval"),
    ("spec.sourceRef.name", "sourceName"),
    ("spec.decryption.secretRef.name", "decryptionSecret"),
    ("metadata.namespace", "namespace"),
    ("spec.source.repoURL", "repoURL"),
    ("spec.source.targetRevision", "targetRevision"),
    ("spec.project", "project"),
    ("spec.destination.name", "destinations"),
    ("spec.destination.server", "destinations"),
];

fn sync(project: &Declared<Project>, path: &Path, value: Option<Json>, name: Arc<Origin>) -> Origin {
    let (flavour, field) = (flavour(project), path.to_string());
    let tool = if flavour.ends_with("argo") { "an Argo CD Application" } else { "a Flux Kustomization" };
    let setting = SETTINGS.iter().find(|(shown, _)| *shown == field).map(|(_, setting)| {
        let path = format!("{flavour}.{setting}");
        declared::at(&project.node, &path, value)
    });
    let place = matches!(field.as_str(), "spec.path" | "spec.source.path");
    let paths = ["spec.paths.repository", "spec.paths.output"].map(|path| declared::at(&project.node, path, None));
    let paths = paths.into_iter().filter(|origin| place && origin.kind == Kind::Declared);
    let inputs = setting.into_iter().chain(paths).chain([gitops(project), name]).collect();
    Origin::computed(format!("{tool}, which applies one component of the cluster"), inputs)
}

/// An annotation that netloom adds for the project's sync tool.
pub(super) fn annotation(project: &Declared<Project>) -> Origin {
    let text =
        "netloom's annotation for the project's sync tool: what it must not delete or replace, and in which order it applies";
    Origin::computed(text, vec![gitops(project)])
}

/// The section of a cluster's README that a line is in, when it is an overlay's: its text template.
pub(super) fn section(seen: &ClusterSeen<'_>, text: &str, line: usize) -> Option<Origin> {
    let start = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum::<usize>();
    let runbooks = seen.instances.iter().filter_map(|instance| {
        let section = instance.runbook(&mut Vec::new())?;
        let at = text.find(section.trim())?;
        (at..at + section.trim().len()).contains(&start).then_some(instance)
    });
    let instance = runbooks.into_iter().next()?;
    let place = Span::file(instance.compiled.runbook?);
    let by = format!("the overlay {}", instance.overlay.name());
    Some(Origin { by, ..Origin::new(Kind::Program, place, "the overlay's section of the cluster's runbook") })
}
