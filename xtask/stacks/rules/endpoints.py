"""The private subnets have an endpoint for each service that their tasks need, and none for another: each is billed by the hour.

Source: Amazon ECS Developer Guide, "Interface VPC endpoints", and "Amazon ECR interface VPC endpoints".
"""

from rules import objects, properties

# What a task on Fargate needs besides what its definition says: its image, whose layers are in S3.
ALWAYS = {"ecr.api", "ecr.dkr", "s3"}


def faults(templates):
    there = {}
    for stack, logical, endpoint in properties(templates, "AWS::EC2::VPCEndpoint"):
        there[service(endpoint["ServiceName"])] = f"{stack}: {logical}"
    needed = wanted(templates)
    for name in sorted(set(there) - needed):
        yield f"{there[name]}: no task uses the endpoint of `{name}`"
    for name in sorted(needed - set(there)) if there else []:
        yield f"no endpoint of `{name}`, which tasks need"


def service(name):
    return name["Fn::Sub"].removeprefix("com.amazonaws.${AWS::Region}.")


def wanted(templates):
    found = set()
    for _, _, task in properties(templates, "AWS::ECS::TaskDefinition"):
        found |= ALWAYS
        for container in task["ContainerDefinitions"]:
            if container.get("LogConfiguration", {}).get("LogDriver") == "awslogs":
                found.add("logs")
            for secret in container.get("Secrets", []):
                found.add("ssm" if is_parameter(secret["ValueFrom"]) else "secretsmanager")
    return found


def is_parameter(source):
    """Whether a secret's value comes from the Parameter Store."""
    texts = [source] if isinstance(source, str) else [str(value) for part in objects(source) for value in part.values()]
    return any(":ssm:" in text or "/covid19/" in text for text in texts)
