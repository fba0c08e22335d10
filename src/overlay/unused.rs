//! Files of the project's overlays that nothing names: forgotten, or misspelt where they should have been named.

use indexmap::IndexSet;

use super::library::{Library, Overlay};
use crate::diagnostic::{Diagnostic, rules};
use crate::tree::{FileId, Sources, Span};

/// What files that have a meaning in an overlay end in; others (notes, pictures) may lie there.
const ENDS: [&str; 5] = [".yaml", ".yml", ".j2", ".jsonnet", ".libsonnet"];
/// Files for which every text of the project is searched; more than these are not forgotten but something else.
const SEARCHES: usize = 100;

/// Reports manifests, patches and templates in the folders of the project's overlays that no text mentions.
pub(super) fn files<'l>(
    library: &'l Library,
    own: impl Iterator<Item = &'l Overlay>,
    sources: &Sources,
    findings: &mut Vec<Diagnostic>,
) {
    let mut searches = 0;
    // Stock overlays name no file of the project.
    let own: Vec<&Overlay> = own.collect();
    let named: IndexSet<FileId> = own.iter().flat_map(|overlay| named(overlay, sources)).collect();
    for overlay in own {
        for (id, source) in sources.iter() {
            let Some(name) = source.path.strip_prefix(&*overlay.folder) else { continue };
            let counts = ENDS.iter().any(|end| name.ends_with(end)) && name != "overlay.yaml";
            if !counts || is_nested(name, overlay, library) || named.contains(&id) || searches >= SEARCHES {
                continue;
            }
            searches += 1;
            // By its name below the overlay: templates in expressions, imports of programs, files of options.
            if sources.iter().all(|(other, text)| other == id || !text.text.contains(name)) {
                let message = format!("nothing in the overlay `{}` names this file", overlay.name());
                findings.push(Diagnostic::new(&rules::OVERLAY_UNUSED_FILE, Span::file(id), message));
            }
        }
    }
}

/// The files that an overlay names, its own and those of other overlays.
fn named<'a>(overlay: &'a Overlay, sources: &'a Sources) -> impl Iterator<Item = FileId> {
    let spec = overlay.spec();
    let patches = spec.patches.iter().map(|patch| patch.path.as_str());
    let files = spec.config_maps.iter().flat_map(|map| &map.files).map(|file| file.path());
    let named = spec.resources.iter().map(|resource| resource.path()).chain(files).chain(patches).chain(spec.runbook.as_deref());
    named.filter_map(|path| Some(overlay.file(path, sources)?.0))
}

/// Whether the file is of an overlay in a folder below this one's.
fn is_nested(name: &str, overlay: &Overlay, library: &Library) -> bool {
    name.match_indices('/').any(|(end, _)| library.names().any(|other| other == format!("{}/{}", overlay.name(), &name[..end])))
}
