//! The one thread that starts processes, and writes files that stand directly in a project's folder.
//!
//! The kernel holds each thread to rights of its own. Those that everything else shall not have are this thread's: to execute git,
//! which reads `.git` with the token of a checkout in it, and to replace `netloom.yaml`, beside which `.git` stands. It does what
//! netloom's own code hands it (a command to start, a file with a plain name to write), and never looks at a project itself.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::sync::mpsc::channel;
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::thread;

type Work = Box<dyn FnOnce() + Send>;

/// The thread's work; unset as long as nothing is confined.
static BROKER: OnceLock<Queue> = OnceLock::new();

/// What is to be done. Waiting for it takes no memory, which would cost a thread that mostly does nothing a heap of its own.
#[derive(Default)]
struct Queue {
    work: Mutex<VecDeque<Work>>,
    added: Condvar,
}

impl Queue {
    fn add(&self, work: Work) {
        self.work.lock().unwrap_or_else(PoisonError::into_inner).push_back(work);
        self.added.notify_one();
    }

    fn next(&self) -> Option<Work> {
        let work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        self.added.wait_while(work, |work| work.is_empty()).unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

/// Does `work` with the rights of the broker; at once where nothing is confined.
///
/// # Errors
/// Those of `work`.
pub fn apart<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    let Some(broker) = BROKER.get() else { return work() };
    let (sender, done) = channel();
    let gone = || io::Error::from(ErrorKind::BrokenPipe);
    broker.add(Box::new(move || _ = sender.send(work())));
    done.recv().map_err(|_| gone())?
}

/// Starts the thread, which first gives up every right but its own.
pub(super) fn start(confine: impl FnOnce() + Send + 'static) {
    // A second one would have nothing to do.
    if BROKER.get().is_some() {
        return;
    }
    let serve = move || {
        confine();
        while let Some(work) = BROKER.get_or_init(Queue::default).next() {
            work();
        }
    };
    if thread::Builder::new().name("broker".to_owned()).spawn(serve).is_ok() {
        BROKER.get_or_init(Queue::default);
    }
}
