//! For a comment on a pull request: what a reviewer has to know first, details folded, and never more than a comment can hold.

use std::fmt::Write;

use super::human::is_minor;
use super::page::Page;
use super::{Header, brief, change, contents, counts, derived, listed, parts, unit, verdict};
use crate::diff::{Class, Diff, Group, SharedEffect};
use artifacts::runbook::markdown::{code, escape, fenced};
use findings::inert;

/// Characters of a comment. GitHub takes 65,536, GitLab and Gitea more; the rest is room for what an action adds.
pub const CHARACTERS: usize = 60_000;
/// Characters that stay free for the last line, which says what was left out.
const RESERVE: usize = 400;
/// Lines of one object that are shown.
const ROWS: usize = 60;
/// Names of clusters, and of networks, that one list has: with all of a fleet's in each list, a comment would hold nothing else.
const NAMES: usize = 200;

/// The first line, by which whoever posts the comment finds it again.
pub const MARKER: &str = "<!-- netloom diff -->";

/// The whole comparison, cut at whole units.
#[must_use]
pub fn render(diff: &Diff, header: Header<'_>) -> String {
    let mut page = Page::new(CHARACTERS - RESERVE);
    page.add(&head(diff, header));
    super::objections::markdown(header).iter().for_each(|block| page.add(block));
    page.add(&table(diff));
    if !diff.units.is_empty() {
        let rows: Vec<String> = diff.units.iter().map(|one| row(&unit(one))).collect();
        add_list(&mut page, &format!("Units: {}", rows.len()), &rows);
    }
    let shown: Vec<_> = diff.effects.iter().filter(|one| !is_minor(one)).collect();
    shown.iter().for_each(|one| page.add(&effect(one)));
    let minor = diff.effects.len() - shown.len();
    if minor > 0 {
        page.add(&format!("{minor} more in place.\n\n"));
    }
    let (groups, follow) = parts(diff);
    groups.iter().for_each(|one| page.add(&group(one)));
    if !follow.is_empty() {
        let rows: Vec<String> = follow.iter().flat_map(|group| follows(group)).collect();
        add_list(&mut page, &html(&brief(&derived(&follow))), &rows);
    }
    finish(page)
}

/// Adds a folded list, as many items as fit.
fn add_list(page: &mut Page, title: &str, rows: &[String]) {
    let fits = rows.get(..page.fitting(rows)).unwrap_or_default();
    let rest = rows.len() - fits.len();
    let more = if rest > 0 { format!("\n… and {rest} more") } else { String::new() };
    let body = fenced("diff", &format!("{}{more}", fits.join("\n")));
    page.add(&format!("<details><summary>{title}</summary>\n\n{body}\n\n</details>\n\n"));
}

fn finish(mut page: Page) -> String {
    if page.dropped > 0 {
        let parts = super::count(page.dropped, "part");
        _ = writeln!(page.text, "**{parts} left out**, because a comment cannot hold more: `netloom diff` shows everything.");
    }
    format!("{}\n", page.text.trim_end())
}

fn head(diff: &Diff, header: Header<'_>) -> String {
    let mut text = format!("{MARKER}\n### netloom: {}\n\n", header.with_objections(&verdict(diff)));
    _ = writeln!(text, "Compared with {}: {}.\n", code(&header.base()), escape(&counts(diff)));
    text
}

/// How many changes there are of each class.
fn table(diff: &Diff) -> String {
    let mut text = String::new();
    let rows: Vec<_> = Class::ALL.iter().rev().filter_map(|class| table_row(diff, *class)).collect();
    if !rows.is_empty() {
        text += "| class | changes | concerned |\n|---|---|---|\n";
        rows.iter().for_each(|row| text += row);
        text.push('\n');
    }
    text
}

