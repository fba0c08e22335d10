//! Ways to take back or weaken a rule in the change that breaks it, each beside its neighbours that do neither: what the base says.
//!
//! A file below `tests/cases/judge/` is a list of changes to the project in `tests/cases/judge/base`, which is the base of each:
//! ```text
//! # What they are about.
//! -- overlays/a/overlay.yaml --         what the base of all of them has beside that
//! === what the change does
//! -- declarations/d.yaml --             what the base of this one has, too; left out, with the line that ends it, when there is no more
//! -- changed --
//! -- netloom.yaml (edit) --             texts it replaces where they stand first, `old => new` with `\n`, a line each
//! -- declarations/c.yaml --             a file it writes
//! -- overlays/house (removed) --        a file or folder
//! -- overlays/house (moved) --
//! overlays/home
//! -- judged --                          from here on what is expected: exit codes of `check --base main`, of the same with every
//! 1 0 1                                 code of an objection allowed, and of `diff --base main --exit-code`; then the objections,
//! error[weaker] netloom.yaml:6:3 …      with the code that allows each, and the errors that `check` finds beside them
//! ```
//! `NETLOOM_BLESS=1` rewrites what is expected; `NETLOOM_CASE=text` runs the changes whose name holds the text.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files are laid out here; what cannot be set up has failed")]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use repository::{Repository, code};
use serde_json::Value;
use similar::TextDiff;
use walkdir::WalkDir;

mod repository;
mod sections;

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/judge")
}

/// A repository whose branch `main` has the base, rendered; `work` is checked out.
fn base(name: &str) -> Repository {
    let repository = Repository::new(name);
    copy(&cases().join("base"), &repository.0);
    assert_eq!(code(&repository.netloom(&["render"])), 0);
    repository.commit("base");
    repository.git(&["checkout", "-q", "-b", "work"]);
    repository
}

/// The same, as a copy of one that was made before.
fn copied(base: &Repository) -> Repository {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let path = base.0.with_extension(COUNT.fetch_add(1, Ordering::Relaxed).to_string());
    copy(&base.0, &path);
    Repository(path)
}

fn copy(from: &Path, to: &Path) {
    for entry in WalkDir::new(from).into_iter().map(Result::unwrap) {
        let at = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(at).unwrap();
        } else {
            fs::copy(entry.path(), at).unwrap();
        }
    }
}

