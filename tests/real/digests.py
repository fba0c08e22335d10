"""Reads the digests of what kops rendered: summaries of Kubernetes objects, a line a fact.

    KIND [NAMESPACE/]NAME api=VERSION labels=KEYS
       rule GROUPS RESOURCES names=[…] verbs=…        of a role; a slash between groups, `""` for the core's
       -> KIND NAME [subjects]                        of a binding
       data KEY = VALUE                               of a ConfigMap; the value goes on until the next fact
       crd GROUP PLURAL SHORTNAMES SCOPE [(version, served, stored), …]
       svc {spec}                                     of a Service
       {spec}                                         of anything else
       pod FIELD = JSON                               of a workload, as are init, ctr and vol
        init|ctr NAME image=…
          env NAME=VALUE  or  env NAME=<-{valueFrom}
          mounts=VOLUME:PATH[:MODE] …
          cmd= args= ports= sec= res= envFrom= lifecycle= *Probe=

What comes out has the form of the objects themselves, as far as the digest tells.
"""

import ast
import json
import re

HEADER = re.compile(r"^([A-Z][A-Za-z]+) (\S+) api=(\S+) labels=\S*$")
RULE = re.compile(r"^   rule (\S+) (\S*) (?:names=(\[.*\]) )?\s*verbs=(\S+)$")
CRD = re.compile(r"^   crd (\S+) (\S+) (None|\[.*?\]) (\S+) (\[.*\])$")
CONTAINER = re.compile(r"^    (init|ctr ) (\S+) image=(\S+)$")
FIELD = re.compile(r"^      ([A-Za-z]+)=(.*)$")
IN_CONTAINER = {"cmd": "command", "args": "args", "ports": "ports", "sec": "securityContext", "envFrom": "envFrom"}
MODES = {"ro": {"readOnly": True}, "Bidirectional": {"mountPropagation": "Bidirectional"}, "HostToContainer": {
    "mountPropagation": "HostToContainer"}}  # fmt: skip


class Unreadable(Exception):
    pass


def read(text):
    """The objects of a digest."""
    found = []
    for line in text.splitlines():
        header = HEADER.match(line)
        if header:
            kind, name, version = header.groups()
            namespace, _, name = name.rpartition("/")
            found.append({"apiVersion": version, "kind": kind, "metadata": {"name": name}})
            if namespace:
                found[-1]["metadata"]["namespace"] = namespace
        elif found:
            add(found[-1], line)
        elif line.strip():
            raise Unreadable(line)
    return found


def add(thing, line):
    kind = thing["kind"]
    if kind == "ConfigMap":
        configmap(thing, line)
    elif not line.strip():
        return
    elif kind in ("Role", "ClusterRole"):
        thing.setdefault("rules", []).append(rule(line))
    elif kind in ("RoleBinding", "ClusterRoleBinding"):
        binding(thing, line)
    elif kind == "CustomResourceDefinition":
        definition(thing, line)
    elif kind == "Service":
        thing["spec"] = json.loads(line.removeprefix("   svc "))
    elif kind in ("DaemonSet", "Deployment"):
        workload(thing, line)
    else:
        thing.update(json.loads(line))


def configmap(thing, line):
    data = thing.setdefault("data", {})
    fact = re.match(r"^   data (\S+) = ?(.*)$", line)
    if fact:
        data[fact[1]] = fact[2]
    elif data:
        data[next(reversed(data))] += "\n" + line


def rule(line):
    match = RULE.match(line) or unreadable(line)
    groups, resources, names, verbs = match.groups()
    if groups.startswith("/"):
        return {"nonResourceURLs": re.split(r"(?<=.)/(?=/)", groups), "verbs": verbs.split(",")}
    found = {"apiGroups": ["" if g == '""' else g for g in groups.split("/")], "resources": resources.split(",")}
    return found | ({"resourceNames": ast.literal_eval(names)} if names else {}) | {"verbs": verbs.split(",")}


def binding(thing, line):
    kind, name, subjects = line.strip().removeprefix("-> ").split(" ", 2)
    thing["roleRef"] = {"kind": kind, "name": name}
    thing["subjects"] = [{"kind": k, "name": n, "namespace": ns} for k, n, ns in ast.literal_eval(subjects)]


def definition(thing, line):
    group, plural, short, scope, versions = (CRD.match(line) or unreadable(line)).groups()
    names = {"plural": plural, "shortNames": ast.literal_eval(short) or []}
    listed = [{"name": n, "served": served, "storage": stored} for n, served, stored in ast.literal_eval(versions)]
    thing["spec"] = {"group": group, "names": names, "scope": scope, "versions": listed}


def workload(thing, line):
    pod = thing.setdefault("spec", {}).setdefault("template", {}).setdefault("spec", {})
    lists = [pod.setdefault(key, []) for key in ("initContainers", "containers", "volumes")]
    container, field = CONTAINER.match(line), FIELD.match(line)
    if line.startswith("   pod "):
        key, _, value = line.removeprefix("   pod ").partition(" = ")
        pod[key] = json.loads(value)
    elif line.startswith("   vol "):
        lists[2].append(json.loads(line.removeprefix("   vol ")))
    elif container:
        lists[container[1] != "init"].append({"name": container[2], "image": container[3]})
    elif line.startswith("      env "):
        (lists[1] or lists[0])[-1].setdefault("env", []).append(variable(line.removeprefix("      env ")))
    elif field:
        of_container((lists[1] or lists[0])[-1], field[1], field[2])
    elif not re.match(r"^   (replicas|podLabels)= ", line):
        raise Unreadable(line)


def variable(text):
    name, _, value = text.partition("=")
    if value.startswith("<-"):
        return {"name": name, "valueFrom": json.loads(value[2:])}
    return {"name": name, "value": value}


def of_container(container, key, value):
    if key in IN_CONTAINER:
        container[IN_CONTAINER[key]] = json.loads(value)
    elif key == "mounts":
        container["volumeMounts"] = [mount(word) for word in value.split()]
    elif key == "lifecycle":  # in some digests told in words
        container[key] = {hook: {} for hook in re.findall(r"postStart|preStop", value)}
    elif key.endswith("Probe"):
        container[key] = json.loads(value)


def mount(word):
    volume, path, *modes = word.split(":")
    found = {"name": volume, "mountPath": path}
    for mode in modes:
        found |= MODES[mode]
    return found


def unreadable(line):
    raise Unreadable(line)
