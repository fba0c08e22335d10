//! What an overlay is once it was compiled.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;
use minijinja::Environment;

use super::Matcher;
use super::expression::Expression;
use super::template::{Scalar, Template};
use model::declare::Stack;
use schema::Object;
use tree::{FileId, Span};

/// An overlay, compiled.
#[derive(Debug)]
pub struct Compiled {
    /// Whether the overlay applies.
    pub when: Option<Expression>,
    /// Intermediate results, in order.
    pub values: Vec<(String, Template)>,
    /// What the plan needs to know.
    pub facts: Option<Template>,
    /// What makes objects.
    pub resources: Vec<CompiledResource>,
    /// `ConfigMap`s of files.
    pub config_maps: Vec<CompiledConfigMap>,
    /// What changes objects.
    pub patches: Vec<CompiledPatch>,
    /// Its rules.
    pub assertions: Vec<CompiledAssertion>,
    /// Text templates of its folder.
    pub texts: Arc<Environment<'static>>,
    /// The one of them that is its section of the runbook.
    pub runbook: Option<FileId>,
}

impl Compiled {
    /// Whether it has something for a stack.
    #[must_use]
    pub fn has_share(&self, stack: Stack) -> bool {
        self.resources.iter().any(|one| one.stack == Some(stack)) || self.patches.iter().any(|one| one.stack == Some(stack))
    }

    /// Where it first names something for a stack.
    #[must_use]
    pub fn share_place(&self, stack: Stack) -> Span {
        let resources = self.resources.iter().filter(|one| one.stack == Some(stack)).map(|one| one.span);
        let patches = self.patches.iter().filter(|one| one.stack == Some(stack)).map(|one| one.span);
        resources.chain(patches).next().unwrap_or(Span::NONE)
    }
}

/// A resource, compiled.
#[derive(Debug)]
pub struct CompiledResource {
    /// The stack that it is for; none for objects.
    pub stack: Option<Stack>,
    /// Whether it is rendered.
    pub when: Option<Expression>,
    /// The list it is rendered for.
    pub items: Option<Expression>,
    /// What makes the objects.
    pub body: Body,
    /// Where the overlay names it.
    pub span: Span,
}

/// A `ConfigMap` of files, compiled.
#[derive(Debug)]
pub struct CompiledConfigMap {
    /// Whether it is made.
    pub when: Option<Expression>,
    /// The object, the same one for every cluster.
    pub object: Arc<Object>,
    /// Whether its name gets a hash.
    pub hash: bool,
}

/// What makes objects, or changes them.
#[derive(Debug)]
pub enum Body {
    /// The documents of a manifest.
    Manifests(Vec<Manifest>),
    /// A Jsonnet program.
    Jsonnet(FileId),
}

/// One document of a manifest, with the objects that it made so far by what they depend on.
#[derive(Debug)]
pub struct Manifest {
    /// The document.
    pub template: Template,
    /// Objects by evaluated inputs: equal inputs give the same object, which is serialised and validated once.
    made: Mutex<Made>,
}

/// Objects by the text of what they were made from.
type Made = IndexMap<String, Option<Arc<Object>>>;

impl Manifest {
    /// A document that has made nothing yet.
    #[must_use]
    pub fn new(template: Template) -> Self {
        Self { template, made: Mutex::default() }
    }

    /// The objects made so far.
    pub fn made(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A patch, compiled.
#[derive(Debug)]
pub struct CompiledPatch {
    /// The stack that it is for; none for objects.
    pub stack: Option<Stack>,
    /// Whether it is applied.
    pub when: Option<Expression>,
    /// The patch documents, or the program.
    pub body: Body,
    /// Which objects; none where the patch names its object itself.
    pub target: Option<Matcher>,
    /// How many objects each document must match.
    pub count: Count,
    /// The patch file.
    pub span: Span,
}

/// How many objects a patch must match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Exactly so many.
    Exactly(usize),
    /// So many or more.
    AtLeast(usize),
}

impl Count {
    /// Whether so many are right.
    #[must_use]
    pub fn fits(self, found: usize) -> bool {
        match self {
            Count::Exactly(wanted) => found == wanted,
            Count::AtLeast(wanted) => found >= wanted,
        }
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Count::Exactly(number) => write!(f, "`expect` says {number}"),
            Count::AtLeast(1) => f.write_str("it has to match one at least"),
            Count::AtLeast(number) => write!(f, "`atLeast` says {number}"),
        }
    }
}

/// A rule, compiled.
#[derive(Debug)]
pub struct CompiledAssertion {
    /// Whether it applies.
    pub when: Option<Expression>,
    /// What must be true.
    pub that: Expression,
    /// What is wrong.
    pub message: Scalar,
    /// What to do.
    pub help: Option<Scalar>,
    /// Index in the overlay's `assertions`.
    pub index: usize,
}
