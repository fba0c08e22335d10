//! The policies at hand: stock ones, embedded in the binary, and the project's own.

use indexmap::IndexMap;

use super::compiled::{Compiled, compile};
use super::document::{API_VERSIONS, Binding, Policy, PolicyTest};
use findings::{Diagnostic, Severity, rules};
use model::declare::{self, Declared, Kind};
use tree::{Node, Path, Sources, Span, limits};

/// The stock policies, as files.
static STOCK: include_dir::Dir<'static> = include_dir::include_dir!("$CARGO_MANIFEST_DIR/../../policies");

/// What the paths of embedded files begin with.
const STOCK_PREFIX: &str = "netloom:policies/";

/// Adds the stock policies to the texts of a run.
pub fn embed(sources: &mut Sources) {
    let mut files: Vec<_> = STOCK.files().collect();
    files.sort_by_key(|file| file.path());
    for file in files {
        if let (Some(path), Some(text)) = (file.path().to_str(), file.contents_utf8()) {
            sources.add(format!("{STOCK_PREFIX}{path}"), text);
        }
    }
}

/// The names of the stock policies: a file each.
pub fn stock_names(sources: &Sources) -> impl Iterator<Item = &str> {
    sources.iter().filter_map(|(_, source)| source.path.strip_prefix(STOCK_PREFIX)?.strip_suffix(".yaml"))
}

/// The stock policies: their names, and why there are they.
#[must_use]
pub fn stock(sources: &Sources) -> Vec<(String, String)> {
    let read = |(id, source): (_, &tree::Source)| {
        let name = source.path.strip_prefix(STOCK_PREFIX)?.strip_suffix(".yaml")?;
        // What is wrong with stock policies, a test finds.
        let documents = yaml::read(&source.text, id, &mut Vec::new());
        let annotations = documents.first()?.get("metadata")?.get("annotations")?;
        Some((name.to_owned(), annotations.str_at("netloom.dev/rationale")?.trim().to_owned()))
    };
    sources.iter().filter_map(read).collect()
}

/// A policy in words.
#[derive(Debug)]
pub struct Described {
    /// Its name, which is the code of its findings.
    pub name: String,
    /// How bad a violation is, as its binding says.
    pub severity: Severity,
    /// Why there is the policy, and where it is from.
    pub explanation: String,
    /// Where its name stands.
    pub place: Span,
}

/// Every policy at hand.
#[must_use]
pub fn described(sources: &Sources, folder: &str) -> Vec<Described> {
    let library = Library::read(sources, folder, |_| true, &mut Vec::new());
    let describe = |(name, entry): (&String, &Entry)| {
        let metadata = &entry.declared.value.metadata;
        let told = |key: &str| metadata.annotations.get(key).map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
        let rationale = told("netloom.dev/rationale").unwrap_or_else(|| "A policy among the project's files.".to_owned());
        let source = told("netloom.dev/source").map(|source| format!(" Source: {source}.")).unwrap_or_default();
        let bindings =
            library.bindings.iter().filter(|(one, stock)| one.value.spec.policy_name == *name && *stock == entry.stock);
        let actions = bindings.flat_map(|(one, _)| &one.value.spec.validation_actions);
        let severity = actions.map(|action| action.severity()).max().unwrap_or(Severity::Error);
        let place = entry.declared.span("metadata.name");
        Described { name: name.clone(), severity, explanation: rationale + &source, place }
    };
    library.policies.iter().map(describe).collect()
}

/// A policy of the library.
#[derive(Debug)]
pub struct Entry {
    /// The policy.
    pub declared: Declared<Policy>,
    /// Whether it came with netloom.
    pub stock: bool,
    /// What its expressions are; none when they are wrong, which has been reported.
    pub compiled: Option<Compiled>,
}

/// What stands in files of policies.
#[derive(Debug, Default)]
pub struct Library {
    /// Policies by name; one of the project's own replaces a stock one.
    pub policies: IndexMap<String, Entry>,
    /// Bindings, and whether each is stock.
    pub bindings: Vec<(Declared<Binding>, bool)>,
    /// Cases, and whether they are stock.
    pub tests: Vec<(Declared<PolicyTest>, bool)>,
    /// Objects that may be parameters.
    pub params: Vec<Node>,
    /// Names of policies that could not be read.
    broken: Vec<String>,
}

