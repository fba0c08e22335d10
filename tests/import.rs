//! Imports of kops and kURL manifests.
//!
//! Each file in `tests/cases/import` is a manifest and what becomes of it; `NETLOOM_BLESS=1` writes what it became today.

#![allow(clippy::disallowed_methods, reason = "tests read their cases")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use netloom::engine::resolve;
use netloom::findings::{Diagnostic, Severity, has_errors};
use netloom::import::{self, Imported, Kops, Kurl, kops, kurl};
use netloom::model::declare::{Cluster, Declared, Kind, Network, decode};
use netloom::model::plan;
use netloom::tree::{Node, Path as TreePath, Sources, Step};
use netloom::yaml;

/// A manifest, what is to be said of it, and its import.
struct Run {
    sources: Sources,
    findings: Vec<Diagnostic>,
    imported: Option<Imported>,
}

/// Imports `text` as `command` says: `kops` or `kurl`, and options as on the command line.
fn run(command: &str, text: &str) -> Run {
    let mut sources = Sources::default();
    let file = sources.add("input.yaml", text.to_owned());
    let mut findings = Vec::new();
    let documents = import::read(text, file, &mut findings);
    let words: Vec<&str> = command.split(' ').collect();
    let option = |name: &str| words.iter().position(|word| *word == name).map(|at| words[at + 1]);
    let imported = if words[0] == "kurl" {
        let said = Kurl { network_cidr: option("--network-cidr").map(|range| range.parse().unwrap()) };
        kurl(&documents, file, &said, &mut findings)
    } else {
        let said = Kops { internet_gateway_id: option("--internet-gateway").map(str::to_owned) };
        kops(&documents, file, &said, &mut findings)
    };
    Run { sources, findings, imported }
}

impl Run {
    /// The findings and their help, a line each, ordered by place.
    fn findings(&self) -> String {
        let mut findings = self.findings.clone();
        netloom::findings::sort(&mut findings, &self.sources);
        let mut text = String::new();
        for finding in &findings {
            let severity = format!("{:?}", finding.severity).to_lowercase();
            let place = self.sources.locate(finding.span);
            writeln!(text, "{place} {severity}[{}] {}", finding.code, finding.message).unwrap();
            finding
                .labels
                .iter()
                .for_each(|label| writeln!(text, "    {} {}", self.sources.locate(label.span), label.text).unwrap());
            finding.help.iter().for_each(|help| writeln!(text, "    help: {help}").unwrap());
        }
        text
    }

    fn dropped(&self) -> String {
        let mut text = String::new();
        for field in self.imported.iter().flat_map(|imported| &imported.dropped) {
            let place = self.sources.locate(field.span);
            writeln!(text, "{place} {}: {}", field.path, field.reason).unwrap();
        }
        text
    }
}

/// Decodes and validates what was written, and reports what is wrong with it.
fn validated(imported: &Imported) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let mut sources = Sources::default();
    let file = sources.add("declarations.yaml", imported.text.clone());
    let documents = yaml::read(&imported.text, file, &mut findings);
    let [network, cluster] = &documents[..] else { panic!("not two documents:\n{}", imported.text) };
    if let (Some(network), Some(cluster)) = (read::<Network>(network, &mut findings), read::<Cluster>(cluster, &mut findings)) {
        assert_eq!(cluster.value.spec.network, network.value.metadata.name);
        assert_eq!(cluster.value.metadata.name, imported.name);
        resolve::network::validate(&network, &mut findings);
        resolve::cluster::validate(&cluster, &network, &mut findings);
        assert_planned_as_written(&network);
    }
    findings.retain(|finding| finding.severity == Severity::Error);
    findings
}

/// Nothing moves: the planned subnets are the written ones.
fn assert_planned_as_written(network: &Declared<Network>) {
    let (Some(written), Some(planned)) = (&network.value.spec.aws, plan::network::plan(network).aws) else { return };
    let written: Vec<_> = written.subnets.iter().map(|subnet| (&subnet.name, &subnet.zone, subnet.cidr, &subnet.id)).collect();
    let planned: Vec<_> = planned.subnets.iter().map(|subnet| (&subnet.name, &subnet.zone, subnet.cidr, &subnet.id)).collect();
    assert_eq!(written, planned);
}

