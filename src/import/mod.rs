//! Declarations from other tools' cluster manifests.
//!
//! An importer writes out what the manifest says and what its tool would have derived from it, so that no address moves when
//! netloom takes over. Where the manifest is silent about something that a declaration must say, the importer chooses, and says
//! so twice: in a comment beside the field and as a finding. Every field without counterpart is listed by its path.

mod kops;
mod kurl;
mod label;
mod reading;
mod version;
mod writing;

use std::borrow::Cow;

use crate::declare::{Cluster, Network, decode};
use crate::diagnostic::{Diagnostic, has_errors, rules};
use crate::tree::Span;

use writing::Draft;

pub use kops::{Kops, kops};
pub use kurl::{Kurl, kurl};

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
    /// Why it has no counterpart, as the rest of a sentence that begins with the path.
    pub reason: Cow<'static, str>,
    /// Where it stands.
    pub span: Span,
}

impl Dropped {
    /// This as a finding, for those who list them among others.
    #[must_use]
    pub fn diagnostic(&self) -> Diagnostic {
        Diagnostic::new(&rules::IMPORT_DROPPED, self.span, format!("`{}` is left out: {}", self.path, self.reason))
    }
}

/// Whether nothing is wrong with what was imported since there were `before` findings: its values may not be what a declaration
/// takes. They still have their places in the manifest, so that is where the findings point.
fn holds(network: &Draft, cluster: &Draft, before: usize, findings: &mut Vec<Diagnostic>) -> bool {
    if !has_errors(findings.get(before..).unwrap_or_default()) {
        decode::<Network>(network.node.clone(), findings);
        decode::<Cluster>(cluster.node.clone(), findings);
    }
    !has_errors(findings.get(before..).unwrap_or_default())
}
