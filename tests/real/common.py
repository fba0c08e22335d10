"""What every check here shares: the report, the projects under the given roots, and YAML readers."""

import sys
from pathlib import Path

import yaml

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
SKIPPED = {".git", "target", "node_modules"}


class Report:
    """Prints a line per check and a closing line, and turns both into an exit code."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, what, problems=()):
        """One check: it passed when `problems` is empty. Returns whether it did."""
        problems = [problems] if isinstance(problems, str) else list(problems)
        if problems:
            self.failed += 1
            print(f"FAIL {what}")
            for problem in problems:
                print(f"     {problem}")
        else:
            self.passed += 1
            print(f"ok   {what}")
        return not problems

    def note(self, text):
        print(f"note {text}")

    def close(self):
        """The closing line; exits 0 when all passed, 1 when any failed, 2 when nothing was checked."""
        if not self.passed + self.failed:
            print("nothing to check", file=sys.stderr)
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(1 if self.failed else 0 if self.passed else 2)


def roots(argv=None):
    """The folders named on the command line."""
    named = [Path(a).resolve() for a in (sys.argv[1:] if argv is None else argv)]
    for missing in [p for p in named if not p.exists()]:
        sys.exit(usage(f"no such folder: {missing}"))
    return named or sys.exit(usage("name at least one folder"))


def usage(message):
    print(f"{Path(sys.argv[0]).name}: {message}", file=sys.stderr)
    return 2


def projects(roots):
    """Every folder with a netloom.yaml at or below the roots; of a root inside a project, that project."""
    found = set()
    for root in roots:
        below = {f.parent for f in files([root], "netloom.yaml")}
        found |= below or {p for p in [project_of(root)] if p}
    return sorted(found)


def settings(project):
    """The project file's `spec`."""
    return (yaml.safe_load((project / "netloom.yaml").read_text()) or {}).get("spec") or {}


def folder(project, name, default):
    """One of the project's folders, as its `spec.paths` has them."""
    return project / (settings(project).get("paths") or {}).get(name, default)


def repository(project):
    """The root of the Git repository that a project says it is in; the project itself unless it says."""
    below = Path((settings(project).get("paths") or {}).get("repository", ".")).parts
    root = project.parents[len(below) - 1] if below else project
    return root if root.joinpath(*below) == project else sys.exit(f"{project} is not {'/'.join(below)} of a repository")


def output(project):
    return folder(project, "output", "rendered")


def files(roots, *patterns):
    """Files below the roots (or the roots themselves) that match one of the patterns, in order."""
    found = set()
    for root in roots:
        for pattern in patterns:
            matches = [root] if root.is_file() and root.match(pattern) else root.rglob(pattern)
            found |= {f for f in matches if f.is_file() and not SKIPPED & set(f.relative_to(root).parts)}
    return sorted(found)


def rendered(roots, *patterns):
    """Files of the projects' output below the roots that match one of the patterns."""
    found = set()
    for project in projects(roots):
        for file in files([output(project)], *patterns):
            found |= {file} if any(file.is_relative_to(r) for r in roots) else set()
    return sorted(found)


def project_of(file):
    """The project a file belongs to: the nearest folder above it that holds a netloom.yaml."""
    return next((p for p in file.parents if (p / "netloom.yaml").is_file()), None)


def short(file):
    """A path as people read it: relative to the working directory where it can be."""
    return str(file.relative_to(Path.cwd())) if file.is_relative_to(Path.cwd()) else str(file)


class TemplateLoader(yaml.SafeLoader):
    """Reads CloudFormation's short forms (!Ref, !GetAtt a.b, !Sub …) as their long ones."""


def _intrinsic(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


TemplateLoader.add_multi_constructor("!", _intrinsic)


def template(text):
    """A CloudFormation template, YAML or JSON (which is YAML), as plain data."""
    return yaml.load(text, Loader=TemplateLoader)


def objects(file):
    """The documents of a manifest file, empty ones left out."""
    with open(file, encoding="utf-8") as stream:
        return [d for d in yaml.load_all(stream, Loader=Loader) if d is not None]