fn read<T: Kind>(node: &Node, findings: &mut Vec<Diagnostic>) -> Option<Declared<T>> {
    decode(node.clone(), findings)
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A case file: a comment, `=== COMMAND` and the manifest, then `=== declarations`, `=== dropped` and `=== findings`.
fn case(text: &str) -> (&str, &str, &str) {
    let (comment, rest) = text.split_once("=== ").expect("a case has a command");
    let (command, rest) = rest.split_once('\n').expect("the command ends its line");
    let input = rest.split_once("=== declarations\n").map_or(rest, |(input, _)| input);
    (comment, command, input)
}

#[test]
fn cases() {
    let bless = std::env::var_os("NETLOOM_BLESS").is_some();
    let files = files(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/import")), ".txt");
    assert!(!files.is_empty());
    let mut stale = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let (comment, command, input) = case(&text);
        let run = run(command, input);
        let declarations = run.imported.as_ref().map_or("", |imported| imported.text.as_str());
        let sections = [("declarations", declarations), ("dropped", &run.dropped()), ("findings", &run.findings())];
        let result = sections.iter().fold(format!("{comment}=== {command}\n{input}"), |mut result, (name, text)| {
            write!(result, "=== {name}\n{text}").unwrap();
            result
        });
        if let Some(imported) = &run.imported {
            let wrong: Vec<String> = validated(imported).into_iter().map(|finding| finding.message).collect();
            assert!(wrong.is_empty(), "{}: {wrong:#?}", path.display());
        }
        if bless {
            std::fs::write(&path, &result).unwrap();
        } else if result != text {
            stale.push(format!("{}\n{result}", path.display()));
        }
    }
    assert!(stale.is_empty(), "cases differ from what is written down:\n{}", stale.join("\n"));
}

/// The declarations of the example are what its Installer becomes.
#[test]
fn example() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/replicated-onprem"));
    let text = |path: &str| std::fs::read_to_string(folder.join(path)).unwrap();
    let run = run("kurl --network-cidr 10.20.0.0/24", &text("installer.yaml"));
    assert_eq!(run.imported.unwrap().text, text("declarations/appliance.yaml"));
}

/// Every real manifest below the folder that `NETLOOM_FIXTURES` names imports, decodes and validates.
#[test]
#[ignore = "needs NETLOOM_FIXTURES, a folder with `kops` and `kurl`"]
fn fixtures() {
    let folder = PathBuf::from(std::env::var_os("NETLOOM_FIXTURES").expect("NETLOOM_FIXTURES"));
    let show = std::env::var_os("NETLOOM_SHOW").is_some();
    let mut failed = Vec::new();
    for (command, path) in ["kops", "kurl"]
        .into_iter()
        .flat_map(|command| files(&folder.join(command), ".yaml").into_iter().map(move |path| (command, path)))
    {
        let run = run(command, &std::fs::read_to_string(&path).unwrap());
        if show {
            let text = run.imported.as_ref().map_or("", |imported| imported.text.as_str());
            let shown = format!("##### {}\n{text}=== dropped\n{}=== findings\n{}", path.display(), run.dropped(), run.findings());
            std::io::Write::write_all(&mut std::io::stderr(), shown.as_bytes()).unwrap();
        }
        let wrong = match &run.imported {
            Some(imported) => validated(imported).into_iter().map(|finding| finding.message).collect::<Vec<_>>().join("\n"),
            None => run.findings(),
        };
        if !wrong.is_empty() || has_errors(&run.findings) {
            failed.push(format!("{}:\n{wrong}", path.display()));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Whatever stands at any place of a manifest, the import ends, and what it writes decodes.
#[test]
fn any_value_anywhere() {
    let kops = ["kops-weave", "kops-v1alpha3", "kops-cilium"].map(|name| ("kops", name));
    for (tool, name) in kops.into_iter().chain([("kurl", "kurl-weave")]) {
        let path = format!("{}/tests/cases/import/{name}.txt", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let documents = run_documents(case(&text).2);
        let mut places = Vec::new();
        for (at, document) in documents.iter().enumerate() {
            document.walk(&TreePath::default(), &mut |path, _| places.push((at, path.clone())));
        }
        for (at, path) in places {
            for value in ["~", "7", "x y", "[1, [2]]", "{a: {b: c}}", "10.0.0.1/8"] {
                let mut changed = documents.clone();
                put(&mut changed[at], &path.0, &run_documents(value).pop().unwrap_or_default());
                let imported = import_of(tool, &changed);
                let wrong = imported.map_or(Vec::new(), |imported| decoded(&imported));
                assert!(wrong.is_empty(), "{name} with {value} at {path}: {wrong:#?}");
            }
        }
    }
}

fn run_documents(text: &str) -> Vec<Node> {
    let file = Sources::default().add("input.yaml", text.to_owned());
    import::read(text, file, &mut Vec::new())
}

fn import_of(tool: &str, documents: &[Node]) -> Option<Imported> {
    let file = Sources::default().add("input.yaml", "");
    match tool {
        "kops" => kops(documents, file, &Kops::default(), &mut Vec::new()),
        _ => kurl(documents, file, &Kurl::default(), &mut Vec::new()),
    }
}

fn put(node: &mut Node, path: &[Step], value: &Node) {
    let child = match path.first() {
        None => return *node = value.clone(),
        Some(Step::Key(key)) => node.as_map_mut().and_then(|map| map.get_mut(key)),
        Some(Step::Index(index)) => node.as_list_mut().and_then(|items| items.get_mut(*index)),
    };
    put(child.unwrap(), &path[1..], value);
}

/// What is wrong with the form of what was written.
fn decoded(imported: &Imported) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let file = Sources::default().add("declarations.yaml", imported.text.clone());
    let documents = yaml::read(&imported.text, file, &mut findings);
    assert_eq!(documents.len(), 2, "{}", imported.text);
    decode::<Network>(documents[0].clone(), &mut findings);
    decode::<Cluster>(documents[1].clone(), &mut findings);
    findings
}