#[test]
fn changes() {
    let wanted = std::env::var_os("NETLOOM_CASE").map(|text| text.into_string().unwrap()).unwrap_or_default();
    let bless = std::env::var_os("NETLOOM_BLESS").is_some();
    let mut names: Vec<_> = fs::read_dir(cases()).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    names.sort();
    let files: Vec<_> = names.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let repository = base("judge");
    let mut failures = Vec::new();
    for (path, expected) in names.iter().zip(&files) {
        let mut parts = expected.split("\n=== ");
        let head = parts.next().unwrap().to_owned();
        let parts: Vec<&str> = parts.collect();
        let (_, more) = sections::parse(&head);
        let repository = copied(&repository);
        more.iter().for_each(|(name, text)| apply(&repository, name, text.trim_end()));
        if !more.is_empty() {
            rebase(&repository);
        }
        let run = |part: &&str| {
            if part.lines().next().unwrap().contains(&wanted) { change(part, copied(&repository)) } else { (*part).to_owned() }
        };
        let actual: Vec<String> = parts.par_iter().map(run).map(|part| part.trim_end().to_owned()).collect();
        let actual = format!("{head}\n=== {}\n", actual.join("\n\n=== "));
        if actual != *expected && bless {
            fs::write(path, actual).unwrap();
        } else if actual != *expected {
            let diff = TextDiff::from_lines(expected, &actual);
            failures.push(diff.unified_diff().header(&path.to_string_lossy(), "what happened").to_string());
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Makes what there is the base.
fn rebase(repository: &Repository) {
    let rendered = repository.netloom(&["render"]);
    assert_eq!(code(&rendered), 0, "{}", String::from_utf8_lossy(&rendered.stderr));
    repository.commit("more");
    repository.git(&["branch", "-q", "-f", "main"]);
}

/// Makes a change, and returns it with what the base says.
#[allow(clippy::needless_pass_by_value, reason = "it is gone afterwards")]
fn change(case: &str, repository: Repository) -> String {
    let (head, sections) = sections::parse(case);
    let mut out = format!("{}\n", head.trim_end());
    for (name, text) in sections.iter().take_while(|(name, _)| *name != "judged") {
        match *name {
            "changed" => {
                rebase(&repository);
                writeln!(out, "-- changed --").unwrap();
            }
            _ => {
                apply(&repository, name, text.trim_end());
                write!(out, "-- {name} --\n{}\n", text.trim_end()).unwrap();
            }
        }
    }
    // What does not compile is not rendered; the cases tell.
    repository.netloom(&["render"]);
    let check = repository.netloom(&["check", "--base", "main", "--format", "json"]);
    let diff = repository.netloom(&["diff", "--base", "main", "--exit-code", "--format", "json"]);
    let (found, compared) = (document(&check), document(&diff));
    let objections = compared["objections"].as_array().cloned().unwrap_or_default();
    let codes: Vec<&str> = objections.iter().map(|one| one["allow"].as_str().unwrap()).collect();
    let allowed = check_with(&repository, &codes);
    stays(&repository, &codes, &objections);
    writeln!(out, "-- judged --\n{} {} {}", code(&check), code(&allowed), code(&diff)).unwrap();
    let mut rest: Vec<Value> = found["findings"].as_array().unwrap().clone();
    for one in &objections {
        let finding = &one["finding"];
        let at = rest.iter().position(|other| other == finding);
        let marker = if at.is_some() { "" } else { " (not found by check)" };
        at.map(|at| rest.remove(at));
        writeln!(out, "{}, allowed by {}{marker}", line(finding), one["allow"].as_str().unwrap()).unwrap();
        for related in finding["related"].as_array().unwrap().iter().filter(|related| !related["place"].is_null()) {
            writeln!(out, "    {} {}", place(related), related["text"].as_str().unwrap()).unwrap();
        }
    }
    for finding in rest.iter().filter(|finding| finding["severity"] == "error" || finding["code"] == "allowance-unused") {
        writeln!(out, "{}", line(finding)).unwrap();
    }
    out + "\n"
}

/// One code of an objection that is not allowed is enough to stop, whatever else is.
fn stays(repository: &Repository, codes: &[&str], objections: &[Value]) {
    let Some(last) = objections.iter().rfind(|one| one["finding"]["severity"] == "error") else { return };
    let last = last["allow"].as_str().unwrap();
    let others: Vec<&str> = codes.iter().filter(|code| **code != last).copied().chain(["none-of-these"]).collect();
    assert_eq!(code(&check_with(repository, &others)), 1, "{last} is allowed by {others:?}");
}

fn check_with(repository: &Repository, codes: &[&str]) -> Output {
    let allow: Vec<&str> = codes.iter().flat_map(|code| ["--allow-weaker", *code]).collect();
    repository.netloom(&[&["check", "--base", "main"], allow.as_slice()].concat())
}

fn apply(repository: &Repository, name: &str, text: &str) {
    let path = name.split(" (").next().unwrap();
    let at = repository.0.join(path);
    match &name[path.len()..] {
        " (removed)" if at.is_dir() => fs::remove_dir_all(at).unwrap(),
        " (moved)" => {
            let to = repository.0.join(text);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::rename(at, to).unwrap();
        }
        " (edit)" => {
            let edit = |file: String, line: &str| {
                let (old, new) = line.split_once("=>").unwrap_or_else(|| panic!("no edit: {line}"));
                let lines = |text: &str| text.replace("\\n", "\n");
                let (old, new) = (lines(old.trim_end()), lines(new.strip_prefix(' ').unwrap_or(new)));
                assert!(file.contains(&old), "{path} has no `{old}`");
                if old.is_empty() { format!("{file}{new}\n") } else { file.replacen(&old, &new, 1) }
            };
            let file = fs::read_to_string(&at).unwrap();
            fs::write(at, text.lines().fold(file, edit)).unwrap();
        }
        "" => repository.write(path, &format!("{text}\n")),
        _ => repository.apply(name, text),
    }
}

fn document(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr)))
}

