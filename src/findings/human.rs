//! Findings for people, in the form that rustc made familiar.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::excerpt::{Place, excerpt};
use super::{Diagnostic, Severity, inert};
use tree::{FileId, Sources, Span, limits};

/// How to print findings for people.
#[derive(Clone, Copy, Debug)]
pub struct Human {
    /// Whether to use terminal colours.
    pub color: bool,
}

impl Human {
    /// The text for `findings`, each followed by an empty line; beyond the limits their number only.
    #[must_use]
    pub fn render<'a>(self, findings: impl IntoIterator<Item = &'a Diagnostic>, sources: &Sources) -> String {
        let renderer = if self.color { Renderer::styled() } else { Renderer::plain() };
        let (mut text, mut shown, mut left_out) = (String::new(), 0, 0);
        for finding in findings {
            if left_out == 0 && shown < limits::DIAGNOSTICS {
                let one = one(&renderer, finding, sources);
                if shown == 0 || text.len() + one.len() <= limits::DIAGNOSTICS_BYTES {
                    text.push_str(&one);
                    shown += 1;
                    continue;
                }
            }
            left_out += 1;
        }
        if left_out > 0 {
            text.push_str(&format!("… and {left_out} more\n\n"));
        }
        text
    }
}

fn one(renderer: &Renderer, finding: &Diagnostic, sources: &Sources) -> String {
    let mut text = String::new();
    for line in renderer.render(&[group(finding, sources)]).lines() {
        // The renderer begins a further file with `:::`, which a CI runner could take for the start of a command.
        let start = line.len() - line.trim_start().len();
        match line[start..].strip_prefix(":::") {
            Some(rest) => text.extend([&line[..start], "-->", rest, "\n"]),
            None => text.extend([line, "\n"]),
        }
    }
    text.push('\n');
    text
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    }
}

/// A place with what stands beside it; the finding's own place has nothing.
struct Labelled<'a> {
    file: FileId,
    place: Place<'a>,
    text: Option<&'a str>,
}

fn group<'a>(finding: &'a Diagnostic, sources: &'a Sources) -> Group<'a> {
    let title = level(finding.severity).primary_title(inert::clipped(&finding.message, limits::MESSAGE_BYTES));
    let mut group = Group::with_title(title.id(inert::line(&finding.code)));
    let labelled = |span: Span, text| {
        let source = sources.get(span.file)?;
        Some(Labelled { file: span.file, place: Place::of(source, span.start, span.end), text })
    };
    let labels = finding.labels.iter().take(limits::DIAGNOSTIC_PLACES);
    let mut places: Vec<_> = labelled(finding.span, None).into_iter().collect();
    places.extend(labels.filter_map(|label| labelled(label.span, Some(label.text.as_str()))));
    while let Some(Labelled { file, place: first, .. }) = places.first() {
        let (file, first) = (*file, first.clone());
        let (here, elsewhere) = places.into_iter().partition(|one| one.file == file && one.place.near(&first));
        group = quote(group, file, here, sources);
        places = elsewhere;
    }
    let help = finding.help.iter().take(limits::DIAGNOSTIC_PLACES);
    help.fold(group, |group, help| group.element(Level::HELP.message(inert::clipped(help, limits::MESSAGE_BYTES))))
}

/// Adds the places of one file that stand near one another.
fn quote<'a>(group: Group<'a>, file: FileId, places: Vec<Labelled<'a>>, sources: &'a Sources) -> Group<'a> {
    let (Some(source), Some(name)) = (sources.get(file), sources.name(file)) else { return group };
    let path = inert::clipped(&name, limits::MESSAGE_BYTES).into_owned();
    if let Some(far) = places.iter().find(|one| one.place.far()) {
        let (line, column) = far.place.position();
        return group.element(Origin::path(path).line(line).char_column(column));
    }
    let (places, texts): (Vec<_>, Vec<_>) = places.into_iter().map(|one| (one.place, one.text)).unzip();
    let excerpt = excerpt(source, &places);
    let annotations = excerpt.places.into_iter().zip(texts).map(|(range, text)| match text {
        None => AnnotationKind::Primary.span(range),
        Some(text) => AnnotationKind::Context.span(range).label(inert::clipped(text, limits::MESSAGE_BYTES)),
    });
    let annotations: Vec<_> = annotations.collect();
    group.element(Snippet::source(excerpt.text).line_start(excerpt.first).path(path).annotations(annotations))
}

