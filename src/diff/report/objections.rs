//! What the base has against a change, which comes before everything else.

use std::fmt::Write;

use serde_json::{Value, json};

use super::markdown::plain;
use super::{Header, count};
use crate::diagnostic::{self, Human, Places, Severity, github, inert};
use crate::judge::Objection;
use crate::runbook::markdown::code;
use crate::tree::Sources;

/// What the base has against a change, and the texts that it points into.
#[derive(Clone, Copy, Debug)]
pub struct Objections<'a> {
    /// One by one.
    pub list: &'a [Objection],
    /// The texts.
    pub sources: &'a Sources,
}

impl<'a> Header<'a> {
    /// What the base has against the change, if anything.
    fn against(self) -> Option<Objections<'a>> {
        self.objections.filter(|objections| !objections.list.is_empty())
    }

    /// What it all comes to: `the base objects: 2 errors, 1 accepted`.
    pub(super) fn objected(self) -> Option<String> {
        let list = self.against()?.list;
        let of = |severity: Severity| list.iter().filter(|one| !one.allowed && one.finding.severity == severity).count();
        let accepted = list.iter().filter(|one| one.allowed).count();
        let counts = [Severity::Error, Severity::Warning, Severity::Note].map(|severity| (of(severity), severity.name()));
        let counts = counts.into_iter().filter(|(number, _)| *number > 0).map(|(number, noun)| count(number, noun));
        let counts: Vec<_> = counts.chain((accepted > 0).then(|| format!("{accepted} accepted"))).collect();
        Some(format!("the base objects: {}", counts.join(", ")))
    }

    /// A summary after what the base has to say.
    pub(super) fn with_objections(self, summary: &str) -> String {
        self.objected().map_or_else(|| summary.to_owned(), |objected| format!("{objected}; {summary}"))
    }
}

/// For people, as findings are shown.
pub(super) fn human(header: Header<'_>, color: bool) -> String {
    let Some(Objections { list, sources }) = header.against() else { return String::new() };
    let text = Human { color }.render(list.iter().map(|one| &one.finding), sources);
    format!("\n{}\n", text.trim_end())
}

/// For a comment, an item each.
pub(super) fn markdown(header: Header<'_>) -> Vec<String> {
    let Some(Objections { list, sources }) = header.against() else { return Vec::new() };
    let mut blocks =
        vec![format!("**The base has something against this change**, {}:\n\n", code(&inert::line(&header.base.name)))];
    blocks.extend(list.iter().map(|one| {
        let finding = &one.finding;
        let mut text = format!("- **{}** {}: {}", severity(one), code(&inert::line(&finding.code)), plain(&finding.message));
        for (place, what) in places(one, sources) {
            _ = write!(text, "; {}{}", code(&inert::line(&place)), plain(&what));
        }
        finding.help.iter().for_each(|help| _ = write!(text, "<br>{}", plain(help)));
        text + "\n"
    }));
    blocks.push("\n".to_owned());
    blocks
}

/// For a browser.
pub(super) fn page(header: Header<'_>) -> String {
    let Some(Objections { list, sources }) = header.against() else { return String::new() };
    let item = |one: &Objection| {
        let finding = &one.finding;
        let class = match finding.severity {
            _ if one.allowed => "in-place",
            Severity::Error => "unsupported",
            Severity::Warning => "node-replacement",
            Severity::Note => "rolling",
        };
        let mut text = format!(
            "<li><span class=\"chip {class}\">{}</span> <code>{}</code> {}",
            severity(one),
            inert::markup(&finding.code),
            super::html::prose(&finding.message)
        );
        for (place, what) in places(one, sources) {
            _ = write!(
                text,
                "<br><span class=\"quiet\"><code>{}</code>{}</span>",
                inert::markup(&place),
                super::html::prose(&what)
            );
        }
        finding.help.iter().for_each(|help| _ = write!(text, "<br>{}", super::html::prose(help)));
        text + "\n"
    };
    let items: String = list.iter().map(item).collect();
    format!("<h2>What <code>{}</code> has against it</h2>\n<ul>\n{items}</ul>\n", inert::markup(&header.base.name))
}

/// For GitHub Actions, as findings are annotated.
pub(super) fn annotations(header: Header<'_>, prefix: &str) -> String {
    let Some(Objections { list, sources }) = header.against() else { return String::new() };
    github::render(&list.iter().map(|one| &one.finding).collect::<Vec<_>>(), Places { sources, prefix })
}

/// For programs.
pub(super) fn data(header: Header<'_>) -> Value {
    let Some(Objections { list, sources }) = header.against() else { return json!([]) };
    let one = |one: &Objection| {
        let finding = diagnostic::json::render(std::slice::from_ref(&one.finding), sources);
        json!({"allow": one.code, "allowed": one.allowed, "finding": finding.get(0)})
    };
    list.iter().map(one).collect()
}

fn severity(one: &Objection) -> &'static str {
    if one.allowed { "accepted" } else { one.finding.severity.name() }
}

/// The places of a finding, each with what it has to do with it.
fn places(one: &Objection, sources: &Sources) -> Vec<(String, String)> {
    let finding = &one.finding;
    let labels = finding.labels.iter().map(|label| (label.span, format!(": {}", label.text)));
    let all = [(finding.span, String::new())].into_iter().chain(labels).filter(|(span, _)| span.is_known());
    all.take(crate::limits::DIAGNOSTIC_PLACES).map(|(span, what)| (sources.locate(span), what)).collect()
}
