"""EventBridge publishes to a topic without a source account or owner, so a condition on one never matches.

Source: Amazon EventBridge User Guide, "Troubleshooting", on topics of SNS that receive nothing.
"""

from rules import properties, services

EVENTS = "events.amazonaws.com"


def faults(templates):
    for stack, logical, policy in properties(templates, "AWS::SNS::TopicPolicy"):
        for statement in policy["PolicyDocument"]["Statement"]:
            if EVENTS in services(statement) and statement["Effect"] == "Allow" and "Condition" in statement:
                yield f"{stack}: {logical}: EventBridge cannot publish through a statement with a condition"
