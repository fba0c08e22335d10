"""What RBAC lets whom do, as sets that can be compared."""

from collections import defaultdict
from typing import NamedTuple

EVERYWHERE = ""


class Permission(NamedTuple):
    """One verb on one resource, in one namespace or everywhere."""

    verb: str
    resource: str  # with its group: `deployments/scale.apps`; or the path of a URL
    name: str  # of the one object, or empty for all
    scope: str


def of_subjects(objects):
    """{subject: its permissions} by all roles that are bound to it. Subjects are named like objects."""
    roles = {(o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"]): o.get("rules") or [] for o in objects}
    found = defaultdict(set)
    for binding in objects:
        if binding["kind"] not in ("RoleBinding", "ClusterRoleBinding"):
            continue
        scope = binding["metadata"].get("namespace", EVERYWHERE) if binding["kind"] == "RoleBinding" else EVERYWHERE
        ref = binding["roleRef"]
        rules = roles.get((ref["kind"], scope if ref["kind"] == "Role" else "", ref["name"]), [])
        for subject in binding.get("subjects") or []:
            found[name_of(subject)] |= {p for rule in rules for p in expanded(rule, scope)}
    return found


def name_of(subject):
    """`ServiceAccount NAMESPACE/NAME`, also of one that is written as a user; `User NAME`, `Group NAME`."""
    kind, name, namespace = subject["kind"], subject["name"], subject.get("namespace")
    if kind == "User" and name.startswith("system:serviceaccount:"):
        namespace, name = name.split(":")[2:]
        kind = "ServiceAccount"
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def expanded(rule, scope):
    for verb in rule["verbs"]:
        for url in rule.get("nonResourceURLs", []):
            yield Permission(verb, url, "", scope)
        for group in rule.get("apiGroups", []):
            for resource in rule.get("resources", []):
                for name in rule.get("resourceNames") or [""]:
                    yield Permission(verb, f"{resource}.{group}" if group else resource, name, scope)


def covered(wanted, given):
    """Whether a permission follows from those that are given."""
    resource, _, group = wanted.resource.partition(".")
    same = {wanted.resource, f"*.{group}" if group else "*", f"{resource}.*", "*.*"}
    return any(
        Permission(verb, what, name, scope) in given
        for verb in (wanted.verb, "*")
        for what in same
        for name in {wanted.name, ""}
        for scope in {wanted.scope, EVERYWHERE}
    )


def missing(wanted, given):
    """What of `wanted` does not follow from `given`, a line for each resource and its verbs."""
    verbs = defaultdict(list)
    for one in sorted(wanted):
        if not covered(one, given):
            verbs[one.resource, one.scope, one.name].append(one.verb)
    names = defaultdict(list)
    for (resource, scope, name), all in verbs.items():
        names[",".join(all), resource, scope, bool(name)].append(name)
    return [described(verbs, resource, scope, all if named else []) for (verbs, resource, scope, named), all in names.items()]


def described(verbs, resource, scope, names):
    return f"{verbs} {resource}" + (f" named {','.join(names)}" if names else "") + (f" in {scope}" if scope else "")
