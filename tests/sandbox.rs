//! The second line with the first one off: each command's confinement is entered in a process of its own, which then tries with
//! plain calls of the standard library what netloom's own code would never ask for.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files are laid out here; what cannot be set up has failed")]
#![allow(clippy::print_stdout, reason = "a child tells what became of its attempts")]

use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Parser;
use netloom::cli::{self, Cli, Surroundings};
use netloom::files::sandbox::{apart, state};
use repository::{Repository, code};

mod repository;

/// The command line that a child is confined for; `-` for a control that is not.
const COMMAND: &str = "NETLOOM_TEST_COMMAND";
/// Where the parent listens.
const PORT: &str = "NETLOOM_TEST_PORT";

const NETLOOM: &str = env!("CARGO_BIN_EXE_netloom");

/// Something that is tried, in the project's folder, and its name. What begins with `broker:` is tried in the broker's thread.
type Attempt = (&'static str, fn() -> io::Result<()>);

fn read(path: &str) -> io::Result<()> {
    File::open(path)?
        .metadata()
        .and_then(|found| if found.is_dir() { fs::read_dir(path).map(drop) } else { fs::read(path).map(drop) })
}

fn write(path: &str) -> io::Result<()> {
    fs::write(path, "text")
}

fn run(program: impl AsRef<Path>, arguments: &[&str]) -> io::Result<()> {
    let mut command = Command::new(program.as_ref());
    command.args(arguments).env_clear().stdin(Stdio::inherit()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = command.output()?;
    if output.status.success() { Ok(()) } else { Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned())) }
}

fn temporary() -> io::Result<()> {
    let path = std::env::temp_dir().join(format!("netloom-temporary-{}", std::process::id()));
    fs::write(&path, "text").and_then(|()| fs::remove_file(path))
}

fn by_broker<T: Send + 'static>(work: fn() -> io::Result<T>) -> io::Result<()> {
    apart(work).map(drop)
}

fn git() -> PathBuf {
    netloom::files::git::executable(Path::new(".")).unwrap().path
}

