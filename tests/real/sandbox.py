"""Traces every command on every example, and holds what it does to the table that netloom prints.

Usage: sandbox.py NETLOOM ROOT…

`netloom --version --verbose --format json` has the table: what each command reads, writes and executes. strace tells every call
that names a file, starts a program or is about the network. A thread that is not confined yet opens nothing of the project; one
that is, nothing outside of its row; and nobody opens a socket. That the kernel refuses the rest is what cargo test shows
(tests/sandbox.rs); here nothing is even tried.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from common import Report, files, folder, output, projects, roots, usage

CALLS = "%file,%network,clone,clone3,fork,vfork,landlock_restrict_self,seccomp"
INSTALLER = """apiVersion: cluster.kurl.sh/v1beta1
kind: Installer
metadata: {name: imported}
spec:
  kubernetes: {version: 1.21.x, clusterName: prod}
  weave: {version: 2.6.5}
"""
PINNED = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: pinned, namespace: default}\ndata: {a: b}\n"
OVERLAY = """apiVersion: netloom.dev/v1alpha1
kind: Overlay
metadata: {name: pinned}
spec:
  resources: [upstream.yaml]
"""

# What a loader, a C library and an allocator open in a process that begins.
STARTING = re.compile(r"/etc/ld\.so\.(cache|preload)$|/etc/ld-musl-|(/usr|/usr/local)?/lib(32|64)?/|/proc/|/sys/|/dev/null$")
# Hidden files of a project that tell which others Git ignores, and which texts it makes others of.
IGNORING = {".gitignore", ".gitattributes", ".git/index", ".git/commondir", ".git/info/exclude"}

# What libraries ask for later and do without: how much memory and how many processors there are. It is refused.
PROBED = re.compile(r"/proc/(self/(maps|cgroup)|sys/vm/overcommit_memory)$|/sys/")

METADATA = {"access", "faccessat", "faccessat2", "stat", "lstat", "newfstatat", "fstatat64", "statx", "readlink", "readlinkat", "chdir",
            "getcwd", "statfs", "inotify_add_watch"}
READING, WRITING = {"open", "openat", "openat2"}, {"creat", "mkdir", "mkdirat", "mknod", "mknodat", "rename", "renameat", "renameat2",
                    "unlink", "unlinkat", "rmdir", "link", "linkat", "symlink", "symlinkat", "truncate"}
NETWORK = {"socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "sendto", "sendmsg", "sendmmsg", "recvfrom",
           "recvmsg", "recvmmsg", "getsockopt", "setsockopt", "getsockname", "getpeername", "shutdown"}

CALL = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+|\?)(?:<(.*?)>)?(?: (E\w+))?")
NAMED = re.compile(r'(?:(AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"')


def commands(project, work):
    """Command lines for a project: what is done with it first, and the arguments."""
    cluster = next(iter(sorted(p.name for p in (output(project) / "clusters").iterdir())), "none")
    declared = files([folder(project, "declarations", "declarations")], "*.yaml", "*.jsonnet")[0].relative_to(project)
    rendered = sorted(output(project).glob("clusters/*/kubernetes/*/*.yaml"))[0].relative_to(project)
    return [
        (change, ["render"]),
        (None, ["render"]),
        (remove_output, ["render", "--cluster", cluster]),
        (None, ["check"]),
        (change, ["check", "--base", "HEAD~1"]),
        (stage, ["check", "--staged"]),
        (change, ["check", "--max-class", "rolling", "--base", "HEAD"]),
        (change, ["diff", "--base", "HEAD", "--format", "html"]),
        (change, ["diff", "--base", "HEAD", "--raw"]),
        (untidy, ["fmt", "--check"]),
        (untidy, ["fmt"]),
        (None, ["layers", cluster]),
        (None, ["graph", "--cluster", cluster]),
        (change, ["graph", "--cluster", cluster, "--base", "HEAD"]),
        (None, ["import", "kurl", str(work / "installer.yaml"), "--network-cidr", "192.0.2.0/24"]),
        (None, ["import", "kurl", str(work / "installer.yaml"), "--network-cidr", "192.0.2.0/24", "--stdout"]),
        (pin, ["vendor", "overlays/pinned/upstream.yaml"]),
        (None, ["schema", "cluster"]),
        (None, ["schema", "--output", "schemas"]),
        (None, ["explain", "--list"]),
        (None, ["explain", f"{declared}:1"]),
        (None, ["explain", f"{rendered}:1"]),
        (None, ["policy", "list"]),
        (None, ["policy", "test"]),
        (None, ["completions", "bash"]),
        (None, ["init", "new/deep"]),
        (None, ["init", "--ci", "github"]),
    ]


def change(project):
    """Changes the declarations."""
    for file in [project / "netloom.yaml", *files([folder(project, "declarations", "declarations")], "*.yaml")]:
        file.write_text(file.read_text() + "# changed\n")


def stage(project):
    change(project)
    git(project, "add", "-A")


def remove_output(project):
    shutil.rmtree(output(project))


def untidy(project):
    for file in [project / "netloom.yaml", *files([folder(project, "declarations", "declarations")], "*.yaml")]:
        file.write_text(file.read_text().replace("\n", "  \n"))


def pin(project):
    pinned = folder(project, "overlays", "overlays") / "pinned"
    pinned.mkdir(parents=True, exist_ok=True)
    (pinned / "overlay.yaml").write_text(OVERLAY)
    (pinned / "upstream.yaml").write_text(PINNED)


def git(at, *arguments):
    identity = ["-c", "user.name=n", "-c", "user.email=n@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=at, check=True, stdout=subprocess.DEVNULL)


class Trace:
    """What strace wrote of one command: the lines of each thread, and which thread made it at which line."""

    def __init__(self, prefix):
        self.threads, self.parents = {}, {}
        for file in sorted(prefix.parent.glob(f"{prefix.name}.*")):
            calls = [CALL.match(line) for line in file.read_text(errors="replace").splitlines()]
            self.threads[int(file.suffix[1:])] = [call for call in calls if call]
        for thread, calls in self.threads.items():
            for at, call in enumerate(calls):
                if call[1] in ("clone", "clone3", "fork", "vfork") and int(call[3].replace("?", "-1")) > 0:
                    self.parents[int(call[3])] = (thread, at)

    def confined(self, thread, at):
        """Whether a thread was confined when it made its call `at`."""
        calls = self.threads.get(thread, [])[:at]
        if any(call[1] == "landlock_restrict_self" and call[3] == "0" for call in calls):
            return True
        return thread in self.parents and self.confined(*self.parents[thread])

    def program(self, thread, at):
        """What the process runs that a thread is in."""
        started = [named(call, Path("/")) for call in self.threads.get(thread, [])[:at] if call[1] == "execve" and call[3] == "0"]
        if started:
            return Path(started[-1][0]).name
        return self.program(*self.parents[thread]) if thread in self.parents else ""


def named(call, folder):
    """The paths that a call names, as far as their text tells: relative ones from a folder."""
    paths = []
    for _, base, name in NAMED.findall(call[2]):
        name = name.encode().decode("unicode_escape").encode("latin-1").decode(errors="replace")
        paths.append(os.path.normpath(os.path.join(base or folder, name)))
    # What was opened is where the kernel says.
    return [call[4]] if call[1] in READING and call[4] else paths


class Row:
    """What the table lets one command do, with the project's folders in it."""

    def __init__(self, row, project, arguments, work, netloom):
        self.row, self.project, self.netloom = row, project, netloom
        named = {"new/deep": project / "new", "--ci": project, "schemas": project / "schemas"}
        self.folders = {
            "declarations": [folder(project, "declarations", "declarations")],
            "overlays": [folder(project, "overlays", "overlays")],
            "policies": [folder(project, "policies", "policies")],
            "output": [output(project)],
            "file": [work / "installer.yaml"],
            "folder": [path for argument, path in named.items() if argument in arguments],
        }

    def reads(self, path, program, folder_itself):
        path = Path(path)
        if program == "git":
            return STARTING.match(str(path)) or ".git" in path.parts or path == self.project
        if program == "__jsonnet":
            return STARTING.match(str(path))
        if any(below(path, at) for place in self.row["reads"] for at in self.folders.get(place, [])):
            return True
        if "project" in self.row["reads"] and below(path, self.project):
            path = path.relative_to(self.project)
            return folder_itself or not path.parts[0].startswith(".") or str(path) in IGNORING
        return str(path) == "/dev/null" and self.row["executes"]

    def writes(self, path, program):
        path = Path(path)
        if str(path) == "/dev/null":
            return self.row["executes"]
        if program != "netloom":
            return False
        direct = "netloom.yaml" in self.row["writes"] and path.parent == self.project and "netloom.yaml" in path.name
        hidden = ".git" in path.parts
        return not hidden and (direct or any(below(path, at) for place in self.row["writes"] for at in self.folders.get(place, [])))

    def executes(self, path):
        name = "netloom" if Path(path) == self.netloom else Path(path).name
        return name in self.row["executes"] and Path(path).is_absolute() and not below(Path(path), self.project)


