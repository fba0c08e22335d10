"""`kustomize build` of every folder with a kustomization.yaml gives the objects in that folder, unchanged.

    kustomize_build.py ROOT…

A component folder without kustomization.yaml, or a file in it that its kustomization leaves out, is a failure.
"""

import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import yaml

from common import Loader, Report, objects, rendered, roots, short

BESIDE = Path(__file__).resolve().parents[2] / "target/tools/bin/kustomize"
KUSTOMIZE = os.environ.get("KUSTOMIZE") or (str(BESIDE) if BESIDE.exists() else shutil.which("kustomize"))


def identity(thing):
    metadata = thing["metadata"]
    return f"{thing['apiVersion']} {thing['kind']} {metadata.get('namespace', '')}/{metadata['name']}"


def built(folder):
    """The objects that kustomize makes of a folder, and what it had to say."""
    run = subprocess.run([KUSTOMIZE, "build", str(folder)], capture_output=True, text=True)
    if run.returncode:
        return [], [run.stderr.strip()[:600] or f"kustomize ended with {run.returncode}"]
    warnings = [line for line in run.stderr.splitlines() if line]
    return [d for d in yaml.load_all(run.stdout, Loader=Loader) if d], warnings


def compare(found, wanted):
    """Objects that are missing, too many or changed."""
    found, wanted = ({identity(o): o for o in group} for group in (found, wanted))
    problems = [f"not built: {i}" for i in wanted.keys() - found.keys()]
    problems += [f"built from nowhere: {i}" for i in found.keys() - wanted.keys()]
    return problems + [f"changed: {i}" for i in wanted.keys() & found.keys() if found[i] != wanted[i]]


def main():
    report, chosen = Report(), roots()
    if not KUSTOMIZE:
        raise SystemExit("kustomize is missing: run .ci/install-tools")
    folders = [f.parent for f in rendered(chosen, "kustomization.yaml")]
    for folder in folders:
        files = [f for f in sorted(folder.rglob("*.yaml")) if f.name != "kustomization.yaml"]
        wanted = [o for f in files for o in objects(f)]
        twice = [f"twice in the folder: {i}" for i, n in Counter(map(identity, wanted)).items() if n > 1]
        found, problems = built(folder)
        report.check(f"{short(folder)}: {len(wanted)} objects", problems + twice + compare(found, wanted))
    for file in rendered(chosen, "*.yaml"):
        if "kubernetes" in file.parts and file.parent not in folders:
            report.check(short(file), "its folder has no kustomization.yaml")
    report.close()


if __name__ == "__main__":
    main()