fn table_row(diff: &Diff, class: Class) -> Option<String> {
    const NAMES: usize = 12;
    let of_class = || diff.effects.iter().filter(|one| one.effect.class == class);
    let mut folders: Vec<&str> = of_class().flat_map(|one| &one.units).map(String::as_str).collect();
    folders.sort_unstable();
    folders.dedup();
    let number = of_class().count();
    let more = if folders.len() > NAMES { format!(" and {} more", folders.len() - NAMES) } else { String::new() };
    let names: Vec<String> = folders.iter().take(NAMES).map(|folder| code(&inert::line(folder))).collect();
    (number > 0).then(|| format!("| **{}** | {number} | {}{more} |\n", class.name(), names.join(", ")))
}

fn effect(shared: &SharedEffect) -> String {
    let effect = &shared.effect;
    let open = if effect.class > Class::Rolling && effect.acknowledged.is_none() { " open" } else { "" };
    let title = effect.changes.first().map(String::as_str).unwrap_or_default();
    let more = if effect.changes.len() > 1 { format!(" and {} more", effect.changes.len() - 1) } else { String::new() };
    let mut text = format!("<details{open}><summary><b>{}</b>: {}{more}</summary>\n\n", effect.class.name(), html(title));
    effect.changes.iter().skip(1).for_each(|change| _ = writeln!(text, "- {}", code(&inert::line(change))));
    if effect.changes.len() > 1 {
        text.push('\n');
    }
    _ = writeln!(text, "{}\n", plain(&listed(&shared.units, NAMES)));
    if !shared.clusters.is_empty() {
        _ = writeln!(text, "With {}\n", plain(&listed(&shared.clusters, NAMES)));
    }
    _ = writeln!(text, "{}\n", plain(&effect.because));
    for (at, step) in effect.steps.iter().enumerate() {
        _ = writeln!(text, "{}. {}", at + 1, plain(step));
    }
    if !effect.steps.is_empty() {
        text.push('\n');
    }
    if let Some(because) = &effect.acknowledged {
        _ = writeln!(text, "**Acknowledged:** {}\n", plain(because));
    }
    _ = writeln!(text, "{}, from {}\n\n</details>\n", code(&inert::line(&effect.transition)), plain(&effect.source));
    text
}

fn group(group: &Group) -> String {
    let mut rows = Vec::new();
    for one in &group.changes {
        let mut lines = change(one);
        // What is in a list of files is told by the files.
        lines.truncate(if one.derived { 1 } else { lines.len() });
        let rest = lines.len().saturating_sub(ROWS);
        rows.extend(lines.iter().take(ROWS).map(row));
        if rest > 0 {
            rows.push(format!("    … and {rest} lines more"));
        }
    }
    let concerned = listed(&group.units, NAMES);
    let brief = brief(&concerned);
    let cut = brief != concerned;
    let title = html(&format!("{}, {brief}", contents(&group.changes)));
    let all = if cut { format!("{}\n\n", plain(&concerned)) } else { String::new() };
    format!("<details><summary>{title}</summary>\n\n{all}{}\n\n</details>\n\n", fenced("diff", &rows.join("\n")))
}

/// The files of a group that follow from other changes, each with the units.
fn follows(group: &Group) -> Vec<String> {
    let names: Vec<&str> =
        group.units.iter().map(|folder| folder.split_once('/').map_or(folder.as_str(), |(_, name)| name)).collect();
    let names = brief(&names.join(", "));
    let first = |one: &std::sync::Arc<crate::diff::Change>| change(one).into_iter().next();
    group.changes.iter().filter_map(first).map(|(sign, text)| row(&(sign, format!("{names}: {text}")))).collect()
}

/// A line of a block in the language `diff`, which colours lines that begin with `+`, `-` and `!`.
fn row((sign, text): &(char, String)) -> String {
    let sign = if *sign == '~' { '!' } else { *sign };
    format!("{sign} {}", inert::line(text))
}

/// Text from declarations and overlays in a paragraph: one line, without markup, and without calling anybody.
pub(super) fn plain(text: &str) -> String {
    /// Stands for a `@` that would mention somebody, until the text is escaped: a character without meaning.
    const AT: &str = "\u{e000}";
    let text = inert::line(&text.replace('\n', " ")).into_owned();
    let parts: Vec<&str> = text.split('`').collect();
    // What stands between two backticks is code, where nobody is mentioned; with an odd number of them nothing is.
    let code = parts.len() % 2 == 1;
    let shown = |(at, part): (usize, &&str)| if code && at % 2 == 1 { (*part).to_owned() } else { part.replace('@', AT) };
    escape(&parts.iter().enumerate().map(shown).collect::<Vec<_>>().join("`")).replace(AT, "&#64;")
}

