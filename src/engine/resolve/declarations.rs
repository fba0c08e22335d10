//! The documents of the declarations folder, by kind.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use rayon::prelude::*;

use crate::overlay::jsonnet::Jsonnet;
use findings::{Diagnostic, Label, Severity, rules};
use model::declare::{API_VERSION, Cluster, Declared};
use schema::version::Version;
use tree::{FileId, Node, Path, Source, Sources, Span, from_json};

/// Every declaration, not yet decoded, in the order of file paths.
#[derive(Debug, Default)]
pub struct Documents {
    /// `kind: Network`.
    pub networks: Vec<Node>,
    /// `kind: Cluster`.
    pub clusters: Vec<Node>,
    /// Names of networks that are declared but not valid, so that nobody is told they are missing.
    pub broken: Vec<String>,
}

impl Documents {
    /// Reads every declaration below `folder`: YAML documents, and Jsonnet programs that yield one or a list of them.
    pub fn read(sources: &Sources, folder: &str, jsonnet: &Jsonnet, findings: &mut Vec<Diagnostic>) -> Self {
        let prefix = format!("{}/", folder.trim_end_matches('/'));
        let files: Vec<_> = sources.iter().filter(|(_, source)| source.path.starts_with(&prefix)).collect();
        let read = files.par_iter().map(|(id, source)| {
            let mut findings = Vec::new();
            let nodes = match source.path.rsplit('.').next() {
                Some("yaml" | "yml" | "json") => yaml::read(&source.text, *id, &mut findings),
                Some("jsonnet") => program(*id, jsonnet, &mut findings),
                _ => Vec::new(),
            };
            (nodes, findings)
        });
        let mut documents = Self::default();
        for (nodes, mut found) in read.collect::<Vec<_>>() {
            findings.append(&mut found);
            nodes.into_iter().for_each(|node| documents.add(node, findings));
        }
        documents
    }

    /// The minor versions of Kubernetes that clusters name, before any patch.
    #[must_use]
    pub fn kubernetes_minors(&self) -> BTreeSet<u32> {
        let versions = self.clusters.iter().filter_map(|node| node.get("spec")?.str_at("kubernetesVersion"));
        versions.filter_map(|text| text.parse().ok()).map(|version: Version| version.minor).collect()
    }

    fn add(&mut self, node: Node, findings: &mut Vec<Diagnostic>) {
        let version = node.str_at("apiVersion");
        match node.str_at("kind") {
            Some("Network") if version == Some(API_VERSION) => self.networks.push(node),
            Some("Cluster") if version == Some(API_VERSION) => self.clusters.push(node),
            kind => findings.push(unknown(&node, kind, version)),
        }
    }
}

/// A document that is no declaration, with what is missing for it to be one.
fn unknown(node: &Node, kind: Option<&str>, version: Option<&str>) -> Diagnostic {
    let known = matches!(kind, Some("Network" | "Cluster"));
    let (what, place) = match (kind, version) {
        (Some(kind), Some(version)) => (format!("{kind} of {version}"), node.get(if known { "apiVersion" } else { "kind" })),
        (Some(kind), None) => (format!("{kind} without `apiVersion`"), None),
        (None, _) => (format!("{} without `kind`", node.kind()), None),
    };
    let place = place.unwrap_or(node).span;
    let finding = Diagnostic::new(&rules::UNKNOWN_KIND, place, format!("{what} stands among the declarations"));
    if known {
        return finding.help(format!("write `apiVersion: {API_VERSION}`"));
    }
    let finding = finding.help(format!("declarations are `Network` and `Cluster` of `{API_VERSION}`"));
    finding.suggest(kind.unwrap_or_default(), ["Network", "Cluster"])
}

fn program(file: FileId, jsonnet: &Jsonnet, findings: &mut Vec<Diagnostic>) -> Vec<Node> {
    match jsonnet.eval(file, &[]) {
        Ok(serde_json::Value::Array(items)) => items.iter().map(|item| from_json(item, Span::file(file))).collect(),
        Ok(one) => vec![from_json(&one, Span::file(file))],
        Err(finding) => {
            findings.push(finding);
            Vec::new()
        }
    }
}

/// Says in findings which declaration they are about; in the message where the place alone does not: a program's declarations all
/// stand at its beginning.
pub fn attribute(declaration: &Node, findings: &mut [Diagnostic]) {
    let declared = declaration.nearest(&Path::dotted("metadata.name")).span;
    findings.iter_mut().for_each(|finding| finding.declared = declared);
    if !is_made(declaration) {
        return;
    }
    let name = declaration.get("metadata").and_then(|metadata| metadata.str_at("name")).unwrap_or("without a name");
    let kind = declaration.str_at("kind").unwrap_or("declaration");
    findings.iter_mut().for_each(|finding| finding.message.push_str(&format!(" ({kind} {name})")));
}

/// Whether a program made a declaration.
pub(super) fn is_made(declaration: &Node) -> bool {
    declaration.span.start == declaration.span.end
}

/// Moves findings from a file of netloom's own, which nobody can mend, to the cluster that it was rendered for.
pub fn owned(cluster: &Declared<Cluster>, sources: &Sources, findings: &mut [Diagnostic]) {
    let stock = |span: Span| sources.get(span.file).is_some_and(Source::is_embedded);
    for finding in findings.iter_mut().filter(|finding| finding.severity > Severity::Note && stock(finding.span)) {
        finding.labels.insert(0, Label { span: finding.span, text: "rendered from here".to_owned() });
        finding.span = cluster.span("metadata.name");
    }
}

/// Reports declarations of one kind whose names are equal, or differ in case only.
pub(super) fn unique<I, T>(
    items: &[I],
    declared: impl Fn(&I) -> &Declared<T>,
    name: impl Fn(&Declared<T>) -> &str,
    findings: &mut Vec<Diagnostic>,
) {
    let mut seen: IndexMap<String, Span> = IndexMap::new();
    for one in items.iter().map(declared) {
        let here = one.span("metadata.name");
        if let Some(first) = seen.get(&name(one).to_lowercase()) {
            let message = format!("the name `{}` is taken", name(one));
            findings.push(Diagnostic::new(&rules::NAME_TAKEN, here, message).also(*first, "first here"));
        } else {
            seen.insert(name(one).to_lowercase(), here);
        }
    }
}
