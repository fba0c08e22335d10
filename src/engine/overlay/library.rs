//! The overlays at hand: stock ones, embedded in the binary, and the project's own.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use indexmap::{IndexMap, IndexSet};
use rayon::prelude::*;

use super::compile::compile;
use super::compiled::Compiled;
use super::{Selected, unused};
use findings::{Diagnostic, Severity, has_errors, rules};
use model::declare::{self, Declared, LifecycleStatus};
use schema::Home;
use schema::json::Schema;
use tree::{FileId, Node, Path, Sources};

/// The stock overlays, as files.
static STOCK: include_dir::Dir<'static> = include_dir::include_dir!("$CARGO_MANIFEST_DIR/../../overlays");

/// What the paths of embedded files begin with, so that nobody looks for them in the project.
const STOCK_PREFIX: &str = "netloom:overlays/";

/// An overlay and its files.
#[derive(Debug)]
pub struct Overlay {
    /// Its declaration.
    pub declared: Declared<declare::Overlay>,
    /// Whether it came with netloom.
    pub stock: bool,
    /// The folder's path in [`Sources`], with a `/` at the end.
    pub folder: String,
    /// The compiled schema of its options.
    pub options: Option<Schema>,
}

impl Overlay {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.declared.value.metadata.name
    }

    /// What it contributes.
    #[must_use]
    pub fn spec(&self) -> &declare::OverlaySpec {
        &self.declared.value.spec
    }

    /// Folder of its objects below the cluster's `kubernetes/`.
    #[must_use]
    pub fn component(&self) -> &str {
        let spec = self.spec();
        let last = self.name().rsplit('/').next().unwrap_or_default();
        spec.component.as_deref().or(spec.slot.as_deref()).unwrap_or(last)
    }

    /// Where its objects are at home.
    #[must_use]
    pub fn home(&self) -> Home {
        Home { component: self.component().into(), slot: self.spec().slot.as_deref().map(Into::into) }
    }

    /// Notes what a user should know about the state of the software that it installs.
    fn state(&self, findings: &mut Vec<Diagnostic>) {
        let Some(lifecycle) = self.spec().lifecycle.as_ref().filter(|one| one.status != LifecycleStatus::Active) else { return };
        let message = format!("`{}`: {}", self.name(), lifecycle.note.trim_end().trim_end_matches('.'));
        findings.push(Diagnostic::new(&rules::OVERLAY_LIFECYCLE, self.declared.span("spec.lifecycle"), message));
    }

    /// The codes of its rules.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.severities().map(|(code, _)| code)
    }

    /// The codes of its rules, with how bad it is when they are broken.
    pub fn severities(&self) -> impl Iterator<Item = (&str, Severity)> {
        let ports = self.declared.node.at(&Path::dotted("spec.facts.ports")).and_then(Node::as_list).unwrap_or_default();
        let blocked = ports.iter().filter_map(|port| {
            let blocked = port.get("blocked")?;
            Some((blocked.str_at("code")?, blocked.str_at("severity")?.parse().ok()?))
        });
        self.spec().assertions.iter().map(|rule| (rule.code.as_str(), rule.severity)).chain(blocked)
    }

    /// What its expressions and files come to; what is wrong with them goes to `findings`.
    pub fn compile(&self, sources: &Sources, findings: &mut Vec<Diagnostic>) -> Compiled {
        compile(self, sources, findings)
    }

    /// The paths of the files that it names.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        let spec = self.spec();
        let patches = spec.patches.iter().map(|patch| patch.path.as_str());
        let files = spec.config_maps.iter().flat_map(|map| &map.files).map(|file| file.path());
        spec.resources.iter().map(|resource| resource.path()).chain(files).chain(patches).chain(spec.runbook.as_deref())
    }

    /// A file of its folder, or of another overlay's when the path begins with `../`.
    ///
    /// What lies below `overlays/` is reached, and nothing else. An overlay of the project finds the project's files before the
    /// stock ones, as it finds the project's overlays first.
    #[must_use]
    pub fn file<'s>(&self, path: &str, sources: &'s Sources) -> Option<(FileId, &'s str)> {
        let below = resolved(self.name(), path)?;
        let own = self.folder.strip_suffix(&format!("{}/", self.name()))?;
        let (id, source) = [own, STOCK_PREFIX].into_iter().find_map(|root| sources.find(&format!("{root}{below}")))?;
        Some((id, &source.text))
    }
}

