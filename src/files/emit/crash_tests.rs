//! Every step of a write fails, or is the last one, in turn; nothing is lost, and the next render heals.

use std::collections::BTreeMap;

use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

use super::tests::{self, output, unit};
use super::*;
use crate::paths::faults::Faults;
use testing::Scratch;

type Tree = BTreeMap<String, String>;

/// A render of `after` over a folder where `before` was rendered, with files of the user's own in it.
struct Scenario {
    before: Vec<Unit>,
    own: &'static [(&'static str, &'static str)],
    after: Vec<Unit>,
}

/// Where a unit of that name is, they are; removed with the others in it they are the user's alone.
const NOTE: &[(&str, &str)] = &[("clusters/a/kubernetes/note.txt", "mine\n"), ("clusters/a/b/note.txt", "mine\n")];

fn scenarios() -> Vec<Scenario> {
    let old = || {
        vec![unit(
            "clusters/a",
            &[("README.md", "same\n"), ("kubernetes/x.yaml", "x: 1\n"), ("gone/y.yaml", "y: 1\n"), ("b/c", "c\n")],
        )]
    };
    let new = || {
        vec![unit(
            "clusters/a",
            &[("README.md", "same\n"), ("kubernetes/x.yaml", "x: 2\n"), ("new/z.yaml", "z: 1\n"), ("b/d", "d\n")],
        )]
    };
    let one = |name: &str, version: u8| {
        vec![unit(&format!("clusters/{name}"), &[("README.md", "same\n"), ("kubernetes/x.yaml", &format!("x: {version}\n"))])]
    };
    let moved = || vec![unit("clusters/a", &[("README.md/x", "x\n"), ("gone", "file\n")])];
    vec![
        Scenario { before: Vec::new(), own: &[], after: new() },
        Scenario { before: old(), own: NOTE, after: new() },
        Scenario { before: old(), own: &[], after: moved() },
        Scenario { before: old(), own: &[], after: Vec::new() },
        Scenario { before: old(), own: NOTE, after: Vec::new() },
        // Renamed, with another one that changes; one added; two removed while one changes.
        Scenario { before: [old(), one("b", 1)].concat(), own: &[], after: [one("renamed", 1), one("b", 2)].concat() },
        Scenario { before: old(), own: NOTE, after: [old(), vec![unit("networks/n", &[("n.yaml", "n\n")])]].concat() },
        Scenario { before: [old(), one("b", 1), one("c", 1)].concat(), own: NOTE, after: one("b", 2) },
    ]
}

impl Scenario {
    fn prepare(&self) -> Scratch {
        let scratch = Scratch::new();
        scratch.write("rendered/clusters/README.md", "mine\n");
        write(&output(&scratch), &self.before, Scope::All).unwrap();
        self.own.iter().for_each(|(path, text)| scratch.write(&format!("rendered/{path}"), text));
        scratch
    }

    fn run(&self, scratch: &Scratch, faults: Faults) -> (std::result::Result<Summary, Unwritten>, bool) {
        let disk = Disk { faults };
        let result = write_with(&disk, &output(scratch), &self.after, Scope::All);
        (result, disk.faults.was_hit())
    }

    /// The folder before, and after a render that nothing disturbs.
    fn ends(&self) -> (Tree, Tree) {
        let scratch = self.prepare();
        let before = scratch.tree("rendered");
        self.run(&scratch, Faults::default()).0.unwrap();
        (before, scratch.tree("rendered"))
    }

    fn heal(&self, scratch: &Scratch, after: &Tree, case: &str) {
        self.run(scratch, Faults::default()).0.unwrap_or_else(|findings| panic!("{case}: {findings:?}"));
        assert_eq!(scratch.tree("rendered"), *after, "{case}: healed");
        assert_eq!(check(scratch, &self.after), Vec::<String>::new(), "{case}: check after healing");
    }
}

/// What a comparison finds, but for the user's own notes.
fn check(scratch: &Scratch, units: &[Unit]) -> Vec<String> {
    tests::check(scratch, units).into_iter().filter(|line| !line.starts_with("output-unrelated: ")).collect()
}

/// The folders and files below `rendered`, with texts: what `git status` and `find` see.
fn everything(scratch: &Scratch) -> Tree {
    let base = scratch.at("rendered");
    let entries = walkdir::WalkDir::new(&base).into_iter().filter_map(std::result::Result::ok);
    let text = |entry: &walkdir::DirEntry| std::fs::read_to_string(entry.path()).unwrap_or_else(|_| "folder".to_owned());
    entries.map(|entry| (entry.path().strip_prefix(&base).unwrap().display().to_string(), text(&entry))).collect()
}

