//! `netloom check --staged`: what it looks at, and that this is enough.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files are laid out here; what cannot be set up has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Output;

use repository::{Repository, code};

mod repository;

const MADE: &str = "local sizes = import 'sizes.libsonnet';
local spec(name) = {network: 'wan', kubernetesVersion: '1.33', networking: {flannel: {}}, nodes: {max: sizes[name]}};
[
  {apiVersion: 'netloom.dev/v1alpha1', kind: 'Cluster', metadata: {name: name, labels: {env: 'dev'}}, spec: spec(name)}
  for name in ['m', 'n']
]
";

const HEAD: &str = "apiVersion: netloom.dev/v1alpha1\nkind: ";

/// A fleet with everything that a unit can depend on.
///
/// `a` and `b` run in one network, `c` names a file, `d` has an overlay that opens files by names that it computes, `m` and `n` come
/// from a program, and `production` has a program that imports another one.
fn fleet(name: &str) -> Repository {
    let repository = Repository::new(name);
    let write = |path: &str, text: &str| repository.write(path, text);
    let cluster = |name: &str, network: &str, labels: &str, more: &str| {
        let spec = format!("spec:\n  network: {network}\n  kubernetesVersion: \"1.33\"\n  networking: {{flannel: {{}}}}\n{more}");
        let metadata = format!("metadata: {{name: {name}, labels: {{{labels}}}}}");
        write(&format!("declarations/{name}.yaml"), &format!("{HEAD}Cluster\n{metadata}\n{spec}"));
    };
    let overlay = |name: &str, spec: &str| {
        write(&format!("overlays/{name}/overlay.yaml"), &format!("{HEAD}Overlay\nmetadata: {{name: {name}}}\nspec:\n{spec}"));
    };
    let object = |name: &str, data: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: default}}\ndata: {{text: {data}}}\n")
    };
    let layers = "    - overlay: base\n    - overlay: production\n      clusters: {matchLabels: {env: prod}}\n";
    write("netloom.yaml", &format!("{HEAD}Project\nmetadata: {{name: fleet}}\nspec:\n  layers:\n{layers}"));
    for (name, range) in [("lan", "10.0.0.0/16"), ("wan", "10.1.0.0/16")] {
        let network = format!("{HEAD}Network\nmetadata: {{name: {name}}}\nspec: {{static: {{cidr: {range}}}}}\n");
        write(&format!("declarations/{name}.yaml"), &network);
    }
    let aws = "spec:\n  aws:\n    region: us-west-2\n    zones: [us-west-2a]\n    topology: public\n";
    write("declarations/vpc.yaml", &format!("{HEAD}Network\nmetadata: {{name: vpc}}\n{aws}"));
    cluster("a", "lan", "env: prod", "");
    cluster("b", "lan", "env: dev", "");
    cluster("c", "wan", "env: dev", "  dns: {nodeLocalCache: {coreFile: overlays/files/Corefile}}\n");
    cluster("d", "wan", "env: dev", "  overlays: [opener]\n");
    cluster("e", "vpc", "env: dev", "");
    write("declarations/made.jsonnet", MADE);
    write("declarations/sizes.libsonnet", "{\n  m: 10,\n  n: 20,\n}\n");
    overlay("base", "  resources: [quota.yaml]\n");
    write("overlays/base/quota.yaml", &object("quota", "'{{ cluster.nodes.max|string }}'"));
    overlay("production", "  resources: [limits.jsonnet]\n  patches: [{path: ../shared/patch.yaml}]\n");
    let program = "local limits = import '../lib/limits.libsonnet';\nfunction(ctx) limits\n";
    write("overlays/production/limits.jsonnet", program);
    let json = "apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'limits', namespace: 'default'}, data: {text: 'one'}";
    write("overlays/lib/limits.libsonnet", &format!("{{{json}}}\n"));
    write("overlays/shared/patch.yaml", &object("quota", "patched"));
    overlay("opener", "  resources: [motd.yaml]\n");
    write("overlays/opener/motd.yaml", &object("motd", "\"{{ file('overlays/motd/' ~ cluster.name) }}\""));
    write("overlays/motd/d", "Hello\n");
    write("overlays/files/Corefile", ".:53 {\n  bind 169.254.20.10\n  health 169.254.20.10:8080\n  forward . 1.1.1.1\n}\n");
    write("policies/README.md", "What we ask for.\n");
    // What was wrong before is not the commit's.
    assert_eq!(code(&repository.netloom(&["render"])), 0, "{}", repository.tell(&repository.netloom(&["render"])));
    write("rendered/clusters/e/README.md", "By hand.\n");
    repository.commit("one");
    repository
}

