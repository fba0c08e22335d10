"""Has pre-commit run the hooks of .pre-commit-hooks.yaml in a repository of its own.

Usage: pre_commit.py NETLOOM

A good commit passes; a declaration that is invalid, output that is stale or edited by hand, and a file that is not in normal form
are refused, each by its hook. The hooks are those of this repository, with the binary at hand instead of one built from source.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONFIG = """\
repos:
- repo: {hooks}
  rev: {rev}
  hooks:
  - {{id: netloom-fmt, language: system}}
  - {{id: netloom-render, language: system}}
  - {{id: netloom-check, language: system}}
"""
HOOKS = ["netloom-fmt", "netloom-render", "netloom-check"]


class Repository:
    """A Git repository in a folder of its own, with nobody's configuration but ours."""

    def __init__(self, folder, environment):
        self.folder, self.environment = folder, environment
        folder.mkdir()
        self.git("init", "-q", "-b", "main")

    def run(self, *command):
        return subprocess.run(command, cwd=self.folder, env=self.environment, text=True, capture_output=True)

    def git(self, *arguments):
        done = self.run("git", *arguments)
        if done.returncode:
            sys.exit(f"git {' '.join(arguments)}: {done.stderr}")
        return done.stdout.strip()

    def put(self, path, text):
        path = self.folder / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def edit(self, path, old, new):
        text = (self.folder / path).read_text(encoding="utf-8")
        if old not in text:
            sys.exit(f"{path} has no {old!r}")
        self.put(path, text.replace(old, new, 1))

    def commit(self, message, *paths):
        """Commits everything, or these paths; returns the hooks that failed, or none when it was done, and what was said."""
        self.git("add", *(paths or ["-A"]))
        done = self.run("git", "commit", "-q", "-m", message)
        said = done.stdout + done.stderr
        failed = [hook for hook in HOOKS if f"- hook id: {hook}\n" in said]
        if bool(done.returncode) != bool(failed):
            sys.exit(f"{message}: exit {done.returncode}, but these hooks failed: {failed}\n{said}")
        return failed, said


def environment(netloom, scratch):
    """The binary first on the path, pre-commit's files in the scratch folder, and no configuration of Git's."""
    binaries = scratch / "bin"
    binaries.mkdir()
    (binaries / "netloom").symlink_to(netloom)
    path = os.pathsep.join([str(binaries), str(pathlib.Path(sys.executable).parent), os.environ["PATH"]])
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PRE_COMMIT"))}
    person = {f"GIT_{role}_{part}": "test@example.com" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    return kept | person | {
        "PATH": path,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "PRE_COMMIT_HOME": str(scratch / "cache"),
    }


def expect(what, found, hooks, words=""):
    failed, said = found
    if failed != hooks or words not in said:
        sys.exit(f"{what}: failed {failed}, expected {hooks} and {words!r}\n{said}")
    print(f"{what}: {'refused by ' + ', '.join(hooks) if hooks else 'passes'}")


def main(netloom):
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch).resolve()
        variables = environment(netloom, scratch)
        hooks = Repository(scratch / "hooks", variables)
        shutil.copy(ROOT / ".pre-commit-hooks.yaml", hooks.folder)
        hooks.git("add", "-A")
        hooks.git("commit", "-q", "-m", "Hooks")
        fleet = Repository(scratch / "fleet", variables)
        for command in (["netloom", "init"], ["netloom", "render"]):
            done = fleet.run(*command)
            if done.returncode:
                sys.exit(f"{command}: {done.stderr}")
        rev = hooks.git("rev-parse", "HEAD")
        fleet.put(".pre-commit-config.yaml", CONFIG.format(hooks=hooks.folder, rev=rev))
        validated = fleet.run(sys.executable, "-m", "pre_commit", "validate-manifest", str(hooks.folder / ".pre-commit-hooks.yaml"))
        if validated.returncode:
            sys.exit(validated.stdout + validated.stderr)
        installed = fleet.run(sys.executable, "-m", "pre_commit", "install")
        if installed.returncode:
            sys.exit(installed.stdout + installed.stderr)
        cases(fleet)


def cases(fleet):
    cluster, network = "declarations/cluster.yaml", "declarations/network.yaml"
    expect("a new project", fleet.commit("All"), [])
    good = (fleet.folder / cluster).read_text(encoding="utf-8")

    fleet.put("notes.txt", "nothing of netloom's\n")
    expect("a file of somebody else's", fleet.commit("Notes"), [])

    fleet.put(cluster, good.replace("spec:\n", "spec:\n  nonsense: 1\n", 1))
    expect("an invalid declaration", fleet.commit("Bad"), ["netloom-render", "netloom-check"], "nonsense")
    fleet.put(cluster, good)

    fleet.put(cluster, good + "\n\n\n")
    expect("empty lines at the end", fleet.commit("Lines"), ["netloom-fmt"], "files were modified by this hook")
    if (fleet.folder / cluster).read_text(encoding="utf-8") != good:
        sys.exit("netloom-fmt did not give the file its normal form back")

    expect_stale(fleet, network)
    expect_forgotten(fleet)

    readme = next((fleet.folder / "rendered" / "clusters").glob("*/README.md"))
    rendered = readme.read_text(encoding="utf-8")
    readme.write_text(rendered + "A line by hand.\n", encoding="utf-8")
    found = fleet.commit("By hand")
    failed, said = found
    if not failed:
        sys.exit(f"output edited by hand was committed\n{said}")
    print(f"output edited by hand: refused by {', '.join(failed)}")


def expect_stale(fleet, network):
    """A change of what is rendered: refused with the old output, passes with the new one, which the first attempt wrote."""
    fleet.edit(network, "metadata:\n", "# A comment changes nothing.\nmetadata:\n")
    expect("a comment", fleet.commit("Comment"), [])
    cluster = "declarations/cluster.yaml"
    text = (fleet.folder / cluster).read_text(encoding="utf-8")
    fleet.put(cluster, text.replace("spec:\n", "spec:\n  serviceCIDR: 100.64.0.0/14\n", 1))
    expect("output that was not rendered", fleet.commit("Services"), ["netloom-render", "netloom-check"])
    expect("the same with its output", fleet.commit("Services"), [])


def expect_forgotten(fleet):
    """What is rendered and not added, and what is only deleted: pre-commit does not take either away or name it."""
    text = (fleet.folder / "declarations/cluster.yaml").read_text(encoding="utf-8")
    name = next(line.split()[1] for line in text.splitlines() if line.startswith("  name: "))
    fleet.put("declarations/second.yaml", text.replace(f"name: {name}", "name: second", 1))
    fleet.run("netloom", "render")
    expect("a cluster without its output", fleet.commit("Second", "declarations"), ["netloom-check"], "git add")
    expect("the same with its output", fleet.commit("Second"), [])
    (fleet.folder / "declarations/second.yaml").unlink()
    expect("a cluster that goes, but for its output", fleet.commit("Gone"), ["netloom-check"], "belongs to no declaration")
    fleet.run("netloom", "render")
    expect("the same without its output", fleet.commit("Gone"), [])


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).resolve())
