//! What comes before everything else: what the base has against a change, and what stands in the output and nothing renders.

use std::fmt::Write;

use serde_json::{Value, json};

use super::markdown::plain;
use super::{Header, count};
use artifacts::runbook::markdown::code;
use engine::judge::Objection;
use findings::{Diagnostic, Human, Places, Severity, github, inert};
use tree::Sources;

/// What the base has against a change, and the texts that it points into.
#[derive(Clone, Copy, Debug)]
pub struct Objections<'a> {
    /// One by one.
    pub list: &'a [Objection],
    /// What stands in the output and nothing renders.
    pub unrendered: &'a [Diagnostic],
    /// The texts.
    pub sources: &'a Sources,
}

impl<'a> Header<'a> {
    /// What comes first, if anything.
    fn against(self) -> Option<Objections<'a>> {
        self.objections.filter(|objections| !objections.list.is_empty() || !objections.unrendered.is_empty())
    }

    /// What it all comes to: `the base objects: 2 errors, 1 accepted; 1 file that nothing renders`.
    pub(super) fn objected(self) -> Option<String> {
        let Objections { list, unrendered, .. } = self.against()?;
        let of = |severity: Severity| list.iter().filter(|one| !one.allowed && one.finding.severity == severity).count();
        let accepted = list.iter().filter(|one| one.allowed).count();
        let counts = [Severity::Error, Severity::Warning, Severity::Note].map(|severity| (of(severity), severity.name()));
        let counts = counts.into_iter().filter(|(number, _)| *number > 0).map(|(number, noun)| count(number, noun));
        let counts: Vec<_> = counts.chain((accepted > 0).then(|| format!("{accepted} accepted"))).collect();
        let objects = (!list.is_empty()).then(|| format!("the base objects: {}", counts.join(", ")));
        let strays = (!unrendered.is_empty()).then(|| format!("{} that nothing renders", count(unrendered.len(), "file")));
        Some(objects.into_iter().chain(strays).collect::<Vec<_>>().join("; "))
    }

    /// A summary after that.
    pub(super) fn with_objections(self, summary: &str) -> String {
        self.objected().map_or_else(|| summary.to_owned(), |objected| format!("{objected}; {summary}"))
    }
}

impl<'a> Objections<'a> {
    /// All findings, in order.
    fn findings(self) -> impl Iterator<Item = &'a Diagnostic> {
        self.list.iter().map(|one| &one.finding).chain(self.unrendered)
    }

    /// The two lists that are not empty, each with what `item` makes of a severity and a finding.
    fn items(self, item: impl Fn(&'static str, &Diagnostic) -> String) -> [Vec<String>; 2] {
        let severity = |one: &Objection| if one.allowed { ACCEPTED } else { one.finding.severity.name() };
        let list = self.list.iter().map(|one| item(severity(one), &one.finding)).collect();
        [list, self.unrendered.iter().map(|finding| item(finding.severity.name(), finding)).collect()]
    }
}

/// In place of the severity of what somebody allows.
const ACCEPTED: &str = "accepted";

/// For people, as findings are shown.
pub(super) fn human(header: Header<'_>, color: bool) -> String {
    let Some(objections) = header.against() else { return String::new() };
    let text = Human { color }.render(objections.findings(), objections.sources);
    format!("\n{}\n", text.trim_end())
}

/// For a comment, an item each.
pub(super) fn markdown(header: Header<'_>) -> Vec<String> {
    let Some(objections) = header.against() else { return Vec::new() };
    let item = |severity: &'static str, finding: &Diagnostic| {
        let mut text = format!("- **{severity}** {}: {}", code(&inert::line(&finding.code)), plain(&finding.message));
        for (place, what) in places(finding, objections.sources) {
            _ = write!(text, "; {}{}", code(&inert::line(&place)), plain(&what));
        }
        finding.help.iter().for_each(|help| _ = write!(text, "<br>{}", plain(help)));
        text + "\n"
    };
    let base = format!("**The base has something against this change**, {}:", code(&inert::line(&header.base.name)));
    let titles = [base, "**Files in the output that nothing renders**:".to_owned()];
    let parts = titles.into_iter().zip(objections.items(item)).filter(|(_, items)| !items.is_empty());
    parts.flat_map(|(title, items)| [format!("{title}\n\n")].into_iter().chain(items).chain(["\n".to_owned()])).collect()
}

/// For a browser.
pub(super) fn page(header: Header<'_>) -> String {
    let Some(objections) = header.against() else { return String::new() };
    let item = |severity: &'static str, finding: &Diagnostic| {
        let class = match finding.severity {
            _ if severity == ACCEPTED => "in-place",
            Severity::Error => "unsupported",
            Severity::Warning => "node-replacement",
            Severity::Note => "rolling",
        };
        let mut text = format!(
            "<li><span class=\"chip {class}\">{severity}</span> <code>{}</code> {}",
            inert::markup(&finding.code),
            super::html::prose(&finding.message)
        );
        for (place, what) in places(finding, objections.sources) {
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
    let base = format!("What <code>{}</code> has against it", inert::markup(&header.base.name));
    let titles = [base, "Files in the output that nothing renders".to_owned()];
    let parts = titles.into_iter().zip(objections.items(item)).filter(|(_, items)| !items.is_empty());
    parts.map(|(title, items)| format!("<h2>{title}</h2>\n<ul>\n{}</ul>\n", items.concat())).collect()
}

/// For GitHub Actions, as findings are annotated.
pub(super) fn annotations(header: Header<'_>, prefix: &str) -> String {
    let Some(objections) = header.against() else { return String::new() };
    github::render(&objections.findings().collect::<Vec<_>>(), Places { sources: objections.sources, prefix })
}

/// For programs: what the base has against the change, and what nothing renders.
pub(super) fn data(header: Header<'_>) -> [Value; 2] {
    let Some(Objections { list, unrendered, sources }) = header.against() else { return [json!([]), json!([])] };
    let one = |one: &Objection| {
        let finding = findings::json::render(std::slice::from_ref(&one.finding), sources);
        json!({"allow": one.code, "allowed": one.allowed, "finding": finding.get(0)})
    };
    [list.iter().map(one).collect(), findings::json::render(unrendered, sources)]
}

/// The places of a finding, each with what it has to do with it.
fn places(finding: &Diagnostic, sources: &Sources) -> Vec<(String, String)> {
    let labels = finding.labels.iter().map(|label| (label.span, format!(": {}", label.text)));
    let all = [(finding.span, String::new())].into_iter().chain(labels).filter(|(span, _)| span.is_known());
    all.take(tree::limits::DIAGNOSTIC_PLACES).map(|(span, what)| (sources.locate(span), what)).collect()
}
