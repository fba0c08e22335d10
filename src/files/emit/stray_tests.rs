//! What stands in the output and nothing renders is named, whatever it is and whatever stands beside it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::tests::{check, output, two, unit};
use super::*;
use testing::Scratch;
use tree::limits;

const PICKED_UP: &str = "is not rendered, but whatever syncs its folder may pick it up";
const HOLLOW: &str = "is an empty folder, as a clone has it where Git has a submodule";

fn rendered() -> Scratch {
    let scratch = Scratch::new();
    write(&output(&scratch), &two(), Scope::All).unwrap();
    scratch
}

fn folder(scratch: &Scratch, path: &str) {
    std::fs::create_dir_all(scratch.at(&format!("rendered/{path}"))).unwrap();
}

fn lines(findings: &[Diagnostic]) -> Vec<String> {
    findings.iter().map(|finding| format!("{}: {}", finding.code, finding.message)).collect()
}

fn render(scratch: &Scratch, units: &[Unit]) -> Vec<String> {
    lines(&write(&output(scratch), units, Scope::All).unwrap().findings)
}

/// What a comparison with a base tells that rendered nothing and has the files that are `stored`.
fn standing(scratch: &Scratch, foreign: &Foreign, stored: &[&str]) -> Vec<String> {
    let declared: BTreeSet<&str> = ["clusters/a", "networks/n"].into();
    let names = stored.iter().map(|path| path.as_bytes().to_vec()).collect();
    let stored = Stored { names: &names, unchanged: &|_| true };
    let standing = Listed::read(scratch.path(), "rendered").unwrap().beside(&names);
    lines(&standing.unrendered((scratch.path(), "rendered"), (&[], &declared), &stored, foreign).unwrap())
}

