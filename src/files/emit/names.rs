//! Names become paths only here, after the last overlay has had its say.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::record;
use findings::{Diagnostic, rules};
use model::unit::Unit;
use schema::json::dns_label;
use tree::{Span, limits};

/// The folders that units stand in.
pub(super) const GROUPS: [&str; 2] = ["clusters", "networks"];

/// Longest file name that every file system takes.
const PART_BYTES: usize = 255;

/// The group and the name of a unit's folder, when it is one that netloom writes.
pub(super) fn unit(folder: &str) -> Option<(&str, &str)> {
    folder.split_once('/').filter(|(group, name)| GROUPS.contains(group) && dns_label(name).is_ok())
}

/// Whether netloom may write this path below a unit's folder.
pub(super) fn is_artifact_path(path: &str) -> bool {
    path != record::FILE && path.len() < 1024 && path.split('/').all(is_part)
}

fn is_part(part: &str) -> bool {
    let plain = part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    // Windows takes `nul.yaml` for the device, too.
    let stem = part.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let device = matches!(stem.as_str(), "con" | "prn" | "aux" | "nul")
        || (stem.len() == 4
            && (stem.starts_with("com") || stem.starts_with("lpt"))
            && stem.ends_with(|c: char| c.is_ascii_digit()));
    plain && !part.is_empty() && part.len() <= PART_BYTES && !part.starts_with('.') && !part.ends_with('.') && !device
}

/// Reports units and files whose paths or sizes netloom must not write.
pub(super) fn check(output: &str, units: &[Unit], findings: &mut Vec<Diagnostic>) {
    let mut folders = BTreeMap::new();
    for unit in units {
        if self::unit(&unit.folder).is_none() || folders.insert(&unit.folder, ()).is_some() {
            let message = format!("`{output}/{}` is no folder of one unit", unit.folder.escape_debug());
            findings.push(Diagnostic::new(&rules::OUTPUT_NAME, Span::NONE, message));
        }
    }
    let checked = |unit: &Unit| {
        let mut findings = Vec::new();
        check_unit(&format!("{output}/{}", unit.folder), unit, &mut findings);
        findings
    };
    findings.par_extend(units.par_iter().flat_map_iter(checked));
}

fn check_unit(folder: &str, unit: &Unit, findings: &mut Vec<Diagnostic>) {
    let mut refuse = |rule, message: String| findings.push(Diagnostic::new(rule, Span::NONE, message));
    let mut files: BTreeMap<String, &str> = BTreeMap::new();
    let mut folders: BTreeMap<String, &str> = BTreeMap::new();
    for artifact in &unit.artifacts {
        let path = artifact.path.as_str();
        if !is_artifact_path(path) {
            refuse(&rules::OUTPUT_NAME, format!("`{}` is no file name that netloom writes in `{folder}`", path.escape_debug()));
        }
        if let Some(first) = files.insert(path.to_ascii_lowercase(), path) {
            refuse(&rules::OUTPUT_NAME, format!("`{folder}/{path}` and `{folder}/{first}` are one file on some file systems"));
        }
        for above in path.match_indices('/').filter_map(|(end, _)| path.get(..end)) {
            if let Some(first) = folders.insert(above.to_ascii_lowercase(), above).filter(|first| *first != above) {
                refuse(
                    &rules::OUTPUT_NAME,
                    format!("`{folder}/{above}` and `{folder}/{first}` are one folder on some file systems"),
                );
            }
        }
        if artifact.text.len() > limits::OUTPUT_FILE_BYTES {
            let message =
                format!("`{folder}/{path}` would have {} bytes; at most {}", artifact.text.len(), limits::OUTPUT_FILE_BYTES);
            refuse(&rules::LIMIT, message);
        }
    }
    if let Some((_, path)) = files.iter().find(|(path, _)| folders.contains_key(*path)) {
        refuse(&rules::OUTPUT_NAME, format!("`{folder}/{path}` is a file and a folder at once"));
    }
    let bytes: usize = unit.artifacts.iter().map(|artifact| artifact.text.len()).sum();
    if bytes > limits::OUTPUT_UNIT_BYTES {
        refuse(&rules::LIMIT, format!("`{folder}` would have {} MiB; at most {}", bytes >> 20, limits::OUTPUT_UNIT_BYTES >> 20));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::unit::Artifact;

    fn findings(folder: &str, paths: &[&str]) -> Vec<String> {
        let artifacts = paths.iter().map(|path| Artifact::new(*path, "x\n")).collect();
        let mut findings = Vec::new();
        check("rendered", &[Unit { folder: folder.to_owned(), declared: Span::NONE, artifacts }], &mut findings);
        findings.into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn usual_names_pass() {
        let paths = ["README.md", "kubernetes/cni/daemonset-agent.yaml", "kubernetes/cni/kustomization.yaml", "a_b/c.2.yaml"];
        assert_eq!(findings("clusters/prod-usw2", &paths), Vec::<String>::new());
    }

    #[test]
    fn names_that_leave_or_deceive_are_refused() {
        let paths = [
            "../x",
            "/x",
            "a/../b",
            "a//b",
            "a/",
            "",
            ".",
            ".git/hooks/x",
            "a b",
            "a\u{202e}b",
            "ä.yaml",
            "a:b",
            "x.",
            "nul.yaml",
            "Com1",
        ];
        for path in paths {
            assert_eq!(findings("clusters/a", &[path]).len(), 1, "{path}");
        }
        assert_eq!(findings("clusters/a", &[".netloom.json"]).len(), 1);
        for folder in ["clusters", "clusters/..", "clusters/A", "clusters/a/b", "other/a", "../clusters/a", "clusters/con", ""] {
            assert_eq!(findings(folder, &["x"]).len(), 1, "{folder}");
        }
    }

    #[test]
    fn names_that_collide_are_refused() {
        assert_eq!(
            findings("clusters/a", &["x/a.yaml", "x/A.yaml"]),
            ["`rendered/clusters/a/x/A.yaml` and `rendered/clusters/a/x/a.yaml` are one file on some file systems"]
        );
        assert_eq!(
            findings("clusters/a", &["x/a.yaml", "X/b.yaml"]),
            ["`rendered/clusters/a/X` and `rendered/clusters/a/x` are one folder on some file systems"]
        );
        assert_eq!(findings("clusters/a", &["x", "X/a.yaml"]), ["`rendered/clusters/a/x` is a file and a folder at once"]);
    }

    #[test]
    fn units_do_not_share_a_folder() {
        let unit = Unit { folder: "clusters/a".to_owned(), declared: Span::NONE, artifacts: Vec::new() };
        let mut findings = Vec::new();
        check("rendered", &[unit.clone(), unit], &mut findings);
        assert_eq!(findings.len(), 1);
    }

    #[test]
    fn sizes_are_limited() {
        let big = Artifact::new("big.yaml", "x".repeat(limits::OUTPUT_FILE_BYTES + 1));
        let mut findings = Vec::new();
        check("rendered", &[Unit { folder: "clusters/a".to_owned(), declared: Span::NONE, artifacts: vec![big] }], &mut findings);
        assert_eq!(findings[0].message, "`rendered/clusters/a/big.yaml` would have 1048577 bytes; at most 1048576");
    }
}
