use std::os::unix::fs::MetadataExt;

use super::*;
use model::unit::Artifact;
use testing::Scratch;

pub(super) fn unit(folder: &str, files: &[(&str, &str)]) -> Unit {
    Unit {
        folder: folder.to_owned(),
        declared: Span::NONE,
        artifacts: files.iter().map(|(path, text)| Artifact::new(*path, *text)).collect(),
    }
}

pub(super) fn output(scratch: &Scratch) -> Output<'_> {
    static NONE: Foreign = Foreign::none();
    Output { root: scratch.path(), folder: "rendered", foreign: &NONE }
}

fn render(scratch: &Scratch, units: &[Unit]) -> Summary {
    write(&output(scratch), units, Scope::All).unwrap()
}

/// The findings of a comparison as `code: message`.
pub(super) fn check(scratch: &Scratch, units: &[Unit]) -> Vec<String> {
    lines(&compare(&output(scratch), units, Scope::All))
}

fn lines(findings: &[Diagnostic]) -> Vec<String> {
    findings.iter().map(|finding| format!("{}: {}", finding.code, finding.message)).collect()
}

fn refused(scratch: &Scratch, units: &[Unit]) -> Vec<String> {
    lines(&write(&output(scratch), units, Scope::All).unwrap_err().findings)
}

fn counts(summary: &Summary) -> Vec<(&str, usize, usize, usize)> {
    summary.units.iter().map(|unit| (unit.folder.as_str(), unit.written, unit.unchanged, unit.removed)).collect()
}

pub(super) fn two() -> Vec<Unit> {
    vec![
        unit("clusters/a", &[("README.md", "a\n"), ("kubernetes/cni/x.yaml", "x: 1\n")]),
        unit("networks/n", &[("n.yaml", "n: 1\n")]),
    ]
}

#[test]
fn files_are_written_with_a_record_and_compare_clean() {
    let scratch = Scratch::new();
    let summary = render(&scratch, &two());
    assert_eq!(counts(&summary), [("clusters/a", 2, 0, 0), ("networks/n", 1, 0, 0)]);
    let names: Vec<_> = scratch.tree("rendered").into_keys().collect();
    let expected = ["clusters/a/.netloom.json", "clusters/a/README.md", "clusters/a/kubernetes/cni/x.yaml"];
    assert_eq!(names, [expected.as_slice(), &["networks/n/.netloom.json", "networks/n/n.yaml"]].concat());
    assert_eq!(scratch.read("rendered/clusters/a/kubernetes/cni/x.yaml"), "x: 1\n");
    let hash = blake3::hash(b"n: 1\n").to_hex();
    assert_eq!(
        scratch.read("rendered/networks/n/.netloom.json"),
        format!("{{\n  \"files\": {{\n    \"n.yaml\": \"{hash}\"\n  }}\n}}\n")
    );
    assert_eq!(check(&scratch, &two()), Vec::<String>::new());
}

#[test]
fn what_is_unchanged_is_not_written() {
    let scratch = Scratch::new();
    render(&scratch, &two());
    let stat = |path: &str| {
        let meta = scratch.at(path).metadata().unwrap();
        (meta.ino(), meta.mtime(), meta.mtime_nsec(), meta.ctime_nsec())
    };
    let paths = [
        "rendered",
        "rendered/clusters",
        "rendered/clusters/a",
        "rendered/clusters/a/README.md",
        "rendered/networks/n/.netloom.json",
    ];
    let before = paths.map(stat);
    assert_eq!(counts(&render(&scratch, &two())), [("clusters/a", 0, 2, 0), ("networks/n", 0, 1, 0)]);
    assert_eq!(paths.map(stat), before);

    // One file of a unit changes: the others keep their inode and time.
    let mut units = two();
    units[0].artifacts[1].text = "x: 2\n".into();
    let file = |stat: (u64, i64, i64, i64)| (stat.0, stat.1, stat.2);
    assert_eq!(counts(&render(&scratch, &units)), [("clusters/a", 1, 1, 0), ("networks/n", 0, 1, 0)]);
    assert_eq!(file(stat(paths[3])), file(before[3]));
    assert_eq!(stat(paths[4]), before[4]);
}

