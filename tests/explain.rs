//! Everything in the examples' output has an origin.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test that cannot read its examples has failed")]

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use netloom::Request;
use netloom::explain::{self, Kind, Origin};

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

/// The two directions agree: what a declared line is an input of is listed when that line is asked about.
#[test]
fn lines_decide_what_they_are_the_origin_of() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/weave-private");
    let origins = Mutex::new(Vec::new());
    let compilation = explain::every(&request(&root), &|file, field, origin| {
        origin.places(&mut |span| origins.lock().unwrap().push((span, format!("rendered/{file}"), field.to_owned())));
    });
    let origins = origins.into_inner().unwrap();
    let line_of = |span: netloom::tree::Span| {
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
