//! What netloom and its Jsonnet workers say to each other: frames of a letter, a length and a body.

use std::fmt;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::ARGUMENT;
use files::paths::cause;
use files::sandbox;
use tree::limits;

/// To the worker: evaluate this [`Request`].
pub(super) const EVALUATE: u8 = b'E';
/// To the worker: the text of the file it asked for.
pub(super) const FILE: u8 = b'F';
/// To the worker: there is no such file.
pub(super) const NO_FILE: u8 = b'N';
/// To netloom: what is the text of this file?
pub(super) const IMPORT: u8 = b'I';
/// To netloom: the result, as JSON.
pub(super) const VALUE: u8 = b'V';
/// To netloom: a [`Failure`].
pub(super) const FAILURE: u8 = b'X';

/// A program to evaluate.
#[derive(Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) path: String,
    pub(super) args: Vec<(String, Json)>,
}

/// Why a program has no value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failure {
    /// Whether it is one of the limits.
    pub(super) limit: bool,
    pub(super) message: String,
    pub(super) place: Option<Place>,
    /// How the evaluation came there.
    pub(super) trace: Vec<(Place, String)>,
    pub(super) help: Option<String>,
}

/// Bytes of a file of the snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) file: String,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// How an evaluation ended.
pub(super) enum Reply {
    Value(Vec<u8>),
    Failure(Failure),
}

pub(super) fn send(output: &mut impl Write, kind: u8, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    output.write_all(&[&[kind], length.to_le_bytes().as_slice()].concat())?;
    output.write_all(body)?;
    output.flush()
}

/// The next frame; none at the end.
pub(super) fn receive(input: &mut impl Read) -> io::Result<Option<(u8, Vec<u8>)>> {
    let mut head = [0; 5];
    match input.read_exact(&mut head) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        result => result?,
    }
    let [kind, length @ ..] = head;
    let length = u64::from(u32::from_le_bytes(length));
    let mut body = Vec::new();
    input.take(length).read_to_end(&mut body)?;
    if body.len() as u64 == length { Ok(Some((kind, body))) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// Why a worker gave no answer.
#[derive(Clone, Debug)]
pub(super) enum Stopped {
    /// It could not be started.
    Start(String),
    /// It took too long.
    Late,
    /// It ended.
    Ended,
    /// What it said made no sense, or too much of it.
    Talk(String),
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(reason) => write!(f, "the worker process cannot be started: {reason}"),
            Self::Late => write!(f, "time limit {} s", limits::WORKER_WALL_SECONDS),
            Self::Ended => write!(f, "the worker process ended"),
            Self::Talk(reason) => f.write_str(reason),
        }
    }
}

/// A worker, seen from netloom.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    input: ChildStdin,
    replies: Receiver<(u8, Vec<u8>)>,
}

impl Process {
    pub(super) fn start(executable: &Path) -> Result<Self, Stopped> {
        let mut command = Command::new(executable);
        command.arg(ARGUMENT).env_clear().current_dir("/");
        // The allocator would set aside a gibibyte of address space, more than the worker may have.
        command.env("MIMALLOC_ARENA_RESERVE", "0");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = sandbox::apart(move || command.spawn()).map_err(|error| Stopped::Start(cause(&error)))?;
        let (Some(input), Some(mut output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Stopped::Start("it has no pipes".to_owned()));
        };
        let (sender, replies) = channel();
        // A thread reads, so that netloom can stop waiting.
        std::thread::spawn(move || {
            while let Ok(Some(frame)) = receive(&mut (&mut output).take(limits::JSONNET_OUTPUT as u64 + 5)) {
                if sender.send(frame).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, input, replies })
    }

    /// Has a program evaluated; `file` gives the text of files that it asks for.
    pub(super) fn evaluate<'f>(
        &mut self,
        path: &str,
        args: &[(&str, Json)],
        file: impl Fn(&str) -> Option<&'f str>,
    ) -> Result<Reply, Stopped> {
        let args = args.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let request = serde_json::to_vec(&Request { path: path.to_owned(), args });
        let request = request.map_err(|error| Stopped::Talk(error.to_string()))?;
        let deadline = Instant::now() + Duration::from_secs(limits::WORKER_WALL_SECONDS);
        self.say(EVALUATE, &request)?;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let (kind, body) = self.replies.recv_timeout(left).map_err(|error| match error {
                RecvTimeoutError::Timeout => Stopped::Late,
                RecvTimeoutError::Disconnected => Stopped::Ended,
            })?;
            match kind {
                IMPORT => match std::str::from_utf8(&body).ok().and_then(&file) {
                    Some(text) => self.say(FILE, text.as_bytes())?,
                    None => self.say(NO_FILE, &[])?,
                },
                VALUE => return Ok(Reply::Value(body)),
                FAILURE => {
                    let failure = serde_json::from_slice(&body).map_err(|error| Stopped::Talk(error.to_string()))?;
                    return Ok(Reply::Failure(failure));
                }
                _ => return Err(Stopped::Talk("the worker process does not make sense".to_owned())),
            }
        }
    }

    fn say(&mut self, kind: u8, body: &[u8]) -> Result<(), Stopped> {
        send(&mut self.input, kind, body).map_err(|_| Stopped::Ended)
    }

    /// Ends the worker, and tells from its last words what it died of.
    pub(super) fn end(mut self, stopped: Stopped) -> Stopped {
        if !matches!(stopped, Stopped::Ended) {
            return stopped;
        }
        // It has closed its output; should it linger all the same, it is killed.
        let waiting = Instant::now();
        while self.child.try_wait().is_ok_and(|status| status.is_none()) && waiting.elapsed() < Duration::from_secs(1) {
            std::thread::sleep(Duration::from_millis(2));
        }
        _ = self.child.kill();
        let Ok(status) = self.child.wait() else { return stopped };
        let mut words = String::new();
        if let Some(errors) = self.child.stderr.take() {
            _ = errors.take(4096).read_to_string(&mut words);
        }
        Stopped::Talk(explain(status, &words))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// What a worker died of.
fn explain(status: std::process::ExitStatus, words: &str) -> String {
    use std::os::unix::process::ExitStatusExt;
    /// The kernel's signal for too much processor time, the same number on Linux and macOS.
    const SIGXCPU: i32 = 24;
    if words.contains("memory allocation of") || words.contains("capacity overflow") {
        return format!("memory limit {} GiB", limits::WORKER_MEMORY >> 30);
    }
    if words.contains("overflowed its stack") {
        return "the program is nested too deeply".to_owned();
    }
    match (status.signal(), status.code()) {
        (Some(SIGXCPU), _) => format!("processor limit {} s", limits::WORKER_CPU_SECONDS),
        (Some(9), _) => "the system killed the worker process; perhaps it was out of memory".to_owned(),
        (Some(signal), _) => format!("the worker process ended by signal {signal}; this is a bug in netloom, please report it"),
        (None, code) => {
            format!("the worker process ended with code {}; this is a bug in netloom, please report it", code.unwrap_or_default())
        }
    }
}
