"""`kubernetes-validate --strict` on every rendered object, for each Kubernetes version from 1.25 to 1.37.

    kubernetes_validate.py ROOT…

The command itself only warns about a kind that a version does not have; here that is a failure, as is a
group that nobody knows. Objects of the groups in CUSTOM are defined by CRDs: they have no schema here and
are counted by group instead. What is valid in some versions only stands in kubernetes_exceptions.yaml with
the reason, and an exception that is not needed is a failure, too.
"""

import functools
import json
import sys
from collections import Counter
from pathlib import Path

import yaml

from common import Report, objects, rendered, roots, short

HERE = Path(__file__).resolve().parent
sys.path = [p for p in sys.path if Path(p or ".").resolve() != HERE]  # this file has the package's name
import kubernetes_validate.utils as validator  # noqa: E402

VERSIONS = [f"1.{minor}" for minor in range(25, 38)]
BUILT_IN = {
    "", "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "apps", "autoscaling", "batch",
    "certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io", "flowcontrol.apiserver.k8s.io",
    "networking.k8s.io", "node.k8s.io", "policy", "rbac.authorization.k8s.io", "resource.k8s.io", "scheduling.k8s.io",
    "storage.k8s.io",
}  # fmt: skip
CUSTOM = {
    "argoproj.io": "Argo CD",
    "cilium.io": "Cilium",
    "crd.projectcalico.org": "Calico",
    "external-secrets.io": "External Secrets Operator",
    "kustomize.toolkit.fluxcd.io": "Flux",
    "source.toolkit.fluxcd.io": "Flux",
}

validator.schema_contents = functools.cache(validator.schema_contents)  # it reads 1 MB a call
validator.all_versions = functools.cache(validator.all_versions)


@functools.cache
def problem(text, version):
    """What is wrong with an object in a version of Kubernetes; identical objects are validated once."""
    try:
        used = validator.validate(json.loads(text), version, strict=True)
    except validator.ValidationError as error:
        return f"{'.'.join(map(str, error.path))}: {error.message[:300]}"
    except (validator.SchemaNotFoundError, validator.VersionNotSupportedError) as error:
        return error.message
    return None if used == version else f"validated against {used} instead"


class Exceptions:
    """The agreed exceptions, and which of them were met and needed."""

    def __init__(self):
        self.listed = yaml.safe_load((HERE / "kubernetes_exceptions.yaml").read_text())["exceptions"]
        self.met, self.needed = set(), set()

    def excused(self, thing, version, wrong):
        for number, exception in enumerate(self.listed):
            same = all(thing[k] == exception[k] for k in ("apiVersion", "kind"))
            named = exception.get("name") in (None, thing["metadata"]["name"])
            if same and named and version in exception["versions"]:
                self.met.add(number)
                self.needed |= {number} if wrong else set()
                return True
        return False

    def stale(self):
        return [f"not needed: {self.listed[n]}" for n in sorted(self.met - self.needed)]


def check_file(report, exceptions, custom, file):
    problems, validated = [], 0
    for thing in objects(file):
        if not isinstance(thing, dict) or not {"apiVersion", "kind", "metadata"} <= thing.keys():
            problems.append("no Kubernetes object")
            continue
        group = thing["apiVersion"].rpartition("/")[0]
        if group in CUSTOM:
            custom[group] += 1
            continue
        validated += 1
        if group not in BUILT_IN:
            problems.append(f"{thing['kind']}: nobody knows the group {group}")
        else:
            text = json.dumps(thing, sort_keys=True)
            wrong = {version: problem(text, version) for version in VERSIONS}
            problems += summary({v: p for v, p in wrong.items() if not exceptions.excused(thing, v, p) and p})
    if validated or problems:
        report.check(f"{short(file)}: {VERSIONS[0]} … {VERSIONS[-1]}", problems)


def summary(wrong):
    """Problems with the versions that have them."""
    of = {}
    for version, text in wrong.items():
        of.setdefault(text, []).append(version)
    return [f"{', '.join(versions)}: {text}" for text, versions in of.items()]


def main():
    report, exceptions, custom = Report(), Exceptions(), Counter()
    for file in rendered(roots(), "*.yaml"):
        if {"kubernetes", "gitops"} & set(file.parts) and file.name != "kustomization.yaml":
            check_file(report, exceptions, custom, file)
    if exceptions.listed:
        report.check("exceptions are all needed", exceptions.stale())
    for group, count in sorted(custom.items()):
        report.note(f"{count} objects of {group} ({CUSTOM[group]}) have no schema here and were not validated")
    report.close()


if __name__ == "__main__":
    main()
