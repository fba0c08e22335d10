//! What goes wrong with a disk, in tests.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustix::io::Errno;

/// Lets one step fail, or the process be stopped at it.
#[derive(Debug)]
pub(crate) struct Faults {
    done: AtomicUsize,
    /// The first step that does not succeed.
    at: usize,
    /// With what it fails; none when the process is stopped there: neither this step nor any later one happens.
    error: Option<Errno>,
    /// Whether the file system can exchange and rename folders.
    renames: bool,
    hit: AtomicBool,
}

impl Default for Faults {
    fn default() -> Self {
        Self { done: AtomicUsize::new(0), at: usize::MAX, error: None, renames: true, hit: AtomicBool::new(false) }
    }
}

impl Faults {
    /// The process is stopped before step `at`, counted from 0.
    pub(crate) fn stop(at: usize) -> Self {
        Self { at, ..Self::default() }
    }

    /// Step `at` fails.
    pub(crate) fn fail(at: usize, error: Errno) -> Self {
        Self { at, error: Some(error), ..Self::default() }
    }

    /// On a file system that can neither exchange nor rename folders.
    pub(crate) fn without_renames(self) -> Self {
        Self { renames: false, ..self }
    }

    /// Whether there were as many steps as to come to the fault.
    pub(crate) fn was_hit(&self) -> bool {
        self.hit.load(Ordering::SeqCst)
    }

    pub(crate) fn step(&self) -> Result<(), Errno> {
        let step = self.done.fetch_add(1, Ordering::SeqCst);
        let fails = if self.error.is_some() { step == self.at } else { step >= self.at };
        if !fails {
            return Ok(());
        }
        self.hit.store(true, Ordering::SeqCst);
        Err(self.error.unwrap_or(Errno::INTR))
    }

    pub(crate) fn folder_rename(&self) -> Result<(), Errno> {
        if self.renames { Ok(()) } else { Err(Errno::XDEV) }
    }
}
