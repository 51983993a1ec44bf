"""What AWS documents about the templates' resources and cfn-lint does not check: one rule a file, each with its source.

A rule is a function `faults(templates)`. It gets every template by the name of its stack and yields a sentence for each fault.
"""


def resources(templates, *kinds):
    """Every resource of these types: its stack, its logical name, the resource."""
    for stack, template in templates.items():
        for logical, resource in template.get("Resources", {}).items():
            if resource["Type"] in kinds:
                yield stack, logical, resource


def properties(templates, *kinds):
    """As `resources`, with the properties instead of the resource."""
    for stack, logical, resource in resources(templates, *kinds):
        yield stack, logical, resource.get("Properties", {})


def listed(value):
    """The value as a list: CloudFormation and IAM take one for a list of one."""
    return value if isinstance(value, list) else [value]


def parts(value):
    """The value and everything inside of it."""
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from parts(inner)


def objects(value):
    """Every object inside of the value."""
    return (part for part in parts(value) if isinstance(part, dict))


def references(value):
    """The logical names, parameters and pseudo parameters that the value refers to with Ref and Fn::GetAtt."""
    for part in objects(value):
        if "Ref" in part:
            yield part["Ref"]
        if "Fn::GetAtt" in part:
            yield part["Fn::GetAtt"][0]


def services(statement):
    """The services of AWS that a policy's statement is for."""
    principal = statement.get("Principal", {})
    return listed(principal.get("Service", [])) if isinstance(principal, dict) else []
