//! `netloom init`: a project with a working example.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::{Context, Options, Outcome};
use files::own::{self, Existing};
use files::paths::named;
use findings::{inert, rules};

/// Writes a new project.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  netloom init fleet && cd fleet
  netloom render

An existing file is never overwritten. In a project that is there already, `--ci` writes the workflow alone. Exit codes: 0 written, 2 error.")]
pub struct Init {
    /// Folder of the project, made if missing; the working directory when left out
    folder: Option<PathBuf>,
    /// Only netloom.yaml and empty folders
    #[arg(long)]
    bare: bool,
    /// Also write a workflow that checks and compares: `github` or `gitlab`
    #[arg(long, value_name = "SERVICE", value_enum, hide_possible_values = true)]
    ci: Option<Service>,
}

/// Services that run workflows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Service {
    Github,
    Gitlab,
}

impl Service {
    /// The workflow: where it goes, and its text.
    fn workflow(self) -> (&'static str, &'static str) {
        match self {
            Service::Github => (".github/workflows/netloom.yaml", include_str!("init/github.yaml")),
            Service::Gitlab => (".gitlab-ci.yml", include_str!("../../../.gitlab/netloom.gitlab-ci.yml")),
        }
    }
}

/// A file of `examples/starter`, which is the example: path and text.
macro_rules! starter {
    ($($path:literal),*) => {
        [$(($path, include_str!(concat!("../../../examples/starter/", $path)))),*]
    };
}

/// The example.
const EXAMPLE: [(&str, &str); 6] = starter![
    "netloom.yaml",
    "declarations/network.yaml",
    "declarations/cluster.yaml",
    "overlays/house/overlay.yaml",
    "overlays/house/cluster-network.yaml",
    "overlays/house/dns-cache.yaml"
];

/// The project alone.
const BARE: [(&str, &str); 1] = [("netloom.yaml", include_str!("init/bare.yaml"))];

/// Advice for Git, which a repository that has its own is not given.
const GIT_ATTRIBUTES: (&str, &str) = (".gitattributes", include_str!("../../../examples/starter/.gitattributes"));

/// Folders of a new project.
const FOLDERS: [&str; 2] = ["declarations", "overlays"];

impl Init {
    /// The folder of the project.
    pub(super) fn folder<'a>(&'a self, options: &'a Options) -> &'a Path {
        self.folder.as_deref().or(options.project.as_deref()).unwrap_or(Path::new("."))
    }

    /// Whether only a workflow is added to a project that is there.
    fn adds(&self, folder: &Path) -> bool {
        self.ci.is_some() && named::has(folder, "netloom.yaml")
    }

    /// Folders in that of the project that are written in.
    pub(super) fn folders(&self, options: &Options) -> Vec<&'static str> {
        let own: &[_] = if self.adds(self.folder(options)) { &[] } else { &FOLDERS };
        let workflow = self.ci.and_then(|service| Some(service.workflow().0.rsplit_once('/')?.0));
        own.iter().copied().chain(workflow).collect()
    }
}

pub(super) fn run(command: &Init, context: &Context<'_>) -> Outcome {
    let folder = command.folder(context.options);
    let there = command.adds(folder);
    let mut new = match (there, command.bare) {
        (true, _) => Vec::new(),
        (false, true) => BARE.to_vec(),
        (false, false) => EXAMPLE.to_vec(),
    };
    new.extend(command.ci.map(Service::workflow));
    if !there && !named::has(folder, GIT_ATTRIBUTES.0) {
        new.push(GIT_ATTRIBUTES);
    }
    let new: Vec<_> = new.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
    if let Err(refused) = own::write(folder, &new, Existing::Keep) {
        return Outcome { consequence: "nothing was written", ..Outcome::error(refused.finding(&rules::INIT_EXISTS)) };
    }
    for empty in FOLDERS.iter().filter(|_| !there) {
        if let Err(finding) = own::folder(&folder.join(empty)) {
            return Outcome::error(finding);
        }
    }
    let mut outcome = Outcome::written(new.into_iter().map(|(path, _)| path));
    if !there {
        outcome.news.push_str(&next(folder));
    }
    outcome
}

/// What to do now.
fn next(folder: &Path) -> String {
    match folder == Path::new(".") {
        true => "Next: netloom render\n".to_owned(),
        false => format!("Next: cd {} && netloom render\n", inert::line(&word(&folder.to_string_lossy()))),
    }
}

/// A text as one word of a shell.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+' | '@' | '~');
    if text.chars().all(plain) && !text.starts_with(['-', '~']) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
