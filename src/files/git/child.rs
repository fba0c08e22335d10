//! Git as a child process: it may take only so long, and say only so much.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::message::{Stopped, cannot_start};
use crate::sandbox;
use findings::Diagnostic;
use tree::limits;

/// What a child may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) time: Duration,
    /// Bytes of one answer.
    pub(super) output: u64,
    /// Entries of folders, or of the index, altogether.
    pub(super) entries: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { time: Duration::from_secs(limits::GIT_SECONDS), output: limits::GIT_OUTPUT, entries: limits::GIT_ENTRIES }
    }
}

/// Starts a command, where that can be done.
fn start(command: &mut Command) -> Result<Child, Diagnostic> {
    let mut command = std::mem::replace(command, Command::new("git"));
    sandbox::apart(move || command.spawn()).map_err(|error| cannot_start(&error))
}

/// What a command answers; none when it says no.
pub(super) fn ask(command: &mut Command, what: &'static str, bounds: Bounds) -> Result<Option<Vec<u8>>, Diagnostic> {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = Killed(start(command)?);
    let deadline = Instant::now() + bounds.time;
    let stop = |stopped: Stopped| Err(stopped.report(what, bounds));
    let Some(output) = child.0.stdout.take() else { return stop(Stopped::Ended) };
    let mut bytes = Vec::new();
    match (Said { output, deadline }).take(bounds.output + 1).read_to_end(&mut bytes) {
        Ok(_) if bytes.len() as u64 > bounds.output => return stop(Stopped::Flood),
        Ok(_) => {}
        Err(error) => return stop(Stopped::of(&error)),
    }
    match child.wait(deadline) {
        None => stop(Stopped::Late),
        Some(status) if status.code().is_none() => stop(Stopped::Ended),
        Some(status) => Ok(status.success().then_some(bytes)),
    }
}

/// What a child says, waited for until a deadline.
#[derive(Debug)]
struct Said {
    output: ChildStdout,
    deadline: Instant,
}

impl Read for Said {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(|_| ErrorKind::InvalidInput)?;
        // A child that ended can be read from, too: there is nothing.
        match poll(&mut [PollFd::new(&self.output, PollFlags::IN)], Some(&left))? {
            0 => Err(ErrorKind::TimedOut.into()),
            _ => self.output.read(buffer),
        }
    }
}

/// A child that does not outlive its use.
#[derive(Debug)]
struct Killed(Child);

