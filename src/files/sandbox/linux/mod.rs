//! What the kernel of Linux is told to refuse.
#![allow(
    clippy::disallowed_methods,
    reason = "rules are about places that are held open, and are written before anything of the project is read"
)]

mod files;
mod folders;
mod landlock;
mod programs;
mod repository;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))]
mod seccomp;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
#[path = "no_seccomp.rs"]
mod seccomp;

use std::fs::File;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::thread;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};

use self::folders::Made;
use self::landlock::{Domain, EDIT, LIST, OWN, READ, Rights, UNMAKE};
use self::programs::Programs;
use super::table::Place;
use super::{Folders, Forces, Needs, Scout, State, broker};
use crate::paths::{ignored, named};

/// Folders that were made so that the kernel could be told of them.
#[derive(Debug, Default)]
pub(super) struct Traces(Vec<Made>);

/// Confines this thread, and all that it starts from now on, to what a command needs.
pub(super) fn enter(needs: &Needs<'_>, scout: &Scout<'_>) -> (Forces, Traces) {
    let refused = seccomp::refuse();
    let mut plan = Plan { own: Domain::new(), broker: Domain::new(), made: Vec::new() };
    let root = needs.project.as_deref().and_then(folders::open);
    let sources = sources(needs);
    let crowded = root.as_ref().is_some_and(|root| !plan.read(root));
    let folders = needs.project.as_deref().filter(|_| crowded || needs.writes).map(|root| scouted(root, &sources, scout));
    let folders = folders.unwrap_or_default();
    if let Some(root) = root.as_ref().filter(|_| crowded) {
        plan.read_folders(root, &folders);
    }
    sources.iter().for_each(|file| plan.own.allow_itself(file, READ));
    needs.file.iter().for_each(|file| plan.own.allow_path(file, READ));
    plan.write(needs, root.as_ref(), &folders);
    plan.made.iter().for_each(|made| plan.broker.allow(made.parent(), UNMAKE));
    let Plan { own, mut broker, made } = plan;
    let programs = Programs::of(needs);
    if !broker.is_empty() || !programs.is_empty() {
        programs.allow(&mut broker);
        broker::start(move || _ = broker.enforce());
    }
    let seccomp = refused.and_then(|()| seccomp::start_nothing());
    (Forces { landlock: own.enforce(), seccomp }, Traces(made))
}

/// Hidden files that are read to tell what Git ignores; no setting is among them, which could hold a token.
fn sources(needs: &Needs<'_>) -> Vec<PathBuf> {
    let root = needs.project.as_deref().and_then(|root| named::real(root).ok());
    root.map(|root| ignored::sources(&root)).unwrap_or_default()
}

/// The real path of `netloom.yaml`: a link may lead to what is not hidden in the project.
fn project_file(root: &Path) -> Option<PathBuf> {
    let root = named::real(root).ok()?;
    let file = named::real(&root.join(Place::ProjectFile.name())).ok()?;
    let hidden = |part: &std::ffi::OsStr| part.as_encoded_bytes().starts_with(b".");
    let visible = file.is_file() && !file.strip_prefix(&root).ok()?.iter().any(hidden);
    visible.then_some(file)
}

/// Has a thread of its own, which can read `netloom.yaml` and nothing else, look up where the project's folders are.
fn scouted(root: &Path, sources: &[PathBuf], scout: &Scout<'_>) -> Folders {
    let look = || {
        let mut domain = Domain::new();
        domain.allow_path(root, LIST);
        project_file(root).iter().for_each(|file| domain.allow_itself(file, READ));
        sources.iter().for_each(|file| domain.allow_itself(file, READ));
        _ = domain.enforce();
        scout()
    };
    thread::scope(|scope| thread::Builder::new().spawn_scoped(scope, look).ok()?.join().ok()).unwrap_or_default()
}

/// Takes the folders away again that are empty.
pub(super) fn undo(traces: Traces) {
    if !traces.0.is_empty() {
        _ = broker::apart(move || {
            folders::unmake(&traces.0);
            Ok(())
        });
    }
}

/// Leaves this process its pipes, and nothing else.
pub(super) fn isolate() -> Forces {
    Forces { landlock: Domain::alone().enforce(), seccomp: seccomp::only_evaluate() }
}

