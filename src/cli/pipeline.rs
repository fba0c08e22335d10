//! Stand-ins for what lands on other branches, with the names and signatures that it has there; goes when it is here.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::address::Cidr;
use crate::diagnostic::{Diagnostic, has_errors, rules};
use crate::tree::{FileId, Node, Sources, Span, yaml};
use crate::unit::Unit;

fn missing() -> Diagnostic {
    Diagnostic::new(&rules::FILE_UNREADABLE, Span::NONE, "this stage is not here yet")
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
    let (mut sources, mut findings) = (Sources::default(), Vec::new());
    super::project(&request.root, &mut sources, &mut findings);
    if !has_errors(&findings) {
        findings.push(missing());
    }
    Compilation { sources: Arc::new(sources), findings, ..Compilation::default() }
}

/// What the Jsonnet worker's process does: programs from `input`, results to `output`.
pub fn worker(_: impl std::io::Read, _: impl std::io::Write) -> super::Exit {
    super::Exit::Error
}

/// `crate::emit`.
pub(super) mod emit {
    use super::*;

    #[derive(Clone, Copy)]
    pub(in crate::cli) struct Output<'a> {
        pub(in crate::cli) root: &'a Path,
        pub(in crate::cli) folder: &'a str,
    }

    #[derive(Clone, Copy)]
    pub(in crate::cli) enum Scope {
        All,
        Some,
    }

    #[derive(Default)]
    pub(in crate::cli) struct Summary {
        pub(in crate::cli) units: Vec<UnitSummary>,
        pub(in crate::cli) findings: Vec<Diagnostic>,
    }

    pub(in crate::cli) struct UnitSummary {
        pub(in crate::cli) folder: String,
        pub(in crate::cli) written: usize,
        pub(in crate::cli) unchanged: usize,
        pub(in crate::cli) removed: usize,
    }

    pub(in crate::cli) fn write(output: &Output<'_>, units: &[Unit], scope: Scope) -> Result<Summary, Vec<Diagnostic>> {
        Err(compare(output, units, scope))
    }

    pub(in crate::cli) fn compare(output: &Output<'_>, _: &[Unit], _: Scope) -> Vec<Diagnostic> {
        let _ = (output.root, output.folder);
        vec![missing()]
    }
}

/// `crate::import`.
pub(super) mod import {
    use super::*;

    pub(in crate::cli) struct Kops {
        pub(in crate::cli) internet_gateway_id: Option<String>,
    }

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
        pub(in crate::cli) reason: Cow<'static, str>,
        pub(in crate::cli) span: Span,
    }

    pub(in crate::cli) fn read(text: &str, file: FileId, findings: &mut Vec<Diagnostic>) -> Vec<Node> {
        yaml::read(text, file, findings)
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
