//! What policies are evaluated on: declarations, objects, resources of CloudFormation.

use std::cell::OnceCell;

use indexmap::IndexMap;

use super::document::Operation;
use super::matching::NAME_LABEL;
use schema::Identity;
use tree::{Map, Node, Span};

/// API group of declarations.
pub(super) const DECLARATIONS: &str = "netloom.dev";
/// API group of resources of CloudFormation; the resource is the type.
pub(super) const CLOUDFORMATION: &str = "cloudformation.netloom.dev";

/// Something that policies may be about.
pub(super) struct Subject<'a> {
    /// API group.
    pub group: &'a str,
    /// API version.
    pub version: &'a str,
    /// Kind.
    pub kind: &'a str,
    /// The resource: the kind in the plural.
    pub resource: String,
    /// Name.
    pub name: &'a str,
    /// Namespace; empty where there is none.
    pub namespace: &'a str,
    /// Labels.
    pub labels: Option<&'a Node>,
    /// The namespace itself.
    pub in_namespace: Option<&'a Namespace>,
    /// What it was in the base.
    pub old: Option<Old<'a>>,
    /// What is done to it.
    pub operation: Operation,
    /// The place to point at.
    pub span: Span,
    object: Lazy<'a>,
}

/// What an object was.
pub(super) struct Old<'a> {
    /// Its labels.
    pub labels: Option<&'a Node>,
    object: Lazy<'a>,
}

impl<'a> Old<'a> {
    /// An object, or a declaration with what it left to defaults.
    pub(super) fn object(node: &'a Node) -> Self {
        Self { labels: node.get("metadata").and_then(|metadata| metadata.get("labels")), object: Lazy::Ready(node) }
    }

    /// A resource of a template.
    pub(super) fn resource(id: &'a str, resource: &'a Node, labels: Option<&'a Node>) -> Self {
        let make = move || resource_object(id, resource, labels);
        Self { labels, object: Lazy::Made(OnceCell::new(), Box::new(make)) }
    }

    /// The object.
    pub(super) fn node(&self) -> &Node {
        self.object.node()
    }
}

/// A namespace of some objects.
pub(super) struct Namespace {
    /// The namespace with its name as a label.
    pub object: Node,
    /// Whether all its labels are known.
    pub known: bool,
}

/// An object, made when a policy asks for it.
enum Lazy<'a> {
    Ready(&'a Node),
    Made(OnceCell<Node>, Box<dyn Fn() -> Node + 'a>),
}

impl Lazy<'_> {
    fn node(&self) -> &Node {
        match self {
            Lazy::Ready(node) => node,
            Lazy::Made(cell, make) => cell.get_or_init(make),
        }
    }
}

/// A resource of a template as an object of Kubernetes' form.
fn resource_object(id: &str, resource: &Node, labels: Option<&Node>) -> Node {
    let mut metadata: Map = [("name", Node::from(id))].into_iter().collect();
    if let Some(labels) = labels {
        metadata.push("labels", labels.clone());
    }
    let mut object: Map = [
        ("apiVersion", Node::from(format!("{CLOUDFORMATION}/v1"))),
        ("kind", Node::from(resource.str_at("Type").unwrap_or_default())),
        ("metadata", metadata.into()),
    ]
    .into_iter()
    .collect();
    for (key, node) in resource.as_map().into_iter().flat_map(Map::iter) {
        object.insert(key.clone(), node.clone());
    }
    object.into()
}

impl<'a> Subject<'a> {
    /// An object of Kubernetes.
    #[must_use]
    pub(super) fn object(identity: &'a Identity, node: &'a Node, namespaces: &'a IndexMap<&'a str, Namespace>) -> Self {
        Self {
            group: identity.group(),
            version: identity.version(),
            kind: &identity.kind,
            resource: plural(&identity.kind),
            name: &identity.name,
            namespace: &identity.namespace,
            labels: node.get("metadata").and_then(|metadata| metadata.get("labels")),
            in_namespace: namespaces.get(identity.namespace.as_str()),
            old: None,
            operation: Operation::Create,
            span: node.span,
            object: Lazy::Ready(node),
        }
    }

    /// A declaration; `make` gives it with what it leaves to defaults.
    #[must_use]
    pub(super) fn declaration(kind: &'a str, node: &'a Node, make: impl Fn() -> Node + 'a) -> Self {
        let metadata = node.get("metadata");
        Self {
            group: DECLARATIONS,
            version: "v1alpha1",
            kind,
            resource: plural(kind),
            name: metadata.and_then(|metadata| metadata.str_at("name")).unwrap_or_default(),
            namespace: "",
            labels: metadata.and_then(|metadata| metadata.get("labels")),
            in_namespace: None,
            old: None,
            operation: Operation::Create,
            span: metadata.and_then(|metadata| metadata.get("name")).map_or(node.span, |name| name.span),
            object: Lazy::Made(OnceCell::new(), Box::new(make)),
        }
    }

