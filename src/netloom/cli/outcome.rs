//! What a command found and did, and the text of it.

use std::fmt::Write;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Command, Options};
use findings::{Diagnostic, Format, Human, Places, Severity, github, inert, junit, sarif};
use tree::Sources;

/// How a command ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exit {
    /// Done, or clean.
    #[default]
    Done = 0,
    /// `check` has something to report.
    Findings = 1,
    /// It could not be done.
    Error = 2,
}

/// What a command found and did.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What was asked for, such as a schema.
    pub product: String,
    /// What happened, for people; left out under `--quiet`.
    pub news: String,
    /// What programs get beside the findings, by key.
    pub data: Map<String, Value>,
    /// Counts, by key.
    pub summary: Map<String, Value>,
    /// What is wrong or worth knowing.
    pub findings: Vec<Diagnostic>,
    /// The texts that findings point into.
    pub sources: Arc<Sources>,
    /// The folder that the paths of those start from, as seen from the repository's root: empty, or with a `/` at its end.
    pub prefix: String,
    /// What the codes of findings mean, where the format tells.
    pub rules: Vec<sarif::Rule>,
    /// What people are told beside the findings; left out under `--quiet`.
    pub remarks: String,
    /// What follows from the findings, such as `nothing was written`.
    pub consequence: &'static str,
    /// How it ended.
    pub exit: Exit,
}

/// What is printed, and the exit code.
#[derive(Debug, PartialEq, Eq)]
pub struct Report {
    /// Results.
    pub stdout: String,
    /// Diagnostics.
    pub stderr: String,
    /// The exit code.
    pub exit: u8,
}

impl Outcome {
    /// An error that ends a command.
    pub(super) fn error(finding: Diagnostic) -> Self {
        Self { findings: vec![finding], exit: Exit::Error, ..Self::default() }
    }

    /// Files that were written.
    pub(super) fn written(paths: impl IntoIterator<Item = String>) -> Self {
        let paths: Vec<String> = paths.into_iter().collect();
        let news = paths.iter().map(|path| inert::line(path).into_owned() + " written\n").collect();
        Self { news, data: [("files".to_owned(), paths.into())].into_iter().collect(), ..Self::default() }
    }

    /// The text for people or programs.
    #[must_use]
    pub fn report(self, command: &Command, options: &Options, color: bool) -> Report {
        let exit = self.exit as u8;
        match options.format {
            Format::Human | Format::Markdown | Format::Html => {
                Report { stderr: self.diagnostics(options, color), stdout: self.results(options), exit }
            }
            Format::Github => {
                let stderr = self.diagnostics(options, color);
                let annotations = self.annotations(options);
                Report { stderr, stdout: self.results(options) + &annotations, exit }
            }
            Format::Json => Report { stdout: self.document(command), stderr: String::new(), exit },
            Format::Sarif => Report { stdout: self.sarif(command), stderr: String::new(), exit },
            Format::Junit => Report { stdout: self.junit(command), stderr: String::new(), exit },
        }
    }

    fn places(&self) -> Places<'_> {
        Places { sources: &self.sources, prefix: &self.prefix }
    }

    fn annotations(&self, options: &Options) -> String {
        let shown = self.findings.iter().filter(|finding| !options.quiet || finding.severity == Severity::Error);
        github::render(&shown.collect::<Vec<_>>(), self.places())
    }

    fn sarif(&self, command: &Command) -> String {
        let invocation = sarif::Invocation { command: command.name(), exit: self.exit as u8, done: self.exit != Exit::Error };
        findings::json::text(&sarif::render(invocation, &self.findings, &self.rules, self.places()))
    }

    fn junit(&self, command: &Command) -> String {
        let units = self.data.get("units").and_then(Value::as_array);
        let parts: Vec<_> = units.into_iter().flatten().filter_map(|unit| unit["folder"].as_str()).collect();
        junit::render(command.name(), &parts, &self.findings, self.places())
    }

    fn results(self, options: &Options) -> String {
        let news = if options.quiet { "" } else { &self.news };
        news.lines().fold(self.product, |text, line| text + &inert::line(line) + "\n")
    }

    /// The findings that are to be seen, and their number.
    fn diagnostics(&self, options: &Options, color: bool) -> String {
        // Of the annotations GitHub shows but a few; the log has them all.
        let least = match (options.quiet, options.verbose || options.format == Format::Github) {
            (true, _) => Severity::Error,
            (false, true) => Severity::Note,
            (false, false) => Severity::Warning,
        };
        let shown = self.findings.iter().filter(|finding| finding.severity >= least);
        let mut text = Human { color }.render(shown, &self.sources);
        if !options.quiet {
            text.push_str(&self.remarks);
        }
        let hidden_notes = least == Severity::Warning && self.findings.iter().any(|finding| finding.severity == Severity::Note);
        let counts = if hidden_notes || self.findings.len() > 1 { findings::tally(&self.findings) } else { String::new() };
        let remarks = [counts, self.consequence.to_owned()];
        let mut remarks: Vec<_> = remarks.into_iter().filter(|remark| !remark.is_empty()).collect();
        if hidden_notes {
            remarks.push("`--verbose` shows notes".to_owned());
        }
        if !remarks.is_empty() && (!options.quiet || !text.is_empty()) {
            _ = writeln!(text, "{}", remarks.join("; "));
        }
        text
    }

    fn document(self, command: &Command) -> String {
        let count = |severity| self.findings.iter().filter(|finding| finding.severity == severity).count();
        let mut summary = self.summary;
        summary.insert("errors".into(), count(Severity::Error).into());
        summary.insert("warnings".into(), count(Severity::Warning).into());
        summary.insert("notes".into(), count(Severity::Note).into());
        let mut document = json!({
            "command": command.name(),
            "exit": self.exit as u8,
            "findings": findings::json::render(&self.findings, &self.sources),
        });
        if let Some(members) = document.as_object_mut() {
            members.extend(self.data);
            members.insert("summary".into(), summary.into());
        }
        findings::json::text(&document)
    }
}
