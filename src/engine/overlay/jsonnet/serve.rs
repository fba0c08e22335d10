//! The worker: evaluates programs that come in through its standard input.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{self, StdinLock, StdoutLock};
use std::process::ExitCode;

use rsjsonnet_lang::arena::Arena;
use rsjsonnet_lang::interner::InternedStr;
use rsjsonnet_lang::program::{
    Callbacks, EvalError, EvalErrorKind, EvalStackTraceItem, ImportError, NativeError, Program, Thunk, Value,
};
use rsjsonnet_lang::span::{SpanContextId, SpanId, SpanManager};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use serde_json::Value as Json;

use super::explain::{self, Words};
use super::protocol::{self, EVALUATE, FAILURE, FILE, Failure, IMPORT, Place, Request, VALUE};
use super::scan;
use files::sandbox;
use tree::limits;

/// Stack of the evaluation, for parser and analyser: about 3 KiB a level (measured, unoptimised), 1,200 levels at most.
const STACK_BYTES: usize = 64 << 20;
/// Programs evaluated before the evaluator is made anew; it never gives back the memory of names and syntax.
const PROGRAMS: usize = 4_096;
/// Steps of the evaluation that are told with an error, the last ones.
const TRACE: usize = 8;

/// Serves programs until the input ends: what `netloom __jsonnet` does.
#[must_use]
pub fn serve() -> ExitCode {
    if confine().is_err() {
        return ExitCode::FAILURE;
    }
    let evaluation = std::thread::Builder::new().name("jsonnet".to_owned()).stack_size(STACK_BYTES).spawn(run);
    match evaluation.map(std::thread::JoinHandle::join) {
        Ok(Ok(Ok(()))) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Gives up what no program needs, before any program is read.
fn confine() -> io::Result<()> {
    let memory = limit(Resource::As, limits::WORKER_MEMORY);
    // macOS has no limit of address space; there the limits of time remain.
    if cfg!(target_os = "linux") {
        memory?;
    }
    limit(Resource::Nofile, 64)?;
    limit(Resource::Fsize, 0)?;
    limit(Resource::Core, 0)?;
    // As far as the kernel has it; `--version --verbose` tells.
    _ = sandbox::isolate();
    Ok(())
}

fn limit(resource: Resource, value: u64) -> io::Result<()> {
    let maximum = getrlimit(resource).maximum.map_or(value, |maximum| maximum.min(value));
    Ok(setrlimit(resource, Rlimit { current: Some(maximum), maximum: Some(maximum) })?)
}

/// Allows the processor time of one more program.
fn allow_time() -> io::Result<()> {
    let used = u64::try_from(clock_gettime(ClockId::ProcessCPUTime).tv_sec).unwrap_or_default();
    let hard = getrlimit(Resource::Cpu).maximum;
    let allowed = used + 1 + limits::WORKER_CPU_SECONDS;
    let current = Some(hard.map_or(allowed, |hard| hard.min(allowed)));
    Ok(setrlimit(Resource::Cpu, Rlimit { current, maximum: hard })?)
}

fn run() -> io::Result<()> {
    let mut link = Link { input: io::stdin().lock(), output: io::stdout().lock() };
    loop {
        let arena = Arena::new();
        let mut session = Session::new(&arena, &mut link);
        for _ in 0..PROGRAMS {
            let Some((EVALUATE, request)) = protocol::receive(&mut session.files.link.input)? else { return Ok(()) };
            allow_time()?;
            // A failed evaluation leaves values half made: what comes next gets a new evaluator.
            if !session.answer(&serde_json::from_slice(&request)?)? {
                break;
            }
        }
    }
}

/// The pipes to netloom.
struct Link {
    input: StdinLock<'static>,
    output: StdoutLock<'static>,
}

impl Link {
    /// The text of a file of the snapshot.
    fn file(&mut self, path: &str) -> io::Result<Option<String>> {
        protocol::send(&mut self.output, IMPORT, path.as_bytes())?;
        match protocol::receive(&mut self.input)? {
            Some((FILE, text)) => Ok(String::from_utf8(text).ok()),
            _ => Ok(None),
        }
    }
}

/// An evaluator with the files that it has loaded.
struct Session<'p, 'l> {
    program: Program<'p>,
    files: Files<'p, 'l>,
}

/// Files of the snapshot, loaded when they are imported.
struct Files<'p, 'l> {
    link: &'l mut Link,
    texts: BTreeMap<String, String>,
    loaded: BTreeMap<String, Thunk<'p>>,
    paths: BTreeMap<SpanContextId, String>,
    /// Why the last import failed.
    refused: Option<Failure>,
}

impl<'p, 'l> Session<'p, 'l> {
    fn new(arena: &'p Arena, link: &'l mut Link) -> Self {
        let mut program = Program::new(arena);
        program.set_max_stack(limits::JSONNET_STACK);
        let (texts, loaded, paths) = Default::default();
        Self { program, files: Files { link, texts, loaded, paths, refused: None } }
    }

    /// Evaluates a program and sends the answer; tells whether it had a value.
    fn answer(&mut self, request: &Request) -> io::Result<bool> {
        let (kind, body) = match self.evaluate(request) {
            Ok(text) => (VALUE, text.into_bytes()),
            Err(failure) => (FAILURE, serde_json::to_vec(&failure)?),
        };
        protocol::send(&mut self.files.link.output, kind, &body)?;
        Ok(kind == VALUE)
    }

    fn evaluate(&mut self, request: &Request) -> Result<String, Failure> {
        let main = self.files.load(&mut self.program, &request.path)?;
        let mut value = self.program.eval_value(&main, &mut self.files);
        if value.as_ref().is_ok_and(Value::is_function) {
            let mut args = Vec::with_capacity(request.args.len());
            for (name, json) in &request.args {
                let arg = to_value(&mut self.program, json);
                args.push((self.program.intern_str(name), self.program.value_to_thunk(&arg)));
            }
            value = self.program.eval_call(&main, &[], &args, &mut self.files);
        }
        let text = value.and_then(|value| self.program.manifest_json(&value, false));
        let text = text.map_err(|error| self.files.explain(&error, self.program.span_manager()))?;
        if text.len() > limits::JSONNET_OUTPUT {
            let message = format!("a Jsonnet program gives at most {} MiB", limits::JSONNET_OUTPUT >> 20);
            return Err(Failure { limit: true, message, ..Failure::default() });
        }
        Ok(text)
    }
}

/// JSON as a value of the program. JSON that was read is at most 128 levels deep.
fn to_value<'p>(program: &mut Program<'p>, json: &Json) -> Value<'p> {
    match json {
        Json::Null => Value::null(),
        Json::Bool(flag) => Value::bool(*flag),
        Json::Number(number) => Value::number(number.as_f64().unwrap_or_default()),
        Json::String(text) => Value::string(text),
        Json::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| to_value(program, item)).collect();
            program.make_array(&items)
        }
        Json::Object(fields) => {
            let fields: Vec<_> =
                fields.iter().map(|(name, value)| (program.intern_str(name), to_value(program, value))).collect();
            program.make_object(&fields)
        }
    }
}

