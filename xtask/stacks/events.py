"""Matches the event patterns of the rules against the events that ECS sends at the ends of tasks, with moto's matcher.

Source of the events: Amazon ECS Developer Guide, "Amazon ECS task state change events".
"""

import json

from moto.events.models import EventPattern

from templates import ROOT, load, walk

REPORT, FAILED = "ReportRule", "FailedRule"

# The family of a task, how it ended, the group that it was started with, and the rules that match.
ENDS = {
    "a load that succeeded": ("covid19-etl", "EssentialContainerExited", [0], "family:covid19-etl", {REPORT}),
    "a load whose caller starts the report": ("covid19-etl", "EssentialContainerExited", [0], "covid19-pipeline", set()),
    "a load that failed, or that the publish gate rejected": ("covid19-etl", "EssentialContainerExited", [1], "family:covid19-etl", {FAILED}),
    "a load that ran out of memory": ("covid19-etl", "EssentialContainerExited", [137], "family:covid19-etl", {FAILED}),
    "a load that `covidctl stop` ended": ("covid19-etl", "UserInitiated", [143], "family:covid19-etl", set()),
    "a load without an image": ("covid19-etl", "TaskFailedToStart", [], "family:covid19-etl", {FAILED}),
    "a load whose host was retired": ("covid19-etl", "TerminationNotice", [143], "family:covid19-etl", {FAILED}),
    "a report that failed": ("covid19-report", "EssentialContainerExited", [1], "family:covid19-report", {FAILED}),
    "a report that succeeded": ("covid19-report", "EssentialContainerExited", [0], "family:covid19-report", set()),
    "a task of Metabase that failed": ("covid19-metabase", "EssentialContainerExited", [1], "service:metabase", set()),
}

ARN = "arn:aws:ecs:us-east-1:123456789012"


def event(family, stop_code, codes, group):
    return {
        "source": "aws.ecs",
        "detail-type": "ECS Task State Change",
        "detail": {
            "clusterArn": f"{ARN}:cluster/covid19",
            "taskDefinitionArn": f"{ARN}:task-definition/{family}:7",
            "group": group,
            "lastStatus": "STOPPED",
            "stopCode": stop_code,
            # ECS sends an object for each container. EventBridge matches the field of any of them, which moto does with a list.
            "containers": {"exitCode": codes} if codes else {},
        },
    }


def pattern(rule):
    """The rule's pattern with the values that the variables have in `event`."""

    def resolve(value):
        if "Fn::GetAtt" in value:
            return f"{ARN}:cluster/covid19"
        if "Fn::Sub" in value:
            text = value["Fn::Sub"].replace("${AWS::Partition}", "aws").replace("${AWS::Region}", "us-east-1")
            return text.replace("${AWS::AccountId}", "123456789012")
        return value

    return EventPattern.load(json.dumps(walk(rule["Properties"]["EventPattern"], resolve)))


def check():
    rules = load(ROOT / "cloudformation/06-pipeline.yaml")["Resources"]
    for words, (family, stop_code, codes, group, wanted) in ENDS.items():
        sent = event(family, stop_code, codes, group)
        found = {name for name in (REPORT, FAILED) if pattern(rules[name]).matches_event(sent)}
        assert found == wanted, f"{words}: {sorted(found)} match, not {sorted(wanted)}"
    print(f"{len(ENDS)} ends of tasks match the right rules")
