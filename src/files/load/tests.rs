use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::*;
use findings::Human;
use model::declare;
use testing::Scratch;

const PROJECT: &str = "apiVersion: netloom.dev/v1alpha1\nkind: Project\nmetadata: {name: test}\n";

/// A project folder with one overlay and one declaration.
fn project() -> Scratch {
    let folder = Scratch::new();
    folder.write("netloom.yaml", PROJECT);
    folder.write("declarations/b.yaml", "b: 1\n");
    folder.write("overlays/dns/x/corefile.j2", ".:53\n");
    folder
}

/// The paths that were loaded, and the findings as people see them.
fn load(folder: &Scratch) -> (Vec<String>, String) {
    let (mut sources, mut findings) = (Sources::default(), Vec::new());
    match Root::open(folder.path()) {
        Err(finding) => findings.push(finding),
        Ok(root) => {
            if let Some(file) = root.project_file(&mut sources, &mut findings) {
                let text = sources.get(file).unwrap().text.clone();
                let node = yaml::read(&text, file, &mut findings).remove(0);
                let project = declare::decode(node, &mut findings).unwrap();
                root.inputs(&project, &mut sources, &mut findings);
            }
        }
    }
    let text = Human { color: false }.render(&findings, &sources).replace(&folder.path().display().to_string(), "ROOT");
    (sources.iter().map(|(_, source)| source.path.to_string()).collect(), text)
}

fn error(folder: &Scratch) -> String {
    load(folder).1
}

#[test]
fn files_are_loaded_in_the_order_of_their_paths() {
    let folder = project();
    folder.write("declarations/a/c.jsonnet", "[]");
    folder.write("declarations/a.yml", "");
    folder.write("declarations/README.md", "not a declaration");
    folder.write("declarations/.hidden.yaml", "no: 1");
    folder.write("declarations/old.yaml~", "no: 1");
    folder.write("overlays/dns/overlay.yaml", "");
    folder.write("rendered/clusters/a/x.yaml", "no: 1");
    let (paths, findings) = load(&folder);
    let expected = [
        "netloom.yaml",
        "declarations/a.yml",
        "declarations/a/c.jsonnet",
        "declarations/b.yaml",
        "overlays/dns/overlay.yaml",
        "overlays/dns/x/corefile.j2",
    ];
    assert_eq!((paths, findings.as_str()), (expected.map(str::to_owned).to_vec(), ""));
}

#[test]
fn a_folder_without_project_file_is_no_project() {
    let folder = Scratch::new();
    assert!(error(&folder).starts_with("error[project-missing]: there is no `netloom.yaml` in `ROOT`"));
    let gone = Root::open(&folder.at("gone")).unwrap_err();
    assert!(gone.message.ends_with("gone` cannot be opened: no such file or directory"), "{}", gone.message);
}

#[test]
fn missing_folders_are_empty_unless_the_project_names_them() {
    let folder = Scratch::new();
    folder.write("netloom.yaml", PROJECT);
    assert_eq!(load(&folder), (vec!["netloom.yaml".to_owned()], String::new()));
    folder.write("netloom.yaml", format!("{PROJECT}spec:\n  paths: {{overlays: ours}}\n"));
    let text = error(&folder);
    assert!(text.contains("`ours` cannot be read: no such file or directory"), "{text}");
    assert!(text.contains("netloom.yaml:5:21"), "{text}");
}

#[test]
fn links_inside_are_followed_and_links_outside_refused() {
    let folder = project();
    folder.write("shared/common.yaml", "c: 1\n");
    folder.link("declarations/in.yaml", "../shared/common.yaml");
    folder.link("declarations/folder", "../shared");
    let (paths, findings) = load(&folder);
    assert!(paths.contains(&"declarations/in.yaml".to_owned()) && paths.contains(&"declarations/folder/common.yaml".to_owned()));
    assert_eq!(findings, "");

    for (path, target) in
        [("declarations/out.yaml", "/etc/passwd"), ("declarations/up", "../../"), ("overlays/x/a.j2", "/proc/self/environ")]
    {
        let folder = project();
        folder.link(path, target);
        let (paths, findings) = load(&folder);
        let expected =
            format!("error[file-outside-project]: `{path}` is a symbolic link that leaves the project: it leads to `{target}`\n");
        assert!(findings.starts_with(&expected), "{findings}");
        assert!(!paths.contains(&path.to_owned()));
    }
}

