"""Documented rules of AWS that cfn-lint does not check, one per file, each with its source.

A rule is a function `faults(templates)`, which takes the templates by the names of their stacks and yields a sentence for each fault.
"""


def resources(templates, *kinds):
    """Yields the stack, the logical name and the resource of every resource of these types."""
    for stack, template in templates.items():
        for logical, resource in template.get("Resources", {}).items():
            if resource["Type"] in kinds:
                yield stack, logical, resource


def properties(templates, *kinds):
    """As `resources`, with the properties instead of the resource."""
    for stack, logical, resource in resources(templates, *kinds):
        yield stack, logical, resource.get("Properties", {})


def listed(value):
    """Returns the value as a list: CloudFormation and IAM accept a single value for a list of one."""
    return value if isinstance(value, list) else [value]


def parts(value):
    """Yields the value and everything in it."""
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from parts(inner)


def objects(value):
    """Returns every object in the value."""
    return (part for part in parts(value) if isinstance(part, dict))


def references(value):
    """Yields the logical names, parameters and pseudo parameters that the value refers to with Ref and Fn::GetAtt."""
    for part in objects(value):
        if "Ref" in part:
            yield part["Ref"]
        if "Fn::GetAtt" in part:
            yield part["Fn::GetAtt"][0]


def services(statement):
    """Returns the AWS services that a statement of a policy is for."""
    principal = statement.get("Principal", {})
    return listed(principal.get("Service", [])) if isinstance(principal, dict) else []
