//! The second line: what the kernel refuses, whatever netloom asks for.
//!
//! The first line is the code that opens, checks and writes files. Should it be led astray by what a stranger's branch holds, the
//! kernel still refuses what a command has no use for: [`table`] states what each one reads, writes and executes, and
//! [`enter`] has the kernel hold this process to it from before the first byte of the project is read.
//!
//! - Files by Landlock: read is what is not hidden in the project's folder, written are the folders that the command writes.
//!   So nothing of `.git` is written, and nothing of it read but the index and what Git ignores, whatever a link says.
//! - Programs by both: one thread alone, the `broker`, can start any, and those are git and netloom itself, which evaluates
//!   Jsonnet with no right but to its pipes ([`isolate`]).
//! - The network, other processes and the rest of the kernel by seccomp.
//!
//! Each is in force where the kernel has it, and as far as it has it; without one everything works as it does with it.
//! `netloom --version --verbose` tells. Only `main` confines a process: the library does nothing of the kind by itself.

mod broker;
mod memory;
pub mod table;

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;

use std::path::{Path, PathBuf};

pub use broker::apart;
#[cfg(not(target_os = "linux"))]
use elsewhere as system;
#[cfg(target_os = "linux")]
use linux as system;
pub use memory::bound_memory;
use table::{Place, Row};

/// What one run of a command is about; its row says what is done with it.
#[derive(Debug)]
pub struct Needs<'a> {
    /// The command's row.
    pub row: &'static Row,
    /// The project's folder, when it is read.
    pub project: Option<PathBuf>,
    /// The file that the command line names.
    pub file: Option<PathBuf>,
    /// The folder that the command line names.
    pub folder: Option<PathBuf>,
    /// Folders below that one that are written in.
    pub below: Vec<&'static str>,
    /// Whether anything is written.
    pub writes: bool,
    /// Whether folders that are written in may be missing, and are made.
    pub makes: bool,
    /// netloom itself.
    pub netloom: &'a Path,
    /// git, when it is asked.
    pub git: Option<Git>,
}

/// The git that is executed.
#[derive(Clone, Debug)]
pub struct Git {
    /// Its absolute path.
    pub program: PathBuf,
    /// The index that stands elsewhere than in the repository.
    pub index: Option<PathBuf>,
}

/// Where a project has its folders, by their paths in it.
pub type Folders = Vec<(Place, String)>;

/// What looks that up; it runs where only the project can be read.
pub type Scout<'a> = dyn Fn() -> Folders + Sync + 'a;

/// What is in force, or why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forces {
    /// The ABI of Landlock.
    pub landlock: Result<i32, String>,
    /// The filters of system calls.
    pub seccomp: Result<(), String>,
}

/// What this machine has, and what of it is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The kernel and its version.
    pub kernel: String,
    /// Whether paths can be resolved without leaving a folder.
    pub openat2: bool,
    /// What is in force.
    pub forces: Forces,
}

/// That this process is confined.
#[derive(Debug)]
#[must_use]
pub struct Confined {
    /// What is in force.
    pub forces: Forces,
    /// Whether a project is read.
    pub reads: bool,
    traces: system::Traces,
}

impl Needs<'_> {
    /// No needs at all.
    fn none() -> Self {
        let (row, netloom) = (Row::of(""), Path::new(""));
        let (project, file, folder, git) = Default::default();
        Self { row, project, file, folder, below: Vec::new(), writes: false, makes: false, netloom, git }
    }
}

impl Confined {
    /// Takes back what was made for a command that has failed: folders that it would have written in, where they are empty.
    pub fn undo(self) {
        system::undo(self.traces);
    }
}

/// Confines this thread, and all that it starts from now on, to what a command needs: before anything of the project is read, and
/// before there is another thread.
pub fn enter(needs: &Needs<'_>, scout: &Scout<'_>) -> Confined {
    let (forces, traces) = system::enter(needs, scout);
    Confined { forces, reads: needs.project.is_some(), traces }
}

/// Confines this process to nothing at all, and tries what should be refused then.
#[must_use]
pub fn state() -> State {
    system::state()
}

/// Leaves this process its pipes, and nothing else: for the worker that evaluates Jsonnet. It goes on without what the kernel does
/// not have; its limits remain.
pub fn isolate() -> Forces {
    system::isolate()
}