#[test]
fn links_in_circles_end() {
    let folder = project();
    folder.link("declarations/again", ".");
    folder.link("declarations/self.yaml", "self.yaml");
    let text = error(&folder);
    assert!(text.contains("`declarations/again` is a link to a folder that it lies in"), "{text}");
    assert!(text.contains("`declarations/self.yaml` is a symbolic link that goes in a circle"), "{text}");
}

#[test]
fn pipes_are_refused_without_waiting() {
    let folder = project();
    let made = std::process::Command::new("mkfifo").arg(folder.at("declarations/p.yaml")).status().unwrap();
    assert!(made.success());
    assert_eq!(error(&folder), "error[file-unreadable]: `declarations/p.yaml` is no regular file\n\n");
}

#[test]
fn bytes_that_are_no_text_are_shown_where_they_stand() {
    let folder = project();
    folder.write("declarations/b.yaml", b"\xef\xbb\xbfa: 1\r\nb: \xff\r\n");
    let (mut sources, mut findings) = (Sources::default(), Vec::new());
    file(&folder.at("declarations/b.yaml"), &mut sources, &mut findings).unwrap();
    assert_eq!(findings.len(), 1);
    assert!(sources.locate(findings[0].span).ends_with("b.yaml:2:4"));
    assert!(error(&folder).contains("`declarations/b.yaml` is not UTF-8 text"));
}

#[test]
fn byte_order_mark_and_windows_line_ends_are_dropped() {
    let folder = project();
    folder.write("x", b"\xef\xbb\xbfa: 1\r\nb: 2\r\n");
    let (mut sources, mut findings) = (Sources::default(), Vec::new());
    let id = file(&folder.at("x"), &mut sources, &mut findings).unwrap();
    assert_eq!(&*sources.get(id).unwrap().text, "a: 1\nb: 2\n");
}

#[test]
fn sizes_and_depths_are_limited() {
    let folder = project();
    folder.write("declarations/big.yaml", vec![b' '; 1 << 20]);
    assert_eq!(error(&folder), "");
    folder.write("declarations/big.yaml", vec![b' '; (1 << 20) + 1]);
    assert_eq!(error(&folder), "error[limit]: `declarations/big.yaml` is larger than 1024 KiB\n\n");

    let folder = project();
    folder.write(&format!("declarations/{}x.yaml", "d/".repeat(64)), "");
    assert!(error(&folder).contains("lies more than 64 folders deep"));

    let folder = project();
    (0..33).for_each(|n| folder.write(&format!("overlays/x/{n}"), vec![b' '; 1 << 20]));
    assert_eq!(error(&folder), "error[limit]: declarations and overlays are more than 32 MiB together\n\n");
}

#[test]
fn names_that_deceive_are_refused() {
    let folder = project();
    folder.write("declarations/a\u{202e}lmay.yaml", "");
    let text = error(&folder);
    assert!(text.starts_with("error[hidden-character]: `declarations/a\\u{202e}lmay.yaml` has the character U+202E"), "{text}");
}

