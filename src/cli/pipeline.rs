//! Stand-ins for stages that land on other branches, under the names and signatures they will have; goes when they are here.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::declare::{Declared, Project};
use crate::diagnostic::{Diagnostic, rules};
use crate::overlay::library;
use crate::tree::{FileId, Node, Sources, Span};
use crate::unit::Unit;

fn missing() -> Diagnostic {
    Diagnostic::new(&rules::PROJECT_MISSING, Span::NONE, "this stage is not here yet")
}

/// `crate::Request`.
pub(super) struct Request {
    pub(super) root: PathBuf,
    pub(super) clusters: Vec<String>,
    pub(super) worker: PathBuf,
}

/// `crate::Compilation`.
#[derive(Default)]
pub(super) struct Compilation {
    pub(super) sources: Arc<Sources>,
    pub(super) findings: Vec<Diagnostic>,
    pub(super) units: Vec<Unit>,
    pub(super) output: String,
    pub(super) complete: bool,
}

/// `crate::compile`.
pub(super) fn compile(request: &Request, _: &(dyn Fn(usize, usize) + Sync)) -> Compilation {
    let _ = (&request.clusters, &request.worker);
    let (sources, findings) = project(&request.root).map_or_else(|failed| failed, |(sources, _)| (sources, vec![missing()]));
    Compilation { sources: Arc::new(sources), findings, ..Compilation::default() }
}

/// `crate::load::project`.
pub(super) fn project(root: &Path) -> Result<(Sources, Declared<Project>), (Sources, Vec<Diagnostic>)> {
    let mut sources = Sources::default();
    library::embed(&mut sources);
    let finding = if root.join("netloom.yaml").is_file() {
        missing()
    } else {
        let message = format!("there is no `netloom.yaml` in `{}`", root.display());
        Diagnostic::new(&rules::PROJECT_MISSING, Span::NONE, message)
    };
    Err((sources, vec![finding]))
}

/// `crate::load::file`.
pub(super) fn file(path: &Path, _: &mut Sources, findings: &mut Vec<Diagnostic>) -> Option<FileId> {
    let message = format!("`{}` cannot be read: this stage is not here yet", path.display());
    findings.push(Diagnostic::new(&rules::FILE_UNREADABLE, Span::NONE, message));
    None
}

/// `crate::emit`.
pub(super) mod emit {
    use super::*;

    /// Where units are written.
    pub(in crate::cli) struct Output<'a> {
        pub(in crate::cli) root: &'a Path,
        pub(in crate::cli) folder: &'a str,
    }

    /// What writing changed.
    #[derive(Default)]
    pub(in crate::cli) struct Summary {
        pub(in crate::cli) units: Vec<Change>,
        pub(in crate::cli) findings: Vec<Diagnostic>,
    }

    /// What writing changed in one unit.
    pub(in crate::cli) struct Change {
        pub(in crate::cli) folder: String,
        pub(in crate::cli) written: Vec<String>,
        pub(in crate::cli) removed: Vec<String>,
        pub(in crate::cli) unchanged: usize,
    }

    /// Writes.
    pub(in crate::cli) fn write(output: &Output<'_>, _: &[Unit], _: bool) -> Result<Summary, Vec<Diagnostic>> {
        let _ = (output.root, output.folder);
        Err(vec![missing()])
    }

    /// Compares.
    pub(in crate::cli) fn compare(output: &Output<'_>, _: &[Unit], _: bool) -> Vec<Diagnostic> {
        let _ = (output.root, output.folder);
        vec![missing()]
    }
}

/// `crate::import`.
pub(super) mod import {
    use super::*;
    use crate::address::Cidr;

    #[derive(Default)]
    pub(in crate::cli) struct Kops {
        pub(in crate::cli) internet_gateway_id: Option<String>,
    }

    #[derive(Default)]
    pub(in crate::cli) struct Kurl {
        pub(in crate::cli) network_cidr: Option<Cidr>,
    }

    pub(in crate::cli) struct Imported {
        pub(in crate::cli) name: String,
        pub(in crate::cli) text: String,
        pub(in crate::cli) dropped: Vec<Dropped>,
    }

    pub(in crate::cli) struct Dropped {
        pub(in crate::cli) path: String,
        pub(in crate::cli) reason: std::borrow::Cow<'static, str>,
        pub(in crate::cli) span: Span,
    }

    pub(in crate::cli) fn kops(_: &[Node], _: FileId, said: &Kops, findings: &mut Vec<Diagnostic>) -> Option<Imported> {
        let _ = &said.internet_gateway_id;
        findings.push(missing());
        None
    }

    pub(in crate::cli) fn kurl(_: &[Node], _: FileId, said: &Kurl, findings: &mut Vec<Diagnostic>) -> Option<Imported> {
        let _ = said.network_cidr;
        findings.push(missing());
        None
    }
}
