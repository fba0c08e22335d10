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
            // Units end in any order; the bar only grows.
            bar.set_position(bar.position().max(done as u64));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn told(wanted: bool, began: Instant) -> Progress {
        let progress = Progress { wanted, began, bar: OnceLock::new() };
        progress.tell(3, 7);
        progress
    }

    #[test]
    fn a_bar_appears_when_work_takes_long() {
        let earlier = Instant::now().checked_sub(PATIENCE).unwrap();
        let progress = told(true, earlier);
        let bar = progress.bar.get().unwrap();
        assert_eq!((bar.position(), bar.length()), (3, Some(7)));
        progress.finish();
        assert!(bar.is_finished());
        assert!(told(true, Instant::now()).bar.get().is_none());
        assert!(told(false, earlier).bar.get().is_none());
    }
}
