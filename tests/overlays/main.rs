//! What the stock overlays render, and what they say about mistakes.

#![allow(clippy::disallowed_methods, reason = "tests lay out their own project")]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod codes;
mod nodelocal;
mod options;
mod stock;
mod weave;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use netloom::engine::overlay::library::{self, Library};
use netloom::findings::rules;
use netloom::schema::json::Schema;
use netloom::tree::{Node, Path, Sources};
use netloom::{Request, compile};

/// A project in a folder of its own, gone afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("netloom-overlays-{}-{number}", std::process::id())))
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

/// A cluster on premises, ready for one change.
struct Cluster<'a> {
    weave: &'a str,
    cache: &'a str,
    spec: &'a str,
    mtu: u32,
    files: &'a [(&'a str, &'a str)],
}

const PLAIN: Cluster<'static> =
    Cluster { weave: "{}", cache: "{enabled: false}", spec: "{kernel: '5.15'}", mtu: 9001, files: &[] };

/// What a cluster came to: files by path below its folder, and a line for each finding.
struct Outcome {
    files: BTreeMap<String, String>,
    findings: Vec<String>,
}

impl Cluster<'_> {
    fn compile(&self) -> Outcome {
        self.compile_for("1.33")
    }

    fn compile_for(&self, kubernetes: &str) -> Outcome {
        let scratch = Scratch::new();
        let cluster = format!(
            "apiVersion: netloom.dev/v1alpha1\nkind: Cluster\nmetadata: {{name: c}}\nspec:\n  network: office\n  kubernetesVersion: \
             '{kubernetes}'\n  networking:\n    weave: {}\n  dns:\n    nodeLocalCache: {}\n  nodes: {}\n",
            self.weave, self.cache, self.spec
        );
        let network = format!(
            "apiVersion: netloom.dev/v1alpha1\nkind: Network\nmetadata: {{name: office}}\nspec: {{static: {{cidr: 10.0.0.0/16}}, mtu: {}}}\n",
            self.mtu
        );
        let project = "apiVersion: netloom.dev/v1alpha1\nkind: Project\nmetadata: {name: p}\n";
        let own = [("netloom.yaml", project), ("declarations/cluster.yaml", &cluster), ("declarations/network.yaml", &network)];
        own.iter().chain(self.files).for_each(|(path, text)| scratch.put(path, text));
        let request = Request { root: scratch.0.clone(), clusters: Vec::new(), worker: PathBuf::new() };
        let compiled = compile(&request, &|_, _| {});
        let files = compiled.units.iter().filter(|unit| unit.folder == "clusters/c").flat_map(|unit| &unit.artifacts);
        let line = |finding: &netloom::findings::Diagnostic| {
            let place = compiled.sources.locate(finding.span).replace("declarations/cluster.yaml:", "");
            format!("{} {place} {}", finding.code, finding.message)
        };
        Outcome {
            files: files.map(|file| (file.path.clone(), file.text.to_string())).collect(),
            // The state of Weave's makers is a note on every cluster; it is no finding about this one.
            findings: compiled.findings.iter().filter(|finding| finding.code != "overlay-lifecycle").map(line).collect(),
        }
    }
}

impl Outcome {
    fn file(&self, path: &str) -> &str {
        self.files.get(path).unwrap_or_else(|| panic!("no {path} among {:?}; {:?}", self.files.keys(), self.findings))
    }

    fn daemonset(&self) -> &str {
        self.file("kubernetes/cni/daemonset-weave-net.yaml")
    }

    /// The value of an environment variable of the DaemonSet.
    fn variable(&self, name: &str) -> Option<&str> {
        let (_, rest) = self.daemonset().split_once(&format!("- name: {name}\n          value: "))?;
        Some(rest.lines().next()?.trim_matches('"'))
    }

    /// Codes and places of findings that are no notes about things the test does not look at.
    fn codes(&self) -> Vec<String> {
        self.findings.iter().map(|line| line.splitn(3, ' ').take(2).collect::<Vec<_>>().join(" ")).collect()
    }
}

#[test]
fn objects_are_valid_for_every_version_and_hold_no_variable_of_flux() {
    for minor in 25..=37 {
        let outcome = Cluster { cache: "{}", ..PLAIN }.compile_for(&format!("1.{minor}"));
        assert_eq!(outcome.findings, [""; 0], "1.{minor}");
        let objects = outcome.files.iter().filter(|(path, _)| path.starts_with("kubernetes/"));
        objects.for_each(|(path, text)| assert!(!text.contains("${"), "{path}"));
    }
}

#[test]
fn overlays_keep_to_the_forms_that_others_rely_on() {
    let mut sources = Sources::default();
    library::embed(&mut sources);
    let mut findings = Vec::new();
    let library = Library::read(&Arc::new(sources), "none", &mut findings);
    let mut blocks: Vec<&str> = library.blocks().collect();
    for overlay in library.iter() {
        if let Some(block) = overlay.spec().selected_by.as_deref() {
            let at = blocks.iter().position(|known| *known == block);
            blocks.remove(at.unwrap_or_else(|| panic!("`selectedBy: {block}` stands in no line of its own")));
        }
        if let Some(options) = &overlay.options {
            assert_eq!(Schema::new(options.root().clone()).err(), None, "{}", overlay.name());
        }
        for assertion in &overlay.spec().assertions {
            let (code, text) = (&assertion.code, &assertion.explanation);
            assert!(rules::find(code).is_none(), "{code} is the core's");
            assert!(
                text.starts_with(|c: char| !c.is_lowercase())
                    || ["cert-manager", "flannel", "kops", "kopeio", "kube-", "netloom"]
                        .iter()
                        .any(|name| text.starts_with(name)),
                "{code}"
            );
            assert!(text.trim_end().ends_with('.') && !assertion.message.trim_end().ends_with('.'), "{code}");
        }
        // The description of a security group's rule takes these characters only (EC2 API reference, IpRange).
        let ports = overlay.declared.node.at(&Path::dotted("spec.facts.ports")).and_then(Node::as_list).unwrap_or_default();
        for because in ports.iter().filter_map(|port| port.str_at("because")) {
            let literal = |part: &str| part.split("}}").last().unwrap_or_default().to_owned();
            let because: String =
                because.split("{{").enumerate().map(|(at, part)| if at > 0 { literal(part) } else { part.into() }).collect();
            let allowed = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
            assert!(because.chars().all(allowed) && because.len() < 200, "{because}");
        }
    }
    assert_eq!(blocks, [""; 0]);
    library.compile(&[], &[], &mut findings);
    assert!(findings.is_empty(), "{findings:?}");
}
