"""Stops a render at every change that it makes to the file system, and lets every one of them fail.

    crash.py NETLOOM [--only TEXT]… [--full]

A render is run under strace, which kills it (SIGKILL) at the n-th call of a kind, or lets that call fail (ENOSPC, EIO, EACCES), or that
one and all that follow. Units are added, removed, renamed and changed, one and several, with files of the user's own among them; where
two folders can exchange their names, and on overlayfs, where those of a lower layer cannot, and files are moved one by one.

Of every fault it is asked:

- A unit is its old self or its new self, in every byte and mode; file by file only where folders cannot be exchanged. Files of the
  user's own are where they were.
- Without a kill it is so for all units together, and what is said is true: “nothing was written” when and only when nothing was; what
  is new, and what is left, is named. Nothing else is left, no folder that is empty and none of staging.
- `check` is silent when and only when the output is the new one, and tells of a render that was stopped.
- The next render makes the output the new one and leaves nothing else.

One error of the three is tried at each call, in turn; --full tries all. Needs root, strace and overlayfs.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from common import Report

MEMORY = Path("/dev/shm")
STAGING = ".netloom-staging"
NOTHING = "nothing was written"
SHOWN = 30  # problems of a scenario
ERRORS = ["ENOSPC", "EIO", "EACCES"]
# What changes a file system, always or when a file is made.
CHANGES = "mkdir mkdirat link linkat symlink symlinkat rename renameat renameat2 unlink unlinkat rmdir write pwrite64 writev ftruncate "
CHANGES += "fallocate copy_file_range sendfile chmod fchmod fchmodat fchmodat2 fchown fchownat utimensat fsync fdatasync syncfs"
CHANGES = set(CHANGES.split())
OPENS = {"open", "openat", "openat2", "creat"}
MAKES = {"mkdir", "mkdirat", "link", "linkat", "pwrite64", "copy_file_range"}  # what a full disk refuses, with writing

PROJECT = """apiVersion: netloom.dev/v1alpha1
kind: Project
metadata: {name: crash}
spec:
  layers: [{overlay: own}]
  rules: {cni-ports: "off", cni-nothing: "off"}
"""
NETWORK = """apiVersion: netloom.dev/v1alpha1
kind: Network
metadata: {name: lan}
spec: {static: {cidr: 10.10.0.0/16}}
"""
CLUSTER = """apiVersion: netloom.dev/v1alpha1
kind: Cluster
metadata: {name: NAME, labels: {version: "VERSION"}}
spec:
  network: lan
  kubernetesVersion: "1.33"
  podCIDR: 100.POD.0.0/16
  networking: {cni: {}}
"""
OVERLAY = """apiVersion: netloom.dev/v1alpha1
kind: Overlay
metadata: {name: own}
spec:
  resources:
    - same.yaml
    - changed.yaml
    - {path: first.yaml, when: "cluster.labels.version == '1'"}
    - {path: second.yaml, when: "cluster.labels.version == '2'"}
