"""What netloom renders for a provider, against the digests of what kops rendered.

    parity.py NETLOOM DIGESTS [--overlays FOLDER] [PROVIDER…]

Every digest (`DIGESTS/NAME.txt`) is compared with what a cluster that is declared like kops's renders. Each object of kops has
one of the same kind and purpose, and that one has its environment variables, flags, mounts, host paths, ports, capabilities and
probes; the subjects of its RBAC can do what kops's can, and no more. A difference is an error unless it is listed with the reason
for it, and so is one that is listed and not there.

What is compared, and the reasons, are data: `parity/PROVIDER.yaml`, with these keys.

    comparisons:                    # every digest of the provider's
      - digest: weave-v1.27.3
        cluster:                    # the declared cluster's spec, as far as it is not that of CLUSTER below;
          networking: {weave: {}}   # none (`cluster: ~`) when kops rendered what netloom renders nothing for
        network: {aws: {…}}         # instead of NETWORK below, when something depends on it
        folder: cni                 # or dns: the folder of the cluster's rendered objects that is compared
    objects:                        # where the purpose is the same and the name is not: kops's object, ours (or a list)
      DaemonSet kube-system/old: DaemonSet new/name
    containers:                     # the same for containers of one workload, by kops's names of both
      DaemonSet kube-system/calico-node: {mount-bpffs: ebpf-bootstrap}
    reasons:
      - object: DaemonSet kube-system/weave-net
        differs: ["weave: no port 6782/TCP", "weave: env IPALLOC_RANGE: *"]
        digests: [weave-v1.2*]      # all of the file when left out
        why: One sentence, which says why what differs is right.

`*` stands for anything in `object`, `differs` and `digests`. To fill such a file in: write `comparisons`, run this script, copy
the lines that it prints under their object, and give each a reason or change the overlay; then run it again. It compares one
provider alone when that is named, and uses the overlays in FOLDER instead of those in the binary. Differences of permissions are
those of a subject (`ServiceAccount NAMESPACE/NAME`), by all roles bound to it together: `may not get pods` is what ours lacks,
and `may also patch nodes` what it has beyond kops's, where the reason says which release of the software asks for it.
"""

import argparse
import json
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import yaml

import digests
import permissions
from common import Report, objects

HERE = Path(__file__).resolve().parent / "parity"
PROJECT = "apiVersion: netloom.dev/v1alpha1\nkind: Project\nmetadata: {name: parity}\n"
NETWORK = {"aws": {"region": "us-west-2", "cidr": "172.20.0.0/16", "zones": ["us-west-2a"]}}
CLUSTER = {"network": "network", "kubernetesVersion": "1.33"}
KEYS = {
    "comparisons": {"digest", "cluster", "network", "folder"},
    "reasons": {"object", "differs", "digests", "why"},
}
WORKLOADS = ("DaemonSet", "Deployment", "StatefulSet", "Job")
POD_FIELDS = ("hostNetwork", "hostPID", "hostIPC", "priorityClassName", "dnsPolicy")
HOOKS = ("livenessProbe", "readinessProbe", "startupProbe", "postStart", "preStop")


def title(thing):
    """`KIND NAMESPACE/NAME`."""
    meta = thing["metadata"]
    return f"{thing['kind']} " + "/".join(filter(None, [meta.get("namespace"), meta["name"]]))


def glob(pattern, text):
    """Whether the text is what the pattern says: `*` is anything, and nothing else is special."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None


class Provider:
    """The data of one provider: what to compare, and the reasons, each with the number of differences that it explained."""

    def __init__(self, file):
        data = yaml.safe_load(file.read_text())
        self.wrong = [f"unknown key {k}" for k in data.keys() - {"comparisons", "objects", "containers", "reasons"}]
        for key, known in KEYS.items():
            self.wrong += [f"{key}: unknown key {k}" for one in data.get(key) or [] for k in one.keys() - known]
        self.name = file.stem
        self.comparisons = data["comparisons"]
        self.objects = {k: v if isinstance(v, list) else [v] for k, v in (data.get("objects") or {}).items()}
        self.containers = data.get("containers") or {}
        self.reasons = data.get("reasons") or []
        self.wrong += [f"{r['object']}: a reason says why" for r in self.reasons if len((r.get("why") or "").split()) < 3]
        self.unused = {(n, d) for n, r in enumerate(self.reasons) for d in r["differs"]}
        self.unmet = {(n, g) for n, r in enumerate(self.reasons) for g in r.get("digests", [])}
        self.mapped = set()

    def ours(self, name):
        """The names that ours have for an object or subject of kops's."""
        if name in self.objects:
            self.mapped.add(name)
        return self.objects.get(name, [name])

    def excused(self, digest, thing, difference):
        """Whether there is a reason; all that fit count as needed."""
        found = False
        for number, reason in enumerate(self.reasons):
            globs = [g for g in reason.get("digests", []) if glob(g, digest)]
            lines = [line for line in reason["differs"] if glob(line, difference)]
            if glob(reason["object"], thing) and lines and (globs or "digests" not in reason):
                self.unused -= {(number, line) for line in lines}
                self.unmet -= {(number, g) for g in globs}
                found = True
        return found

    def stale(self):
        """What is listed and not there."""
        for number, line in sorted(self.unused):
            yield f"{self.reasons[number]['object']}: listed, but there is no such difference: {line}"
        for number, pattern in sorted(self.unmet):
            yield f"{self.reasons[number]['object']}: its reason is not needed for {pattern}"
        yield from (f"objects: nothing of kops's is called {name}" for name in self.objects.keys() - self.mapped)


