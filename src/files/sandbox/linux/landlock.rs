//! Landlock: what a thread, and whatever it starts, may do with files.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, PathBeneath, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetError, Scope, make_bitflags,
};
use rustix::fs::{CWD, FileType, Mode, OFlags};

pub(super) type Rights = BitFlags<AccessFs>;

/// The newest form of Landlock whose every right has been tried here; what an older kernel lacks of it is left out.
const TRIED: ABI = ABI::V7;

/// To list folders.
pub(super) const LIST: Rights = make_bitflags!(AccessFs::{ReadDir});
/// To read files and list folders.
pub(super) const READ: Rights = make_bitflags!(AccessFs::{ReadFile | ReadDir});
/// To start a program, which has to be read for that.
pub(super) const EXECUTE: Rights = make_bitflags!(AccessFs::{ReadFile | Execute});
/// To use `/dev/null`.
pub(super) const DISCARD: Rights = make_bitflags!(AccessFs::{ReadFile | WriteFile});
/// To make, replace and remove files that people own afterwards.
pub(super) const EDIT: Rights = make_bitflags!(AccessFs::{ReadDir | WriteFile | Truncate | MakeReg | MakeDir | RemoveFile});
/// To make, replace and remove what netloom owns, as whole folders; what else stands in one moves along.
pub(super) const OWN: Rights = make_bitflags!(
    AccessFs::{WriteFile | Truncate | MakeReg | MakeDir | MakeSym | MakeFifo | MakeSock | RemoveFile | RemoveDir | Refer}
);
/// To remove folders that are empty.
pub(super) const UNMAKE: Rights = make_bitflags!(AccessFs::{RemoveDir});

/// Rights that a regular file can have.
const OF_FILES: Rights = make_bitflags!(AccessFs::{ReadFile | WriteFile | Truncate | Execute});

/// What a thread may do, while it is being written down; what no rule allows is refused.
pub(super) struct Domain {
    rules: Result<RulesetCreated, String>,
    /// What rules are about. A file system like 9p, which WSL has Windows' files on, knows a folder again only while it is held.
    held: Vec<OwnedFd>,
}

impl Domain {
    /// Nothing, as yet. Signals stay possible: a thread with other rights than a worker's ends it.
    pub(super) fn new() -> Self {
        Self::within(Scope::AbstractUnixSocket.into())
    }

    /// Nothing, and no way to other processes either.
    pub(super) fn alone() -> Self {
        Self::within(Scope::from_all(TRIED))
    }

    /// What is not there, and why.
    pub(super) fn missing(reason: &str) -> Self {
        Self { rules: Err(reason.to_owned()), held: Vec::new() }
    }

    fn within(scope: BitFlags<Scope>) -> Self {
        let files = Ruleset::default().handle_access(AccessFs::from_all(TRIED));
        let all = files.and_then(|rules| rules.handle_access(AccessNet::from_all(TRIED))?.scope(scope)?.create());
        Self { rules: all.map_err(told), held: Vec::new() }
    }

    /// Whether nothing is allowed.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Allows what stands at `at` and below it. A place that no rule can be about, such as a pipe, needs none.
    pub(super) fn allow(&mut self, at: impl AsFd, rights: Rights) {
        let kind = rustix::fs::fstat(at.as_fd()).map(|stat| FileType::from_raw_mode(stat.st_mode));
        let rights = match kind {
            Ok(FileType::Directory) => rights,
            // What a link leads to has a rule of its own, or none.
            Ok(FileType::Symlink) | Err(_) => return,
            Ok(_) => rights & OF_FILES,
        };
        if rights.is_empty() {
            return;
        }
        self.held.extend(at.as_fd().try_clone_to_owned());
        if let Ok(rules) = &mut self.rules {
            _ = rules.add_rule(PathBeneath::new(at, rights));
        }
    }

    /// The same of a path that is the system's or the user's, where links are followed.
    pub(super) fn allow_path(&mut self, path: impl AsRef<Path>, rights: Rights) {
        self.allow_at(path.as_ref(), OFlags::empty(), rights);
    }

    /// The same of a path that a branch may have made a link, which leads nowhere.
    pub(super) fn allow_itself(&mut self, path: impl AsRef<Path>, rights: Rights) {
        self.allow_at(path.as_ref(), OFlags::NOFOLLOW, rights);
    }

    fn allow_at(&mut self, path: &Path, how: OFlags, rights: Rights) {
        if let Ok(at) = rustix::fs::openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC | how, Mode::empty()) {
            self.allow(at, rights);
        }
    }

    /// Takes every other right from this thread and what it starts. Tells the ABI that is in force.
    pub(super) fn enforce(self) -> Result<i32, String> {
        // For as long as the process lives.
        std::mem::forget(self.held);
        match self.rules?.restrict_self().map_err(told)?.landlock {
            LandlockStatus::Available { effective_abi, kernel_abi } => Ok(kernel_abi.unwrap_or(effective_abi as i32)),
            LandlockStatus::NotEnabled => Err("the kernel has it, but it was not turned on at its start".to_owned()),
            LandlockStatus::NotImplemented => Err("the kernel does not have it".to_owned()),
        }
    }
}

/// Whether a confined thread can move files between folders, which the first form of Landlock never allows.
pub(super) fn moves() -> bool {
    let rules = Ruleset::default().set_compatibility(CompatLevel::HardRequirement).handle_access(AccessFs::Refer);
    rules.and_then(Ruleset::create).is_ok()
}

#[allow(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn told(error: RulesetError) -> String {
    format!("the kernel refuses it: {error}")
}