"""
OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME, namespace: default}\ndata: {text: \"DATA\"}\n"
OWN = {"notes.txt": "mine\n", "kubernetes/own/notes.txt": "mine, too\n"}


@dataclass
class Scenario:
    """Clusters with their versions, before and after; and the clusters in whose folders the user has files."""

    name: str
    before: str
    after: str
    own: str = ""
    thorough: bool = False


SCENARIOS = [
    Scenario("a first render", "", "a1 b1"),
    Scenario("one added", "a1", "a1 b1"),
    Scenario("one removed", "a1 b1", "a1"),
    Scenario("one removed with files of the user's", "a1 b1", "a1", "b"),
    Scenario("one renamed", "a1", "b1"),
    Scenario("two renamed, one with files of the user's", "a1 b1", "c1 d1", "a"),
    Scenario("two changed, one with files of the user's", "a1 b1", "a2 b2", "a"),
    Scenario("one changed, one renamed, one removed, one as it was", "a1 b1 c1 d1", "a2 e1 d1", "a c", thorough=True),
]


@dataclass
class Ground:
    """A file system that the output is on: how it is laid out anew, and what it can do."""

    name: str
    exchange: bool
    files: Path  # declarations after the change, output before it
    folder: Path

    def lay(self, number):
        """A project of its own for one run."""
        at = self.folder / f"{number}"
        if self.exchange:
            shutil.copytree(self.files, at, symlinks=True)
            return at
        for part in ("upper", "work", "merged"):
            (at / part).mkdir(parents=True)
        options = f"lowerdir={self.files},upperdir={at}/upper,workdir={at}/work,redirect_dir=off"
        subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", at / "merged"], check=True)
        return at / "merged"

    def clear(self, number):
        at = self.folder / f"{number}"
        if not self.exchange:
            # A process that was killed may hold it open for a moment more.
            while subprocess.run(["umount", "-q", at / "merged"], stderr=subprocess.DEVNULL, timeout=60, check=False).returncode:
                time.sleep(0.05)
        shutil.rmtree(at)


def declare(folder, clusters):
    """Lays out a project with these clusters."""
    shutil.rmtree(folder / "declarations", ignore_errors=True)
    for path in ("declarations", "overlays/own"):
        (folder / path).mkdir(parents=True, exist_ok=True)
    (folder / "netloom.yaml").write_text(PROJECT)
    (folder / "declarations/lan.yaml").write_text(NETWORK)
    (folder / "overlays/own/overlay.yaml").write_text(OVERLAY)
    for name, data in {"same": "same", "changed": "{{ cluster.labels.version }}", "first": "1", "second": "2"}.items():
        (folder / f"overlays/own/{name}.yaml").write_text(OBJECT.replace("NAME", name).replace("DATA", data))
    for name, version in clusters.split():
        text = CLUSTER.replace("NAME", name).replace("VERSION", version).replace("POD", str(100 + ord(name) - ord("a")))
        (folder / f"declarations/{name}.yaml").write_text(text)


def look(folder):
    """Everything below a folder: permissions, and content where there is one, by path."""
    found = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode & 0o7777
        found[str(path.relative_to(folder))] = (mode, None if path.is_dir() else path.read_bytes())
    return found


def plain(tree):
    """A tree without staging folders and without the mark that a folder has while it is exchanged."""
    return {path: (mode & ~0o1000, content) for path, (mode, content) in tree.items() if not staging(path)}


def texts(tree):
    return {path: content for path, (_, content) in plain(tree).items() if content is not None}


def staging(path):
    return next((part for part in path.split("/") if part.endswith(STAGING)), None)


def units(tree):
    """The parts of an output that are exchanged as one, by folder."""
    found = {}
    for path, what in plain(tree).items():
        parts = path.split("/")
        if len(parts) > 2:
            found.setdefault("/".join(parts[1:3]), {})[path] = what
    return found


@dataclass
class Fault:
    call: str
    at: int
    what: str  # an error, or SIGKILL
    lasting: bool = False
    threads: int = 1

    def __str__(self):
        after = " and after" if self.lasting else f" of {self.threads} threads" if self.threads > 1 else ""
        return f"{self.what} at {self.call} {self.at}{after}"

    def injected(self):
        what = "signal=SIGKILL" if self.what == "SIGKILL" else f"error={self.what}"
        return ["-e", f"trace={self.call}", "-e", f"inject={self.call}:{what}:when={self.at}{'+' if self.lasting else ''}"]


@dataclass
class Run:
    code: int
    said: str
    tree: dict
    inputs: dict


class Bench:
    """One scenario on one ground."""

    def __init__(self, netloom, scenario, ground):
        self.netloom, self.scenario, self.ground = netloom, scenario, ground
        self.old, self.inputs = self.split(look(ground.files))
        self.new = self.run("new", self.rendered).tree
        self.rendered_units = {folder for folder, unit in units(self.new).items() if f"rendered/{folder}/.netloom.json" in unit}

    def split(self, tree):
        output = {path: what for path, what in tree.items() if f"{path}/".startswith("rendered/")}
        return output, {path: what for path, what in tree.items() if path not in output}

    def command(self, project, *words, strace=(), threads=1):
        return subprocess.run(
            [*strace, self.netloom, *words, "--project", project],
            cwd=project,
            env={"PATH": os.environ["PATH"], "RAYON_NUM_THREADS": str(threads)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def rendered(self, project, strace=(), threads=1):
        done = self.command(project, "render", strace=strace, threads=threads)
        output, inputs = self.split(look(project))
        return Run(done.returncode, done.stdout + done.stderr, output, inputs)

    def run(self, number, what, *arguments):
        """Does something in a project of its own."""
        project = self.ground.lay(number)
        try:
            return what(project, *arguments)
        finally:
            self.ground.clear(number)

    def calls(self):
        """The calls of a render that change the output, or read it, as kind and number in their thread."""

        def trace(project):
            log = project.parent / f"{project.name}.calls"
            run = self.rendered(project, ["strace", "-f", "-y", "-qq", "-o", log])
            text = log.read_text(errors="replace")
            log.unlink()
            assert run.tree == self.new, f"a render under strace is another one: {run.said}"
            return text

        changing, reading, counts = set(), set(), {}
        for line in self.run("calls", trace).splitlines():
            match = re.match(r"(\d+)\s+(\w+)\((.*)", line)
            if not match:
                continue
            thread, call, rest = match.groups()
            number = counts[thread, call] = counts.get((thread, call), 0) + 1
            if "rendered" not in rest:
                continue
            if call in CHANGES or call in OPENS and "O_CREAT" in rest:
                changing.add((call, number))
            elif call in OPENS | {"getdents64"}:
                reading.add((call, number))
        return sorted(changing), sorted(reading)

    def faults(self, full):
        changing, reading = self.calls()
        for index, (call, at) in enumerate(changing):
            yield Fault(call, at, "SIGKILL")
            yield from (Fault(call, at, error) for error in (ERRORS if full else [ERRORS[index % 3]]))
            if call.startswith("write"):
                yield Fault(call, at, "ENOSPC", lasting=True)
            elif call not in OPENS and (self.scenario.thorough or full):
                yield Fault(call, at, "ENOSPC" if call in MAKES else "EIO", lasting=True)
        if self.scenario.thorough and self.ground.exchange or full:
            yield from (Fault(call, at, "EIO") for call, at in reading)
            yield from (Fault(call, at, "SIGKILL", threads=4) for call, at in changing[::3])

    def judge(self, project, fault):
        """Whether the fault happened, and what is wrong after it."""
        log = project.parent / f"{project.name}.fault"
        run = self.rendered(project, ["strace", "-f", "-qq", "-o", log, *fault.injected()], fault.threads)
        trace = log.read_text(errors="replace")
        log.unlink()
        hit = run.code == -9 if fault.what == "SIGKILL" else "(INJECTED)" in trace
        if not hit or run.code == 127:
            return False, []  # not as far, or not yet netloom
        problems = [*self.state(run), *self.inputs_kept(run), *self.checked(run, self.command(project, "check"))]
        if fault.what != "SIGKILL" and not re.search(r"write\([12],.*INJECTED", trace):
            problems += self.told(run, fault)
        problems += self.healed(project)
        said = "\n     | ".join(run.said.splitlines()[:4])
        return True, [f"{fault}: {problem}" + (f"\n     | {said}" if problem.startswith("says") else "") for problem in problems]

    def state(self, run):
        """Every unit is old or new, and none is gone before those that come are there; no file is anything else."""
        before, after, now = units(self.old), units(self.new), units(run.tree)
        for folder in sorted({*before, *after, *now}):
            one, states = now.get(folder), (before.get(folder), after.get(folder))
            if self.ground.exchange and one not in states:
                yield f"{folder} is neither old nor new: {first(one, *states)}"
            for path, content in texts(one or {}).items():
                if content not in (texts(self.old).get(path), texts(self.new).get(path)):
                    yield f"{path} is neither old nor new"
        missing = [folder for folder in sorted(self.rendered_units) if now.get(folder) != after[folder]]
        gone = [folder for folder in before if folder not in self.rendered_units and now.get(folder) != before[folder]]
        if missing and gone:
            yield f"{gone[0]} goes before {missing[0]} is there"
        for name in self.scenario.own.split():
            for path in (f"rendered/clusters/{name}/{path}" for path in OWN):
                if run.tree.get(path) != self.old[path]:
                    yield f"{path}, which is the user's, is gone or changed"

    def inputs_kept(self, run):
        paths = sorted(run.inputs.keys() | self.inputs)
        yield from (f"{path} changed" for path in paths if run.inputs.get(path) != self.inputs.get(path))

    def told(self, run, fault):
        """After a failure: what is said is what was done."""
        if run.code not in (0, 2) or "panicked" in run.said:
            yield f"says {run.said[:80]!r} and exits with {run.code}"
        left = sorted(path for path in run.tree if path.endswith(STAGING))
        whole = {path: what for path, what in run.tree.items() if not staging(path)}
        nothing, everything = whole == self.old, whole == self.new
        if (NOTHING in run.said) != (nothing and run.code != 0):
            yield f"says {'' if NOTHING in run.said else 'not '}that nothing was written, but {'nothing' if nothing else 'something'} was"
        # A deletion that fails once is tried again; one that fails for good leaves what it cannot delete, and says so. Files that are
        # moved one by one are where they are until the next render goes on.
        lasting = fault.lasting and fault.call in ("unlink", "unlinkat", "rmdir")
        if left and not lasting and (self.ground.exchange or nothing):
            yield f"leaves {left[0]}"
        yield from (f"says nothing of {path}, which is left" for path in left if path not in run.said)
        if nothing:
            return
        if everything and not left and run.code:
            yield "says that it failed, but everything is done"
        if not everything and run.code == 0:
            yield "exits with 0, but not everything is done"
        yield from self.told_of_units(run, fault)

    def told_of_units(self, run, fault):
        """Which units are new, or which are not, is said by name; and they are all of one kind where they can be."""
        before, after, now = units(self.old), units(self.new), units(run.tree)
        changed = sorted(folder for folder in {*before, *after} if before.get(folder) != after.get(folder))
        done = [folder for folder in changed if now.get(folder) != before.get(folder)]
        undone = [folder for folder in changed if now.get(folder) != after.get(folder)]
        if undone and not any(all(folder in run.said for folder in folders) for folders in (done, undone)):
            yield f"says neither that {' and '.join(done)} changed nor that {' and '.join(undone)} did not"
        if self.ground.exchange and not fault.lasting and {*undone} & self.rendered_units and {*done} & self.rendered_units:
            yield f"{done[0]} is new, and {undone[0]} is not"

    def checked(self, run, check):
        left = any(staging(path) for path in run.tree)
        current = not left and texts(run.tree) == texts(self.new)
        if current != (check.returncode == 0):
            yield f"check exits with {check.returncode}, but the output is {'' if current else 'not '}the new one"
        if left and "output-interrupted" not in check.stderr:
            yield f"check does not tell of the render that was stopped: {check.stderr[:200]!r}"

    def healed(self, project):
        again = self.rendered(project)
        if again.code or again.tree != self.new:
            yield f"the next render exits with {again.code}; {first(again.tree, self.new)}"
            return
        check = self.command(project, "check")
        if check.returncode:
            yield f"check after the next render: {check.stderr[:200]!r}"


def first(tree, *others):
    """Where a tree differs from each of the others first."""
    tree = tree or {}
    paths = ({**(other or {}), **tree}.keys() for other in others)
    differing = [sorted(path for path in known if tree.get(path) != (other or {}).get(path)) for known, other in zip(paths, others)]
    return "; ".join(f"differs at {one[0]}" for one in differing if one)


def prepare(netloom, scenario, folder):
    """The project with the output of before, and the declarations of after."""
    declare(folder, scenario.before)
    if scenario.before:
        subprocess.run([netloom, "render", "-q", "--project", folder], check=True)
    for name in scenario.own.split():
        for path, text in OWN.items():
            (folder / "rendered/clusters" / name / path).write_text(text)
    declare(folder, scenario.after)


def grounds(scenario, files, folder):
    yield Ground("where folders can be exchanged", True, files, folder / "plain")
    if set(scenario.before.split()) - set(scenario.after.split()):  # otherwise no folder is replaced
        yield Ground("where they cannot", False, files, folder / "overlay")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("netloom", type=Path)
    parser.add_argument("--only", action="append", default=[], help="scenarios and grounds with this text in their name")
    parser.add_argument("--full", action="store_true", help="every error at every call")
    options = parser.parse_args()
    if os.geteuid():
        sys.exit("crash.py: needs root, for overlayfs")
    if not os.environ.get("CRASH_MOUNTS"):
        # Mounts of its own, which go with it.
        os.execvpe("unshare", ["unshare", "-m", sys.executable, *sys.argv], {**os.environ, "CRASH_MOUNTS": "1"})
    netloom, report = str(options.netloom.resolve()), Report()
    memory = MEMORY if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as scratch, ThreadPoolExecutor(os.cpu_count()) as pool:
        for number, scenario in enumerate(SCENARIOS):
            files = Path(scratch) / f"files{number}"
            prepare(netloom, scenario, files)
            for ground in grounds(scenario, files, Path(scratch) / f"{number}"):
                name = f"{scenario.name}, {ground.name}"
                if options.only and not any(text in name for text in options.only):
                    continue
                ground.folder.mkdir(parents=True)
                bench = Bench(netloom, scenario, ground)
                faults = list(bench.faults(options.full))
                judged = list(pool.map(lambda one: bench.run(one[0], bench.judge, one[1]), enumerate(faults)))
                hit = sum(hit for hit, _ in judged)
                problems = [problem for _, found in judged for problem in found]
                problems = problems[:SHOWN] + [f"and {len(problems) - SHOWN} more"] * (len(problems) > SHOWN)
                problems += [f"only {hit} of {len(faults)} faults happened"] if hit < 0.9 * len(faults) else []
                report.check(f"{name}: {hit} faults", problems)
    report.close()


if __name__ == "__main__":
    main()
