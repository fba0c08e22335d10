//! Whether the output folder is one that netloom may write in.

use std::path;

use super::Root;
use crate::paths::{Kind, named};
use findings::{Diagnostic, rules};
use model::declare::{Declared, Project};
use tree::{Path, Span};

impl Root {
    /// Refuses an output folder that netloom could do harm in: it deletes there what it wrote earlier.
    pub(super) fn check_output(&self, project: &Declared<Project>, findings: &mut Vec<Diagnostic>) {
        let paths = &project.value.spec.paths;
        let output = paths.output.as_str();
        let span = project.node.at(&Path::dotted("spec.paths.output")).map_or(Span::NONE, |node| node.span);
        let mut refuse = |reason: &str| {
            findings.push(Diagnostic::new(&rules::OUTPUT_UNSAFE, span, format!("the output folder `{output}` {reason}")));
        };
        if !output.split('/').all(is_output_part) {
            return refuse("is no plain path below the project (letters, digits, `-`, `_` and inner dots)");
        }
        for inputs in [&paths.declarations, &paths.overlays, &paths.policies] {
            if overlap(output, inputs) || self.leads_into(inputs, output) {
                return refuse(&format!("and the input folder `{inputs}` lie in one another"));
            }
        }
        for (end, _) in output.match_indices('/').chain([(output.len(), "")]) {
            let part = output.get(..end).unwrap_or(output);
            match self.place.kind(part) {
                Some(Kind::Folder) => {}
                Some(Kind::Link) => return refuse(&format!("is reached through the symbolic link `{part}`")),
                Some(_) => return refuse(&format!("is not a folder: `{part}` is a file")),
                None => return,
            }
        }
    }

    /// Whether the input folder is, behind its links, in the output folder.
    fn leads_into(&self, inputs: &str, output: &str) -> bool {
        let Some(root) = self.place.path() else { return false };
        named::real(&root.join(inputs)).is_ok_and(|real| real.starts_with(root.join(output)))
    }
}

/// Whether one of two relative paths holds the other; case is ignored, as some file systems do.
pub(super) fn overlap(a: &str, b: &str) -> bool {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    path::Path::new(&a).starts_with(&b) || path::Path::new(&b).starts_with(&a)
}

fn is_output_part(part: &str) -> bool {
    let plain = part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    plain && !part.is_empty() && !part.starts_with('.') && !part.ends_with('.')
}
