//! The answer: a value's origin, and the origins of what it was made from.

use std::sync::Arc;

use serde_json::Value as Json;

use tree::{Node, Path, Span, Step};

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// What it is called where it is used, such as `options.version`; empty for the value that was asked for.
    pub name: String,
    /// How it came to be.
    pub kind: Kind,
    /// The value; none when it is not set.
    pub value: Option<Json>,
    /// Where it is written.
    pub place: Span,
    /// Its expression as written, the field that declares it, or why netloom makes it.
    pub text: String,
    /// Whose text it is: an overlay, or one of its patches; empty for declarations.
    pub by: String,
    /// What it was made from.
    pub inputs: Vec<Arc<Origin>>,
    /// The values that stood here before, the last one first.
    pub overrode: Vec<Overridden>,
}

/// How a value came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody declared it.
    Declared,
    /// Nobody declared it, and this is what it is then.
    Default,
    /// Nobody declared it, and it has no value.
    Unset,
    /// Text of an overlay, as written.
    Constant,
    /// An expression of an overlay.
    Expression,
    /// A Jsonnet program or a text template.
    Program,
    /// netloom's own doing.
    Computed,
}

impl Kind {
    /// Its name, for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Declared => "declared",
            Kind::Default => "default",
            Kind::Unset => "unset",
            Kind::Constant => "constant",
            Kind::Expression => "expression",
            Kind::Program => "program",
            Kind::Computed => "computed",
        }
    }
}

/// A value that another one replaced.
#[derive(Clone, Debug, PartialEq)]
pub struct Overridden {
    /// The value.
    pub value: Json,
    /// Where it is written.
    pub place: Span,
}

impl Origin {
    /// An origin without inputs.
    #[must_use]
    pub fn new(kind: Kind, place: Span, text: impl Into<String>) -> Self {
        let (name, by) = (String::new(), String::new());
        Self { name, kind, value: None, place, text: text.into(), by, inputs: Vec::new(), overrode: Vec::new() }
    }

    /// What netloom makes, and why.
    #[must_use]
    pub fn computed(text: impl Into<String>, inputs: Vec<Arc<Origin>>) -> Self {
        Self { inputs, ..Self::new(Kind::Computed, Span::NONE, text) }
    }

    /// This origin under a name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// This origin with its value.
    #[must_use]
    pub fn with(mut self, value: Option<Json>) -> Self {
        self.value = value;
        self
    }

    /// This origin without its value, where it is enough that there is one.
    #[must_use]
    pub fn shortened(self: Arc<Self>) -> Arc<Self> {
        Arc::new(Self { value: None, ..Self::clone(&self) })
    }

    /// Calls `visit` for every place that takes part, that of this value first.
    pub fn places(&self, visit: &mut impl FnMut(Span)) {
        if self.place.is_known() {
            visit(self.place);
        }
        self.inputs.iter().for_each(|input| input.places(visit));
    }
}

/// The value at a path, with the values that it replaced: its own, and those that stood there before a whole mapping or list above
/// it was replaced.
#[must_use]
pub fn overridden(root: &Node, path: &Path) -> Vec<Overridden> {
    let mut found = Vec::new();
    let mut node = Some(root);
    for depth in 0..=path.0.len() {
        let Some(here) = node else { break };
        let (_, below) = path.0.split_at(depth);
        let below = Path(below.to_vec());
        let mut older = here.overrode.as_deref();
        let mut own = Vec::new();
        while let Some(old) = older {
            own.extend(old.at(&below).map(|value| Overridden { value: value.to_json(), place: place(old, &below) }));
            older = old.overrode.as_deref();
        }
        // What is nearer to the value was replaced later.
        own.append(&mut found);
        found = own;
        node = match path.0.get(depth) {
            Some(Step::Key(key)) => here.get(key),
            Some(Step::Index(index)) => here.as_list().and_then(|items| items.get(*index)),
            None => None,
        };
    }
    // What repeats a value replaces nothing.
    let mut now = root.at(path).map(Node::to_json);
    found.retain(|old| {
        let other = now.as_ref() != Some(&old.value);
        now = Some(old.value.clone());
        other
    });
    found
}

/// Where a field is written: its value, or its key when the value is a mapping or list, which begin on a line of their own.
#[must_use]
pub fn place(root: &Node, path: &Path) -> Span {
    let node = root.nearest(path);
    let key = root.key_at(path).map(|key| key.span).filter(|span| span.is_known() && span.file == node.span.file);
    match (super::field::is_leaf(node), key) {
        (false, Some(key)) => key,
        _ => node.span,
    }
}
