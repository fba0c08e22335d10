//! Where a value comes from, and what a line decides.
//!
//! Nodes carry the place that set them and what they overrode; that is all that rendering records. The rest is found out when
//! somebody asks: the unit in question is compiled once more with a [`Witness`], while declarations, plan, overlays and objects are
//! at hand, and the expression at the place that set the value is taken apart: the names that it looks up lead to values of the
//! overlay, options, declarations and defaults, and those to their places.
//!
//! - [`origin`]: the answer;
//! - [`field`]: fields of files by name and by line;
//! - `inputs`, `declared`: what expressions look up; `choice`: why an overlay is there that declares something;
//!   `narrow`: what of a mapping leads to one of its values; `written`: what overlays write;
//! - `cluster`, `network`, `files`: the files of units;
//! - `artifacts::cloudformation::origin`: why a template has what it has.

mod choice;
mod cluster;
mod decides;
mod declared;
pub mod field;
mod files;
mod inputs;
mod narrow;
mod network;
mod options;
pub mod origin;
mod written;

use std::path::Path as FilePath;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;

pub use decides::{Decision, decides};
pub use origin::{Kind, Origin, Overridden};

use ::files::emit;
use engine::{ClusterSeen, Compilation, NetworkSeen, Request, Witness, witnessed};
use findings::{Diagnostic, Severity, nearest, rules};
use model::unit::Artifact;
use tree::{Node, Path, Sources, Span};

/// What about a file is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Why it is there.
    File,
    /// The field on a line.
    Line(usize),
    /// A field by name.
    Field(String),
}

/// A value and where it comes from.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The file, from the project's root.
    pub file: String,
    /// The value's line; none for a file as a whole.
    pub line: Option<usize>,
    /// The field; empty for a file as a whole, and for lines of text.
    pub field: String,
    /// The value.
    pub value: Option<Json>,
    /// Where it comes from.
    pub origin: Origin,
    /// Why the file is there.
    pub reasons: Vec<Arc<Origin>>,
}

/// What was asked for, or why there is none; and the texts that places point into.
#[derive(Debug)]
pub struct Answered<T> {
    /// What was asked for.
    pub found: Option<T>,
    /// What is wrong or worth knowing.
    pub findings: Vec<Diagnostic>,
    /// The texts.
    pub sources: Arc<Sources>,
}

/// A unit and what it was made from.
enum Made<'a> {
    Cluster(Box<cluster::Cluster<'a>>, &'a ClusterSeen<'a>),
    Network(Box<network::OfNetwork<'a>>, &'a NetworkSeen<'a>),
}

/// A unit that can be asked about.
struct View<'a> {
    /// Its folder below the output folder.
    folder: String,
    artifacts: &'a [Artifact],
    made: Made<'a>,
}

impl View<'_> {
    fn sources(&self) -> &Sources {
        match &self.made {
            Made::Cluster(_, seen) => seen.sources,
            Made::Network(_, seen) => seen.sources,
        }
    }

    /// The unit's folder, from the project's root.
    fn prefix(&self) -> String {
        let project = match &self.made {
            Made::Cluster(_, seen) => seen.project,
            Made::Network(_, seen) => seen.project,
        };
        project.value.spec.paths.output.trim_end_matches('/').to_owned() + "/" + &self.folder
    }

    /// The text of a file of the unit.
    fn text(&self, file: &str) -> Option<Arc<str>> {
        if file == files::RECORD {
            return Some(emit::record(self.artifacts).into());
        }
        self.artifacts.iter().find(|artifact| artifact.path == file).map(|artifact| Arc::clone(&artifact.text))
    }

    /// Every file of the unit.
    fn files(&self) -> impl Iterator<Item = &str> {
        self.artifacts.iter().map(|artifact| artifact.path.as_str()).chain([files::RECORD])
    }

    fn origin(&self, file: &str, path: &Path, tree: &Node) -> Origin {
        match &self.made {
            Made::Cluster(cluster, _) => cluster.field(file, path, tree),
            Made::Network(network, _) => network.field(file, path).with(tree.at(path).map(Node::to_json)),
        }
    }

    /// The origin of a line of a file that is no data.
    fn line(&self, file: &str, text: &str, line: usize) -> Origin {
        let here = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        let whole = || self.origin(file, &Path::default(), &Node::default());
        let origin = match &self.made {
            Made::Cluster(_, seen) => files::section(seen, text, line).unwrap_or_else(|| files::runbook(seen, whole(), here)),
            Made::Network(..) => whole(),
        };
        origin.with(Some(here.into()))
    }

    fn reasons(&self, file: &str) -> Vec<Arc<Origin>> {
        match &self.made {
            Made::Cluster(cluster, _) => cluster.reasons(file),
            Made::Network(_, seen) => vec![declared::at(&seen.network.node, "metadata.name", None)],
        }
    }
}

