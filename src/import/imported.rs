//! What importers make.

use std::borrow::Cow;

use tree::Span;

/// What an importer made of a manifest.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Name of the declared cluster, a DNS label; the network's is this and `-network`.
    pub name: String,
    /// YAML with a `Network` and a `Cluster`, ending in a line feed.
    pub text: String,
    /// The manifest's fields without counterpart, in the order in which they stand there.
    pub dropped: Vec<Dropped>,
}

/// A field of a manifest that has no counterpart in a declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The document and the field in it: `InstanceGroup[nodes].spec.image`. Nothing below the field was used.
    pub path: String,
    /// Why it has no counterpart: a clause.
    pub reason: Cow<'static, str>,
    /// Where it stands.
    pub span: Span,
}
