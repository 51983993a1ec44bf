"""A variable in a string is inserted unescaped, and a quotation mark in it breaks the JSON; outside of strings it is escaped.

Source: Amazon EventBridge User Guide, "Input transformation".
"""

import re

from rules import objects, properties

STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def faults(templates):
    for stack, logical, rule in properties(templates, "AWS::Events::Rule"):
        for transformer in (part["InputTransformer"] for part in objects(rule) if "InputTransformer" in part):
            for text in STRING.findall(transformer["InputTemplate"]):
                for variable in re.findall(r"<([^>]+)>", text):
                    yield f"{stack}: {logical}: <{variable}> is in a string of its input template"