#[test]
fn output_folders_that_could_do_harm_are_refused() {
    let cases = [
        ("/", "is no plain path"),
        ("..", "is no plain path"),
        (".", "is no plain path"),
        ("a/../..", "is no plain path"),
        (".git", "is no plain path"),
        ("rendered/", "is no plain path"),
        ("declarations", "and the input folder `declarations` lie in one another"),
        ("Overlays/out", "and the input folder `overlays` lie in one another"),
        ("linked/out", "is reached through the symbolic link `linked`"),
        ("netloom.yaml", "is not a folder"),
    ];
    for (output, reason) in cases {
        let folder = project();
        folder.link("linked", "/tmp");
        folder.write("netloom.yaml", format!("{PROJECT}spec: {{paths: {{output: {output}}}}}\n"));
        let text = error(&folder);
        assert!(text.starts_with("error[output-unsafe]") && text.contains(reason), "{output}: {text}");
        assert!(text.contains("netloom.yaml:4:24"), "{text}");
    }
}

#[test]
fn inputs_that_hide_in_the_output_are_found() {
    let folder = Scratch::new();
    folder.write("netloom.yaml", PROJECT);
    folder.write("rendered/hidden/a.yaml", "");
    folder.link("declarations", "rendered/hidden");
    assert!(error(&folder).contains("and the input folder `declarations` lie in one another"));
}

#[test]
fn input_folders_stay_in_the_project() {
    for path in ["/etc", "../other", "a/../b", "./x", ""] {
        let folder = project();
        folder.write("netloom.yaml", format!("{PROJECT}spec: {{paths: {{overlays: \"{path}\"}}}}\n"));
        let text = error(&folder);
        assert!(text.starts_with("error[file-outside-project]"), "{path}: {text}");
    }
}

/// Every link leads to what could be named itself, from each folder that is read and at each depth.
#[test]
fn links_lead_to_nothing_hidden() {
    let hidden = [
        (".git/config", "which is hidden"),
        (".env", "which is hidden"),
        ("declarations/.secret.yaml", "which is hidden"),
        ("overlays/dns/.cache/x.yaml", "which is hidden"),
        ("overlays/dns/x/old.yaml~", "which is hidden"),
        ("rendered/clusters/a/x.yaml", "in the output folder"),
    ];
    for (target, reason) in hidden {
        for link in
            ["declarations/l.yaml", "declarations/a/b/l.yaml", "overlays/l.yaml", "overlays/dns/x/l.yaml", "policies/l.yaml"]
        {
            let folder = project();
            folder.write(target, "token: 1\n");
            let up = "../".repeat(link.matches('/').count());
            folder.link(link, &format!("{up}{target}"));
            let (paths, findings) = load(&folder);
            let expected = format!("error[file-link]: `{link}` is a symbolic link to `{target}`, {reason}\n");
            assert!(findings.starts_with(&expected), "{link}: {findings}");
            assert!(!paths.contains(&link.to_owned()));

            // Through a second link, and through a link to the folder that it lies in.
            let folder = project();
            folder.write(target, "token: 1\n");
            folder.link("overlays/dns/second", &format!("../../{target}"));
            folder.link(link, &format!("{up}overlays/dns/second"));
            assert!(load(&folder).1.contains(&expected), "{link} through a second link");
            let (above, name) = target.rsplit_once('/').unwrap_or((".", target));
            if above != "." && !name.starts_with('.') && !name.ends_with('~') {
                let folder = project();
                folder.write(target, "token: 1\n");
                folder.link("declarations/whole", &format!("../{above}"));
                let (paths, findings) = load(&folder);
                assert!(findings.starts_with("error[file-link]: `declarations/whole`"), "{findings}");
                assert!(!paths.iter().any(|path| path.starts_with("declarations/whole")));
            }
        }
    }
    let folder = project();
    folder.link("declarations/all", "..");
    assert!(error(&folder).contains("`declarations/all` is a symbolic link to the project's own folder"));
    let folder = Scratch::new();
    folder.write(".hidden/netloom.yaml", PROJECT);
    folder.link("netloom.yaml", ".hidden/netloom.yaml");
    assert!(
        error(&folder)
            .starts_with("error[file-link]: `netloom.yaml` is a symbolic link to `.hidden/netloom.yaml`, which is hidden")
    );
}

