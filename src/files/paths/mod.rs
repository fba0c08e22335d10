//! Every path operation: one room, so that no other one can get it wrong.
//!
//! netloom runs on branches of strangers, and whoever writes one controls every file of it, links and modes included. So a path
//! is never handed to the kernel as it is: it is resolved from a folder that is held open, and no part of it may be a link
//! (`Folder`, and `Disk` for what changes something). Links among the inputs are followed in one place only, by
//! netloom itself, one after the other, and what they lead to is judged (`follow`).

#![allow(clippy::disallowed_methods, reason = "this is the room")]

pub(crate) mod attributes;
pub(crate) mod checkout;
mod disk;
#[cfg(test)]
pub(crate) mod faults;
mod folder;
mod follow;
mod foreign;
pub(crate) mod ignored;
pub mod named;
mod pattern;
#[cfg(test)]
mod tests;

pub(crate) use disk::Disk;
pub(crate) use folder::{Folder, Held, Kind, kind, names};
pub(crate) use follow::{Found, Lookup, Lost, Reached, follow};
pub use foreign::Foreign;

use std::str::Utf8Chunk;

pub(crate) use rustix::fs::{FlockOperation as Lock, Mode};
use rustix::io::Errno;

pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// What could not be done, and why.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) doing: &'static str,
    /// As people see it: from the project's root on.
    pub(crate) path: String,
    pub(crate) error: Errno,
}

/// A name behind the path of its folder, as people see it: two names that differ are two texts, also where they are no text.
pub(crate) fn joined(folder: &str, name: &[u8]) -> String {
    let shown = |chunk: Utf8Chunk<'_>| format!("{}{}", chunk.valid().escape_debug(), chunk.invalid().escape_ascii());
    let name: String = name.utf8_chunks().map(shown).collect();
    match (folder, name.as_str()) {
        ("", _) => name,
        (path, "") => path.to_owned(),
        (path, name) => format!("{path}/{name}"),
    }
}

/// The cause of an error, without the number that Rust appends.
pub fn cause(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
