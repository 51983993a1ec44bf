"""Checks the templates against every rule in `rules/`; `python check_rules.py` prints the faults and exits with 1 if there are any."""

import importlib
import pkgutil
import sys

import rules
from templates import files, load, name


def all_rules():
    """The modules of `rules/`, by name."""
    found = [module.name for module in pkgutil.iter_modules(rules.__path__)]
    return {found: importlib.import_module(f"rules.{found}") for found in found}


def faults(templates):
    return [f"{rule}: {fault}" for rule, module in all_rules().items() for fault in module.faults(templates)]


def main():
    found = faults({name(file): load(file) for file in files()})
    for fault in found:
        print(fault, file=sys.stderr)
    print(f"{len(all_rules())} rules, {len(found)} faults")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