/// The part of a tree that is not the trace of an interrupted render.
fn units(tree: &Tree) -> Tree {
    tree.iter().filter(|(path, _)| !path.contains(".netloom-")).map(|(path, text)| (path.clone(), text.clone())).collect()
}

fn has_trace(tree: &Tree, scratch: &Scratch) -> bool {
    let groups = ["clusters", "networks"].map(|group| std::fs::read_dir(scratch.at(&format!("rendered/{group}"))));
    let names = groups.into_iter().filter_map(std::result::Result::ok).flatten().map(|entry| entry.unwrap().file_name());
    names.into_iter().any(|name| name.to_string_lossy().contains(".netloom-")) || units(tree).len() < tree.len()
}

/// The units of trees.
fn folders(trees: &[&Tree]) -> std::collections::BTreeSet<String> {
    let unit = |path: &String| path.splitn(3, '/').take(2).collect::<Vec<_>>().join("/") + "/";
    trees.iter().flat_map(|tree| tree.keys().map(unit)).collect()
}

/// What must hold after any stop or failure.
fn judge(scenario: &Scenario, scratch: &Scratch, (before, after): (&Tree, &Tree), exchange: bool, case: &str) {
    let tree = scratch.tree("rendered");
    let now = units(&tree);
    if exchange {
        for folder in folders(&[before, after, &now]) {
            let part = |tree: &Tree| {
                tree.iter().filter(|(path, _)| path.starts_with(&folder)).map(|(a, b)| (a.clone(), b.clone())).collect::<Tree>()
            };
            let unit = part(&now);
            assert!(unit == part(before) || unit == part(after), "{case}: `{folder}` is neither old nor new: {unit:?}");
        }
    }
    let told = check(scratch, &scenario.after);
    assert_eq!(has_trace(&tree, scratch), told.iter().any(|line| line.starts_with("output-interrupted")), "{case}: {told:?}");
    if now != *after {
        assert!(!told.is_empty(), "{case}: check is silent");
        for (path, text) in &now {
            let known = before.get(path) == Some(text) || after.get(path) == Some(text);
            assert!(known, "{case}: `{path}` is neither old nor new");
        }
    }
    for (path, text) in scenario.own.iter().chain(&[("clusters/README.md", "mine\n")]) {
        assert_eq!(now.get(*path).map(String::as_str), Some(*text), "{case}: `{path}` is lost");
    }
}

fn faults(exchange: bool, faults: Faults) -> Faults {
    if exchange { faults } else { faults.without_renames() }
}

#[test]
fn stopped_anywhere_the_output_is_old_or_new_and_the_next_render_heals() {
    for (index, scenario) in scenarios().iter().enumerate() {
        let (before, after) = scenario.ends();
        for exchange in [true, false] {
            let mut steps = 0;
            for at in 0.. {
                let case = format!("scenario {index}, exchange {exchange}, stopped at step {at}");
                let scratch = scenario.prepare();
                let (result, hit) = scenario.run(&scratch, faults(exchange, Faults::stop(at)));
                if !hit {
                    result.unwrap();
                    break;
                }
                steps = at;
                judge(scenario, &scratch, (&before, &after), exchange, &case);
                scenario.heal(&scratch, &after, &case);
            }
            assert!(steps >= 4, "scenario {index} has {steps} steps only");
        }
    }
}

#[test]
fn a_stop_while_healing_is_healed_too() {
    let scenario = &scenarios()[1];
    let (before, after) = scenario.ends();
    for exchange in [true, false] {
        'first: for first in (3..).step_by(8) {
            for second in 0.. {
                let case = format!("exchange {exchange}, stopped at steps {first} and {second}");
                let scratch = scenario.prepare();
                if !scenario.run(&scratch, faults(exchange, Faults::stop(first))).1 {
                    break 'first;
                }
                if !scenario.run(&scratch, faults(exchange, Faults::stop(second))).1 {
                    break;
                }
                judge(scenario, &scratch, (&before, &after), exchange, &case);
                scenario.heal(&scratch, &after, &case);
            }
        }
    }
}

