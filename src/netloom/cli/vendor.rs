//! `netloom vendor`: pins a manifest from elsewhere in the overlay that names it.

use std::sync::Arc;

use clap::Args;

use super::{Context, Exit, Outcome};
use engine::overlay::generate::pin;
use engine::overlay::library::{self, Library, Overlay};
use files::load;
use files::own::{self, Existing};
use findings::{Diagnostic, has_errors, inert, rules};
use model::declare::Resource;
use tree::{Node, Path, Sources, Span};

/// Pins a manifest.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  curl --output overlays/metrics/upstream.yaml https://example.com/releases/v1.2.3/install.yaml
  netloom vendor overlays/metrics/upstream.yaml

Writes the BLAKE3 hash of FILE into the overlay.yaml that names it under `resources`. From then on the file is rendered as it
is, without expressions, and refused when it has changed. netloom fetches nothing itself.
Exit codes: 0 pinned, 2 error.")]
pub struct Vendor {
    /// The manifest, from the project's folder on
    #[arg(value_name = "FILE")]
    file: String,
}

pub(super) fn run(command: &Vendor, context: &Context<'_>) -> Outcome {
    let (mut sources, mut findings) = (Sources::default(), Vec::new());
    let root = context.root();
    let Some((opened, project)) = load::writable(&root, &mut sources, &mut findings) else {
        return Outcome { findings, sources: Arc::new(sources), exit: Exit::Error, ..Outcome::default() };
    };
    opened.inputs(&project, &mut sources, &mut findings);
    library::embed(&mut sources);
    let sources = Arc::new(sources);
    let library = Library::read(&sources, &project.value.spec.paths.overlays, &mut findings);
    let edits = if has_errors(&findings) { Ok(Vec::new()) } else { edits(&command.file, &library, &sources) };
    let edits = match edits {
        Ok(edits) if !has_errors(&findings) => edits,
        Ok(_) => return Outcome { findings, sources, exit: Exit::Error, ..Outcome::default() },
        Err(finding) => return Outcome { sources, ..Outcome::error(*finding) },
    };
    if edits.is_empty() {
        let news = inert::line(&command.file).into_owned() + " is pinned as it is\n";
        return Outcome { news, sources, ..Outcome::default() };
    }
    match own::write(&root, &edits, Existing::Replace) {
        Ok(()) => Outcome::written(edits.into_iter().map(|(path, _)| path)),
        Err(refused) => Outcome::error(refused.finding(&rules::FILE_UNWRITABLE)),
    }
}

/// The texts of the overlays that name the file, with its pin; none where they have it.
fn edits(file: &str, library: &Library, sources: &Sources) -> Result<Vec<(String, String)>, Box<Diagnostic>> {
    let path = file.strip_prefix("./").unwrap_or(file);
    let refuse = |message: String| Box::new(Diagnostic::new(&rules::VENDOR_TARGET, Span::NONE, message));
    let Some((id, source)) = sources.find(path).filter(|_| !path.starts_with("netloom:")) else {
        let names = sources.iter().map(|(_, source)| &*source.path).filter(|path| !path.starts_with("netloom:"));
        return Err(Box::new(refuse(format!("the project has no file `{path}` below its overlays")).suggest(path, names)));
    };
    let (pin, mut named, mut edits) = (pin(&source.text), false, Vec::new());
    for overlay in library.own() {
        let names = |resource: &Resource| overlay.file(resource.path(), sources).is_some_and(|(found, _)| found == id);
        let indices = overlay.spec().resources.iter().enumerate().filter(|(_, resource)| names(resource));
        let indices: Vec<usize> = indices.map(|(index, _)| index).collect();
        named |= !indices.is_empty();
        let Some((place, text)) = sources.find(&format!("{}overlay.yaml", overlay.folder)).map(|(_, it)| (&it.path, &it.text))
        else {
            continue;
        };
        let changed = pinned(text, overlay, &indices, &pin);
        if changed != **text {
            if !reads_back(&changed, &indices, &pin) {
                let message =
                    format!("`{place}` is written in a way that netloom cannot add to; write `blake3: {pin}` beside `path`");
                return Err(refuse(message));
            }
            edits.push((place.to_string(), changed));
        }
    }
    match named {
        true => Ok(edits),
        false => {
            let finding = refuse(format!("no overlay names `{path}` under `resources`"));
            Err(Box::new(finding.help("name it there first: only what is rendered is pinned")))
        }
    }
}

/// The text of an `overlay.yaml` with a pin for some of its resources; everything else stays as it is written.
fn pinned(text: &str, overlay: &Overlay, indices: &[usize], pin: &str) -> String {
    let mut text = text.to_owned();
    // From the last to the first, so that places stay right.
    for index in indices.iter().rev() {
        let Some(entry) = overlay.declared.node.at(&Path::dotted("spec.resources").item(*index)) else { continue };
        let (range, replacement) = match (entry.as_str(), entry.get("blake3"), entry.get("path")) {
            (Some(_), ..) => {
                let range = range(entry.span);
                let written = text.get(range.clone()).unwrap_or_default().to_owned();
                (range, format!("{{path: {written}, blake3: {pin}}}"))
            }
            (None, Some(old), _) => (range(old.span), pin.to_owned()),
            (None, None, Some(path)) => {
                let end = range(path.span).end;
                (end..end, beside(&text, entry, pin))
            }
            _ => continue,
        };
        if text.get(range.clone()).is_some() {
            text.replace_range(range, &replacement);
        }
    }
    text
}

/// A further key behind `path`: in braces after a comma, otherwise in a line of its own.
fn beside(text: &str, entry: &Node, pin: &str) -> String {
    if text.get(range(entry.span)).is_some_and(|text| text.starts_with('{')) {
        return format!(", blake3: {pin}");
    }
    let key = entry.as_map().and_then(|map| map.entry("path")).map_or(0, |(key, _)| range(key.span).start);
    let line = text.get(..key).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    format!("\n{}blake3: {pin}", " ".repeat(key - line))
}

/// Whether a changed text says what it should.
fn reads_back(text: &str, indices: &[usize], pin: &str) -> bool {
    let mut findings = Vec::new();
    let documents = yaml::read(text, Sources::default().add("overlay.yaml", text.to_owned()), &mut findings);
    let pin_at = |index: &usize| {
        let path = Path::dotted("spec.resources").item(*index).child("blake3");
        documents.first().and_then(|document| document.at(&path)).and_then(Node::as_str) == Some(pin)
    };
    findings.is_empty() && indices.iter().all(pin_at)
}

fn range(span: Span) -> std::ops::Range<usize> {
    let place = |at: u32| usize::try_from(at).unwrap_or(usize::MAX);
    place(span.start)..place(span.end)
}
