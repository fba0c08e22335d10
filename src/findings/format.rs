//! The ways to show findings.

/// An output format for findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For a terminal: the line quoted, with colour where wanted.
    #[default]
    Human,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit XML, for reports of test results.
    Junit,
    /// Workflow commands of GitHub Actions, which annotate a pull request.
    Github,
    /// A comment on a pull request; `diff` has one.
    Markdown,
    /// One file for a browser; `diff` has one.
    Html,
}