impl Library {
    /// Reads and compiles the project's own policies, and the stock ones that `wanted` names or a binding of the project's.
    pub fn read(sources: &Sources, folder: &str, wanted: impl Fn(&str) -> bool, findings: &mut Vec<Diagnostic>) -> Self {
        let mut library = Self::default();
        let own = format!("{}/", folder.trim_end_matches('/'));
        for (id, source) in sources.iter().filter(|(_, source)| source.path.starts_with(&own)) {
            if source.path.ends_with(".yaml") || source.path.ends_with(".yml") {
                let documents = yaml::read(&source.text, id, findings);
                documents.into_iter().for_each(|node| library.add(node, false, sources, findings));
            }
        }
        let bound: Vec<String> = library.bindings.iter().map(|(one, _)| one.value.spec.policy_name.clone()).collect();
        for (id, source) in sources.iter() {
            let name = source.path.strip_prefix(STOCK_PREFIX).and_then(|path| path.strip_suffix(".yaml"));
            let asked = |name: &&str| wanted(name) || bound.iter().any(|one| one == name);
            if name.filter(asked).is_some_and(|name| !library.policies.contains_key(name)) {
                let documents = yaml::read(&source.text, id, findings);
                documents.into_iter().for_each(|node| library.add(node, true, sources, findings));
            }
        }
        library.unused(findings);
        if library.policies.len() > limits::POLICIES {
            let message = format!("there are {} policies; the limit is {}", library.policies.len(), limits::POLICIES);
            findings.push(Diagnostic::new(&rules::LIMIT, Span::NONE, message));
            library.policies.truncate(limits::POLICIES);
        }
        library
    }

    /// Whether there is a policy with this name that could not be read, which has been reported.
    #[must_use]
    pub fn is_broken(&self, name: &str) -> bool {
        self.broken.iter().any(|broken| broken == name)
    }

    fn add(&mut self, node: Node, stock: bool, sources: &Sources, findings: &mut Vec<Diagnostic>) {
        let kind = node.str_at("kind").unwrap_or_default();
        let kubernetes = node.str_at("apiVersion").is_some_and(|version| version.starts_with("admissionregistration.k8s.io/"));
        match kind {
            Policy::KIND if kubernetes => self.policy(node, stock, sources, findings),
            Binding::KIND if kubernetes => self.bindings.extend(declare::decode(node, findings).map(|one| (one, stock))),
            PolicyTest::KIND => self.tests.extend(declare::decode(node, findings).map(|one| (one, stock))),
            _ if node.str_at("apiVersion").is_some() && !kind.is_empty() => self.params.push(node),
            _ => {
                let message = "neither a policy, nor a binding, nor parameters, nor a `PolicyTest`";
                findings.push(
                    Diagnostic::new(&rules::POLICY_INVALID, node.span, message)
                        .help(format!("a policy is a `ValidatingAdmissionPolicy` of {}", API_VERSIONS[0])),
                );
            }
        }
    }

    fn policy(&mut self, node: Node, stock: bool, sources: &Sources, findings: &mut Vec<Diagnostic>) {
        let name = node.get("metadata").and_then(|metadata| metadata.str_at("name")).unwrap_or_default().to_owned();
        let Some(declared) = declare::decode::<Policy>(node, findings) else {
            self.broken.push(name);
            return;
        };
        if rules::find(&name).is_some() {
            let message = format!("`{name}` is the code of a rule of netloom's own");
            findings.push(Diagnostic::new(&rules::POLICY_INVALID, declared.span("metadata.name"), message));
        }
        if let Some(first) = self.policies.get(&name).filter(|first| first.stock == stock) {
            let finding = Diagnostic::new(
                &rules::POLICY_INVALID,
                declared.span("metadata.name"),
                format!("there are two policies `{name}`"),
            );
            findings.push(finding.also(first.declared.span("metadata.name"), "the first of them"));
            return;
        }
        let compiled = compile(&declared, sources, findings);
        self.policies.insert(name, Entry { declared, stock, compiled });
    }

    /// Reports what belongs to no policy.
    fn unused(&self, findings: &mut Vec<Diagnostic>) {
        let names = || self.policies.keys().map(String::as_str);
        let known = |name: &str| self.policies.contains_key(name) || self.is_broken(name);
        for (binding, _) in self.bindings.iter().filter(|(one, _)| !known(&one.value.spec.policy_name)) {
            let name = &binding.value.spec.policy_name;
            let finding =
                Diagnostic::new(&rules::POLICY_UNKNOWN, binding.span("spec.policyName"), format!("there is no policy `{name}`"));
            findings.push(finding.suggest(name, names()));
        }
        for (test, _) in self.tests.iter().filter(|(one, _)| !known(&one.value.metadata.name)) {
            let name = &test.value.metadata.name;
            let finding =
                Diagnostic::new(&rules::POLICY_UNKNOWN, test.span("metadata.name"), format!("there is no policy `{name}`"));
            findings.push(finding.suggest(name, names()));
        }
        let is_param = |node: &Node| {
            let kinds = self.policies.values().filter_map(|entry| entry.declared.value.spec.param_kind.as_ref());
            kinds.into_iter().any(|kind| is_of(node, &kind.api_version, &kind.kind))
        };
        for node in self.params.iter().filter(|node| !is_param(node)) {
            let kind = node.str_at("kind").unwrap_or_default();
            let message = format!("no policy has parameters of the kind `{kind}`");
            findings.push(Diagnostic::new(&rules::POLICY_INVALID, node.nearest(&Path::dotted("kind")).span, message));
        }
    }
}

/// Whether an object is of a kind.
#[must_use]
pub fn is_of(node: &Node, api_version: &str, kind: &str) -> bool {
    node.str_at("apiVersion") == Some(api_version) && node.str_at("kind") == Some(kind)
}
