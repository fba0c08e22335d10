//! What case files cannot express: streams that are closed, full, or a terminal.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![allow(clippy::disallowed_methods, reason = "terminals and devices are the test's own")]

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write, pipe};
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};
use std::thread;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

fn netloom(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netloom"));
    command.args(arguments.split_whitespace()).current_dir("/").env_clear();
    command
}

/// Exit code and what is shown, when standard error is a terminal.
fn on_terminal(arguments: &str, environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let theirs = File::options().read(true).write(true).open(OsStr::from_bytes(name.as_bytes())).unwrap();
    let mut command = netloom(arguments);
    let mut child = command.envs(environment.iter().copied()).stdout(Stdio::null()).stderr(theirs).spawn().unwrap();
    // Ours would keep the terminal open.
    drop(command);
    let shown = thread::spawn(move || {
        let mut shown = Vec::new();
        // Linux ends a terminal that nobody holds any more with an error.
        _ = File::from(ours).read_to_end(&mut shown);
        String::from_utf8(shown).unwrap()
    });
    (child.wait().unwrap().code(), shown.join().unwrap())
}

#[test]
fn a_reader_that_has_gone_away_is_no_error() {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let output = netloom("explain --list").stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap()), (Some(0), String::new()));
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let status = netloom("check").stdout(Stdio::null()).stderr(writer).status().unwrap();
    assert_eq!(status.code(), Some(2));
}

#[test]
#[cfg(target_os = "linux")]
fn a_result_that_cannot_be_printed_is_an_error() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = netloom("schema cluster").stdout(full).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(told.starts_with("error: the result could not be printed: No space left on device"), "{told}");
}

#[test]
#[cfg(target_os = "linux")]
#[allow(clippy::disallowed_methods, reason = "what the system says of a process is no input")]
fn a_command_has_four_gibibytes_of_memory() {
    // A full pipe holds the command where it prints, so that its limits can be read.
    let (_reader, mut writer) = pipe().unwrap();
    writer.write_all(&[b' '; 1 << 16]).unwrap();
    let mut child = netloom("completions bash").stdout(writer).spawn().unwrap();
    let limits = std::iter::repeat_with(|| std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap());
    let limit = |text: &String| text.lines().find(|line| line.starts_with("Max data size")).map(str::to_owned);
    let bounded = limits.filter_map(|text| limit(&text)).find(|line| !line.contains("unlimited")).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(bounded.split_whitespace().collect::<Vec<_>>()[3..], ["4294967296", "4294967296", "bytes"]);
}

#[test]
fn findings_have_colours_on_a_terminal() {
    let colored = |arguments, environment: &[(&str, &str)]| {
        let (code, shown) = on_terminal(arguments, environment);
        assert!(code == Some(2) && shown.contains("project-missing"), "{shown}");
        shown.contains('\u{1b}')
    };
    assert!(colored("check", &[]));
    assert!(colored("check", &[("NO_COLOR", "")]));
    assert!(!colored("check", &[("NO_COLOR", "1")]));
    assert!(!colored("check", &[("TERM", "dumb")]));
    assert!(!colored("check --color never", &[]));
    assert!(colored("check --color always", &[("NO_COLOR", "1")]));
}

#[test]
fn bash_completes_commands_and_options() {
    let script = netloom("completions bash").output().unwrap().stdout;
    let complete = |words: &str| {
        let last = words.rsplit(' ').next().unwrap();
        let call = format!("COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _netloom netloom '{last}' x");
        let program = format!("{}\n{call}; echo \"${{COMPREPLY[@]}}\"", String::from_utf8_lossy(&script));
        let output = Command::new("bash").args(["--norc", "-c", &program]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(complete("netloom ex"), "explain\n");
    assert_eq!(complete("netloom render --clu"), "--cluster\n");
    assert_eq!(complete("netloom import k"), "kops kurl\n");
}

#[test]
fn every_shell_knows_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let output = netloom(&format!("completions {shell}")).output().unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        for command in ["init", "render", "check", "fmt", "graph", "import", "kops", "kurl", "schema", "explain", "completions"] {
            assert!(script.contains(command), "{shell}: {command}");
        }
        assert!(!script.contains("__jsonnet"), "{shell}");
    }
}

#[test]
fn the_project_is_found_upwards() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/fleet/overlays/production");
    let output = netloom("explain --list --format json").current_dir(example).output().unwrap();
    assert!(output.status.success());
    let elsewhere = netloom("check").current_dir(example).output().unwrap();
    assert!(!String::from_utf8(elsewhere.stderr).unwrap().contains("project-missing"));
}
