"""What a project's overlays make of its declarations, worked out anew: which overlays a cluster has, in which order, and their
patches on clusters and networks (RFC 7396, RFC 6902). Overlays that blocks select patch nothing in the examples.
"""

import copy
from pathlib import Path

import yaml

from common import folder, settings

STOCK = Path(__file__).resolve().parents[2] / "overlays"


def matches(selector, labels):
    """Kubernetes' label selectors."""
    tests = {
        "In": lambda has, values: has in values,
        "NotIn": lambda has, values: has not in values,
        "Exists": lambda has, _: has is not None,
        "DoesNotExist": lambda has, _: has is None,
    }
    wanted = selector.get("matchLabels", {}).items() <= labels.items()
    conditions = selector.get("matchExpressions", [])
    return wanted and all(tests[c["operator"]](labels.get(c["key"]), c.get("values", [])) for c in conditions)


def overlay(project, name):
    places = [folder(project, "overlays", "overlays") / name, STOCK / name]
    (found, *_) = [file for place in places if (file := place / "overlay.yaml").is_file()]
    return yaml.safe_load(found.read_text()).get("spec", {})


def name_of(use):
    return use if isinstance(use, str) else use["overlay"]


def chosen(project, layers, cluster):
    """The names of a cluster's overlays, what they build on first, each once."""
    found = []

    def take(name):
        for used in overlay(project, name).get("uses", []):
            take(name_of(used))
        if name not in found:
            found.append(name)

    labels = cluster["metadata"].get("labels", {})
    for layer in layers:
        if matches(layer.get("clusters", {}), labels):
            take(layer["overlay"])
    for use in cluster["spec"].get("overlays", []):
        take(name_of(use))
    return found


def merged(old, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    found = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        found[key] = merged(found.get(key), value)
        if value is None:
            del found[key]
    return found


def patched(spec, patch):
    """A merge patch, or operations of RFC 6902; those that the examples have."""
    if isinstance(patch, dict):
        return merged(spec, patch)
    spec = copy.deepcopy(spec)
    for operation in patch:
        *parents, last = operation["path"].split("/")[1:]
        at = spec
        for key in parents:
            at = at[int(key) if isinstance(at, list) else key]
        match operation["op"], last:
            case "test", _:
                assert at[last] == operation["value"], operation
            case "add", "-":
                at.append(operation["value"])
            case "add" | "replace", _:
                at[last] = operation["value"]
            case "remove", _:
                del at[last]
    return spec


def applied(project, documents):
    """The declarations after all patches."""
    documents = copy.deepcopy(documents)
    networks = {d["metadata"]["name"]: d for d in documents if d["kind"] == "Network"}
    layers = settings(project).get("layers", [])
    done = set()
    for cluster in (d for d in documents if d["kind"] == "Cluster"):
        labels, network = cluster["metadata"].get("labels", {}), networks[cluster["spec"]["network"]]
        for name in chosen(project, layers, cluster):
            for number, patch in enumerate(overlay(project, name).get("declarations", [])):
                if not matches(patch.get("clusters", {}), labels):
                    continue
                if "cluster" in patch:
                    cluster["spec"] = patched(cluster["spec"], patch["cluster"])
                once = (network["metadata"]["name"], name, number)
                of_network = "network" in patch and matches(patch.get("networks", {}), network["metadata"].get("labels", {}))
                if of_network and once not in done:
                    done.add(once)
                    network["spec"] = patched(network["spec"], patch["network"])
    return documents
