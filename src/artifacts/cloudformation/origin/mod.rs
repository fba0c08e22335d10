//! Why a template has what it has, for `explain`: of each field what netloom made it from.
//!
//! Rendering keeps no record of this. It is found out again from the plan and the finished template, for the one field in question.

mod cluster;
mod network;

use model::plan::Flow;
use tree::{Node, Path, Step};

pub use cluster::cluster;
pub use network::network;

/// Why a field is what it is.
#[derive(Clone, Debug, Default)]
pub struct Reason<'a> {
    /// In words.
    pub text: String,
    /// The fields of the cluster's declaration that it was made from.
    pub cluster: Vec<String>,
    /// The fields of the network's declaration that it was made from.
    pub network: Vec<String>,
    /// The flows that it admits.
    pub flows: Vec<&'a Flow>,
    /// The purpose of the permission that it is a part of.
    pub statement: Option<&'a str>,
}

impl Reason<'_> {
    fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    fn network(mut self, paths: &[&str]) -> Self {
        self.network.extend(paths.iter().map(|path| (*path).to_owned()));
        self
    }

    fn cluster(mut self, paths: &[&str]) -> Self {
        self.cluster.extend(paths.iter().map(|path| (*path).to_owned()));
        self
    }
}

/// The keys of a path, with `*` for items of lists.
fn keys(path: &Path) -> Vec<&str> {
    path.0
        .iter()
        .map(|step| match step {
            Step::Key(key) => key.as_str(),
            Step::Index(_) => "*",
        })
        .collect()
}

/// The `Key` of the tag that a path leads into: `….Tags[1].Value`.
fn tag<'n>(template: &'n Node, path: &Path) -> Option<&'n str> {
    let at = path.0.iter().position(|step| *step == Step::Key("Tags".to_owned()))?;
    template.at(&Path(path.0.get(..at + 2)?.to_vec()))?.str_at("Key")
}
