//! For a terminal.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::{Header, change, contents, derived, parts, summary, unit, units};
use crate::diff::{Class, Diff, SharedEffect};
use findings::inert;

/// Columns of running text.
const WIDTH: usize = 100;

/// Whether to use colours, and how much to say.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// Colours.
    pub color: bool,
    /// Also what is only derived: lists of files, runbooks, harmless changes of single objects.
    pub verbose: bool,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        let text = inert::line(text);
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.into_owned() }
    }

    fn class(self, class: Class) -> String {
        let code = match class {
            Class::InPlace => "32",
            Class::Rolling => "36",
            Class::NodeReplacement | Class::ResourceReplacement => "33",
            Class::Downtime | Class::Unsupported | Class::Unknown => "1;31",
        };
        self.paint(code, class.name())
    }

    fn row(self, indent: &str, (sign, text): &(char, String)) -> String {
        let line = format!("{sign} {text}");
        let code = match sign {
            '+' => "32",
            '-' => "31",
            _ => "33",
        };
        format!("{indent}{}\n", self.paint(code, &line))
    }
}

/// The whole comparison.
#[must_use]
pub fn render(diff: &Diff, header: Header<'_>, style: Style) -> String {
    let mut out = format!("{} → working tree\n", inert::line(&header.base()));
    out += &super::objections::human(header, style.color);
    let mut quiet = 0;
    for shared in &diff.effects {
        match is_minor(shared) && !style.verbose {
            true => quiet += 1,
            false => effect(&mut out, shared, style),
        }
    }
    if quiet > 0 {
        _ = writeln!(out, "\n{quiet} more in place; `--verbose` shows them");
    }
    let (groups, follow) = parts(diff);
    let quietly = if style.verbose { Vec::new() } else { follow.clone() };
    for group in groups.iter().chain(follow.iter().filter(|_| style.verbose)) {
        let head = format!("{}, {}", contents(&group.changes), units(&group.units));
        _ = writeln!(out, "\n{}", style.paint("1", &head));
        for one in group.changes.iter().filter(|one| style.verbose || !one.derived) {
            change(one).iter().for_each(|row| out += &style.row("  ", row));
        }
    }
    if !quietly.is_empty() {
        let names: BTreeSet<&str> = quietly.iter().flat_map(|group| &group.changes).map(|change| change.title.as_str()).collect();
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        _ = writeln!(out, "\n{}\n  {}", style.paint("1", &derived(&quietly)), inert::line(&names));
    }
    if !diff.units.is_empty() {
        out.push('\n');
        diff.units.iter().for_each(|one| out += &style.row("", &unit(one)));
    }
    let summary = if diff.is_empty() { "nothing changed".to_owned() } else { summary(diff) };
    _ = writeln!(out, "\n{}", header.with_objections(&summary));
    out
}

/// Whether a change is harmless, and told by its object anyway.
pub(super) fn is_minor(shared: &SharedEffect) -> bool {
    let effect = &shared.effect;
    let of_object = effect.transition.starts_with("cloudformation.") || effect.transition.starts_with("kubernetes.");
    effect.class == Class::InPlace && of_object && effect.steps.is_empty()
}

fn effect(out: &mut String, shared: &SharedEffect, style: Style) {
    let effect = &shared.effect;
    let (first, rest) = effect.changes.split_first().map(|(first, rest)| (first.as_str(), rest)).unwrap_or_default();
    _ = writeln!(out, "\n{}: {}", style.class(effect.class), style.paint("1", first));
    rest.iter().for_each(|change| _ = writeln!(out, "  and {}", inert::line(change)));
    let concerned = units(&shared.units);
    let clusters = if shared.clusters.is_empty() { String::new() } else { format!(", with {}", units(&shared.clusters)) };
    let mut paragraph = |text: &str| {
        inert::wrapped(text, WIDTH).lines().for_each(|line| _ = writeln!(out, "  {line}"));
    };
    paragraph(&format!("{concerned}{clusters}"));
    paragraph(&effect.because);
    for (at, step) in effect.steps.iter().enumerate() {
        paragraph(&format!("{}. {step}", at + 1));
    }
    if let Some(because) = &effect.acknowledged {
        paragraph(&format!("acknowledged: {because}"));
    }
    paragraph(&format!("({}, from {})", effect.transition, effect.source));
}
