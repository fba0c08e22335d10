"""Custom resources against the CustomResourceDefinitions beside them, and those against what the API server admits.

kubernetes-validate knows the form of a CustomResourceDefinition, and nothing of the schemas in it: that they are structural
(https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema),
and what they ask of the objects. CEL rules are not evaluated.
"""

import re

from jsonschema import Draft4Validator  # OpenAPI 3.0 has draft 4's exclusiveMinimum

LOGICAL = ("allOf", "anyOf", "oneOf")
FORBIDDEN = {
    "$ref", "definitions", "dependencies", "deprecated", "discriminator", "id", "patternProperties", "readOnly", "writeOnly",
    "xml",
}  # fmt: skip
ONLY_STRUCTURAL = {"additionalProperties", "default", "description", "nullable", "title", "type"}
EMBEDDED = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}


def definitions(things):
    """{(apiVersion, kind): (scope, validator)} of the served versions of the definitions among some objects."""
    found = {}
    for spec in [t["spec"] for t in things if t.get("kind") == "CustomResourceDefinition"]:
        for version in [v for v in spec["versions"] if v["served"]]:
            schema = strict(version["schema"]["openAPIV3Schema"] | {"x-kubernetes-embedded-resource": True})
            found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = spec["scope"], Draft4Validator(schema)
    return found


def strict(schema):
    """A structural schema as a JSON Schema that refuses what the API server would prune."""
    found = {k: v for k, v in schema.items() if not k.startswith("x-kubernetes-") and k not in ("format", "nullable")}
    if "properties" in schema:
        found["properties"] = {k: strict(v) for k, v in schema["properties"].items()}
    for key in [k for k in ("items", "additionalProperties") if isinstance(schema.get(k), dict)]:
        found[key] = strict(schema[key])
    if schema.get("x-kubernetes-embedded-resource"):
        found["properties"] = found.get("properties", {}) | EMBEDDED
    if schema.get("type") == "object" and not {"additionalProperties", "x-kubernetes-preserve-unknown-fields"} & schema.keys():
        found["additionalProperties"] = False
    if schema.get("x-kubernetes-int-or-string"):
        found["type"] = ["integer", "string"]
    return {"anyOf": [{"type": "null"}, found]} if schema.get("nullable") else found


def problems(thing, definition):
    """What is wrong with a custom resource."""
    scope, validator = definition
    if (scope == "Namespaced") != ("namespace" in thing["metadata"]):
        yield f"metadata: the definition is {scope}"
    for error in sorted(validator.iter_errors(thing), key=lambda error: list(map(str, error.path))):
        yield f"{'.'.join(map(str, error.path))}: {error.message[:300]}"


def refused(thing):
    """Why the API server would refuse a definition."""
    spec, name = thing["spec"], thing["metadata"]["name"]
    if name != f"{spec['names']['plural']}.{spec['group']}":
        yield f"{name} is not its plural and group"
    approved = "api-approved.kubernetes.io" in thing["metadata"].get("annotations", {})
    if re.search(r"(^|\.)(k8s|kubernetes)\.io$", spec["group"]) and not approved:
        yield "groups of Kubernetes itself need the annotation api-approved.kubernetes.io"
    if sum(v["storage"] for v in spec["versions"]) != 1:
        yield "one version is stored"
    for version in spec["versions"]:
        root = version.get("schema", {}).get("openAPIV3Schema", {})
        if root.get("type") != "object":
            yield f"{version['name']}: the schema's root is no object"
        yield from (f"{version['name']}: {problem}" for problem in unstructural(root, "schema"))


def unstructural(schema, path):
    """Where a schema is not structural."""
    anything = schema.get("x-kubernetes-preserve-unknown-fields") or schema.get("x-kubernetes-int-or-string")
    if "type" not in schema and not anything:
        yield f"{path}: no type"
    yield from (f"{path}: {key}" for key in sorted(FORBIDDEN & schema.keys()))
    if schema.get("uniqueItems"):
        yield f"{path}: uniqueItems"
    if "additionalProperties" in schema and "properties" in schema:
        yield f"{path}: both properties and additionalProperties"
    if schema.get("type") == "array" and not isinstance(schema.get("items"), dict):
        yield f"{path}: an array without items"
    if schema.get("x-kubernetes-list-type") == "map":
        yield from unkeyed(schema, path)
    if "default" in schema:
        found = Draft4Validator(strict(schema)).iter_errors(schema["default"])
        yield from (f"{path}: default: {error.message}" for error in found)
    for key, below in schema.get("properties", {}).items():
        yield from unstructural(below, f"{path}.{key}")
    for key in [k for k in ("items", "additionalProperties") if isinstance(schema.get(k), dict)]:
        yield from unstructural(schema[key], f"{path}.{key}")
    for key in LOGICAL:
        for at, below in enumerate(schema.get(key, [])):
            yield from illogical(below, schema, f"{path}.{key}[{at}]")
    if "not" in schema:
        yield from illogical(schema["not"], schema, f"{path}.not")


def unkeyed(schema, path):
    """Keys of a list by which the API server could not tell its items apart."""
    items = schema.get("items", {})
    keys = schema.get("x-kubernetes-list-map-keys", [])
    if not keys:
        yield f"{path}: a map without keys"
    for key in keys:
        held = items.get("properties", {}).get(key)
        if held is None or key not in items.get("required", []) and "default" not in held:
            yield f"{path}: the key {key} is neither required nor has a default"


def illogical(schema, outside, path):
    """Within allOf, anyOf, oneOf and not, a schema says nothing of structure, and speaks only of fields that stand outside."""
    allowed = {"type"} if outside.get("x-kubernetes-int-or-string") else set()
    yield from (f"{path}: {key}" for key in sorted((ONLY_STRUCTURAL - allowed) & schema.keys()))
    for key, below in schema.get("properties", {}).items():
        held = outside.get("properties", {}).get(key)
        if held is None:
            yield f"{path}.{key}: not in the properties outside"
        else:
            yield from illogical(below, held, f"{path}.{key}")
    for key in LOGICAL:
        for at, below in enumerate(schema.get(key, [])):
            yield from illogical(below, outside, f"{path}.{key}[{at}]")