fn git(folder: &Scratch, args: &[&str]) {
    let git = std::process::Command::new("git").arg("-C").arg(folder.path()).args(args).output().unwrap();
    assert!(git.status.success(), "{args:?}: {}", String::from_utf8_lossy(&git.stderr));
}

/// What Git ignores is read neither by its name nor through a link, whatever says that it is ignored.
#[test]
fn what_git_ignores_is_not_read() {
    let patterns = [
        (".gitignore", "secret.*\n"),
        ("overlays/.gitignore", "/dns/x/secret.j2\n"),
        ("overlays/dns/x/.gitignore", "*\n!corefile.j2\n"),
        (".git/info/exclude", "overlays/dns/x/s*\n"),
        (".gitignore", "overlays/dns/x/*\n!overlays/dns/x/c*\n"),
    ];
    for (version, format) in [("2", "sha1"), ("4", "sha1"), ("2", "sha256"), ("4", "sha256")] {
        for (file, text) in patterns {
            let folder = project();
            git(&folder, &["init", "--quiet", &format!("--object-format={format}")]);
            git(&folder, &["config", "index.version", version]);
            folder.write(file, text);
            git(&folder, &["add", "."]);
            folder.write("overlays/dns/x/secret.j2", "token\n");
            folder.link("declarations/l.yaml", "../overlays/dns/x/secret.j2");
            let (paths, findings) = load(&folder);
            assert!(!paths.contains(&"overlays/dns/x/secret.j2".to_owned()), "{file}: {paths:?}");
            assert!(paths.contains(&"overlays/dns/x/corefile.j2".to_owned()), "{file}: {paths:?}");
            let note = "note[file-ignored]: `overlays/dns/x/secret.j2` is ignored by Git, and therefore by netloom";
            let refused =
                "error[file-link]: `declarations/l.yaml` is a symbolic link to `overlays/dns/x/secret.j2`, which Git ignores";
            assert!(findings.contains(note) && findings.contains(refused), "{file}: {findings}");

            // What is tracked all the same is not ignored.
            git(&folder, &["add", "--force", "overlays/dns/x/secret.j2"]);
            let (paths, findings) = load(&folder);
            assert!(paths.contains(&"overlays/dns/x/secret.j2".to_owned()), "{file}: {paths:?}");
            assert_eq!(findings, "", "{file}");
        }
    }
}

/// Outside of the folders that netloom reads, a link leads to what the repository has, and not to what lies about.
#[test]
fn links_lead_to_nothing_that_lies_about() {
    let folder = project();
    git(&folder, &["init", "--quiet"]);
    folder.write("shared/common.yaml", "c: 1\n");
    folder.link("declarations/in.yaml", "../shared/common.yaml");
    folder.link("declarations/folder", "../shared");
    let text = error(&folder);
    assert!(
        text.contains("`declarations/in.yaml` is a symbolic link to `shared/common.yaml`, which Git does not track"),
        "{text}"
    );
    assert!(text.contains("`declarations/folder` is a symbolic link to `shared`, which Git does not track"), "{text}");
    git(&folder, &["add", "."]);
    folder.write("shared/credentials.yaml", "token: 1\n");
    let (paths, findings) = load(&folder);
    // Everything in the folder is named through the link, so each file is judged, too.
    let lies_about =
        "`declarations/folder/credentials.yaml` is a symbolic link to `shared/credentials.yaml`, which Git does not track";
    assert!(findings.contains(lies_about) && findings.matches("error[").count() == 1, "{findings}");
    assert!(paths.contains(&"declarations/folder/common.yaml".to_owned()));
    assert!(!paths.contains(&"declarations/folder/credentials.yaml".to_owned()), "{paths:?}");
}