def below(path, at):
    return path == at or at in path.parents


def judged(trace, row, first):
    """What a command did that its row does not have."""
    for thread, calls in trace.threads.items():
        for at, call in enumerate(calls):
            wrong = judge(trace, row, thread, at, call, first)
            if wrong:
                yield f"{wrong}: {call[0][:300]}"


def judge(trace, row, thread, at, call, first):
    name, paths = call[1], named(call, row.project)
    if name in NETWORK:
        return "the network"
    if name in METADATA or not paths or (name in ("mkdir", "mkdirat") and call[5] == "EEXIST"):
        return None
    program, confined = trace.program(thread, at), trace.confined(thread, at)
    if program == first.name:
        worker = any(other[1] == "execve" and "__jsonnet" in other[2] for other in calls_of(trace, thread))
        program = "__jsonnet" if worker else "netloom"
    if name == "execve":
        return None if thread == min(trace.threads) and at == 0 else None if row.executes(paths[0]) else "executes"
    flags = call[2]
    if name in READING and "O_PATH" in flags:
        return None
    if name in WRITING or (name in READING and re.search(r"O_(WRONLY|RDWR|CREAT|TRUNC)", flags)):
        making = name in ("mkdir", "mkdirat") and not confined
        return None if all((making and row.writes(path, "netloom")) or (confined and row.writes(path, program)) for path in paths) else "writes"
    if name not in READING:
        return "does something that is in no table"
    if not confined:
        return unconfined(row, paths[0], "O_DIRECTORY" in flags)
    if program != "git" and PROBED.match(paths[0]):
        return None if call[5] else "reads"
    return None if row.reads(paths[0], program, "O_DIRECTORY" in flags) else "reads"


