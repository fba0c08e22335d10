"""`kubernetes-validate --strict` on every rendered object.

    kubernetes_validate.py NETLOOM ROOT…

Objects are valid in the version of Kubernetes that their cluster declares and in all later ones up to 1.37, since a control plane
is upgraded before what runs on it; a version before 1.25 has no schemas here, and its objects are held against those of 1.25 on.
Then NETLOOM renders the clusters for each version from 1.25 to 1.37 that their overlays run on, and what it makes for a version
is valid in that one.

A kind that a version does not have is a failure. Custom resources are held against the definitions that their cluster renders,
and the definitions against what the API server admits; what the operators in OPERATORS define has no schema here, and is counted.
"""

import functools
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import yaml

import custom_resources
import declarations
from common import Loader, Report, folder, output, projects, rendered, roots, short

HERE = Path(__file__).resolve().parent
sys.path = [p for p in sys.path if Path(p or ".").resolve() != HERE]  # this file has the package's name
import kubernetes_validate.utils as validator  # noqa: E402

OLDEST, NEWEST = 25, 37
OPERATORS = {
    "argoproj.io": "Argo CD",
    "cert-manager.io": "cert-manager",
    "external-secrets.io": "External Secrets Operator",
    "kustomize.toolkit.fluxcd.io": "Flux",
}
RANGE = re.compile(r"(>=|<)1\.(\d+)")

validator.schema_contents = functools.cache(validator.schema_contents)  # it reads 1 MB a call
validator.all_versions = functools.cache(validator.all_versions)


@functools.cache
def problem(text, minor):
    """What is wrong with an object in a version of Kubernetes; identical objects are validated once."""
    version = f"1.{minor}"
    try:
        used = validator.validate(json.loads(text), version, strict=True)
    except validator.ValidationError as error:
        return f"{'.'.join(map(str, error.path))}: {error.message[:300]}"
    except (validator.SchemaNotFoundError, validator.VersionNotSupportedError) as error:
        return error.message
    return None if used == version else f"validated against {used} instead"


@functools.cache
def objects(text):
    """The documents of a manifest; clusters have many in common."""
    return [d for d in yaml.load_all(text, Loader=Loader) if d is not None]


class Cluster:
    """A cluster's rendered objects, by file."""

    def __init__(self, files):
        self.files = {f: objects(f.read_text()) for f in files}
        things = [t for found in self.files.values() for t in found if is_object(t)]
        self.definitions = custom_resources.definitions(things)

    def problems(self, thing, minors):
        """What is wrong with an object, with the versions that say so."""
        if not is_object(thing):
            return ["no Kubernetes object"]
        definition, metadata = self.definitions.get((thing["apiVersion"], thing["kind"])), thing["metadata"]
        if definition or group(thing) in OPERATORS:
            own = list(custom_resources.problems(thing, definition)) if definition else []
            thing = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}  # any kind's is the same
        else:
            own = list(custom_resources.refused(thing)) if thing["kind"] == "CustomResourceDefinition" else []
        text, of = json.dumps(thing, sort_keys=True), {}
        for minor in minors:
            of.setdefault(problem(text, minor), []).append(f"1.{minor}")
        return own + [f"{', '.join(versions)}: {wrong}" for wrong, versions in of.items() if wrong]


def is_object(thing):
    return isinstance(thing, dict) and {"apiVersion", "kind", "metadata"} <= thing.keys()


def group(thing):
    return thing["apiVersion"].rpartition("/")[0]


def clusters(roots):
    """{cluster's folder: its manifests below the roots}"""
    found = {}
    for file in rendered(roots, "*.yaml"):
        kinds = [n for n, part in enumerate(file.parts) if part in ("kubernetes", "gitops")]
        if kinds and file.name != "kustomization.yaml":
            found.setdefault(Path(*file.parts[: kinds[-1]]), []).append(file)
    return found


def minor(spec):
    return int(spec["kubernetesVersion"].split(".")[1])


