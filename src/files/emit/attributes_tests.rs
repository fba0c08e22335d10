//! What is told of `.gitattributes` files, held against what Git says itself.
#![allow(clippy::disallowed_methods)] // tests lay out their own files

use std::process::Command;
use std::sync::Arc;

use super::tests::two;
use super::*;
use crate::git::Repository;
use testing::Scratch;
use tree::Sources;

const RENDERED: [&str; 5] = [
    "clusters/a/.netloom.json",
    "clusters/a/README.md",
    "clusters/a/kubernetes/cni/x.yaml",
    "networks/n/.netloom.json",
    "networks/n/n.yaml",
];

fn git(scratch: &Scratch, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").arg("-C").arg(scratch.path());
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A repository with a rendered project in `infra`, and these files.
fn repository(files: &[(&str, &str)]) -> Scratch {
    let scratch = Scratch::new();
    git(&scratch, &["init", "--quiet"]);
    scratch.write("infra/netloom.yaml", "");
    let root = scratch.at("infra");
    let output = Output { root: &root, folder: "rendered", foreign: &Foreign::none() };
    write(&output, &two(), Scope::All).unwrap();
    files.iter().for_each(|(path, text)| scratch.write(path, text));
    scratch
}

/// What is told of the files as they are, and as they are staged: places, messages and quoted lines.
fn told(scratch: &Scratch, units: &[Unit], foreign: &Foreign) -> Vec<String> {
    let root = scratch.at("infra");
    let output = Output { root: &root, folder: "rendered", foreign };
    let lines = |findings: &[Diagnostic], sources: &Sources| -> Vec<String> {
        let line = |finding: &Diagnostic| {
            let text = sources
                .get(finding.span.file)
                .map(|source| source.text[finding.span.start as usize..finding.span.end as usize].to_owned());
            format!("{} {}: {}: {}", finding.code, sources.locate(finding.span), finding.message, text.unwrap_or_default())
        };
        findings.iter().map(line).collect()
    };
    let mut sources = Arc::default();
    let now = lines(&attributes(&output, units, &mut sources), &sources);
    git(scratch, &["add", "--all", "--force"]);
    let repository = Repository::find(&root).unwrap();
    let tree = Arc::new(repository.index().unwrap());
    let mut sources = Arc::default();
    let staged = lines(&attributes_stored((&tree, &repository), &output, units, &mut sources), &sources);
    assert_eq!(now, staged);
    now
}

/// Whether Git makes another text of a rendered file.
fn changes(scratch: &Scratch) -> bool {
    let paths = RENDERED.map(|path| format!("infra/rendered/{path}"));
    let arguments = ["check-attr", "-z", "filter", "ident", "working-tree-encoding", "--"];
    let said = git(scratch, &[&arguments[..], &paths.each_ref().map(String::as_str)].concat());
    let values: Vec<_> = said.split('\0').collect();
    values.chunks_exact(3).any(|entry| !matches!(entry[2], "unset" | "unspecified" | "UTF-8" | "utf8"))
}

/// Lines of one file at the repository's root.
const LINES: [&str; 47] = [
    "",
    "* text=auto\n*.yaml diff=yaml\n",
    "# rendered/** filter=x\n",
    "* filter=x\n",
    "*.yaml filter=x\n",
    "*.yaml ident\n",
    "*.yaml -ident\n",
    "*.yaml working-tree-encoding=ISO-8859-1\n",
    "*.yaml working-tree-encoding=UTF-8\n",
    "*.yml filter=x\n",
    "infra filter=x\n",
    "infra/ filter=x\n",
    "infra/* filter=x\n",
    "infra/** filter=x\n",
    "infra/*** filter=x\n",
    "/infra/rendered/**/x.yaml filter=x\n",
    "infra/rendered/clusters/a/*.md filter=x\n",
    "infra/rendered/clusters/?/README.md filter=x\n",
    "rendered/** filter=x\n",
    "**/rendered/** filter=x\n",
    "x.y{a,b}ml filter=x\n",
    "x.{yaml,json} filter=x\n",
    "\u{feff}*.yaml filter=x\n",
    "   *.yaml\tfilter=x\r\n",
    "\"*.y\\141ml\" filter=x\n",
    "\"x.yaml\"filter=x\n",
    "\"infra/rendered/**\" filter=x\n",
    "!*.yaml filter=x\n",
    "*.yaml filter=x bad!name\n",
    "*.yaml filter=x\n*.yaml -filter\n",
    "*.yaml filter=x\n*.yaml !filter\n",
    "*.yaml -filter\n*.yaml filter=x\n",
    "*.yaml filter=x\n*.yaml -filter bad!name\n",
    "*.yaml filter=x -filter\n",
    "*.yaml -filter filter=x\n",
    "*.yaml filter=x\n*.json -filter\n",
    "*.yaml filter=x\n**/clusters/** -filter\n**/networks/*/* -filter=x\n",
    "[attr]odd filter=x\n*.yaml odd\n",
    "[attr]odd filter=x\n*.yaml -odd\n",
    "[attr]odd filter=x\n*.yaml odd=x\n",
    "*.yaml odd\n[attr]odd ident\n",
    "[attr]odd filter=x\n[attr]odd -text\n*.yaml odd\n",
    "[attr]odd filter=x\n[attr]even odd\n*.yaml even\n",
    "[attr]odd filter=x\n*.yaml odd\n*.yaml -filter\n",
    "[attr]plain -filter -ident\n*.yaml ident filter=x\n*.yaml plain\n",
    "[attr] odd filter=x\n*.yaml odd\n",
    "[attr]filter ident\n*.yaml filter\n",
];

#[test]
fn every_line_does_what_git_says() {
    for text in LINES {
        let scratch = repository(&[(".gitattributes", text)]);
        let told = told(&scratch, &two(), &Foreign::none());
        assert_eq!(!told.is_empty(), changes(&scratch), "{text:?}: {told:?}");
    }
}

/// The nearest file counts most; a macro is what the top one says.
#[test]
fn every_file_on_the_way_counts() {
    let (set, back) = ("*.yaml filter=x\n", "*.yaml -filter\n");
    let places = [".gitattributes", "infra/.gitattributes", "infra/rendered/.gitattributes"];
    for one in places {
        for other in places.into_iter().filter(|other| *other != one) {
            for text in [
                back,
                "/rendered/** !filter\n",
                "/clusters/** !filter\n/networks/** !filter\n",
                "/infra/** !filter\n",
                "* odd\n[attr]odd -filter\n",
            ] {
                let scratch = repository(&[(one, set), (other, text)]);
                let told = told(&scratch, &two(), &Foreign::none());
                assert_eq!(!told.is_empty(), changes(&scratch), "{one}, {other}: {text}: {told:?}");
            }
        }
        let scratch = repository(&[(one, set)]);
        let name = ["../.gitattributes", ".gitattributes", "rendered/.gitattributes"]
            [places.iter().position(|place| *place == one).unwrap()];
        let message = "`filter` makes another text of `rendered/clusters/a/kubernetes/cni/x.yaml` than the one that is committed";
        let expected = [format!("output-attributes {name}:1:1: {message}: *.yaml filter=x")];
        assert_eq!(told(&scratch, &two(), &Foreign::none()), expected);
    }
    // Elsewhere a file says nothing of the output.
    let scratch = repository(&[("infra/declarations/.gitattributes", set), ("other/.gitattributes", set)]);
    assert_eq!(told(&scratch, &two(), &Foreign::none()), [""; 0]);
}

/// Each line that counts is told, and units count that were not rendered now; what is others' does not.
#[test]
fn each_line_is_told_once() {
    let text = "*.md ident\n*.json -ident\n# Straße\n*.yaml filter=x ident\n\n/infra/rendered/networks/** working-tree-encoding=ISO-8859-1\n";
    let scratch = repository(&[(".gitattributes", text)]);
    for units in [two(), Vec::new()] {
        let told = told(&scratch, &units, &Foreign::none());
        let places: Vec<_> = told.iter().map(|line| line.split(": ").next().unwrap()).collect();
        let expected = [1, 4, 6].map(|line| format!("output-attributes ../.gitattributes:{line}:1"));
        assert_eq!(places, expected);
        assert!(told[1].ends_with(": *.yaml filter=x ident"), "{told:?}");
    }
    let foreign = Foreign::new(&["**".to_owned()]).unwrap();
    assert_eq!(told(&scratch, &two(), &foreign), [""; 0]);
}

/// Where versions of Git differ, a line sets what it may set, and takes nothing back.
#[test]
fn what_versions_of_git_read_in_different_ways_takes_nothing_back() {
    let long = "a".repeat(2048);
    let set = "*.yaml filter=x\n";
    for vague in [
        format!("*.yaml {long} VALUE"),
        "*.yaml builtin_x VALUE".to_owned(),
        "*.[y]aml VALUE".to_owned(),
        "*\\.y[!b]ml VALUE".to_owned(),
    ] {
        let back = format!("{set}{}\n", vague.replace("VALUE", "-filter"));
        for text in [format!("{}\n", vague.replace("VALUE", "filter=x")), back] {
            let scratch = repository(&[(".gitattributes", &text)]);
            assert_eq!(told(&scratch, &two(), &Foreign::none()).len(), 1, "{text}");
        }
    }
    for text in ["x\0 -filter", "[attr]odd -filter\n* odd builtin_y", "[attr]odd filter=x\n[attr]odd builtin_y\n*.yaml odd"] {
        let scratch = repository(&[(".gitattributes", &format!("{set}*.yaml {text}\n"))]);
        assert!(!told(&scratch, &two(), &Foreign::none()).is_empty(), "{text}");
    }
}

#[test]
fn what_cannot_be_read_is_told() {
    let scratch = repository(&[(".gitattributes", &"# much\n".repeat(1 << 18))]);
    let expected = "`../.gitattributes` cannot be read, so what it makes of rendered files is not known";
    let told = told(&scratch, &two(), &Foreign::none());
    assert!(told.len() == 1 && told[0].contains(expected), "{told:?}");
    let scratch = repository(&[(".gitattributes", &"*.yaml filter=x\n".repeat(1001))]);
    assert!(self::told(&scratch, &two(), &Foreign::none())[0].starts_with("limit "));
    // A link is none for Git, and there may be no repository.
    let scratch = repository(&[("other", "* filter=x\n")]);
    scratch.link("infra/.gitattributes", "../other");
    let root = scratch.at("infra");
    let output = Output { root: &root, folder: "rendered", foreign: &Foreign::none() };
    assert!(attributes(&output, &two(), &mut Arc::default()).is_empty());
    std::fs::remove_dir_all(scratch.at(".git")).unwrap();
    scratch.write(".gitattributes", "* filter=x\n");
    assert!(attributes(&output, &two(), &mut Arc::default()).is_empty());
}
