"""Reads the templates: YAML, with the short forms of CloudFormation's functions as their long forms."""

import pathlib

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Loader(yaml.SafeLoader):
    """Long forms, because the emulator splits `!GetAtt A.B.C` at every dot."""


def short_form(loader, suffix, node):
    key = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        value = value.split(".", 1) if suffix == "GetAtt" else value
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {key: value}


Loader.add_multi_constructor("!", short_form)


def files():
    """Returns the files in the order of deployment."""
    return sorted((ROOT / "cloudformation").glob("*.yaml"))


def load(file):
    return yaml.load(file.read_text(), Loader)


def name(file):
    """Returns the name of the stack without its prefix."""
    return file.stem.split("-", 1)[1]


def walk(value, change):
    """Returns the value with `change` applied to each object in it, innermost first."""
    if isinstance(value, dict):
        return change({key: walk(inner, change) for key, inner in value.items()})
    if isinstance(value, list):
        return [walk(inner, change) for inner in value]
    return value


def imports(template):
    found = set()

    def note(value):
        if isinstance(value.get("Fn::ImportValue"), str):
            found.add(value["Fn::ImportValue"])
        return value

    walk(template, note)
    return found


def exports(template):
    return {output["Export"]["Name"] for output in template.get("Outputs", {}).values() if "Export" in output}
