//! A project as it was read, before anything is made of it.

use std::sync::Arc;

use super::Request;
use crate::judge::Judge;
use crate::overlay::jsonnet::Jsonnet;
use crate::overlay::library::{self, Library};
use crate::resolve::{self, Documents, Effective};
use checks::policy::{self, Policies};
use files::git::Tree;
use files::load;
use findings::{Diagnostic, rules};
use model::declare::{self, Declared, Project};
use tree::{Sources, Span};

/// What was read.
pub(super) struct Opened {
    pub(super) project: Declared<Project>,
    pub(super) sources: Arc<Sources>,
    pub(super) jsonnet: Jsonnet,
    pub(super) library: Library,
    pub(super) documents: Documents,
    pub(super) findings: Vec<Diagnostic>,
}

/// Why nothing can be made of a project.
pub(super) struct Unread {
    pub(super) sources: Arc<Sources>,
    pub(super) findings: Vec<Diagnostic>,
}

/// Reads a project as it is in its folder or in Git: its overlays and its declarations.
pub(super) fn open(request: &Request, stored: Option<&Arc<Tree>>, judge: Option<&Judge<'_>>) -> Result<Opened, Unread> {
    let beside = |judge: &Judge<'_>| Sources::beside(judge.name, Arc::clone(judge.rules.sources));
    let (mut findings, mut sources) = (Vec::new(), judge.map(beside).unwrap_or_default());
    rayon::spawn(declare::prepare);
    let project = read(&request.root, stored, &mut sources, &mut findings);
    let sources = Arc::new(sources);
    let Some(project) = project.filter(|_| !findings::has_errors(&findings)) else {
        return Err(Unread { sources, findings });
    };
    let jsonnet = Jsonnet::new(&request.worker, Arc::clone(&sources));
    let library = Library::read(&sources, &project.value.spec.paths.overlays, &mut findings);
    let documents = Documents::read(&sources, &project.value.spec.paths.declarations, &jsonnet, &mut findings);
    unknown_clusters(&request.clusters, &documents, &mut findings);
    Ok(Opened { project, sources, jsonnet, library, documents, findings })
}

/// Resolves a project's clusters and lets `look` see them: for commands that render nothing.
pub fn resolved<T>(
    request: &Request,
    look: impl FnOnce(&[Effective<'_>], &Sources) -> T,
) -> (Option<T>, Arc<Sources>, Vec<Diagnostic>) {
    let Opened { project, sources, library, mut documents, mut findings, .. } = match open(request, None, None) {
        Ok(opened) => opened,
        Err(Unread { sources, findings }) => return (None, sources, findings),
    };
    let layered = resolve::layered(&mut documents, &project, &library, &mut findings);
    let networks = resolve::networks(&mut documents, &mut findings);
    let clusters = resolve::clusters(&documents, layered, &project, &library, &networks, &mut findings);
    let seen = look(&clusters, &sources);
    // Policies are not evaluated here, but their codes are known.
    let policies = Policies::read(&sources, &project, &mut Vec::new()).codes(&sources);
    resolve::severities(&project, &library, &policies, &mut findings);
    findings::sort(&mut findings, &sources);
    (Some(seen), sources, findings)
}

/// Reads the stock overlays and policies, `netloom.yaml`, and the project's declarations, overlays and policies.
fn read(
    root: &std::path::Path,
    stored: Option<&Arc<Tree>>,
    sources: &mut Sources,
    findings: &mut Vec<Diagnostic>,
) -> Option<Declared<Project>> {
    library::embed(sources);
    policy::library::embed(sources);
    let (root, project) = match stored {
        Some(tree) => load::stored(Arc::clone(tree), sources, findings)?,
        None => load::project(root, sources, findings)?,
    };
    root.inputs(&project, sources, findings);
    Some(project)
}

/// Reports clusters that were asked for and that nobody declares.
fn unknown_clusters(wanted: &[String], documents: &Documents, findings: &mut Vec<Diagnostic>) {
    let declared = || documents.clusters.iter().filter_map(|node| node.get("metadata")?.str_at("name"));
    for name in wanted.iter().filter(|name| declared().all(|known| known != name.as_str())) {
        let finding = Diagnostic::new(&rules::CLUSTER_UNKNOWN, Span::NONE, format!("there is no cluster `{name}`"));
        findings.push(finding.suggest(name, declared()));
    }
}
