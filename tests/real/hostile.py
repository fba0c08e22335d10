"""What a stranger may commit, and what netloom does with it: the cases of tests/hostile, and a corpus of others.

    hostile.py NETLOOM [--corpus FOLDER] [--only TEXT]…

A case lays out tests/hostile/project as a repository that is rendered and committed, changes it as the author of a pull request
could, runs netloom, and looks at the exit code and at what was said. Of every case it is asked, too, that netloom ends in time and by
itself, says nothing that is a command to a terminal or to CI, shows no secret, and changes nothing but what the case allows: a
command that reads changes nothing, a render nothing outside of the output, and one that fails nothing at all.

The corpus brings its own runner (tools/run.py). A case of it whose expectation is wrong stands in tests/hostile/exceptions.yaml with
the reason, and has to fail. Needs root, because some cases mount file systems and make devices.
"""

import argparse
import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from common import Report

CASES = Path(__file__).resolve().parents[1] / "hostile"
FILES = [file for file in sorted(CASES.glob("*.yaml")) if file.stem != "exceptions"]
CATEGORIES = ["config", "fs-input", "fs-output", "git", "import", "names"]
MEMORY = Path("/dev/shm")
STAGING = ".netloom-staging"
SECRET = "canary-c0ffee"
SECONDS = 40  # for one command; netloom gives a git that hangs less
CRASHES = {70, 101, 124, 126, 127} | {128 + number for number in range(1, 32)}
KEYS = {"what", "for", "setup", "run", "says", "unsaid", "writes", "kept", "left"}

# The names that a render gives, the record's among them.
PLAIN = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*(/\.netloom\.json)?", re.ASCII)
# What a terminal obeys, and what makes a text look like another one.
CONTROL = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
COMMAND = re.compile(r"(?m)^\s*::|##\[|##vso\[")
ANNOTATION = re.compile(r"(?m)^::(error|warning|notice) [^:\n]*::")


def expand(case):
    """The values of each case that an entry stands for: every combination of those of its `for`."""
    unknown = case.keys() - KEYS
    if unknown:
        sys.exit(f"{case['what']}: no such key: {', '.join(unknown)}")
    lists = [[(name, value) for value in values] for name, values in case.get("for", {}).items()]
    for chosen in itertools.product(*lists):
        values = {}
        for name, value in chosen:
            values |= value if isinstance(value, dict) else {name: value}
        yield values


def fill(text, values):
    """The text with the values in the places of their names: `{place}`."""
    return re.sub(r"\{(\w+)\}", lambda match: str(values.get(match[1], match[0])), str(text))


