//! Every example is a golden test: what it compiles to is what is committed, on every number of threads.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test that cannot read its examples has failed")]

use std::path::{Path, PathBuf};

use netloom::files::emit::{self, Output};
use netloom::findings::Human;
use netloom::model::unit::Unit;
use netloom::{Compilation, Request, compile};

fn examples() -> Vec<PathBuf> {
    let folders = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")).unwrap();
    let mut folders: Vec<_> =
        folders.map(|entry| entry.unwrap().path()).filter(|path| path.join("netloom.yaml").is_file()).collect();
    folders.sort();
    assert!(!folders.is_empty());
    folders
}

fn compiled(root: &Path) -> Compilation {
    let request = Request { root: root.to_owned(), clusters: Vec::new(), worker: env!("CARGO_BIN_EXE_netloom").into() };
    compile(&request, &|_, _| {})
}

/// The findings that would fail `check`, in words.
fn complaints(compilation: &Compilation) -> String {
    let mut findings = compilation.findings.clone();
    findings.retain(|finding| finding.severity > netloom::findings::Severity::Note);
    Human { color: false }.render(&findings, &compilation.sources)
}

#[test]
fn examples_compile_without_complaint_to_what_is_committed() {
    for root in examples() {
        let compilation = compiled(&root);
        assert_eq!(complaints(&compilation), "", "{}", root.display());
        assert!(!compilation.units.is_empty(), "{}", root.display());
        let output = Output { root: &root, folder: &compilation.output, foreign: &compilation.foreign };
        let differences = emit::compare(&output, &compilation.units, compilation.scope);
        assert_eq!(differences, [], "{}", root.display());
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    fn texts(units: &[Unit]) -> Vec<(String, String)> {
        let file = |unit: &Unit, artifact: &netloom::model::unit::Artifact| {
            (format!("{}/{}", unit.folder, artifact.path), artifact.text.to_string())
        };
        units.iter().flat_map(|unit| unit.artifacts.iter().map(move |artifact| file(unit, artifact))).collect()
    }
    for root in examples() {
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            texts(&pool.install(|| compiled(&root)).units)
        };
        let one = on(1);
        assert!(one == on(2) && one == on(7), "{}", root.display());
    }
}
