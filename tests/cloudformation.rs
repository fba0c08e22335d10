//! Templates, byte for byte: `tests/cases/cloudformation/*.yaml` hold a `Network` and, as the next document, the template it
//! becomes.
//!
//! `NETLOOM_BLESS=1 cargo test --test cloudformation` writes what is rendered now into the cases.

use std::fs;
use std::path::Path;

use netloom::artifacts::cloudformation;
use netloom::engine::resolve;
use netloom::findings::has_errors;
use netloom::model::declare::{Declared, Network, decode};
use netloom::model::plan;
use netloom::tree::Sources;
use netloom::yaml::{self, to_yaml};

/// Between the declaration and the template.
const DIVIDER: &str = "\n---\n";

fn render(declaration: &str) -> String {
    let mut findings = Vec::new();
    let file = Sources::default().add("network.yaml", declaration.to_owned());
    let document = yaml::read(declaration, file, &mut findings).remove(0);
    let network: Declared<Network> = decode(document, &mut findings).unwrap_or_else(|| panic!("{findings:#?}"));
    resolve::network::validate(&network, &mut findings);
    assert!(!has_errors(&findings), "{findings:#?}");
    cloudformation::network::template(&plan::network::plan(&network)).map(|template| to_yaml(&template)).unwrap_or_default()
}

#[test]
#[allow(clippy::disallowed_methods)] // the cases are files, and blessing them is asked for by a variable
fn networks() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/cloudformation");
    let mut paths: Vec<_> = fs::read_dir(folder).expect("the cases").map(|entry| entry.expect("a case").path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        let case = fs::read_to_string(&path).expect("a case");
        let (declaration, expected) = case.split_once(DIVIDER).expect("a divider");
        let rendered = render(declaration);
        if std::env::var("NETLOOM_BLESS").is_ok() {
            fs::write(&path, format!("{declaration}{DIVIDER}{rendered}")).expect("a writable case");
        } else {
            assert_eq!(rendered, expected, "{}", path.display());
        }
    }
}