def listed(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def look(folder):
    """Everything below a folder: kind, permissions and content by path; links are not followed."""
    found = {}
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        status = entry.stat(follow_symlinks=False)
        mode = oct(status.st_mode)
        if entry.is_symlink():
            found[entry.path] = (mode, os.readlink(entry.path))
        elif entry.is_dir():
            found[entry.path] = (mode, "")
            found |= look(entry.path)
        elif entry.is_file() and status.st_size < 1 << 24:
            found[entry.path] = (mode, Path(entry.path).read_bytes())
        else:
            found[entry.path] = (mode, status.st_size)
    return found


class Sandbox:
    """A project of its own, with something beside it that is nobody's business."""

    def __init__(self, netloom, folder):
        self.folder, self.work, self.outside = folder, folder / "work", folder / "outside"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder / "home"),
            "LANG": "C.UTF-8",
            "NETLOOM": netloom,
            "SECRET": SECRET,
            "OUTSIDE": str(self.outside),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{role}_{part}": "a@example.com" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")},
        }

    @classmethod
    def template(cls, netloom, folder):
        """The project, rendered and committed."""
        made = cls(netloom, folder)
        shutil.copytree(CASES / "project", made.work)
        for path in (made.outside / "folder", folder / "home"):
            path.mkdir(parents=True)
        for path in ("secret.yaml", "folder/secret.yaml", "victim"):
            (made.outside / path).write_text(f"note: {SECRET}\n")
        run = "printf '#!/bin/sh\n' >run && chmod +x run && ./run && rm run && "  # programs of the branch could run here
        run += "git init -q -b main --template= && mkdir .git/hooks .git/info && netloom render -q && netloom check -q && commit"
        code, out = made.bash(run)
        return made if code == 0 else sys.exit(f"the project of the cases does not render:\n{out}")

    def copy(self, folder):
        shutil.copytree(self.folder, folder, symlinks=True)
        return Sandbox(self.environment["NETLOOM"], folder)

    def bash(self, text, values=()):
        """Runs a line; returns the exit code, negative for a signal and None when it took too long, and what was said."""
        command = f"set -e; . {CASES}/functions.sh; cd {self.work}\n{text}"
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(
                ["bash", "-c", command],
                env={**self.environment, **{name: str(value) for name, value in dict(values).items()}},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
            try:
                code = process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                code = None
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # and what it started
            process.wait()
            said.seek(0)
            return code, said.read(1 << 22).decode(errors="backslashreplace")

    def look(self):
        return {path[len(str(self.folder)) + 1 :]: what for path, what in look(self.folder).items()}


def problems(sandbox, values, case):
    """What is wrong with a case."""
    code, said = sandbox.bash(case.get("setup", ""), values)
    if code:
        yield f"the setup failed: {said}"
        return
    first = before = sandbox.look()
    for line, wanted in case["run"].items():
        line = fill(line, values)
        code, said = sandbox.bash(line, values)
        after = sandbox.look()
        changed = {path for path in before.keys() | after if before.get(path) != after.get(path)}
        before = after
        found = [*ended(code, listed(values.get("exit", wanted))), *told(said, line, case, values)]
        found += touched(changed, line, code, case, values)
        yield from (f"{line}: {problem}" for problem in found)
        yield from shown(said) if found else []
    for path in listed(case.get("left")):
        if f"work/{fill(path, values)}" not in before:
            yield f"{fill(path, values)} is gone"
    for path, (mode, content) in before.items():
        if first.get(path) == (mode, content):
            continue
        if path.startswith("work/rendered/") and SECRET in str(content):
            yield f"the secret is in {path}"
        left = code and STAGING in path and STAGING in said  # what could not be deleted, and is said
        if path.startswith("work/rendered/") and path not in first and not PLAIN.fullmatch(path) and not left:
            yield f"{path!r} is not what a render writes"
        if int(mode, 8) & 0o170002 in (0o100002, 0o040002):
            yield f"{path} is writable by everybody"


def ended(code, wanted):
    if code is None:
        yield f"it did not end in {SECONDS} s"
    elif code < 0 or code in CRASHES:
        yield f"exit {code}: it crashed"
    elif code not in wanted:
        yield f"exit {code}, not {' or '.join(map(str, sorted(wanted)))}"


def told(said, line, case, values):
    for text in listed(case.get("says")):
        if fill(text, values) not in said:
            yield f"does not say `{fill(text, values)}`"
    for text in [SECRET, "panicked at", *listed(case.get("unsaid"))]:
        if fill(text, values) in said:
            yield f"says `{fill(text, values)}`"
    if found := CONTROL.search(said):
        yield f"says {found[0]!r}"
    if COMMAND.search(ANNOTATION.sub("", said) if "github" in line else said):
        yield "gives a command to CI"


def touched(changed, line, code, case, values):
    """Paths that changed and should not have. What a case `writes` may change; a render, its output."""
    allowed = [f"work/{fill(path, values)}" for path in listed(case.get("writes"))]
    if code == 0 and "netloom render" in line:
        allowed.append("work/rendered")
    kept = [f"work/{fill(path, values)}" for path in listed(case.get("kept"))]
    within = lambda path, folders: any(path == folder or path.startswith(f"{folder}/") for folder in folders)
    for path in sorted(changed):
        if not within(path, allowed) or within(path, kept):
            yield f"{path} changed"


def shown(said):
    """The beginning of what was said, as something that belongs to a problem."""
    return (f"  | {line[:150]}" for line in said.strip().splitlines()[:6])


def own_cases(netloom, wanted, report):
    """The cases of tests/hostile: a check for each entry, a problem for each case that is wrong."""
    entries = [(file.stem, case) for file in FILES for case in yaml.safe_load(file.read_text())]
    cases = [(entry, fill(entry[1]["what"], values), values) for entry in entries for values in expand(entry[1])]
    names = [f"{stem}: {name}" for (stem, _), name, _ in cases]
    if twice := {name for name in names if names.count(name) > 1}:
        sys.exit(f"several cases are called {sorted(twice)[0]}")
    chosen = [case for name, case in zip(names, cases) if not wanted or any(text in name for text in wanted)]
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        folder = Path(folder).resolve()
        folder.chmod(0o755)
        template = Sandbox.template(netloom, folder / "template")

        def run(number, values, case):
            sandbox = template.copy(folder / str(number))
            found = list(problems(sandbox, values, case))
            subprocess.run(["rm", "-rf", "--one-file-system", sandbox.folder], check=False)
            return found

        numbered = enumerate(chosen)
        with ThreadPoolExecutor(os.cpu_count() + 2) as pool:  # some cases wait for a time limit
            running = [(entry, name, pool.submit(run, number, values, entry[1])) for number, (entry, name, values) in numbered]
            for (stem, case), group in itertools.groupby(running, key=lambda one: one[0]):
                results = [(name, future.result()) for _, name, future in group]
                found = [f"{name}: {problem}" for name, found in results for problem in found]
                report.check(f"{stem}: {case['what']} ({len(results)} cases)", found)


def corpus(netloom, folder, report):
    """The corpus's own verdicts, none left out, and those of its crash matrix, which runs beside."""
    exceptions = yaml.safe_load((CASES / "exceptions.yaml").read_text()) or {}
    with tempfile.TemporaryDirectory(dir="/tmp") as scratch:  # where one of its cases expects it
        results, matrix = Path(scratch) / "results.json", Path(scratch) / "matrix"
        common = ["--bin", netloom, "--tmp"]
        with matrix.open("w") as said:
            crashes = [sys.executable, folder / "tools/crash_matrix.py", *common, Path(scratch) / "crashes"]
            crashes = subprocess.Popen(crashes, stdout=said, stderr=subprocess.STDOUT)
        only = itertools.chain.from_iterable(("--only", f"{category}/*") for category in CATEGORIES)
        runner = [sys.executable, folder / "tools/run.py", *common, scratch, "--jobs", str(os.cpu_count())]
        subprocess.run([*runner, "--json", results, *only], stdout=subprocess.DEVNULL, check=False)
        verdicts = json.loads(results.read_text())
        crashed, said = crashes.wait(), matrix.read_text().splitlines()
    for one in verdicts:
        found = [one[key] for key in ("skip", "setup_error") if one.get(key)] + one["fails"]
        if one["id"] in exceptions:
            report.note(f"{one['id']}: {exceptions.pop(one['id'])}")
            found = [] if found else ["it is right: take it out of exceptions.yaml"]
        report.check(f"corpus: {one['id']}", found)
    report.check("corpus: every exception is a case", [f"there is no case {name}" for name in exceptions])
    known = {one["id"].partition("/")[0] for one in verdicts}
    report.check("corpus: every category has cases", [f"{name} has none" for name in CATEGORIES if name not in known])
    report.check(f"corpus: {said[-1]}", [line for line in said if line.startswith("FAIL")] + [f"exit {crashed}"] if crashed else [])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("netloom", type=Path)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--only", action="append", default=[], help="of the project's own cases, those with this text in their name")
    options = parser.parse_args()
    if os.geteuid():
        sys.exit("hostile.py: needs root, for mounts and devices")
    netloom, report = str(options.netloom.resolve()), Report()
    own_cases(netloom, options.only, report)
    if options.corpus:
        corpus(netloom, options.corpus.resolve(), report)
    report.close()


if __name__ == "__main__":
    main()