fn staged(repository: &Repository) -> serde_json::Value {
    let output = repository.netloom(&["check", "--staged", "--format", "json"]);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", repository.tell(&output)))
}

/// The units that were looked at, by their last names; networks with a `/`.
fn units(report: &serde_json::Value) -> String {
    let folder = |unit: &serde_json::Value| unit["folder"].as_str().unwrap().replace("clusters/", "").replace("networks/", "/");
    let mut units: Vec<String> = report["units"].as_array().unwrap().iter().map(folder).collect();
    units.sort();
    units.join(" ")
}

#[test]
fn exactly_what_a_change_reaches_is_compiled() {
    let repository = fleet("reach");
    let edits = [
        ("a cluster", "declarations/b.yaml (edit)", "spec:=> spec:\\n  nodes: {max: 7}", "b"),
        ("a comment", "declarations/b.yaml (edit)", "spec:=> # Nothing.\\nspec:", ""),
        ("a network of two clusters", "declarations/lan.yaml (edit)", "10.0.0.0/16 => 10.0.0.0/15", "a b"),
        ("a network that is created", "declarations/vpc.yaml (edit)", "[us-west-2a] => [us-west-2a, us-west-2b]", "/vpc e"),
        ("a cluster's labels", "declarations/b.yaml (edit)", "env: dev => env: prod", "b"),
        ("a cluster that goes", "declarations/b.yaml (removed)", "", ""),
        ("the program of two clusters, in one", "declarations/sizes.libsonnet (edit)", "n: 20 => n: 21", "n"),
        ("the program itself", "declarations/made.jsonnet (edit)", "'1.33' => '1.34'", "m n"),
        ("an overlay that all have", "overlays/base/quota.yaml (edit)", "text: => more: one, text:", "a b c d e m n"),
        ("one that production has", "overlays/production/overlay.yaml (edit)", "spec: => spec:\\n  values: {}", "a d"),
        ("a program that one imports", "overlays/lib/limits.libsonnet (edit)", "'one' => 'two'", "a d"),
        ("a patch of another folder", "overlays/shared/patch.yaml (edit)", "patched => again", "a d"),
        ("a file that an option names", "overlays/files/Corefile (edit)", "1.1.1.1 => 9.9.9.9", "c d"),
        ("a file with a computed name", "overlays/motd/d (edit)", "Hello => Good morning", "d"),
        ("a policy", "policies/README.md (edit)", "ask => wish", "/vpc a b c d e m n"),
        ("the project", "netloom.yaml (edit)", "spec: => spec:\\n  rules: {vpc-endpoints: note}", "/vpc a b c d e m n"),
        ("a layer of some", "netloom.yaml (edit)", "env: prod => env: gone", "a"),
        ("a rendered file", "rendered/clusters/c/README.md (edit)", "=> By hand.", "c"),
        ("a rendered file that goes", "rendered/networks/vpc/cloudformation/network.template.yaml (removed)", "", "/vpc"),
        ("a record", "rendered/clusters/m/.netloom.json (edit)", "=> ", "m"),
        ("a file of somebody else's", "notes.txt", "x\n", ""),
    ];
    let mut wrong = Vec::new();
    for (what, name, text, expected) in edits {
        repository.apply(name, text);
        repository.git(&["add", "-A"]);
        let found = units(&staged(&repository));
        if found != expected {
            wrong.push(format!("{what}: {found:?} instead of {expected:?}"));
        }
        repository.git(&["reset", "-q", "--hard"]);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A policy sees the MTU of a network that routes lead to.
#[test]
fn the_other_end_of_a_route_counts() {
    let repository = fleet("peers");
    let subnet = "{name: p, zone: us-west-2a, type: private, cidr: 10.8.0.0/24, egress: tgw-1, \
        additionalRoutes: [{cidr: 10.9.0.0/16, target: tgw-1}]}";
    let aws = format!("{{region: us-west-2, cidr: 10.8.0.0/16, zones: [us-west-2a], topology: private, subnets: [{subnet}]}}");
    repository.write("declarations/near.yaml", &format!("{HEAD}Network\nmetadata: {{name: near}}\nspec: {{aws: {aws}}}\n"));
    let far = format!("{HEAD}Network\nmetadata: {{name: far}}\nspec: {{mtu: 1500, static: {{cidr: 10.9.0.0/16}}}}\n");
    repository.write("declarations/far.yaml", &far);
    assert_eq!(code(&repository.netloom(&["render"])), 0, "{}", repository.tell(&repository.netloom(&["render"])));
    repository.commit("two");
    repository.apply("declarations/far.yaml (edit)", "1500 => 1400");
    repository.git(&["add", "-A"]);
    assert_eq!(units(&staged(&repository)), "/near");
}

#[test]
fn the_commit_is_what_is_staged() {
    let repository = fleet("index");
    let check = || {
        let output = repository.netloom(&["check", "--staged"]);
        (code(&output), repository.tell(&output))
    };
    repository.apply("declarations/b.yaml (edit)", "env: dev => env: prod");
    repository.netloom(&["render"]);
    let (exit, text) = check();
    // Nothing is staged: everything that is stored is checked, and what was wrong before is found.
    assert_eq!((exit, text.matches("was changed by hand").count()), (1, 1), "{text}");
    repository.git(&["add", "declarations"]);
    let (exit, text) = check();
    assert_eq!(exit, 1, "{text}");
    assert!(text.contains("`rendered/clusters/b/kubernetes/production/configmap-default.limits.yaml` is not there"), "{text}");
    assert!(text.contains("help: what is not staged is not looked at: `git add` what was rendered"), "{text}");
    repository.git(&["add", "rendered/clusters/b"]);
    let (exit, text) = check();
    assert_eq!((exit, text.contains("clean: 1 unit, ") && text.contains("; 7 units as in HEAD")), (0, true), "{text}");
    // What is in the folder and not staged does not count.
    repository.write("declarations/broken.yaml", "a: [\n");
    repository.apply("declarations/a.yaml (edit)", "spec: => nonsense:");
    assert_eq!(check().0, 0);
    repository.git(&["add", "declarations/broken.yaml"]);
    assert_eq!(check().0, 1);
}

#[test]
fn names_are_found_taken_wherever_they_are() {
    let repository = fleet("names");
    let text = fs::read_to_string(repository.0.join("declarations/b.yaml")).unwrap();
    repository.write("declarations/other.yaml", &text.replace("name: b", "name: n"));
    repository.git(&["add", "-A"]);
    let text = repository.tell(&repository.netloom(&["check", "--staged"]));
    assert!(text.contains("the name `n` is taken"), "{text}");
}

#[test]
fn the_hook_of_git_sees_what_the_commit_takes() {
    let repository = fleet("hook");
    let hook = repository.0.join(".git/hooks/pre-commit");
    repository.write(".git/hooks/pre-commit", &format!("#!/bin/sh\nexec {} check --staged\n", env!("CARGO_BIN_EXE_netloom")));
    std::process::Command::new("chmod").arg("+x").arg(&hook).status().unwrap();
    let commit = |arguments: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.args(["-c", "user.name=n", "-c", "user.email=n@example.com", "commit", "-q", "-m", "x"]).args(arguments);
        command.current_dir(&repository.0).env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap()
    };
    repository.apply("declarations/b.yaml (edit)", "spec: => spec:\\n  nodes: {max: 7}");
    let refused = commit(&["-a"]);
    let text = repository.tell(&refused);
    assert!(text.contains("is not what the declarations make"), "{text}");
    assert!(!commit(&["declarations/b.yaml"]).status.success());
    repository.netloom(&["render"]);
    repository.git(&["checkout", "-q", "rendered/clusters/e"]);
    let done = commit(&["declarations/b.yaml", "rendered/clusters/b"]);
    assert!(done.status.success(), "{}", repository.tell(&done));
}

#[test]
fn a_first_commit_is_checked_as_a_whole() {
    let repository = fleet("first");
    repository.git(&["update-ref", "-d", "HEAD"]);
    let report = staged(&repository);
    assert_eq!(units(&report), "/vpc a b c d e m n");
    assert_eq!(report["findings"].as_array().unwrap().iter().filter(|one| one["code"] == "output-edited").count(), 1);
}

/// What the whole check finds and the narrowed one does not was there before the commit, for edits that nobody has thought of.
#[test]
fn nothing_that_a_commit_causes_is_missed() {
    let repository = fleet("property");
    let before = findings(&repository.netloom(&["check", "--format", "json"]));
    assert!(!before.is_empty());
    let mut random = Random(7);
    let files: Vec<String> = repository.git(&["ls-files"]).lines().map(ToOwned::to_owned).collect();
    let (inputs, outputs): (Vec<_>, Vec<_>) = files.iter().partition(|path| !path.starts_with("rendered/"));
    for round in 0..40 {
        let path = if random.below(4) == 0 { random.of(&outputs) } else { random.of(&inputs) };
        let text = fs::read_to_string(repository.0.join(path)).unwrap();
        let edited = edit(&text, &mut random);
        match &edited {
            Some(text) => repository.write(path, text),
            None => fs::remove_file(repository.0.join(path)).unwrap(),
        }
        if random.below(2) == 0 {
            repository.netloom(&["render"]);
        }
        repository.git(&["add", "-A"]);
        if !repository.git(&["status", "--porcelain"]).is_empty() {
            let all = findings(&repository.netloom(&["check", "--format", "json"]));
            let narrow = findings(&repository.netloom(&["check", "--staged", "--format", "json"]));
            let context = || format!("round {round}, {path}:\n{}", edited.as_deref().unwrap_or("(removed)"));
            let missed: Vec<_> = all.iter().filter(|one| !narrow.contains(*one) && !before.contains(*one)).collect();
            assert!(missed.is_empty(), "missed {missed:#?} in {}", context());
            let extra: Vec<_> = narrow.difference(&all).collect();
            assert!(extra.is_empty(), "more than there is: {extra:#?} in {}", context());
        }
        repository.git(&["reset", "-q", "--hard"]);
    }
}

/// Findings by what they are and say; lines move.
fn findings(output: &Output) -> BTreeSet<(String, String)> {
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    // A folder is called by its path, a commit is not.
    let text = |finding: &serde_json::Value, key: &str| {
        let text = finding[key].as_str().unwrap();
        text.split(" in `/").next().unwrap().trim_end_matches(" in the commit").to_owned()
    };
    document["findings"].as_array().unwrap().iter().map(|one| (text(one, "code"), text(one, "message"))).collect()
}

/// An edit of a text as a slip makes it; none when the file goes.
fn edit(text: &str, random: &mut Random) -> Option<String> {
    let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
    let at = random.below(lines.len().max(1));
    let line = lines.get(at).cloned().unwrap_or_default();
    match random.below(5) {
        0 => return None,
        1 if !lines.is_empty() => drop(lines.remove(at)),
        2 => lines.insert(at, line),
        3 => lines.push("# A remark.".to_owned()),
        _ => {
            let digit = char::from(b'0' + u8::try_from(random.below(10)).unwrap());
            let changed = match line.rfind(|c: char| c.is_ascii_digit()) {
                Some(place) => format!("{}{digit}{}", &line[..place], &line[place + 1..]),
                None => line.replacen('a', "b", 1),
            };
            lines.iter_mut().skip(at).take(1).for_each(|line| line.clone_from(&changed));
        }
    }
    Some(lines.join("\n") + "\n")
}

/// Numbers that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

#[test]
fn a_folder_without_project_says_so() {
    let repository = Repository::new("bare");
    repository.write("x", "x\n");
    repository.git(&["add", "-A"]);
    let output = repository.netloom(&["check", "--staged"]);
    assert_eq!((code(&output), repository.tell(&output).contains("there is no `netloom.yaml`")), (2, true));
    assert!(!Path::new("rendered").exists());
}
