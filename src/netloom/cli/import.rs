//! `netloom import`: declarations from the manifest of another tool.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Context, Exit, Outcome};
use files::load;
use files::own::{self, Existing};
use findings::{Diagnostic, has_errors, inert, rules};
use import::{Dropped, Imported};
use schema::address::Cidr;
use tree::{FileId, Node, Sources, limits};

/// Imports a cluster.
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "Example:
  netloom import kops cluster.yaml
  netloom import kurl installer.yaml --stdout

What has no counterpart is listed on standard error. Exit codes: 0 imported, 2 error."
)]
pub struct Import {
    /// The tool.
    #[command(subcommand)]
    tool: Tool,
}

/// Tools whose manifests can be imported.
#[derive(Debug, Subcommand)]
enum Tool {
    /// Import a kops cluster: its `Cluster` and `InstanceGroup` documents
    #[command(after_help = "Example:
  kops get --name prod.example.com -o yaml | netloom import kops -
  netloom import kops cluster.yaml --stdout")]
    Kops {
        #[command(flatten)]
        common: Common,
        /// Internet gateway (igw-…) of an existing VPC, which kops looks up in AWS
        #[arg(long, value_name = "ID")]
        internet_gateway: Option<String>,
    },
    /// Import a kURL `Installer`
    #[command(after_help = "Example:
  netloom import kurl installer.yaml --network-cidr 10.10.0.0/16")]
    Kurl {
        #[command(flatten)]
        common: Common,
        /// Range that the machines' addresses are from, which an installer does not say
        #[arg(long, value_name = "CIDR")]
        network_cidr: Option<Cidr>,
    },
}

#[derive(Debug, Args)]
struct Common {
    /// The manifest; `-` is standard input
    file: PathBuf,
    /// Print the declarations instead of writing them to the project
    #[arg(long)]
    stdout: bool,
    /// Replace the declarations of a cluster of this name
    #[arg(long, conflicts_with = "stdout")]
    force: bool,
}

impl Import {
    fn common(&self) -> &Common {
        let (Tool::Kops { common, .. } | Tool::Kurl { common, .. }) = &self.tool;
        common
    }

    /// The file that is imported.
    pub(super) fn file(&self) -> &Path {
        &self.common().file
    }

    /// Whether files are written.
    pub(super) fn writes(&self) -> bool {
        !self.common().stdout
    }
}

pub(super) fn run(command: &Import, context: &Context<'_>) -> Outcome {
    let common = command.common();
    let (mut sources, mut findings) = (Sources::default(), Vec::new());
    let imported = read(&common.file, &mut sources, &mut findings).and_then(|(file, documents)| match &command.tool {
        Tool::Kops { internet_gateway, .. } => {
            let said = import::Kops { internet_gateway_id: internet_gateway.clone() };
            import::kops(&documents, file, &said, &mut findings)
        }
        Tool::Kurl { network_cidr, .. } => {
            import::kurl(&documents, file, &import::Kurl { network_cidr: *network_cidr }, &mut findings)
        }
    });
    match imported.filter(|_| !has_errors(&findings)) {
        Some(imported) => {
            let outcome = deliver(common, context, imported, &mut sources, Outcome { findings, ..Outcome::default() });
            Outcome { sources: sources.into(), ..outcome }
        }
        None => Outcome { findings, sources: sources.into(), exit: Exit::Error, ..Outcome::default() },
    }
}

/// The documents of the manifest.
fn read(path: &Path, sources: &mut Sources, findings: &mut Vec<Diagnostic>) -> Option<(FileId, Vec<Node>)> {
    let file = load::file(path, sources, findings)?;
    Some((file, import::read(&sources.get(file)?.text, file, findings)))
}

/// Prints or writes what was imported, with the list of what was not.
fn deliver(common: &Common, context: &Context<'_>, imported: Imported, sources: &mut Sources, mut outcome: Outcome) -> Outcome {
    outcome.remarks = listing(&imported, sources);
    let field = |field: &Dropped| json!({"path": field.path, "reason": field.reason, "place": sources.locate(field.span)});
    let dropped: Value = imported.dropped.iter().map(field).collect();
    outcome.data.extend([("dropped".to_owned(), dropped), ("cluster".to_owned(), imported.name.clone().into())]);
    outcome.summary.insert("dropped".to_owned(), imported.dropped.len().into());
    if common.stdout {
        outcome.data.insert("declarations".to_owned(), imported.text.clone().into());
        outcome.product = imported.text;
        return outcome;
    }
    match write(common, context, imported, sources) {
        Ok(path) => {
            outcome.news = inert::line(&path).into_owned() + " written\n";
            outcome.data.insert("file".to_owned(), path.into());
        }
        Err(refused) => {
            outcome.findings.extend(refused);
            outcome.exit = Exit::Error;
        }
    }
    outcome
}

/// The fields without counterpart, all of them, a line each.
fn listing(imported: &Imported, sources: &Sources) -> String {
    if imported.dropped.is_empty() {
        return String::new();
    }
    let mut lines = String::new();
    for field in &imported.dropped {
        let line = format!("{}: {} ({})", field.path, field.reason, sources.locate(field.span));
        lines.extend(["  ", &inert::clipped(&line, limits::MESSAGE_BYTES), "\n"]);
    }
    format!("Left out, because netloom has no counterpart:\n{lines}\n")
}

/// Writes the declarations into the project; returns their path in it.
fn write(common: &Common, context: &Context<'_>, imported: Imported, sources: &mut Sources) -> Result<String, Vec<Diagnostic>> {
    let root = context.root();
    let mut findings = Vec::new();
    let project = load::writable(&root, sources, &mut findings);
    let Some((_, project)) = project else { return Err(findings) };
    let path = format!("{}/{}.yaml", project.value.spec.paths.declarations, imported.name);
    let existing = if common.force { Existing::Replace } else { Existing::Keep };
    let written = own::write(&root, &[(path.clone(), imported.text)], existing);
    written.map(|()| path).map_err(|refused| vec![refused.finding(&rules::IMPORT_EXISTS)])
}