    /// A resource of a template; its labels are those of the declaration that the template is of.
    #[must_use]
    pub(super) fn resource(id: &'a str, resource: &'a Node, labels: Option<&'a Node>, place: Span) -> Self {
        let kind = resource.str_at("Type").unwrap_or_default();
        let make = move || resource_object(id, resource, labels);
        Self {
            group: CLOUDFORMATION,
            version: "v1",
            kind,
            resource: kind.to_owned(),
            name: id,
            namespace: "",
            labels,
            in_namespace: None,
            old: None,
            operation: Operation::Create,
            span: if resource.span.is_known() { resource.span } else { place },
            object: Lazy::Made(OnceCell::new(), Box::new(make)),
        }
    }

    /// What a case is about.
    #[must_use]
    pub(super) fn of_case(identity: &'a Identity, node: &'a Node, namespaces: &'a IndexMap<&'a str, Namespace>) -> Self {
        match identity.group() {
            DECLARATIONS => Self::declaration(&identity.kind, node, || node.clone()),
            CLOUDFORMATION => Self { resource: identity.kind.clone(), ..Self::object(identity, node, namespaces) },
            _ => Self::object(identity, node, namespaces),
        }
    }

    /// The same, where there was `old` before, and nothing is left if not `kept`.
    #[must_use]
    pub(super) fn changed(mut self, kept: bool, old: Option<Old<'a>>) -> Self {
        self.operation = match (kept, &old) {
            (false, _) => Operation::Delete,
            (true, Some(_)) => Operation::Update,
            (true, None) => Operation::Create,
        };
        self.old = old;
        self
    }

    /// The object as expressions see it: none when it is deleted.
    #[must_use]
    pub(super) fn present(&self) -> Option<&Node> {
        (self.operation != Operation::Delete).then(|| self.node())
    }

    /// The object; what it was when it is deleted.
    #[must_use]
    pub(super) fn node(&self) -> &Node {
        self.object.node()
    }

    /// What people call it.
    #[must_use]
    pub(super) fn title(&self) -> String {
        let namespace = if self.namespace.is_empty() { String::new() } else { format!("{}/", self.namespace) };
        format!("{} `{namespace}{}`", self.kind, self.name)
    }

    /// The request as expressions see it.
    #[must_use]
    pub(super) fn request(&self) -> Node {
        let kind =
            || Node::map([("group", Node::from(self.group)), ("version", self.version.into()), ("kind", self.kind.into())]);
        let resource = || {
            let resource = Node::from(self.resource.as_str());
            Node::map([("group", Node::from(self.group)), ("version", self.version.into()), ("resource", resource)])
        };
        let mut request: Map = [
            ("operation", Node::from(self.operation.name())),
            ("kind", kind()),
            ("resource", resource()),
            ("requestKind", kind()),
            ("requestResource", resource()),
            ("name", self.name.into()),
            ("dryRun", false.into()),
        ]
        .into_iter()
        .collect();
        // The API server leaves out what is empty, which the subresource always is here.
        if !self.namespace.is_empty() {
            request.push("namespace", Node::from(self.namespace));
        }
        request.into()
    }
}

/// A kind in the plural, as Kubernetes names resources.
#[must_use]
pub(super) fn plural(kind: &str) -> String {
    let lower = kind.to_lowercase();
    match lower.as_str() {
        "endpoints" => lower,
        _ if lower.ends_with(['s', 'x']) || lower.ends_with("ch") || lower.ends_with("sh") => lower + "es",
        _ => match lower.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u'])) {
            Some(stem) => format!("{stem}ies"),
            None => lower + "s",
        },
    }
}

/// A namespace as the API server has it.
#[must_use]
pub(super) fn namespace(name: &str, labels: &[(&str, &str)], known: bool) -> Namespace {
    let labels = labels.iter().copied().filter(|(key, _)| *key != NAME_LABEL).chain([(NAME_LABEL, name)]);
    let labels = Node::map(labels.map(|(key, value)| (key, Node::from(value))));
    let metadata = Node::map([("name", Node::from(name)), ("labels", labels)]);
    let object = Node::map([("apiVersion", Node::from("v1")), ("kind", "Namespace".into()), ("metadata", metadata)]);
    Namespace { object, known }
}