/// A project that is no part of the repository around it is read like one without.
#[test]
fn a_project_that_git_ignores_as_a_whole_is_no_part_of_it() {
    let folder = Scratch::new();
    git(&folder, &["init", "--quiet"]);
    folder.write(".gitignore", "build/\n*.j2\n");
    folder.write("build/demo/netloom.yaml", PROJECT);
    folder.write("build/demo/declarations/b.yaml", "b: 1\n");
    let (mut sources, mut findings) = (Sources::default(), Vec::new());
    let (root, project) = super::project(&folder.at("build/demo"), &mut sources, &mut findings).unwrap();
    root.inputs(&project, &mut sources, &mut findings);
    assert!(findings.is_empty(), "{findings:?}");
    assert!(sources.find("declarations/b.yaml").is_some());
}

/// A project in a repository's folder `name`, which the repository tracks; beside it a file that it ignores, which an input is a link to.
fn tracked(name: &OsStr) -> (Scratch, PathBuf) {
    let folder = Scratch::new();
    git(&folder, &["init", "--quiet"]);
    let root = folder.path().join(name);
    std::fs::create_dir_all(root.join("declarations")).unwrap();
    std::fs::write(root.join("netloom.yaml"), PROJECT).unwrap();
    std::fs::write(root.join("declarations/b.yaml"), "b: 1\n").unwrap();
    std::os::unix::fs::symlink("../key.json", root.join("declarations/key.yaml")).unwrap();
    folder.write(".gitignore", "key.json\n");
    git(&folder, &["add", "."]);
    std::fs::write(root.join("key.json"), "token: 1\n").unwrap();
    (folder, root)
}

/// What an input that is a link to an ignored file is told, and whether the inputs beside it are read.
fn told(root: &std::path::Path) -> (bool, String) {
    let (mut sources, mut findings) = (Sources::default(), Vec::new());
    let (opened, project) = super::project(root, &mut sources, &mut findings).unwrap();
    opened.inputs(&project, &mut sources, &mut findings);
    let refused: Vec<_> = findings.iter().map(|finding| finding.message.clone()).collect();
    (sources.find("declarations/b.yaml").is_some(), refused.join("\n"))
}

const REFUSED: &str = "`declarations/key.yaml` is a symbolic link to `key.json`, which Git ";

/// Whatever a branch does to have its project ignored, and whatever the project's folder is called: what is tracked is read, and
/// what lies about is not.
#[test]
fn a_tracked_project_is_gits_whatever_ignores_it() {
    let ignored = format!("{REFUSED}ignores");
    for name in [&b"infra"[..], b"in/fra", b"inf\xffra", b"in\xff/fra", b"in fra{1}"] {
        let (folder, root) = tracked(OsStr::from_bytes(name));
        assert_eq!(told(&root), (true, ignored.clone()), "{name:?}");
        for patterns in ["*\n", "/in*\n", "/in*/\n!key.json\n", "in*/\n!*/key.json\n"] {
            folder.write(".gitignore", patterns);
            git(&folder, &["add", ".gitignore", "--force"]);
            assert_eq!(told(&root), (true, ignored.clone()), "{name:?} {patterns}");
        }
    }
}

/// What cannot be told is refused: patterns that are too many to read ignore everything, and without an index nothing is tracked.
#[test]
fn what_cannot_be_told_is_ignored() {
    let many = "#".repeat(1 << 20) + "\n";
    for file in [".gitignore", "infra/.gitignore", ".git/info/exclude"] {
        let (folder, root) = tracked(OsStr::new("infra"));
        folder.write(".gitignore", "");
        folder.write(file, &many);
        let (read, refused) = told(&root);
        assert!(read && refused == format!("{REFUSED}ignores"), "{file}: {refused}");
    }
    for (index, path) in [("x", ".git/index"), ("gitdir: nowhere\n", ".git")] {
        let (folder, root) = tracked(OsStr::new("infra"));
        folder.write(".gitignore", "");
        if path == ".git" {
            std::fs::remove_dir_all(folder.at(".git")).unwrap();
        }
        folder.write(path, index);
        let (_, refused) = told(&root);
        assert!(refused.contains(REFUSED), "{path}: {refused}");
    }
}
