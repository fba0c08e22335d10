#![allow(missing_docs, clippy::disallowed_methods, clippy::print_stdout)]
use std::path::Path;
#[test]
fn smoke() {
    let name = std::env::var("EXAMPLE").unwrap_or("weave-private".into());
    let request = netloom::Request { root: Path::new("examples").join(name), clusters: vec![], worker: "target/debug/netloom".into() };
    let c = netloom::compile(&request, &|_, _| {});
    println!("{}", netloom::diagnostic::Human { color: false }.render(&c.findings, &c.sources));
    for u in &c.units {
        for a in &u.artifacts {
            let p = Path::new("/tmp/out").join(&u.folder).join(&a.path);
            std::fs::create_dir_all(p.parent().unwrap()).unwrap();
            std::fs::write(p, a.text.as_bytes()).unwrap();
        }
    }
}
