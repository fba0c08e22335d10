//! `netloom layers`: which overlays a cluster has, in which order, and why each is there.

use std::fmt::Write;

use clap::Args;
use serde_json::{Value, json};

use super::{Context, Exit, Outcome};
use engine::Request;
use engine::compile::resolved;
use engine::overlay::{Origin, Selected};
use engine::resolve::Effective;
use findings::{Severity, has_errors, inert};
use tree::Sources;

/// Lists a cluster's overlays.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  netloom layers prod-usw2
  netloom layers prod-usw2 --format json

Overlays apply from the first to the last; later ones win. Nothing is rendered.
Exit codes: 0 listed, 2 error.")]
pub struct Layers {
    /// The cluster
    cluster: String,
}

pub(super) fn run(command: &Layers, context: &Context<'_>) -> Outcome {
    let worker = context.surroundings.executable.clone();
    let request = Request { root: context.root(), clusters: vec![command.cluster.clone()], worker };
    let look = |clusters: &[Effective<'_>], sources: &Sources| {
        let found = clusters.iter().find(|one| one.cluster.value.metadata.name == command.cluster);
        found.map(|one| (text(one, sources), data(one, sources)))
    };
    let (found, sources, mut findings) = resolved(&request, look);
    // Notes are about what is rendered, and `check` has them.
    findings.retain(|finding| finding.severity > Severity::Note);
    let exit = if has_errors(&findings) { Exit::Error } else { Exit::Done };
    let (product, layers) = found.flatten().unwrap_or_default();
    let data = [("cluster".to_owned(), command.cluster.clone().into()), ("layers".to_owned(), layers)].into_iter().collect();
    Outcome { product, data, findings, sources, exit, ..Outcome::default() }
}

/// What asks for an overlay, in a few words.
fn words(origin: &Origin, selected: &Selected<'_>) -> String {
    match origin {
        Origin::Layer(selector) if selector.is_empty() => "a layer of every cluster".to_owned(),
        Origin::Layer(selector) => format!("a layer of clusters with {selector}"),
        Origin::NetworkLayer(selector) if selector.is_empty() => "a layer of every network".to_owned(),
        Origin::NetworkLayer(selector) => format!("a layer of networks with {selector}"),
        Origin::Cluster => "the cluster's own list".to_owned(),
        Origin::UsedBy(name) => format!("built on by {name}"),
        Origin::Block => format!("selected by {}", selected.overlay.spec().selected_by.as_deref().unwrap_or_default()),
    }
}

fn text(cluster: &Effective<'_>, sources: &Sources) -> String {
    let width = cluster.overlays.iter().map(|one| one.overlay.name().len()).max().unwrap_or_default();
    let mut text = String::new();
    for (at, one) in cluster.overlays.iter().enumerate() {
        for (index, reason) in one.reasons.iter().enumerate() {
            let head = if index == 0 { format!("{:2}. {:width$}", at + 1, one.overlay.name()) } else { " ".repeat(width + 4) };
            let line = format!("{head}  {} ({})", words(&reason.origin, one), sources.locate(reason.span));
            _ = writeln!(text, "{}", inert::line(&line));
        }
    }
    text
}

fn data(cluster: &Effective<'_>, sources: &Sources) -> Value {
    let overlay = |one: &Selected<'_>| {
        let reasons = one.reasons.iter().map(|reason| {
            let (kind, detail) = match &reason.origin {
                Origin::Layer(selector) => ("layer", ("selector", selector.to_string())),
                Origin::NetworkLayer(selector) => ("networkLayer", ("selector", selector.to_string())),
                Origin::Cluster => ("cluster", ("list", "spec.overlays".to_owned())),
                Origin::UsedBy(name) => ("uses", ("overlay", name.clone())),
                Origin::Block => ("block", ("block", one.overlay.spec().selected_by.clone().unwrap_or_default())),
            };
            json!({"kind": kind, detail.0: detail.1, "place": sources.locate(reason.span)})
        });
        json!({
            "overlay": one.overlay.name(),
            "stock": one.overlay.stock,
            "options": one.options.to_json(),
            "reasons": reasons.collect::<Value>(),
        })
    };
    cluster.overlays.iter().map(overlay).collect()
}
