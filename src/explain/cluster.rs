//! Origins of what is in a cluster's files.

use std::sync::Arc;

use super::declared;
use super::files;
use super::inputs::{Inputs, Scope};
use super::origin::{Kind, Origin, overridden};
use crate::ClusterSeen;
use crate::cloudformation::origin::{self as stack, Reason};
use crate::kubernetes::{Identity, Object};
use crate::overlay::compile::{Body, Manifest};
use crate::overlay::render::Maker;
use crate::overlay::template::Scalar;
use crate::overlay::{self, Selected};
use crate::plan::Flow;
use crate::tree::{Node, Path, Span, Step};

/// A cluster's unit, with what made each of its objects.
pub(super) struct Cluster<'a> {
    seen: &'a ClusterSeen<'a>,
    inputs: Inputs<'a>,
    makers: Vec<(Identity, usize, Maker<'a>)>,
}

impl<'a> Cluster<'a> {
    pub(super) fn new(seen: &'a ClusterSeen<'a>) -> Self {
        let instances = seen.instances.iter().enumerate();
        let of = |(at, instance): (usize, &'a overlay::render::Instance<'a>)| {
            instance.makers(seen.tools).into_iter().map(move |(identity, maker)| (identity, at, maker))
        };
        Self { seen, inputs: Inputs::new(seen), makers: instances.flat_map(of).collect() }
    }