/// Hands each unit on to a function.
struct Watch<'f> {
    wanted: Option<&'f str>,
    look: &'f (dyn Fn(&View<'_>) + Sync),
}

impl Watch<'_> {
    fn wants(&self, folder: &str) -> bool {
        self.wanted.is_none_or(|wanted| wanted == folder)
    }
}

impl Witness for Watch<'_> {
    fn network(&self, seen: &NetworkSeen<'_>) {
        let folder = format!("networks/{}", seen.plan.name);
        if self.wants(&folder) {
            let made = Made::Network(Box::new(network::OfNetwork::new(seen)), seen);
            (self.look)(&View { folder, artifacts: seen.artifacts, made });
        }
    }

    fn cluster(&self, seen: &ClusterSeen<'_>) {
        let folder = format!("clusters/{}", seen.effective.cluster.value.metadata.name);
        if self.wants(&folder) {
            let made = Made::Cluster(Box::new(cluster::Cluster::new(seen)), seen);
            (self.look)(&View { folder, artifacts: seen.artifacts, made });
        }
    }
}

/// The tree of a file as its text shows it; none for text that is no data.
fn tree(file: &str, text: &str) -> Option<Node> {
    let data = [".yaml", ".yml", ".json"].iter().any(|end| file.ends_with(end));
    let id = Sources::default().add(file, "");
    yaml::read(text, id, &mut Vec::new()).into_iter().next().filter(|_| data)
}

/// The origin of a value in a file below the output folder: `clusters/prod/kubernetes/dns/daemonset-node-local-dns.yaml`.
#[must_use]
pub fn value(request: &Request, file: &str, subject: &Subject) -> Answered<Answer> {
    let mut parts = file.splitn(3, '/');
    let (group, name, inner) =
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let unit = format!("{group}/{name}");
    if !["clusters", "networks"].contains(&group) || inner.is_empty() {
        let finding = Diagnostic::new(&rules::EXPLAIN_FILE, Span::NONE, format!("the output has no file `{file}`"));
        let help = "files are named as in `clusters/NAME/README.md` and `networks/NAME/cloudformation/network.template.yaml`";
        return Answered { found: None, findings: vec![finding.help(help)], sources: Arc::default() };
    }
    let clusters = if group == "clusters" { vec![name.to_owned()] } else { Vec::new() };
    let request = Request { clusters, ..request.clone() };
    let answer: Mutex<Option<Result<Answer, Diagnostic>>> = Mutex::default();
    let look = |view: &View<'_>| {
        *answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(ask(view, inner, subject));
    };
    let compilation = witnessed(&request, &Watch { wanted: Some(&unit), look: &look });
    let answer = answer.into_inner().unwrap_or_else(PoisonError::into_inner);
    let stale = stale(&request, &compilation, &unit, inner);
    let Compilation { sources, mut findings, units, output, .. } = compilation;
    findings.retain(|finding| finding.severity == Severity::Error);
    let found = match answer {
        Some(Ok(answer)) => {
            findings = stale;
            Some(answer)
        }
        Some(Err(finding)) => {
            findings = vec![finding];
            None
        }
        None if findings.is_empty() => {
            let finding = Diagnostic::new(&rules::EXPLAIN_FILE, Span::NONE, format!("netloom makes no folder `{output}/{unit}`"));
            findings.push(finding.suggest(&unit, units.iter().map(|unit| unit.folder.as_str())));
            None
        }
        None => None,
    };
    Answered { found, findings, sources }
}

/// Says that a file on the disk is not what is explained here, so that its lines may be others.
fn stale(request: &Request, compilation: &Compilation, unit: &str, file: &str) -> Vec<Diagnostic> {
    let units: Vec<_> = compilation.units.iter().filter(|each| each.folder == unit).cloned().collect();
    let path = format!("{unit}/{file}");
    let output = emit::Output { root: FilePath::new(&request.root), folder: &compilation.output, foreign: &compilation.foreign };
    let differs = emit::compare(&output, &units, emit::Scope::Some);
    let folder = format!("/{unit}`");
    let differs = differs.iter().any(|finding| finding.message.contains(&path) || finding.message.contains(&folder));
    let finding = || {
        let message = format!("`{}/{path}` on the disk is not what the declarations make now", compilation.output);
        Diagnostic::new(&rules::EXPLAIN_STALE, Span::NONE, message)
    };
    differs.then(finding).into_iter().collect()
}

