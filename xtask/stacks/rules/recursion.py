"""A function that invokes itself sets RecursiveLoop, or Lambda stops it after some invocations.

Source: AWS Lambda Developer Guide, "Use Lambda recursive loop detection to prevent infinite loops".
"""

from rules import listed, objects, properties


def faults(templates):
    for stack, logical, function in properties(templates, "AWS::Lambda::Function"):
        itself = f":function:{function['FunctionName']}"
        for _, _, role in properties({stack: templates[stack]}, "AWS::IAM::Role"):
            for statement in objects(role.get("Policies", [])):
                invokes = "lambda:InvokeFunction" in listed(statement.get("Action", []))
                if invokes and itself in str(statement["Resource"]) and function.get("RecursiveLoop") != "Allow":
                    yield f"{stack}: {logical}: it invokes itself, and its RecursiveLoop is not `Allow`"
