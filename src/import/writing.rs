//! Declarations in the making: trees with comments beside their fields.

use findings::{Diagnostic, has_errors, rules};
use model::declare::{Cluster, Network, decode};
use tree::{Map, Node, Path, Sources, Span, Step, Value};
use yaml::to_yaml;

/// Columns of a comment, indentation not counted.
const COLUMNS: usize = 100;

/// The order in which the fields of a cluster's `spec` are written.
const ORDER: [&str; 13] = [
    "network",
    "kubernetesVersion",
    "clusterName",
    "podCIDR",
    "serviceCIDR",
    "nonMasqueradeCIDR",
    "nodes",
    "controlPlane",
    "kubeProxy",
    "networking",
    "dns",
    "access",
    "flows",
];

/// A declaration that is being written.
pub(super) struct Draft {
    /// The document so far.
    pub(super) node: Node,
    comments: Vec<(Path, String)>,
}

/// Something that a manifest leaves open and an importer chose.
pub(super) struct Choice<'a> {
    /// The declaration's field, which is to carry the comment.
    pub(super) field: &'a str,
    /// What of the manifest leaves it open.
    pub(super) span: Span,
    /// What was chosen and why: one sentence without a full stop.
    pub(super) what: String,
    /// What the user should do about it: one sentence without a full stop.
    pub(super) help: String,
}

impl Draft {
    /// An empty declaration of `kind`.
    pub(super) fn new(kind: &str, name: &str, span: Span) -> Self {
        let mut draft = Self { node: Node::new(Value::Map(Map::new()), span), comments: Vec::new() };
        draft.set("apiVersion", model::declare::API_VERSION);
        draft.set("kind", kind);
        draft.set("metadata.name", Node::new(Value::String(name.into()), span));
        draft
    }

    /// Sets the field at a dotted path; mappings on the way are made.
    pub(super) fn set(&mut self, path: &str, value: impl Into<Node>) {
        let keys: Vec<&str> = path.split('.').collect();
        put(&mut self.node, &keys, value.into());
    }

    /// Removes the field at a dotted path.
    pub(super) fn unset(&mut self, path: &str) {
        let (parent, key) = path.rsplit_once('.').unwrap_or(("", path));
        let map =
            parent.split('.').filter(|key| !key.is_empty()).try_fold(&mut self.node, |node, key| node.as_map_mut()?.get_mut(key));
        map.and_then(Node::as_map_mut).map(|map| map.remove(key));
    }

    /// Puts a comment above the field at a dotted path.
    pub(super) fn note(&mut self, path: &str, comment: impl Into<String>) {
        self.comments.push((Path::dotted(path), comment.into()));
    }

    /// Writes a choice down beside its field and among the findings.
    pub(super) fn choose(&mut self, choice: &Choice<'_>, findings: &mut Vec<Diagnostic>) {
        let finding = Diagnostic::new(&rules::IMPORT_CHOICE, choice.span, format!("`{}`: {}", choice.field, choice.what));
        findings.push(finding.help(choice.help.clone()));
        self.note(choice.field, format!("{}. {}.", capital(&choice.what), capital(&choice.help)));
    }

    /// The document with the fields of `spec` in the order of the type.
    fn arranged(&self) -> Node {
        let mut node = self.node.clone();
        let spec = node.as_map_mut().and_then(|map| map.get_mut("spec")).and_then(Node::as_map_mut);
        if let Some(spec) = spec {
            let mut rest = std::mem::take(spec);
            *spec = ORDER.iter().filter_map(|key| rest.remove(key).map(|value| (*key, value))).collect();
            rest.into_iter().for_each(|(key, value)| spec.push(key, value));
        }
        node
    }

    fn text(&self) -> String {
        let plain = to_yaml(&self.arranged());
        let mut sources = Sources::default();
        let file = sources.add("", plain.clone());
        let read = yaml::read(&plain, file, &mut Vec::new());
        let mut at_line: Vec<(usize, &str)> = Vec::new();
        for (path, comment) in &self.comments {
            let offset = read.first().map_or(0, |root| place(root, path).start as usize);
            at_line.push((plain.get(..offset).unwrap_or_default().matches('\n').count(), comment));
        }
        let mut text = String::with_capacity(plain.len() * 2);
        for (number, line) in plain.lines().enumerate() {
            let indent = line.len() - line.trim_start_matches(' ').len();
            let comments = at_line.iter().filter(|(at, _)| *at == number);
            comments.for_each(|(_, comment)| write_comment(&mut text, comment, indent));
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}

fn put(node: &mut Node, keys: &[&str], value: Node) {
    let Some((key, rest)) = keys.split_first() else {
        *node = value;
        return;
    };
    let span = node.span;
    if node.as_map().is_none() {
        node.value = Value::Map(Map::new());
    }
    let Some(map) = node.as_map_mut() else { return };
    if !map.contains(key) {
        map.push(*key, Node::new(Value::Null, span));
    }
    if let Some(child) = map.get_mut(key) {
        put(child, rest, value);
    }
}

/// Where the field at `path` begins in its own text.
fn place(root: &Node, path: &Path) -> Span {
    match (root.key_at(path), path.0.last()) {
        (Some(key), Some(Step::Key(_))) => key.span,
        _ => root.nearest(path).span,
    }
}

/// The declarations as one YAML text below a comment.
pub(super) fn text(header: &str, drafts: &[&Draft]) -> String {
    let mut text = String::new();
    write_comment(&mut text, header, 0);
    for (at, draft) in drafts.iter().enumerate() {
        if at > 0 {
            text.push_str("---\n");
        }
        text.push_str(&draft.text());
    }
    text
}

/// Writes a comment in lines of readable length. What came from the manifest cannot end it: control characters are shown as `?`.
fn write_comment(out: &mut String, comment: &str, indent: usize) {
    let mut column = usize::MAX;
    for word in comment.split_ascii_whitespace() {
        if column.saturating_add(word.len()) >= COLUMNS {
            if column != usize::MAX {
                out.push('\n');
            }
            out.extend(std::iter::repeat_n(' ', indent));
            out.push('#');
            column = 1;
        }
        out.push(' ');
        out.extend(word.chars().map(|c| if c.is_control() || yaml::is_hidden(c) { '?' } else { c }));
        column += 1 + word.len();
    }
    if column != usize::MAX {
        out.push('\n');
    }
}

fn capital(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Whether nothing is wrong with what was imported since there were `before` findings: its values may not be what a declaration
/// takes. They still have their places in the manifest, so that is where the findings point.
pub(super) fn holds(network: &Draft, cluster: &Draft, before: usize, findings: &mut Vec<Diagnostic>) -> bool {
    if !has_errors(findings.get(before..).unwrap_or_default()) {
        decode::<Network>(network.node.clone(), findings);
        decode::<Cluster>(cluster.node.clone(), findings);
    }
    let holds = !has_errors(findings.get(before..).unwrap_or_default());
    // Nothing was chosen where nothing is written.
    findings.retain(|finding| holds || finding.code != rules::IMPORT_CHOICE.code);
    holds
}
