"""What netloom reports, in each format, as those who read that format take it.

    formats.py NETLOOM

SARIF has to be valid by OASIS' schema, JUnit XML by the schema of Jenkins' xUnit plugin, and JSON by the schema that netloom
prints itself; GitHub's annotations are read by the rules of its runner (target/tools/schemas, see .ci/install-tools). All four
have to say the same of the same project: one in order, one with every kind of mistake, and one of hostile names.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import jsonschema
from lxml import etree

from common import Report, usage

SCHEMAS = Path(__file__).resolve().parents[2] / "target/tools/schemas"
SEVERITIES = {"error": "errors", "warning": "warnings", "note": "notes"}
COMMANDS = {"error": "error", "warning": "warning", "notice": "note"}

HOSTILE = r"::error file=x::`a` [b](https://example.com) ]]></failure><!-- <img src=x onerror=alert(1)> 100%0A, \r\n##[group]"
PROJECT = "apiVersion: netloom.dev/v1alpha1\nkind: Project\nmetadata: {name: formats}\n"
NETWORK = """apiVersion: netloom.dev/v1alpha1
kind: Network
metadata: {name: vpc}
spec:
  aws: {region: us-west-2, zones: [us-west-2a, us-west-2b], topology: private, natGateways: single}
"""
CLUSTER = """apiVersion: netloom.dev/v1alpha1
kind: Cluster
metadata: {name: NAME}
spec:
  network: vpc
  kubernetesVersion: "1.33"
  networking: {weave: {mtu: 9001}}
