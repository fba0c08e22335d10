"""Runs what the GitLab template and the GitHub action run, in a checkout of a hostile branch.

    ci_templates.py NETLOOM

The branch brings along a program under the name of every one that the scripts call, with `.` first on the PATH, configuration of
Cargo and curl, and links under the names of reports. None of the programs may run, nothing may be written through the links, and
the token may reach nobody but the program that comments. Cargo, curl and gh are stand-ins that write down what they get; Git, Perl
and netloom are real.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from common import Report, usage

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "glpat-0123456789abcdefghij"
CALLED = """awk bash cargo cat chmod cp curl cut env gh git git-remote-https grep head id ln ls mkdir mktemp mv netloom perl printf
    readlink realpath rm rustc rustup sed sh sha256sum sort ssh tail tee test touch tr uname xargs""".split()
LINKS = "netloom.md netloom.xml netloom.sarif netloom.html netloom-note.md note.md netloom-report".split()
FILES = {
    ".cargo/config.toml": '[build]\nrustc-wrapper = "./rustc"\n[alias]\ninstall = "run"\n',
    "rust-toolchain.toml": '[toolchain]\npath = "."\n',
    ".curlrc": "output = curlrc-was-read\n",
    ".netrc": "machine example.com login a password b\n",
    ".perl/strict.pm": 'BEGIN { open F, ">", "perl-ran" } 1;\n',
}
# What a stand-in writes down: its arguments, where it was called, its environment, and what it was told.
STAND_IN = """#!/bin/bash
{{ printf '%s\\n' "$0" "$@"; echo "cwd $PWD"; env; }} >>{log}/{name}
{then}
"""
CARGO = """while [ $# -gt 0 ]; do [ "$1" != --root ] || root=$2; shift; done
mkdir -p "$root/bin"
cp {recorder} "$root/bin/netloom"
"""
# Answers with the notes of the merge request, or takes one; it fails to change one when the file `put` says so.
CURL = """cat >>{log}/curl-told
for word; do case $word in body@*) body=${{word#body@}} ;; esac; done
if [ -z "$body" ]; then cat {folder}/notes; else cat "$body" >{log}/comment; fi
case "$*" in *"--request PUT"*) exit "$(cat {folder}/put)" ;; esac
"""
# The same of GitHub's, whose token is the Actions' own.
GH = """echo "$*" >>{log}/gh-told
for word; do case $word in body=@*) cat "${{word#body=@}}" >{log}/comment ;; esac; filter=$word; done
case "$*" in
*graphql*) echo 'github-actions[bot]' ;;
*--jq*) sed "s/MARK/$MARK/g" {folder}/comments | jq -r "$filter" ;;
esac
"""


class Scratch:
    """A repository with a branch `main`, and a checkout of the branch `topic` that is hostile."""

    def __init__(self, folder, netloom):
        self.folder, self.log, self.ran = folder, folder / "log", folder / "ran"
        self.origin, self.checkout, self.tools = folder / "origin", folder / "checkout", folder / "tools"
        self.victim = folder / "victim"
        for path in (self.log, self.ran, self.tools, self.victim, folder / "temp", folder / "home"):
            path.mkdir()
        (self.victim / "file").write_text("as it was\n")
        self.git(folder, "init", "-q", "-b", "main", "origin")
        for command in (["init"], ["render"]):
            subprocess.run([netloom, *command], cwd=self.origin, check=True, capture_output=True)
        self.commit("one")
        self.git(self.origin, "checkout", "-q", "-b", "topic")
        self.plant()
        cluster = self.origin / "declarations/cluster.yaml"
        cluster.write_text(cluster.read_text().replace("spec:\n", "spec:\n  serviceCIDR: 100.64.0.0/14\n", 1))
        subprocess.run([netloom, "render"], cwd=self.origin, check=True, capture_output=True)
        self.commit("two")
        self.base = self.git(self.origin, "rev-parse", "main")
        # The target branch moves on after the branch has left it.
        self.git(self.origin, "checkout", "-q", "main")
        (self.origin / "README.md").write_text("# Fleet\n")
        self.commit("three")
        self.tip = self.git(self.origin, "rev-parse", "main")
        recorder = self.stand_in("recorder", f'exec {netloom} "$@"')
        self.stand_in("cargo", CARGO.format(recorder=recorder))
        self.stand_in("curl", CURL.format(log=self.log, folder=folder))
        self.stand_in("gh", GH.format(log=self.log, folder=folder))
        self.comments({})
        (folder / "put").write_text("0\n")
        (folder / "notes").write_text('[{"id":7,"body":"\\u003c!-- netloom-job netloom --\\u003e\\nold"}]')

    def git(self, folder, *arguments):
        who = ["-c", "user.name=n", "-c", "user.email=n@example.com", "-c", "commit.gpgsign=false"]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        environment = kept | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(["git", *who, *arguments], cwd=folder, env=environment, text=True, capture_output=True)
        if done.returncode:
            sys.exit(f"git {' '.join(arguments)}: {done.stderr}")
        return done.stdout.strip()

    def commit(self, message):
        self.git(self.origin, "add", "--all", "--force")
        self.git(self.origin, "commit", "-q", "--allow-empty", "-m", message)

    def plant(self):
        for name in [*CALLED, ".netloom-bin/bin/netloom", "bin/netloom", "target/release/netloom"]:
            path = self.origin / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f'#!/bin/bash\n/usr/bin/touch "{self.ran}/{name.replace("/", "-")}"\nexit 1\n')
            path.chmod(0o755)
        for name, text in FILES.items():
            (self.origin / name).parent.mkdir(parents=True, exist_ok=True)
            (self.origin / name).write_text(text)
        for name in LINKS:
            (self.origin / name).symlink_to(self.victim if name == "netloom-report" else self.victim / "file")

    def stand_in(self, name, then):
        path = self.tools / name
        path.write_text(STAND_IN.format(log=self.log, name=name, then=then))
        path.chmod(0o755)
        return path

    def clone(self, *arguments):
        """A fresh checkout, and nothing written down."""
        for folder in (self.checkout, self.log, self.ran, self.folder / "temp"):
            shutil.rmtree(folder, ignore_errors=True)
            if folder != self.checkout:
                folder.mkdir()
        self.git(self.folder, "clone", "-q", "--branch", "topic", *arguments, f"file://{self.origin}", "checkout")

    def run(self, script, variables):
        """The script as both services run one: by bash, in the checkout, which ends where a command fails."""
        path = f".::{self.tools}:{os.environ['PATH']}"
        environment = {
            "PATH": path,
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "temp"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "CARGO_HOME": f"{self.checkout}/.cargo",
            "CARGO_TARGET_DIR": f"{self.checkout}/target",
        }
        command = ["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        return subprocess.run(command, cwd=self.checkout, env=environment | variables, text=True, capture_output=True)

    def comments(self, known):
        """What stands under the pull request: the logins of who wrote what looks like netloom's, by number."""
        body = "<!-- netloom-action MARK -->\nold"
        listed = [{"id": number, "body": body, "user": {"login": login}} for number, login in known.items()]
        (self.folder / "comments").write_text(json.dumps(listed))

    def said(self, name):
        path = self.log / name
        return path.read_text() if path.exists() else ""

    def calls(self):
        """The arguments of each call of netloom."""
        calls = self.said("recorder").split("/netloom\n")[1:]
        return [call.split("\ncwd ")[0].split("\n") for call in calls]

    def problems(self):
        """What a branch has gained."""
        found = [f"`{path.name}` of the branch ran" for path in sorted(self.ran.iterdir())]
        if [path.name for path in self.victim.iterdir()] != ["file"] or (self.victim / "file").read_text() != "as it was\n":
            found.append("a link of the branch was written through")
        cargo = self.said("cargo")
        if cargo and (re.search(rf"^(cwd |CARGO_HOME=){re.escape(str(self.checkout))}", cargo, re.M) or "--target-dir" not in cargo):
            found.append("Cargo works in the checkout")
        found += [f"`{name}` has the token" for name in ("cargo", "recorder", "curl") if TOKEN in self.said(name)]
        secret = [name for name in ("JOB_TOKEN", "REGISTRY_PASSWORD", "BASE64") if name in self.said("recorder")]
        return found + [f"netloom sees {name}" for name in secret]


