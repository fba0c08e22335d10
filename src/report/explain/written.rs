//! Values that overlays have written: in objects, and in the templates of stacks.

use std::sync::Arc;

use super::inputs::{Inputs, Scope};
use super::narrow::below;
use super::origin::{Kind, Origin, overridden};
use engine::overlay::compiled::{Body, Manifest};
use engine::overlay::jsonnet::Jsonnet;
use engine::overlay::render::Maker;
use engine::overlay::template::{Scalar, Template};
use model::declare::Stack;
use tree::{FileId, Node, Path, Span, Step};

/// What overlays have added to a stack's template: each piece, the index of the overlay's instance, and what made it.
pub(super) struct Pieces<'a>(Vec<(Node, usize, Maker<'a>)>);

impl<'a> Pieces<'a> {
    pub(super) fn new(inputs: &Inputs<'a>, stack: Stack, jsonnet: &Jsonnet) -> Self {
        let instances = inputs.unit.instances.iter().enumerate();
        let of = instances.flat_map(|(at, instance)| {
            instance.stack_makers(stack, jsonnet).into_iter().map(move |(piece, maker)| (piece, at, maker))
        });
        Self(of.collect())
    }

    /// The origin of a field of the template, with why the overlay is there that wrote it; none for what netloom wrote itself.
    pub(super) fn field(&self, inputs: &Inputs<'_>, template: &Node, path: &Path) -> Option<Origin> {
        let node = first_equal(template.nearest(path));
        if !node.span.is_known() {
            return None;
        }
        let entry = Path(path.0.iter().take(2).cloned().collect());
        // A piece that is made for each item of a list is told by what it is called.
        let made = self.0.iter().find(|(piece, ..)| piece.at(&entry).is_some());
        let made = made.and_then(|(_, index, maker)| {
            let instance = inputs.unit.instances.get(*index)?;
            Some((Scope { index: *index, instance, maker: Some(maker) }, maker))
        });
        let mut origin = inputs.written_at(node.span, below(template, path, node.span), made)?;
        if let Some((scope, maker)) = made.filter(|(_, maker)| file(maker) == Some(node.span.file)) {
            origin.inputs.extend(inputs.resource(scope, maker));
        }
        Some(Origin { overrode: overridden(template, path), ..origin })
    }
}

impl<'a> Inputs<'a> {
    /// The origin of a value by the place that set it, which may have set all that is around it, too: the value is `below` that.
    pub(super) fn written_at(&self, span: Span, below: &[Step], made: Option<(Scope<'a>, &'a Maker<'a>)>) -> Option<Origin> {
        if let Some((scope, maker)) = made.filter(|(_, maker)| file(maker) == Some(span.file)) {
            let scalar = maker.document.and_then(|document| whole(document).or_else(|| document.template.scalar_at(span)));
            if let Some(scalar) = scalar {
                return Some(self.below(scope, scalar, below, None, 0));
            }
            return Some(match &maker.resource.body {
                Body::Jsonnet(_) => self.program(scope, span, "a Jsonnet program"),
                Body::Manifests(_) => self.constant(span, format!("the overlay {}", scope.instance.overlay.name())),
            });
        }
        let Some((scope, patch)) = self.patching(span.file) else {
            let scope = self.owner(span)?;
            return Some(self.constant(span, format!("the overlay {}", scope.instance.overlay.name())));
        };
        let by = format!("a patch of the overlay {}", scope.instance.overlay.name());
        let mut origin = match &patch.body {
            Body::Manifests(documents) => match documents.iter().find_map(|document| document.template.scalar_at(span)) {
                Some(scalar) => self.below(scope, scalar, below, None, 0),
                None => self.constant(span, String::new()),
            },
            Body::Jsonnet(_) => self.program(scope, span, "a Jsonnet program"),
        };
        origin.by = by;
        // Without the patch another value would stand there, so why it applies is a part of the answer.
        origin.inputs.extend(patch.when.iter().map(|condition| Arc::new(self.bare(scope, condition, "when"))));
        origin.inputs.extend(self.selections(scope));
        Some(origin)
    }

    /// Why a resource of an overlay is made.
    pub(super) fn resource(&self, scope: Scope<'a>, maker: &'a Maker<'a>) -> Vec<Arc<Origin>> {
        let resource = Path::dotted("spec.resources").item(maker.index);
        let node = scope.instance.overlay.declared.node.nearest(&resource.child("path"));
        let by = format!("the overlay {}", scope.instance.overlay.name());
        let origin = Origin::new(Kind::Constant, node.span, "").named(format!("resource {}", node.as_str().unwrap_or_default()));
        let mut reasons = vec![Arc::new(Origin { by, ..origin })];
        let plain = Scope { maker: None, ..scope };
        let conditions =
            [(&maker.resource.when, "when"), (&maker.resource.items, "loop"), (&scope.instance.compiled.when, "when")];
        for (condition, name) in conditions {
            reasons.extend(condition.iter().map(|condition| Arc::new(self.bare(plain, condition, name))));
        }
        reasons.extend(self.selections(scope));
        reasons
    }

    /// Why an overlay is there.
    pub(super) fn selections(&self, scope: Scope<'a>) -> Vec<Arc<Origin>> {
        self.selected(scope).map(|selected| self.choice.selections(selected)).unwrap_or_default()
    }

    pub(super) fn constant(&self, span: Span, by: String) -> Origin {
        Origin { by, ..Origin::new(Kind::Constant, span, self.written(span)) }
    }

    fn program(&self, scope: Scope<'_>, span: Span, text: &str) -> Origin {
        let by = format!("the overlay {}", scope.instance.overlay.name());
        Origin { by, ..Origin::new(Kind::Program, span, text) }
    }
}

/// A value, or the first of those that it replaced and that were equal to it: a patch that repeats `kind` and `name` decides
/// nothing about them.
pub(super) fn first_equal(node: &Node) -> &Node {
    match node.overrode.as_deref().filter(|older| super::field::is_leaf(node) && *older == node && older.span.is_known()) {
        Some(older) => first_equal(older),
        None => node,
    }
}

/// The file that a resource is written in.
fn file(maker: &Maker<'_>) -> Option<FileId> {
    match &maker.resource.body {
        Body::Jsonnet(file) => Some(*file),
        Body::Manifests(_) => maker.document.map(|document| document.template.span().file),
    }
}

/// The expression that a document consists of.
fn whole(document: &Manifest) -> Option<&Scalar> {
    match &document.template {
        Template::Scalar(scalar) => Some(scalar),
        _ => None,
    }
}