"""
MISTAKES = "".join(f"  mistake{number}: 1\n" for number in range(12))
KOPS = "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nmetadata: {name: a.example.com}\nspec: {cloudProvider: gce}\n"

# Commands where all is well, and where something is wrong.
WORDS = ["check", "render", "explain --list", "explain images-pinned", "explain netloom.yaml:4", "layers example", "schema project"]
WORDS += ["completions bash", "policy list", "policy test images-pinned no-privileged-pods", "graph"]
IN_GIT = ["check --base HEAD"]
MISTAKEN = ["import kops kops.yaml --stdout", "explain nonsense", "layers nobody", "check --cluster nobody", "init ."]


def lay_out(folder):
    """The projects, in a repository; returns them by name."""
    subprocess.run(["git", "init", "-q", "."], cwd=folder, check=True)
    files = {
        "broken/netloom.yaml": PROJECT,
        "broken/declarations/network.yaml": NETWORK,
        "broken/declarations/a.yaml": CLUSTER.replace("NAME", "a") + "  podCIDR: 172.20.0.1/16\n" + MISTAKES,
        "broken/declarations/b.yaml": CLUSTER.replace("NAME", "b"),
        "broken/declarations/c.yaml": CLUSTER.replace("NAME", "a"),
        "broken/kops.yaml": KOPS,
        "hostile/netloom.yaml": PROJECT,
        "hostile/declarations/network.yaml": NETWORK,
        "hostile/declarations/100%25,a:b]]><b>`c`.yaml": CLUSTER.replace("NAME", json.dumps(HOSTILE)) + f"  {json.dumps(HOSTILE)}: 1\n",
        "hostile/overlays/x/overlay.yaml": "apiVersion: netloom.dev/v1alpha1\nkind: Overlay\nmetadata: {name: x}\nspec:\n"
        f"  assertions: [{{code: {json.dumps(HOSTILE)}, that: true, message: a, explanation: {json.dumps(HOSTILE)}}}]\n",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return {name: folder / name for name in ("clean", "broken", "hostile")}


class Run:
    """One command in each format."""

    def __init__(self, netloom, folder, *words):
        self.name = " ".join(words)

        def run(form):
            return subprocess.run([netloom, *words, "--format", form], cwd=folder, capture_output=True, text=True, check=False)

        runs = {form: run(form) for form in ("json", "sarif", "junit", "github")}
        self.exits = {done.returncode for done in runs.values()}
        self.document = json.loads(runs["json"].stdout)
        self.sarif = json.loads(runs["sarif"].stdout)
        self.junit = etree.fromstring(runs["junit"].stdout.encode())
        self.github, self.log = runs["github"].stdout, runs["github"].stderr
        self.counts = Counter({name: self.document["summary"][count] for name, count in SEVERITIES.items()})


def json_problems(run, schema):
    for error in jsonschema.Draft202012Validator(schema).iter_errors(run.document):
        yield f"{error.json_path}: {error.message}"
    if run.exits != {run.document["exit"]}:
        yield f"exits with {run.exits}, and says {run.document['exit']}"
    found = Counter(finding["severity"] for finding in run.document["findings"])
    if +found != +run.counts:
        yield f"the summary counts {run.counts}, there are {found}"


def sarif_problems(run, schema, root):
    checker = jsonschema.FormatChecker()
    for error in jsonschema.Draft7Validator(schema, format_checker=checker).iter_errors(run.sarif):
        yield f"{error.json_path}: {error.message}"
    (only,) = run.sarif["runs"]
    results, rules = only["results"], only["tool"]["driver"]["rules"]
    found = Counter(result["level"] for result in results)
    if +found != +run.counts:
        yield f"{found} results for {run.counts}"
    prints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in results]
    yield from (f"{count} results with the fingerprint {one}" for one, count in Counter(prints).items() if count > 1)
    for result in results:
        if rules[result["ruleIndex"]]["id"] != result["ruleId"]:
            yield f"the rule of {result['ruleId']} is {rules[result['ruleIndex']]['id']}"
        linked = {int(number) for number in re.findall(r"\]\((\d+)\)", result["message"]["text"])}
        if linked != {place["id"] for place in result.get("relatedLocations", [])} or "](h" in result["message"]["text"]:
            yield f"links to {linked}: {result['message']['text']}"
        for place in result["locations"] + result.get("relatedLocations", []):
            yield from place_problems(place["physicalLocation"], root)


def place_problems(place, root):
    path = root / unquote(place["artifactLocation"]["uri"])
    if not path.is_file():
        yield f"there is no {path}"
        return
    region = place.get("region")
    lines = path.read_text().splitlines()
    if region and not 1 <= region["startLine"] <= max(len(lines), 1):
        yield f"{path} has no line {region['startLine']}"
    if region and region["endColumn"] > len(lines[region["endLine"] - 1]) + 1:
        yield f"{path}:{region['endLine']} has no column {region['endColumn']}"


def junit_problems(run, schema):
    if not schema.validate(run.junit):
        yield from map(str, schema.error_log)
    suites = run.junit.findall("testsuite")
    for count, element in (("tests", "testcase"), ("failures", "testcase/failure")):
        for suite in suites:
            if int(suite.get(count)) != len(suite.findall(element)):
                yield f"{suite.get('name')}: {count} is {suite.get(count)}"
        if int(run.junit.get(count)) != sum(int(suite.get(count)) for suite in suites):
            yield f"{count} of all is {run.junit.get(count)}"
    found = Counter(failure.get("type") for failure in run.junit.iter("failure"))
    found["note"] = len(list(run.junit.iter("system-out")))
    if +found != +run.counts:
        yield f"{found} test cases for {run.counts}"
    if not list(run.junit.iter("testcase")):
        yield "there is no test"


def github_problems(run, root):
    commands = []
    for stream in (run.github, run.log):
        # What ends a line for the runner, and what begins a command: `::` after spaces, or `##[` anywhere (actions/runner).
        for line in re.split(r"\r\n|\r|\n", stream):
            if "##[" in line or "##vso[" in line:
                yield f"an old command: {line}"
            if line.lstrip().startswith("::"):
                commands.append(line)
    found = Counter()
    for line in commands:
        match = re.fullmatch(r"::(\w+) ([^:]*)::(.*)", line)
        if not match or match[1] not in COMMANDS:
            yield f"no annotation: {line}"
            continue
        found[COMMANDS[match[1]]] += 1
        properties = dict(one.split("=", 1) for one in match[2].split(","))
        extra = properties.keys() - {"file", "line", "endLine", "col", "endColumn", "title"}
        if extra or "title" not in properties:
            yield f"properties {properties}"
        if "file" in properties and not (root / decoded(properties["file"])).is_file():
            yield f"there is no {properties['file']}"
    shown = Counter({severity: min(count, 10) for severity, count in run.counts.items()})
    if +found != +shown:
        yield f"{found} annotations for {run.counts}"
    said = re.search(r"^Not annotated: (.*?)\. ", run.github, re.MULTILINE)
    left_out = sum(int(number) for number in re.findall(r"\d+", said[1])) if said else 0
    if left_out != (run.counts - shown).total():
        yield f"{left_out} are said to be left out of {run.counts}"


def decoded(text):
    """A property, as the runner decodes it."""
    for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, char)
    return text


def fingerprints(netloom, project):
    done = subprocess.run([netloom, "check", "--format", "sarif"], cwd=project, capture_output=True, text=True, check=False)
    results = json.loads(done.stdout)["runs"][0]["results"]
    return [result["partialFingerprints"]["primaryLocationLineHash"] for result in results]


def main():
    if len(sys.argv) != 2:
        sys.exit(usage("name the netloom to run"))
    netloom = str(Path(sys.argv[1]).resolve())
    sarif = json.loads((SCHEMAS / "sarif.json").read_text())
    junit = etree.XMLSchema(etree.parse(SCHEMAS / "junit.xsd"))
    printed = subprocess.run([netloom, "schema", "report"], capture_output=True, text=True, check=True)
    own = json.loads(printed.stdout)
    jsonschema.Draft202012Validator.check_schema(own)
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        projects = lay_out(root)
        subprocess.run([netloom, "init", "clean", "--quiet"], cwd=root, check=True)
        subprocess.run(["git", "add", "clean"], cwd=root, check=True)
        author = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
        subprocess.run(["git", *author, "commit", "-q", "-m", "clean"], cwd=root, check=True)
        # What differs from the commit, and a unit that is new.
        declaration = next((projects["clean"] / "declarations").glob("*.yaml"))
        text = declaration.read_text()
        declaration.write_text(text.replace("max: 20", "max: 30"))
        runs = [("clean", projects["clean"], words.split()) for words in WORDS]
        runs += [(name, projects[name], words.split()) for name in ("broken", "hostile") for words in ("check", "render")]
        runs += [("broken", projects["broken"], words.split()) for words in MISTAKEN]
        runs += [("clean", projects["clean"], words.split()) for words in IN_GIT]
        for project, where, words in runs:
            run = Run(netloom, where, *words)
            what = " ".join(filter(None, [project, "netloom", run.name]))
            report.check(f"{what}: JSON", json_problems(run, own))
            report.check(f"{what}: SARIF", sarif_problems(run, sarif, root))
            report.check(f"{what}: JUnit", junit_problems(run, junit))
            report.check(f"{what}: GitHub", github_problems(run, root))
        done = subprocess.run([netloom, "diff", "--base", "HEAD", "--format", "json"], cwd=projects["clean"], capture_output=True, check=True)
        problems = jsonschema.Draft202012Validator(own).iter_errors(json.loads(done.stdout))
        report.check("clean netloom diff: JSON", (f"{error.json_path}: {error.message}" for error in problems))
        done = subprocess.run([netloom, "--version", "--verbose", "--format", "json"], capture_output=True, check=True)
        problems = jsonschema.Draft202012Validator(own).iter_errors(json.loads(done.stdout))
        report.check("netloom --version --verbose: JSON", (f"{error.json_path}: {error.message}" for error in problems))
        before = fingerprints(netloom, projects["broken"])
        for path in (projects["broken"] / "declarations").iterdir():
            path.write_text("# one more line\n\n" + path.read_text())
        after = fingerprints(netloom, projects["broken"])
        report.check("fingerprints survive edits elsewhere", [] if before == after and before else [f"{before}", f"{after}"])
    report.close()


if __name__ == "__main__":
    main()