#[test]
fn what_is_rendered_no_more_is_removed_with_its_folders() {
    let scratch = Scratch::new();
    render(&scratch, &two());
    let units = [unit("clusters/a", &[("README.md", "a\n")])];
    assert_eq!(
        check(&scratch, &units),
        [
            "output-orphaned: `rendered/clusters/a/kubernetes/cni/x.yaml` is not rendered any more",
            "output-orphaned: `rendered/networks/n` belongs to no declaration",
        ]
    );
    let summary = render(&scratch, &units);
    assert_eq!(counts(&summary), [("clusters/a", 0, 1, 1), ("networks/n", 0, 0, 1)]);
    assert!(!scratch.at("rendered/clusters/a/kubernetes").exists() && !scratch.at("rendered/networks/n").exists());
    assert_eq!(check(&scratch, &units), Vec::<String>::new());
}

#[test]
fn units_out_of_scope_are_left_alone() {
    let scratch = Scratch::new();
    render(&scratch, &two());
    let before = scratch.tree("rendered/networks");
    let units = [unit("clusters/a", &[("README.md", "new\n")])];
    write(&output(&scratch), &units, Scope::Some).unwrap();
    assert_eq!(scratch.tree("rendered/networks"), before);
    assert!(compare(&output(&scratch), &units, Scope::Some).is_empty());
}

#[test]
fn files_of_others_are_kept() {
    let scratch = Scratch::new();
    render(&scratch, &two());
    scratch.write("rendered/clusters/a/kubernetes/notes.txt", "mine\n");
    scratch.write("rendered/clusters/a/kubernetes/cni/sealed.yaml", "mine\n");
    scratch.link("rendered/clusters/a/link", "/etc/passwd");
    scratch.write("rendered/OWNERS", "mine\n");
    scratch.write("rendered/clusters/theirs/x.yaml", "mine\n");
    let mine = |scratch: &Scratch| {
        let mut tree = scratch.tree("rendered");
        tree.retain(|_, text| text == "mine\n" || text == "-> /etc/passwd");
        tree.into_keys().collect::<Vec<_>>()
    };
    let before = mine(&scratch);
    assert_eq!(before.len(), 5);
    let picked_up = "is not rendered, but whatever syncs its folder may pick it up";
    assert_eq!(
        check(&scratch, &two()),
        [
            format!("output-unrendered: `rendered/clusters/a/kubernetes/cni/sealed.yaml` {picked_up}"),
            format!("output-unrendered: `rendered/clusters/a/link` {picked_up}"),
            format!("output-unrendered: `rendered/clusters/theirs/x.yaml` {picked_up}"),
            "output-unrelated: `rendered/OWNERS` is not rendered".to_owned(),
            "output-unrelated: `rendered/clusters/a/kubernetes/notes.txt` is not rendered".to_owned(),
        ]
    );
    render(&scratch, &[unit("clusters/a", &[("README.md", "new\n")])]);
    assert_eq!(mine(&scratch), before);
    render(&scratch, &[]);
    assert_eq!(mine(&scratch), before);
    assert_eq!(scratch.tree("rendered").len(), 5);
}