/// How many findings of each severity there are: `2 errors, 1 warning`; nothing when there is none.
#[must_use]
pub fn tally(findings: &[Diagnostic]) -> String {
    let count = |severity, name: &str| match findings.iter().filter(|finding| finding.severity == severity).count() {
        0 => None,
        1 => Some(format!("1 {name}")),
        more => Some(format!("{more} {name}s")),
    };
    let counts = [count(Severity::Error, "error"), count(Severity::Warning, "warning"), count(Severity::Note, "note")];
    counts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules;

    const PLAIN: Human = Human { color: false };

    fn sources(files: &[(&str, &str)]) -> (Sources, Vec<FileId>) {
        let mut sources = Sources::default();
        let ids = files.iter().map(|(path, text)| sources.add(*path, text.to_string())).collect();
        (sources, ids)
    }

    fn error(span: Span, message: &str) -> Diagnostic {
        Diagnostic::declared("code", Severity::Error, span, message)
    }

    #[test]
    fn quotes_every_place_and_says_what_to_do() {
        let (sources, ids) = sources(&[("declarations/a.yaml", "name: x\nname: y\n"), ("b.yaml", "name: x\n")]);
        let finding = Diagnostic::new(&rules::YAML_DUPLICATE_KEY, Span::new(ids[0], 8, 12), "the key `name` stands twice");
        let finding = finding.also(Span::new(ids[0], 0, 4), "first here").also(Span::new(ids[1], 6, 7), "and here");
        assert_eq!(
            PLAIN.render([&finding], &sources),
            "error[yaml-duplicate-key]: the key `name` stands twice
 --> declarations/a.yaml:2:1
  |
1 | name: x
  | ---- first here
2 | name: y
  | ^^^^
  |
 --> b.yaml:1:7
  |
1 | name: x
  |       - and here
  |
  = help: keep one of the two

"
        );
    }

    #[test]
    fn a_finding_without_place_has_message_and_help() {
        let finding = error(Span::NONE, "nothing there").help("put something there");
        assert_eq!(
            PLAIN.render([&finding], &Sources::default()),
            "error[code]: nothing there\n |\n = help: put something there\n\n"
        );
    }

    #[test]
    fn hostile_text_comes_out_inert() {
        let hostile = "\u{1b}]0;title\u{7}\u{9b}31m\u{202e}evil\r\n::error::x\n##[error]y\n##vso[task.complete]";
        let path = format!("{hostile}.yaml");
        let (sources, ids) = sources(&[(&path, hostile), ("::warning::b", "x\n")]);
        let mut finding = error(Span::new(ids[0], 10, 20), hostile).help(hostile);
        finding = finding.also(Span::new(ids[0], 30, 35), hostile).also(Span::new(ids[1], 0, 1), hostile);
        finding.code = hostile.to_owned().into();
        let text = PLAIN.render([&finding], &sources);
        let live = |c: char| (c.is_control() && c != '\n') || tree::is_hidden(c);
        assert!(!text.contains(live), "{text:?}");
        assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{text}");
        assert!(!text.contains("##[") && !text.contains("##vso["), "{text}");
        let colored = Human { color: true }.render([&finding], &sources);
        let escapes: Vec<&str> = colored.split('\u{1b}').skip(1).collect();
        assert!(escapes.iter().all(|rest| rest.starts_with('[') && rest.split_once('m').is_some()), "{colored:?}");
    }

    #[test]
    fn long_lines_and_messages_are_clipped() {
        let (sources, ids) = sources(&[("a.yaml", &format!("key: {}\n", "v".repeat(100_000)))]);
        let text = PLAIN.render([&error(Span::new(ids[0], 5, 100_000), &"m".repeat(100_000))], &sources);
        assert!(text.lines().all(|line| line.chars().count() <= limits::MESSAGE_BYTES + 20), "{text}");
        assert!(text.contains("--> a.yaml:1:6\n"), "{text}");
        assert!(text.lines().skip(2).all(|line| line.chars().count() <= limits::SOURCE_COLUMNS + 10), "{text}");
    }

    #[test]
    fn a_place_far_to_the_right_is_named() {
        let (sources, ids) = sources(&[("a.json", &"x".repeat(50_000))]);
        let text = PLAIN.render([&error(Span::new(ids[0], 40_000, 40_001), "m")], &sources);
        assert_eq!(text, "error[code]: m\n--> a.json:1:40001\n\n");
    }

    #[test]
    fn an_empty_file_is_named() {
        let (sources, ids) = sources(&[("a.yaml", "")]);
        let text = PLAIN.render([&error(Span::file(ids[0]), "m")], &sources);
        assert!(text.starts_with("error[code]: m\n --> a.yaml:1:1\n"), "{text}");
    }

    #[test]
    fn beyond_the_limits_only_the_number_is_told() {
        let small = vec![error(Span::NONE, "m"); limits::DIAGNOSTICS + 7];
        assert!(PLAIN.render(&small, &Sources::default()).ends_with("error[code]: m\n\n… and 7 more\n\n"));
        let large = vec![error(Span::NONE, &"m".repeat(2_000)); 50];
        let text = PLAIN.render(&large, &Sources::default());
        assert!(text.len() <= limits::DIAGNOSTICS_BYTES + 20 && text.ends_with("… and 18 more\n\n"), "{}", text.len());
    }

    #[test]
    fn colours_only_when_asked_for() {
        let finding = error(Span::NONE, "m");
        assert!(!PLAIN.render([&finding], &Sources::default()).contains('\u{1b}'));
        assert!(Human { color: true }.render([&finding], &Sources::default()).contains("\u{1b}["));
    }

    #[test]
    fn findings_are_counted_by_severity() {
        let one = |severity| Diagnostic::declared("code", severity, Span::NONE, "m");
        let findings = [one(Severity::Error), one(Severity::Note), one(Severity::Error), one(Severity::Warning)];
        assert_eq!(tally(&findings), "2 errors, 1 warning, 1 note");
        assert_eq!(tally(&[]), "");
    }
}
