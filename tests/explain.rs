//! Everything in the examples' output has an origin.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test that cannot read its examples has failed")]

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use netloom::report::explain::{self, Kind, Origin};
use netloom::tree::{Node, Sources, Span};
use netloom::{ClusterSeen, NetworkSeen, Request, Witness};

fn request(root: &Path) -> Request {
    Request { root: root.to_owned(), clusters: Vec::new(), worker: env!("CARGO_BIN_EXE_netloom").into() }
}

fn examples() -> Vec<PathBuf> {
    let folders = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")).unwrap();
    let mut folders: Vec<_> =
        folders.map(|entry| entry.unwrap().path()).filter(|path| path.join("netloom.yaml").is_file()).collect();
    folders.sort();
    folders
}

/// Whether an origin leads to a line of a declaration or an overlay, or to a default that is documented.
fn is_told(origin: &Origin) -> bool {
    let words = !origin.text.is_empty();
    let here = match origin.kind {
        Kind::Computed => words && !origin.inputs.is_empty(),
        Kind::Default => !origin.by.is_empty() || origin.place.is_known(),
        Kind::Unset => words,
        Kind::Declared | Kind::Constant | Kind::Expression | Kind::Program => origin.place.is_known(),
    };
    let mut places = 0;
    origin.places(&mut |_| places += 1);
    here && places > 0
}

/// Every file of the output is there, with every value, and each has an origin with a place.
#[test]
fn every_value_of_every_example_has_an_origin() {
    for root in examples() {
        let (found, lacking) = (Mutex::new(std::collections::BTreeMap::<String, usize>::new()), Mutex::new(Vec::new()));
        let compilation = explain::every(&request(&root), &|file, field, origin| {
            *found.lock().unwrap().entry(file.to_owned()).or_default() += 1;
            if !is_told(origin) {
                lacking.lock().unwrap().push(format!("{file}:{field} = {:?}: {origin:?}", origin.value));
            }
        });
        let lacking = lacking.into_inner().unwrap();
        let shown: Vec<_> = lacking.iter().take(30).collect();
        assert!(lacking.is_empty(), "{}: {} without: {shown:#?}", root.display(), lacking.len());
        let output = root.join(&compilation.output);
        let entries = walkdir::WalkDir::new(&output).into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file());
        let files: Vec<_> =
            entries.map(|entry| entry.path().strip_prefix(&output).unwrap().to_string_lossy().into_owned()).collect();
        let found = found.into_inner().unwrap();
        let missed: Vec<_> = files.iter().filter(|file| !found.contains_key(file.as_str())).collect();
        assert!(missed.is_empty() && !files.is_empty(), "{}: {missed:?}", root.display());
    }
}

/// A place: the file, the byte, and whether an expression is written there.
type Place = (String, u32, bool);

fn shown(sources: &Sources, span: Span) -> Place {
    let source = sources.get(span.file).unwrap();
    let expression = source.text.get(span.start as usize..span.end as usize).unwrap_or_default().contains("{{");
    (source.path.to_string(), span.start, expression)
}

/// Notes every value of a template that has a place: those are what overlays write. What replaced a value is noted where it is
/// another one.
#[derive(Default)]
struct Notes(Mutex<Vec<(String, String, Place)>>);

impl Notes {
    fn template(&self, file: &str, template: &Node, sources: &Sources) {
        template.walk(&netloom::tree::Path::default(), &mut |path, node| {
            let repeats = node.overrode.as_ref().is_some_and(|older| **older == *node);
            if explain::field::is_leaf(node) && node.span.is_known() && !repeats {
                let field = explain::field::show(template, path);
                self.0.lock().unwrap().push((file.to_owned(), field, shown(sources, node.span)));
            }
        });
    }
}

impl Witness for Notes {
    fn network(&self, seen: &NetworkSeen<'_>) {
        let file = format!("networks/{}/cloudformation/network.template.yaml", seen.plan.name);
        self.template(&file, seen.template, seen.sources);
    }

    fn cluster(&self, seen: &ClusterSeen<'_>) {
        let file = format!("clusters/{}/cloudformation/cluster.template.yaml", seen.effective.cluster.value.metadata.name);
        seen.template.iter().for_each(|template| self.template(&file, template, seen.sources));
    }
}

/// What overlays write in templates is told as theirs: the origin is the place in the overlay, expressions are told as such, and
/// something asks for the overlay.
#[test]
fn what_overlays_write_in_templates_is_told_as_theirs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/hardened");
    let notes = Notes::default();
    netloom::witnessed(&request(&root), &notes);
    let written = notes.0.into_inner().unwrap();
    for template in ["networks/prod-vpc/cloudformation/network", "clusters/prod/cloudformation/cluster"] {
        assert!(written.iter().any(|(file, ..)| file.starts_with(template)), "{template}: no overlay has a share in it");
    }
    let origins = Mutex::new(std::collections::BTreeMap::new());
    let compilation = explain::every(&request(&root), &|file, field, origin| {
        origins.lock().unwrap().insert((file.to_owned(), field.to_owned()), origin.clone());
    });
    let origins = origins.into_inner().unwrap();
    for (file, field, place) in written {
        let origin = origins.get(&(file.clone(), field.clone())).unwrap();
        assert!(origin.place.is_known(), "{file}:{field}: {origin:?}");
        assert_eq!(shown(&compilation.sources, origin.place), place, "{file}:{field}");
        assert_eq!(origin.kind == Kind::Expression, place.2, "{file}:{field}: {origin:?}");
        assert!(origin.inputs.iter().any(|input| input.name.starts_with("overlay ")), "{file}:{field}: {origin:?}");
    }
}

/// The two directions agree: what a declared line is an input of is listed when that line is asked about.
#[test]
fn lines_decide_what_they_are_the_origin_of() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/weave-private");
    let origins = Mutex::new(Vec::new());
    let compilation = explain::every(&request(&root), &|file, field, origin| {
        origin.places(&mut |span| origins.lock().unwrap().push((span, format!("rendered/{file}"), field.to_owned())));
    });
    let origins = origins.into_inner().unwrap();
    let line_of = |span: Span| {
        let source = compilation.sources.get(span.file).unwrap();
        (source.path.to_string(), source.line_at(span.start as usize).0)
    };
    let mut declared: Vec<_> = origins.iter().map(|(span, file, field)| (line_of(*span), file, field)).collect();
    declared.retain(|((path, _), ..)| path.starts_with("declarations/"));
    declared.sort();
    declared.dedup();
    let mut lines: Vec<_> = declared.iter().map(|(line, ..)| line.clone()).collect();
    lines.dedup();
    assert!(lines.len() >= 10, "{lines:?}");
    for (path, line) in lines {
        let decided = explain::decides(&request(&root), "declarations", &path, line).found.unwrap();
        for (_, file, field) in declared.iter().filter(|(at, ..)| *at == (path.clone(), line)) {
            let decision = decided.iter().find(|decision| decision.file == **file).unwrap();
            assert!(decision.fields.iter().any(|(known, _)| known == *field), "{path}:{line} {file}:{field}");
        }
    }
}
