//! For a browser: one file that holds everything and asks for nothing, with pictures, folded and to be filtered.
//!
//! Its policy admits one style sheet and one script, by their hashes, and no request at all. The script only hides and unfolds;
//! without it everything is there. Text from files goes through `inert::markup` and stands in elements and quoted attributes.

mod hash;
mod pictures;

use std::collections::BTreeSet;
use std::fmt::Write;

use super::human::is_minor;
use super::page::Page;
use super::{Header, brief, change, contents, count, counts, derived, parts, unit, units};
use crate::diff::{Change, Class, Diff, Group, SharedEffect, State, UnitChange};
use artifacts::graph::svg;
use findings::inert::{self, markup};
pub use pictures::Sides;

/// Characters of a report without its pictures: a browser opens it at once, and a fleet in which each of a thousand clusters
/// changes in its own way fits.
const CHARACTERS: usize = 6_000_000;
/// Lines of one object that are shown.
const ROWS: usize = 400;
/// Changes that are not folded, if they are worth it.
const OPEN: usize = 8;

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

/// The whole comparison, with pictures of what looks different.
#[must_use]
pub fn render(diff: &Diff, header: Header<'_>, sides: Sides<'_>) -> String {
    let style = format!("\n{STYLE}{}", svg::STYLE);
    let script = format!("\n{SCRIPT}");
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        hash::source(&style),
        hash::source(&script)
    );
    let title = markup(&header.with_objections(&verdict(diff)));
    let mut page = Page::new(CHARACTERS);
    page.add(&head(diff, header));
    effects(&mut page, diff);
    let pictures = pictures::section(diff, header, sides);
    let (text, pictures) = (std::mem::take(&mut page.text), pictures);
    changes(&mut page, diff);
    let dropped = match page.dropped {
        0 => String::new(),
        dropped => format!(
            "<p><b>{} left out</b>, because the report would be too long: <code>netloom diff</code> shows everything.</p>\n",
            count(dropped, "part")
        ),
    };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>netloom: {title}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>\n{text}{pictures}{}{dropped}</main>\n\
         <script>{script}</script>\n</body>\n</html>\n",
        page.text
    )
}

/// What it all comes to, in words.
fn verdict(diff: &Diff) -> String {
    let base = super::verdict(diff);
    diff.worst().map_or(base, |class| format!("{}: {}", class.name(), class.meaning()))
}

fn chip(class: Class) -> String {
    format!("<span class=\"chip {0}\">{0}</span>", class.name())
}

fn head(diff: &Diff, header: Header<'_>) -> String {
    let verdict = match diff.worst() {
        Some(class) => format!("{} {}", chip(class), class.meaning()),
        None => super::verdict(diff),
    };
    let verdict = header.with_objections(&verdict);
    let mut text = format!("<h1>netloom: {verdict}</h1>\n");
    _ = writeln!(text, "<p>Compared with <code>{}</code>: {}.</p>", markup(&header.base()), counts(diff));
    text += &super::objections::page(header);
    let rows: Vec<String> = Class::ALL.iter().rev().filter_map(|class| class_row(diff, *class)).collect();
    if !rows.is_empty() {
        _ = write!(text, "<table>\n<tr><th>class<th>what it means<th>changes<th>concerned</tr>\n{}</table>\n", rows.concat());
    }
    if !diff.is_empty() {
        text += &form(diff);
    }
    text
}

fn class_row(diff: &Diff, class: Class) -> Option<String> {
    const NAMES: usize = 12;
    let of_class = || diff.effects.iter().filter(|one| one.effect.class == class);
    let folders: BTreeSet<&String> = of_class().flat_map(|one| &one.units).collect();
    let number = of_class().count();
    let more = if folders.len() > NAMES { format!(" and {} more", folders.len() - NAMES) } else { String::new() };
    let names: Vec<String> = folders.iter().take(NAMES).map(|folder| format!("<code>{}</code>", markup(folder))).collect();
    let row = || format!("<tr><td>{}<td>{}<td>{number}<td>{}{more}</tr>\n", chip(class), class.meaning(), names.join(", "));
    (number > 0).then(row)
}

