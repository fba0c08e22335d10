//! The one thread that starts processes, and writes files that stand directly in a project's folder.
//!
//! The kernel holds each thread to rights of its own. Those that everything else shall not have are this thread's: to execute git,
//! which reads `.git` with the token of a checkout in it, and to replace `netloom.yaml`, beside which `.git` stands. It does what
//! netloom's own code hands it (a command to start, a file with a plain name to write), and never looks at a project itself.

use std::io::{self, ErrorKind};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::thread;

type Work = Box<dyn FnOnce() + Send>;

/// The way to the thread; unset as long as nothing is confined.
static BROKER: OnceLock<Sender<Work>> = OnceLock::new();

/// Does `work` with the rights of the broker; at once where nothing is confined.
///
/// # Errors
/// Those of `work`.
pub fn apart<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    let Some(broker) = BROKER.get() else { return work() };
    let (sender, done) = channel();
    let gone = || io::Error::from(ErrorKind::BrokenPipe);
    broker.send(Box::new(move || _ = sender.send(work()))).map_err(|_| gone())?;
    done.recv().map_err(|_| gone())?
}

/// Starts the thread, which first gives up every right but its own.
pub(super) fn start(confine: impl FnOnce() + Send + 'static) {
    let (sender, work) = channel::<Work>();
    let serve = move || {
        confine();
        work.into_iter().for_each(|work| work());
    };
    if thread::Builder::new().name("broker".to_owned()).spawn(serve).is_ok() {
        // A second one would have nothing to do.
        _ = BROKER.set(sender);
    }
}