#[rustfmt::skip]
const ATTEMPTS: &[Attempt] = &[
    ("read netloom.yaml", || read("netloom.yaml")),
    ("read declarations", || read("declarations/a.yaml")),
    ("read output", || read("rendered/clusters/a")),
    ("read another folder", || read("docs/deep/a.md")),
    ("read a link in the project", || read("overlays/inside")),
    ("read the file named", || read("../elsewhere/cluster.yaml")),
    ("list the project", || read(".")),
    ("read .git", || read(".git/config")),
    ("read a hidden file", || read(".env")),
    ("read through a link to .git", || read("overlays/token")),
    ("read through a link out of the project", || read("overlays/out")),
    ("read through a folder's link", || read("linked/secret")),
    ("read a sibling", || read("../elsewhere/secret")),
    ("read a home", || read("../home/.ssh/id_ed25519")),
    ("read /etc", || read("/etc/passwd")),
    ("read /proc", || read("/proc/1/status")),
    ("read /", || read("/")),
    ("write output", || write("rendered/clusters/a")),
    ("write new output", || write("rendered/clusters/b").and_then(|()| fs::create_dir("rendered/c")).and_then(|()| write("rendered/c/d"))),
    ("move output", || fs::rename("rendered/clusters/x", "rendered/networks/x")),
    ("link output", || fs::hard_link("rendered/clusters/y", "rendered/networks/y")),
    ("remove output", || fs::remove_file("rendered/clusters/z")),
    ("write declarations", || write("declarations/new.yaml")),
    ("replace declarations", || write("declarations/n").and_then(|()| fs::rename("declarations/n", "declarations/a.yaml"))),
    ("write overlays", || write("overlays/house/new.yaml")),
    ("write policies", || write("policies/new.yaml")),
    ("write .github/workflows", || write(".github/workflows/new.yaml")),
    ("write netloom.yaml", || write("netloom.yaml")),
    ("write a file in the project", || write("new")),
    ("make a folder in the project", || fs::create_dir("new-folder")),
    ("write another folder", || write("docs/a.md")),
    ("write a hook", || write(".git/hooks/post-checkout")),
    ("write the settings of git", || write(".git/config")),
    ("write through a link in the output", || write("rendered/hooks/post-checkout")),
    ("write through a link in the middle", || write("rendered/clusters/evil/sub/post-checkout")),
    ("write through a link in declarations", || write("declarations/hooks/post-checkout")),
    ("write a sibling", || write("../elsewhere/new")),
    ("write the file named", || write("../elsewhere/cluster.yaml")),
    ("write a home", || write("../home/.ssh/authorized_keys")),
    ("write a temporary file", temporary),
    ("move out of the project", || fs::rename("rendered/clusters/m", "../elsewhere/m")),
    ("move into the output", || fs::rename("../elsewhere/n", "rendered/n")),
    ("link into the output", || fs::hard_link("../elsewhere/secret", "rendered/clusters/secret")),
    ("remove a sibling", || fs::remove_file("../elsewhere/gone")),
    ("remove from .git", || fs::remove_file(".git/gone")),
    ("change a mode in the output", || fs::set_permissions("rendered/clusters", Permissions::from_mode(0o777))),
    ("change another's mode", || fs::set_permissions("../elsewhere/secret", Permissions::from_mode(0o644))),
    ("change an owner", || chown("../elsewhere/secret", None, None)),
    ("execute a shell", || run("/bin/sh", &["-c", ":"])),
    ("execute netloom", || run(NETLOOM, &["--version"])),
    ("execute git", || run(git(), &["--version"])),
    ("execute a file of the project", || run("./docs/program", &["-c", ":"])),
    ("connect by TCP", || TcpStream::connect(("127.0.0.1", std::env::var(PORT).unwrap().parse().unwrap())).map(drop)),
    ("listen by TCP", || TcpListener::bind("127.0.0.1:0").map(drop)),
    ("open UDP", || UdpSocket::bind("127.0.0.1:0").map(drop)),
    ("connect by a path", || UnixStream::connect("../elsewhere/socket").map(drop)),
    ("listen at a path", || UnixListener::bind("rendered/socket").map(drop)),
    ("open a datagram socket", || UnixDatagram::unbound().map(drop)),
    ("broker: execute netloom", || by_broker(|| run(NETLOOM, &["--version"]))),
    ("broker: execute git", || by_broker(|| run(git(), &["--version"]))),
    ("broker: execute a shell", || by_broker(|| run("/bin/sh", &["-c", ":"]))),
    ("broker: execute a file of the project", || by_broker(|| run("./docs/program", &["-c", ":"]))),
    ("broker: read .git", || by_broker(|| read(".git/config"))),
    ("broker: read declarations", || by_broker(|| read("declarations/a.yaml"))),
    ("broker: read a home", || by_broker(|| read("../home/.ssh/id_ed25519"))),
    ("broker: read /etc", || by_broker(|| read("/etc/passwd"))),
    ("broker: write netloom.yaml", || by_broker(|| write("netloom.yaml"))),
    ("broker: write output", || by_broker(|| write("rendered/clusters/a"))),
    ("broker: write a sibling", || by_broker(|| write("../elsewhere/new"))),
    ("broker: open a socket", || by_broker(|| UdpSocket::bind("127.0.0.1:0"))),
];

const NOTHING: [&str; 0] = [];
const READS: [&str; 6] = [
    "read netloom.yaml",
    "read declarations",
    "read output",
    "read another folder",
    "read a link in the project",
    "list the project",
];
const RENDERS: [&str; 5] = ["write output", "write new output", "move output", "link output", "remove output"];
const DECLARES: [&str; 2] = ["write declarations", "replace declarations"];
const WORKS: [&str; 1] = ["broker: execute netloom"];
/// Where there is no broker, every thread does its work itself.
const ALONE: [&str; 1] = ["broker: read declarations"];
const ASKS: [&str; 2] = ["broker: execute git", "broker: read .git"];