/// What the script works with; nobody sees it without one.
fn form(diff: &Diff) -> String {
    let of_effects = diff.effects.iter().map(|one| of_transition(&one.effect.transition));
    let of_changes = diff.groups.iter().flat_map(|group| &group.changes).map(|one| of_title(&one.title));
    let kinds: BTreeSet<&str> = of_effects.chain(of_changes).collect();
    let classes: BTreeSet<Class> = diff.effects.iter().map(|one| one.effect.class).collect();
    let options =
        |names: &mut dyn Iterator<Item = &str>| -> String { names.map(|name| format!("<option>{}", markup(name))).collect() };
    format!(
        "<form hidden>\n<label>class <select name=\"class\"><option value=\"\">all{}</select></label>\n\
         <label>kind <select name=\"kind\"><option value=\"\">all{}</select></label>\n\
         <label>cluster or network <input name=\"unit\" size=\"24\" autocomplete=\"off\"></label>\n\
         <button type=\"button\" name=\"open\">open or fold all</button>\n<output></output>\n</form>\n",
        options(&mut classes.iter().rev().map(|class| class.name())),
        options(&mut kinds.into_iter())
    )
}

/// The kind of thing that an effect is about: `DaemonSet`, `Subnet`, or a declaration.
fn of_transition(transition: &str) -> &str {
    let rest = ["kubernetes.", "cloudformation."].iter().find_map(|group| transition.strip_prefix(group));
    rest.map_or("declaration", |rest| rest.split('.').next().unwrap_or_default())
}

/// The kind of an object, a resource or a file.
fn of_title(title: &str) -> &str {
    match title.split_once(' ') {
        Some((kind, _)) => kind.rsplit("::").next().unwrap_or_default(),
        None => "file",
    }
}

/// The units that an element is about, for the script.
fn data_units(units: &[String]) -> String {
    format!("data-units=\"{}\"", markup(&units.join(" ")))
}

fn effects(page: &mut Page, diff: &Diff) {
    let (minor, shown): (Vec<_>, Vec<_>) = diff.effects.iter().partition(|one| is_minor(one));
    if !shown.is_empty() {
        page.add("<h2>What it does to what runs</h2>\n");
        shown.iter().enumerate().for_each(|(at, one)| page.add(&effect(one, at < OPEN)));
    }
    if !minor.is_empty() {
        let items: String = minor.iter().map(|one| effect(one, false)).collect();
        let what = if shown.is_empty() { "changes in place" } else { "more in place" };
        page.add(&format!(
            "<details class=\"group\"><summary>{} {what}</summary><div class=\"body\">\n{items}</div></details>\n",
            minor.len()
        ));
    }
}

fn effect(shared: &SharedEffect, open: bool) -> String {
    let effect = &shared.effect;
    let class = effect.class.name();
    let open = if open && effect.class > Class::Rolling && effect.acknowledged.is_none() { " open" } else { "" };
    let title = effect.changes.first().map(String::as_str).unwrap_or_default();
    let more = if effect.changes.len() > 1 { format!(" and {} more", effect.changes.len() - 1) } else { String::new() };
    let mut text = format!(
        "<details class=\"item\"{open} data-class=\"{class}\" data-kind=\"{}\" {}><summary>{} {}{more}</summary><div class=\"body\">\n",
        markup(of_transition(&effect.transition)),
        data_units(&shared.units),
        chip(effect.class),
        prose(title)
    );
    let rest: String = effect.changes.iter().skip(1).map(|change| format!("<li>{}", prose(change))).collect();
    if !rest.is_empty() {
        _ = writeln!(text, "<ul>{rest}</ul>");
    }
    _ = writeln!(text, "<p>{}</p>", markup(&units(&shared.units)));
    if !shared.clusters.is_empty() {
        _ = writeln!(text, "<p>With {}</p>", markup(&units(&shared.clusters)));
    }
    _ = writeln!(text, "<p>{}</p>", prose(&effect.because));
    let steps: String = effect.steps.iter().map(|step| format!("<li>{}", prose(step))).collect();
    if !steps.is_empty() {
        _ = writeln!(text, "<ol>{steps}</ol>");
    }
    if let Some(because) = &effect.acknowledged {
        _ = writeln!(text, "<p><b>Acknowledged:</b> {}</p>", prose(because));
    }
    let (transition, source) = (markup(&effect.transition), prose(&effect.source));
    _ = writeln!(text, "<p class=\"quiet\"><code>{transition}</code>, from {source}</p>\n</div></details>");
    text
}

/// Text of a paragraph, in which what stands between two backticks is code.
pub(super) fn prose(text: &str) -> String {
    let text = inert::line(text);
    let parts: Vec<&str> = text.split('`').collect();
    let code = parts.len() % 2 == 1;
    let shown = |(at, part): (usize, &&str)| match (code && at % 2 == 1, at) {
        (true, _) => format!("<code>{}</code>", markup(part)),
        (false, 0) => markup(part),
        (false, _) => format!("{}{}", if code { "" } else { "`" }, markup(part)),
    };
    parts.iter().enumerate().map(shown).collect()
}

