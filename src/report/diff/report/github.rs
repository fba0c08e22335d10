//! Workflow commands of GitHub Actions: an annotation for each change that does more than restart pods.

use super::{Header, summary, units};
use crate::diff::subject::Side;
use crate::diff::{Class, Diff, SharedEffect};
use findings::github::{data, property};
use findings::inert;
use tree::Sources;

/// Annotations of one kind that GitHub shows for one step.
const SHOWN: usize = 10;

/// The commands, what the base has against the change first, then the worst, and how many changes have none. `prefix` is the
/// project's folder in its repository.
#[must_use]
pub fn render(diff: &Diff, header: Header<'_>, after: (&Side, &Sources), prefix: &str) -> String {
    let worth: Vec<_> = diff.effects.iter().filter(|one| one.effect.class > Class::InPlace).collect();
    let mut out = super::objections::annotations(header, prefix);
    let mut counts = [0, 0];
    for shared in &worth {
        let (at, command) = if shared.effect.class > Class::Rolling { (0, "warning") } else { (1, "notice") };
        let Some(count) = counts.get_mut(at).filter(|count| **count < SHOWN) else { continue };
        *count += 1;
        out += &annotation(command, shared, after, prefix);
    }
    let left = worth.len() - counts.iter().sum::<usize>();
    let rest = if left > 0 {
        format!("; {left} more have no annotation, because GitHub shows {SHOWN} of a kind")
    } else {
        String::new()
    };
    out + &format!("{}{rest}\n", inert::line(&header.with_objections(&summary(diff))))
}

fn annotation(command: &str, shared: &SharedEffect, (after, sources): (&Side, &Sources), prefix: &str) -> String {
    let effect = &shared.effect;
    let place = shared.units.iter().find_map(|unit| {
        let span = after.subjects.get(unit)?.span(&effect.transition);
        let (source, at) = (sources.get(span.file)?, sources.position(span)?);
        Some(format!("file={},line={},col={},", property(&format!("{prefix}{}", source.path)), at.line, at.column))
    });
    let acknowledged = effect.acknowledged.as_ref().map(|because| format!("\nacknowledged: {because}")).unwrap_or_default();
    let steps: String = effect.steps.iter().enumerate().map(|(at, step)| format!("\n{}. {step}", at + 1)).collect();
    let message = format!("{}\n{}\n{}{steps}{acknowledged}", effect.changes.join("\n"), units(&shared.units), effect.because);
    let title = property(&format!("netloom: {}", effect.class.name()));
    format!("::{command} {}title={title}::{}\n", place.unwrap_or_default(), inert_lines(&message))
}

/// Text of a message, each line made inert by itself.
fn inert_lines(text: &str) -> String {
    data(&text.split('\n').map(inert::line).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::Effect;
    use files::git::Base;

    fn render_all(diff: &Diff) -> String {
        let base =
            Base { name: "main".to_owned(), tip: Some("fedcba9876543210".to_owned()), commit: "0123456789abcdef".to_owned() };
        render(diff, Header::new(&base), (&Side::default(), &Sources::default()), "")
    }

    #[test]
    fn a_message_is_one_line_and_no_command_of_its_own() {
        let evil = "a%0A::error::b\n::error::c, d";
        let effect = Effect::new(Class::Downtime, "x", evil, "why");
        let shared = SharedEffect { effect, units: vec!["clusters/a".to_owned()], clusters: Vec::new() };
        let diff = Diff { effects: vec![shared], ..Diff::default() };
        let text = render_all(&diff);
        let expected = "::warning title=netloom%3A downtime::a%250A::error::b%0A\\u{3a}:error::c, d%0A1 cluster: a%0Awhy.\n";
        assert_eq!(text, format!("{expected}0 of 0 units changed; downtime 1\n"));
    }

    #[test]
    fn ten_of_a_kind_are_shown() {
        let effect = |at: usize| Effect::new(Class::Unknown, format!("{at}"), "what", "why");
        let shared = |at| SharedEffect { effect: effect(at), units: Vec::new(), clusters: Vec::new() };
        let diff = Diff { effects: (0..14).map(shared).collect(), ..Diff::default() };
        let text = render_all(&diff);
        assert_eq!(text.matches("::warning").count(), 10);
        assert!(text.contains("; 4 more have no annotation"), "{text}");
    }
}
