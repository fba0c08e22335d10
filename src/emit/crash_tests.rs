//! Every step of a write fails, or is the last one, in turn; nothing is lost, and the next render heals.

use std::collections::BTreeMap;

use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

use super::faults::Faults;
use super::tests::{check, output, unit};
use super::*;
use crate::scratch::Scratch;

type Tree = BTreeMap<String, String>;

/// A render of `after` over a folder where `before` was rendered, with files of the user's own in it.
struct Scenario {
    before: Vec<Unit>,
    own: &'static [(&'static str, &'static str)],
    after: Vec<Unit>,
}

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
    let moved = || vec![unit("clusters/a", &[("README.md/x", "x\n"), ("gone", "file\n")])];
    vec![
        Scenario { before: Vec::new(), own: &[], after: new() },
        Scenario { before: old(), own: NOTE, after: new() },
        Scenario { before: old(), own: &[], after: moved() },
        Scenario { before: old(), own: &[], after: Vec::new() },
        Scenario { before: old(), own: NOTE, after: Vec::new() },
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

    fn run(&self, scratch: &Scratch, faults: Faults) -> (std::result::Result<Summary, Vec<Diagnostic>>, bool) {
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

/// The part of a tree that is not the trace of an interrupted render.
fn units(tree: &Tree) -> Tree {
    tree.iter().filter(|(path, _)| !path.contains(".netloom-")).map(|(path, text)| (path.clone(), text.clone())).collect()
}

fn has_trace(tree: &Tree, scratch: &Scratch) -> bool {
    let names = std::fs::read_dir(scratch.at("rendered/clusters")).unwrap().map(|entry| entry.unwrap().file_name());
    names.into_iter().any(|name| name.to_string_lossy().contains(".netloom-")) || units(tree).len() < tree.len()
}

/// What must hold after any stop or failure.
fn judge(scenario: &Scenario, scratch: &Scratch, (before, after): (&Tree, &Tree), exchange: bool, case: &str) {
    let tree = scratch.tree("rendered");
    let now = units(&tree);
    if exchange {
        assert!(now == *before || now == *after, "{case}: neither old nor new: {now:?}");
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
                let (result, hit) = scenario.run(&scratch, faults(exchange, Faults::fail(at, error)));
                if !hit {
                    break;
                }
                judge(scenario, &scratch, (&before, &after), exchange, &case);
                let tree = scratch.tree("rendered");
                match result {
                    Ok(_) => assert_eq!(tree, after, "{case}: success without result"),
                    Err(findings) => {
                        let text = &findings[0].message;
                        assert!(findings[0].code == "output-write" && text.contains("rendered"), "{case}: {text}");
                        let old = units(&tree) == before;
                        assert!(!exchange || !old || !has_trace(&tree, &scratch), "{case}: staging left behind");
                    }
                }
                scenario.heal(&scratch, &after, &case);
            }
        }
    }
}

#[test]
fn errors_name_path_and_cause() {
    let scenario = &scenarios()[1];
    let messages: Vec<_> = (0..12)
        .filter_map(|at| scenario.run(&scenario.prepare(), Faults::fail(at, Errno::NOSPC)).0.err())
        .map(|findings| findings[0].message.clone())
        .collect();
    let expected = "cannot write `rendered/clusters/.a.netloom-staging/kubernetes/x.yaml`: no space left on device";
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
    let findings = write(&output(&scratch), &large, Scope::All).unwrap_err();
    let expected = "cannot write `rendered/clusters/.a.netloom-staging/y.yaml`: file too large";
    assert_eq!((findings[0].code.as_ref(), findings[0].message.as_str()), ("output-write", expected));
    assert_eq!(scratch.tree("rendered"), before);
    assert_eq!(check(&scratch, &small), Vec::<String>::new());
}

/// A file that somebody puts into the unit while it is being replaced is in the old folder when that is deleted.
#[test]
fn files_that_came_in_between_are_put_back() {
    let scratch = Scratch::new();
    let units = [unit("clusters/a", &[("x.yaml", "x\n")])];
    write(&output(&scratch), &units, Scope::All).unwrap();
    scratch.write("rendered/clusters/.a.netloom-staging/x.yaml", "x\n");
    scratch.write("rendered/clusters/.a.netloom-staging/deep/late.txt", "mine\n");
    assert_eq!(check(&scratch, &units), ["output-interrupted: a render of `rendered/clusters/a` was stopped in the middle"]);
    write(&output(&scratch), &units, Scope::All).unwrap();
    let tree = scratch.tree("rendered/clusters");
    assert_eq!(tree.into_keys().collect::<Vec<_>>(), ["a/.netloom.json", "a/deep/late.txt", "a/x.yaml"]);
}

/// What a pull request plants under the names of staging folders leads nowhere.
#[test]
fn planted_staging_folders_do_no_harm() {
    let elsewhere = Scratch::new();
    elsewhere.write("victim", "x\n");
    let hash = blake3::hash(b"x\n").to_hex();
    let units = [unit("clusters/a", &[("x.yaml", "x\n")])];
    let folder = "rendered/clusters/.a.netloom-staging";
    for ready in [false, true] {
        let scratch = Scratch::new();
        if ready {
            scratch.write(&format!("{folder}/.netloom-ready"), "");
        }
        scratch.write(&format!("{folder}/.netloom.json"), format!("{{\"files\": {{\"link/victim\": \"{hash}\"}}}}"));
        scratch.link(&format!("{folder}/link"), &elsewhere.path().display().to_string());
        write(&output(&scratch), &units, Scope::All).unwrap();
        assert_eq!(elsewhere.read("victim"), "x\n");

        let scratch = Scratch::new();
        scratch.link(folder, &elsewhere.path().display().to_string());
        let findings = write(&output(&scratch), &units, Scope::All).unwrap_err();
        assert_eq!(findings[0].code, "output-unsafe");
        assert_eq!(elsewhere.read("victim"), "x\n");
    }
}