/// Text inside of an HTML element.
fn html(text: &str) -> String {
    let mut out = String::new();
    for c in inert::line(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // Markdown takes part inside of HTML elements, too.
            '`' | '*' | '_' | '[' | ']' | '\\' | '~' | '|' | '@' | '#' | '$' | ':' => _ = write!(out, "&#{};", u32::from(c)),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::{Change, Effect, State};
    use files::git::Base;
    use std::sync::Arc;

    fn page(diff: &Diff) -> String {
        let base =
            Base { name: "main".to_owned(), tip: Some("fedcba9876543210".to_owned()), commit: "0123456789abcdef".to_owned() };
        render(diff, Header::new(&base))
    }

    fn changed(title: String) -> Group {
        let change = Change::new(title, State::Added, Vec::new());
        Group { units: vec!["clusters/a".to_owned()], changes: vec![Arc::new(change)] }
    }

    #[test]
    fn a_long_comparison_is_cut_at_whole_units() {
        let groups = (0..200).map(|at| changed(format!("ConfigMap {at} {}", "é".repeat(1000)))).collect();
        let text = page(&Diff { groups, total: 1, changed: 1, ..Diff::default() });
        assert!(text.encode_utf16().count() <= CHARACTERS, "{}", text.encode_utf16().count());
        assert_eq!(text.matches("<details").count(), text.matches("</details>").count());
        assert_eq!(text.matches("```").count() % 2, 0);
        let left = 200 - text.matches("<details").count();
        assert!(text.ends_with(&format!(
            "**{left} parts left out**, because a comment cannot hold more: `netloom diff` shows everything.\n"
        )));
    }

    #[test]
    fn a_fleet_does_not_crowd_out_its_changes() {
        let units: Vec<String> = (0..1000).map(|at| format!("clusters/cluster-in-a-region-{at:03}")).collect();
        let effect = |at: usize| Effect::new(Class::Downtime, format!("field{at}"), format!("field{at}: 1 → 2"), "why");
        let shared = |at| SharedEffect { effect: effect(at), units: units.clone(), clusters: Vec::new() };
        let group = Group { units: units.clone(), ..changed("ConfigMap a".to_owned()) };
        let text = page(&Diff { effects: (0..8).map(shared).collect(), groups: vec![group], ..Diff::default() });
        assert_eq!(text.matches("1000 clusters: cluster-in-a-region-000, ").count(), 9);
        assert!(text.contains(", cluster-in-a-region-199 and 800 more\n") && !text.contains("left out"), "{}", text.len());
    }

    #[test]
    fn markup_is_text() {
        let evil = "</summary>`<img src=x>`\n::error::x ##[error] @team | \u{202e}```";
        let effect = Effect::new(Class::Unknown, evil, evil, evil).steps(&[evil]).source(evil);
        let shared = SharedEffect { effect, units: vec![format!("clusters/{evil}")], clusters: Vec::new() };
        let text = page(&Diff { groups: vec![changed(evil.to_owned())], effects: vec![shared], ..Diff::default() });
        assert!(
            !text.contains('\u{202e}') && !text.contains("##[") && !text.lines().any(|line| line.starts_with("::")),
            "{text}"
        );
        let outside = text.split("````").step_by(2).collect::<String>().replace("\\<", "");
        assert!(!outside.contains("<img") && !outside.contains("@team"), "{outside}");
        assert_eq!(outside.matches("</summary>").count(), 2, "{outside}");
    }

    #[test]
    fn nobody_is_mentioned() {
        assert_eq!(plain("a ` b @x"), "a \\` b &#64;x");
        assert_eq!(plain("`a@b` @x"), "`a@b` &#64;x");
    }
}