fn ask(view: &View<'_>, file: &str, subject: &Subject) -> Result<Answer, Diagnostic> {
    let path = format!("{}/{file}", view.prefix());
    let Some(text) = view.text(file) else {
        let finding = Diagnostic::new(&rules::EXPLAIN_FILE, Span::NONE, format!("netloom makes no file `{path}`"));
        let near = nearest(file, view.files()).map(|file| format!("did you mean `{}/{file}`?", view.prefix()));
        return Err(near.into_iter().fold(finding, Diagnostic::help));
    };
    let reasons = view.reasons(file);
    let answer =
        |line, field, origin: Origin| Answer { file: path.clone(), line, field, value: origin.value.clone(), origin, reasons };
    let lines = text.lines().count();
    match (tree(file, &text), subject) {
        (_, Subject::Line(line)) if !(1..=lines).contains(line) => {
            let message = format!("`{path}` has {lines} lines, and no line {line}");
            Err(Diagnostic::new(&rules::EXPLAIN_FIELD, Span::NONE, message))
        }
        (_, Subject::File) => {
            Ok(answer(None, String::new(), Origin { value: None, ..view.origin(file, &Path::default(), &Node::default()) }))
        }
        (None, Subject::Line(line)) => Ok(answer(Some(*line), String::new(), view.line(file, &text, *line))),
        (None, Subject::Field(field)) => {
            let message = format!("`{path}` is text and has no field `{field}`");
            Err(Diagnostic::new(&rules::EXPLAIN_FIELD, Span::NONE, message).help("name a line: `FILE:LINE`"))
        }
        (Some(tree), subject) => {
            let found = match subject {
                Subject::Line(line) => field::on_line(&tree, &text, *line).ok_or_else(|| {
                    let message = format!("line {line} of `{path}` holds no value");
                    Diagnostic::new(&rules::EXPLAIN_FIELD, Span::NONE, message)
                }),
                Subject::Field(field) => field::find(&tree, field).map_err(|missing| no_field(&path, field, &missing)),
                Subject::File => Ok(Path::default()),
            }?;
            let at = origin::place(&tree, &found).start as usize;
            let line = text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
            Ok(answer(Some(line), field::show(&tree, &found), view.origin(file, &found, &tree)))
        }
    }
}

fn no_field(file: &str, field: &str, missing: &field::Missing) -> Diagnostic {
    let finding = Diagnostic::new(&rules::EXPLAIN_FIELD, Span::NONE, format!("`{file}` has no field `{field}`"));
    let place = if missing.parent.is_empty() { "the file".to_owned() } else { format!("`{}`", missing.parent) };
    let names: Vec<_> = missing.names.iter().take(12).map(|name| format!("`{name}`")).collect();
    match nearest(&missing.part, missing.names.iter().map(String::as_str)) {
        Some(name) => finding.help(format!("{place} has no `{}`; did you mean `{name}`?", missing.part)),
        None if names.is_empty() => finding.help(format!("{place} is a single value")),
        None => finding.help(format!("{place} has {}", names.join(", "))),
    }
}

/// Calls `visit` for every value of every file that a project is rendered to: the file below the output folder, the field or the
/// number of the line, and the origin.
pub fn every(request: &Request, visit: &(dyn Fn(&str, &str, &Origin) + Sync)) -> Compilation {
    let look = |view: &View<'_>| {
        for file in view.files() {
            let path = format!("{}/{file}", view.folder);
            each(view, file, &mut |field, origin| visit(&path, &field(), origin));
        }
    };
    witnessed(request, &Watch { wanted: None, look: &look })
}

/// Calls `visit` for every value of a file, or every line where it is no data.
fn each(view: &View<'_>, file: &str, visit: &mut dyn FnMut(&dyn Fn() -> String, &Origin)) {
    let Some(text) = view.text(file) else { return };
    match tree(file, &text) {
        Some(tree) => tree.walk(&Path::default(), &mut |path, node| {
            if field::is_leaf(node) {
                visit(&|| field::show(&tree, path), &view.origin(file, path, &tree));
            }
        }),
        None => (1..=text.lines().count()).for_each(|line| visit(&|| line.to_string(), &view.line(file, &text, line))),
    }
}
