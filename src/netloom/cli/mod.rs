//! The command line: what can be said, and what each command answers.
//!
//! Commands return an [`Outcome`]; [`Outcome::report`] makes text of it, and `main` prints that. Nothing here prints, exits, or
//! looks at the environment.

mod base;
mod check;
mod completions;
mod confine;
mod diff;
mod explain;
mod fmt;
mod graph;
mod import;
mod init;
mod layers;
mod outcome;
mod policy;
mod progress;
mod render;
mod schema;
mod staged;
mod vendor;
mod version;

use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use files::paths::named;
use findings::{Diagnostic, Format, rules};
use tree::Span;

pub use confine::confine;
pub use outcome::{Exit, Outcome, Report};
pub use progress::Progress;
pub use version::version;

/// The argument that makes this executable the worker that evaluates Jsonnet; no command, because nobody types it.
pub const WORKER: &str = engine::overlay::jsonnet::ARGUMENT;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "netloom", version, about, disable_help_subcommand = true, after_help = FIRST_STEPS)]
pub struct Cli {
    /// What every command understands.
    #[command(flatten)]
    pub options: Options,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

const FIRST_STEPS: &str = "First steps:
  netloom init fleet && cd fleet
  netloom render
  netloom check

Exit codes: 0 done or clean, 1 findings of `check` or differences of `diff --exit-code`, 2 error, 70 a bug in netloom.";

/// What every command understands.
#[derive(Debug, Args)]
#[command(next_help_heading = "Common options")]
pub struct Options {
    /// Folder of the project [default: the nearest one upwards with a netloom.yaml]
    #[arg(long, global = true, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// `human`, `json`, `sarif` and `junit` (one document on standard output), or `github` (annotations); `diff` has `markdown` and `html`, too
    #[arg(long, global = true, value_enum, default_value_t, hide_possible_values = true)]
    pub format: Format,
    /// Colours: `auto`, `always` or `never`
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t, hide_possible_values = true)]
    pub color: Color,
    /// Print errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print notes and what is unchanged, too
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

/// The clusters that a command is about.
#[derive(Debug, Default, Args)]
pub struct Selection {
    /// Only this cluster and its network; repeatable
    #[arg(long = "cluster", value_name = "NAME", value_delimiter = ',')]
    pub clusters: Vec<String>,
}

/// What can be asked of netloom.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a project with a working example
    Init(init::Init),
    /// Write what the declarations make, and say what changed
    Render(render::Render),
    /// Check declarations, and that the committed output is what they make
    Check(check::Check),
    /// Show what the working tree changes, and what that does to running clusters
    Diff(diff::Diff),
    /// Bring declarations and overlays into their normal form
    Fmt(fmt::Fmt),
    /// List a cluster's overlays in order, and why each is there
    Layers(layers::Layers),
    /// Draw a network or a cluster
    Graph(graph::Graph),
    /// Turn a cluster of another tool into declarations
    Import(import::Import),
    /// Pin a manifest from elsewhere by its hash
    Vendor(vendor::Vendor),
    /// Print the JSON Schema of a kind of file, for editors
    Schema(schema::Schema),
    /// Tell what a code means, where a value comes from, or what a line decides
    Explain(explain::Explain),
    /// List policies, and run their cases
    Policy(policy::Policy),
    /// Print the completion script of a shell
    Completions(completions::Completions),
}

impl Command {
    /// The command's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Command::Init(_) => "init",
            Command::Render(_) => "render",
            Command::Check(_) => "check",
            Command::Diff(_) => "diff",
            Command::Fmt(_) => "fmt",
            Command::Layers(_) => "layers",
            Command::Graph(_) => "graph",
            Command::Import(_) => "import",
            Command::Vendor(_) => "vendor",
            Command::Schema(_) => "schema",
            Command::Explain(_) => "explain",
            Command::Policy(_) => "policy",
            Command::Completions(_) => "completions",
        }
    }
}

/// What a command works in; `main` finds it out.
#[allow(missing_debug_implementations)]
pub struct Surroundings<'a> {
    /// The working directory.
    pub folder: PathBuf,
    /// This executable, for the Jsonnet worker.
    pub executable: PathBuf,
    /// Whether results go to a terminal that shows colours.
    pub color: bool,
    /// Is told the units done and their number.
    pub progress: &'a (dyn Fn(usize, usize) + Sync),
}

/// Does what the command line asks for.
#[must_use]
pub fn run(cli: &Cli, surroundings: &Surroundings<'_>) -> Outcome {
    let context = Context { options: &cli.options, surroundings };
    if let Some(finding) = unsupported(cli.options.format, &cli.command) {
        return Outcome::error(finding);
    }
    let mut outcome = answer(cli, &context);
    if !matches!(cli.options.format, Format::Human | Format::Json) {
        let base = if matches!(cli.command, Command::Import(_)) { surroundings.folder.clone() } else { context.root() };
        outcome.prefix = prefix(&base);
    }
    if cli.options.format == Format::Sarif && !outcome.findings.is_empty() {
        outcome.rules = explain::meanings(&context);
    }
    outcome
}

/// What is wrong with a format that a command does not have.
fn unsupported(format: Format, command: &Command) -> Option<Diagnostic> {
    let is_diff = matches!(command, Command::Diff(_));
    let (name, help) = match format {
        Format::Markdown if !is_diff => ("markdown", "`netloom diff` has it"),
        Format::Html if !is_diff => ("html", "`netloom diff` has it"),
        Format::Sarif if is_diff => ("sarif", "`netloom check --max-class` has it"),
        Format::Junit if is_diff => ("junit", "`netloom check --max-class` has it"),
        _ => return None,
    };
    let message = format!("`netloom {}` has no format `{name}`", command.name());
    Some(Diagnostic::new(&rules::FORMAT_UNSUPPORTED, Span::NONE, message).help(help))
}

/// The way from the root of the Git repository that a folder is in to the folder, with a `/` at its end; empty where there is none.
fn prefix(folder: &Path) -> String {
    let folder = named::real(folder).unwrap_or_default();
    let root = folder.ancestors().find(|ancestor| named::has(ancestor, ".git"));
    let way = root.and_then(|root| folder.strip_prefix(root).ok()).map(Path::to_string_lossy).unwrap_or_default();
    if way.is_empty() { String::new() } else { format!("{way}/") }
}

fn answer(cli: &Cli, context: &Context<'_>) -> Outcome {
    match &cli.command {
        Command::Init(command) => init::run(command, context),
        Command::Render(command) => render::run(command, context),
        Command::Check(command) => check::run(command, context),
        Command::Diff(command) => diff::run(command, context),
        Command::Fmt(command) => fmt::run(command, context),
        Command::Layers(command) => layers::run(command, context),
        Command::Graph(command) => graph::run(command, context),
        Command::Import(command) => import::run(command, context),
        Command::Vendor(command) => vendor::run(command, context),
        Command::Schema(command) => schema::run(command),
        Command::Explain(command) => explain::run(command, context),
        Command::Policy(command) => policy::run(command, context),
        Command::Completions(command) => completions::run(command, Cli::command()),
    }
}

/// What a command works with.
struct Context<'a> {
    options: &'a Options,
    surroundings: &'a Surroundings<'a>,
}

impl Context<'_> {
    /// The project's folder.
    fn root(&self) -> PathBuf {
        let here = &self.surroundings.folder;
        let nearest = || named::nearest(here, "netloom.yaml").filter(|folder| folder != here);
        self.options.project.clone().or_else(|| nearest().map(Path::to_owned)).unwrap_or_else(|| ".".into())
    }
}