fn all(scratch: &Scratch) -> [(&'static str, Vec<String>); 3] {
    let compared = standing(scratch, &Foreign::none(), &[]);
    [("check", check(scratch, &two())), ("diff", compared), ("render", render(scratch, &two()))]
}

/// Whatever cannot be listed is named, and nothing beside it is silenced, in units and outside of them.
#[test]
fn what_cannot_be_listed_silences_nothing() {
    let deep = ["d"; limits::PATH_DEPTH + 6].join("/");
    for place in ["", "clusters/", "clusters/theirs/", "clusters/a/", "networks/n/x/"] {
        let scratch = rendered();
        scratch.write(&format!("rendered/{place}{deep}/x.txt"), "mine\n");
        let others = ["evil.yaml", "clusters/a/evil.yaml", "clusters/b/evil.yaml", "networks/n/evil.yaml", "zz/evil.yaml"];
        others.iter().for_each(|path| scratch.write(&format!("rendered/{path}"), "mine\n"));
        for (command, told) in all(&scratch) {
            for path in others {
                let line = format!("output-unrendered: `rendered/{path}` {PICKED_UP}");
                assert!(told.contains(&line), "{command} {place}: {told:#?}");
            }
            let closed: Vec<_> = told.iter().filter(|line| line.ends_with("cannot be looked into")).collect();
            assert!(
                closed.len() == 1 && closed[0].starts_with(&format!("output-unrendered: `rendered/{place}d/d/")),
                "{told:#?}"
            );
        }
        // It stays, also when the unit that it stands in changes, and when there is no unit any more.
        for units in [vec![unit("clusters/a", &[("README.md", "new\n")])], Vec::new()] {
            render(&scratch, &units);
            assert_eq!(scratch.read(&format!("rendered/{place}{deep}/x.txt")), "mine\n");
        }
    }
}

/// A record that is none is told, and the other units with it.
#[test]
fn a_bad_record_silences_nothing() {
    let scratch = rendered();
    scratch.write("rendered/clusters/a/.netloom.json", "x");
    ["networks/n/evil.yaml", "evil.yaml"].iter().for_each(|path| scratch.write(&format!("rendered/{path}"), "mine\n"));
    for told in [check(&scratch, &two()), standing(&scratch, &Foreign::none(), &[])] {
        assert!(told.iter().any(|line| line.starts_with("output-record: ")), "{told:#?}");
        for path in ["networks/n/evil.yaml", "evil.yaml"] {
            assert!(told.contains(&format!("output-unrendered: `rendered/{path}` {PICKED_UP}")), "{told:#?}");
        }
    }
}

/// Git has no empty folder; where a clone has one, it has a submodule.
#[test]
fn an_empty_folder_is_named() {
    let cases = [
        ("evil", "evil"),
        ("evil/with/more", "evil"),
        ("clusters/evil", "clusters/evil"),
        ("clusters/not a unit", "clusters/not a unit"),
        ("clusters/a/kubernetes/extra", "clusters/a/kubernetes/extra"),
        ("clusters/a/kubernetes/extra/more", "clusters/a/kubernetes/extra"),
        ("networks/n/x/y", "networks/n/x"),
    ];
    for (path, told) in cases {
        let scratch = rendered();
        folder(&scratch, path);
        let expected = [format!("output-unrendered: `rendered/{told}` {HOLLOW}")];
        for (command, told) in all(&scratch) {
            let told: Vec<_> = told.into_iter().filter(|line| line.contains(HOLLOW)).collect();
            assert_eq!(told, expected, "{command} {path}");
        }
        let foreign = Foreign::new(&[format!("/{told}/")]).unwrap();
        assert!(compare(&Output { foreign: &foreign, ..output(&scratch) }, &two(), Scope::All).is_empty(), "{path}");
        // Where a unit changes, it goes; what is told then stands there.
        let units = [unit("clusters/a", &[("README.md", "new\n")]), unit("networks/n", &[("n.yaml", "n: 2\n")])];
        let left = render(&scratch, &units);
        assert_eq!(left.is_empty(), !scratch.at(&format!("rendered/{told}")).exists(), "{path}: {left:?}");
        assert_eq!(check(&scratch, &units), left, "{path}");
    }
}

#[test]
fn a_folder_of_units_is_not_left_empty() {
    let scratch = rendered();
    render(&scratch, &two()[..1]);
    assert!(!scratch.at("rendered/networks").exists());
    folder(&scratch, "networks");
    assert_eq!(check(&scratch, &two()[..1]), [format!("output-unrendered: `rendered/networks` {HOLLOW}")]);
    assert_eq!(render(&scratch, &two()[..1]), [""; 0]);
    assert!(!scratch.at("rendered/networks").exists());
}

/// Folders that wait for what is rendered are no news beside the files that are missing.
#[test]
fn a_missing_file_is_told_without_its_folder() {
    let scratch = rendered();
    std::fs::remove_file(scratch.at("rendered/clusters/a/kubernetes/cni/x.yaml")).unwrap();
    assert_eq!(check(&scratch, &two()), ["output-missing: `rendered/clusters/a/kubernetes/cni/x.yaml` is not there"]);
    assert_eq!(render(&scratch, &two()), [""; 0]);
}

/// A repository of its own: Git carries nothing of what stands in it.
#[test]
fn a_repository_in_the_output_hides_nothing() {
    for place in ["clusters/a/", "clusters/a/kubernetes/", "clusters/theirs/", "deep/er/"] {
        for git in [".git", ".git/HEAD", ".GIT"] {
            let scratch = rendered();
            scratch.write(&format!("rendered/{place}{git}"), "gitdir: ../x\n");
            assert_eq!(check(&scratch, &two()), [format!("output-unrendered: `rendered/{place}{git}` {PICKED_UP}")]);
        }
    }
    // The output, or all clusters, may be one on purpose; what stands beside it is named.
    for place in ["", "clusters/"] {
        let scratch = rendered();
        scratch.write(&format!("rendered/{place}.git"), "gitdir: ../x\n");
        scratch.write(&format!("rendered/{place}evil.yaml"), "mine\n");
        assert_eq!(check(&scratch, &two()), [format!("output-unrendered: `rendered/{place}evil.yaml` {PICKED_UP}")]);
    }
}

#[test]
fn names_that_are_no_text_are_told_apart() {
    let scratch = rendered();
    for byte in [0xfe, 0xff] {
        let name = [b"rendered/clusters/a/x", [byte].as_slice(), b".yaml"].concat();
        std::fs::write(scratch.path().join(OsStr::from_bytes(&name)), "mine\n").unwrap();
    }
    let expected = ["fe", "ff"].map(|byte| format!("output-unrendered: `rendered/clusters/a/x\\x{byte}.yaml` {PICKED_UP}"));
    for (command, told) in all(&scratch) {
        assert!(expected.iter().all(|line| told.contains(line)), "{command}: {told:#?}");
    }
}

fn record(files: &[(&str, &str)]) -> String {
    super::record(&files.iter().map(|(path, text)| Artifact::new(*path, *text)).collect::<Vec<_>>())
}

/// Whatever a record says, what is others' on purpose is not netloom's: it is neither left over nor edited, and stays.
#[test]
fn a_record_says_nothing_of_what_is_others() {
    let files = ["clusters/flux-system/gotk.yaml", "clusters/a/flux-system/sync.yaml", "clusters/old/keep.yaml"];
    let patterns = ["/clusters/flux-system/", "clusters/*/flux-system/**", "/clusters/old/keep.yaml"].map(ToOwned::to_owned);
    let foreign = Foreign::new(&patterns).unwrap();
    for text in ["mine\n", "mine, edited\n"] {
        let scratch = rendered();
        files.iter().for_each(|path| scratch.write(&format!("rendered/{path}"), text));
        scratch.write("rendered/clusters/flux-system/.netloom.json", record(&[("gotk.yaml", "mine\n")]));
        scratch.write("rendered/clusters/old/.netloom.json", record(&[("keep.yaml", "mine\n"), ("gone.yaml", "x\n")]));
        scratch.write("rendered/clusters/old/gone.yaml", "x\n");
        let old = [("README.md", "a\n"), ("kubernetes/cni/x.yaml", "x: 1\n"), ("flux-system/sync.yaml", "mine\n")];
        scratch.write("rendered/clusters/a/.netloom.json", record(&old));
        let output = Output { foreign: &foreign, ..output(&scratch) };
        assert_eq!(
            lines(&compare(&output, &two(), Scope::All)),
            [
                "output-different: `rendered/clusters/a/.netloom.json` does not say what is in the folder",
                "output-orphaned: `rendered/clusters/old` belongs to no declaration",
            ]
        );
        let summary = write(&output, &two(), Scope::All).unwrap();
        assert_eq!(lines(&summary.findings), [""; 0]);
        files.iter().for_each(|path| assert_eq!(scratch.read(&format!("rendered/{path}")), text));
        assert!(
            !scratch.at("rendered/clusters/old/gone.yaml").exists()
                && !scratch.at("rendered/clusters/old/.netloom.json").exists()
        );
        assert_eq!(lines(&compare(&output, &two(), Scope::All)), [""; 0]);
    }
}

/// A record counts where netloom can have left it: for units that are declared, and for those that the base has.
#[test]
fn a_record_in_a_folder_of_nobody_is_a_stray() {
    let scratch = rendered();
    scratch.write("rendered/clusters/evil/.netloom.json", record(&[("evil.yaml", "x\n")]));
    scratch.write("rendered/clusters/evil/evil.yaml", "x\n");
    let strays =
        [".netloom.json", "evil.yaml"].map(|name| format!("output-unrendered: `rendered/clusters/evil/{name}` {PICKED_UP}"));
    let none = Foreign::none();
    assert_eq!(standing(&scratch, &none, &[]), strays);
    assert_eq!(standing(&scratch, &none, &["clusters/evil/.netloom.json"]), strays[1..]);
    assert_eq!(standing(&scratch, &none, &["clusters/evil/.netloom.json", "clusters/evil/evil.yaml"]), [""; 0]);
    assert_eq!(standing(&scratch, &Foreign::new(&["/clusters/evil/".to_owned()]).unwrap(), &[]), [""; 0]);
}