/// Confines this process to nothing, and tries what should be refused then.
pub(super) fn state() -> State {
    let kernel = files::text(Path::new("/proc/sys/kernel/osrelease")).unwrap_or_default();
    let openat2 = rustix::fs::openat2(CWD, "/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::NO_SYMLINKS);
    let (mut forces, _) = enter(&Needs::none(), &Folders::new);
    let idle = "the kernel took it, but refuses nothing";
    if forces.landlock.is_ok() && File::open("/").is_ok() {
        forces.landlock = Err(idle.to_owned());
    }
    if forces.seccomp.is_ok() && UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).is_ok() {
        forces.seccomp = Err(idle.to_owned());
    }
    State { kernel: format!("Linux {}", kernel.trim_end()), openat2: openat2.is_ok(), forces }
}

/// The rights of the two kinds of threads: of the one that starts programs, and of all others.
struct Plan {
    own: Domain,
    broker: Domain,
    made: Vec<Made>,
}

impl Plan {
    /// What is not hidden in the project's folder; tells whether that was not too much for rules.
    fn read(&mut self, root: &OwnedFd) -> bool {
        self.own.allow(root, LIST);
        // What else stands in a folder that is no project is nothing to read.
        let Some(file) = folders::file(root, Place::ProjectFile.name()) else { return true };
        self.own.allow(file, READ);
        let visible = folders::visible(root);
        visible.iter().flatten().for_each(|entry| self.own.allow(entry, READ));
        visible.is_some()
    }

    /// The folders that the project names.
    fn read_folders(&mut self, root: &OwnedFd, folders: &Folders) {
        let folders = folders.iter().filter_map(|(_, path)| folders::below(root, path, None));
        folders.for_each(|folder| self.own.allow(folder, READ));
    }

    fn write(&mut self, needs: &Needs<'_>, root: Option<&OwnedFd>, folders: &Folders) {
        for place in needs.row.writes.iter().filter(|_| needs.writes) {
            match (place, root) {
                (Place::Folder, _) => self.write_named(needs),
                (Place::ProjectFile, Some(root)) => self.broker.allow(root, EDIT),
                (Place::Output, Some(_)) if !landlock::moves() => {
                    self.own = Domain::missing("in the form that this kernel has, files cannot be moved between folders");
                }
                (Place::Output, Some(root)) => self.write_below(root, *place, OWN | READ, needs, folders),
                (_, Some(root)) => self.write_below(root, *place, EDIT, needs, folders),
                (_, None) => {}
            }
        }
    }

    /// A folder of the project's. In that of `netloom.yaml` itself stands `.git`, so no more of it is given than this.
    fn write_below(&mut self, root: &OwnedFd, place: Place, rights: Rights, needs: &Needs<'_>, folders: &Folders) {
        let named = folders.iter().filter(|(named, _)| *named == place);
        for (_, path) in named {
            if let Some(folder) = folders::below(root, path, needs.makes.then_some(&mut self.made)) {
                self.own.allow(folder, rights);
            }
        }
    }

    /// The folder that the command line names: what stands directly in it is the broker's to write.
    fn write_named(&mut self, needs: &Needs<'_>) {
        let Some(folder) = needs.folder.as_deref().and_then(|path| folders::ensure(path, &mut self.made)) else { return };
        self.broker.allow(&folder, EDIT);
        for path in &needs.below {
            if let Some(folder) = folders::below(&folder, path, Some(&mut self.made)) {
                self.own.allow(folder, EDIT);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testing::Scratch;

    /// Whoever looks up a project's folders reads `netloom.yaml`, be it behind a link, and nothing else of the project.
    #[test]
    fn a_scout_reads_one_file() {
        for link in [None, Some("settings/netloom.yaml"), Some(".git/netloom.yaml")] {
            let project = Scratch::new();
            let secrets = [".git/config", ".env", "declarations/a.yaml", "settings/b.yaml"];
            secrets.iter().for_each(|path| project.write(path, "token"));
            match link {
                None => project.write("netloom.yaml", "a: b\n"),
                Some(target) => {
                    project.write(target, "a: b\n");
                    project.link("netloom.yaml", target);
                }
            }
            let root = project.path().canonicalize().unwrap();
            let readable = |path: &&str| File::open(root.join(path)).is_ok();
            let look = || -> Folders {
                let read = [&["netloom.yaml"], &secrets[..]].concat().into_iter().filter(readable);
                read.map(|path| (Place::Project, path.to_owned())).collect()
            };
            if !confines() {
                return;
            }
            let read: Vec<_> = scouted(&root, &[], &look).into_iter().map(|(_, path)| path).collect();
            let expected: &[&str] = if link == Some(".git/netloom.yaml") { &[] } else { &["netloom.yaml"] };
            assert_eq!(read, expected, "{link:?}");
        }
    }

    /// Whether a thread can be confined here.
    fn confines() -> bool {
        thread::spawn(|| Domain::new().enforce().is_ok() && File::open("/").is_err()).join().unwrap()
    }
}
