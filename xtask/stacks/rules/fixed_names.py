"""A resource that other parameters replace has no fixed name: CloudFormation creates the new one before it deletes the old one.

Source: AWS CloudFormation User Guide, "Name type"; create-only properties from AWS's own schemas of the resource types, which
cfn-lint contains. Elastic Load Balancing, "Target groups for your Application Load Balancers", for the last of the rules.
"""

import collections

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from rules import objects, properties, references, resources

# Exceptions, each with its reason.
ACCEPTED = {
    ("database", "Master"): "Snapshot is for a new stack; set later, the name makes CloudFormation refuse to replace the data",
}

# A create-only property of these changes with the templates themselves.
NEVER = {"AWS::RDS::DBParameterGroup": "each major version has a family of its own"}


def faults(templates):
    yield from replaced(templates)
    yield from twice(templates)
    yield from shared(templates)


def create_only(kind):
    """Returns the names of the properties whose change replaces a resource of this type."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    return {path.removeprefix("/properties/").split("/")[0] for path in schema.get("createOnlyProperties", [])}


def own_name(kind, resource):
    """Returns the property with the name of the resource, if the template sets it."""
    last = kind.rsplit("::", 1)[1]
    for name in ("Name", f"{last}Name", f"{last}Identifier"):
        if name in create_only(kind) and name in resource.get("Properties", {}):
            return name
    return None


def changes(value, template):
    """Returns whether the value depends on parameters."""
    given = set(template.get("Parameters", {}))
    return any("Fn::If" in part for part in objects(value)) or bool(given & set(references(value)))


def replaced(templates):
    for stack, template in templates.items():
        for logical, resource in template["Resources"].items():
            kind = resource["Type"]
            name = own_name(kind, resource)
            if name is None or (stack, logical) in ACCEPTED:
                continue
            if kind in NEVER:
                yield f"{stack}: {logical}: its name is fixed, and {NEVER[kind]}"
            for key in sorted(create_only(kind) - {name}):
                if changes(resource["Properties"].get(key), template):
                    yield f"{stack}: {logical}: its name is fixed, and another {key} replaces it"


def twice(templates):
    """Resources of two conditions with one name: one is created before the other is deleted."""
    for stack, template in templates.items():
        named = collections.defaultdict(list)
        for logical, resource in template["Resources"].items():
            name = own_name(resource["Type"], resource)
            if name is not None:
                named[resource["Type"], str(resource["Properties"][name])].append(logical)
        for (_, name), logicals in named.items():
            if len(logicals) > 1:
                yield f"{stack}: {' and '.join(logicals)} have the same name {name}"


def shared(templates):
    """A target group belongs to one load balancer, so one that is replaced with its listeners cannot keep it."""
    users = collections.defaultdict(set)
    for stack, _, listener in resources(templates, "AWS::ElasticLoadBalancingV2::Listener"):
        for group in references(listener["Properties"]["DefaultActions"]):
            users[stack, group].add(listener.get("Condition"))
    for stack, logical, _ in properties(templates, "AWS::ElasticLoadBalancingV2::TargetGroup"):
        if len(users[stack, logical]) > 1:
            yield f"{stack}: {logical}: listeners of several conditions use it"
