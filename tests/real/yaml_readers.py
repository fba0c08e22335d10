"""Every rendered YAML file reads the same by YAML 1.1 rules (PyYAML) and by YAML 1.2 rules (ruamel.yaml).

    yaml_readers.py ROOT…

Kubernetes tools read YAML 1.1, much else 1.2. `no`, `0644`, `12:30` and their like must be quoted, or the
readers see different data. PyYAML leaves `y` and `n` alone, which other 1.1 readers take for booleans, so it
is taught them. ruamel.yaml reads some of 1.1 in 1.2, too (`1_000`, `<<`), so plain scalars are held against
1.2's core schema besides. A value that JSON does not have, such as a date, is a failure as well.
"""

import math
import re

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, ScalarNode

from common import Report, rendered, roots, short


class Reader11(yaml.SafeLoader):
    """YAML 1.1, with the booleans that the standard lists and PyYAML does not."""

    bool_values = yaml.SafeLoader.bool_values | {"y": True, "n": False}


Reader11.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^[yYnN]$"), list("yYnN"))


def tagged(loader, suffix, node):
    """CloudFormation's short forms, as data."""
    if isinstance(node, (yaml.ScalarNode, ScalarNode)):
        return {f"!{suffix}": loader.construct_scalar(node)}
    if isinstance(node, (yaml.MappingNode, MappingNode)):
        return {f"!{suffix}": loader.construct_mapping(node, deep=True)}
    return {f"!{suffix}": loader.construct_sequence(node, deep=True)}


Reader11.add_multi_constructor("!", tagged)


def read_12(text):
    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 2)
    reader.constructor.add_multi_constructor("!", tagged)
    return list(reader.load_all(text))


# YAML 1.2, core schema (10.3.2): what a plain scalar is.
CORE = {
    "null": re.compile(r"(?:null|Null|NULL|~|)"),
    "bool": re.compile(r"(?:true|True|TRUE|false|False|FALSE)"),
    "int": re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"),
    "float": re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"),
}


def misread(node):
    """Plain scalars that are of another type by the core schema."""
    if isinstance(node, yaml.MappingNode):
        for pair in node.value:
            yield from (problem for child in pair for problem in misread(child))
    elif isinstance(node, yaml.SequenceNode):
        yield from (problem for child in node.value for problem in misread(child))
    elif node and node.style is None and node.tag.startswith("tag:yaml.org,2002:"):
        kind = next((k for k, form in CORE.items() if form.fullmatch(node.value)), "str")
        if node.tag.rpartition(":")[2] != kind:
            yield f"line {node.start_mark.line + 1}: {node.value} is {node.tag.rpartition(':')[2]} in YAML 1.1, {kind} in 1.2"


def differences(one, other, path=""):
    """Where two readings differ, in value or in type."""
    if type(one) is not type(other):
        yield f"{path or 'document'}: YAML 1.1 reads {one!r}, 1.2 reads {other!r}"
    elif isinstance(one, dict):
        if list(one) != list(other) or list(map(type, one)) != list(map(type, other)):
            yield f"{path or 'document'}: YAML 1.1 reads the keys {list(one)}, 1.2 reads {list(other)}"
        else:
            for key in one:
                yield from differences(one[key], other[key], f"{path}.{key}")
    elif isinstance(one, list) and len(one) == len(other):
        for number, pair in enumerate(zip(one, other)):
            yield from differences(*pair, f"{path}[{number}]")
    elif one != other:
        yield f"{path}: YAML 1.1 reads {one!r}, 1.2 reads {other!r}"
    elif not isinstance(one, (str, int, float, bool, type(None), list)) or isinstance(one, float) and not math.isfinite(one):
        yield f"{path}: {one!r} is nothing that JSON has"


def main():
    report = Report()
    for file in rendered(roots(), "*.yaml", "*.yml"):
        text = file.read_text(encoding="utf-8")
        try:
            problems = [p for node in yaml.compose_all(text, Loader=Reader11) for p in misread(node)]
            problems += differences(list(yaml.load_all(text, Loader=Reader11)), read_12(text))
        except Exception as error:  # the readers' own, of several families
            problems = [f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"]
        report.check(short(file), problems)
    report.close()


if __name__ == "__main__":
    main()
