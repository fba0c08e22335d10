//! Helpers of unit tests: declarations from text, findings as text.

use findings::Diagnostic;
use model::declare::{Cluster, Declared, Facts, Kind, Network, decode};
use tree::{FileId, Node, Sources, Span};

/// The only document of `text`, which must be YAML.
pub fn node(text: &str, file: FileId) -> Node {
    let mut findings = Vec::new();
    let documents = yaml::read(text, file, &mut findings);
    assert!(findings.is_empty(), "{findings:?}");
    documents.into_iter().next().expect("a document")
}

/// Texts under their names, and the declarations made of them.
#[derive(Default)]
pub struct Project {
    pub sources: Sources,
}

impl Project {
    pub fn node(&mut self, path: &str, text: &str) -> Node {
        let file = self.sources.add(path, text.to_owned());
        node(text, file)
    }

    fn declaration<T: Kind>(&mut self, path: &str, text: &str) -> Declared<T> {
        let node = self.node(path, text);
        let mut findings = Vec::new();
        let declared = decode(node, &mut findings);
        assert!(findings.is_empty(), "{}", self.report(&findings));
        declared.expect("a declaration without findings")
    }

    /// A cluster whose `spec` begins with these lines (indented by two).
    pub fn cluster(&mut self, spec: &str) -> Declared<Cluster> {
        let head = "apiVersion: netloom.dev/v1alpha1\nkind: Cluster\nmetadata: {name: prod}\nspec:\n";
        self.declaration("cluster.yaml", &format!("{head}{spec}"))
    }

    /// A network whose `spec` begins with these lines (indented by two).
    pub fn network(&mut self, spec: &str) -> Declared<Network> {
        let head = "apiVersion: netloom.dev/v1alpha1\nkind: Network\nmetadata: {name: vpc}\nspec:\n";
        self.declaration("network.yaml", &format!("{head}{spec}"))
    }

    /// Facts of an overlay, as if written in a file of their own.
    pub fn facts(&mut self, text: &str) -> (Facts, Span) {
        let node = self.node("facts.yaml", text);
        let facts = serde_json::from_value(node.to_json()).expect("facts");
        (facts, node.span)
    }

    /// A line for each finding: severity, code, place, message, and the other places.
    pub fn report(&self, findings: &[Diagnostic]) -> String {
        findings.iter().map(|finding| self.line(finding) + "\n").collect()
    }

    fn line(&self, finding: &Diagnostic) -> String {
        let severity = format!("{:?}", finding.severity).to_lowercase();
        let mut line = format!("{severity}[{}] {}: {}", finding.code, self.sources.locate(finding.span), finding.message);
        for label in &finding.labels {
            line += &format!(" | {}: {}", self.sources.locate(label.span), label.text);
        }
        line
    }
}

/// The network with this `spec`, which stands first in its file, so that lines count from its first line.
pub fn network(spec: &str) -> (Sources, Declared<Network>) {
    let text = format!("{}\napiVersion: netloom.dev/v1alpha1\nkind: Network\nmetadata: {{name: net}}\n", spec.trim());
    let mut sources = Sources::default();
    let file = sources.add("net.yaml", text.to_owned());
    let mut findings = Vec::new();
    let node = yaml::read(&text, file, &mut findings).remove(0);
    let network = decode::<Network>(node, &mut findings);
    assert_eq!(findings, []);
    (sources, network.unwrap())
}