/// Whatever is smuggled in is named; what a tool that syncs would read is an error, and `foreign` alone makes it silent.
#[test]
fn nothing_stands_in_the_output_unseen() {
    let (picked_up, harmless) = ("output-unrendered", "output-unrelated");
    let cases = [
        ("evil.yaml", picked_up),
        ("EVIL.YML", picked_up),
        ("deep/er/evil.json", picked_up),
        ("clusters/evil.jsonnet", picked_up),
        ("clusters/ghost/kubernetes/x.yaml", picked_up),
        ("clusters/a/kubernetes/cni/evil.yaml", picked_up),
        ("clusters/a/kubernetes/cni/kustomization.yml", picked_up),
        ("clusters/a/kubernetes/cni/Kustomization", picked_up),
        ("clusters/a/kubernetes/cni/.argocd-source.yaml", picked_up),
        ("clusters/a/kubernetes/cni/.argocd-source-a-cni.yaml", picked_up),
        ("clusters/a/.sourceignore", picked_up),
        ("networks/.gitattributes", picked_up),
        ("networks/n/cloudformation/evil.template", picked_up),
        ("networks/n/.hidden.yaml", picked_up),
        ("networks/n/notes.md", harmless),
        ("clusters/.DS_Store", harmless),
        ("OWNERS", harmless),
        (".cache/x", harmless),
        ("clusters/a b/x", harmless),
    ];
    for (path, code) in cases {
        let scratch = Scratch::new();
        render(&scratch, &two());
        scratch.write(&format!("rendered/{path}"), "mine\n");
        let told = compare(&output(&scratch), &two(), Scope::All);
        assert_eq!(told.iter().map(|finding| finding.code.as_ref()).collect::<Vec<_>>(), [code], "{path}");
        assert!(told[0].message.starts_with(&format!("`rendered/{path}` is not rendered")), "{}", told[0].message);
        let summary = render(&scratch, &two());
        let told: Vec<_> = summary.findings.iter().map(|finding| (finding.code.as_ref(), finding.severity)).collect();
        assert_eq!(told, [(code, findings::Severity::Warning)], "{path}");
        assert_eq!(scratch.read(&format!("rendered/{path}")), "mine\n");

        let whole = path.split('/').next().unwrap().to_owned();
        for pattern in [path.to_owned(), format!("/{whole}"), "**".to_owned()] {
            let foreign = Foreign::new(&[pattern]).unwrap();
            let output = Output { foreign: &foreign, ..output(&scratch) };
            assert!(compare(&output, &two(), Scope::All).is_empty(), "{path}");
        }
        let foreign = Foreign::new(&["/other".to_owned()]).unwrap();
        assert_eq!(compare(&Output { foreign: &foreign, ..output(&scratch) }, &two(), Scope::All).len(), 1, "{path}");
    }
}

#[test]
fn rendered_files_are_not_executable() {
    use std::os::unix::fs::PermissionsExt;
    for mode in [0o755, 0o645, 0o4755] {
        let scratch = Scratch::new();
        render(&scratch, &two());
        let path = scratch.at("rendered/clusters/a/kubernetes/cni/x.yaml");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let expected =
            "output-different: `rendered/clusters/a/kubernetes/cni/x.yaml` may be executed, which no rendered file needs";
        assert_eq!(check(&scratch, &two()), [expected]);
        render(&scratch, &two());
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o133, 0);
        assert_eq!(check(&scratch, &two()), Vec::<String>::new());
    }
}

/// A render that is refused leaves no folder that it made.
#[test]
fn what_is_refused_leaves_no_folders() {
    let scratch = Scratch::new();
    scratch.write("rendered/clusters/a/README.md", "mine\n");
    refused(&scratch, &two());
    assert!(!scratch.at("rendered/networks").exists());
    let scratch = Scratch::new();
    let huge = [unit("clusters/a", &[("x.yaml", &"x".repeat((1 << 20) + 1))])];
    refused(&scratch, &huge);
    assert!(!scratch.at("rendered").exists());
}

#[test]
fn edits_are_reported_and_restored() {
    let scratch = Scratch::new();
    render(&scratch, &two());
    scratch.write("rendered/clusters/a/README.md", "a\nby hand\n");
    let expected = "output-edited: `rendered/clusters/a/README.md` was changed by hand; it differs first in line 2";
    assert_eq!(check(&scratch, &two()), [expected]);
    let summary = render(&scratch, &two());
    let expected = "output-restored: `rendered/clusters/a/README.md` had been changed by hand, first in line 2, and is restored";
    assert_eq!(lines(&summary.findings), [expected]);
    assert_eq!(scratch.read("rendered/clusters/a/README.md"), "a\n");
}

