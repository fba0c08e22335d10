//! `netloom schema`: JSON Schemas for editors.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::Outcome;
use files::own;
use findings::rules;
use model::declare;

/// Prints the JSON Schema of a kind of file.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  netloom schema cluster
  netloom schema --output .schemas
and as the first line of a file in declarations/:
  # yaml-language-server: $schema=../.schemas/cluster.schema.json")]
pub struct Schema {
    /// The kind of file
    #[arg(required_unless_present = "output")]
    kind: Option<Kind>,
    /// Write KIND.schema.json into this folder; every kind when none is named
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// Kinds of files that have a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    Project,
    Network,
    Cluster,
    Overlay,
    // What `--format json` prints.
    Report,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Project => "project",
            Kind::Network => "network",
            Kind::Cluster => "cluster",
            Kind::Overlay => "overlay",
            Kind::Report => "report",
        }
    }

    fn schema(self) -> Value {
        match self {
            // Written by hand: the documents have no types to derive it from. The tests hold every command to it.
            Kind::Report => serde_json::from_str(include_str!("report.schema.json")).unwrap_or_default(),
            Kind::Project => declare::json_schema::<declare::Project>(),
            Kind::Network => declare::json_schema::<declare::Network>(),
            Kind::Cluster => declare::json_schema::<declare::Cluster>(),
            Kind::Overlay => declare::json_schema::<declare::Overlay>(),
        }
    }

    fn text(self) -> String {
        format!("{:#}\n", self.schema())
    }
}

impl Schema {
    /// The folder that is written in.
    pub(super) fn folder(&self) -> Option<&Path> {
        self.output.as_deref()
    }
}

pub(super) fn run(command: &Schema) -> Outcome {
    let kinds = command.kind.map_or_else(|| Kind::value_variants().to_vec(), |kind| vec![kind]);
    let Some(folder) = &command.output else {
        let schemas: Value = kinds.iter().map(|kind| (kind.name().to_owned(), kind.schema())).collect();
        let data = [("schemas".to_owned(), schemas)].into_iter().collect();
        return Outcome { product: kinds.iter().map(|kind| kind.text()).collect(), data, ..Outcome::default() };
    };
    let new: Vec<_> = kinds.iter().map(|kind| (format!("{}.schema.json", kind.name()), kind.text())).collect();
    match own::write(folder, &new, own::Existing::Replace) {
        Ok(()) => Outcome::written(new.iter().map(|(name, _)| folder.join(name).display().to_string())),
        Err(refused) => Outcome::error(refused.finding(&rules::FILE_UNWRITABLE)),
    }
}
