//! What it takes to start a program: its file, the loader that it names, and the libraries that the loader finds.

use std::path::{Path, PathBuf};

use super::landlock::{DISCARD, Domain, EXECUTE, READ};
use super::{files, repository};
use crate::sandbox::table::Program;
use crate::sandbox::{Git, Needs};

/// Bytes of a program that hold its headers.
const HEAD: u64 = 4 << 10;

/// Files that tell a loader where libraries are.
const LOADER: [&str; 4] =
    ["/etc/ld.so.cache", "/etc/ld-musl-x86_64.path", "/etc/ld-musl-aarch64.path", "/etc/ld-musl-riscv64.path"];

/// Folders of nothing but libraries, or of packages that never change.
const LIBRARIES: [&str; 8] = ["/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/nix/store", "/gnu/store"];

/// Folders beside that of a program which is not the system's.
const BESIDE: [&str; 4] = ["lib", "lib64", "opt", "Cellar"];

/// The programs that a command executes.
pub(super) struct Programs {
    netloom: Option<PathBuf>,
    /// git, and the folder of the project that it reads the repository of.
    git: Option<(Git, PathBuf)>,
}

impl Programs {
    pub(super) fn of(needs: &Needs<'_>) -> Self {
        let executes = |program| needs.row.executes.contains(&program);
        let netloom = executes(Program::Netloom).then(|| needs.netloom.to_owned());
        let git = needs.git.clone().filter(|_| executes(Program::Git)).zip(needs.project.clone());
        Self { netloom, git }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.netloom.is_none() && self.git.is_none()
    }

    /// Allows a thread to start them.
    pub(super) fn allow(&self, domain: &mut Domain) {
        self.netloom.iter().for_each(|netloom| allow_netloom(domain, netloom));
        if let Some((git, project)) = &self.git {
            allow_git(domain, &git.program);
            repository::places(project).iter().chain(&git.index).for_each(|place| domain.allow_path(place, READ));
        }
    }
}

/// netloom itself, with the libraries that this process has loaded.
fn allow_netloom(domain: &mut Domain, executable: &Path) {
    allow(domain, executable);
    mapped().iter().for_each(|library| domain.allow_path(library, READ));
}

/// git, whose libraries only the loader knows.
fn allow_git(domain: &mut Domain, git: &Path) {
    allow(domain, git);
    domain.allow_path("/dev/null", DISCARD);
    LIBRARIES.iter().for_each(|folder| domain.allow_path(folder, READ));
    for program in [Some(git.to_owned()), git.canonicalize().ok()].into_iter().flatten() {
        if let Some(above) = program.parent().and_then(Path::parent).filter(|above| *above != Path::new("/usr")) {
            BESIDE.iter().for_each(|folder| domain.allow_path(above.join(folder), READ));
        }
    }
}

fn allow(domain: &mut Domain, program: &Path) {
    domain.allow_path(program, EXECUTE);
    if let Some(loader) = loader(&files::head(program, HEAD).unwrap_or_default()) {
        domain.allow_path(loader, EXECUTE);
    }
    LOADER.iter().for_each(|file| domain.allow_path(file, READ));
}

/// The files that this process has mapped into its memory.
fn mapped() -> Vec<PathBuf> {
    let maps = files::head(Path::new("/proc/self/maps"), files::CAP).unwrap_or_default();
    let maps = String::from_utf8_lossy(&maps);
    let mut paths: Vec<_> =
        maps.lines().filter_map(|line| line.find('/').and_then(|at| line.get(at..))).map(PathBuf::from).collect();
    paths.dedup();
    paths
}

/// The loader that the head of a program names (`PT_INTERP` of ELF); none when it needs none.
fn loader(head: &[u8]) -> Option<PathBuf> {
    const INTERPRETER: u64 = 3;
    let number = |at: u64, bytes: usize| {
        let at = usize::try_from(at).ok()?;
        let mut wide = [0; 8];
        let place = if cfg!(target_endian = "little") { wide.get_mut(..bytes)? } else { wide.get_mut(8 - bytes..)? };
        place.copy_from_slice(head.get(at..at.checked_add(bytes)?)?);
        Some(u64::from_ne_bytes(wide))
    };
    // Where things stand depends on the width of addresses.
    let wide = head.strip_prefix(b"\x7fELF")?.first()? == &2;
    let (width, [table, size, count], [offset, length]) =
        if wide { (8, [32, 54, 56], [8, 32]) } else { (4, [28, 42, 44], [4, 16]) };
    let (table, size) = (number(table, width)?, number(size, 2)?);
    let mut headers = (0..number(count, 2)?).filter_map(|index| table.checked_add(index * size));
    let found = headers.find(|header| number(*header, 4) == Some(INTERPRETER))?;
    let (offset, length) = (number(found.checked_add(offset)?, width)?, number(found.checked_add(length)?, width)?);
    let (offset, length) = (usize::try_from(offset).ok()?, usize::try_from(length).ok()?);
    let name = head.get(offset..offset.checked_add(length)?)?.split(|byte| *byte == 0).next()?;
    Some(PathBuf::from(String::from_utf8_lossy(name).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loader_is_the_one_that_the_kernel_uses() {
        let program = std::env::current_exe().unwrap();
        let Some(loader) = loader(&files::head(&program, HEAD).unwrap()) else { return };
        assert!(mapped().contains(&loader.canonicalize().unwrap()), "{loader:?} is not in {:?}", mapped());
    }

    #[test]
    fn what_is_no_program_has_no_loader() {
        let elf = |rest: &[u8]| [b"\x7fELF\x02\x01".as_slice(), rest].concat();
        for head in [b"".to_vec(), b"#!/bin/sh\n".to_vec(), elf(b""), elf(&[0xff; 100]), elf(&[0; 100])] {
            assert_eq!(loader(&head), None, "{head:?}");
        }
    }
}
