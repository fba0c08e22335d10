//! Strategic merge patches: readable cases, and generated ones that kustomize decides.

// A test ends where something does not go as expected.
#![allow(clippy::expect_used)]

mod cases;
mod errors;
mod generate;
mod kustomize;
mod operations;

use netloom::findings::Diagnostic;
use netloom::schema::kubernetes;
use netloom::tree::{Node, Sources};
use netloom::{patch, yaml};

/// The documents of a text.
fn documents(sources: &mut Sources, name: &str, text: &str) -> Vec<Node> {
    let (file, mut findings) = (sources.add(name, text.to_owned()), Vec::new());
    let documents = yaml::read(text, file, &mut findings);
    assert_eq!(findings, [], "{name}");
    documents
}

/// What a patch makes of an object, and what is wrong with the patch.
fn apply(object: &Node, patch: &Node) -> (Node, Vec<Diagnostic>) {
    let schemas = kubernetes::for_minor(33).expect("embedded");
    let (mut object, mut findings) = (object.clone(), Vec::new());
    patch::strategic(&mut object, patch, &schemas, &[], &mut findings);
    (object, findings)
}
