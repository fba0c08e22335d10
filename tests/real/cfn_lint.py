"""cfn-lint, without errors or warnings, on every rendered template and every deployment file.

    cfn_lint.py ROOT…

Deployment files (CloudFormation Git sync) name their template from the root of the repository, which the
project's `spec.paths.repository` gives; cfn-lint takes that from the working directory. Each template is checked for the
region that its network is declared in, or for us-east-1 where AWS has no such region. A template may not tell
cfn-lint to look away.
"""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import yaml
from cfnlint.helpers import REGIONS

import declarations
from common import Report, project_of, rendered, repository, roots, short, template

STAND_IN = "us-east-1"
DEPLOYMENT_KEYS = {"template-file-path", "parameters", "tags"}


def region_of(file, declared):
    """The region of the network that a template is for."""
    name = file.parents[1].name
    if file.parents[2].name == "clusters":
        name = declared["Cluster"].get(name, {}).get("network")
    region = declared["Network"].get(name, {}).get("aws", {}).get("region")
    return region if region in REGIONS else STAND_IN


def lint(root, region, kind, files):
    """{file: findings} of one run of cfn-lint over templates or over deployment files."""
    names = [str(f.relative_to(root)) for f in files]
    command = [Path(sys.executable).with_name("cfn-lint"), "--format", "json", "--config-file", "/dev/null"]
    run = subprocess.run([*command, "--regions", region, kind, *names], cwd=root, capture_output=True, text=True)
    findings = defaultdict(list)
    try:
        matches = json.loads(run.stdout)
    except ValueError:
        matches = None
    if matches is None or run.returncode and not matches:
        crash = run.stderr.strip().splitlines() or [f"cfn-lint ended with {run.returncode}"]
        return dict.fromkeys(files, [crash[-1]])
    for match in matches:
        line = match["Location"]["Start"]["LineNumber"]
        text = f"{match['Rule']['Id']} line {line}: {match['Message']}"
        findings[(root / match["Filename"]).resolve()].append(text)
    return findings


def ignored(document):
    """Places of a template that configure cfn-lint."""
    places = {"Metadata": document} | (document.get("Resources") or {})
    return [f"{name} configures cfn-lint" for name, place in places.items() if "cfn-lint" in (place.get("Metadata") or {})]


def deployment_problems(file, root):
    """What is wrong with a deployment file itself."""
    document = yaml.safe_load(file.read_text())
    problems = [f"key {k} is not of Git sync's format" for k in document.keys() - DEPLOYMENT_KEYS]
    if root / document.get("template-file-path", "") != beside(file):
        return [*problems, f"names {document.get('template-file-path')}, not the template beside it"]
    wanted, given = read(beside(file)).get("Parameters") or {}, document.get("parameters") or {}
    problems += [f"parameter {p} is not the template's" for p in given.keys() - wanted.keys()]
    return problems + [f"parameter {p} is missing" for p in wanted.keys() - given.keys() if "Default" not in wanted[p]]


def undeployed(file):
    """A template has a deployment file, unless it asks for parameters, whose values only its user knows."""
    deployment = file.with_name(file.name.replace(".template.", ".deployment."))
    return [] if deployment.exists() or "Parameters" in read(file) else ["no deployment file beside it"]


def beside(deployment):
    """The template that a deployment file is for."""
    return deployment.with_name(deployment.name.replace(".deployment.", ".template."))


def read(file):
    """A template; an empty one when it is no YAML, which cfn-lint reports."""
    try:
        return template(file.read_text())
    except yaml.YAMLError:
        return {}


def main():
    report, groups, seen = Report(), defaultdict(list), {}
    for file in rendered(roots(), "*.template.yaml", "*.deployment.yaml"):
        project = project_of(file)
        seen.setdefault(project, declarations.read(project))
        groups[repository(project), region_of(file, seen[project])].append(file)
    for (root, region), chosen in sorted(groups.items()):
        templates = [f for f in chosen if f.name.endswith(".template.yaml")]
        deployments = [f for f in chosen if f not in templates]
        found = lint(root, region, "--template", templates) if templates else {}
        for file in templates:
            problems = found.get(file, []) + ignored(read(file)) + undeployed(file)
            report.check(f"{short(file)} ({region})", problems)
        broken = {f: p for f in deployments if (p := deployment_problems(f, root))}
        sound = [f for f in deployments if f not in broken]
        found = lint(root, region, "--deployment-files", sound) if sound else {}
        for file in deployments:
            problems = broken.get(file) or [*found.get(file, []), *found.get(beside(file), [])]
            report.check(f"{short(file)} ({region})", problems)
    report.close()


if __name__ == "__main__":
    main()
