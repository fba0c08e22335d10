//! What there was before: the units of a base, which policies compare with.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use indexmap::IndexMap;

use schema::{Identity, Object};
use tree::{Map, Node};

/// The units of a base by folder.
pub type Units = BTreeMap<String, Before>;

/// A unit of a base, as policies saw it.
#[derive(Debug)]
pub struct Before {
    /// `Cluster` or `Network`.
    pub(super) kind: &'static str,
    /// Its declaration, with what it left to defaults.
    pub(super) declaration: Node,
    pub(super) objects: Vec<Arc<Object>>,
    pub(super) template: Option<Node>,
}

/// What a compilation has to do with a base.
#[derive(Clone, Copy, Debug, Default)]
pub enum Role<'a> {
    /// There is none: everything is new.
    #[default]
    Alone,
    /// It is the base, of which units are kept here and nothing is evaluated.
    Base(&'a Mutex<Units>),
    /// It is compared with these, which are there before the first unit is looked at. Without them everything is new.
    Compared(&'a OnceLock<Units>),
}

impl Before {
    /// The labels of the declaration.
    #[must_use]
    pub fn labels(&self) -> IndexMap<String, String> {
        let labels = self.declaration.get("metadata").and_then(|metadata| metadata.get("labels")?.as_map());
        let text = |(key, value): (&tree::Key, &Node)| Some((key.text.to_string(), value.as_str()?.to_owned()));
        labels.into_iter().flat_map(Map::iter).filter_map(text).collect()
    }
}

impl<'a> Role<'a> {
    /// Keeps a unit of a base; whether this is one.
    pub(super) fn keep(self, folder: &str, unit: impl FnOnce() -> Before) -> bool {
        let Self::Base(units) = self else { return false };
        units.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned(), unit());
        true
    }

    /// A unit as it was.
    pub(super) fn before(self, folder: &str) -> Option<&'a Before> {
        self.units()?.get(folder)
    }

    /// All units as they were.
    fn units(self) -> Option<&'a Units> {
        match self {
            Self::Compared(units) => units.get(),
            Self::Alone | Self::Base(_) => None,
        }
    }

    /// The units of the base for whose folders `gone` holds.
    pub fn gone(self, gone: impl Fn(&str) -> bool) -> impl Iterator<Item = &'a Before> {
        let units = self.units().into_iter().flatten();
        units.filter(move |(folder, _)| gone(folder)).map(|(_, before)| before)
    }
}

/// What makes an object the same one in two versions of it.
type Key<'a> = (&'a str, &'a str, &'a str, &'a str);

fn key(identity: &Identity) -> Key<'_> {
    (identity.group(), &identity.kind, &identity.namespace, &identity.name)
}

/// What is left of a unit as it was, while what there still is is taken out.
#[derive(Default)]
pub(super) struct Left<'a> {
    pub(super) objects: IndexMap<Key<'a>, &'a Object>,
    pub(super) resources: IndexMap<(&'a str, &'a str), &'a Node>,
    pub(super) labels: Option<&'a Node>,
}

impl<'a> Left<'a> {
    pub(super) fn of(before: Option<&'a Before>) -> Self {
        let Some(before) = before else { return Self::default() };
        let resources = before.template.as_ref().and_then(|template| template.get("Resources")?.as_map());
        let resource = |(id, node): (&'a tree::Key, &'a Node)| Some(((&*id.text, node.str_at("Type")?), node));
        Self {
            objects: before.objects.iter().map(|object| (key(&object.identity), &**object)).collect(),
            resources: resources.into_iter().flat_map(Map::iter).filter_map(resource).collect(),
            labels: before.declaration.get("metadata").and_then(|metadata| metadata.get("labels")),
        }
    }

    /// An object as it was.
    pub(super) fn object(&mut self, identity: &Identity) -> Option<&'a Object> {
        // An identity of today borrows for less long than those of the base.
        let at = self.objects.get_index_of(&key(identity))?;
        self.objects.shift_remove_index(at).map(|(_, object)| object)
    }

    /// A resource as it was; one of another type is another one.
    pub(super) fn resource(&mut self, id: &str, resource: &Node) -> Option<&'a Node> {
        let at = self.resources.get_index_of(&(id, resource.str_at("Type")?))?;
        self.resources.shift_remove_index(at).map(|(_, node)| node)
    }
}
