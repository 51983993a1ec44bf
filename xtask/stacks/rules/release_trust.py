"""GitHub's tokens name a repository by its names, or, since July 2026, by its names and ids; the release role trusts both.

Source: GitHub Docs, "OpenID Connect", on immutable subject claims.
"""

import re

from rules import listed, objects, properties

SUBJECT = "token.actions.githubusercontent.com:sub"

BY_NAME = re.compile(r"repo:[^@:]+:")
BY_ID = re.compile(r"repo:[^@:]+@[^@/:]+/[^@:]+@[^@:]+:")


def faults(templates):
    for stack, logical, role in properties(templates, "AWS::IAM::Role"):
        subjects = [subject for part in objects(role["AssumeRolePolicyDocument"]) for subject in listed(part.get(SUBJECT, []))]
        texts = [text(subject) for subject in subjects]
        if subjects and not any(BY_NAME.match(text) for text in texts):
            yield f"{stack}: {logical}: it does not trust repositories that are named without ids"
        if subjects and not any(BY_ID.match(text) for text in texts):
            yield f"{stack}: {logical}: it does not trust repositories that are named with ids"


def text(value):
    """Returns the text with a word in place of each variable."""
    inner = value["Fn::Sub"] if isinstance(value, dict) else value
    return re.sub(r"\$\{[^}]+\}", "x", inner[0] if isinstance(inner, list) else inner)