/// The path below `overlays/` of a file that the overlay `name` names; none when it leads out.
pub(super) fn resolved(name: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = name.split('/').collect();
    for part in path.split('/') {
        match part {
            ".." => drop(parts.pop()?),
            "" | "." => return None,
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Every overlay by name. One of the project's own is read at once, a stock one when something asks for it.
#[derive(Debug, Default)]
pub struct Library {
    entries: IndexMap<String, Entry>,
    sources: Arc<Sources>,
    /// What was wrong with stock overlays. Nothing is, in a released netloom.
    late: Mutex<Vec<Diagnostic>>,
}

/// An `overlay.yaml`, and the overlay that it declares once it was read; none when it is no good.
#[derive(Debug)]
struct Entry {
    id: FileId,
    folder: String,
    stock: bool,
    /// Its `selectedBy`, known without reading the rest of a stock overlay.
    selected_by: Option<String>,
    overlay: OnceLock<Option<Overlay>>,
}

/// Adds the stock overlays' files to the texts of a run.
pub fn embed(sources: &mut Sources) {
    let mut files: Vec<_> = Vec::new();
    collect(&STOCK, &mut files);
    files.sort_by_key(|file| file.path());
    for file in files {
        if let (Some(path), Some(text)) = (file.path().to_str(), file.contents_utf8()) {
            sources.add(format!("{STOCK_PREFIX}{path}"), text);
        }
    }
}

fn collect(folder: &'static include_dir::Dir<'static>, files: &mut Vec<&'static include_dir::File<'static>>) {
    files.extend(folder.files());
    folder.dirs().for_each(|dir| collect(dir, files));
}

impl Library {
    /// Finds every `overlay.yaml`, stock ones first: an overlay of the project replaces a stock one of its name.
    pub fn read(sources: &Arc<Sources>, project_folder: &str, findings: &mut Vec<Diagnostic>) -> Self {
        let own = format!("{}/", project_folder.trim_end_matches('/'));
        let mut library = Self { sources: Arc::clone(sources), ..Self::default() };
        for (prefix, stock) in [(STOCK_PREFIX, true), (own.as_str(), false)] {
            for (id, source) in sources.iter() {
                let name = source.path.strip_prefix(prefix).and_then(|path| path.strip_suffix("/overlay.yaml"));
                if let Some(name) = name {
                    let selected_by = selected_by(&source.text).filter(|_| stock).map(str::to_owned);
                    let folder = format!("{prefix}{name}/");
                    let mut entry = Entry { id, folder, stock, selected_by, overlay: OnceLock::new() };
                    if !stock {
                        let overlay = overlay(name, &entry, sources, findings);
                        entry.selected_by = overlay.as_ref().and_then(|overlay| overlay.spec().selected_by.clone());
                        entry.overlay = OnceLock::from(overlay);
                    }
                    library.entries.insert(name.to_owned(), entry);
                }
            }
        }
        library
    }

    fn load<'l>(&'l self, name: &str, entry: &'l Entry) -> Option<&'l Overlay> {
        let read = || {
            let mut findings = Vec::new();
            let overlay = overlay(name, entry, &self.sources, &mut findings);
            self.late.lock().unwrap_or_else(PoisonError::into_inner).append(&mut findings);
            overlay
        };
        entry.overlay.get_or_init(read).as_ref()
    }

    /// Compiles the overlays that some cluster or network has, and all of the project's own: whoever writes one wants to hear of its
    /// mistakes before it is used.
    pub fn compile(
        &self,
        of_clusters: &[&[Selected<'_>]],
        of_networks: &[Vec<Selected<'_>>],
        findings: &mut Vec<Diagnostic>,
    ) -> IndexMap<String, Compiled> {
        let selected = of_clusters.iter().copied().flatten().chain(of_networks.iter().flatten());
        let used: IndexSet<&str> = selected.map(|selected| selected.overlay.name()).collect();
        let wanted = self.entries.iter().filter(|(name, entry)| !entry.stock || used.contains(name.as_str()));
        let wanted: Vec<&Overlay> = wanted.filter_map(|(name, entry)| self.load(name, entry)).collect();
        findings.append(&mut self.late.lock().unwrap_or_else(PoisonError::into_inner));
        wanted.iter().filter(|overlay| used.contains(overlay.name())).for_each(|overlay| overlay.state(findings));
        let own = || wanted.iter().copied().filter(|overlay| !overlay.stock);
        // What is wrong may be the reason why a cluster does not have an overlay.
        if !of_clusters.is_empty() && !has_errors(findings) {
            own().filter(|overlay| !used.contains(overlay.name())).for_each(|overlay| findings.push(unused::overlay(overlay)));
        }
        own().for_each(|overlay| unused::names(overlay, &self.sources, findings));
        unused::files(self, own(), &self.sources, findings);
        let compiled = wanted.par_iter().map(|overlay| {
            let mut findings = Vec::new();
            (overlay.compile(&self.sources, &mut findings), findings)
        });
        let mut overlays = IndexMap::new();
        for (overlay, (compiled, mut found)) in wanted.iter().zip(compiled.collect::<Vec<_>>()) {
            findings.append(&mut found);
            overlays.insert(overlay.name().to_owned(), compiled);
        }
        overlays
    }

    /// The overlay with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Overlay> {
        self.load(name, self.entries.get(name)?)
    }

    /// The overlays that a block of a cluster's `spec` selects, such as `networking.kubenet`, each with the path of its block.
    pub fn selected(&self, has: impl Fn(&str) -> bool) -> impl Iterator<Item = &Overlay> {
        let asked = move |(_, entry): &(&String, &Entry)| entry.selected_by.as_deref().is_some_and(&has);
        self.entries.iter().filter(asked).filter_map(|(name, entry)| self.load(name, entry))
    }

    /// Reads the stock overlays that some block selects, side by side; whoever asks for one then finds it there.
    pub fn prepare(&self, has: impl Fn(&str) -> bool + Sync) {
        let entries: Vec<_> = self.entries.iter().filter(|(_, entry)| entry.stock).collect();
        let asked = |(_, entry): &(&String, &Entry)| entry.selected_by.as_deref().is_some_and(&has);
        entries.into_par_iter().with_max_len(1).filter(asked).for_each(|(name, entry)| _ = self.load(name, entry));
    }

    /// The blocks of a cluster's `spec` that select an overlay.
    pub fn blocks(&self) -> impl Iterator<Item = &str> {
        self.entries.values().filter_map(|entry| entry.selected_by.as_deref())
    }

    /// Whether there is an overlay with this name that could not be read, which has been reported.
    #[must_use]
    pub fn is_broken(&self, name: &str) -> bool {
        self.entries.get(name).is_some_and(Entry::is_broken)
    }

    /// Whether some overlay could not be read.
    #[must_use]
    pub fn has_broken(&self) -> bool {
        self.entries.values().any(Entry::is_broken)
    }

    /// All overlays, read.
    pub fn iter(&self) -> impl Iterator<Item = &Overlay> {
        self.entries.iter().filter_map(|(name, entry)| self.load(name, entry))
    }

    /// The overlays of the project itself.
    pub fn own(&self) -> impl Iterator<Item = &Overlay> {
        self.entries.values().filter(|entry| !entry.stock).filter_map(|entry| entry.overlay.get()?.as_ref())
    }

    /// The names of all overlays.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }
}

impl Entry {
    fn is_broken(&self) -> bool {
        matches!(self.overlay.get(), Some(None))
    }
}

/// The `selectedBy` of a stock overlay, which stands in a line of its own; a test sees that it does.
fn selected_by(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("  selectedBy: "))
}

fn overlay(name: &str, entry: &Entry, sources: &Sources, findings: &mut Vec<Diagnostic>) -> Option<Overlay> {
    let node = yaml::single(&sources.get(entry.id)?.text, entry.id, ("overlay.yaml", "an overlay"), findings);
    let declared = declare::decode::<declare::Overlay>(node?, findings)?;
    if declared.value.metadata.name != name {
        let message = format!("the overlay in the folder `{name}` is named `{}`", declared.value.metadata.name);
        let span = declared.span("metadata.name");
        let help = format!("name it `{name}`, or rename the folder");
        findings.push(Diagnostic::new(&rules::OVERLAY_NAME, span, message).help(help));
    }
    let options = options_schema(&declared, entry.stock, findings);
    Some(Overlay { folder: entry.folder.clone(), declared, stock: entry.stock, options })
}

/// The schema of an overlay's options; keys it does not know are refused unless it says otherwise.
fn options_schema(declared: &Declared<declare::Overlay>, stock: bool, findings: &mut Vec<Diagnostic>) -> Option<Schema> {
    let node = declared.node.at(&Path::dotted("spec.options"))?;
    let mut json = node.to_json();
    close(&mut json);
    if stock {
        return Some(Schema::of(json));
    }
    match Schema::new(json) {
        Ok(schema) => Some(schema),
        Err(error) => {
            findings.push(Diagnostic::new(&rules::SCHEMA, node.span, format!("`options` is no JSON Schema: {error}")));
            None
        }
    }
}

/// Refuses unknown keys in every mapping whose keys are listed.
fn close(schema: &mut serde_json::Value) {
    let Some(map) = schema.as_object_mut() else { return };
    if let Some(properties) = map.get_mut("properties").and_then(serde_json::Value::as_object_mut) {
        properties.values_mut().for_each(close);
        map.entry("additionalProperties").or_insert(false.into());
    }
    if let Some(items) = map.get_mut("items") {
        close(items);
    }
}
