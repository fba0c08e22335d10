//! What of the project's overlays has no effect: overlays that no cluster has, options and values that nothing reads, files that
//! nothing names. They were forgotten, or are misspelt where they should have been named.

use indexmap::IndexSet;

use super::library::{Library, Overlay};
use findings::{Diagnostic, rules};
use tree::{FileId, Node, Path, Sources, Span};

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
    overlay.named().filter_map(|path| Some(overlay.file(path, sources)?.0))
}

/// Whether the file is of an overlay in a folder below this one's.
fn is_nested(name: &str, overlay: &Overlay, library: &Library) -> bool {
    name.match_indices('/').any(|(end, _)| library.names().any(|other| other == format!("{}/{}", overlay.name(), &name[..end])))
}

/// An overlay that no cluster has.
pub(super) fn overlay(overlay: &Overlay) -> Diagnostic {
    let message = format!("no cluster has the overlay `{}`", overlay.name());
    Diagnostic::new(&rules::OVERLAY_UNUSED, overlay.declared.span("metadata.name"), message)
}

/// Reports options and values that no text of the overlay reads. A text that takes all options together reads each.
pub(super) fn names(overlay: &Overlay, sources: &Sources, findings: &mut Vec<Diagnostic>) {
    let mut files: Vec<FileId> = named(overlay, sources).collect();
    files.extend(sources.iter().filter(|(_, source)| source.path.starts_with(&*overlay.folder)).map(|(id, _)| id));
    let texts: Vec<&str> = files.iter().filter_map(|id| Some(&*sources.get(*id)?.text)).collect();
    let (options, values) = (Path::dotted("spec.options.properties"), Path::dotted("spec.values"));
    let keys = |path: &Path| overlay.declared.node.at(path).and_then(Node::as_map).into_iter().flat_map(|map| map.iter());
    for (key, _) in keys(&options).filter(|(key, _)| !texts.iter().any(|text| reads_option(text, &key.text))) {
        let message = format!("nothing in the overlay `{}` reads the option `{}`", overlay.name(), key.text);
        findings.push(Diagnostic::new(&rules::OPTION_UNUSED, key.span, message));
    }
    for (key, _) in keys(&values).filter(|(key, _)| texts.iter().map(|text| words(text, &key.text).count()).sum::<usize>() < 2) {
        let message = format!("nothing in the overlay `{}` reads the value `{}`", overlay.name(), key.text);
        findings.push(Diagnostic::new(&rules::VALUE_UNUSED, key.span, message));
    }
}

/// Where a word stands in a text, by the byte after it.
fn words<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> {
    let inside = |letter: char| letter.is_alphanumeric() || letter == '_';
    text.match_indices(word).map(move |(at, _)| (at, at + word.len())).filter_map(move |(start, end)| {
        let alone = !text[..start].ends_with(inside) && !text[end..].starts_with(inside);
        alone.then_some(end)
    })
}

/// Whether a text reads an option by its name, or all options together.
fn reads_option(text: &str, option: &str) -> bool {
    words(text, "options").any(|end| {
        let rest = &text[end..];
        match rest.trim_start().chars().next() {
            // `options.name`, or `options.get('name')` and its like.
            Some('.') => {
                let name = rest.trim_start().trim_start_matches('.');
                let method = name.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().unwrap_or_default();
                method == option || name[method.len()..].starts_with('(')
            }
            Some('[') => match rest.trim_start()[1..].trim_start().split_once(['\'', '"']) {
                Some(("", quoted)) => quoted.strip_prefix(option).is_some_and(|after| after.starts_with(['\'', '"'])),
                _ => true,
            },
            // The key of the schema.
            Some(':') => false,
            _ => true,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{reads_option, words};

    #[test]
    fn an_option_is_read_by_its_name_or_with_all_others() {
        let reads = [
            "{{ options.size }}",
            "options['size']",
            "ctx.options.size + 1",
            "{{ options | tojson }}",
            "options[name]",
            "for key in options %}",
        ];
        assert!(reads.iter().all(|text| reads_option(text, "size")));
        let others = ["options:\n  size: 1", "options.sizes", "options.other.size", "myoptions.size", "options['sizes']", "size"];
        assert!(others.iter().all(|text| !reads_option(text, "size")));
    }

    #[test]
    fn words_stand_alone() {
        assert_eq!(words("size sizes a.size size_x", "size").collect::<Vec<_>>(), [4, 17]);
    }
}