fn line(finding: &Value) -> String {
    let text = |key: &str| finding[key].as_str().unwrap().to_owned();
    format!("{}[{}] {} {}", text("severity"), text("code"), place(finding), text("message"))
}

fn place(finding: &Value) -> String {
    let place = &finding["place"];
    place["file"].as_str().map_or_else(|| "-".to_owned(), |file| format!("{file}:{}:{}", place["line"], place["column"]))
}

/// `check` and `diff` with a base in which the branch `main` is not where the branch began.
#[test]
fn the_target_as_it_is_now_judges() {
    let repository = base("judge-tip");
    repository.git(&["checkout", "-q", "main"]);
    let levels = "    single-nat-gateway: error\n";
    let project = fs::read_to_string(repository.0.join("netloom.yaml")).unwrap();
    repository.write("netloom.yaml", &project.replace(levels, &format!("{levels}    overlay-unused: error\n")));
    fs::remove_dir_all(repository.0.join("overlays/ours")).unwrap();
    repository.commit("main asks for more");
    repository.git(&["checkout", "-q", "work"]);
    let weaker = "`overlay-unused` is lowered from `error` to `warning`";
    let said = |arguments: &[&str]| {
        let output = repository.netloom(arguments);
        let text = String::from_utf8([output.stdout.as_slice(), &output.stderr].concat()).unwrap();
        (code(&output), text.contains(weaker))
    };
    // The branch has changed nothing; it lacks what its target has gained.
    assert_eq!(said(&["diff", "--exit-code"]), (1, true));
    assert_eq!(said(&["check", "--max-class", "rolling"]), (1, true));
    assert_eq!(said(&["check", "--max-class", "rolling", "--allow-weaker", "overlay-unused", "--verbose"]), (0, true));
    assert_eq!(said(&["check", "--base", "HEAD"]), (0, false));
    assert_eq!(said(&["diff", "--base", "HEAD", "--exit-code"]), (0, false));
    assert_eq!(said(&["check"]), (0, false));
    repository.git(&["merge", "-q", "main"]);
    assert_eq!(said(&["diff", "--exit-code"]), (0, false));
}