#[test]
fn edited_files_are_not_pruned() {
    let scratch = Scratch::new();
    render(&scratch, &two());
    scratch.write("rendered/clusters/a/kubernetes/cni/x.yaml", "x: by hand\n");
    scratch.write("rendered/networks/n/n.yaml", "n: by hand\n");
    let units = [unit("clusters/a", &[("README.md", "a\n")])];
    assert_eq!(
        check(&scratch, &units),
        [
            "output-edited: `rendered/clusters/a/kubernetes/cni/x.yaml` was changed by hand, and is not rendered any more",
            "output-edited: `rendered/networks/n/n.yaml` was changed by hand, and is not rendered any more",
            "output-orphaned: `rendered/networks/n` belongs to no declaration",
        ]
    );
    let summary = render(&scratch, &units);
    assert_eq!(summary.findings.len(), 2);
    assert_eq!(summary.findings[0].code, "output-kept");
    assert_eq!(scratch.read("rendered/clusters/a/kubernetes/cni/x.yaml"), "x: by hand\n");
    assert_eq!(scratch.tree("rendered/networks").into_keys().collect::<Vec<_>>(), ["n/n.yaml"]);
    let left = ["clusters/a/kubernetes/cni/x.yaml", "networks/n/n.yaml"].map(|path| {
        format!("output-unrendered: `rendered/{path}` is not rendered, but whatever syncs its folder may pick it up")
    });
    assert_eq!(check(&scratch, &units), left);
}

#[test]
fn stale_and_missing_files_are_told_apart() {
    let scratch = Scratch::new();
    assert_eq!(
        check(&scratch, &two()),
        ["output-missing: `rendered/clusters/a` is not there", "output-missing: `rendered/networks/n` is not there"]
    );
    render(&scratch, &two());
    let mut units = two();
    units[0].artifacts[1].text = "x: 2\n".into();
    units[1].artifacts.push(Artifact::new("more.yaml", "m\n"));
    assert_eq!(
        check(&scratch, &units),
        [
            "output-different: `rendered/clusters/a/kubernetes/cni/x.yaml` is not what the declarations make, first in line 1",
            "output-missing: `rendered/networks/n/more.yaml` is not there",
        ]
    );
    std::fs::remove_file(scratch.at("rendered/clusters/a/.netloom.json")).unwrap();
    let expected = "output-different: `rendered/clusters/a/.netloom.json` does not say what is in the folder";
    assert_eq!(check(&scratch, &two()), [expected]);
}

#[test]
fn nothing_is_written_over_what_others_wrote() {
    let scratch = Scratch::new();
    scratch.write("rendered/clusters/a/README.md", "mine\n");
    let before = scratch.tree("rendered");
    let expected =
        "output-foreign: `rendered/clusters/a/README.md` cannot be written: something that netloom did not write stands there";
    assert_eq!(refused(&scratch, &two()), [expected]);
    assert_eq!(check(&scratch, &two()).first().map(String::as_str), Some(expected));
    assert_eq!(scratch.tree("rendered"), before);

    // In the way as a folder, and as a file where a folder must be.
    for (path, target) in [("README.md/x", "README.md"), ("kubernetes", "kubernetes/cni/x.yaml")] {
        let scratch = Scratch::new();
        scratch.write(&format!("rendered/clusters/a/{path}"), "mine\n");
        let expected = format!(
            "output-foreign: `rendered/clusters/a/{target}` cannot be written: something that netloom did not write stands there"
        );
        assert_eq!(refused(&scratch, &two()), [expected]);
    }

    // The same text is taken over.
    let scratch = Scratch::new();
    scratch.write("rendered/clusters/a/README.md", "a\n");
    assert_eq!(counts(&render(&scratch, &two()))[0], ("clusters/a", 1, 1, 0));
}

#[test]
fn files_and_folders_can_change_places() {
    let scratch = Scratch::new();
    render(&scratch, &[unit("clusters/a", &[("x", "file\n"), ("y/z.yaml", "z\n")])]);
    let units = [unit("clusters/a", &[("x/z.yaml", "z\n"), ("y", "file\n")])];
    render(&scratch, &units);
    assert_eq!(check(&scratch, &units), Vec::<String>::new());
}

