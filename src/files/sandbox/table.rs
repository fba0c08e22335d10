//! What each command reads, writes and executes, at most. An option takes away from that (`fmt --check` writes nothing, `check`
//! executes git only when it compares), and none adds to it.

/// Something that a command reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The project's folder, without what is hidden in it (`.git/config`, `.env`); of that only what tells which files Git ignores
    /// (`.gitignore`, `.git/info/exclude` and the index) and what Git makes of texts (`.gitattributes`).
    Project,
    /// The folder of declarations.
    Declarations,
    /// The folder of overlays.
    Overlays,
    /// The folder of policies.
    Policies,
    /// The output folder.
    Output,
    /// `netloom.yaml`.
    ProjectFile,
    /// The file that the command line names.
    File,
    /// The folder that the command line names.
    Folder,
}

/// A program that a command executes, by its absolute path; beside it the command reads what the program needs to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// netloom itself: the worker that evaluates Jsonnet, which is left with no right at all before it reads a program.
    Netloom,
    /// git, with the repository that the project lies in.
    Git,
}

/// What one command reads, writes and executes.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// The command's name.
    pub command: &'static str,
    /// What it reads.
    pub reads: &'static [Place],
    /// Where it makes, replaces and removes files.
    pub writes: &'static [Place],
    /// What it executes.
    pub executes: &'static [Program],
}

use Place::{Declarations, File, Folder, Output, Overlays, Policies, Project, ProjectFile};
use Program::{Git, Netloom};

/// Every command, in the order of the command line's help. Nothing reaches the network.
///
/// `init` and `schema` read the project for `--format sarif`, which tells what the codes of findings mean.
pub const TABLE: [Row; 13] = [
    row("init", &[Project], &[Folder], &[]),
    row("render", &[Project], &[Output], &[Netloom]),
    row("check", &[Project], &[], &[Netloom, Git]),
    row("diff", &[Project], &[], &[Netloom, Git]),
    row("fmt", &[Project], &[Declarations, Overlays, Policies, ProjectFile], &[]),
    row("layers", &[Project], &[], &[Netloom]),
    row("graph", &[Project], &[], &[Netloom, Git]),
    row("import", &[Project, File], &[Declarations], &[]),
    row("vendor", &[Project], &[Overlays], &[]),
    row("schema", &[Project], &[Folder], &[]),
    row("explain", &[Project], &[], &[Netloom]),
    row("policy", &[Project], &[], &[]),
    row("completions", &[], &[], &[]),
];

/// What is not in the table does nothing.
const NOTHING: Row = row("", &[], &[], &[]);

const fn row(command: &'static str, reads: &'static [Place], writes: &'static [Place], executes: &'static [Program]) -> Row {
    Row { command, reads, writes, executes }
}

impl Row {
    /// The row of a command.
    #[must_use]
    pub fn of(command: &str) -> &'static Row {
        TABLE.iter().find(|row| row.command == command).unwrap_or(&NOTHING)
    }
}

impl Place {
    /// Its name, for people and programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Project => "project",
            Declarations => "declarations",
            Overlays => "overlays",
            Policies => "policies",
            Output => "output",
            ProjectFile => "netloom.yaml",
            File => "file",
            Folder => "folder",
        }
    }
}

impl Program {
    /// Its name, for people and programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Netloom => "netloom",
            Git => "git",
        }
    }
}