class Side:
    """Objects by name, with their subjects' permissions."""

    def __init__(self, things):
        self.things = {title(t): t for t in things}
        self.subjects = permissions.of_subjects(things)
        self.maps = {(t["metadata"].get("namespace"), t["metadata"]["name"]): t for t in things if t["kind"] == "ConfigMap"}

    def value(self, thing, variable):
        """A variable's value as text; one from a ConfigMap is looked up there."""
        if "valueFrom" not in variable:
            return str(variable.get("value", ""))
        ((source, ref),) = variable["valueFrom"].items()
        if source == "configMapKeyRef":
            held = self.maps.get((thing["metadata"].get("namespace"), ref["name"]))
            if held:
                return (held.get("data") or {}).get(ref["key"], f"unset in {ref['name']}")
        kept = {k: v for k, v in ref.items() if k != "apiVersion" and (k, v) not in (("optional", False), ("divisor", "1"))}
        return f"{source} {' '.join(str(v) for _, v in sorted(kept.items()))}"


def compared(provider, theirs, ours):
    """(object, difference) of everything that kops has and netloom has not, or has otherwise."""
    for name, thing in theirs.things.items():
        found = [ours.things[n] for n in provider.ours(name) if n in ours.things]
        if not found:
            yield name, "no such object"
        elif thing["kind"] in WORKLOADS:
            yield from ((name, d) for d in workload(provider, name, (theirs, thing), (ours, found[0])))
        elif thing["kind"] == "ConfigMap":
            yield from ((name, d) for d in data(thing, found))
        elif thing["kind"] == "Service":
            yield from ((name, f"no port {p}") for p in sorted(service_ports(thing) - service_ports(found[0])))
        elif thing["kind"] == "CustomResourceDefinition":
            yield from ((name, d) for d in definition(thing["spec"], found[0]["spec"]))
    yield from subjects(provider, theirs, ours)


def subjects(provider, theirs, ours):
    """What subjects may do: everything that kops's may, and nothing else."""
    allowed = {}
    for name, wanted in theirs.subjects.items():
        names = provider.ours(name)
        if name in theirs.things and not ours.things.keys() & set(names):
            continue  # there is no such object, which has been said
        given = set().union(*(ours.subjects.get(n, set()) for n in names))
        yield from ((name, f"may not {p}") for p in permissions.missing(wanted, given))
        for n in names:
            allowed.setdefault(n, set()).update(wanted)
    for name, given in ours.subjects.items():
        yield from ((name, f"may also {p}") for p in permissions.missing(given, allowed.get(name, set())))


def data(theirs, found):
    """Keys of a ConfigMap, and their values."""
    held = {k: v for thing in found for k, v in (thing.get("data") or {}).items()}
    for key, value in (theirs.get("data") or {}).items():
        yield from differing("data", key, value, held)


def definition(theirs, ours):
    served = lambda spec: {v["name"] for v in spec["versions"] if v["served"]}
    yield from (f"no version {v}" for v in sorted(served(theirs) - served(ours)))
    yield from (f"no short name {n}" for n in theirs["names"]["shortNames"] if n not in ours["names"].get("shortNames", []))
    if theirs["scope"] != ours["scope"]:
        yield f"scope: {ours['scope']}, kops {theirs['scope']}"


def service_ports(thing):
    return {f"{p['port']}/{p.get('protocol', 'TCP')}" for p in thing["spec"].get("ports", [])}


