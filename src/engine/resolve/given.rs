//! What the layers and overlays of one project give to clusters of another one: of a base to those of a change.

use super::layers::{self, Choice, Layer, Root};
use super::select;
use crate::overlay::library::{Library, Overlay};
use crate::overlay::{Origin, Reason, Selected};
use model::declare::{Declared, Labels, Project, Selector};
use tree::Node;

/// A project's layers and overlays. What is wrong with them has been reported.
#[derive(Debug)]
pub struct Giver<'a> {
    layers: Vec<Layer<'a>>,
    library: &'a Library,
}

impl<'a> Giver<'a> {
    /// Those of a project.
    #[must_use]
    pub fn new(project: &Declared<Project>, library: &'a Library) -> Self {
        Self { layers: layers::layers(project, library, &mut Vec::new()), library }
    }

    /// The overlays of a cluster: by its labels, its own list and its blocks.
    #[must_use]
    pub fn to_cluster(&self, cluster: &Node) -> Vec<Choice<'a>> {
        let named = layers::named(cluster, &self.layers, self.library, &mut Vec::new());
        layers::expand(select::blocks(cluster, self.library).chain(named), self.library)
    }

    /// The overlays that layers give to every cluster with these labels.
    #[must_use]
    pub fn to_labels(&self, labels: &Labels) -> Vec<Choice<'a>> {
        layers::expand(layers::of_clusters(&self.layers, labels), self.library)
    }

    /// An overlay with those that it builds on.
    #[must_use]
    pub fn with(&self, overlay: &'a Overlay) -> Vec<Choice<'a>> {
        let reason = Reason { origin: Origin::Cluster, span: overlay.declared.node.span };
        layers::expand([Root { overlay, reason, options: None }], self.library)
    }

    /// The overlays of layers for clusters, each with the clusters that it is for.
    pub fn selectors(&self) -> impl Iterator<Item = (&'a Overlay, &Selector)> {
        self.layers.iter().filter_map(|layer| Some((layer.overlay, layer.clusters.as_ref()?)))
    }
}

impl<'a> Choice<'a> {
    /// The overlay with its options, whatever may be wrong with these.
    #[must_use]
    pub fn selected(self) -> Selected<'a> {
        select::selected(self, &mut Vec::new())
    }
}
