//! `netloom graph`: a network, and a cluster in it, as a picture.

use clap::{Args, ValueEnum};

use super::base::{Failed, committed, readable};
use super::{Context, Exit, Outcome};
use artifacts::graph::{self, Graph as Picture, Mark};
use engine::Request;
use engine::compile::planned::{Planned, planned};
use files::git::Base;
use findings::{Diagnostic, has_errors, rules};
use report::diff::report::Header;
use tree::Span;

/// Draws a network or a cluster.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  netloom graph --cluster prod-usw2 --as svg >network.svg
  netloom graph --network prod-vpc
  netloom graph --cluster prod-usw2 --base origin/main --as svg >change.svg

Nothing is written. With a base, what is new, gone or changed has a sign, a line of another form, and a colour. Exit codes: 0 drawn, 2 error.")]
pub struct Graph {
    /// The cluster, with its network; the only one when left out
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// A network without clusters
    #[arg(long, value_name = "NAME", conflicts_with = "cluster")]
    network: Option<String>,
    /// Mark what changes against this commit [default without REV: the merge base of HEAD and the default branch]
    #[arg(long, value_name = "REV", num_args = 0..=1)]
    base: Option<Option<String>>,
    /// `mermaid`, `dot` for Graphviz, or `svg`
    #[arg(long = "as", value_name = "LANGUAGE", value_enum, default_value_t, hide_possible_values = true)]
    language: Language,
}

/// What pictures are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Language {
    #[default]
    Mermaid,
    Dot,
    Svg,
}

impl Language {
    fn write(self, picture: &Picture) -> String {
        match self {
            Language::Mermaid => graph::mermaid::write(picture),
            Language::Dot => graph::dot::write(picture),
            Language::Svg => graph::svg::write(picture),
        }
    }
}

pub(super) fn run(command: &Graph, context: &Context<'_>) -> Outcome {
    let worker = context.surroundings.executable.clone();
    let request = Request { root: context.root(), clusters: Vec::new(), worker };
    let only = |names: &[(String, String)]| match (&command.cluster, &command.network, names) {
        (Some(name), ..) => Some(name.clone()),
        (None, None, [(only, _)]) => Some(only.clone()),
        _ => None,
    };
    let (found, sources, mut findings) = planned(&request, None, only);
    if has_errors(&findings) {
        return Outcome { findings, sources, exit: Exit::Error, ..Outcome::default() };
    }
    let found = found.unwrap_or_default();
    let drawn = match command.compared() {
        None => picture(command, &found),
        Some(wanted) => match before(command, wanted, &found, &request) {
            Ok((base, old)) => compared(command, &base, &old, &found),
            Err(failed) => return Failed { consequence: "nothing was drawn", ..failed }.outcome(),
        },
    };
    let picture = drawn.map_err(|finding| findings.push(finding)).ok();
    let product = picture.map(|picture| command.language.write(&picture)).unwrap_or_default();
    let exit = if has_errors(&findings) { Exit::Error } else { Exit::Done };
    let data = [("graph".to_owned(), product.clone().into())].into_iter().collect();
    Outcome { product, data, findings, sources, exit, ..Outcome::default() }
}

impl Graph {
    /// Whether git is asked.
    pub(super) fn asks_git(&self) -> bool {
        self.base.is_some()
    }

    /// The base to compare with, when one is asked for: its name, or none for the merge base.
    fn compared(&self) -> Option<Option<&str>> {
        self.base.as_ref().map(|base| base.as_deref())
    }
}

/// What there was in the base: the cluster that is drawn, or all networks.
fn before(command: &Graph, wanted: Option<&str>, found: &Planned, request: &Request) -> Result<(Base, Planned), Failed> {
    let (base, _, tree) = committed(&request.root, wanted)?;
    let Some(tree) = tree else { return Ok((base, Planned::default())) };
    let name = command.cluster.clone().or_else(|| found.clusters.first().map(|one| one.cluster.metadata.name.clone()));
    let (old, sources, findings) = planned(request, Some(&tree), |_| name);
    readable(&base, &tree, &findings, &sources)?;
    Ok((base, old.unwrap_or_default()))
}

/// The picture with marks; of something that one side does not have, everything has one.
fn compared(command: &Graph, base: &Base, old: &Planned, found: &Planned) -> Result<Picture, Diagnostic> {
    let picture = match (picture(command, found), picture(command, old)) {
        (Ok(now), Ok(before)) => now.compared_with(&before),
        (Ok(now), Err(_)) => now.marked(Mark::Added),
        (Err(_), Ok(before)) if command.cluster.is_some() || command.network.is_some() => before.marked(Mark::Removed),
        (Err(finding), _) => return Err(finding),
    };
    Ok(Picture { base: Some(format!("compared with {}", Header::new(base).base())), ..picture })
}

fn picture(command: &Graph, found: &Planned) -> Result<Picture, Diagnostic> {
    let network = |name: &str| found.networks.iter().find(|network| network.name == name);
    if let Some(one) = found.clusters.first() {
        let network = network(&one.cluster.spec.network).ok_or_else(|| nothing(found))?;
        return Ok(Picture::new(network).with_cluster(&one.cluster, network, &one.plan, &one.facts, &one.objects));
    }
    match (&command.cluster, &command.network, found.networks.as_slice()) {
        (Some(name), ..) => {
            let finding = Diagnostic::new(&rules::CLUSTER_UNKNOWN, Span::NONE, format!("there is no cluster `{name}`"));
            Err(finding.suggest(name, found.names.iter().map(|(name, _)| name.as_str())))
        }
        (None, Some(name), _) => match network(name) {
            Some(network) => Ok(Picture::new(network)),
            None => {
                let finding = Diagnostic::new(&rules::GRAPH_CHOICE, Span::NONE, format!("there is no network `{name}`"));
                Err(finding.suggest(name, found.networks.iter().map(|network| network.name.as_str())))
            }
        },
        (None, None, [only]) if found.names.is_empty() => Ok(Picture::new(only)),
        _ => Err(nothing(found)),
    }
}

/// Nothing says what to draw.
fn nothing(found: &Planned) -> Diagnostic {
    let clusters: Vec<_> = found.names.iter().take(10).map(|(name, _)| format!("`{name}`")).collect();
    let message = match found.names.len() {
        0 => format!("there are {} networks, and nothing says which to draw", found.networks.len()),
        number => format!("there are {number} clusters, and nothing says which to draw"),
    };
    let finding = Diagnostic::new(&rules::GRAPH_CHOICE, Span::NONE, message);
    match clusters.is_empty() {
        true => finding.help("name one with --network"),
        false => finding.help(format!("name one with --cluster, such as {}", clusters.join(", "))),
    }
}