def base_of(calls, command):
    """The bases that a command of netloom's was called with."""
    return {call[call.index("--base") + 1] if "--base" in call else None for call in calls if call[:1] == [command]}


def wrong(what, found, expected):
    return [] if found == expected else [f"{what}: {found!r}, expected {expected!r}"]


class GitLab:
    def __init__(self, scratch):
        self.scratch = scratch
        self.template = yaml.safe_load((ROOT / ".gitlab/netloom.gitlab-ci.yml").read_text())
        self.job = self.template["netloom"]

    def run(self, variables, *clone):
        self.scratch.clone(*clone)
        checkout = str(self.scratch.checkout)
        given = {name: str(value) for name, value in (self.template["variables"] | self.job["variables"]).items()}
        given |= {
            "NETLOOM_REVISION": "0123456789",
            "NETLOOM_TOKEN": TOKEN,
            "CI_JOB_TOKEN": "64_JOB_TOKEN",
            "CI_REGISTRY_PASSWORD": "64_REGISTRY_PASSWORD",
            "CI_PROJECT_DIR": checkout,
            "CI_PROJECT_ID": "1",
            "CI_JOB_NAME": "netloom",
            "CI_JOB_URL": "https://gitlab.example.com/job",
            "CI_API_V4_URL": "https://gitlab.example.com/api/v4",
        }
        return self.scratch.run("\n".join(self.job["before_script"] + self.job["script"]), given | variables)

    def merge_request(self, **more):
        return {
            "CI_MERGE_REQUEST_IID": "5",
            "CI_MERGE_REQUEST_PROJECT_ID": "1",
            "CI_MERGE_REQUEST_PROJECT_URL": f"file://{self.scratch.folder}/elsewhere",
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": self.scratch.base,
        } | more

    def problems(self, done, bases, reports):
        scratch = self.scratch
        found = scratch.problems() + wrong("exit code", done.returncode, 0)
        found += wrong("bases of `check`", base_of(scratch.calls(), "check"), bases)
        folder = scratch.checkout / "netloom-report"
        plain = folder.is_dir() and not folder.is_symlink()
        there = sorted(path.name for path in folder.iterdir() if path.is_file() and not path.is_symlink()) if plain else []
        found += wrong("reports", there, reports)
        texts = [done.stdout, done.stderr, scratch.said("comment"), *(path.read_text() for path in folder.iterdir() if plain)]
        found += ["the token is in what is shown"] if any(TOKEN in text for text in texts) else []
        return found + ([done.stdout + done.stderr] if found else [])

    def check(self, report):
        scratch = self.scratch
        both = ["netloom.html", "netloom.md", "netloom.sarif", "netloom.xml"]
        single = ["--single-branch"]

        done = self.run(self.merge_request(), *single)
        found = self.problems(done, {scratch.tip}, both)
        found += wrong("bases of `diff`", base_of(scratch.calls(), "diff"), {scratch.base})
        told = scratch.said("curl-told")
        found += wrong("what curl is told", told, f"PRIVATE-TOKEN: {TOKEN}\n" * 2)
        calls = scratch.said("curl").split("/curl\n")[1:]
        found += [f"curl reads configuration: {call}" for call in calls if not call.startswith("-q\n")]
        found += [] if "PUT" in scratch.said("curl") and "serviceCIDR" in scratch.said("comment") else ["no comment was changed"]
        report.check("GitLab: a merge request of a hostile branch", found)

        (scratch.folder / "put").write_text("22\n")
        found = self.problems(self.run(self.merge_request(), *single), {scratch.tip}, both)
        found += [] if "POST" in scratch.said("curl") else ["no comment was written"]
        (scratch.folder / "put").write_text("0\n")
        report.check("GitLab: somebody else's comment that looks like netloom's", found)

        merged = self.merge_request(CI_MERGE_REQUEST_TARGET_BRANCH_SHA=scratch.base)
        report.check("GitLab: the pipeline of a merged result", self.problems(self.run(merged), {scratch.base}, both))

        shutil.copytree(scratch.origin, scratch.folder / "elsewhere.git", symlinks=True)
        scratch.git(scratch.folder / "elsewhere.git", "commit", "-q", "--allow-empty", "-m", "four")
        tip = scratch.git(scratch.folder / "elsewhere.git", "rev-parse", "main")
        done = self.run(self.merge_request(CI_MERGE_REQUEST_PROJECT_ID="2"), *single)
        report.check("GitLab: a merge request from a fork", self.problems(done, {tip}, both))

        done = self.run({}, *single)
        found = self.problems(done, {None}, ["netloom.sarif", "netloom.xml"]) + wrong("comments", scratch.said("curl"), "")
        report.check("GitLab: the default branch", found)

        gone = self.merge_request(CI_MERGE_REQUEST_TARGET_BRANCH_NAME="gone")
        for what, variables in {
            "no target branch": gone,
            "a binary of the branch": {"NETLOOM_BINARY": f"{scratch.checkout}/bin/netloom"},
            "a binary of the branch by a link": {"NETLOOM_BINARY": f"{scratch.folder}/linked"},
            "no commit": {"NETLOOM_REVISION": "COMMIT"},
        }.items():
            linked = scratch.folder / "linked"
            linked.unlink(missing_ok=True)
            linked.symlink_to(scratch.checkout / "bin/netloom")
            done = self.run(variables, *single)
            found = scratch.problems() + wrong("calls", scratch.calls(), []) + wrong("comments", scratch.said("curl"), "")
            report.check(f"GitLab: {what}", found + ([] if done.returncode else ["the job passes"]))

        done = self.run({"NETLOOM_BINARY": str(scratch.tools / "netloom")}, *single)
        report.check("GitLab: a binary of the image", self.problems(done, {None}, ["netloom.sarif", "netloom.xml"]))