/// What the base has against a change comes first, in whatever form.
#[test]
fn every_form_of_a_difference_begins_with_it() {
    let repository = base("judge-forms");
    let edit = |path: &str, old: &str, new: &str| {
        let text = fs::read_to_string(repository.0.join(path)).unwrap();
        repository.write(path, &text.replace(old, new));
    };
    edit("netloom.yaml", "single-nat-gateway: error", "single-nat-gateway: note");
    edit("declarations/prod.yaml", "flannel: {}", "flannel: {backend: host-gw}");
    repository.netloom(&["render"]);
    let told = |arguments: &[&str]| {
        let output = repository.netloom(&[&["diff", "--base", "main"], arguments].concat());
        assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let message = "is lowered from";
    for format in ["human", "markdown", "html", "github"] {
        let (text, _) = told(&["--format", format]);
        let (at, change) = (text.find(message), text.find("backend"));
        assert!(at.is_some() && change.is_some() && at < change, "{format}: {text}");
        assert!(text.contains("the base objects: 1 error"), "{format}: {text}");
    }
    let (json, _) = told(&["--format", "json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    let keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert!(keys.iter().position(|key| *key == "objections") < keys.iter().position(|key| *key == "class"), "{keys:?}");
    assert_eq!(
        (&json["objections"][0]["allow"], &json["objections"][0]["allowed"]),
        (&"single-nat-gateway".into(), &false.into())
    );
    let (raw, beside) = told(&["--raw"]);
    assert!(!raw.contains(message) && beside.contains(message), "{beside}");
    let (text, beside) = told(&["--allow-weaker", "single-nat-gateway,single-nat-gatewy"]);
    assert!(text.contains("the base objects: 1 accepted") && text.contains("note[weaker]"), "{text}");
    assert!(beside.contains("`--allow-weaker single-nat-gatewy` allows nothing") && beside.contains("did you mean"), "{beside}");
}

/// A project that is not where it was has left its rules behind; one that is new has none.
#[test]
fn a_project_that_is_moved_is_not_a_new_one() {
    let repository = base("judge-moved");
    fs::create_dir(repository.0.join("fleet")).unwrap();
    for name in ["netloom.yaml", "declarations", "overlays", "policies", "rendered"] {
        fs::rename(repository.0.join(name), repository.0.join("fleet").join(name)).unwrap();
    }
    let said = |arguments: &[&str]| {
        let output = repository.netloom(&[arguments, &["--project", "fleet"]].concat());
        (code(&output), String::from_utf8([output.stdout.as_slice(), &output.stderr].concat()).unwrap())
    };
    let (exit, text) = said(&["check", "--base", "main"]);
    assert!(exit == 1 && text.contains("`main` has a project in the root of the repository"), "{text}");
    let (exit, text) = said(&["diff", "--base", "main"]);
    assert!(exit == 0 && text.contains("`main` has a project in the root of the repository"), "{text}");
    assert_eq!(said(&["check", "--base", "main", "--allow-weaker", "paths"]).0, 0);
    // Nor is one that stands in the folder of another: whoever runs netloom in a folder below means that one.
    copy(&cases().join("base"), &repository.0);
    let (exit, text) = said(&["check", "--base", "main"]);
    assert!(exit == 1 && text.contains("in the root of the repository, in which this one lies"), "{text}");
    for name in ["netloom.yaml", "declarations", "overlays", "policies"] {
        let path = repository.0.join(name);
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }
    repository.commit("fleet alone");
    copy(&repository.0.join("fleet"), &repository.0.join("other"));
    let new = |arguments: &[&str]| code(&repository.netloom(&[arguments, &["--project", "other"]].concat()));
    assert_eq!(new(&["check", "--base", "HEAD"]), 0);
}

/// The branch does not say which project is checked, nor where it is.
#[cfg(unix)]
#[test]
fn a_project_is_not_reached_through_a_link_of_the_repository() {
    let repository = Repository::new("judge-link");
    for folder in ["fleet", "deep/fleet"] {
        copy(&cases().join("base"), &repository.0.join(folder));
        assert_eq!(code(&repository.netloom(&["render", "--project", folder])), 0);
    }
    repository.commit("base");
    fs::rename(repository.0.join("fleet"), repository.0.join("other")).unwrap();
    std::os::unix::fs::symlink("other", repository.0.join("fleet")).unwrap();
    fs::rename(repository.0.join("deep"), repository.0.join("deeper")).unwrap();
    std::os::unix::fs::symlink("deeper", repository.0.join("deep")).unwrap();
    let absolute = repository.0.join("fleet");
    for project in ["fleet", "deep/fleet", "./deep/../fleet", absolute.to_str().unwrap()] {
        for arguments in [&["check"][..], &["check", "--base", "main"], &["diff", "--base", "main"], &["render"], &["fmt"]] {
            let output = repository.netloom(&[arguments, &["--project", project]].concat());
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(code(&output) == 2 && text.contains("is a link in a Git repository"), "{project}: {arguments:?}: {text}");
        }
    }
    // What the link leads to is a project that the base does not have, while the base's is gone.
    let output = repository.netloom(&["check", "--base", "main", "--project", "other"]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(code(&output) == 1 && text.contains("`main` has a project in `deep/fleet`, which is not there any more"), "{text}");
}

/// A judge that cannot be heard is no judge that says yes.
#[test]
fn a_base_that_is_broken_is_said_and_fails() {
    for (path, text) in [
        ("policies/broken.yaml", "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {}\n"),
        (
            "overlays/broken/overlay.yaml",
            "apiVersion: netloom.dev/v1alpha1\nkind: Overlay\nmetadata: {name: broken}\nspec: {x: 1}\n",
        ),
        ("netloom.yaml", "apiVersion: netloom.dev/v1alpha1\nkind: Project\nmetadata: {name: fleet}\nspec: {x: 1}\n"),
    ] {
        let repository = base("judge-broken");
        let whole = fs::read_to_string(cases().join("base").join(path)).ok();
        repository.git(&["checkout", "-q", "main"]);
        repository.write(path, text);
        repository.commit("broken");
        repository.git(&["checkout", "-q", "-B", "work"]);
        match &whole {
            Some(whole) => repository.write(path, whole),
            None => fs::remove_file(repository.0.join(path)).unwrap(),
        }
        for arguments in [&["check", "--base", "main"][..], &["diff", "--base", "main"], &["check", "--max-class", "rolling"]] {
            let output = repository.netloom(arguments);
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(code(&output) == 2 && text.contains("base-broken") && text.contains(path), "{arguments:?}: {text}");
        }
        assert_eq!(code(&repository.netloom(&["check"])), 0);
    }
}

/// The names of branches lead to no file of theirs.
#[test]
fn nothing_is_read_from_a_base_that_is_named_like_a_folder() {
    let repository = base("judge-named");
    for name in ["netloom", "declarations/main", "overlays/main", "policies/main"] {
        repository.git(&["branch", name, "main"]);
        let output = repository.netloom(&["check", "--base", name]);
        assert_eq!(code(&output), 0, "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let before = fs::read_to_string(repository.0.join("netloom.yaml")).unwrap();
        repository.write("netloom.yaml", &before.replace("    - {policy: images-pinned}\n", ""));
        let output = repository.netloom(&["check", "--base", name]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(code(&output) == 1 && text.contains(&format!("{name}:netloom.yaml:8:16")), "{text}");
        repository.write("netloom.yaml", &before);
    }
}

/// What an overlay of the base says of a change counts, whatever the change says of a part of it.
#[test]
fn a_change_is_no_better_than_the_base_says() {
    let repository = base("judge-class");
    let overlay = "overlays/ours/overlay.yaml";
    let text = fs::read_to_string(repository.0.join(overlay)).unwrap();
    let transition = |field: &str, class: &str| format!("    - {{field: {field}, class: {class}, because: It does.}}\n");
    let with = |transitions: &str| format!("{text}  transitions:\n{transitions}");
    let cluster = fs::read_to_string(repository.0.join("declarations/prod.yaml")).unwrap();
    let sized = |size: u8| format!("{cluster}  addons: {{ours: {{size: {size}}}}}\n");
    repository.write(overlay, &with(&transition("addons.ours", "downtime")));
    repository.write("declarations/prod.yaml", &sized(1));
    repository.netloom(&["render"]);
    repository.commit("a size");
    repository.write("declarations/prod.yaml", &sized(2));
    for transitions in [
        transition("addons.ours", "downtime"),
        transition("addons.ours", "in-place"),
        transition("addons.ours", "downtime") + &transition("addons.ours.size", "in-place"),
    ] {
        repository.write(overlay, &with(&transitions));
        repository.netloom(&["render"]);
        let output = repository.netloom(&["check", "--base", "HEAD", "--max-class", "rolling"]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            code(&output) == 1 && text.contains("error[change-class]: downtime: addons.ours.size: 1 → 2"),
            "{transitions}{text}"
        );
    }
}

/// What only the change says of a field that netloom knows stands beside what netloom says; what was said before may stand instead.
#[test]
fn a_change_is_no_better_than_netloom_says() {
    let repository = base("judge-core");
    let overlay = "overlays/listed/overlay.yaml";
    let text = fs::read_to_string(repository.0.join(overlay)).unwrap();
    let fields = ["nodes.maxPods", "clusterName", "controlPlane.apiPort", "serviceCIDR", "nodes", "dns"];
    let said = |class: &str| {
        let one = |field: &&str| format!("    - {{field: {field}, class: {class}, because: It does.}}\n");
        format!("{text}  transitions:\n{}", fields.iter().map(one).collect::<String>())
    };
    let cluster = fs::read_to_string(repository.0.join("declarations/prod.yaml")).unwrap();
    let changed = cluster.replace("{max: 10}", "{max: 10, maxPods: 90}").replace(
        "  overlays:",
        "  clusterName: other\n  serviceCIDR: 100.68.0.0/16\n  controlPlane: {apiPort: 6443}\n  overlays:",
    );
    let refused = || {
        repository.netloom(&["render"]);
        let output = repository.netloom(&["check", "--base", "main", "--max-class", "rolling"]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        text.lines().filter_map(|line| line.strip_prefix("error[change-class]: ")).map(str::to_owned).collect::<Vec<_>>()
    };
    repository.write("declarations/prod.yaml", &changed);
    let honest = refused();
    assert_eq!(honest.len(), 4, "{honest:?}");
    // What it says beside that may be worse.
    for (class, more) in [("in-place", 0), ("rolling", 0), ("downtime", 4)] {
        repository.write(overlay, &said(class));
        let found = refused();
        assert!(honest.iter().all(|one| found.contains(one)) && found.len() >= honest.len() + more.min(1), "{class}: {found:?}");
    }
    // In the base it is the base's word.
    repository.write("declarations/prod.yaml", &cluster);
    repository.write(overlay, &said("in-place"));
    repository.netloom(&["render"]);
    repository.commit("a word");
    repository.git(&["branch", "-q", "-f", "main"]);
    repository.write("declarations/prod.yaml", &changed);
    assert_eq!(refused(), Vec::<String>::new());
}

/// Wherever there is a judge, policies see what there was before, whether it is the change's policy or only the base's.
#[test]
fn policies_see_the_base_in_every_command_that_has_one() {
    let repository = base("judge-operations");
    let policy = |name: &str, operation: &str, expression: &str| {
        format!(
            "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {{name: {name}}}\nspec:\n  \
             matchConstraints:\n    resourceRules:\n    - {{apiGroups: [netloom.dev], apiVersions: [v1alpha1], operations: \
             [{operation}], resources: [clusters]}}\n  validations:\n  - {{expression: {expression}, message: it stays}}\n---\n\
             apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {{name: {name}}}\n\
             spec: {{policyName: {name}, validationActions: [Deny]}}\n"
        )
    };
    let grows = "object.spec.nodes.max <= oldObject.spec.nodes.max";
    repository.write(
        "policies/more.yaml",
        &(policy("grows", "UPDATE", grows) + "---\n" + &policy("stays", "DELETE", "oldObject == null")),
    );
    repository.netloom(&["render"]);
    repository.commit("more");
    repository.git(&["branch", "-q", "-f", "main"]);
    let test = repository.0.join("declarations/test.yaml");
    let cluster = fs::read_to_string(&test).unwrap();
    let commands = [
        &["check", "--base", "main"][..],
        &["check", "--max-class", "unsupported"],
        &["check", "--base", "main", "--max-class", "unsupported"],
        &["diff", "--base", "main", "--exit-code"],
        &["diff", "--exit-code", "--format", "markdown"],
    ];
    let said = |arguments: &[&str]| {
        repository.netloom(&["render"]);
        let output = repository.netloom(arguments);
        (code(&output), String::from_utf8([output.stdout.as_slice(), &output.stderr].concat()).unwrap())
    };
    for with_own in [true, false] {
        for (is, code) in [(Some(cluster.replace("max: 10", "max: 11")), "grows"), (None, "stays")] {
            match &is {
                Some(text) => fs::write(&test, text).unwrap(),
                None => fs::remove_file(&test).unwrap(),
            }
            for arguments in commands {
                let (exit, text) = said(arguments);
                let own = if arguments[0] == "diff" && with_own { 2 } else { 1 };
                assert!(
                    exit == own && text.contains("it stays") && text.contains(code),
                    "{with_own} {arguments:?}: {exit} {text}"
                );
            }
        }
        // What only shrinks, and what is new, is as the policies want it.
        fs::write(&test, cluster.replace("max: 10", "max: 9")).unwrap();
        repository.write("declarations/new.yaml", &cluster.replace("name: test", "name: new").replace("max: 10", "max: 90"));
        for arguments in commands {
            let (_, text) = said(arguments);
            assert!(!text.contains("it stays"), "{with_own} {arguments:?}: {text}");
        }
        fs::write(&test, &cluster).unwrap();
        fs::remove_file(repository.0.join("declarations/new.yaml")).unwrap();
        fs::remove_file(repository.0.join("policies/more.yaml")).ok();
    }
}
