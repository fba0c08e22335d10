//! Origins of what is in a cluster's files.

use std::sync::Arc;

use super::declared;
use super::files;
use super::inputs::{Inputs, Scope};
use super::narrow::below;
use super::network;
use super::origin::{Kind, Origin, overridden};
use super::written::{Pieces, first_equal};
use artifacts::cloudformation::origin as stack;
use artifacts::cloudformation::origin::Reason;
use checks::policy::COMPONENT;
use engine::overlay::render::Maker;
use engine::overlay::template::Template;
use engine::{ClusterSeen, overlay};
use model::declare::Stack;
use model::plan::Flow;
use schema::{Identity, Object};
use tree::{Node, Path, Span, Step};

/// A cluster's unit, with what made each of its objects.
pub(super) struct Cluster<'a> {
    seen: &'a ClusterSeen<'a>,
    inputs: Inputs<'a>,
    makers: Vec<(Identity, usize, Maker<'a>)>,
    pieces: Pieces<'a>,
}

impl<'a> Cluster<'a> {
    pub(super) fn new(seen: &'a ClusterSeen<'a>) -> Self {
        let instances = seen.instances.iter().enumerate();
        let of = |(at, instance): (usize, &'a overlay::render::Instance<'a>)| {
            instance.makers(seen.tools).into_iter().map(move |(identity, maker)| (identity, at, maker))
        };
        let inputs = Inputs::of_cluster(seen);
        let pieces = Pieces::new(&inputs, Stack::Cluster, seen.tools.jsonnet);
        Self { seen, inputs, makers: instances.flat_map(of).collect(), pieces }
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
            (None, file) => {
                let origin = files::cluster(self.seen, file, path, value.clone());
                let listed = files::listed(path, text).and_then(|name| Some(format!("{}/{name}", file.rsplit_once('/')?.0)));
                let reasons = listed.filter(|file| self.object(file).is_some()).map(|file| self.reasons(&file));
                reasons.map_or(origin.clone(), |inputs| Origin { inputs, ..origin })
            }
        };
        origin.with(value)
    }

    /// Why a file is there.
    pub(super) fn reasons(&self, file: &str) -> Vec<Arc<Origin>> {
        let made = self.object(file).and_then(|object| self.maker(object));
        if let Some(object) = self.object(file).filter(|object| object.component() == COMPONENT && made.is_none()) {
            return self.policy(object);
        }
        let Some((scope, maker)) = made else {
            // A ConfigMap of files stands in the overlay itself.
            let declared = self.object(file).and_then(|object| Some((self.inputs.owner(object.node.span)?, object.node.span)));
            return match declared {
                Some((scope, span)) => self.config_map(scope, span),
                None => vec![declared::at(&self.seen.effective.cluster.node, "metadata.name", None)],
            };
        };
        self.inputs.resource(scope, maker)
    }

    /// Why there is a `ConfigMap` of files.
    fn config_map(&self, scope: Scope<'_>, span: Span) -> Vec<Arc<Origin>> {
        let by = format!("the overlay {}", scope.instance.overlay.name());
        let mut reasons = vec![Arc::new(Origin { by, ..Origin::new(Kind::Constant, span, "") }.named("configMaps"))];
        let made = scope.instance.compiled.config_maps.iter().find(|map| map.object.node.span == span);
        let conditions = made.and_then(|map| map.when.as_ref()).into_iter().chain(&scope.instance.compiled.when);
        reasons.extend(conditions.map(|condition| Arc::new(self.inputs.bare(scope, condition, "when"))));
        reasons.extend(self.inputs.selections(scope));
        reasons
    }

    fn maker(&self, object: &Object) -> Option<(Scope<'_>, &Maker<'a>)> {
        let (_, index, maker) = self.makers.iter().find(|(identity, ..)| *identity == object.identity)?;
        Some((Scope { index: *index, instance: self.seen.instances.get(*index)?, maker: Some(maker) }, maker))
    }

    fn in_object(&self, object: &Object, path: &Path) -> Origin {
        let node = first_equal(object.node.nearest(path));
        let made = self.maker(object);
        let below = below(&object.node, path, node.span);
        let origin = self.inputs.written_at(node.span, below, made).unwrap_or_else(|| self.elsewhere(object, node, path));
        // Nothing else replaces a value and leaves its place.
        let hashed = node.overrode.as_ref().is_some_and(|older| older.span == node.span && **older != *node);
        let text =
            if hashed { "the name as written, with a hash of what the ConfigMap holds".to_owned() } else { origin.text.clone() };
        Origin { overrode: overridden(&object.node, path), text, ..origin }
    }

    /// The origin of a value that no overlay has written.
    fn elsewhere(&self, object: &Object, node: &Node, path: &Path) -> Origin {
        let annotation = key(path, 0) == Some("metadata") && key(path, 1) == Some("annotations");
        if node.span.is_known() {
            let by = if object.component() == COMPONENT { "a policy".to_owned() } else { String::new() };
            return self.inputs.constant(node.span, by);
        }
        match annotation || object.component() != COMPONENT {
            true => files::annotation(self.seen.project),
            false => Origin::computed("the binding of a policy that the cluster enforces", self.policy(object)),
        }
    }

    /// Where the project chooses a policy that is rendered.
    fn policy(&self, object: &Object) -> Vec<Arc<Origin>> {
        let project = &self.seen.project.node;
        let chosen = self.seen.project.value.spec.policies.iter().enumerate().filter(|(_, chosen)| chosen.enforce.renders());
        let name = object.node.get("spec").and_then(|spec| spec.str_at("policyName")).unwrap_or(&object.identity.name);
        let named = chosen.clone().filter(|(_, chosen)| chosen.policy == name).map(|(at, _)| at).collect::<Vec<_>>();
        // An object with parameters does not name its policy.
        let named = if named.is_empty() { chosen.map(|(at, _)| at).collect() } else { named };
        named.into_iter().map(|at| declared::at(project, &format!("spec.policies[{at}].policy"), None)).collect()
    }

    fn in_template(&self, path: &Path) -> Origin {
        let Some(template) = self.seen.template else { return Origin::computed("", Vec::new()) };
        if let Some(origin) = self.pieces.field(&self.inputs, template, path) {
            return origin;
        }
        let reason = stack::cluster(self.seen.plan, template, path);
        self.reason(reason)
    }

    /// The core's reason as an origin.
    fn reason(&self, reason: Reason<'_>) -> Origin {
        let cluster = &self.seen.effective.cluster.node;
        let network = self.seen.effective.network;
        let of_cluster = reason.cluster.iter().map(|path| declared::at(cluster, path, None));
        let of_network = reason.network.iter().map(|path| declared::at(&network.node, path, network::default(network, path)));
        let of_network = of_network.filter(|origin| origin.kind != Kind::Unset);
        let mut inputs: Vec<_> = of_cluster.chain(of_network).map(|origin| self.inputs.choice.input(&origin)).collect();
        inputs.extend(reason.flows.iter().map(|flow| Arc::new(self.flow(flow))));
        inputs.extend(reason.statement.map(|because| Arc::new(self.statement(because))));
        Origin::computed(reason.text, inputs)
    }

    /// What asks for a flow: the overlay's port, or what is declared.
    fn flow(&self, flow: &Flow) -> Origin {
        let has = |instance: &overlay::render::Instance<'_>| instance.facts.ports.iter().any(|port| port.name == flow.name);
        let found = self.seen.instances.iter().enumerate().find(|(_, instance)| has(instance));
        let origin = match found {
            Some((index, instance)) => self.port(Scope { index, instance, maker: None }, flow),
            None => self.inputs.choice.chosen(self.declared_flow(flow)),
        };
        origin.named(format!("flow {}", flow.name))
    }

    /// A port of an overlay's facts, with what its expressions look up: its `when`, and numbers that options change.
    fn port(&self, scope: Scope<'_>, flow: &Flow) -> Origin {
        let ports = scope.instance.compiled.facts.as_ref().map(|facts| facts.nearest(&["ports"]));
        let named = |item: &&Template| item.constant(&["name"]).is_some_and(|name| name.as_str() == Some(&flow.name));
        let item = match ports {
            Some(Template::List(items, _)) => items.iter().find(named),
            Some(Template::Constant(node)) => {
                let item = node.as_list().unwrap_or_default().iter().find(|item| item.str_at("name") == Some(&flow.name));
                let by = format!("the overlay {}", scope.instance.overlay.name());
                let place = item.map_or(node.span, |item| super::origin::place(item, &Path::dotted("name")));
                return self.by_choice(scope, Origin { by, ..Origin::new(Kind::Constant, place, &*flow.because) });
            }
            other => other,
        };
        let (mut expressions, by) = (Vec::new(), format!("the overlay {}", scope.instance.overlay.name()));
        let template = item.or(ports);
        template.into_iter().for_each(|template| template.expressions(&mut |expression| expressions.push(expression)));
        let name = item.and_then(|item| item.constant(&["name"])).map(|name| name.span);
        let place = name.or(template.map(Template::span)).unwrap_or(flow.span);
        let inputs = expressions.into_iter().map(|expression| Arc::new(self.inputs.bare(scope, expression, expression.text())));
        let origin = Origin { by, inputs: inputs.collect(), ..Origin::new(Kind::Constant, place, &*flow.because) };
        self.by_choice(scope, origin)
    }

    /// An origin in an overlay, with why the cluster has the overlay.
    fn by_choice(&self, scope: Scope<'_>, mut origin: Origin) -> Origin {
        origin.inputs.extend(self.inputs.selections(scope));
        origin
    }

    /// A flow of Kubernetes' own or a declared one: it points at the declared field, unless there is none.
    fn declared_flow(&self, flow: &Flow) -> Origin {
        let document = &self.seen.effective.cluster.node;
        let mut found = None;
        document.walk(&Path::default(), &mut |path, node| {
            if node.span == flow.span {
                found = Some(path.clone());
            }
        });
        if flow.span.start == 0 && flow.span.end == 0 {
            // Of a program; all that it gives has one place.
            return Origin::new(Kind::Declared, flow.span, &*flow.because);
        }
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
        let asks =
            |instance: &overlay::render::Instance<'_>| instance.facts.iam.iter().any(|statement| statement.because == because);
        match self.seen.instances.iter().enumerate().find(|(_, instance)| asks(instance)) {
            Some((index, instance)) => {
                let place = instance.overlay.declared.node.nearest(&Path::dotted("spec.facts.iam")).span;
                let by = format!("the overlay {}", instance.overlay.name());
                let origin = Origin { by, ..Origin::new(Kind::Constant, place, because) };
                self.by_choice(Scope { index, instance, maker: None }, origin).named("permission")
            }
            None => Origin::computed(because, Vec::new()).named("permission"),
        }
    }
}

/// The key of a path's step, for tables.
pub(super) fn key(path: &Path, at: usize) -> Option<&str> {
    match path.0.get(at)? {
        Step::Key(key) => Some(key),
        Step::Index(_) => None,
    }
}
