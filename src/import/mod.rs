//! Declarations from other tools' cluster manifests.
//!
//! An importer writes out what the manifest says and what its tool would have derived from it, so that no address moves when
//! netloom takes over. Where the manifest is silent about something that a declaration must say, the importer chooses, and says
//! so twice: in a comment beside the field and as a finding. Every field without counterpart is listed by its path.

mod kops;
mod kurl;
mod label;
mod options;
mod reading;
mod version;
mod writing;

use std::borrow::Cow;

use crate::declare::{Cluster, Network, decode};
use crate::diagnostic::{Diagnostic, has_errors, rules};
use crate::tree::{FileId, Node, Span, Value, yaml};

use writing::Draft;

pub use kops::{Kops, kops};
pub use kurl::{Kurl, kurl};

/// Reads the documents of a manifest: YAML, or JSON, where a list is one of documents.
///
/// Times are text here, also without quotes: Kubernetes prints them so, and no declaration takes one over.
pub fn read(text: &str, file: FileId, findings: &mut Vec<Diagnostic>) -> Vec<Node> {
    let before = findings.len();
    let documents = yaml::read(text, file, findings);
    let mut at = 0;
    findings.retain(|finding| {
        at += 1;
        let quoted = text.get(finding.span.start as usize..finding.span.end as usize).unwrap_or_default();
        at <= before || finding.code != rules::YAML_AMBIGUOUS.code || !is_date(quoted)
    });
    let flat = documents.into_iter().flat_map(|document| match document.value {
        Value::List(items) => items,
        _ => vec![document],
    });
    flat.collect()
}

/// Whether the text begins with a date: `2016-12-10T22:42:27Z`, or a release of MinIO.
fn is_date(text: &str) -> bool {
    let form = |(at, byte): (usize, u8)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    text.get(..10).is_some_and(|day| day.bytes().enumerate().all(form))
}

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

/// Whether nothing is wrong with what was imported since there were `before` findings: its values may not be what a declaration
/// takes. They still have their places in the manifest, so that is where the findings point.
fn holds(network: &Draft, cluster: &Draft, before: usize, findings: &mut Vec<Diagnostic>) -> bool {
    if !has_errors(findings.get(before..).unwrap_or_default()) {
        decode::<Network>(network.node.clone(), findings);
        decode::<Cluster>(cluster.node.clone(), findings);
    }
    let holds = !has_errors(findings.get(before..).unwrap_or_default());
    // Nothing was chosen where nothing is written.
    findings.retain(|finding| holds || finding.code != rules::IMPORT_CHOICE.code);
    holds
}
