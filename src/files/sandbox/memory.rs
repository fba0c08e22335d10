//! How much memory the process may take.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use tree::limits::COMMAND_MEMORY;

/// Bounds the memory of this process. Beyond it an allocation fails and the process ends (`SIGABRT`) before it has written
/// anything, because a command writes when everything has been compiled.
pub fn bound_memory() {
    let before = getrlimit(Resource::Data);
    let within = |limit: Option<u64>| Some(limit.map_or(COMMAND_MEMORY, |limit| limit.min(COMMAND_MEMORY)));
    // A system that has no such limit has none of its own either; nothing is lost.
    _ = setrlimit(Resource::Data, Rlimit { current: within(before.current), maximum: within(before.maximum) });
}
