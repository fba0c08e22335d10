"""What netloom makes of kops and kURL inputs, against what kops made of them.

    imports.py NETLOOM FIXTURES

For each kops manifest (`FIXTURES/kops/RELEASE/NAME/in-*.yaml`): imports it, renders its network, and compares the template with
the `cloudformation.json` beside it, aspect by aspect. For each kURL Installer (`FIXTURES/kurl/*.yaml`): imports it. Every input
renders whole, with the flows that flows.py expects of its cluster.

Exceptions are data with reasons, by path below FIXTURES (a `*` stands for anything): `aspects`, in which of them the two differ,
and why; `refused`, whose cluster is refused, what is said, and why that is right: there the network is rendered alone. What is
listed and is not so is a failure, too.
"""

import fnmatch
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

import flows
from common import Report, template
from reachability import compare, from_template

PROJECT = "apiVersion: netloom.dev/v1alpha1\nkind: Project\nmetadata: {name: imported}\n"


def run(netloom, *words):
    done = subprocess.run([netloom, *words], capture_output=True, text=True)
    return (
        [] if done.returncode == 0 else [f"netloom {' '.join(words[:2])}: exit {done.returncode}", *done.stderr.splitlines()[:12]]
    )


def imported(netloom, kind, source, project):
    """Imports `source` into a new project; returns what went wrong."""
    (project / "netloom.yaml").write_text(PROJECT)
    (project / "declarations").mkdir()
    more = ["--network-cidr", "192.168.0.0/24"] if kind == "kurl" else []
    return run(netloom, "import", kind, str(source), *more, "--project", str(project))


def documents(project):
    (written,) = (project / "declarations").glob("*.yaml")
    return written, list(yaml.safe_load_all(written.read_text()))


def rendered(netloom, project, refusal):
    """Renders the project, or its network alone when its cluster is to be refused."""
    if refusal:
        done = subprocess.run([netloom, "render", "--project", str(project)], capture_output=True, text=True)
        if done.returncode == 0:
            return ["listed as refused, but it renders"]
        if refusal["says"] not in done.stderr:
            return [f"refused, but not because {refusal['says']}", *done.stderr.splitlines()[:12]]
        written, parsed = documents(project)
        written.write_text(yaml.safe_dump_all([d for d in parsed if d["kind"] == "Network"], sort_keys=False))
    return run(netloom, "render", "--project", str(project))


def compared(source, project, excused):
    theirs = source.parent / "cloudformation.json"
    (ours,) = (project / "rendered/networks").glob("*/cloudformation/network.template.yaml")
    region = next(d for d in documents(project)[1] if d["kind"] == "Network")["spec"]["aws"]["region"]
    sides = (from_template(template(path.read_text()), region) for path in (ours, theirs))
    found = compare(*sides)
    surplus = [f"{aspect}: listed as different, but equal" for aspect in excused if not found.get(aspect)]
    return surplus + [f"{aspect}: {one}" for aspect, all in found.items() if aspect not in excused for one in all]


def one(report, netloom, kind, source, name, exceptions):
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        refusal = next((rule for rule in exceptions["refused"] if fnmatch.fnmatch(name, rule["path"])), None)
        problems = imported(netloom, kind, source, project) or rendered(netloom, project, refusal)
        what = f"is refused: {refusal['says']}" if refusal else "renders"
        sound = report.check(f"{name} imports and {what}", problems)
        if sound and not refusal:
            report.check(f"{name} has its provider's flows", [p for *_, found in flows.compared(project) for p in found])
        if not sound or kind == "kurl":
            return
        rules = exceptions["aspects"]
        excused = {aspect for rule in rules if fnmatch.fnmatch(name, rule["path"]) for aspect in rule["aspects"]}
        if (source.parent / "cloudformation.json").exists():
            report.check(f"{name} is the network that kops makes", compared(source, project, excused))


def main():
    netloom, fixtures = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    exceptions = yaml.safe_load((Path(__file__).parent / "import_exceptions.yaml").read_text())
    report = Report()
    for kind, pattern in [("kops", "kops/*/*/in-*.yaml"), ("kurl", "kurl/*.yaml")]:
        for source in sorted(fixtures.glob(pattern)):
            one(report, str(netloom), kind, source, str(source.relative_to(fixtures)), exceptions)
    names = [str(source.relative_to(fixtures)) for source in fixtures.glob("k*/**/*.yaml")]
    rules = [rule["path"] for key in ("aspects", "refused") for rule in exceptions[key]]
    report.check("exceptions are about inputs", [f"nothing is at {rule}" for rule in rules if not fnmatch.filter(names, rule)])
    report.close()


if __name__ == "__main__":
    main()
