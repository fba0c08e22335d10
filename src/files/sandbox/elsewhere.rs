//! Systems other than Linux, where nothing is in force.

use super::{Forces, Needs, Scout, State};

#[derive(Debug, Default)]
pub(super) struct Traces;

pub(super) fn enter(_: &Needs<'_>, _: &Scout<'_>) -> (Forces, Traces) {
    (isolate(), Traces)
}

pub(super) fn undo(_: Traces) {}

pub(super) fn isolate() -> Forces {
    let reason = "only Linux has it";
    Forces { landlock: Err(reason.to_owned()), seccomp: Err(reason.to_owned()) }
}

pub(super) fn state() -> State {
    State { kernel: std::env::consts::OS.to_owned(), openat2: false, forces: isolate() }
}
