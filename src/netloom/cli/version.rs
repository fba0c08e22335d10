//! `netloom --version --verbose`: what is in force on this machine.

use std::ffi::OsString;
use std::fmt::Write;

use clap::Parser;
use clap::error::ErrorKind;
use serde_json::{Value, json};

use super::{Exit, Options, Report};
use files::sandbox::table::{Row, TABLE};
use files::sandbox::{self, Forces, State};
use findings::Format;

/// A command line that asks for the version and is no command.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true)]
struct Asked {
    #[command(flatten)]
    options: Options,
    #[arg(short = 'V', long)]
    version: bool,
}

/// What `--version` says with `--verbose` or for programs; none for any other command line.
#[must_use]
pub fn version(usage: &clap::Error, arguments: impl IntoIterator<Item = OsString>) -> Option<Report> {
    let asked = Some(arguments).filter(|_| usage.kind() == ErrorKind::DisplayVersion);
    let Asked { options, .. } = Asked::try_parse_from(asked?).ok().filter(|asked| asked.version)?;
    let stdout = match options.format {
        Format::Json => findings::json::text(&data(&sandbox::state())),
        _ if options.verbose => text(&sandbox::state()),
        _ => return None,
    };
    Some(Report { stdout, stderr: String::new(), exit: Exit::Done as u8 })
}

fn text(state: &State) -> String {
    let State { kernel, openat2, forces } = state;
    let landlock = forces.landlock.as_ref().map(|abi| match abi {
        1 => "in force but for `render`, ABI 1".to_owned(),
        abi => format!("in force, ABI {abi}"),
    });
    let seccomp = forces.seccomp.as_ref().map(|()| "in force".to_owned());
    let told = |force: Result<String, &String>| force.unwrap_or_else(|reason| format!("not in force: {reason}"));
    let openat2 = if *openat2 { "available" } else { "not available" }.to_owned();
    let mut text = format!("netloom {}\n", env!("CARGO_PKG_VERSION"));
    for (name, told) in
        [("kernel", kernel.clone()), ("landlock", told(landlock)), ("seccomp", told(seccomp)), ("openat2", openat2)]
    {
        _ = writeln!(text, "{name:9} {told}");
    }
    _ = writeln!(text, "\n{:11}  {:13}  {:44}  executes", "command", "reads", "writes");
    for row in &TABLE {
        let [reads, writes, executes] = names(row).map(|names| if names.is_empty() { "-".to_owned() } else { names.join(", ") });
        _ = writeln!(text, "{:11}  {reads:13}  {writes:44}  {executes}", row.command);
    }
    text
}

/// What a row names.
fn names(row: &Row) -> [Vec<&'static str>; 3] {
    let places = |places: &[sandbox::table::Place]| places.iter().map(|place| place.name()).collect();
    [places(row.reads), places(row.writes), row.executes.iter().map(|program| program.name()).collect()]
}

fn data(state: &State) -> Value {
    let State { kernel, openat2, forces: Forces { landlock, seccomp } } = state;
    let commands = TABLE.iter().map(|row| {
        let [reads, writes, executes] = names(row);
        json!({"command": row.command, "reads": reads, "writes": writes, "executes": executes})
    });
    json!({
        "command": "version",
        "exit": Exit::Done as u8,
        "findings": [],
        "version": env!("CARGO_PKG_VERSION"),
        "kernel": kernel,
        "landlock": {"inForce": landlock.is_ok(), "abi": landlock.as_ref().ok(), "reason": landlock.as_ref().err()},
        "seccomp": {"inForce": seccomp.is_ok(), "reason": seccomp.as_ref().err()},
        "openat2": openat2,
        "commands": commands.collect::<Value>(),
        "summary": {"errors": 0, "warnings": 0, "notes": 0},
    })
}