def workload(provider, name, theirs, ours):
    (their_side, their_thing), (our_side, our_thing) = theirs, ours
    their_pod, our_pod = their_thing["spec"]["template"]["spec"], our_thing["spec"]["template"]["spec"]
    for field in POD_FIELDS:
        before, now = their_pod.get(field) or False, our_pod.get(field) or False
        if before != now:
            yield f"{field}: {shown(now)}, kops {shown(before)}"
    yield from (f"no toleration of {t}" for t in untolerated(their_pod, our_pod))
    yield from (f"no host path {p}" for p in sorted(host_paths(their_pod) - host_paths(our_pod)))
    renamed = provider.containers.get(name, {})
    their_containers, our_containers = (containers(pod) for pod in (their_pod, our_pod))
    for key, container in their_containers.items():
        match = our_containers.get(renamed.get(key, key))
        if match is None:
            yield f"no container {key}"
            continue
        one, other = (their_side, their_thing, their_pod, container), (our_side, our_thing, our_pod, match)
        yield from (f"{key}: {d}" for d in container_differences(one, other))
    counterparts = {renamed.get(key, key) for key in their_containers}
    for key in our_containers.keys() - counterparts:
        yield from (f"{key}: {d}" for d in powers({}, our_containers[key]))


def containers(pod):
    return {c["name"]: c for c in [*(pod.get("initContainers") or []), *(pod.get("containers") or [])]}


def host_paths(pod):
    return {v["hostPath"]["path"].rstrip("/") or "/" for v in pod.get("volumes") or [] if "hostPath" in v}


def untolerated(theirs, ours):
    """Taints that kops's pods tolerate and ours do not."""
    for wanted in theirs.get("tolerations") or []:
        key, effect = wanted.get("key"), wanted.get("effect")
        if not any(t.get("key") in (key, None) and t.get("effect") in (effect, None) for t in ours.get("tolerations") or []):
            yield ":".join(filter(None, [key or "everything", effect]))


def container_differences(theirs, ours):
    (their_side, their_thing, their_pod, kops), (our_side, our_thing, our_pod, mine) = theirs, ours
    same = [v for v in kops.get("env") or [] if v in (mine.get("env") or [])]  # compared where they come from
    held = {v["name"]: our_side.value(our_thing, v) for v in mine.get("env") or []}
    for variable in kops.get("env") or []:
        if variable not in same:
            yield from differing("env", variable["name"], their_side.value(their_thing, variable), held)
    sources = [set(json.dumps(e, sort_keys=True) for e in c.get("envFrom") or []) for c in (kops, mine)]
    yield from (f"no envFrom {e}" for e in sorted(sources[0] - sources[1]))
    their_flags, our_flags = flags(kops), flags(mine)
    for flag, value in their_flags.items():
        yield from differing("flag", flag, value, our_flags)
    yield from (f"no port {p}" for p in sorted(ports(kops) - ports(mine)))
    yield from powers(kops, mine)
    yield from mounts(their_pod, kops, our_pod, mine)
    their_hooks, our_hooks = ({**c, **c.get("lifecycle", {})}.keys() for c in (kops, mine))
    yield from (f"no {hook}" for hook in HOOKS if hook in their_hooks and hook not in our_hooks)


def ports(container):
    return {f"{p['containerPort']}/{p.get('protocol', 'TCP')}" for p in container.get("ports") or []}


def differing(what, name, value, held):
    """A value that is not there or is another one; of JSON texts what is in them, of other texts of several lines nothing."""
    if name not in held:
        yield f"no {what} {name}"
        return
    before, now = leaves(value), leaves(held[name])
    if before is not None and now is not None:
        yield from (f"{what} {name}: no {path}" for path in before if path not in now)
        both = [path for path in before if path in now and before[path] != now[path]]
        yield from (f"{what} {name}: {path}: {shown(now[path])}, kops {shown(before[path])}" for path in both)
    elif "\n" not in value.strip() + held[name].strip() and value.strip() != held[name].strip():
        yield f"{what} {name}: {shown(held[name])}, kops {shown(value)}"


def leaves(text):
    """{path: value} of a JSON object, which may hold programs' placeholders; none of other texts. Items with a type go by it."""
    try:
        value = json.loads(re.sub(r":\s*(__\w+__)", r': "\1"', text))
    except ValueError:
        return None
    return dict(below(value, "")) if isinstance(value, dict) else None