/// Each command line with what it may do; the rest is refused. Files that stand directly in a folder are the broker's to write, which
/// is one thread and writes plain names: for it alone `.git` is not out of reach.
fn commands() -> Vec<(&'static str, BTreeSet<&'static str>)> {
    let all = |parts: &[&[&'static str]]| parts.concat().into_iter().collect::<BTreeSet<_>>();
    let directly: &[&'static str] = &["broker: write netloom.yaml", "broker: write output"];
    vec![
        ("render", all(&[&READS, &RENDERS, &WORKS])),
        ("render --cluster a", all(&[&READS, &RENDERS, &WORKS])),
        ("check", all(&[&READS, &WORKS])),
        ("check --base HEAD", all(&[&READS, &WORKS, &ASKS])),
        ("check --staged", all(&[&READS, &WORKS, &ASKS])),
        ("check --max-class rolling", all(&[&READS, &WORKS, &ASKS])),
        ("diff", all(&[&READS, &WORKS, &ASKS])),
        ("fmt", all(&[&READS, &DECLARES, &["write overlays", "write policies"], directly])),
        ("fmt --check", all(&[&READS, &ALONE])),
        ("layers a", all(&[&READS, &WORKS])),
        ("graph", all(&[&READS, &WORKS])),
        ("graph --base HEAD", all(&[&READS, &WORKS, &ASKS])),
        ("import kops ../elsewhere/cluster.yaml", all(&[&READS, &DECLARES, &ALONE, &["read the file named"]])),
        ("import kops ../elsewhere/cluster.yaml --stdout", all(&[&READS, &ALONE, &["read the file named"]])),
        ("vendor overlays/house/a.yaml", all(&[&READS, &ALONE, &["write overlays"]])),
        ("schema cluster", all(&[&NOTHING])),
        ("schema --output .", all(&[directly])),
        ("schema cluster --format sarif", all(&[&READS, &ALONE])),
        ("explain --list", all(&[&READS, &WORKS])),
        ("explain ../project/declarations/a.yaml:1", all(&[&READS, &WORKS])),
        ("policy test", all(&[&READS, &ALONE])),
        ("completions bash", all(&[&NOTHING])),
        ("init --ci github", all(&[&["write .github/workflows"], directly])),
        ("init ../fresh", all(&[&NOTHING])),
    ]
}

/// What a child does: enters the confinement of one command, and tells of each attempt whether it was done or refused.
#[test]
fn attempts_of_a_child() {
    let Ok(command) = std::env::var(COMMAND) else { return };
    if command != "-" {
        let cli = Cli::try_parse_from(["netloom"].into_iter().chain(command.split(' '))).unwrap();
        let folder = std::env::current_dir().unwrap();
        let surroundings = Surroundings { folder, executable: NETLOOM.into(), color: false, progress: &|_, _| {} };
        let forces = cli::confine(&cli, &surroundings).forces;
        assert!(forces.landlock.is_ok() && forces.seccomp.is_ok(), "{forces:?}");
    }
    for (name, attempt) in ATTEMPTS {
        let how = match attempt() {
            Ok(()) => "done".to_owned(),
            Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::CrossesDevices) => "refused".to_owned(),
            Err(error) => format!("failed: {error}"),
        };
        println!("attempt {name}: {how}");
    }
}

/// A project with everything that attempts need.
fn project(name: &str) -> Repository {
    let repository = Repository::new(name);
    let project = Repository(repository.0.join("project"));
    fs::create_dir(&project.0).unwrap();
    project.git(&["init", "-q", "-b", "main"]);
    let head = "apiVersion: netloom.dev/v1alpha1\nkind: Project\nmetadata: {name: fleet}\n";
    let files = [
        ("netloom.yaml", head),
        ("declarations/a.yaml", ""),
        ("overlays/house/overlay.yaml", ""),
        ("policies/a.yaml", ""),
        ("docs/deep/a.md", ""),
        (".github/workflows/a.yaml", ""),
        (".env", "TOKEN=secret"),
        (".git/gone", ""),
        ("rendered/networks/a", ""),
        ("../elsewhere/cluster.yaml", ""),
        ("../elsewhere/secret", ""),
        ("../elsewhere/gone", ""),
        ("../elsewhere/n", ""),
        ("../home/.ssh/id_ed25519", ""),
    ];
    files.iter().for_each(|(path, text)| project.write(path, text));
    ["a", "m", "x", "y", "z"].iter().for_each(|name| project.write(&format!("rendered/clusters/{name}"), ""));
    fs::create_dir(project.0.join("rendered/clusters/evil")).unwrap();
    fs::copy("/bin/sh", project.0.join("docs/program")).unwrap();
    let links = [
        ("overlays/inside", "../docs/deep/a.md"),
        ("overlays/token", "../.git/config"),
        ("overlays/out", "../../elsewhere/secret"),
        ("linked", "../elsewhere"),
        ("rendered/hooks", "../.git/hooks"),
        ("rendered/clusters/evil/sub", "../../../.git/hooks"),
        ("declarations/hooks", "../.git/hooks"),
        (".gitignore", ".git/config"),
    ];
    links.iter().for_each(|(path, target)| symlink(target, project.0.join(path)).unwrap());
    fs::create_dir_all(project.0.join(".git/hooks")).unwrap();
    std::mem::forget(project);
    repository
}

/// What became of each attempt under one command.
fn attempted(command: &str, number: usize) -> Vec<(String, String)> {
    let repository = project(&format!("sandbox-{number}"));
    let folder = repository.0.join("project");
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let _unix = UnixListener::bind(repository.0.join("elsewhere/socket")).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["attempts_of_a_child", "--exact", "--nocapture"]).current_dir(folder);
    child.env(COMMAND, command).env(PORT, tcp.local_addr().unwrap().port().to_string());
    let output = child.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{command}: {text}{}", String::from_utf8_lossy(&output.stderr));
    let told = text.lines().filter_map(|line| line.split_once("attempt ")?.1.split_once(": "));
    // The names of some attempts have a colon, too.
    let told = told.map(|(name, how)| match how.rsplit_once(": ") {
        Some((rest, how)) if name == "broker" => (format!("{name}: {rest}"), how.to_owned()),
        _ => (name.to_owned(), how.to_owned()),
    });
    let told: Vec<_> = told.collect();
    assert_eq!(told.len(), ATTEMPTS.len(), "{command}: {text}");
    told
}

/// Why nothing is tried here; said aloud, because a test that tries nothing shows nothing.
fn not_here() -> bool {
    // In a thread of its own, because it confines itself.
    let forces = std::thread::spawn(|| state().forces).join().unwrap();
    let missing = forces.landlock.clone().err().or(forces.seccomp.clone().err());
    if let Some(reason) = &missing {
        // Not by the macro, whose text is shown for tests that fail alone.
        let text = format!("SKIPPED: the second line is not in force on this machine, so nothing of it is tested: {reason}\n");
        io::stderr().write_all(text.as_bytes()).unwrap();
    }
    missing.is_some()
}

#[test]
fn without_confinement_every_attempt_succeeds() {
    let failed: Vec<_> = attempted("-", 0).into_iter().filter(|(_, how)| how != "done").collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn the_kernel_refuses_what_a_command_has_no_use_for() {
    if not_here() {
        return;
    }
    let mut wrong = Vec::new();
    for (number, (command, allowed)) in commands().into_iter().enumerate() {
        for (name, how) in attempted(command, number + 1) {
            let expected = if allowed.contains(name.as_str()) { "done" } else { "refused" };
            if how != expected {
                wrong.push(format!("netloom {command}: {name}: {how}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A repository with a project that has changed since its first commit.
fn changed(name: &str) -> Repository {
    let repository = Repository::new(name);
    let output = repository.netloom(&["init", "sub/fleet"]);
    assert_eq!(code(&output), 0, "{}", repository.tell(&output));
    let output = repository.netloom(&["render", "--project", "sub/fleet"]);
    assert_eq!(code(&output), 0, "{}", repository.tell(&output));
    repository.commit("one");
    repository.apply("sub/fleet/declarations/cluster.yaml (edit)", "max: 20 => max: 21");
    repository
}

/// Both ways to read a repository find what has changed.
fn compares(folder: &Path, index: Option<&Path>, what: &str) {
    let netloom = |arguments: &[&str]| {
        let mut command = Command::new(NETLOOM);
        command.args(arguments).current_dir(folder).env_clear().envs(index.map(|index| ("GIT_INDEX_FILE", index)));
        let output = command.output().unwrap();
        let text = String::from_utf8([output.stdout.as_slice(), &output.stderr].concat()).unwrap();
        (output.status.code().unwrap(), text)
    };
    let (code, text) = netloom(&["diff", "--base", "HEAD", "--exit-code"]);
    assert!(code == 1, "{what}: {code}: {text}");
    let (code, text) = netloom(&["check", "--staged"]);
    assert!(code == 1 && text.contains("output-different"), "{what}: {code}: {text}");
}

#[test]
fn git_reads_every_kind_of_clone() {
    let origin = changed("sandbox-git");
    let at = |path: &str| origin.0.join(path);
    origin.git(&["add", "-A"]);
    compares(&at("sub/fleet"), None, "a project in a subfolder");
    let project = |clone: &str| {
        let fleet = at(clone).join("sub/fleet");
        let changed = Repository(at(clone));
        changed.apply("sub/fleet/declarations/cluster.yaml (edit)", "max: 20 => max: 21");
        changed.git(&["add", "-A"]);
        std::mem::forget(changed);
        fleet
    };
    let url = format!("file://{}", origin.0.display());
    let clones: [(&str, &[&str]); 5] = [
        ("worktree", &["worktree", "add", "-q", "worktree"]),
        ("shallow", &["clone", "-q", "--depth=1", &url, "shallow"]),
        ("alternates", &["clone", "-q", "--shared", ".", "alternates"]),
        ("alternates of alternates", &["clone", "-q", "--shared", "alternates", "alternates of alternates"]),
        ("elsewhere", &["clone", "-q", "--separate-git-dir=git-dir", ".", "elsewhere"]),
    ];
    for (name, arguments) in clones {
        origin.git(arguments);
        compares(&project(name), None, name);
    }
    fs::rename(at("shallow/.git"), at("moved")).unwrap();
    symlink("../moved", at("shallow/.git")).unwrap();
    compares(&at("shallow/sub/fleet"), None, "a link to the repository");
    fs::rename(at("moved/objects"), at("objects")).unwrap();
    symlink("../objects", at("moved/objects")).unwrap();
    compares(&at("shallow/sub/fleet"), None, "a link to the objects");
    fs::write(at("token.config"), "[http \"https://example.com/\"]\n\textraheader = AUTHORIZATION: basic eA==\n").unwrap();
    let include = format!("[includeIf \"gitdir:{}/\"]\n\tpath = {}\n", at("moved").display(), at("token.config").display());
    fs::write(at("moved/config"), fs::read_to_string(at("moved/config")).unwrap() + &include).unwrap();
    compares(&at("shallow/sub/fleet"), None, "settings that are included");
    fs::rename(at("moved/index"), at("index")).unwrap();
    compares(&at("shallow/sub/fleet"), Some(&at("index")), "an index of its own");
}

/// A folder that had to be made for the kernel to know of it stays only if something was written.
#[test]
fn a_command_that_fails_leaves_no_folder_behind() {
    let repository = Repository::new("sandbox-made");
    repository.write(
        "netloom.yaml",
        "apiVersion: netloom.dev/v1alpha1\nkind: Project\nmetadata: {name: fleet}\nspec: {paths: {output: out/a/b}}\n",
    );
    let failing: [&[&str]; 4] = [
        &["render", "--cluster", "nope"],
        &["import", "kops", "netloom.yaml"],
        &["init", "."],
        &["init", "new/deep", "--project", "x", "--format", "sarif", "--nope"],
    ];
    for arguments in failing {
        let output = repository.netloom(arguments);
        assert_eq!(code(&output), 2, "{}", repository.tell(&output));
        let mut left: Vec<_> = fs::read_dir(&repository.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [".git", "netloom.yaml"], "{arguments:?}");
    }
    assert_eq!(code(&repository.netloom(&["render"])), 0);
    assert_eq!(code(&repository.netloom(&["init", "--bare", "new/deep"])), 0);
    assert!(repository.0.join("new/deep/declarations").is_dir());
}

/// What the kernel refuses is told like what the system refuses.
#[test]
fn a_refusal_is_a_finding() {
    if not_here() {
        return;
    }
    let repository = Repository::new("sandbox-finding");
    repository.write("netloom.yaml", "apiVersion: netloom.dev/v1alpha1\nkind: Project\nmetadata: {name: fleet}\n");
    repository.write("overlays/house/overlay.yaml", "apiVersion: netloom.dev/v1alpha1\nkind: Overlay\nmetadata: {name: house}\n");
    symlink("../../.git/config", repository.0.join("overlays/house/settings.conf")).unwrap();
    let output = repository.netloom(&["check"]);
    let text = repository.tell(&output);
    assert!(code(&output) != 70 && text.contains("overlays/house/settings.conf"), "{text}");
}

/// Not everything in the folder of such a project can be told to the kernel one by one.
#[test]
fn a_project_may_stand_among_many_files() {
    let repository = changed("sandbox-crowded");
    (0..300).for_each(|number| repository.write(&format!("sub/fleet/{number}"), ""));
    for (command, expected) in [("check", 1), ("render", 0), ("fmt", 0), ("check", 0)] {
        let output = repository.netloom(&[command, "--project", "sub/fleet"]);
        assert_eq!(code(&output), expected, "{command}: {}", repository.tell(&output));
    }
}

/// Several at once make the same output folder.
#[test]
fn renders_at_once_do_not_get_in_the_way_of_one_another() {
    for _ in 0..5 {
        let repository = changed("sandbox-at-once");
        fs::remove_dir_all(repository.0.join("sub/fleet/rendered")).unwrap();
        let render =
            || Command::new(NETLOOM).args(["render", "--quiet"]).current_dir(repository.0.join("sub/fleet")).spawn().unwrap();
        let renders: Vec<_> = std::iter::repeat_with(render).take(6).collect();
        renders.into_iter().for_each(|mut render| assert!(render.wait().unwrap().success()));
    }
}
