//! Origins of files that netloom makes itself: runbooks, kustomizations, sync objects, deployment files and records.

use std::sync::Arc;

use serde_json::Value as Json;

use super::choice::Choice;
use super::cluster::key;
use super::declared;
use super::origin::{Kind, Origin};
use engine::{ClusterSeen, NetworkSeen};
use model::declare::{Declared, Project};
use tree::{Node, Path, Span, Step, Value};

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
    declared::at(&project.node, flavour(project), None).shortened()
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

/// Why fields of sync objects are what they are, by how they begin.
const REASONS: [(&str, &str); 6] = [
    ("metadata.annotations[argocd.argoproj.io/sync-wave]", ORDER),
    ("spec.dependsOn", ORDER),
    ("spec.prune", PRUNE),
    ("spec.deletionPolicy", PRUNE),
    ("spec.syncPolicy.automated.prune", PRUNE),
    ("spec.destination", "the cluster as Argo CD knows it; the one that Argo CD runs in, unless `destinations` names another"),
];
const ORDER: &str = "components are applied one after the other: namespaces and definitions, the network provider, DNS, everything \
                     else, network policies";
const PRUNE: &str = "whether objects that are gone from the folder are deleted: all but those of the network provider, with which \
                     the cluster would lose its network";

fn sync(project: &Declared<Project>, path: &Path, value: Option<Json>, name: Arc<Origin>) -> Origin {
    let (flavour, field) = (flavour(project), path.to_string());
    let tool = if flavour.ends_with("argo") { "an Argo CD Application" } else { "a Flux Kustomization" };
    let setting = SETTINGS.iter().find(|(shown, _)| *shown == field).map(|(_, setting)| {
        let mut path = Path::dotted(&format!("{flavour}.{setting}"));
        if *setting == "destinations" {
            path = path.child(name.value.as_ref().and_then(Json::as_str).unwrap_or_default());
        }
        let default = value.filter(|_| *setting != "destinations");
        Arc::new(declared::field(&project.node, &path, default).named(path.to_string()))
    });
    let place = matches!(field.as_str(), "spec.path" | "spec.source.path");
    let paths = ["spec.paths.repository", "spec.paths.output"].map(|path| declared::at(&project.node, path, None));
    let paths = paths.into_iter().filter(|origin| place && origin.kind == Kind::Declared);
    let inputs = setting.into_iter().chain(paths).chain([gitops(project), name]).collect();
    let reason = REASONS.iter().find(|(begins, _)| field.starts_with(begins)).map(|(_, reason)| (*reason).to_owned());
    Origin::computed(reason.unwrap_or_else(|| format!("{tool}, which applies one component of the cluster")), inputs)
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

/// A line of a cluster's README that the core writes, with what it shows of the declarations.
pub(super) fn runbook(seen: &ClusterSeen<'_>, origin: Origin, line: &str) -> Origin {
    let choice = Choice::of_cluster(seen);
    let mut inputs = origin.inputs.clone();
    for document in [&seen.effective.cluster.node, &seen.effective.network.node] {
        document.walk(&Path::default(), &mut |path, node| {
            let value = match &node.value {
                Value::Bool(_) | Value::Null | Value::Map(_) | Value::List(_) => return,
                _ => node.to_json(),
            };
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let known = inputs.iter().any(|input| input.value.as_ref() == Some(&value));
            if path.0.len() > 2 && key(path, 0) == Some("spec") && !known && shows(line, &text) {
                inputs.push(Arc::new(choice.chosen(declared::field(document, path, None).named(path.to_string()))));
            }
        });
    }
    Origin { inputs, ..origin }
}

/// Whether a line has a text as a word of its own: `10` is not in `10.0.0.0` nor in `m5.10xlarge`.
fn shows(line: &str, text: &str) -> bool {
    // A dot goes on to a digit, and ends a sentence otherwise.
    let joins = |mut chars: Box<dyn Iterator<Item = char> + '_>| match chars.next() {
        Some('.') => chars.next().is_some_and(|c| c.is_ascii_digit()),
        next => next.is_some_and(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '/')),
    };
    let mut found = line.match_indices(text);
    text.len() > 1
        && found.any(|(at, _)| !joins(Box::new(line[..at].chars().rev())) && !joins(Box::new(line[at + text.len()..].chars())))
}

#[cfg(test)]
mod tests {
    use super::shows;

    #[test]
    fn lines_show_words() {
        let line = "| Nodes | at most 120, with at most 110 pods each in `10.16.0.0/16`. |";
        let words = ["120", "110", "10.16.0.0/16"];
        assert!(words.iter().all(|word| shows(line, word)));
        let parts = ["12", "16", "10", "0/16", "10.16.0.0", "pod", "", "1"];
        assert!(!parts.iter().any(|part| shows(line, part)));
    }
}