#[test]
fn nothing_is_written_through_links() {
    let elsewhere = Scratch::new();
    let target = elsewhere.path().display().to_string();
    for path in [
        "rendered",
        "rendered/clusters",
        "rendered/clusters/a",
        "rendered/clusters/a/kubernetes",
        "rendered/clusters/a/README.md",
    ] {
        let scratch = Scratch::new();
        scratch.link(path, &target);
        let codes: Vec<_> =
            write(&output(&scratch), &two(), Scope::All).unwrap_err().findings.into_iter().map(|finding| finding.code).collect();
        let expected = if path.contains("/a/") { "output-foreign" } else { "output-unsafe" };
        assert_eq!(codes, [expected], "{path}");
        assert!(!check(&scratch, &two()).is_empty(), "{path}");
        assert!(elsewhere.tree("").is_empty(), "{path}");
    }
}

#[test]
fn a_record_that_leads_elsewhere_is_refused() {
    let scratch = Scratch::new();
    render(&scratch, &two());
    scratch.write("victim", "x");
    let hash = blake3::hash(b"x").to_hex();
    for path in ["../../../victim", "/etc/hosts", ".git/config"] {
        scratch.write("rendered/clusters/a/.netloom.json", format!("{{\"files\": {{\"{path}\": \"{hash}\"}}}}"));
        let expected = format!(
            "output-record: `rendered/clusters/a/.netloom.json` is no ownership record: it lists `{path}`, which netloom cannot have written"
        );
        assert_eq!(refused(&scratch, &two()), std::slice::from_ref(&expected));
        assert_eq!(refused(&scratch, &[]), std::slice::from_ref(&expected));
        assert!(check(&scratch, &two()).contains(&expected));
    }
    assert_eq!(scratch.read("victim"), "x");
}

#[test]
fn a_merge_conflict_in_the_record_is_settled_by_a_render() {
    let scratch = Scratch::new();
    render(&scratch, &two());
    let record = scratch.read("rendered/clusters/a/.netloom.json");
    let conflict = record.replace("    \"kub", "<<<<<<< ours\n    \"kub").replace("\n  }\n", "\n=======\n>>>>>>> theirs\n  }\n");
    assert_ne!(conflict, record);
    scratch.write("rendered/clusters/a/.netloom.json", &conflict);
    scratch.write("rendered/clusters/a/kubernetes/cni/x.yaml", "<<<<<<< ours\nx: 1\n=======\nx: 2\n>>>>>>> theirs\n");
    render(&scratch, &two());
    assert_eq!(scratch.read("rendered/clusters/a/.netloom.json"), record);
    assert_eq!(check(&scratch, &two()), Vec::<String>::new());
}

#[test]
fn two_renders_at_once_take_turns() {
    let scratch = Scratch::new();
    let units =
        |round: usize| vec![unit("clusters/a", &[("x.yaml", &format!("x: {round}\n")), ("y.yaml", &format!("y: {round}\n"))])];
    std::thread::scope(|scope| {
        for round in 0..8 {
            let (scratch, units) = (&scratch, units(round));
            scope.spawn(move || render(scratch, &units));
        }
    });
    let winner = (0..8).filter(|round| check(&scratch, &units(*round)).is_empty()).count();
    assert_eq!(winner, 1);
    assert_eq!(scratch.tree("rendered").len(), 3);
}

#[test]
fn a_lock_that_is_not_given_up_is_told() {
    let scratch = Scratch::new();
    render(&scratch, &two());
    let open = || open_output(Folder::root(scratch.path()).unwrap(), "rendered").unwrap().unwrap();
    let (folder, other) = (open(), open());
    let exclusive = Lock::NonBlockingLockExclusive;
    lock(&other, exclusive, Duration::ZERO, &output(&scratch)).unwrap();
    let finding = lock(&folder, exclusive, Duration::from_millis(30), &output(&scratch)).unwrap_err();
    assert_eq!(finding.message, "another netloom is at work in `rendered`");
}

#[test]
fn what_the_disk_refuses_is_told_with_path_and_cause() {
    // Nobody, not even root, makes files here.
    let output = Output { root: Path::new("/proc/self"), folder: "rendered", foreign: &Foreign::default() };
    let findings = lines(&write(&output, &two(), Scope::All).unwrap_err().findings);
    assert_eq!(findings, ["output-write: cannot make the folder `rendered`: no such file or directory"]);
}