def committed(report, roots):
    """Every committed object, for its cluster's version and all later ones."""
    counted = Counter()
    for project in projects(roots):
        declared = declarations.read(project)["Cluster"]
        for place, files in clusters([r for r in roots if r.is_relative_to(project)] or [project]).items():
            cluster, minors = Cluster(files), range(max(OLDEST, minor(declared[place.name])), NEWEST + 1)
            for file, things in cluster.files.items():
                wrong = [p for thing in things for p in cluster.problems(thing, minors)]
                report.check(f"{short(file)}: 1.{minors[0]} … 1.{NEWEST}", wrong)
                counted.update(g for t in things if is_object(t) and (g := group(t)) in OPERATORS)
    for name, count in sorted(counted.items()):
        report.note(f"{count} objects of {name} ({OPERATORS[name]}) have no schema here; their metadata were validated")


def ranges():
    """{block that selects a stock overlay: the versions that it runs on}"""
    found = {}
    for file in (HERE.parents[1] / "overlays").rglob("overlay.yaml"):
        spec = yaml.safe_load(file.read_text()).get("spec") or {}
        if "kubernetes" in spec and "selectedBy" in spec:
            found[spec["selectedBy"]] = RANGE.findall(spec["kubernetes"])
    return found


def runs_on(spec, minor, ranges):
    """Whether a cluster's overlays run on a version."""
    has = lambda path: functools.reduce(lambda at, key: at.get(key) if isinstance(at, dict) else None, path.split("."), spec)
    holds = {">=": minor.__ge__, "<": minor.__lt__}
    return all(holds[sign](int(bound)) for path, bounds in ranges.items() if has(path) is not None for sign, bound in bounds)


OVERLAY = {"apiVersion": "netloom.dev/v1alpha1", "kind": "Overlay", "metadata": {"name": "any-version"}}


def last_layer(project):
    """The file of an overlay that comes after every other one that a project has for all of its clusters."""
    name, file = OVERLAY["metadata"]["name"], project / "netloom.yaml"
    document = yaml.safe_load(file.read_text())
    document["spec"].setdefault("layers", []).append({"overlay": name})
    file.write_text(yaml.safe_dump(document))
    place = folder(project, "overlays", "overlays") / name
    place.mkdir(parents=True)
    return place / "overlay.yaml"


def every_version(report, netloom, project):
    """Every cluster, rendered for each version that its overlays run on."""
    with tempfile.TemporaryDirectory() as temporary:
        copy, ranged = Path(temporary, project.name), ranges()
        shutil.copytree(project, copy, ignore=shutil.ignore_patterns(output(project).name))
        documents, below = declarations.documents(project), folder(copy, "declarations", "declarations")
        declared = declarations.read(project)["Cluster"]
        version = last_layer(copy)
        shutil.rmtree(below)
        below.mkdir()
        for minor in range(OLDEST, NEWEST + 1):
            runs = lambda d: d["kind"] != "Cluster" or runs_on(declared[d["metadata"]["name"]], minor, ranged)
            (below / "all.yaml").write_text(yaml.safe_dump_all(filter(runs, documents)))
            version.write_text(yaml.safe_dump(OVERLAY | {"spec": {"declarations": [{"cluster": {"kubernetesVersion": f"1.{minor}"}}]}}))
            shutil.rmtree(output(copy), ignore_errors=True)
            done = subprocess.run([netloom, "render", "--project", str(copy)], capture_output=True, text=True)
            report.check(f"{project.name} renders for 1.{minor}", done.stderr.splitlines()[:40] if done.returncode else [])
            for place, files in clusters([copy]).items():
                cluster = Cluster(files)
                wrong = [f"{f.name}: {p}" for f, ts in cluster.files.items() for t in ts for p in cluster.problems(t, [minor])]
                report.check(f"{project.name}: {place.name} rendered for 1.{minor}: {len(files)} files", wrong)


def main():
    netloom, report, chosen = str(Path(sys.argv[1]).resolve()), Report(), roots(sys.argv[2:])
    committed(report, chosen)
    for project in projects(chosen):
        every_version(report, netloom, project)
    report.close()


if __name__ == "__main__":
    main()