#[test]
fn a_full_or_failing_disk_loses_nothing() {
    for (index, scenario) in scenarios().iter().enumerate() {
        let (before, after) = scenario.ends();
        for (exchange, error) in [(true, Errno::NOSPC), (true, Errno::IO), (false, Errno::NOSPC), (true, Errno::PERM)] {
            for at in 0.. {
                let case = format!("scenario {index}, exchange {exchange}, {error:?} at step {at}");
                let scratch = scenario.prepare();
                let old = everything(&scratch);
                let (result, hit) = scenario.run(&scratch, faults(exchange, Faults::fail(at, error)));
                if !hit {
                    break;
                }
                judge(scenario, &scratch, (&before, &after), exchange, &case);
                match result {
                    Ok(_) => assert_eq!(scratch.tree("rendered"), after, "{case}: success without result"),
                    Err(unwritten) => told(&scratch, &unwritten, (&old, &after), exchange, &case),
                }
                scenario.heal(&scratch, &after, &case);
            }
        }
    }
}

/// What a failed render says of what it did is what it did.
fn told(scratch: &Scratch, unwritten: &Unwritten, (old, after): (&Tree, &Tree), exchange: bool, case: &str) {
    let Unwritten { findings, extent } = unwritten;
    let text = &findings[0].message;
    assert!(findings[0].code == "output-write" && text.contains("rendered"), "{case}: {text}");
    match extent {
        Extent::Nothing => assert_eq!(everything(scratch), *old, "{case}: something was written"),
        Extent::Everything => assert_eq!(units(&scratch.tree("rendered")), *after, "{case}"),
        Extent::Part => {
            assert!(!exchange, "{case}: a single failure can be taken back");
            let last = findings.iter().find(|finding| finding.code == "output-partial").unwrap();
            assert!(last.message.contains("between old and new: `rendered/"), "{case}: {}", last.message);
        }
    }
}

#[test]
fn errors_name_path_and_cause() {
    let scenario = &scenarios()[1];
    let messages: Vec<_> = (0..12)
        .filter_map(|at| scenario.run(&scenario.prepare(), Faults::fail(at, Errno::NOSPC)).0.err())
        .map(|unwritten| unwritten.findings[0].message.clone())
        .collect();
    let expected = "cannot write `rendered/clusters/.render.netloom-staging/a/kubernetes/x.yaml`: no space left on device";
    assert!(messages.iter().any(|message| message == expected), "{messages:#?}");
}