fn changes(page: &mut Page, diff: &Diff) {
    if !diff.units.is_empty() {
        let item = |one: &UnitChange| {
            let folders: Vec<String> = match one {
                UnitChange::Added(folder, _) | UnitChange::Removed(folder, _) => vec![folder.clone()],
                UnitChange::Renamed(old, new) => vec![old.clone(), new.clone()],
            };
            format!("<span class=\"item {}\" {}>{}</span>", sign(unit(one).0), data_units(&folders), markup(&signed(&unit(one))))
        };
        let rows: Vec<String> = diff.units.iter().map(item).collect();
        let fits = page.fitting(&rows);
        let more = if fits < rows.len() { format!("<span>… and {} more</span>", rows.len() - fits) } else { String::new() };
        let rows = rows.get(..fits).unwrap_or_default().concat();
        page.add(&format!(
            "<h2>Clusters and networks</h2>\n<details class=\"group\" open><summary>{} new, gone or renamed</summary><pre>{rows}{more}</pre></details>\n",
            diff.units.len()
        ));
    }
    if !diff.groups.is_empty() {
        page.add("<h2>What changes</h2>\n");
        let told: BTreeSet<&str> = diff.effects.iter().map(|one| one.effect.transition.as_str()).collect();
        let (groups, follow) = parts(diff);
        groups.iter().for_each(|one| page.add(&group(one, &told)));
        if !follow.is_empty() {
            let of_group = |group: &&Group| {
                let items: String = group.changes.iter().map(|one| item(one, &told)).collect();
                format!("<div {}><p>{}</p>\n{items}</div>\n", data_units(&group.units), markup(&units(&group.units)))
            };
            let (title, all) = (brief(&derived(&follow)), follow.iter().map(of_group).collect::<String>());
            let summary = markup(&title);
            page.add(&format!(
                "<details class=\"group\"><summary>{summary}</summary><div class=\"body\">\n{all}</div></details>\n"
            ));
        }
    }
}

/// What units share. `told` are the effects that are reported; others of an object follow from those.
fn group(group: &Group, told: &BTreeSet<&str>) -> String {
    let concerned = units(&group.units);
    let brief = brief(&concerned);
    let cut = brief != concerned;
    let all = if cut { format!("<p>{}</p>\n", markup(&concerned)) } else { String::new() };
    let items: String = group.changes.iter().map(|one| item(one, told)).collect();
    format!(
        "<details class=\"group\" {}><summary>{}, {}</summary><div class=\"body\">\n{all}{items}</div></details>\n",
        data_units(&group.units),
        contents(&group.changes),
        markup(&brief)
    )
}

/// An object with its fields.
fn item(one: &Change, told: &BTreeSet<&str>) -> String {
    let effects = one.effects.iter().filter(|effect| told.contains(effect.transition.as_str()));
    let class = effects.map(|effect| effect.class).max();
    let rows = change(one);
    let (first, rest) = rows.split_first().map(|(first, rest)| (signed(first), rest)).unwrap_or_default();
    let note = match (&one.state, rest.len()) {
        _ if one.derived => " <span class=\"quiet\">follows from the rest</span>".to_owned(),
        (State::Added, _) => " <span class=\"quiet\">new</span>".to_owned(),
        (State::Removed, _) => " <span class=\"quiet\">gone</span>".to_owned(),
        (_, fields) => format!(" <span class=\"quiet\">{}</span>", count(fields, "line")),
    };
    let chip = class.filter(|class| *class > Class::InPlace).map(|class| format!(" {}", chip(class))).unwrap_or_default();
    let head = format!("<code class=\"{}\">{}</code>{chip}{note}", sign(rows.first().map_or(' ', |row| row.0)), markup(&first));
    let data = format!(
        "class=\"item\" data-class=\"{}\" data-kind=\"{}\"",
        class.map(Class::name).unwrap_or_default(),
        markup(of_title(&one.title))
    );
    if rest.is_empty() {
        return format!("<p {data}>{head}</p>\n");
    }
    let line = |(sign, text): &(char, String)| markup(&format!("{sign} {}", text.strip_prefix("  ").unwrap_or(text)));
    let shown = rest.iter().take(ROWS).map(|row| format!("<span class=\"{}\">{}</span>", sign(row.0), line(row)));
    let left = rest.len().saturating_sub(ROWS);
    let more = if left > 0 { format!("<span>… and {left} lines more</span>") } else { String::new() };
    format!("<details {data}><summary>{head}</summary><pre>{}{more}</pre></details>\n", shown.collect::<String>())
}

fn signed((sign, text): &(char, String)) -> String {
    format!("{sign} {text}")
}

/// The class of a line.
fn sign(sign: char) -> &'static str {
    match sign {
        '+' => "plus",
        '-' => "minus",
        _ => "tilde",
    }
}

#[cfg(test)]
mod tests;
