//! Pictures of what looks different: before and after, each with marks; what changes alike is drawn once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::{data_units, markup};
use crate::diff::report::Header;
use crate::diff::subject::Side;
use crate::diff::{Diff, UnitChange};
use artifacts::graph::{Graph, Mark, svg};

/// Pictures that are drawn, each of both sides: about 60 kB.
const PICTURES: usize = 16;
/// Those of them that are not folded.
const OPEN: usize = 4;

/// Both sides of a comparison, with their pictures.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    /// The base.
    pub before: &'a Side,
    /// The files as they are.
    pub after: &'a Side,
}

/// A unit that looks different, and the units that change as it does.
struct Picture<'a> {
    before: Option<&'a Graph>,
    after: Option<&'a Graph>,
    units: Vec<String>,
}

/// The section with the pictures; empty where nothing looks different.
pub(super) fn section(diff: &Diff, header: Header<'_>, sides: Sides<'_>) -> String {
    let pictures = pictures(diff, sides);
    if pictures.is_empty() {
        return String::new();
    }
    let mut text = String::from("<h2>Pictures</h2>\n<p>");
    for (mark, meaning) in Mark::LEGEND {
        let class = mark.class().unwrap_or_default();
        _ = write!(text, "<span class=\"key {class}\"></span>{}{meaning} ", mark.sign());
    }
    text += "</p>\n";
    for (at, picture) in pictures.iter().take(PICTURES).enumerate() {
        text += &picture.html(&header.base(), at < OPEN);
    }
    let left = pictures.len().saturating_sub(PICTURES);
    if left > 0 {
        _ = writeln!(
            text,
            "<p>{left} more look different: <code>netloom graph --cluster NAME --base REV --as svg</code> draws each.</p>"
        );
    }
    text
}

/// What looks different, in the order of the changes; clusters stand for the networks that they are in.
fn pictures<'a>(diff: &Diff, sides: Sides<'a>) -> Vec<Picture<'a>> {
    let renamed: BTreeMap<&str, &str> = diff
        .units
        .iter()
        .filter_map(|unit| match unit {
            UnitChange::Renamed(old, new) => Some((new.as_str(), old.as_str())),
            _ => None,
        })
        .collect();
    let differs = |folder: &str| {
        let old = renamed.get(folder).copied().unwrap_or(folder);
        let (before, after) = (sides.before.pictures.get(old), sides.after.pictures.get(folder));
        (before != after).then_some((before, after))
    };
    let (mut found, mut drawn): (Vec<Picture<'a>>, BTreeSet<String>) = Default::default();
    let mut alike: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    for folder in concerned(diff) {
        if drawn.contains(folder) || renamed.values().any(|old| *old == folder) {
            continue;
        }
        let Some((before, after)) = differs(folder) else { continue };
        let network = [sides.after, sides.before].into_iter().find_map(|side| side.declared.get(folder)?.network.as_deref());
        drawn.extend(network.map(|network| format!("networks/{network}")));
        let key = match (before, after) {
            (Some(before), Some(after)) => after.clone().compared_with(before).marks(),
            (None, _) => vec![format!("+{folder}")],
            (_, None) => vec![format!("-{folder}")],
        };
        match alike.get(&key).and_then(|at| found.get_mut(*at)) {
            Some(picture) => picture.units.push(folder.to_owned()),
            None => {
                alike.insert(key, found.len());
                found.push(Picture { before, after, units: vec![folder.to_owned()] });
            }
        }
    }
    found
}

/// Every unit that something happens to: clusters of networks with effects first, then networks.
fn concerned(diff: &Diff) -> Vec<&str> {
    let of_units = diff.units.iter().map(|unit| match unit {
        UnitChange::Added(folder, _) | UnitChange::Removed(folder, _) | UnitChange::Renamed(_, folder) => folder.as_str(),
    });
    let of_effects = diff.effects.iter().flat_map(|one| one.units.iter().chain(&one.clusters)).map(String::as_str);
    let of_groups = diff.groups.iter().flat_map(|group| &group.units).map(String::as_str);
    let mut seen = BTreeSet::new();
    let mut all: Vec<&str> = of_effects.chain(of_groups).chain(of_units).filter(|folder| seen.insert(*folder)).collect();
    all.sort_by_key(|folder| folder.starts_with("networks/"));
    all
}

impl Picture<'_> {
    fn html(&self, base: &str, open: bool) -> String {
        const NAMES: usize = 3;
        let names: Vec<&str> = self.units.iter().map(|folder| name(folder)).collect();
        let more = names.len().saturating_sub(NAMES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let alike = if names.len() > 1 { ", which change alike" } else { "" };
        let title = format!("{}{more}{alike}", names.iter().take(NAMES).copied().collect::<Vec<_>>().join(", "));
        let (before, after) = match (self.before, self.after) {
            (Some(before), Some(after)) => {
                let both = after.clone().compared_with(before);
                (Some(both.clone().without(Mark::Added)), Some(both.without(Mark::Removed)))
            }
            (before, after) => (before.cloned(), after.cloned()),
        };
        let figure = |caption: String, graph: &Option<Graph>| {
            let picture = graph.as_ref().map_or_else(|| "<p>not there</p>\n".to_owned(), scroll);
            format!("<figure><figcaption>{caption}</figcaption>{picture}</figure>\n")
        };
        format!(
            "<details class=\"item\"{} {}><summary>{}</summary><div class=\"pair\">\n{}{}</div></details>\n",
            if open { " open" } else { "" },
            data_units(&self.units),
            markup(&title),
            figure(format!("Before: {}", markup(base)), &before),
            figure("After: working tree".to_owned(), &after)
        )
    }
}

/// A picture that has its own scroll bar where the window is narrow.
fn scroll(graph: &Graph) -> String {
    format!("<div class=\"scroll\" tabindex=\"0\">{}</div>", svg::element(graph))
}

/// A unit's name.
fn name(folder: &str) -> &str {
    folder.split_once('/').map_or(folder, |(_, name)| name)
}
