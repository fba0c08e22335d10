//! The other way round: what a line of the input decides.

use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};

use serde_json::Value as Json;

use super::choice::Choice;
use super::origin::Origin;
use super::{Answered, Kind, Made, View, Watch, each, field};
use engine::{Compilation, Request, witnessed};
use findings::{Diagnostic, Severity, rules};
use tree::{Path, Sources, Span};

/// What a line decides in one file.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Its unit's folder: `clusters/NAME` or `networks/NAME`.
    pub folder: String,
    /// The file, from the project's root.
    pub file: String,
    /// Whether the file is there because of the line.
    pub exists: bool,
    /// Whether the file is text that is made from the whole of a declaration that the line is in, so that it may show it.
    pub may_show: bool,
    /// The fields for which the line has a value that another place overrides, and that place.
    pub overridden: Vec<(String, Span)>,
    /// How many values the file has.
    pub values: usize,
    /// The fields, or numbers of lines, that the line decides or takes part in deciding, with their values.
    pub fields: Vec<(String, Json)>,
}

impl Decision {
    /// Whether a line says all about it.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.is_whole() || (self.fields.is_empty() && self.overridden.is_empty())
    }

    /// Whether it is about everything in the file.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.fields.len() == self.values && self.values > 1
    }
}

/// What somebody asks about: a line, and those below it that belong to its key.
struct Lines<'l> {
    file: &'l str,
    lines: RangeInclusive<usize>,
}

impl Lines<'_> {
    /// Whether a place begins on the line; a text that is written over several lines is on each of them. A program is not taken
    /// apart: all of it decides whatever it gives.
    fn has(&self, span: Span, kind: Kind, sources: &Sources) -> bool {
        let Some(source) = sources.get(span.file).filter(|source| *source.path == *self.file) else { return false };
        if span.start == 0 && span.end == 0 {
            return true;
        }
        let first = source.line_at(span.start as usize).0;
        let last = source.line_at(span.end.saturating_sub(1) as usize).0;
        let goes_on =
            matches!(kind, Kind::Constant | Kind::Expression) && first <= *self.lines.end() && last >= *self.lines.start();
        goes_on || self.lines.contains(&first)
    }

    fn decides(&self, origin: &Origin, sources: &Sources) -> bool {
        self.has(origin.place, origin.kind, sources) || origin.inputs.iter().any(|input| self.decides(input, sources))
    }

    /// The place that overrides a value of the line, if the origin has such a value.
    fn overridden(&self, origin: &Origin, sources: &Sources) -> Option<Span> {
        let here = origin.overrode.iter().any(|old| self.has(old.place, Kind::Declared, sources));
        let below = || origin.inputs.iter().find_map(|input| self.overridden(input, sources));
        if here { Some(origin.place) } else { below() }
    }

    /// Whether a field of the declarations of a cluster or its network is on one of the lines.
    fn is_declared(&self, view: &View<'_>) -> bool {
        let Made::Cluster(_, seen) = &view.made else { return false };
        let mut found = false;
        for document in [&seen.effective.cluster.node, &seen.effective.network.node] {
            document.walk(&Path::default(), &mut |path, node| {
                let counts = path.0.len() > 1 && field::is_leaf(node);
                found |= counts && self.has(node.span, Kind::Declared, seen.sources);
            });
        }
        found
    }

    /// Whether a unit could have anything to do with the file: a declaration decides nothing about other declarations' units.
    fn concerns(&self, view: &View<'_>, declarations: &str) -> bool {
        if !self.file.starts_with(declarations) {
            return true;
        }
        let sources = view.sources();
        let is = |span: Span| sources.get(span.file).is_some_and(|source| *source.path == *self.file);
        match &view.made {
            Made::Cluster(_, seen) => is(seen.effective.cluster.node.span) || is(seen.effective.network.node.span),
            // An overlay that a label of a cluster selects patches the network, too.
            Made::Network(_, seen) => is(seen.network.node.span) || Choice::of_network(seen).nodes().any(|node| is(node.span)),
        }
    }
}

/// What a line of a file of the project decides; `declarations` is the folder of declarations.
#[must_use]
pub fn decides(request: &Request, declarations: &str, file: &str, line: usize) -> Answered<Vec<Decision>> {
    let decisions: Mutex<Vec<Decision>> = Mutex::default();
    let folder = format!("{}/", declarations.trim_end_matches('/'));
    let look = |view: &View<'_>| {
        let asked = Lines { file, lines: below(view.sources(), file, line) };
        if !asked.concerns(view, &folder) {
            return;
        }
        for name in view.files() {
            let exists = view.reasons(name).iter().any(|reason| asked.decides(reason, view.sources()));
            let may_show = name == "README.md" && asked.is_declared(view);
            let (file, fields) = (format!("{}/{name}", view.folder), Vec::new());
            let folder = view.folder.clone();
            let mut decision = Decision { folder, file, exists, may_show, overridden: Vec::new(), values: 0, fields };
            each(view, name, &mut |name_of, origin| {
                decision.values += 1;
                if asked.decides(origin, view.sources()) {
                    decision.fields.push((name_of(), origin.value.clone().unwrap_or_default()));
                } else if let Some(by) = asked.overridden(origin, view.sources()) {
                    decision.overridden.push((name_of(), by));
                }
            });
            if decision.exists || decision.may_show || !decision.fields.is_empty() || !decision.overridden.is_empty() {
                decisions.lock().unwrap_or_else(PoisonError::into_inner).push(decision);
            }
        }
    };
    let compilation = witnessed(request, &Watch { wanted: None, look: &look });
    let mut decisions = decisions.into_inner().unwrap_or_else(PoisonError::into_inner);
    decisions.iter_mut().for_each(|decision| decision.file = format!("{}/{}", compilation.output, decision.file));
    decisions.sort_by(|a, b| a.file.cmp(&b.file));
    let Compilation { sources, mut findings, .. } = compilation;
    findings.retain(|finding| finding.severity == Severity::Error);
    if findings.is_empty() {
        findings.extend(missing(&sources, file, line));
    }
    let found = findings.is_empty().then_some(decisions);
    Answered { found, findings, sources }
}

/// A line with those that belong to the mapping or list whose key stands on it: `dns:` and what is declared below.
fn below(sources: &Sources, file: &str, line: usize) -> RangeInclusive<usize> {
    let Some((id, source)) = sources.find(file).filter(|(_, source)| !source.path.ends_with("sonnet")) else {
        return line..=line;
    };
    let number = |byte: u32| source.line_at(byte as usize).0;
    let mut last = line;
    for document in yaml::read(&source.text, id, &mut Vec::new()) {
        document.walk(&Path::default(), &mut |path, node| {
            if !field::is_leaf(node) && document.key_at(path).is_some_and(|key| number(key.span.start) == line) {
                last = last.max(number(node.span.end.saturating_sub(1)));
            }
        });
    }
    line..=last
}

fn missing(sources: &Sources, file: &str, line: usize) -> Option<Diagnostic> {
    let Some((_, source)) = sources.find(file) else {
        let finding = Diagnostic::new(&rules::EXPLAIN_FILE, Span::NONE, format!("the project has no file `{file}`"));
        let paths: Vec<_> =
            sources.iter().map(|(_, source)| &*source.path).filter(|path| !path.starts_with("netloom:")).collect();
        return Some(finding.suggest(file, paths));
    };
    let lines = source.text.lines().count();
    let message = || format!("`{file}` has {lines} lines, and no line {line}");
    (!(1..=lines).contains(&line)).then(|| Diagnostic::new(&rules::EXPLAIN_FIELD, Span::NONE, message()))
}