    fn object(&self, path: &str) -> Option<&'a Arc<Object>> {
        let below = path.strip_prefix("kubernetes/")?;
        self.seen.objects.iter().find(|object| object.path() == below)
    }

    /// The origin of a field of a file. `text` is its tree as its text shows it.
    pub(super) fn field(&self, file: &str, path: &Path, text: &Node) -> Origin {
        let value = text.at(path).map(Node::to_json);
        let origin = match (self.object(file), file) {
            (Some(object), _) => self.in_object(object, path),
            (None, "cloudformation/cluster.template.yaml") => self.in_template(path),
            (None, file) => files::cluster(self.seen, file, path, text),
        };
        origin.with(value)
    }

    /// Why a file is there.
    pub(super) fn reasons(&self, file: &str) -> Vec<Arc<Origin>> {
        let made = self.object(file).and_then(|object| self.maker(object));
        let Some((scope, maker)) = made else {
            let name = declared::at(&self.seen.effective.cluster.node, "metadata.name", None);
            return vec![name];
        };
        let resource = Path::dotted("spec.resources").item(maker.index);
        let node = scope.instance.overlay.declared.node.nearest(&resource.child("path"));
        let by = format!("the overlay {}", scope.instance.overlay.name());
        let origin = Origin::new(Kind::Constant, node.span, format!("resource {}", node.as_str().unwrap_or_default()));
        let mut reasons = vec![Arc::new(Origin { by, ..origin })];
        let plain = Scope { maker: None, ..scope };
        let conditions =
            [(&maker.resource.when, "when"), (&maker.resource.items, "loop"), (&scope.instance.compiled.when, "when")];
        for (condition, name) in conditions {
            reasons.extend(condition.iter().map(|condition| Arc::new(self.inputs.bare(plain, condition, name))));
        }
        reasons.extend(self.inputs.selected(scope).into_iter().flat_map(|selected| self.selections(selected)));
        reasons
    }

    /// Why the cluster has an overlay.
    fn selections(&self, selected: &Selected<'_>) -> Vec<Arc<Origin>> {
        let block = selected.overlay.spec().selected_by.as_deref().unwrap_or_default();
        let reason = |reason: &overlay::Reason| {
            let (text, place) = match &reason.origin {
                overlay::Origin::Layer(selector) if selector.is_empty() => ("a layer of every cluster".to_owned(), reason.span),
                overlay::Origin::Layer(selector) => (format!("a layer of clusters with {selector}"), reason.span),
                overlay::Origin::Cluster => ("the cluster's own list".to_owned(), reason.span),
                overlay::Origin::UsedBy(name) => (format!("the overlay {name} builds on it"), reason.span),
                overlay::Origin::Block => {
                    let path = Path::dotted(&format!("spec.{block}"));
                    (format!("selected by spec.{block}"), super::origin::place(&self.seen.effective.cluster.node, &path))
                }
            };
            Arc::new(Origin::new(Kind::Declared, place, text).named(format!("overlay {}", selected.overlay.name())))
        };
        selected.reasons.iter().map(reason).collect()
    }

    fn maker(&self, object: &Object) -> Option<(Scope<'_>, &Maker<'a>)> {
        let (_, index, maker) = self.makers.iter().find(|(identity, ..)| *identity == object.identity)?;
        Some((Scope { index: *index, instance: self.seen.instances.get(*index)?, maker: Some(maker) }, maker))
    }

    fn in_object(&self, object: &Object, path: &Path) -> Origin {
        let node = object.node.nearest(path);
        let made = self.maker(object);
        let origin = self.at_span(node.span, made).unwrap_or_else(|| match made {
            _ if node.span.is_known() => Origin::new(Kind::Declared, node.span, self.inputs.written(node.span)),
            // Annotations that sync tools look for.
            _ => files::annotation(self.seen.project),
        });
        Origin { overrode: overridden(&object.node, path), ..origin }
    }

    /// The origin of a value by the place that set it.
    fn at_span<'s>(&'s self, span: Span, made: Option<(Scope<'s>, &'s Maker<'a>)>) -> Option<Origin> {
        if let Some((scope, maker)) = made {
            if let Some(scalar) =
                maker.document.and_then(|document| whole(document).or_else(|| document.template.scalar_at(span)))
            {
                return Some(self.inputs.scalar(scope, scalar, None, 0));
            }
            if let Body::Jsonnet(file) = &maker.resource.body
                && *file == span.file
            {
                return Some(self.program(scope, span, "a Jsonnet program"));
            }
            let document = maker.document.map(|document| document.template.span().file);
            if document == Some(span.file) {
                return Some(self.constant(span, format!("the overlay {}", scope.instance.overlay.name())));
            }
        }
        let (scope, at) = self.inputs.patching(span.file)?;
        let by = format!("a patch of the overlay {}", scope.instance.overlay.name());
        let bodies = scope.instance.compiled.patches.iter().filter(|patch| patch.index == at).map(|patch| &patch.body);
        for body in bodies {
            match body {
                Body::Manifests(documents) => {
                    if let Some(scalar) = documents.iter().find_map(|document| document.template.scalar_at(span)) {
                        return Some(Origin { by, ..self.inputs.scalar(scope, scalar, None, 0) });
                    }
                }
                Body::Jsonnet(_) => return Some(Origin { by, ..self.program(scope, span, "a Jsonnet program") }),
            }
        }
        Some(self.constant(span, by))
    }

    fn constant(&self, span: Span, by: String) -> Origin {
        Origin { by, ..Origin::new(Kind::Constant, span, self.inputs.written(span)) }
    }

    fn program(&self, scope: Scope<'_>, span: Span, text: &str) -> Origin {
        let by = format!("the overlay {}", scope.instance.overlay.name());
        Origin { by, ..Origin::new(Kind::Program, span, text) }
    }

    fn in_template(&self, path: &Path) -> Origin {
        let Some(template) = self.seen.template else { return Origin::computed("", Vec::new()) };
        let node = template.nearest(path);
        if node.span.is_known() {
            let origin = self.at_span(node.span, None);
            let origin = origin.unwrap_or_else(|| Origin::new(Kind::Constant, node.span, self.inputs.written(node.span)));
            return Origin { overrode: overridden(template, path), ..origin };
        }
        let reason = stack::cluster(self.seen.plan, template, path);
        self.reason(reason)
    }

    /// The core's reason as an origin.
    fn reason(&self, reason: Reason<'_>) -> Origin {
        let cluster = &self.seen.effective.cluster.node;
        let network = &self.seen.effective.network.node;
        let of_cluster = reason.cluster.iter().map(|path| declared::at(cluster, path, None));
        let of_network = reason.network.iter().map(|path| declared::at(network, path, None));
        let mut inputs: Vec<_> = of_cluster.chain(of_network).collect();
        inputs.extend(reason.flows.iter().map(|flow| Arc::new(self.flow(flow))));
        inputs.extend(reason.statement.map(|because| Arc::new(self.statement(because))));
        Origin::computed(reason.text, inputs)
    }

    /// What asks for a flow: the overlay's port, or what is declared.
    fn flow(&self, flow: &Flow) -> Origin {
        let asks = |instance: &overlay::render::Instance<'_>| {
            let at = instance.facts.ports.iter().any(|port| port.name == flow.name);
            let node = &instance.overlay.declared.node;
            let ports = node.at(&Path::dotted("spec.facts.ports")).and_then(Node::as_list).unwrap_or_default();
            let port = ports.iter().find(|port| port.str_at("name") == Some(&flow.name))?;
            at.then(|| (port.get("name").map_or(port.span, |name| name.span), instance.overlay.name().to_owned()))
        };
        let origin = match self.seen.instances.iter().find_map(asks) {
            Some((place, overlay)) => {
                let chosen = self.seen.effective.overlays.iter().filter(|selected| selected.overlay.name() == overlay);
                let inputs = chosen.flat_map(|selected| self.selections(selected)).collect();
                Origin { by: format!("the overlay {overlay}"), inputs, ..Origin::new(Kind::Constant, place, &*flow.because) }
            }
            None => self.declared_flow(flow),
        };
        origin.named(format!("flow {}", flow.name))
    }

    /// A flow of Kubernetes' own or a declared one: it points at the declared field, unless there is none.
    fn declared_flow(&self, flow: &Flow) -> Origin {
        let document = &self.seen.effective.cluster.node;
        let mut found = None;
        document.walk(&Path::default(), &mut |path, node| {
            if found.is_none() && node.span == flow.span {
                found = Some(path.clone());
            }
        });
        match found.filter(|path| path.0.len() > 1) {
            Some(path) => {
                let value = document.at(&path).map(Node::to_json);
                Origin::new(Kind::Declared, super::origin::place(document, &path), &*flow.because).with(value)
            }
            None => Origin::computed(&*flow.because, vec![declared::at(document, "metadata.name", None)]),
        }
    }

    /// What asks for a statement of a policy: an overlay, or netloom itself.
    fn statement(&self, because: &str) -> Origin {
        let asks = |instance: &'a overlay::render::Instance<'a>| {
            instance.facts.iam.iter().any(|statement| statement.because == because).then_some(instance)
        };
        match self.seen.instances.iter().find_map(asks) {
            Some(instance) => {
                let node = instance.overlay.declared.node.nearest(&Path::dotted("spec.facts.iam"));
                let chosen =
                    self.seen.effective.overlays.iter().filter(|selected| selected.overlay.name() == instance.overlay.name());
                let inputs = chosen.flat_map(|selected| self.selections(selected)).collect();
                let by = format!("the overlay {}", instance.overlay.name());
                Origin { by, inputs, ..Origin::new(Kind::Constant, node.span, because) }.named("permission")
            }
            None => Origin::computed(because, Vec::new()).named("permission"),
        }
    }
}

/// The expression that a document consists of.
fn whole(document: &Manifest) -> Option<&Scalar> {
    match &document.template {
        crate::overlay::template::Template::Scalar(scalar) => Some(scalar),
        _ => None,
    }
}

/// The key of a path's step, for tables.
pub(super) fn key(path: &Path, at: usize) -> Option<&str> {
    match path.0.get(at)? {
        Step::Key(key) => Some(key),
        Step::Index(_) => None,
    }
}