class GitHub:
    """Runs the steps of the action that are scripts; what it says in `${{ }}` is looked up in a table."""

    def __init__(self, scratch):
        self.scratch = scratch
        self.steps = yaml.safe_load((ROOT / ".github/actions/netloom/action.yml").read_text())["runs"]["steps"]

    def value(self, text, known):
        def one(match):
            expression = match[1].strip()
            if expression not in known:
                sys.exit(f"the action says `{expression}`, which {Path(__file__).name} does not know")
            return known[expression]
        return re.sub(r"\$\{\{(.*?)\}\}", one, str(text))

    def run(self, event, binary=""):
        scratch, pull = self.scratch, event == "pull_request"
        scratch.clone()
        temp = scratch.folder / "temp"
        output, summary = temp / "output", temp / "summary"
        runner = {"RUNNER_TEMP": str(temp), "GITHUB_WORKSPACE": str(scratch.checkout), "GITHUB_OUTPUT": str(output)}
        runner["GITHUB_STEP_SUMMARY"] = str(summary)
        base = "github.event_name == 'pull_request' && format('refs/remotes/origin/{0}', github.base_ref) || github.event.merge_group.base_sha"
        known = {
            "inputs.binary": binary,
            "inputs.project": ".",
            "inputs.token": TOKEN,
            "inputs.base || format('refs/remotes/origin/{0}', github.base_ref)": "refs/remotes/origin/main",
            base: {"pull_request": "refs/remotes/origin/main", "merge_group": scratch.tip}.get(event, ""),
            "github.action_path": str(ROOT / ".github/actions/netloom"),
            "github.repository": "a/b",
            "github.event.pull_request.number": "5",
            "github.event_name == 'pull_request'": "true" if pull else "",
            "steps.report.outputs.artifact-url": "https://github.com/a/b/artifact",
            "steps.diff.outputs.mark && inputs.comment == 'true' && !github.event.pull_request.head.repo.fork": "true" if pull else "",
        }
        said = ""
        for step in self.steps:
            if "run" not in step:
                continue
            if "if" in step and not self.value(step["if"], known):
                continue
            variables = {name: self.value(value, known) for name, value in step.get("env", {}).items()}
            output.write_text("")
            done = scratch.run(step["run"], runner | variables)
            said += done.stdout + done.stderr
            for line in output.read_text().splitlines():
                name, _, value = line.partition("=")
                known[f"steps.{step['id']}.outputs.{name}"] = value
            if done.returncode:
                return done.returncode, said
        return 0, said

    def problems(self, code, said, bases):
        scratch = self.scratch
        found = scratch.problems() + wrong("exit code", code, 0) + wrong("bases of `check`", base_of(scratch.calls(), "check"), bases)
        texts = [said, scratch.said("comment"), *(path.read_text() for path in (scratch.folder / "temp").glob("*") if path.is_file())]
        found += ["the token is in what is shown"] if any(TOKEN in text for text in texts) else []
        return found + ([said] if found else [])

    def check(self, report):
        scratch = self.scratch
        found = self.problems(*self.run("pull_request"), {"refs/remotes/origin/main"})
        found += [] if "serviceCIDR" in scratch.said("comment") and TOKEN in scratch.said("gh") else ["no comment was written"]
        report.check("GitHub: a pull request of a hostile branch", found)
        comments = {1: "mallory", 2: "github-actions[bot]", 3: "github-actions[bot]"}
        for known, call in ((comments, "PATCH repos/a/b/issues/comments/2 "), ({1: "mallory"}, "POST repos/a/b/issues/5/comments ")):
            scratch.comments(known)
            found = self.problems(*self.run("pull_request"), {"refs/remotes/origin/main"})
            found += [] if call in scratch.said("gh-told") else [f"no {call}: {scratch.said('gh-told')}"]
            report.check(f"GitHub: comments of {', '.join(known.values())} that look like netloom's", found)
        found = self.problems(*self.run("push"), {None}) + wrong("comments", scratch.said("gh"), "")
        report.check("GitHub: a push", found)
        report.check("GitHub: a merge group", self.problems(*self.run("merge_group"), {scratch.tip}))
        for binary in (f"{scratch.checkout}/bin/netloom", f"{scratch.folder}/linked"):
            code, said = self.run("pull_request", binary)
            found = scratch.problems() + wrong("exit code", code, 2) + wrong("calls", scratch.calls(), [])
            report.check(f"GitHub: {'a link to ' * binary.endswith('linked')}a binary of the branch", found + ([said] if found else []))
        found = self.problems(*self.run("push", str(scratch.tools / "netloom")), {None})
        report.check("GitHub: a binary of the machine", found)


def main(netloom):
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Scratch(Path(folder).resolve(), netloom)
        shutil.copy(scratch.tools / "recorder", scratch.tools / "netloom")
        GitLab(scratch).check(report)
        GitHub(scratch).check(report)
    report.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(usage("name the netloom to run"))
    main(Path(sys.argv[1]).resolve())
