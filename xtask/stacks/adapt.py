"""Adapts the templates to an emulator: removes or replaces what it lacks, and prints each adaptation with its reason.

`python adapt.py moto FOLDER` and `python adapt.py ministack FOLDER` write them into a folder, under the names of the templates, for the tests
of `covidctl up` and `down`; each needs the Python with the emulator. conform.py uses the same for moto.
"""

import collections
import json
import pathlib
import sys

from templates import files, load, name, walk

REGION = "us-east-1"
ACCOUNT = "123456789012"
SECRET = "AWS::SecretsManager::Secret"


def known_to_moto():
    """Returns the known types of resources. moto skips the others silently; here they are counted and named."""
    from moto.cloudformation.parsing import get_model_map

    return set(get_model_map())


class Stack:
    """A stack in moto."""

    def __init__(self, file, notes):
        self.number = file.stem
        self.name = f"covid19-{name(file)}"
        self.template = load(file)
        self.notes = notes
        self.text = json.dumps(self.adapt())

    def note(self, what, reason, count=1):
        self.notes[(self.name, what, reason)] += count

    def adapted(self):
        """Returns a new copy of the adapted template."""
        return json.loads(self.text)

    def adapt(self):
        template, known = json.loads(json.dumps(self.template)), known_to_moto()
        resources = template["Resources"]
        for logical, resource in list(resources.items()):
            if resource["Type"] not in known and resource["Type"] != SECRET:
                self.note(resource["Type"], "removed: moto does not support it in a template")
                del resources[logical]
        secrets = {logical for logical, resource in resources.items() if resource["Type"] == SECRET}
        for logical in secrets:
            self.note(SECRET, "replaced by an ARN: moto does not support it in a template")
            del resources[logical]
        template = without_references(template, set(self.template["Resources"]) - set(resources), secrets)
        for resource in template["Resources"].values():
            properties = resource.get("Properties", {})
            if resource["Type"] == "AWS::RDS::DBInstance" and "DBParameterGroupName" in properties:
                self.note("DBParameterGroupName", "removed: moto answers 500 to a reference to a parameter group")
                del properties["DBParameterGroupName"]
            if resource["Type"] == "AWS::EC2::Subnet":
                self.note("AvailabilityZoneId", "replaced by the name of the zone: moto does not support ids in a template")
                by_name(properties)
            if resource["Type"] == "AWS::RDS::DBInstance" and properties.pop("DeletionProtection", None):
                self.note("DeletionProtection", "removed: the stack is deleted in the same run")
        return template


def by_name(subnet):
    """Names the zone of a subnet, as the template does if no ids are given."""
    del subnet["AvailabilityZoneId"]
    subnet["AvailabilityZone"] = subnet["AvailabilityZone"]["Fn::If"][2]


def without_references(template, gone, secrets):
    """Replaces every reference to a removed resource by a text."""

    def replace(value):
        if value.get("Ref") in secrets:
            return f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{value['Ref']}"
        if isinstance(value.get("Fn::Sub"), str) and "{{resolve:secretsmanager" in value["Fn::Sub"]:
            return "resolved-by-cloudformation"
        if isinstance(value.get("Fn::Sub"), str) and any("${" + logical in value["Fn::Sub"] for logical in gone):
            return "refers-to-removed-resource"
        if value.get("Ref") in gone:
            return f"{value['Ref']}-is-removed"
        if isinstance(value.get("Fn::GetAtt"), list) and value["Fn::GetAtt"][0] in gone:
            return f"{value['Fn::GetAtt'][0]}-is-removed"
        return value

    template = walk(template, replace)
    for resource in template["Resources"].values():
        wanted = resource.get("DependsOn", [])
        wanted = [wanted] if isinstance(wanted, str) else wanted
        resource["DependsOn"] = [logical for logical in wanted if logical not in gone]
    return template


def without(template, gone):
    """Removes a resource, and the resources and outputs that refer to it."""

    def refers(part):
        text = json.dumps(part)
        return f'"Ref": "{gone}"' in text or f'"Fn::GetAtt": ["{gone}"' in text

    for section in ("Resources", "Outputs"):
        parts = template.get(section, {}).items()
        template[section] = {name: part for name, part in parts if name != gone and not refers(part)}
    return template


def for_moto(file, notes):
    """Returns a template that moto can create and delete."""
    stack = Stack(file, notes)
    template = stack.adapted()
    for logical, resource in list(template["Resources"].items()):
        if resource["Type"] == "AWS::EC2::RouteTable" or logical == "Replica":
            stack.note(resource["Type"], "removed with the resources that refer to it: moto does not delete it with its stack")
            template = without(template, logical)
    if "DeletionProtection" in template.get("Parameters", {}):
        stack.note("DeletionProtection, DeletionPolicy", "removed: to disable them would update the database, which moto cannot")
        del template["Parameters"]["DeletionProtection"]
        for resource in template["Resources"].values():
            resource.pop("DeletionPolicy", None)
    return template


def for_ministack(file, notes):
    from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS as known

    template = load(file)
    stack = f"covid19-{name(file)}"
    gone = {logical for logical, resource in template["Resources"].items() if resource["Type"] not in known}
    for logical in gone:
        notes[(stack, template["Resources"].pop(logical)["Type"], "removed: ministack does not support it in a template")] += 1
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::EC2::Subnet":
            notes[(stack, "AvailabilityZoneId", "replaced by the name of the zone: ministack does not support ids in a template")] += 1
            by_name(resource["Properties"])
        if resource["Type"] == "AWS::ECS::Service":
            notes[(stack, "DesiredCount", "0: ministack does not convert parameters to numbers")] += 1
            resource["Properties"]["DesiredCount"] = 0
    for parameter in template.get("Parameters", {}).values():
        if parameter["Type"].startswith("AWS::SSM::"):
            notes[(stack, parameter["Type"], "String: ministack has none of AWS's public parameters")] += 1
            parameter["Type"] = "String"
    return without_references(template, gone, set())


ADAPT = {"moto": for_moto, "ministack": for_ministack}


def main(emulator, folder):
    notes = collections.Counter()
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for file in files():
        (folder / f"{file.stem}.json").write_text(json.dumps(ADAPT[emulator](file, notes), indent=1))
    for (stack, what, reason), count in sorted(notes.items()):
        print(f"adapted for {emulator}: {stack}: {what} ({count}): {reason}")


if __name__ == "__main__":
    main(*sys.argv[1:])