def below(value, path):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from below(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from below(item, f"{path}({item.get('type', at) if isinstance(item, dict) else at})")
    else:
        yield path, value


def flags(container):
    """{flag: value} of a container's command line; a script has none."""
    words = [*(container.get("command") or []), *(container.get("args") or [])]
    if any("\n" in w or w == "-c" for w in words):
        return {}
    found = {}
    for at, word in enumerate(words):
        if word.startswith("-"):
            name, _, value = word.lstrip("-").partition("=")
            following = words[at + 1] if at + 1 < len(words) else "-"
            found[name] = value if "=" in word else "" if following.startswith("-") else following
    return found


def powers(theirs, ours):
    """Privileges and capabilities: as many as kops's container has, and no more."""
    theirs, ours = ((c.get("securityContext") or {}) for c in (theirs, ours))
    before, now = (bool(c.get("privileged")) for c in (theirs, ours))
    if before != now:
        yield "privileged, kops is not" if now else "not privileged, kops is"
    has, had = (set((c.get("capabilities") or {}).get("add") or []) for c in (ours, theirs))
    if not now:
        yield from (f"no capability {c}" for c in sorted(had - has))
    if not before:
        yield from (f"also has capability {c}" for c in sorted(has - had))


def mounts(their_pod, theirs, our_pod, ours):
    sources = [{v["name"]: source(v) for v in pod.get("volumes") or []} for pod in (their_pod, our_pod)]
    held = {m["mountPath"].rstrip("/"): m for m in ours.get("volumeMounts") or []}
    for wanted in theirs.get("volumeMounts") or []:
        path = wanted["mountPath"].rstrip("/")
        mine = held.get(path)
        if mine is None:
            yield f"no mount {path}"
            continue
        before, now = sources[0].get(wanted["name"]), sources[1].get(mine["name"])
        if before != now:
            yield f"mount {path}: {now}, kops {before}"
        if wanted.get("readOnly") and not mine.get("readOnly"):
            yield f"mount {path}: writable, kops read-only"
        if wanted.get("mountPropagation", "None") != mine.get("mountPropagation", "None"):
            yield f"mount {path}: {mine.get('mountPropagation', 'None')}, kops {wanted.get('mountPropagation', 'None')}"


def source(volume):
    """Where a volume comes from, in words."""
    ((kind, value),) = ((k, v) for k, v in volume.items() if k != "name")
    value = value or {}
    named = value.get("path", "").rstrip("/") or value.get("name") or value.get("secretName")
    return f"{kind} {named}" if named else kind


def shown(value):
    """A value in one line of a report; unset or empty ones as words."""
    if value is False or value is None:
        return "none"
    text = value if isinstance(value, str) else json.dumps(value)
    return text.replace("\n", "\\n") if text else "empty"


def rendered(netloom, overlays, comparison):
    """The objects that netloom renders for a comparison's cluster, and what went wrong."""
    if comparison["cluster"] is None:
        return [], []
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        (project / "netloom.yaml").write_text(PROJECT)
        (project / "declarations").mkdir()
        if overlays:
            shutil.copytree(overlays, project / "overlays")
        network, cluster = comparison.get("network", NETWORK), CLUSTER | comparison["cluster"]
        declared = [("Network", "network", network), ("Cluster", "kops", cluster)]
        for kind, name, spec in declared:
            document = {"apiVersion": "netloom.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
            (project / "declarations" / f"{kind.lower()}.yaml").write_text(yaml.safe_dump(document))
        done = subprocess.run([netloom, "render", "--project", folder], capture_output=True, text=True)
        if done.returncode:
            return [], [f"netloom render: exit {done.returncode}", *done.stderr.splitlines()[:40]]
        files = (project / "rendered/clusters/kops/kubernetes" / comparison.get("folder", "cni")).glob("*.yaml")
        return [o for f in sorted(files) if f.name != "kustomization.yaml" for o in objects(f)], []


def check(report, netloom, overlays, provider, folder):
    for comparison in provider.comparisons:
        digest = comparison["digest"]
        ours, problems = rendered(netloom, overlays, comparison)
        open_differences = {}
        if not problems:
            theirs = digests.read((folder / f"{digest}.txt").read_text())
            for thing, difference in compared(provider, Side(theirs), Side(ours)):
                if not provider.excused(digest, thing, difference):
                    open_differences.setdefault(thing, []).append(difference)
        for thing, differences in open_differences.items():
            problems += [f"{thing}:", *(f"  - {json.dumps(d)}" for d in differences)]
        report.check(f"{digest} has its like in what is rendered", problems)
    report.check(f"parity/{provider.name}.yaml lists what is there", [*provider.wrong, *provider.stale()])


def every(report, providers, digests):
    """Every digest is compared, once."""
    seen = Counter(c["digest"] for p in providers for c in p.comparisons)
    problems = [f"{d}: is not compared" for d in sorted(digests - seen.keys())]
    problems += [f"{d}: is compared twice" for d, times in sorted(seen.items()) if times > 1]
    problems += [f"{d}: there is no such digest" for d in sorted(seen.keys() - digests)]
    report.check("every digest is compared", problems)


def main():
    words = argparse.ArgumentParser()
    words.add_argument("netloom", type=Path)
    words.add_argument("digests", type=Path)
    words.add_argument("--overlays", type=Path)
    words.add_argument("providers", nargs="*")
    said = words.parse_intermixed_args()
    netloom, folder, named = str(said.netloom.resolve()), said.digests.resolve(), said.providers
    files = [f for f in sorted(HERE.glob("*.yaml")) if not named or f.stem in named]
    providers = [Provider(f) for f in files]
    report = Report()
    for provider in providers:
        check(report, netloom, said.overlays, provider, folder)
    if not named:
        every(report, providers, {f.stem for f in folder.glob("*.txt")})
    report.close()


if __name__ == "__main__":
    main()
