//! The overlays at hand: stock ones, embedded in the binary, and the project's own.

use indexmap::{IndexMap, IndexSet};

use super::compile::{Compiled, compile};
use super::unused;
use crate::declare::{self, Declared, LifecycleStatus};
use crate::diagnostic::{Diagnostic, Severity, rules};
use crate::resolve::Effective;
use crate::tree::schema::Schema;
use crate::tree::{FileId, Node, Path, Sources, yaml};

/// The stock overlays, as files.
static STOCK: include_dir::Dir<'static> = include_dir::include_dir!("$CARGO_MANIFEST_DIR/overlays");

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
fn resolved(name: &str, path: &str) -> Option<String> {
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

/// Every overlay by name.
#[derive(Debug, Default)]
pub struct Library {
    overlays: IndexMap<String, Overlay>,
    /// Names of the overlays whose declaration is no good.
    broken: Vec<String>,
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
    /// Reads every `overlay.yaml`, stock ones first: an overlay of the project replaces a stock one of its name.
    pub fn read(sources: &Sources, project_folder: &str, findings: &mut Vec<Diagnostic>) -> Self {
        let own = format!("{}/", project_folder.trim_end_matches('/'));
        let mut library = Self::default();
        for (prefix, stock) in [(STOCK_PREFIX, true), (own.as_str(), false)] {
            for (id, source) in sources.iter() {
                let name = source.path.strip_prefix(prefix).and_then(|path| path.strip_suffix("/overlay.yaml"));
                if let Some(name) = name {
                    library.add(id, &source.text, name, (prefix, stock), findings);
                }
            }
        }
        library
    }

    fn add(&mut self, id: FileId, text: &str, name: &str, (prefix, stock): (&str, bool), findings: &mut Vec<Diagnostic>) {
        let node = yaml::single(text, id, ("overlay.yaml", "an overlay"), findings);
        let Some(declared) = node.and_then(|node| declare::decode::<declare::Overlay>(node, findings)) else {
            self.broken.push(name.to_owned());
            return;
        };
        if declared.value.metadata.name != name {
            let message = format!("the overlay in the folder `{name}` is named `{}`", declared.value.metadata.name);
            let span = declared.span("metadata.name");
            let help = format!("name it `{name}`, or rename the folder");
            findings.push(Diagnostic::new(&rules::OVERLAY_NAME, span, message).help(help));
        }
        let options = options_schema(&declared, findings);
        let overlay = Overlay { folder: format!("{prefix}{name}/"), declared, stock, options };
        self.overlays.insert(name.to_owned(), overlay);
    }

    /// Compiles the overlays that some cluster has, and all of the project's own: whoever writes one wants to hear of its
    /// mistakes before it is used.
    pub fn compile(
        &self,
        clusters: &[Effective<'_>],
        sources: &Sources,
        findings: &mut Vec<Diagnostic>,
    ) -> IndexMap<String, Compiled> {
        let used: IndexSet<&str> =
            clusters.iter().flat_map(|one| &one.overlays).map(|selected| selected.overlay.name()).collect();
        self.iter().filter(|overlay| used.contains(overlay.name())).for_each(|overlay| overlay.state(findings));
        unused::files(self, sources, findings);
        let wanted = self.iter().filter(|overlay| !overlay.stock || used.contains(overlay.name()));
        wanted.map(|overlay| (overlay.name().to_owned(), compile(overlay, sources, findings))).collect()
    }

    /// The overlay with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Overlay> {
        self.overlays.get(name)
    }

    /// Whether there is an overlay with this name that could not be read, which has been reported.
    #[must_use]
    pub fn is_broken(&self, name: &str) -> bool {
        self.broken.iter().any(|broken| broken == name)
    }

    /// Whether some overlay could not be read.
    #[must_use]
    pub fn has_broken(&self) -> bool {
        !self.broken.is_empty()
    }

    /// All overlays, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Overlay> {
        self.overlays.values()
    }

    /// The names of all overlays.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.overlays.keys().map(String::as_str)
    }
}

/// The schema of an overlay's options; keys it does not know are refused unless it says otherwise.
fn options_schema(declared: &Declared<declare::Overlay>, findings: &mut Vec<Diagnostic>) -> Option<Schema> {
    let node = declared.node.at(&Path::dotted("spec.options"))?;
    let mut json = node.to_json();
    close(&mut json);
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