/// The path in the snapshot that an import names; none when it leaves the project.
pub(super) fn resolve(from: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop()?,
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

impl<'p> Files<'p, '_> {
    fn load(&mut self, program: &mut Program<'p>, path: &str) -> Result<Thunk<'p>, Failure> {
        if let Some(thunk) = self.loaded.get(path) {
            return Ok(thunk.clone());
        }
        let text = self.text(path)?;
        scan::check(path, &text)?;
        let (context, _) = program.span_manager_mut().insert_source_context(text.len());
        self.paths.insert(context, path.to_owned());
        let thunk = program.load_source(context, text.as_bytes(), true, path);
        let thunk = thunk.map_err(|error| self.failure(explain::load(&error), program.span_manager()))?;
        self.loaded.insert(path.to_owned(), thunk.clone());
        Ok(thunk)
    }

    fn text(&mut self, path: &str) -> Result<String, Failure> {
        if let Some(text) = self.texts.get(path) {
            return Ok(text.clone());
        }
        let Ok(Some(text)) = self.link.file(path) else {
            let message = format!("`{path}` is not among the files that netloom reads");
            return Err(Failure { message, ..Failure::default() });
        };
        self.texts.insert(path.to_owned(), text.clone());
        Ok(text)
    }

    /// Resolves what a file imports.
    fn imported(&mut self, program: &Program<'p>, from: SpanId, path: &str) -> Result<String, ImportError> {
        let from = self.place(from, program.span_manager()).map(|place| place.file).unwrap_or_default();
        resolve(&from, path).ok_or_else(|| {
            let message = format!("`{path}` is outside of the project");
            let help = Some("import files of the project by a relative path".to_owned());
            self.refused = Some(Failure { message, help, ..Failure::default() });
            ImportError
        })
    }

    fn refuse(&mut self, failure: Failure) -> ImportError {
        self.refused = Some(failure);
        ImportError
    }

    fn place(&self, span: SpanId, spans: &SpanManager) -> Option<Place> {
        let (context, start, end) = spans.get_span(span);
        let file = self.paths.get(&context)?.clone();
        Some(Place { file, start, end })
    }

    fn failure(&self, words: Words, spans: &SpanManager) -> Failure {
        let also = words.also.and_then(|(span, text)| Some((self.place(span, spans)?, text.to_owned())));
        let place = words.span.and_then(|span| self.place(span, spans));
        Failure { message: words.message, place, trace: also.into_iter().collect(), ..Failure::default() }
    }

    /// The failure of an evaluation: what, where, and how it came there.
    fn explain(&mut self, error: &EvalError, spans: &SpanManager) -> Failure {
        let mut failure = self.failure(explain::eval(&error.kind, &error.stack_trace), spans);
        if let (EvalErrorKind::ImportFailed { .. }, Some(refused)) = (&error.kind, self.refused.take()) {
            let here = failure.place.take();
            failure = refused;
            match (&failure.place, here) {
                (None, here) => failure.place = here,
                (Some(_), Some(here)) => failure.trace.push((here, "imported here".to_owned())),
                _ => {}
            }
        }
        failure.limit |= error.kind == EvalErrorKind::StackOverflow;
        self.add_trace(&mut failure, &error.stack_trace, spans);
        failure
    }

    /// Adds the last steps, each place once; the innermost is the error's own place when it has none.
    fn add_trace(&self, failure: &mut Failure, trace: &[EvalStackTraceItem], spans: &SpanManager) {
        let steps = trace.iter().rev().filter_map(explain::step);
        for (place, text) in steps.filter_map(|(span, text)| Some((self.place(span, spans)?, text))) {
            if failure.place.is_none() {
                failure.place = Some(place);
            } else if failure.trace.len() < TRACE
                && failure.place.as_ref() != Some(&place)
                && failure.trace.iter().all(|(known, _)| *known != place)
            {
                failure.trace.push((place, text));
            }
        }
    }
}

impl<'p> Callbacks<'p> for Files<'p, '_> {
    fn import(&mut self, program: &mut Program<'p>, from: SpanId, path: &str) -> Result<Thunk<'p>, ImportError> {
        let path = self.imported(program, from, path)?;
        self.load(program, &path).map_err(|failure| self.refuse(failure))
    }

    fn import_str(&mut self, program: &mut Program<'p>, from: SpanId, path: &str) -> Result<String, ImportError> {
        let path = self.imported(program, from, path)?;
        self.text(&path).map_err(|failure| self.refuse(failure))
    }

    fn import_bin(&mut self, program: &mut Program<'p>, from: SpanId, path: &str) -> Result<Vec<u8>, ImportError> {
        self.import_str(program, from, path).map(String::into_bytes)
    }

    fn trace(&mut self, _: &mut Program<'p>, _: &str, _: &[EvalStackTraceItem]) {}

    fn native_call(&mut self, _: &mut Program<'p>, _: InternedStr<'p>, _: &[Value<'p>]) -> Result<Value<'p>, NativeError> {
        Err(NativeError)
    }
}