/// The kernel refuses to write: the test runs itself again in a process that may only write small files.
#[test]
fn a_limit_of_the_system_loses_nothing() {
    if getrlimit(Resource::Fsize).current.is_some() {
        return write_more_than_allowed();
    }
    let name = "emit::crash_tests::a_limit_of_the_system_loses_nothing";
    let script = format!("trap '' XFSZ; ulimit -f 8; exec \"$0\" --exact {name}");
    let test = std::env::current_exe().unwrap();
    let output = std::process::Command::new("sh").args(["-c", &script]).arg(test).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

fn write_more_than_allowed() {
    let scratch = Scratch::new();
    let small = [unit("clusters/a", &[("x.yaml", "x: 1\n"), ("y.yaml", "y: 1\n")])];
    write(&output(&scratch), &small, Scope::All).unwrap();
    let before = scratch.tree("rendered");
    let large = [unit("clusters/a", &[("x.yaml", "x: 2\n"), ("y.yaml", &"y".repeat(100_000))])];
    let findings = write(&output(&scratch), &large, Scope::All).unwrap_err().findings;
    let expected = "cannot write `rendered/clusters/.render.netloom-staging/a/y.yaml`: file too large";
    assert_eq!((findings[0].code.as_ref(), findings[0].message.as_str()), ("output-write", expected));
    assert_eq!(scratch.tree("rendered"), before);
    assert_eq!(check(&scratch, &small), Vec::<String>::new());
}

/// A staging folder as a render makes it.
fn mark(scratch: &Scratch, folder: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(scratch.at(folder), std::fs::Permissions::from_mode(0o1755)).unwrap();
}

/// A file that somebody puts into the unit while it is being replaced is in the old folder when that is deleted.
#[test]
fn files_that_came_in_between_are_put_back() {
    let scratch = Scratch::new();
    let units = [unit("clusters/a", &[("x.yaml", "x\n")])];
    write(&output(&scratch), &units, Scope::All).unwrap();
    scratch.write("rendered/clusters/.render.netloom-staging/a/x.yaml", "x\n");
    scratch.write("rendered/clusters/.render.netloom-staging/a/deep/late.txt", "mine\n");
    mark(&scratch, "rendered/clusters/.render.netloom-staging");
    assert_eq!(check(&scratch, &units), ["output-interrupted: a render of `rendered/clusters/a` was stopped in the middle"]);
    write(&output(&scratch), &units, Scope::All).unwrap();
    let tree = scratch.tree("rendered/clusters");
    assert_eq!(tree.into_keys().collect::<Vec<_>>(), ["a/.netloom.json", "a/deep/late.txt", "a/x.yaml"]);
}

/// What a pull request plants under the names of staging folders is told, and nothing in it moves.
#[test]
fn planted_staging_folders_do_no_harm() {
    let elsewhere = Scratch::new();
    elsewhere.write("victim", "x\n");
    let hash = blake3::hash(b"x\n").to_hex();
    let units = [unit("clusters/a", &[("x.yaml", "x\n")])];
    let names = [".render.netloom-staging", ".netloom-staging", ".a.netloom-staging", ".evil.netloom-staging"];
    for (name, ready) in names.into_iter().flat_map(|name| [(name, false), (name, true)]) {
        let scratch = Scratch::new();
        let folder = format!("rendered/clusters/{name}");
        for unit in ["a", "evil", "."] {
            if ready {
                scratch.write(&format!("{folder}/{unit}/.netloom-ready"), "");
            }
            scratch.write(&format!("{folder}/{unit}/.netloom.json"), format!("{{\"files\": {{\"sub/victim\": \"{hash}\"}}}}"));
            scratch.write(&format!("{folder}/{unit}/sub/post-checkout"), "evil\n");
        }
        scratch.link("rendered/clusters/evil/sub", &elsewhere.path().display().to_string());
        let before = everything(&scratch);
        let expected =
            format!("output-planted: `rendered/clusters/{name}` looks like netloom's own, but netloom did not make it");
        let unwritten = write(&output(&scratch), &units, Scope::All).unwrap_err();
        assert_eq!(unwritten.extent, Extent::Nothing);
        assert_eq!(
            unwritten.findings.iter().map(|finding| format!("{}: {}", finding.code, finding.message)).collect::<Vec<_>>(),
            std::slice::from_ref(&expected)
        );
        assert_eq!(everything(&scratch), before);
        assert!(check(&scratch, &units).contains(&expected));
        assert_eq!(elsewhere.tree("").into_iter().collect::<Vec<_>>(), [("victim".to_owned(), "x\n".to_owned())]);

        let scratch = Scratch::new();
        scratch.link(&folder, &elsewhere.path().display().to_string());
        assert_eq!(write(&output(&scratch), &units, Scope::All).unwrap_err().findings[0].code, "output-planted");
    }
}

/// Even with the mark, which no commit can carry, nothing is moved or deleted through a link.
#[test]
fn links_in_marked_folders_lead_nowhere() {
    let elsewhere = Scratch::new();
    elsewhere.write("victim", "x\n");
    elsewhere.write("pre-push", "old\n");
    let (x, old) = (blake3::hash(b"x\n").to_hex(), blake3::hash(b"old\n").to_hex());
    let record = format!("{{\"files\": {{\"sub/victim\": \"{x}\", \"sub/pre-push\": \"{old}\"}}}}");
    let units = [unit("clusters/a", &[("x.yaml", "x\n")])];
    let before = elsewhere.tree("");
    for ready in [false, true] {
        for linked in [
            "rendered/clusters/evil/sub",
            "rendered/clusters/evil",
            "rendered/clusters/.render.netloom-staging/evil/sub",
            "rendered/clusters/.render.netloom-staging/evil",
        ] {
            let scratch = Scratch::new();
            let staged = "rendered/clusters/.render.netloom-staging/evil";
            scratch.link(linked, &elsewhere.path().display().to_string());
            if !linked.ends_with("staging/evil") {
                scratch.write(&format!("{staged}/.netloom.json"), record.replace("pre-push", "post-checkout"));
                if ready {
                    scratch.write(&format!("{staged}/.netloom-ready"), "");
                }
                if !linked.contains("staging") {
                    scratch.write(&format!("{staged}/sub/post-checkout"), "evil\n");
                }
            }
            if linked != "rendered/clusters/evil" {
                scratch.write("rendered/clusters/evil/.netloom.json", &record);
            }
            mark(&scratch, "rendered/clusters/.render.netloom-staging");
            _ = write(&output(&scratch), &units, Scope::All);
            assert_eq!(elsewhere.tree(""), before, "{linked}, ready {ready}");
        }
    }
}
