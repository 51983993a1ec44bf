"""An event that cannot be delivered is kept in a queue, and an alarm reports that a rule fails.

Source: Amazon EventBridge User Guide, "Using dead-letter queues to process undelivered events" and "Monitoring Amazon EventBridge".
"""

from rules import objects, properties, references, services


def faults(templates):
    for stack, logical, rule in properties(templates, "AWS::Events::Rule"):
        here = {stack: templates[stack]}
        for target in rule.get("Targets", []):
            queue = next(references(target.get("DeadLetterConfig", {})), None)
            if queue is None:
                yield f"{stack}: {logical}: the target `{target['Id']}` has no dead-letter queue"
            elif not takes_events(here, queue, logical):
                yield f"{stack}: {logical}: the policy of `{queue}` does not let EventBridge send for this rule"
        if not has_alarm(here, logical):
            yield f"{stack}: {logical}: no alarm on its FailedInvocations"


def takes_events(templates, queue, rule):
    for _, _, policy in properties(templates, "AWS::SQS::QueuePolicy"):
        if queue not in references(policy["Queues"]):
            continue
        for statement in policy["PolicyDocument"]["Statement"]:
            if "events.amazonaws.com" in services(statement) and rule in references(statement.get("Condition", {})):
                return True
    return False


def has_alarm(templates, rule):
    for _, _, alarm in properties(templates, "AWS::CloudWatch::Alarm"):
        metrics = [part for part in objects(alarm) if part.get("MetricName") == "FailedInvocations"]
        if any(rule in references(metric.get("Dimensions", [])) for metric in metrics):
            return True
    return False
