//! The progress bar of long work.

use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work that takes less shows no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// A bar on standard error that appears when work takes long, and leaves nothing behind.
#[derive(Debug)]
pub struct Progress {
    wanted: bool,
    began: Instant,
    bar: OnceLock<ProgressBar>,
}

impl Progress {
    /// Begins to wait; there is never a bar unless it is `wanted` and standard error is a terminal.
    #[must_use]
    pub fn new(wanted: bool) -> Self {
        let wanted = wanted && std::io::stderr().is_terminal();
        Self { wanted, began: Instant::now(), bar: OnceLock::new() }
    }

    /// Tells how many units of how many are done; from any thread.
    pub fn tell(&self, done: usize, total: usize) {
        if self.wanted && self.began.elapsed() >= PATIENCE {
            let bar = self.bar.get_or_init(|| bar(total));
            bar.set_position(done as u64);
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}

fn bar(total: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} units");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
