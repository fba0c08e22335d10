//! The `netloom` command: parses arguments, calls the library, prints, and chooses the exit code. Nothing else does any of these.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::num::NonZero;
use std::panic::PanicHookInfo;
use std::process::ExitCode;

use clap::Parser;
use netloom::cli::{self, Cli, Color, Exit, Progress, Report, Surroundings};
use netloom::files::sandbox::{self, Confined};
use netloom::findings::inert;

/// A compilation makes and drops many small values on several threads, which is what this allocator is good at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The exit code of a bug in netloom (`EX_SOFTWARE` of sysexits.h).
const BUG: i32 = 70;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(bug));
    if std::env::args_os().nth(1).is_some_and(|first| first == cli::WORKER) {
        return netloom::engine::overlay::jsonnet::serve();
    }
    sandbox::bound_memory();
    let report = match Cli::try_parse() {
        Ok(cli) => answer(&cli),
        Err(usage) => cli::version(&usage, std::env::args_os()).unwrap_or_else(|| explain(&usage)),
    };
    print(&report)
}

/// What the command says.
fn answer(cli: &Cli) -> Report {
    let watched = std::env::var_os("CI").is_none_or(|ci| ci.is_empty() || ci == "false");
    let progress = Progress::new(watched && !cli.options.quiet);
    let surroundings = Surroundings {
        folder: std::env::current_dir().unwrap_or_default(),
        executable: std::env::current_exe().unwrap_or_else(|_| "netloom".into()),
        color: colored(cli.options.color, io::stdout().is_terminal()),
        progress: &|done, total| progress.tell(done, total),
    };
    let confined = confine(cli, &surroundings);
    let outcome = cli::run(cli, &surroundings);
    progress.finish();
    if outcome.exit == Exit::Error {
        confined.undo();
    }
    outcome.report(&cli.command, &cli.options, colored(cli.options.color, io::stderr().is_terminal()))
}

/// Confines the process, and starts the threads that work in it.
fn confine(cli: &Cli, surroundings: &Surroundings<'_>) -> Confined {
    // How many there can be stands in files of the system, which a confined process does not read.
    let threads = match std::env::var_os("RAYON_NUM_THREADS") {
        None => std::thread::available_parallelism().map_or(0, NonZero::get),
        Some(_) => 0,
    };
    let confined = cli::confine(cli, surroundings);
    if confined.reads {
        // Should there be any already, this changes nothing.
        _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    }
    confined
}

/// What clap says of a wrong command line, or of one that asks for help.
fn explain(usage: &clap::Error) -> Report {
    let wrong = usage.use_stderr();
    let terminal = if wrong { io::stderr().is_terminal() } else { io::stdout().is_terminal() };
    let styled = usage.render();
    let plain = styled.to_string();
    let safe: Vec<_> = plain.trim_end().lines().map(inert::line).collect();
    // What was typed is quoted; with anything live in it there are no colours.
    let tame = colored(Color::Auto, terminal) && safe.iter().zip(plain.lines()).all(|(safe, line)| safe == line);
    let text = if tame { styled.ansi().to_string() } else { safe.join("\n") + "\n" };
    match wrong {
        true => Report { stdout: String::new(), stderr: text, exit: Exit::Error as u8 },
        false => Report { stdout: text, stderr: String::new(), exit: Exit::Done as u8 },
    }
}

/// Whether to use colours.
fn colored(color: Color, terminal: bool) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            terminal && !refused && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
        }
    }
}

/// Prints a report. A reader that has gone away is no error; a full disk is one.
fn print(report: &Report) -> ExitCode {
    // Nobody is left to be told when this fails.
    _ = write(io::stderr().lock(), &report.stderr);
    match write(io::stdout().lock(), &report.stdout) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            _ = writeln!(io::stderr(), "error: the result could not be printed: {error}");
            ExitCode::from(Exit::Error as u8)
        }
        _ => ExitCode::from(report.exit),
    }
}

fn write(mut stream: impl Write, text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes())?;
    stream.flush()
}

/// A panic is a bug of netloom's, whatever the input was.
fn bug(panic: &PanicHookInfo<'_>) {
    let payload = panic.payload();
    let text = payload.downcast_ref::<String>().map(String::as_str).or_else(|| payload.downcast_ref::<&str>().copied());
    let message = text.unwrap_or("no message");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let message = inert::clipped(message, 1 << 10);
    _ = writeln!(
        io::stderr(),
        "error: this is a bug in netloom, not in your declarations: {message} ({place})\n\
         Please report it with the command and the input. Files that were not replaced yet are as they were."
    );
    #[allow(clippy::disallowed_methods, reason = "a panic in any thread ends the process, and this is main's own code for it")]
    std::process::exit(BUG);
}