impl Killed {
    /// How it ended; none when it does not in time.
    fn wait(&mut self, deadline: Instant) -> Option<ExitStatus> {
        let mut pause = Duration::from_micros(100);
        loop {
            if let Some(status) = self.0.try_wait().ok()? {
                return Some(status);
            }
            if Instant::now() >= deadline {
                return None;
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(10));
        }
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// An object of Git's.
pub(super) struct Object {
    pub(super) name: String,
    pub(super) kind: String,
    /// Its first bytes, as many as were asked for.
    pub(super) bytes: Vec<u8>,
}

/// What is heard of an object; none when Git does not have it.
type Heard = Result<Option<Object>, Stopped>;

/// A running `git cat-file --batch`.
#[derive(Debug)]
pub(super) struct Batch {
    _process: Killed,
    input: ChildStdin,
    output: BufReader<Said>,
    /// How long it may still be waited for.
    left: Duration,
    bounds: Bounds,
    stopped: Option<Stopped>,
}

impl Batch {
    pub(super) fn start(command: &mut Command, bounds: Bounds) -> Result<Self, Diagnostic> {
        command.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = Killed(start(command)?);
        let pipes = process.0.stdin.take().zip(process.0.stdout.take());
        let (input, output) = pipes.ok_or_else(|| Stopped::Ended.report(BATCH, bounds))?;
        let output = BufReader::new(Said { output, deadline: Instant::now() });
        Ok(Self { _process: process, input, output, left: bounds.time, bounds, stopped: None })
    }

    /// An object with its first `cap` bytes; none when Git does not have it, or says nothing any more.
    pub(super) fn object(&mut self, name: &str, cap: u64) -> Option<Object> {
        self.objects(&[name.to_owned()], cap).pop().flatten()
    }

    /// The same of several objects, in order. Each is asked for before the one before is waited for: going back and forth for
    /// every one takes longer than reading them.
    pub(super) fn objects(&mut self, names: &[String], cap: u64) -> Vec<Option<Object>> {
        let mut objects = Vec::new();
        for names in names.chunks(TOGETHER) {
            if self.stopped.is_none() {
                self.stopped = self.ask(names).err();
            }
            objects.extend(names.iter().map(|_| self.next(cap)));
        }
        objects
    }

    fn ask(&mut self, names: &[String]) -> Result<(), Stopped> {
        let lines: String = names.iter().flat_map(|name| [name, "\n"]).collect();
        self.input.write_all(lines.as_bytes()).and_then(|()| self.input.flush()).map_err(|_| Stopped::Ended)
    }

    /// What is answered next, unless nothing is answered any more.
    fn next(&mut self, cap: u64) -> Option<Object> {
        if self.stopped.is_some() {
            return None;
        }
        let began = Instant::now();
        self.output.get_mut().deadline = began + self.left;
        let heard = answer(&mut self.output, cap, self.bounds.output);
        self.left = self.left.saturating_sub(began.elapsed());
        heard.unwrap_or_else(|stopped| {
            self.stopped = Some(stopped);
            None
        })
    }

    /// Notes that there are more entries than there may be.
    pub(super) fn stop(&mut self, stopped: Stopped) {
        self.stopped.get_or_insert(stopped);
    }

    /// Why it says nothing any more.
    pub(super) fn stopped(&self) -> Option<Diagnostic> {
        Some(self.stopped.as_ref()?.report(BATCH, self.bounds))
    }

    pub(super) fn bounds(&self) -> Bounds {
        self.bounds
    }
}

/// Objects that are asked for before one is waited for: their lines, with names of SHA-256, fit into the smallest pipe of Linux, which
/// is a page. What was asked before was answered, so that nobody waits for Git to read.
pub(super) const TOGETHER: usize = 60;

const BATCH: &str = "cat-file";

/// Reads an answer: an object with its first `cap` bytes.
fn answer(output: &mut impl BufRead, cap: u64, limit: u64) -> Heard {
    const HEAD_BYTES: u64 = 1 << 10;
    let ended = |error: io::Error| Stopped::of(&error);
    let mut head = String::new();
    output.by_ref().take(HEAD_BYTES).read_line(&mut head).map_err(ended)?;
    if head.is_empty() {
        return Err(Stopped::Ended);
    }
    let words: Vec<&str> = head.split_whitespace().collect();
    let (name, kind, size) = match words.as_slice() {
        [_, "missing" | "ambiguous"] if head.ends_with('\n') => return Ok(None),
        [name, kind, size] if head.ends_with('\n') => (name, kind, size.parse::<u64>().map_err(|_| Stopped::Garbage)?),
        _ => return Err(Stopped::Garbage),
    };
    if size > limit {
        return Err(Stopped::Flood);
    }
    let mut bytes = Vec::new();
    output.by_ref().take(size.min(cap)).read_to_end(&mut bytes).map_err(ended)?;
    let rest = size - size.min(cap);
    let skipped = io::copy(&mut output.by_ref().take(rest), &mut io::sink()).map_err(ended)?;
    let mut end = [0];
    output.read_exact(&mut end).map_err(ended)?;
    match bytes.len() as u64 + skipped == size && end == *b"\n" {
        true => Ok(Some(Object { name: (*name).to_owned(), kind: (*kind).to_owned(), bytes })),
        false => Err(Stopped::Garbage),
    }
}
