//! Jsonnet programs, evaluated in worker processes.
//!
//! No setting of an evaluator stops every hostile program: a string that doubles forty times, an array of two billion items, a
//! fold without end. So the evaluator runs in a process of its own, the same binary started with [`ARGUMENT`], that has limits of
//! memory and time from the kernel, no environment, and no file but its pipes ([`serve`]). What ends it becomes a finding at the
//! program, and the next program gets a new worker.
//!
//! Programs see the snapshot of the project that was read at the start. A worker asks for each file that it imports, by its path
//! in the snapshot; netloom never opens a file on its behalf.

mod explain;
mod protocol;
mod scan;
mod serve;
mod tokens;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use serde_json::Value as Json;

use findings::{Diagnostic, rules};
use protocol::{Failure, Place, Process, Reply, Stopped};
pub use scan::imports;
pub use serve::serve;
use tree::{FileId, Sources, Span};

/// The argument with which netloom's own binary becomes a worker.
pub const ARGUMENT: &str = "__jsonnet";

/// Processes that evaluate side by side; each may take as much memory as the limit allows.
const WORKERS: usize = 2;

/// The first character that nobody sees in the texts of a result.
fn hidden(value: &Json) -> Option<char> {
    match value {
        Json::String(text) => yaml::hidden(text).map(|(_, bad)| bad),
        Json::Array(items) => items.iter().find_map(hidden),
        Json::Object(entries) => {
            entries.iter().find_map(|(key, value)| yaml::hidden(key).map(|(_, bad)| bad).or_else(|| hidden(value)))
        }
        _ => None,
    }
}

/// Evaluates the Jsonnet programs of one snapshot. Workers start with the first program, and end with this value.
#[derive(Debug)]
pub struct Jsonnet {
    sources: Arc<Sources>,
    files: BTreeMap<Arc<str>, FileId>,
    executable: PathBuf,
    workers: [Mutex<Option<Process>>; WORKERS],
    turn: AtomicUsize,
}

impl Jsonnet {
    /// Programs of `sources`, evaluated by `executable`: netloom itself, by its absolute path.
    #[must_use]
    pub fn new(executable: &Path, sources: Arc<Sources>) -> Self {
        let files = sources.iter().map(|(id, source)| (source.path.clone(), id)).collect();
        let executable = executable.to_path_buf();
        Self { sources, files, executable, workers: Default::default(), turn: AtomicUsize::new(0) }
    }

    /// Evaluates the program in `file`. When it is a function, it is called with `args` by name.
    ///
    /// # Errors
    /// When the program is wrong, or takes more than its limits; the finding points into it.
    pub fn eval(&self, file: FileId, args: &[(&str, Json)]) -> Result<Json, Diagnostic> {
        let Some(source) = self.sources.get(file) else {
            return Err(Diagnostic::new(&rules::JSONNET, Span::file(file), "there is no such program"));
        };
        let mut worker = self.worker();
        let reply = self.run(&mut worker, &source.path, args);
        let reply = reply.map_err(|stopped| {
            let reason = worker.take().map_or(stopped.clone(), |process| process.end(stopped));
            Diagnostic::new(&rules::JSONNET, Span::file(file), format!("evaluation of `{}` stopped: {reason}", source.path))
        })?;
        match reply {
            Reply::Value(text) => {
                let value = serde_json::from_slice(&text).map_err(|error| {
                    let message = format!("`{}` gives something that netloom cannot take: {error}", source.path);
                    Diagnostic::new(&rules::JSONNET, Span::file(file), message)
                })?;
                hidden(&value).map_or(Ok(value), |bad| Err(yaml::invisible(bad, Span::file(file))))
            }
            Reply::Failure(failure) => Err(self.report(file, &failure)),
        }
    }

    /// A worker that is free, or the next in turn.
    fn worker(&self) -> MutexGuard<'_, Option<Process>> {
        for worker in &self.workers {
            match worker.try_lock() {
                Ok(free) => return free,
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        let [first, second] = &self.workers;
        let next = if self.turn.fetch_add(1, Ordering::Relaxed).is_multiple_of(WORKERS) { first } else { second };
        next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, worker: &mut Option<Process>, path: &str, args: &[(&str, Json)]) -> Result<Reply, Stopped> {
        let process = match worker {
            Some(process) => process,
            None => worker.insert(Process::start(&self.executable)?),
        };
        process.evaluate(path, args, |path| {
            let source = self.files.get(path).and_then(|id| self.sources.get(*id));
            source.map(|source| &*source.text)
        })
    }

    fn span(&self, place: &Place) -> Option<Span> {
        let file = *self.files.get(place.file.as_str())?;
        Some(Span::new(file, place.start, place.end))
    }

    fn report(&self, program: FileId, failure: &Failure) -> Diagnostic {
        let rule = if failure.limit { &rules::LIMIT } else { &rules::JSONNET };
        let place = failure.place.as_ref().and_then(|place| self.span(place));
        let mut finding = Diagnostic::new(rule, place.unwrap_or(Span::file(program)), failure.message.clone());
        for (place, text) in &failure.trace {
            if let Some(span) = self.span(place) {
                finding = finding.also(span, text.clone());
            }
        }
        failure.help.iter().fold(finding, |finding, help| finding.help(help.clone()))
    }
}