def unconfined(row, path, is_folder):
    """Before it is confined, a thread lists the project's folder, and reads what tells it which programs need what."""
    own = STARTING.match(path) or Path(path) == row.netloom or Path(path).name == "git" or ".git" in Path(path).parts
    return None if own or (is_folder and Path(path) == row.project) else "reads before it is confined"


def calls_of(trace, thread):
    """The calls of a thread's process, as far back as it began."""
    calls = list(trace.threads.get(thread, []))
    while thread in trace.parents and not any(call[1] == "execve" for call in calls):
        thread, _ = trace.parents[thread]
        calls += trace.threads.get(thread, [])
    return calls


def traced(netloom, table, project, work, number, before, arguments):
    """Runs one command in a copy of the project; what it did that it should not have."""
    at = work / f"{number}"
    shutil.copytree(project, at / "project", symlinks=True)
    copy = at / "project"
    if before:
        before(copy)
    (at / "trace").mkdir()
    strace = ["strace", "-ff", "-y", "-qq", "-s", "4096", "-e", f"trace={CALLS}", "-e", "signal=none", "-o", str(at / "trace" / "t")]
    done = subprocess.run([*strace, str(netloom), *arguments], cwd=copy, capture_output=True, text=True)
    row = Row(next(row for row in table if row["command"] == arguments[0]), copy, arguments, work, netloom)
    trace = Trace(at / "trace" / "t")
    problems = list(judged(trace, row, netloom))
    if not any(call[1] == "landlock_restrict_self" and call[3] == "0" for calls in trace.threads.values() for call in calls):
        problems.append("the command is not confined")
    if done.returncode not in (0, 1) or not trace.threads:
        problems.append(f"exit code {done.returncode}: {done.stdout}{done.stderr}")
    shutil.rmtree(at)
    return problems[:20]


def main():
    if len(sys.argv) < 3:
        sys.exit(usage("NETLOOM ROOT…"))
    netloom = Path(sys.argv[1]).resolve()
    report = Report()
    told = json.loads(subprocess.run([netloom, "--version", "--verbose", "--format", "json"], check=True, capture_output=True).stdout)
    for force in ("landlock", "seccomp"):
        report.check(f"{force} is in force", [] if told[force]["inForce"] else [told[force]["reason"]])
    table = told["commands"]
    with tempfile.TemporaryDirectory(prefix="netloom-sandbox-") as temporary, ThreadPoolExecutor() as pool:
        work = Path(temporary).resolve()
        (work / "installer.yaml").write_text(INSTALLER)
        for project in projects(roots(sys.argv[2:])):
            copy = work / project.name
            shutil.copytree(project, copy, symlinks=True)
            git(copy, "init", "-q", "-b", "main")
            for message in ("one", "two"):
                git(copy, "add", "-A")
                git(copy, "commit", "-q", "--allow-empty", "-m", message)
            runs = commands(copy, work)
            tried = {arguments[0] for _, arguments in runs}
            report.check(f"{project.name}: every command is tried", sorted({row["command"] for row in table} ^ tried))
            jobs = [pool.submit(traced, netloom, table, copy, work, number, *run) for number, run in enumerate(runs)]
            for (_, arguments), job in zip(runs, jobs):
                report.check(f"{project.name}: netloom {' '.join(arguments)}", job.result())
    report.close()


if __name__ == "__main__":
    main()
